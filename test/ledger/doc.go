// Package ledger holds what Forge 1 keeps of calls against what vendors did: a process as it is shipped, simulated vendors that break in every way they
// can, clients that leave, and the database read past the program. See `task ledger` for the long run.
package ledger
