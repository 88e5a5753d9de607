// Package conformance holds one suite for every outbound port. A suite is the port's contract in executable form; whoever implements the port,
// here or elsewhere, runs it.
//
// A suite is given a function that makes an empty implementation for one test. It does not sleep: where time must pass, it says which time it is.
package conformance
