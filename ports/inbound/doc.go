// Package inbound is what the outside may ask of Forge 1. The application implements it; adapters/rest and the command line call it.
package inbound
