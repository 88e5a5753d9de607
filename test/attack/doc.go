// Package attack attacks a started process of Forge 1 by every row of the attack table, each by its id, on embedded stores and on real Postgres and
// Redis. The rows know the HTTP surface, the command line, the mails and the stores' tables, and nothing of the code.
//
// # Run it
//
//	go run ./test/servers -- go test -v ./test/attack
//
// runs every row and prints a table of ids (without -v only when a row fails). A single row, on one set of stores:
//
//	go run ./test/servers -- go test ./test/attack -run 'TestAttack/sqlite/JWT/JWT-5$'
//	go run ./test/servers -- go test ./test/attack -run 'TestAttack/postgres/REF/REF-2$'
//
// The name is TestAttack/STORES/GROUP/ID; the group is the part of the id before its hyphen. A row that fails shows what its process's log says beyond
// requests. Rows about time, which a busy machine makes uncertain, are built with the tag timing and run by `task attack:timing`:
//
//	go run ./test/servers -- go test -tags timing -run TestTiming ./test/attack
//
// Rows that kill the process (FLT-4, FLT-6, FLT-7) do so forty times on each set of stores, and two hundred times with `task attack:crash`:
//
//	go run ./test/servers -- go test ./test/attack -run 'TestAttack/.*/FLT/FLT-(4|6|7)$' -v -rounds 200
//
// # Add a row
//
// A file of rows is named for its group (jwt_test.go), or for a part of it (otp_race_test.go), and registers them in init:
//
//	func init() {
//		row("REF-3", "the reply is lost and the client tries again within the grace", refreshRetried)
//		row("REF-7", "a session that is used steadily still ends", absoluteEnd, env("REFRESH_ABSOLUTE_TTL", "2h"))
//	}
//
//	func refreshRetried(t *testing.T, w *world) {
//		in := w.signIn(t, w.user(t))
//		...
//	}
//
// Rows of a group share one process, one after the other, so a row makes the users that it needs (w.user) and leaves nothing behind that another could
// stumble over. A row that moves the clock, stops the process, wants other variables, or wants empty tables has a process of its own: options alone,
// env, before. A row that mostly waits adds overlapped, and then runs beside others. A row that has no meaning on one set of stores says only(servers,
// why). A timing row is registered by timed instead of row, in a file that begins with //go:build timing.
//
// The world (world_test.go) gives what a row needs:
//
//   - w.do, w.post, w.get: requests, each from an address of its own (X-Forwarded-For; the process trusts 127.0.0.1), unless the row names one with
//     from(ip). a.want(t, 401, "invalid_credentials") checks status, code and form of a problem; a.must(t, 200) ends the row
//     unless the status is that. w.raw sends bytes, together does something n times at once, same compares answers.
//   - w.user, w.signUp, w.signIn, w.refresh, w.me, w.alive, w.dead: accounts by way of the mail, and sessions. w.enrol, w.code, w.challenge: second
//     factors.
//   - w.mail: the mail server of the process. w.mail.await waits for a mail, w.mail.token for the token of its link; slow, refuse, hang and twice make
//     it misbehave.
//   - w.text, w.count, w.rows: read-only SQL with ? on both stores; w.write tries to change something, as the process itself would connect.
//     w.dump gives all tables as text, w.redisDump all of Redis.
//   - w.mint makes access tokens with the process's own key: hostile ones.
//   - w.clock moves the process's clock. w.node.restart, w.node.stop, w.node.kill9; w.second starts another node on the same stores. w.cli runs a
//     command of forge1 against the same stores.
//   - w.remember notes a secret that a row makes itself. Passwords, codes and tokens of requests and answers are noted by themselves, unless
//     a request is plain; the last row, LEAK-1, looks for all of them in logs, audit rows, mails and dumps.
//
// A row is strict: status, code and side effects are those of the table. When the product fails it, the product is mended and not the row.
package attack
