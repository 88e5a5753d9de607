package attack_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func init() {
	row("REF-1", "an old refresh token after the grace ends its session, and no other", refreshReused, alone)
	row("REF-2", "fifty refreshes of one token at once", refreshRaced)
	row("REF-3", "the reply is lost and the client tries again within the grace", refreshRetried)
	row("REF-7", "past the idle time, and past the absolute time with steady use", refreshExpired, env("REFRESH_IDLE_TTL", "1h", "REFRESH_ABSOLUTE_TTL", "3h"))
	row("REF-10", "what reuse does is kept although the answer is an error; one mail for twenty replays", reuseCommitted, alone)
	row("REF-12", "no refresh token of a hundred sessions, nor its hash, is in the stores", refreshNotStored, alone)
}

// generation gives the generation of a session.
func (w *world) generation(t testing.TB, s session) int {
	t.Helper()
	return w.count(t, `SELECT gen FROM auth_sessions WHERE id = ?`, s.id)
}

// revoked gives why a session was revoked, "" while it is not.
func (w *world) revoked(t testing.TB, s session) string {
	t.Helper()
	return w.text(t, `SELECT reason FROM auth_sessions WHERE id = ? AND revoked_at IS NOT NULL`, s.id)
}

// audited counts the audit rows of an event about a session.
func (w *world) audited(t testing.TB, event string, s session) int {
	t.Helper()
	return w.count(t, `SELECT count(*) FROM audit_log WHERE event = ? AND session_id = ?`, event, s.id)
}

func refreshReused(t *testing.T, w *world) {
	u := w.user(t)
	old, other := w.signIn(t, u), w.signIn(t, u)
	next := w.session(t, w.refresh(t, old.refresh).must(t, http.StatusOK))
	if next.refresh == old.refresh || next.access == old.access || next.id != old.id {
		t.Errorf("refresh: got the same tokens or another session")
	}
	if a := w.me(t, next.access); a.status != http.StatusOK {
		t.Errorf("the new pair: %s, want 200", a)
	}
	w.clock.move(t, 11*time.Second)
	w.refresh(t, old.refresh).want(t, http.StatusUnauthorized, "refresh_invalid")
	w.dead(t, "the new pair after reuse", next)
	w.dead(t, "the old pair after reuse", old)
	w.alive(t, "another session of the user", other)
}

func refreshRaced(t *testing.T, w *world) {
	u := w.user(t)
	in, other := w.signIn(t, u), w.signIn(t, u)
	gen := w.generation(t, in)
	successors := map[string]bool{}
	var next session
	for _, a := range together(50, func(int) answer { return w.refresh(t, in.refresh) }) {
		if a.status != http.StatusOK {
			t.Errorf("one of fifty: %s, want 200", a)
			continue
		}
		next = w.session(t, a)
		successors[next.refresh] = true
	}
	if len(successors) != 1 {
		t.Errorf("got %d successors, want 1", len(successors))
	}
	if got := w.generation(t, in); got != gen+1 {
		t.Errorf("the generation went from %d to %d, want one more", gen, got)
	}
	w.alive(t, "the session after the race", next)
	w.alive(t, "the user's other session", other)
}

func refreshRetried(t *testing.T, w *world) {
	in := w.signIn(t, w.user(t))
	gen := w.generation(t, in)
	conn, err := net.Dial("tcp", w.node.addr)
	if err != nil {
		t.Fatal(err)
	}
	body := `{"refresh_token":"` + in.refresh + `"}`
	_, err = fmt.Fprintf(conn, "POST /api/v1/auth/refresh HTTP/1.1\r\nHost: forge\r\nContent-Type: application/json\r\nContent-Length: %d\r\nX-Forwarded-For: %s\r\n\r\n%s",
		len(body), anAddress(), body)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the refresh whose reply is lost", func() bool { return w.generation(t, in) == gen+1 })
	_ = conn.Close()
	first := w.refresh(t, in.refresh).must(t, http.StatusOK)
	second := w.refresh(t, in.refresh).must(t, http.StatusOK)
	if first.str("refresh_token") != second.str("refresh_token") {
		t.Error("two retries gave two successors")
	}
	var before, after int
	_, _ = fmt.Sscan(first.str("refresh_expires_in"), &before)
	_, _ = fmt.Sscan(second.str("refresh_expires_in"), &after)
	if after > before || before == 0 {
		t.Errorf("refresh_expires_in grew from %d to %d", before, after)
	}
	if got := w.generation(t, in); got != gen+1 {
		t.Errorf("the generation went from %d to %d with two retries, want one more", gen, got)
	}
	if n := w.audited(t, "authn_token_refresh_grace", in); n == 0 {
		t.Error("no audit row of a refresh within the grace")
	}
	w.alive(t, "the successor", w.session(t, second))
}

func refreshExpired(t *testing.T, w *world) {
	idle, steady := w.signIn(t, w.user(t)), w.signIn(t, w.user(t))
	begun := w.clock.now()
	for used := time.Duration(0); used < 150*time.Minute; used += 50 * time.Minute {
		w.clock.move(t, 50*time.Minute)
		a := w.refresh(t, steady.refresh).must(t, http.StatusOK)
		steady = w.session(t, a)
		var left int
		_, _ = fmt.Sscan(a.str("refresh_expires_in"), &left)
		if end := begun.Add(3 * time.Hour); w.clock.now().Add(time.Duration(left) * time.Second).After(end.Add(time.Second)) {
			t.Errorf("after %v: refresh_expires_in is %d s, which is past the absolute end", used, left)
		}
	}
	w.dead(t, "a session unused for longer than the idle time", idle)
	w.clock.move(t, 31*time.Minute)
	w.dead(t, "a session in steady use past the absolute time", steady)

	just := w.signIn(t, w.user(t))
	w.clock.move(t, 59*time.Minute)
	just = w.session(t, w.refresh(t, just.refresh).must(t, http.StatusOK))
	w.clock.move(t, 61*time.Minute)
	w.refresh(t, just.refresh).want(t, http.StatusUnauthorized, "refresh_invalid")
}

func reuseCommitted(t *testing.T, w *world) {
	u := w.user(t)
	old := w.signIn(t, u)
	w.session(t, w.refresh(t, old.refresh).must(t, http.StatusOK))
	before := w.mails(t, u.email)
	w.clock.move(t, 11*time.Second)
	for _, a := range together(20, func(int) answer { return w.refresh(t, old.refresh) }) {
		a.want(t, http.StatusUnauthorized, "refresh_invalid")
	}
	if why := w.revoked(t, old); why != "reuse" {
		t.Errorf("the session is revoked for %q, want reuse", why)
	}
	if n := w.audited(t, "authn_token_reuse", old); n == 0 {
		t.Error("no audit row authn_token_reuse")
	}
	if n := w.mails(t, u.email) - before; n != 1 {
		t.Errorf("%d mails for twenty replays, want 1", n)
	}
	w.node.restart(t)
	w.refresh(t, old.refresh).want(t, http.StatusUnauthorized, "refresh_invalid")
}

func refreshNotStored(t *testing.T, w *world) {
	u := w.user(t)
	var tokens []string
	for i := range 100 {
		s := w.signIn(t, u)
		tokens = append(tokens, s.refresh)
		if i%2 == 0 {
			tokens = append(tokens, w.session(t, w.refresh(t, s.refresh).must(t, http.StatusOK)).refresh)
		}
	}
	dump := w.dump(t) + w.redisDump(t)
	if n := w.count(t, `SELECT count(*) FROM auth_sessions WHERE user_id = ?`, u.id); n < 100 {
		t.Fatalf("%d sessions, want 100", n)
	}
	for _, token := range tokens {
		mac := token[strings.LastIndex(token, ".")+1:]
		raw, err := b64.DecodeString(mac)
		if err != nil || len(raw) != 32 {
			t.Fatalf("a refresh token without a MAC of 32 bytes")
		}
		sum, macSum := sha256.Sum256([]byte(token)), sha256.Sum256(raw)
		for name, needle := range map[string]string{
			"the token": token, "its MAC": mac, "its MAC's bytes": string(raw), "its MAC in hex": hex.EncodeToString(raw),
			"its hash": string(sum[:]), "its hash in hex": hex.EncodeToString(sum[:]), "its hash in base64": b64.EncodeToString(sum[:]),
			"its MAC's hash": string(macSum[:]), "its MAC's hash in hex": hex.EncodeToString(macSum[:]),
		} {
			if strings.Contains(dump, needle) {
				t.Fatalf("the stores hold %s", name)
			}
		}
	}
}
