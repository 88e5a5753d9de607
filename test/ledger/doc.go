// Package ledger holds what Forge 1 keeps of calls against what vendors did: a process as it is shipped, simulated vendors that break in every way they
// can, clients that leave, and the database read past the program. FORGE_LEDGER_CALLS makes more calls or fewer than ten thousand.
package ledger
