// Package ledger holds what Forge 1 keeps of calls against what vendors did: a process as it is shipped, simulated vendors that break in every way they
// can, clients that leave, and the database read past the program. Ten thousand calls are made, half of them on
// each store; FORGE_LEDGER_CALLS says how many are to be made on one.
package ledger
