package attack_test

import (
	"flag"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// rounds is how often each row of this kind kills the process; `task attack:crash` asks for more.
var rounds = flag.Int("rounds", 40, "how often rows that kill the process do so, on each set of stores")

// crasher kills a process again and again while requests are under way, and keeps count.
type crasher struct {
	*world
	span  time.Duration // moments are drawn from nothing to this; it follows how long the requests take
	kills int
	tally map[string]int
}

func (w *world) crasher(span time.Duration) *crasher {
	return &crasher{world: w, span: span, tally: map[string]int{}}
}

// outcome is what a client saw of a request that a kill may have cut off.
type outcome struct {
	answer
	seen bool // the whole answer, and one that tells what became of it: 503 does not
}

// kill sends requests at once, kills the process at a random moment meanwhile, and starts another on the same stores. Every other time it waits from that
// moment on until the database is being written.
func (c *crasher) kill(t *testing.T, requests ...func() (answer, error)) []outcome {
	t.Helper()
	out := make([]outcome, len(requests))
	done := make(chan int, len(requests))
	writes := c.writes(t)
	for i, send := range requests {
		go func() {
			a, err := send()
			out[i] = outcome{a, err == nil && a.status != http.StatusServiceUnavailable}
			done <- i
		}()
	}
	late := time.Now().Add(rand.N(c.span))
	left, writing := len(requests), false
	for left > 0 && !writing && (c.kills%2 == 1 || time.Now().Before(late)) {
		select {
		case <-done:
			left--
		default:
			if writing = c.kills%2 == 1 && writes() && time.Now().After(late); time.Now().Before(late) {
				time.Sleep(50 * time.Microsecond)
			}
		}
	}
	c.node.kill9(t)
	for range left {
		<-done
	}
	c.kills++
	if writing {
		c.goes("kills in the middle of a write")
	}
	_, _ = c.log.Write([]byte("\n")) // the last line may be half of one
	seen := 0
	for _, o := range out {
		if o.seen {
			seen++
		}
	}
	switch {
	case seen == len(requests):
		c.span = max(c.span*9/10, time.Millisecond)
	case seen == 0:
		c.span = min(c.span*10/9, 5*time.Second)
	}
	c.node.launch(t)
	return out
}

// insist posts until the process is neither busy nor without one of its parts: a machine that does nothing but start processes is slow at times.
func (c *crasher) insist(t *testing.T, name string, body any, options ...with) answer {
	t.Helper()
	for range 30 {
		if a := c.post(t, name, body, options...); a.status != http.StatusServiceUnavailable {
			return a
		}
		time.Sleep(time.Second)
	}
	t.Fatalf("%s is unavailable for ever", name)
	return answer{}
}

// newcomer makes a verified user.
func (c *crasher) newcomer(t *testing.T) account {
	t.Helper()
	u := account{email: somebody(), password: passphrase()}
	c.insist(t, "register", fields{"email": u.email, "password": u.password}).must(t, http.StatusAccepted)
	c.insist(t, "verify-email", fields{"token": c.token(t, u.email, "verify", 1)}).must(t, http.StatusOK)
	u.id = c.text(t, `SELECT id FROM users WHERE email_canon = ?`, u.email)
	return u
}

// entered signs a user in who has no second factor.
func (c *crasher) entered(t *testing.T, u account) session {
	t.Helper()
	return c.session(t, c.insist(t, "login", fields{"email": u.email, "password": u.password}).must(t, http.StatusOK))
}

// pending signs a user in as far as the second factor.
func (c *crasher) pending(t *testing.T, u account) string {
	t.Helper()
	return c.insist(t, "login", fields{"email": u.email, "password": u.password}).must(t, http.StatusOK).str("mfa_token")
}

// codes sets a second factor up and gives its recovery codes.
func (c *crasher) codes(t *testing.T, u account) []string {
	t.Helper()
	s := c.entered(t, u)
	a := c.insist(t, "mfa/setup", fields{"password": u.password}, as(s.access)).must(t, http.StatusOK)
	f := factor{a.str("secret"), a.strs("recovery_codes")}
	c.insist(t, "mfa/verify", fields{"setup_id": a.str("setup_id"), "code": c.code(t, f, 0)}, as(s.access)).must(t, http.StatusOK)
	return f.recovery
}

// writes gives a question that is answered yes when the database is being written: its log has grown since the last time, or a transaction that changes
// something is under way.
func (c *crasher) writes(t *testing.T) func() bool {
	t.Helper()
	if c.on == servers {
		query := `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL`
		return func() bool { return c.count(t, query) > 0 }
	}
	log := strings.TrimPrefix(c.database, "sqlite://") + "-wal"
	var last time.Time
	var size int64
	changed := func() bool {
		info, err := os.Stat(log)
		if err != nil || info.ModTime().Equal(last) && info.Size() == size {
			return false
		}
		last, size = info.ModTime(), info.Size()
		return true
	}
	changed()
	return changed
}

// goes counts what came of a request.
func (c *crasher) goes(what string) { c.tally[what]++ }

// violated counts a violation, and shows the first ones.
func (c *crasher) violated(t *testing.T, format string, args ...any) {
	t.Helper()
	c.tally["violations"]++
	if c.tally["violations"] <= 10 {
		t.Errorf("kill %d: "+format, append([]any{c.kills}, args...)...)
	}
}

// report says what came of all, and that every outcome that a row is about did occur.
func (c *crasher) report(t *testing.T, outcomes ...string) {
	t.Helper()
	t.Logf("%d kills, %v", c.kills, c.tally)
	for _, o := range outcomes {
		if c.tally[o] == 0 {
			t.Errorf("in %d kills none found %q, so nothing was learned about that", c.kills, o)
		}
	}
}

// believed checks that an access token whose session has ended is refused within the minute that a record may be believed.
func (c *crasher) believed(t *testing.T, s session, until time.Time) {
	t.Helper()
	for {
		a := c.me(t, s.access)
		if a.status == http.StatusUnauthorized {
			return
		}
		if time.Now().After(until) {
			c.violated(t, "the access token of a session that has ended: %s a minute later", a)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// stale are access tokens whose sessions have ended, and until when they may be believed.
type stale map[session]time.Time

// add notes one that is believed yet.
func (s stale) add(c *crasher, t *testing.T, of session) {
	t.Helper()
	if a := c.me(t, of.access); a.status != http.StatusUnauthorized {
		s[of] = time.Now().Add(time.Minute)
		c.goes("access tokens believed a while longer")
	}
}

// end checks that none is believed any more when its time is over.
func (s stale) end(c *crasher, t *testing.T) {
	t.Helper()
	for of, until := range s {
		c.believed(t, of, until)
	}
}
