package attack_test

import (
	"net/http"
	"strings"
	"testing"
)

func init() {
	row("MFA-2", "fifty answers with one code at once: to one challenge, and to fifty", codeRaced)
	row("MFA-8", "a hundred guesses at one challenge at once", guessesRaced)
	row("MFA-9", "a recovery code twice, and fifty times at once", recoveryRaced)
	row("MFA-10", "recovery codes as they are copied from paper, and another user's", recoveryWritten)
	row("MFA-21", "secrets, codes and tokens of second factors in dumps of the stores", factorsAtRest)
}

// challenges signs a user in n times as far as the second factor.
func (w *world) challenges(t testing.TB, u account, n int) []string {
	t.Helper()
	out := make([]string, n)
	for i := range out {
		out[i] = w.challenge(t, u)
	}
	return out
}

// one checks that of answers to the same proof one is a session, and all others are refusals of the kinds that a race may end in.
func one(t testing.TB, what string, answers []answer) {
	t.Helper()
	won := 0
	for _, a := range answers {
		switch {
		case a.status == http.StatusOK && a.str("access_token") != "":
			won++
		case a.status == http.StatusUnauthorized && strings.HasPrefix(a.str("code"), "mfa_"),
			a.status == http.StatusTooManyRequests && a.str("code") == "too_many_attempts",
			a.status == http.StatusServiceUnavailable && a.str("code") == "busy":
		default:
			t.Errorf("%s: %s", what, a)
		}
	}
	if won != 1 {
		t.Errorf("%s: %d were let in, want one: %v", what, won, tally(answers))
	}
}

// sessions counts the live sessions of a user.
func (w *world) sessions(t testing.TB, u account) int {
	t.Helper()
	return w.count(t, `SELECT count(*) FROM auth_sessions WHERE user_id = ? AND revoked_at IS NULL`, u.id)
}

func codeRaced(t *testing.T, w *world) {
	u, f, _ := w.guarded(t)
	before := w.sessions(t, u)
	challenge := w.challenge(t, u)
	code := w.code(t, f, 0)
	one(t, "one challenge, one code", together(50, func(int) answer { return w.finish(t, challenge, code) }))
	if n := w.sessions(t, u) - before; n != 1 {
		t.Errorf("one challenge, one code: %d sessions, want one", n)
	}

	v, g, _ := w.guarded(t)
	before = w.sessions(t, v)
	all := w.challenges(t, v, 50)
	w.early()
	code = w.code(t, g, 1)
	one(t, "fifty challenges, one code", together(50, func(i int) answer { return w.finish(t, all[i], code) }))
	if n := w.sessions(t, v) - before; n != 1 {
		t.Errorf("fifty challenges, one code: %d sessions, want one", n)
	}
}

func guessesRaced(t *testing.T, w *world) {
	u, f, _ := w.guarded(t)
	challenge := w.challenge(t, u)
	wrong := w.wrongCodes(t, f, 100)
	answers := tally(together(100, func(i int) answer { return w.finish(t, challenge, wrong[i]) }))
	if n := answers["401 mfa_code_invalid"]; n < 1 || n > 5 {
		t.Errorf("%d guesses were evaluated, want five at most: %v", n, answers)
	}
	for what, n := range answers {
		switch what {
		case "401 mfa_code_invalid", "401 mfa_challenge_invalid", "429 too_many_attempts", "503 busy":
		default:
			t.Errorf("%d times %s", n, what)
		}
	}
	if n := w.fails(t, u); n != answers["401 mfa_code_invalid"] {
		t.Errorf("%d wrong codes are counted, want those that were evaluated: %v", n, answers)
	}
	w.finish(t, challenge, w.code(t, f, 0)).want(t, http.StatusUnauthorized, "mfa_challenge_invalid")
}

func recoveryRaced(t *testing.T, w *world) {
	u, f, _ := w.guarded(t)
	a := w.recover(t, w.challenge(t, u), f.recovery[0]).must(t, http.StatusOK)
	if a.str("session.amr") != `["pwd","recovery"]` {
		t.Errorf("%s, want amr pwd and recovery", a)
	}
	left := func(want string) {
		t.Helper()
		if me := w.me(t, a.str("access_token")); me.str("user.recovery_codes_remaining") != want {
			t.Errorf("%s, want %s recovery codes", me, want)
		}
	}
	left("9")
	challenge := w.challenge(t, u)
	w.recover(t, challenge, f.recovery[0]).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	left("9")
	w.recover(t, challenge, f.recovery[1]).want(t, http.StatusOK, "")
	left("8")
	w.mail.await(t, u.email, 2, "recovery code")

	all := w.challenges(t, u, 50)
	before := w.sessions(t, u)
	one(t, "fifty challenges, one recovery code", together(50, func(i int) answer { return w.recover(t, all[i], f.recovery[2]) }))
	if n := w.sessions(t, u) - before; n != 1 {
		t.Errorf("%d sessions, want one", n)
	}
	left("7")
}

func recoveryWritten(t *testing.T, w *world) {
	u, f, s := w.guarded(t)
	bare := func(code string) string { return strings.ReplaceAll(code, "-", "") }
	spoken := strings.NewReplacer("0", "O", "1", "I")
	forms := []func(code string) string{
		strings.ToLower, bare, spoken.Replace, strings.NewReplacer("1", "L").Replace,
		func(code string) string { return strings.ToLower(spoken.Replace(bare(code))) },
		func(code string) string { return strings.ToLower(strings.NewReplacer("1", "L").Replace(code)) },
		func(code string) string { return " " + strings.ReplaceAll(code, "-", " ") + " " },
		func(code string) string { return strings.Join(strings.Split(bare(code), ""), "-") },
	}
	if all := strings.Join(f.recovery, ""); !strings.Contains(all, "0") || !strings.Contains(all, "1") {
		t.Fatal("no code has a digit that is taken for a letter, which happens once in thousands of runs")
	}
	codes := make([]string, 0, len(f.recovery)) // those with such digits where they are needed
	rest := f.recovery
	for _, digits := range []string{"", "", "01", "1", "01", "1"} {
		at := 0
		for i, code := range rest {
			if strings.ContainsAny(code, digits) {
				at = i
				break
			}
		}
		codes = append(codes, rest[at])
		rest = append(append([]string{}, rest[:at]...), rest[at+1:]...)
	}
	codes = append(codes, rest...)
	for i, form := range forms {
		written := form(codes[i])
		challenge := w.challenge(t, u)
		if a := w.recover(t, challenge, written); a.status != http.StatusOK {
			t.Errorf("form %d: %s, want 200", i, a)
		}
	}
	challenge := w.challenge(t, u)
	for _, used := range []string{codes[0], bare(codes[1]), strings.ToLower(codes[2])} {
		w.recover(t, challenge, used).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	}

	_, foreign, _ := w.guarded(t)
	w.recover(t, challenge, foreign.recovery[0]).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.recover(t, challenge, codes[9]).want(t, http.StatusOK, "")
	if me := w.me(t, s.access); me.str("user.recovery_codes_remaining") != "1" {
		t.Errorf("%s, want one recovery code", me)
	}
}

func factorsAtRest(t *testing.T, w *world) {
	u, f, s := w.guarded(t)
	challenge := w.challenge(t, u)
	pending := w.post(t, "mfa/setup", fields{"password": u.password, "code": w.code(t, f, 0)}, as(s.access)).must(t, http.StatusOK)
	w.recover(t, w.challenge(t, u), f.recovery[0]).must(t, http.StatusOK)
	w.mails(t, u.email)
	secrets := newSecrets()
	for what, g := range map[string]factor{"live": f, "pending": {pending.str("secret"), pending.strs("recovery_codes")}} {
		key, err := base32Text.DecodeString(g.secret)
		if err != nil || len(key) != 20 {
			t.Fatalf("the %s secret has %d bytes (%v), want 20", what, len(key), err)
		}
		everyForm(secrets, what+" secret", g.secret, string(key))
		for _, code := range g.recovery {
			raw, err := crockford.DecodeString(strings.ReplaceAll(code, "-", ""))
			if err != nil || len(raw) != 15 {
				t.Fatalf("a recovery code has %d bytes (%v), want 15", len(raw), err)
			}
			everyForm(secrets, what+" recovery code", code, strings.ReplaceAll(code, "-", ""), string(raw))
		}
	}
	raw, err := b64.DecodeString(challenge)
	if err != nil || len(raw) < 32 {
		t.Fatalf("an mfa_token has %d bytes (%v), want 32", len(raw), err)
	}
	everyForm(secrets, "mfa_token", challenge, string(raw))
	places := map[string]string{"the database": w.dump(t), "Redis": w.redisDump(t), "the log": w.log.String()}
	for _, hit := range secrets.in(places) {
		t.Error(hit)
	}
	canary := newSecrets()
	canary.add("user id", u.id)
	if len(canary.in(places)) == 0 {
		t.Error("the search finds nothing that is there")
	}
	if w.redis != "" && len(places["Redis"]) < 100 {
		t.Errorf("Redis holds %q, want the challenge too", places["Redis"])
	}
}
