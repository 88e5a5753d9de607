package attack_test

import (
	"net/http"
	"testing"
	"time"
)

func init() {
	row("FLT-10", "two nodes on the same stores: BRU-3, REF-2, MFA-2 and MFA-9 across them", acrossNodes, alone, only(servers, "two processes share no memory"))
}

func acrossNodes(t *testing.T, w *world) {
	other := w.second(t)
	either := func(i int) with {
		if i%2 == 0 {
			return on(w.node)
		}
		return on(other)
	}
	t.Run("BRU-3", func(t *testing.T) { w.passwordsAcross(t, either) })
	t.Run("REF-2", func(t *testing.T) { w.refreshesAcross(t, either) })
	t.Run("MFA-2", func(t *testing.T) { w.codesAcross(t, either) })
	t.Run("MFA-9", func(t *testing.T) { w.recoveryAcross(t, either) })
}

func (w *world) passwordsAcross(t *testing.T, either func(int) with) {
	for what, tc := range map[string]struct {
		most int
		ip   func() string
	}{
		"from one address":      {5, func() string { return "198.51.100.30" }},
		"from a hundred others": {30, anAddress},
	} {
		u := w.user(t)
		var seen int
		guess := func(i int) answer { return w.login(t, u.email, passphrase(), from(tc.ip()), either(i)) }
		for _, a := range together(100, guess) {
			switch a.status {
			case http.StatusUnauthorized:
				seen++
			case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			default:
				t.Errorf("%s: %s, want 401, 429 or 503", what, a)
			}
		}
		if seen < 1 || seen > tc.most {
			t.Errorf("%s: %d guesses were looked at, want 1 to %d", what, seen, tc.most)
		}
		seen += w.guessOn(t, guess)
		if seen != tc.most {
			t.Errorf("%s: %d guesses were looked at before the limit, want %d", what, seen, tc.most)
		}
		for i := range 2 {
			w.login(t, u.email, u.password, from(tc.ip()), either(i)).want(t, http.StatusTooManyRequests, "too_many_attempts")
		}
	}
}

// guessOn goes on guessing, on one node and the other, until there are too many, and gives how many more were looked at: those who came at once may have
// kept one another from it.
func (w *world) guessOn(t *testing.T, guess func(int) answer) (more int) {
	t.Helper()
	for i := range 200 {
		switch a := guess(i); a.status {
		case http.StatusUnauthorized:
			more++
		case http.StatusServiceUnavailable:
			time.Sleep(200 * time.Millisecond)
		case http.StatusTooManyRequests:
			return more
		}
	}
	t.Error("guesses are never too many")
	return more
}

func (w *world) refreshesAcross(t *testing.T, either func(int) with) {
	u := w.user(t)
	in, untouched := w.signIn(t, u), w.signIn(t, u)
	gen := w.generation(t, in)
	successors := map[string]bool{}
	var next session
	for _, a := range together(50, func(i int) answer { return w.refresh(t, in.refresh, either(i)) }) {
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
	for i := range 2 {
		w.me(t, next.access, either(i)).want(t, http.StatusOK, "")
	}
	w.alive(t, "the session after the race", next)
	w.alive(t, "the user's other session", untouched)
}

func (w *world) codesAcross(t *testing.T, either func(int) with) {
	u, f, _ := w.guarded(t)
	before := w.sessions(t, u)
	challenge, code := w.challenge(t, u), w.code(t, f, 0)
	one(t, "one challenge, one code", together(50, func(i int) answer { return w.finish(t, challenge, code, either(i)) }))
	if n := w.sessions(t, u) - before; n != 1 {
		t.Errorf("one challenge, one code: %d sessions, want one", n)
	}

	v, g, _ := w.guarded(t)
	before = w.sessions(t, v)
	all := w.challenges(t, v, 50)
	w.early()
	code = w.code(t, g, 1)
	one(t, "fifty challenges, one code", together(50, func(i int) answer { return w.finish(t, all[i], code, either(i)) }))
	if n := w.sessions(t, v) - before; n != 1 {
		t.Errorf("fifty challenges, one code: %d sessions, want one", n)
	}
}

func (w *world) recoveryAcross(t *testing.T, either func(int) with) {
	u, f, s := w.guarded(t)
	all := w.challenges(t, u, 50)
	before := w.sessions(t, u)
	one(t, "fifty challenges, one recovery code", together(50, func(i int) answer { return w.recover(t, all[i], f.recovery[0], either(i)) }))
	if n := w.sessions(t, u) - before; n != 1 {
		t.Errorf("%d sessions, want one", n)
	}
	for i := range 2 {
		if me := w.me(t, s.access, either(i)); me.str("user.recovery_codes_remaining") != "9" {
			t.Errorf("%s, want 9 recovery codes", me)
		}
	}
}
