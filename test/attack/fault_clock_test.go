package attack_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

func init() {
	row("FLT-9", "the clock of the process is moved by 90 s and by an hour, and back", clockMoved, overlapped)
}

// shifted gives the code that an authenticator shows whose clock is off by so much from the host's.
func (w *world) shifted(t *testing.T, f factor, by time.Duration) string {
	t.Helper()
	code, err := totp.GenerateCodeCustom(f.secret, time.Now().Add(by), totp.ValidateOpts{Period: 30, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		t.Fatalf("make a code: %v", err)
	}
	w.remember("code", code)
	return code
}

// otp tries to sign in with a code.
func (w *world) otp(t *testing.T, u account, code string) answer {
	t.Helper()
	return w.post(t, "mfa/verify", fields{"mfa_token": w.challenge(t, u), "code": code})
}

func clockMoved(t *testing.T, w *world) {
	nodes := map[string]*node{"this node": w.node}
	if w.on == servers {
		nodes["another node"] = w.second(t)
	}
	w.codesMove(t)
	w.expiryMoves(t, nodes)
	w.skewIsShown(t)
	w.skewRefuses(t)
}

// codesMove checks that codes go by the moved clock, and that none is good again when it goes back.
func (w *world) codesMove(t *testing.T) {
	t.Helper()
	u, behind := w.user(t), w.user(t)
	f, _ := w.enrol(t, u, w.signIn(t, u))
	g, _ := w.enrol(t, behind, w.signIn(t, behind))

	w.clock.set(t, 90*time.Second)
	w.otp(t, u, w.shifted(t, f, 0)).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	used := w.shifted(t, f, 90*time.Second)
	w.otp(t, u, used).want(t, http.StatusOK, "")
	w.clock.move(t, -90*time.Second)
	for what, code := range map[string]string{"the code of now": w.shifted(t, f, 0), "the next": w.shifted(t, f, 30*time.Second), "the one that was used": used} {
		if a := w.otp(t, u, code); a.status != http.StatusUnauthorized {
			t.Errorf("after a step back, %s: %s, want 401", what, a)
		}
	}
	w.clock.move(t, -90*time.Second)
	w.otp(t, behind, w.shifted(t, g, 0)).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.clock.move(t, 90*time.Second+time.Hour)
	w.otp(t, behind, w.shifted(t, g, 0)).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.otp(t, behind, w.shifted(t, g, time.Hour)).want(t, http.StatusOK, "")
	w.clock.move(t, -2*time.Hour)
	w.otp(t, behind, w.shifted(t, g, -time.Hour)).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.clock.move(t, time.Hour+3*time.Minute)
	w.otp(t, u, w.shifted(t, f, 3*time.Minute)).want(t, http.StatusOK, "")
	w.clock.move(t, -3*time.Minute)
}

// expiryMoves checks that every node goes by the same clock.
func (w *world) expiryMoves(t *testing.T, nodes map[string]*node) {
	t.Helper()
	u := w.user(t)
	in := w.signIn(t, u)
	w.post(t, "request-password-reset", fields{"email": u.email}).must(t, http.StatusAccepted)
	link := w.token(t, u.email, "reset", 1)
	for _, step := range []struct {
		to     time.Duration
		status int
		code   string
	}{
		{0, http.StatusOK, ""},
		{90 * time.Second, http.StatusOK, ""},
		{time.Hour, http.StatusUnauthorized, "token_expired"},
		{-time.Hour, http.StatusUnauthorized, ""},
		{0, http.StatusOK, ""},
	} {
		w.clock.move(t, step.to-w.clock.by)
		for where, n := range nodes {
			if a := w.me(t, in.access, on(n)); a.status != step.status || step.code != "" && a.str("code") != step.code {
				t.Errorf("%s, the clock moved by %v: %s, want %d %s", where, step.to, a, step.status, step.code)
			}
		}
		if step.to != time.Hour {
			continue
		}
		for where, n := range nodes {
			a := w.post(t, "reset-password", fields{"token": link, "new_password": passphrase()}, on(n))
			if a.status != http.StatusBadRequest {
				t.Errorf("%s, a link of half an hour after an hour: %s, want 400", where, a)
			}
		}
	}
	w.alive(t, "a session after the clock has been to and fro", in)
}

// skewIsShown checks that a clock that goes wrong later is an alert, and ends nothing. The embedded database has the clock of the process.
func (w *world) skewIsShown(t *testing.T) {
	t.Helper()
	if w.on == embedded {
		return
	}
	w.clock.move(t, time.Hour)
	degraded := func() bool {
		return slices.Contains(w.get(t, "/api/v1/health/ready").must(t, http.StatusOK).strs("degraded"), "clock")
	}
	deadline := time.Now().Add(90 * time.Second)
	for !degraded() {
		if time.Now().After(deadline) {
			t.Fatal("the clock is an hour off for a minute and more, and health/ready does not say so")
		}
		time.Sleep(500 * time.Millisecond)
	}
	if !strings.Contains(w.log.String(), `"level":"ERROR","message":"the clocks of this process and of the database are too far apart"`) {
		t.Error("the log has no line for an alert")
	}
	w.signIn(t, w.user(t))
	w.clock.move(t, -time.Hour)
}

// skewRefuses checks what a start does on a clock that is off from the database's.
func (w *world) skewRefuses(t *testing.T) {
	t.Helper()
	w.node.stop(t)
	if w.on == embedded {
		w.startsAt(t, time.Hour)
		return
	}
	for _, by := range []time.Duration{6 * time.Second, -6 * time.Second, 90 * time.Second, -90 * time.Second, time.Hour, -time.Hour} {
		w.clock.set(t, by)
		r := w.tryCLI(t, "", "serve")
		if r.code == 0 || !strings.Contains(r.stderr, "FORGE_CLOCK_OFFSET_FILE") || !strings.Contains(r.stderr, "clock") {
			t.Errorf("a start with a clock off by %v: exit code %d, %q, want a refusal that names the variable", by, r.code, r.stderr)
		}
	}
	w.startsAt(t, 3*time.Second)
	w.startsAt(t, -3*time.Second)
}

// startsAt checks that a process starts with its clock off by so much, and ends it.
func (w *world) startsAt(t *testing.T, by time.Duration) {
	t.Helper()
	w.clock.set(t, by)
	if err := w.node.tryLaunch(); err != nil {
		t.Errorf("a start with a clock off by %v: %v\n%s", by, err, w.log.tail())
		return
	}
	w.node.stop(t)
}
