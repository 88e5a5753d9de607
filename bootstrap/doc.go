// Package bootstrap is the only package that knows every other: it reads the configuration, wires the rings together, and runs what the
// command line asks for. Only this package reads the environment and the wall clock.
package bootstrap
