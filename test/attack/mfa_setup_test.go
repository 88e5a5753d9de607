package attack_test

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func init() {
	row("MFA-11", "two setups, the first confirmed with its own code", setupTwice)
	row("MFA-12", "a stolen session sets another factor up, with the password at most", setupByThief)
	row("MFA-13", "a setup that is never confirmed", setupPending, alone)
	row("MFA-15", "the factor disabled without proof, with half of it, and with one that was used", disableUnproven)
	row("MFA-16", "the factor disabled: sessions, those in another tenant, and challenges under way", disableEndsAll)
	row("MFA-17", "steps left out: an mfa_token as anything else, a second login before the first has ended", stepsSkipped)
	row("MFA-20", "another factor in place of the first", factorReplaced)
}

var (
	base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)
	crockford  = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)
)

// everyForm notes a secret as it is and as stores may write it.
func everyForm(s *secrets, what string, values ...string) {
	for _, v := range values {
		for form, text := range map[string]string{
			"": v, " in small letters": strings.ToLower(v), " in hex": hex.EncodeToString([]byte(v)), " in capital hex": strings.ToUpper(hex.EncodeToString([]byte(v))),
			" in base64": base64.StdEncoding.EncodeToString([]byte(v)), " in base64url": b64.EncodeToString([]byte(v)),
		} {
			s.add(what+form, text)
		}
	}
}

// setUp begins a setup and gives its id and what it will be.
func (w *world) setUp(t testing.TB, s session, proof fields) (id string, f factor) {
	t.Helper()
	a := w.post(t, "mfa/setup", proof, as(s.access)).must(t, http.StatusOK)
	return a.str("setup_id"), factor{a.str("secret"), a.strs("recovery_codes")}
}

// confirm confirms a setup.
func (w *world) confirm(t testing.TB, s session, id, code string) answer {
	t.Helper()
	return w.post(t, "mfa/verify", fields{"setup_id": id, "code": code}, as(s.access))
}

// factorRows gives all that the database keeps of a user's factor.
func (w *world) factorRows(t testing.TB, u account) string {
	t.Helper()
	var b strings.Builder
	for _, query := range []string{
		`SELECT secret_enc, last_step, enabled_at FROM user_totp WHERE user_id = ?`, `SELECT setup_id, secret_enc, codes FROM user_totp_pending WHERE user_id = ?`,
		`SELECT n, root, code_mac, used_at FROM recovery_codes WHERE user_id = ? ORDER BY n`, `SELECT mfa, session_epoch FROM users WHERE id = ?`,
	} {
		for _, r := range w.rows(t, query, u.id) {
			b.WriteString(hex.EncodeToString([]byte(strings.Join(r, "\x00"))) + "\n")
		}
	}
	return b.String()
}

func setupTwice(t *testing.T, w *world) {
	u := w.user(t)
	s, other := w.signIn(t, u), w.signIn(t, u)
	w.early()
	first, f := w.setUp(t, s, fields{"password": u.password})
	second, g := w.setUp(t, s, fields{"password": u.password})
	if first == second || f.secret == g.secret || slices.Equal(f.recovery, g.recovery) {
		t.Error("the second setup is the first")
	}
	w.confirm(t, s, first, w.code(t, f, 0)).want(t, http.StatusConflict, "mfa_not_pending")
	w.confirm(t, s, second, w.code(t, f, 0)).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.confirm(t, other, second, w.code(t, g, 0)).want(t, http.StatusConflict, "mfa_not_pending") // another session of the same user
	if me := w.me(t, s.access); me.str("user.mfa_enabled") != "false" {
		t.Errorf("%s, want no factor yet", me)
	}
	confirmed := w.confirm(t, s, second, w.code(t, g, 0)).must(t, http.StatusOK)
	w.confirm(t, session{access: confirmed.str("access_token")}, second, w.code(t, g, 1)).want(t, http.StatusConflict, "mfa_not_pending")
	w.dead(t, "the other session", other)
	w.finish(t, w.challenge(t, u), w.code(t, g, 1)).want(t, http.StatusOK, "")
	w.recover(t, w.challenge(t, u), f.recovery[0]).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.recover(t, w.challenge(t, u), g.recovery[0]).want(t, http.StatusOK, "")
}

func setupByThief(t *testing.T, w *world) {
	u, f, s := w.guarded(t)
	before := w.factorRows(t, u)
	thief := as(s.access)
	for _, tc := range []struct {
		what   string
		body   fields
		status int
		code   string
	}{
		{"nothing", fields{}, 400, "missing_field"},
		{"an empty password", fields{"password": ""}, 400, "missing_field"},
		{"a code only", fields{"code": w.code(t, f, 0)}, 400, "missing_field"},
		{"the password only", fields{"password": u.password}, 400, "missing_field"},
		{"the password and a wrong code", fields{"password": u.password, "code": w.wrongCodes(t, f, 1)[0]}, 403, "reauth_failed"},
		{"the password and another's recovery code", fields{"password": u.password, "recovery_code": strings.Repeat("7", 24)}, 403, "reauth_failed"},
		{"a wrong password and the code", fields{"password": passphrase(), "code": w.code(t, f, 0)}, 403, "reauth_failed"},
	} {
		a := w.post(t, "mfa/setup", tc.body, thief)
		if a.status != tc.status || !strings.Contains(string(a.body), tc.code) || a.str("secret") != "" || a.str("setup_id") != "" {
			t.Errorf("%s: %s, want %d %s", tc.what, a, tc.status, tc.code)
		}
	}
	if after := w.factorRows(t, u); after != before {
		t.Errorf("the factor went from\n%s to\n%s", before, after)
	}
	w.early()
	w.finish(t, w.challenge(t, u), w.code(t, f, 0)).want(t, http.StatusOK, "")
	w.recover(t, w.challenge(t, u), f.recovery[9]).want(t, http.StatusOK, "")
}

func setupPending(t *testing.T, w *world) {
	u := w.user(t)
	s := w.signIn(t, u)
	w.early()
	id, f := w.setUp(t, s, fields{"password": u.password})
	in := w.signIn(t, u) // nothing more is asked
	if me := w.me(t, in.access); me.str("user.mfa_enabled") != "false" || me.str("user.recovery_codes_remaining") != "0" {
		t.Errorf("%s, want no factor and no recovery codes", me)
	}
	w.post(t, "mfa/verify", fields{"code": w.code(t, f, 0)}, as(in.access)).want(t, http.StatusForbidden, "mfa_required")
	w.post(t, "mfa/verify", fields{"code": w.code(t, f, 0)}, as(s.access)).want(t, http.StatusForbidden, "mfa_required")
	w.clock.move(t, 11*time.Minute)
	w.early()
	w.confirm(t, s, id, w.code(t, f, 0)).want(t, http.StatusConflict, "mfa_not_pending")

	// One that would replace a live factor.
	v, live, s := w.guarded(t)
	_, waiting := w.setUp(t, s, fields{"password": v.password, "code": w.code(t, live, 0)})
	challenge := w.challenge(t, v)
	w.finish(t, challenge, w.code(t, waiting, 0)).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.recover(t, challenge, waiting.recovery[0]).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.post(t, "mfa/disable", fields{"password": v.password, "recovery_code": waiting.recovery[0]}, as(s.access)).want(t, http.StatusForbidden, "reauth_failed")
	w.finish(t, challenge, w.code(t, live, 1)).want(t, http.StatusOK, "")
	w.recover(t, w.challenge(t, v), live.recovery[0]).want(t, http.StatusOK, "")
}

func disableUnproven(t *testing.T, w *world) {
	u, f, s := w.guarded(t)
	used := w.code(t, f, 0)
	w.finish(t, w.challenge(t, u), used).must(t, http.StatusOK)
	before := w.factorRows(t, u)
	for _, tc := range []struct {
		what   string
		body   fields
		status int
		code   string
	}{
		{"no proof", fields{}, 400, "missing_field"},
		{"the password only", fields{"password": u.password}, 400, "missing_field"},
		{"a code only", fields{"code": w.code(t, f, 1)}, 400, "missing_field"},
		{"a recovery code only", fields{"recovery_code": f.recovery[0]}, 400, "missing_field"},
		{"a code that was used", fields{"password": u.password, "code": used}, 403, "reauth_failed"},
		{"a wrong code", fields{"password": u.password, "code": w.wrongCodes(t, f, 1)[0]}, 403, "reauth_failed"},
		{"a wrong password and a right code", fields{"password": passphrase(), "code": w.code(t, f, 1)}, 403, "reauth_failed"},
		{"a wrong password and a recovery code", fields{"password": passphrase(), "recovery_code": f.recovery[0]}, 403, "reauth_failed"},
	} {
		a := w.post(t, "mfa/disable", tc.body, as(s.access))
		if a.status != tc.status || !strings.Contains(string(a.body), tc.code) {
			t.Errorf("%s: %s, want %d %s", tc.what, a, tc.status, tc.code)
		}
	}
	w.post(t, "mfa/disable", fields{"password": u.password, "code": w.code(t, f, 1)}).want(t, http.StatusUnauthorized, "unauthenticated")
	if after := w.factorRows(t, u); after != before {
		t.Errorf("the factor went from\n%s to\n%s", before, after)
	}
	w.alive(t, "the session", s)
	w.recover(t, w.challenge(t, u), f.recovery[0]).want(t, http.StatusOK, "")
}

func disableEndsAll(t *testing.T, w *world) {
	boss := w.signIn(t, w.user(t))
	u := w.user(t)
	s := w.signIn(t, u)
	w.join(t, boss, u, s, "member")
	w.early()
	f, caller := w.enrol(t, u, s)
	same := w.session(t, w.recover(t, w.challenge(t, u), f.recovery[0]).must(t, http.StatusOK))
	a := w.post(t, "login", fields{"email": u.email, "password": u.password, "tenant": boss.tenant}).must(t, http.StatusOK)
	there := w.session(t, w.recover(t, a.str("mfa_token"), f.recovery[1]).must(t, http.StatusOK))
	if there.tenant != boss.tenant || same.tenant != u.tenant {
		t.Fatalf("sessions in %s and %s, want %s and %s", same.tenant, there.tenant, u.tenant, boss.tenant)
	}
	waiting := w.challenge(t, u)
	w.setUp(t, caller, fields{"password": u.password, "recovery_code": f.recovery[2]})
	for what, one := range map[string]session{"the caller": caller, "another": same, "one in another tenant": there} {
		if a := w.me(t, one.access); a.status != http.StatusOK {
			t.Errorf("%s, before: %s, want 200", what, a)
		}
	}
	off := w.post(t, "mfa/disable", fields{"password": u.password, "recovery_code": f.recovery[3]}, as(caller.access)).must(t, http.StatusNoContent)
	if len(off.body) != 0 {
		t.Errorf("%s, want no body", off)
	}
	for what, one := range map[string]session{"the caller": caller, "another": same, "one in another tenant": there} {
		w.dead(t, what, one)
	}
	w.recover(t, waiting, f.recovery[4]).want(t, http.StatusUnauthorized, "mfa_challenge_invalid")
	w.finish(t, waiting, w.code(t, f, 0)).want(t, http.StatusUnauthorized, "mfa_challenge_invalid")
	for _, table := range []string{"user_totp", "user_totp_pending", "recovery_codes"} {
		if n := w.count(t, `SELECT count(*) FROM `+table+` WHERE user_id = ?`, u.id); n != 0 {
			t.Errorf("%d rows of %s are left", n, table)
		}
	}
	w.alive(t, "the other tenant's owner", boss)
	w.mail.await(t, u.email, 1, "off")
	if me := w.me(t, w.signIn(t, u).access); me.str("user.mfa_enabled") != "false" {
		t.Errorf("%s, want no factor", me)
	}
}

func stepsSkipped(t *testing.T, w *world) {
	u, f, s := w.guarded(t)
	first, second := w.challenge(t, u), w.challenge(t, u)
	if first == second {
		t.Fatal("two logins got one challenge")
	}
	before := w.sessions(t, u)
	for _, name := range []string{"me", "sessions", "api-keys", "/api/v1/admin/members"} {
		w.get(t, name, as(first)).want(t, http.StatusUnauthorized, "unauthenticated")
	}
	for name, body := range map[string]fields{
		"mfa/setup": {"password": u.password, "code": w.code(t, f, 0)}, "mfa/disable": {"password": u.password, "code": w.code(t, f, 0)}, "mfa/verify": {"code": w.code(t, f, 0)},
		"change-password": {"current_password": u.password, "new_password": passphrase(), "code": w.code(t, f, 0)}, "switch-tenant": {"tenant_id": u.tenant},
		"mfa/recovery-codes/regenerate": {"password": u.password, "code": w.code(t, f, 0)}, "api-keys": {"name": "x", "scopes": []string{"ai"}},
	} {
		w.post(t, name, body, as(first)).want(t, http.StatusUnauthorized, "unauthenticated")
	}
	w.refresh(t, first).want(t, http.StatusUnauthorized, "refresh_invalid")
	w.verify(t, first).want(t, http.StatusBadRequest, "token_invalid")
	w.post(t, "reset-password", fields{"token": first, "new_password": passphrase()}).want(t, http.StatusBadRequest, "token_invalid")
	w.post(t, "logout", fields{"refresh_token": first}).want(t, http.StatusNoContent, "")
	w.post(t, "mfa/verify", fields{"mfa_token": first}).want(t, http.StatusBadRequest, "missing_field")
	for what, other := range map[string]string{"an access token": s.access, "a refresh token": s.refresh, "nothing": ""} {
		if a := w.finish(t, other, w.code(t, f, 0)); a.status != http.StatusUnauthorized && a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s as mfa_token: %s, want 401", what, a)
		}
	}
	if n := w.sessions(t, u) - before; n != 0 {
		t.Errorf("%d sessions without a second factor", n)
	}
	w.early()
	w.finish(t, second, w.code(t, f, 0)).want(t, http.StatusOK, "")
	w.finish(t, second, w.code(t, f, 1)).want(t, http.StatusUnauthorized, "mfa_challenge_invalid")
	w.finish(t, first, w.code(t, f, 1)).want(t, http.StatusOK, "")
	w.alive(t, "the session of before", s)
}

func factorReplaced(t *testing.T, w *world) {
	u, old, s := w.guarded(t)
	id, next := w.setUp(t, s, fields{"password": u.password, "code": w.code(t, old, 0)})
	waiting := w.challenge(t, u)
	w.early()
	confirmed := w.confirm(t, s, id, w.code(t, next, -1)).must(t, http.StatusOK)
	challenge := w.challenge(t, u)
	for _, step := range []int{-1, 0, 1} {
		w.finish(t, challenge, w.code(t, old, step)).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	}
	w.recover(t, challenge, old.recovery[0]).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.post(t, "mfa/disable", fields{"password": u.password, "recovery_code": old.recovery[1]}, as(confirmed.str("access_token"))).
		want(t, http.StatusForbidden, "reauth_failed")
	w.finish(t, challenge, w.code(t, next, 0)).want(t, http.StatusOK, "")
	w.recover(t, w.challenge(t, u), next.recovery[0]).want(t, http.StatusOK, "")
	if a := w.finish(t, waiting, w.code(t, old, 1)); a.status != http.StatusUnauthorized {
		t.Errorf("a challenge of before with the old factor: %s, want 401", a)
	}
}
