package attack_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func init() {
	row("MFA-1", "one code in two logins within 90 seconds", codeTwice, alone)
	row("MFA-3", "codes of the steps from two before to two after now", codeWindow, alone)
	row("MFA-4", "a code of the next step, then one of this step, then one of the step after next", codeBackwards, alone)
	row("MFA-5", "the code that confirmed a setup, in a login at once", codeOfSetup)
	row("MFA-6", "five wrong codes on one challenge, and then the right one", challengeBurned)
	row("MFA-7", "a new challenge every four guesses, forty guesses; one limit for login, confirmation, step-up and disabling", guesses)
	row("MFA-18", "codes with blanks, signs, other digits, of another length and of other types", oddCodes)
	row("MFA-19", "two contexts in one request, and two proofs", mixedContexts)
}

// finish answers a challenge with a code.
func (w *world) finish(t testing.TB, challenge, code string, options ...with) answer {
	t.Helper()
	return w.post(t, "mfa/verify", fields{"mfa_token": challenge, "code": code}, options...)
}

// recover answers a challenge with a recovery code.
func (w *world) recover(t testing.TB, challenge, code string, options ...with) answer {
	t.Helper()
	return w.post(t, "mfa/verify", fields{"mfa_token": challenge, "recovery_code": code}, options...)
}

// early sees to it that the step of codes lasts for ten seconds more: it waits for the next one otherwise, so that no row falls between two.
func (w *world) early() {
	const step, enough = 30 * time.Second, 10 * time.Second
	if into := w.clock.now().Sub(w.clock.now().Truncate(step)); into > step-enough {
		time.Sleep(step - into)
	}
}

// guarded makes a user with a second factor whose code of now is not used yet, early in a step.
func (w *world) guarded(t testing.TB) (account, factor, session) {
	t.Helper()
	u := w.user(t)
	s := w.signIn(t, u)
	w.early()
	f, s := w.enrol(t, u, s)
	return u, f, s
}

// wrongCodes gives n codes that are of no step near now.
func (w *world) wrongCodes(t testing.TB, f factor, n int) []string {
	t.Helper()
	var near, out []string
	for step := -4; step <= 4; step++ {
		near = append(near, w.code(t, f, step))
	}
	for len(out) < n {
		code := fmt.Sprintf("%06d", rand.IntN(1_000_000))
		if !slices.Contains(near, code) && !slices.Contains(out, code) {
			out = append(out, code)
		}
	}
	return out
}

// fails gives how many wrong codes in a row a user has to its name.
func (w *world) fails(t testing.TB, u account) int {
	t.Helper()
	return w.count(t, `SELECT fail_count FROM user_totp WHERE user_id = ?`, u.id)
}

func codeTwice(t *testing.T, w *world) {
	u, f, _ := w.guarded(t)
	first, second := w.challenge(t, u), w.challenge(t, u)
	code := w.code(t, f, 0)
	w.session(t, w.finish(t, first, code).must(t, http.StatusOK))
	w.finish(t, second, code).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.finish(t, w.challenge(t, u), code).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	for range 3 { // as long as the clock could still take it, and beyond
		w.clock.move(t, 30*time.Second)
		w.finish(t, second, code).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	}
	w.finish(t, w.challenge(t, u), w.code(t, f, 0)).want(t, http.StatusOK, "")
}

func codeWindow(t *testing.T, w *world) {
	type guest struct {
		u account
		f factor
	}
	steps := []int{-2, 2, -1, 0, 1}
	guests := map[int]guest{}
	for _, step := range steps {
		u, f, _ := w.guarded(t)
		guests[step] = guest{u, f}
	}
	w.clock.move(t, 2*time.Minute) // so that all of these steps are after the one that confirmed
	w.early()
	for _, step := range steps {
		g := guests[step]
		challenge := w.challenge(t, g.u)
		w.early()
		a := w.finish(t, challenge, w.code(t, g.f, step))
		if step < -1 || step > 1 {
			a.want(t, http.StatusUnauthorized, "mfa_code_invalid")
			continue
		}
		if a.status != http.StatusOK {
			t.Errorf("the code of step %+d: %s, want 200", step, a)
		}
	}
}

func codeBackwards(t *testing.T, w *world) {
	u, f, _ := w.guarded(t)
	challenges := []string{w.challenge(t, u), w.challenge(t, u), w.challenge(t, u)}
	w.early()
	now, next, after := w.code(t, f, 0), w.code(t, f, 1), w.code(t, f, 2)
	w.finish(t, challenges[0], next).must(t, http.StatusOK)
	w.finish(t, challenges[1], now).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.finish(t, challenges[1], after).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.clock.move(t, time.Minute)
	w.finish(t, challenges[2], now).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.finish(t, challenges[2], next).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.finish(t, challenges[2], after).want(t, http.StatusOK, "")
}

func codeOfSetup(t *testing.T, w *world) {
	u := w.user(t)
	s := w.signIn(t, u)
	w.early()
	setup := w.post(t, "mfa/setup", fields{"password": u.password}, as(s.access)).must(t, http.StatusOK)
	f := factor{setup.str("secret"), setup.strs("recovery_codes")}
	code := w.code(t, f, 0)
	confirmed := w.post(t, "mfa/verify", fields{"setup_id": setup.str("setup_id"), "code": code}, as(s.access)).must(t, http.StatusOK)
	if confirmed.str("status") != "mfa_enabled" {
		t.Errorf("%s, want mfa_enabled", confirmed)
	}
	challenge := w.challenge(t, u)
	w.finish(t, challenge, code).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.post(t, "mfa/verify", fields{"code": code}, as(confirmed.str("access_token"))).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.finish(t, challenge, w.code(t, f, 1)).want(t, http.StatusOK, "")
}

func challengeBurned(t *testing.T, w *world) {
	u, f, _ := w.guarded(t)
	challenge := w.challenge(t, u)
	for _, wrong := range w.wrongCodes(t, f, 5) {
		w.finish(t, challenge, wrong).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	}
	w.finish(t, challenge, w.code(t, f, 0)).want(t, http.StatusUnauthorized, "mfa_challenge_invalid")
	w.recover(t, challenge, f.recovery[0]).want(t, http.StatusUnauthorized, "mfa_challenge_invalid")
	if n := w.fails(t, u); n != 5 {
		t.Errorf("%d wrong codes are counted, want 5", n)
	}
	w.finish(t, w.challenge(t, u), w.code(t, f, 0)).want(t, http.StatusOK, "")
}

func guesses(t *testing.T, w *world) {
	u, f, _ := w.guarded(t)
	var challenge string
	answers := map[string]int{}
	for i, wrong := range w.wrongCodes(t, f, 40) {
		if i%4 == 0 {
			challenge = w.challenge(t, u) // the password has a counter of its own
		}
		a := w.finish(t, challenge, wrong)
		if a.status == http.StatusTooManyRequests {
			a.want(t, http.StatusTooManyRequests, "too_many_attempts")
			if a.header.Get("Retry-After") == "" {
				t.Errorf("%s without Retry-After", a)
			}
		}
		answers[fmt.Sprint(a.status, " ", a.str("code"))]++
	}
	if answers["401 mfa_code_invalid"] != 10 || answers["429 too_many_attempts"] != 30 {
		t.Errorf("forty guesses: %v, want ten 401 and thirty 429", answers)
	}
	if n := w.fails(t, u); n != 10 {
		t.Errorf("%d wrong codes are counted, want 10", n)
	}
	w.finish(t, w.challenge(t, u), w.code(t, f, 0)).want(t, http.StatusTooManyRequests, "too_many_attempts")

	// The same ten guesses, spread over all that takes a code; then none of it takes one, though it were right.
	v, g, s := w.guarded(t)
	setup := w.post(t, "mfa/setup", fields{"password": v.password, "code": w.code(t, g, 0)}, as(s.access)).must(t, http.StatusOK)
	waiting := factor{secret: setup.str("secret")}
	challenge = w.challenge(t, v)
	everywhere := map[string]struct {
		guess func(code string) answer
		wrong string
		code  int
	}{
		"login": {func(code string) answer { return w.finish(t, challenge, code) }, "mfa_code_invalid", 401},
		"confirm": {func(code string) answer {
			return w.post(t, "mfa/verify", fields{"setup_id": setup.str("setup_id"), "code": code}, as(s.access))
		}, "mfa_code_invalid", 401},
		"step-up": {func(code string) answer { return w.post(t, "mfa/verify", fields{"code": code}, as(s.access)) }, "mfa_code_invalid", 401},
		"disable": {func(code string) answer {
			return w.post(t, "mfa/disable", fields{"password": v.password, "code": code}, as(s.access))
		}, "reauth_failed", 403},
		"setup": {func(code string) answer {
			return w.post(t, "mfa/setup", fields{"password": v.password, "code": code}, as(s.access))
		}, "reauth_failed", 403},
	}
	wrong := append(w.wrongCodes(t, g, 12), w.wrongCodes(t, waiting, 12)...)
	wrong = slices.DeleteFunc(wrong, func(code string) bool {
		return slices.ContainsFunc([]int{-1, 0, 1}, func(step int) bool { return code == w.code(t, g, step) || code == w.code(t, waiting, step) })
	})
	for _, how := range slices.Sorted(mapsKeys(everywhere)) {
		for range 2 {
			everywhere[how].guess(wrong[0]).want(t, everywhere[how].code, everywhere[how].wrong)
			wrong = wrong[1:]
		}
	}
	for how, e := range everywhere {
		right := w.code(t, g, 1)
		if how == "confirm" {
			right = w.code(t, waiting, 0)
		}
		if a := e.guess(right); a.status != http.StatusTooManyRequests || a.str("code") != "too_many_attempts" {
			t.Errorf("%s after ten wrong codes elsewhere: %s, want 429", how, a)
		}
	}
}

func oddCodes(t *testing.T, w *world) {
	u, f, s := w.guarded(t)
	challenge := w.challenge(t, u)
	right := w.code(t, f, 0)
	var wide strings.Builder
	for _, c := range right {
		wide.WriteRune(c - '0' + '０')
	}
	for what, code := range map[string]any{
		"a blank before": " " + right, "a blank behind": right + " ", "a blank within": right[:3] + " " + right[3:], "full-width digits": wide.String(), "a sign": "-" + right[1:],
		"a plus": "+" + right[1:], "a sign and six": "-" + right, "seven digits": right + "0", "a zero before": "0" + right, "five digits": right[:5], "empty": "", "a line break": right + "\n",
		"hexadecimal": "0x" + right[2:], "a number": 123456, "an array": []string{right}, "an array of two": []string{right, right}, "an object": fields{"code": right}, "true": true,
		"null": nil, "a NUL": right + "\x00", "arabic digits": "١٢٣٤٥٦", "huge": strings.Repeat("1", 10_000), "exponents": "1e5000",
	} {
		for where, a := range map[string]answer{
			"login":   w.post(t, "mfa/verify", fields{"mfa_token": challenge, "code": code}, plain),
			"step-up": w.post(t, "mfa/verify", fields{"code": code}, as(s.access), plain),
			"disable": w.post(t, "mfa/disable", fields{"password": u.password, "code": code}, as(s.access), plain),
		} {
			if a.status != http.StatusBadRequest && a.status != http.StatusUnprocessableEntity {
				t.Errorf("%s, %s: %s, want 400 or 422", where, what, a)
			}
		}
	}
	if n := w.fails(t, u); n != 0 {
		t.Errorf("%d wrong codes are counted, want none", n)
	}
	w.early()
	w.finish(t, challenge, w.code(t, f, 0)).want(t, http.StatusOK, "")
}

func mixedContexts(t *testing.T, w *world) {
	u, f, s := w.guarded(t)
	setup := w.post(t, "mfa/setup", fields{"password": u.password, "code": w.code(t, f, 0)}, as(s.access)).must(t, http.StatusOK)
	waiting := factor{secret: setup.str("secret")}
	challenge, id := w.challenge(t, u), setup.str("setup_id")
	code, recovery := w.code(t, f, 1), f.recovery[0]
	bearer := as(s.access)
	for what, a := range map[string]answer{
		"all three":                    w.post(t, "mfa/verify", fields{"mfa_token": challenge, "setup_id": id, "code": code}, bearer),
		"all three, the setup's code":  w.post(t, "mfa/verify", fields{"mfa_token": challenge, "setup_id": id, "code": w.code(t, waiting, 0)}, bearer),
		"a challenge and a bearer":     w.post(t, "mfa/verify", fields{"mfa_token": challenge, "code": code}, bearer),
		"a challenge and a setup":      w.post(t, "mfa/verify", fields{"mfa_token": challenge, "setup_id": id, "code": code}),
		"a setup without bearer":       w.post(t, "mfa/verify", fields{"setup_id": id, "code": w.code(t, waiting, 0)}),
		"neither":                      w.post(t, "mfa/verify", fields{"code": code}),
		"a challenge and a bad bearer": w.post(t, "mfa/verify", fields{"mfa_token": challenge, "code": code}, header("Authorization", "Basic x")),
		"both proofs at login":         w.post(t, "mfa/verify", fields{"mfa_token": challenge, "code": code, "recovery_code": recovery}),
		"no proof":                     w.post(t, "mfa/verify", fields{"mfa_token": challenge}),
		"both proofs to disable":       w.post(t, "mfa/disable", fields{"password": u.password, "code": code, "recovery_code": recovery}, bearer),
		"both proofs to set up":        w.post(t, "mfa/setup", fields{"password": u.password, "code": code, "recovery_code": recovery}, bearer),
		"a recovery code to step up":   w.post(t, "mfa/verify", fields{"recovery_code": recovery}, bearer),
		"a recovery code to confirm":   w.post(t, "mfa/verify", fields{"setup_id": id, "recovery_code": recovery}, bearer),
	} {
		if a.status != http.StatusBadRequest {
			t.Errorf("%s: %s, want 400", what, a)
		}
	}
	if n := w.fails(t, u); n != 0 {
		t.Errorf("%d wrong codes are counted, want none", n)
	}
	if me := w.me(t, s.access); me.str("user.recovery_codes_remaining") != "10" {
		t.Errorf("%s, want ten recovery codes", me)
	}
	w.finish(t, challenge, code).want(t, http.StatusOK, "")
}
