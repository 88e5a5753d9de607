//go:build timing

package attack_test

import (
	"net/http"
	"testing"
	"time"
)

func init() {
	timed("ENU-2", "a login of a known address takes as long as one of an unknown", loginTimed)
	timed("ENU-4", "a registration takes as long for an address that is new, pending or verified", registerTimed)
	timed("ENU-5", "a request for a link takes as long for a known, an unknown and a disabled user, and does not wait for the mail", resetTimed)
	timed("ENU-10", "a refused password takes as long for a known address as for an unknown", policyTimed)
}

// each is how many samples of each class a run takes: two hundred of two classes, in turn.
const each = 100

// crowd makes users, and gives their addresses.
func (w *world) crowd(t *testing.T, n int) []string {
	t.Helper()
	out := make([]string, n)
	for i := range out {
		out[i] = w.user(t).email
	}
	return out
}

// strangers gives addresses that nobody has.
func strangers(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = somebody()
	}
	return out
}

func loginTimed(t *testing.T, w *world) {
	known := w.crowd(t, 20) // each is guessed at fifteen times: thirty would be too many
	unknown := strangers(20)
	login := func(of []string) func(int) time.Duration {
		return func(i int) time.Duration {
			return w.login(t, of[i%len(of)], passphrase()).want(t, http.StatusUnauthorized, "invalid_credentials").took
		}
	}
	alike(t, each, login(known), login(unknown))
}

func registerTimed(t *testing.T, w *world) {
	register := func(of []string) func(int) time.Duration {
		return func(i int) time.Duration {
			return w.post(t, "register", fields{"email": of[i%len(of)], "password": passphrase()}).want(t, http.StatusAccepted, "").took
		}
	}
	verified := w.crowd(t, 3*each) // one each: a fourth in an hour gets no mail
	t.Run("verified", func(t *testing.T) { alike(t, each, register(verified), register(strangers(3*each))) })
	pending := strangers(3 * each)
	for _, email := range pending {
		w.post(t, "register", fields{"email": email, "password": passphrase()}).must(t, http.StatusAccepted)
	}
	t.Run("pending", func(t *testing.T) { alike(t, each, register(pending), register(strangers(3*each))) })
}

func resetTimed(t *testing.T, w *world) {
	known, disabled := w.crowd(t, each), w.crowd(t, 20)
	for _, email := range disabled {
		w.cli(t, "", "user", "disable", "--email", email)
	}
	w.mail.slow(5 * time.Second)
	defer w.mail.slow(0)
	var all samples
	ask := func(of []string) func(int) time.Duration {
		return func(i int) time.Duration {
			a := w.post(t, "request-password-reset", fields{"email": of[i%len(of)]}).want(t, http.StatusAccepted, "")
			all = append(all, a.took)
			return a.took
		}
	}
	unknown := strangers(each)
	t.Run("known", func(t *testing.T) { alike(t, each, ask(known), ask(unknown)) }) // three links each are free
	t.Run("disabled", func(t *testing.T) { alike(t, each, ask(disabled), ask(unknown)) })
	t.Logf("%d requests: p50 %v, p99 %v, most %v", len(all), all.median(), all.quantile(0.99), all.quantile(1))
	if most := all.quantile(1); most >= 300*time.Millisecond {
		t.Errorf("a request took %v, want less than 300 ms", most)
	}
}

func policyTimed(t *testing.T, w *world) {
	known := w.crowd(t, 5)
	for what, password := range map[string]string{"too short": "kQ7#mZ2!vX9", "common": "password1234"} {
		refuse := func(of []string) func(int) time.Duration {
			return func(i int) time.Duration {
				return w.post(t, "register", fields{"email": of[i%len(of)], "password": password}).want(t, 422, "password_policy").took
			}
		}
		t.Run(what, func(t *testing.T) { alike(t, each, refuse(known), refuse(strangers(5))) })
	}
}
