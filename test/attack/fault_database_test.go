package attack_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func init() {
	row("FLT-2", "Postgres is stopped in the middle of a load, and comes back", postgresStopped, before(withPostgres), only(servers, "SQLite is a file and does not stop"))
}

// load is requests at a steady pace, and what came of them.
type load struct {
	mu     sync.Mutex
	got    map[string][]answer
	all    sync.WaitGroup
	cancel context.CancelFunc
	ctx    context.Context
}

func newLoad() *load {
	l := &load{got: map[string][]answer{}}
	l.ctx, l.cancel = context.WithCancel(background)
	return l
}

// run does something again and again, with pauses, until the load ends.
func (l *load) run(what string, pause time.Duration, do func() answer) {
	l.all.Go(func() {
		for ; l.ctx.Err() == nil; time.Sleep(pause) {
			a := do()
			l.mu.Lock()
			l.got[what] = append(l.got[what], a)
			l.mu.Unlock()
		}
	})
}

// take gives what came since the last time.
func (l *load) take() map[string][]answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.got
	l.got = map[string][]answer{}
	return out
}

// end ends the load and waits for what is under way.
func (l *load) end() map[string][]answer {
	l.cancel()
	l.all.Wait()
	return l.take()
}

// statuses checks that all answers of a kind are one of these.
func statuses(t *testing.T, when string, got map[string][]answer, allowed map[string][]int) {
	t.Helper()
	for what, answers := range got {
		for _, a := range answers {
			if !slices.Contains(allowed[what], a.status) {
				t.Errorf("%s, %s: %s, want one of %v", when, what, a, allowed[what])
				break
			}
		}
		t.Logf("%s, %s: %v", when, what, tally(answers))
	}
}

// postgresLoad signs in, guesses, refreshes and asks, all at once.
func postgresLoad(t *testing.T, w *world, u account, asking session) *load {
	t.Helper()
	l := newLoad()
	for range 3 {
		l.run("login", 20*time.Millisecond, func() answer { return w.login(t, u.email, u.password) })
		l.run("guess", 20*time.Millisecond, func() answer { return w.login(t, somebody(), passphrase()) })
		s := w.signIn(t, u)
		l.run("refresh", 50*time.Millisecond, func() answer {
			a := w.refresh(t, s.refresh)
			if a.status == http.StatusOK {
				s = w.session(t, a)
			}
			return a
		})
		l.run("me", 20*time.Millisecond, func() answer { return w.me(t, asking.access) })
	}
	return l
}

func postgresStopped(t *testing.T, w *world) {
	u := w.user(t)
	asking, fresh := w.signIn(t, u), w.signIn(t, u)
	l := postgresLoad(t, w, u, asking)
	eventually(t, "the load to get going", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.got["login"]) > 10 && len(l.got["me"]) > 10 && len(l.got["refresh"]) > 10 && len(l.got["guess"]) > 3
	})
	postgresOf(w).stop()
	time.Sleep(time.Second) // requests of before the end are answered, or refused, by now
	during := l.take()
	statuses(t, "while it stops", during, map[string][]int{"login": {200, 503}, "guess": {401, 503}, "refresh": {200, 503}, "me": {200, 503}})
	w.clock.move(t, 6*time.Second)
	time.Sleep(time.Second)
	l.take()
	time.Sleep(time.Second)
	statuses(t, "without Postgres", l.take(), map[string][]int{"login": {503}, "guess": {503}, "refresh": {503}, "me": {200, 503}})
	w.clock.move(t, 61*time.Second)
	for what, a := range map[string]answer{
		"me":       w.me(t, asking.access),
		"me anew":  w.me(t, fresh.access),
		"login":    w.login(t, u.email, u.password),
		"refresh":  w.refresh(t, fresh.refresh),
		"logout":   w.post(t, "logout", fields{"refresh_token": fresh.refresh}),
		"register": w.post(t, "register", fields{"email": somebody(), "password": passphrase()}),
		"a link":   w.post(t, "request-password-reset", fields{"email": u.email}),
		"a reset":  w.post(t, "reset-password", fields{"token": b64.EncodeToString(make([]byte, 32)), "new_password": passphrase()}),
		"verify":   w.verify(t, b64.EncodeToString(make([]byte, 32))),
	} {
		if a.status != http.StatusServiceUnavailable {
			t.Errorf("%s a minute after Postgres stopped: %s, want 503", what, a)
		}
		a.want(t, a.status, a.str("code"))
	}
	w.get(t, "/api/v1/health/live").want(t, http.StatusOK, "")
	w.get(t, "/api/v1/health/ready").want(t, http.StatusServiceUnavailable, "")
	statuses(t, "to the end", l.end(), map[string][]int{"login": {503}, "guess": {503}, "refresh": {503}, "me": {200, 503}})

	postgresOf(w).start(t)
	eventually(t, "a login when Postgres is back", func() bool { return w.login(t, u.email, u.password).status == http.StatusOK })
	w.alive(t, "a session of before", fresh)
	for _, a := range slices.Concat(during["login"], during["refresh"]) {
		if a.status == http.StatusOK && w.count(t, `SELECT count(*) FROM auth_sessions WHERE id = ?`, a.str("session.id")) != 1 {
			t.Errorf("tokens were given for a session that Postgres does not know: %s", a.str("session.id"))
		}
	}
}

// held keeps a row of a user locked on a connection of its own; on SQLite, where rows have no locks, the whole database. It gives the end of it.
func (w *world) held(t *testing.T, u account) (letGo func()) {
	t.Helper()
	if w.on == servers {
		conn, err := pgx.Connect(background, w.database)
		if err == nil {
			_, err = conn.Exec(background, "BEGIN; SELECT 1 FROM users WHERE id = '"+u.id+"' FOR UPDATE")
		}
		if err != nil {
			t.Fatalf("lock a user: %v", err)
		}
		return func() { _ = conn.Close(background) }
	}
	db := w.open(t, true)
	conn, err := db.Conn(background)
	if err == nil {
		_, err = conn.ExecContext(background, "BEGIN IMMEDIATE")
	}
	if err != nil {
		t.Fatalf("lock the database: %v", err)
	}
	return func() {
		_, _ = conn.ExecContext(background, "ROLLBACK")
		_ = conn.Close()
		_ = db.Close()
	}
}

// slowest gives the longest time that an answer took.
func slowest(answers []answer) time.Duration {
	var most time.Duration
	for _, a := range answers {
		most = max(most, a.took)
	}
	return most
}
