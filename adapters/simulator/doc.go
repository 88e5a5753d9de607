// Package simulator plays the four vendors over real HTTP, so that the whole system runs without internet or keys. It plays the vendors' own
// wire cases (testdata/*.http), makes answers up where no case fits, refuses what the vendor refuses, and stalls, cuts, throttles and
// fails on demand.
package simulator
