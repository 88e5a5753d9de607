// Package kit runs the provider kit on every vendor that is linked in, and writes down what became of it: REPORT.md.
package kit
