package attack_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

// factor is a second factor as its user has it.
type factor struct {
	secret   string
	recovery []string
}

// code gives the code of a step: 0 is now, -1 the one before. It is noted as a secret.
func (w *world) code(t testing.TB, f factor, step int) string {
	t.Helper()
	code, err := totp.GenerateCodeCustom(f.secret, w.clock.now().Add(time.Duration(step)*30*time.Second),
		totp.ValidateOpts{Period: 30, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		t.Fatalf("make a code: %v", err)
	}
	w.remember("code", code)
	return code
}

// enrol sets a second factor up in a session, confirms it with the code of the step before now, and gives it with the session's next tokens. So the
// code of now is still good for a login.
func (w *world) enrol(t testing.TB, u account, s session) (factor, session) {
	t.Helper()
	a := w.patient(t, "mfa/setup", fields{"password": u.password}, as(s.access)).must(t, http.StatusOK)
	f := factor{a.str("secret"), a.strs("recovery_codes")}
	if f.secret == "" || len(f.recovery) != 10 {
		t.Fatalf("%s, want a secret and ten recovery codes", a)
	}
	a = w.patient(t, "mfa/verify", fields{"setup_id": a.str("setup_id"), "code": w.code(t, f, -1)}, as(s.access)).must(t, http.StatusOK)
	return f, session{a.str("access_token"), a.str("refresh_token"), s.id, s.tenant}
}

// challenge signs a user in as far as the second factor, and gives the mfa_token.
func (w *world) challenge(t testing.TB, u account) string {
	t.Helper()
	a := w.patient(t, "login", fields{"email": u.email, "password": u.password}).must(t, http.StatusOK)
	token := a.str("mfa_token")
	if a.str("status") != "mfa_required" || token == "" || a.str("access_token") != "" || a.str("user") != "" {
		t.Fatalf("%s, want mfa_required, an mfa_token and nothing of the user", a)
	}
	return token
}

// challenged gives an mfa_token of a new user.
func challenged(t testing.TB, w *world) string {
	t.Helper()
	u := w.user(t)
	w.enrol(t, u, w.signIn(t, u))
	return w.challenge(t, u)
}
