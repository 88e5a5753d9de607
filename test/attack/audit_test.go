package attack_test

import (
	"net/http"
	"testing"
)

func init() {
	row("LEAK-3", "every change has its audit row, and no row can be changed or removed", auditComplete, alone)
}

// auditComplete does everything that changes a state, and looks for the row that says so, with the request that did it and where it came from.
func auditComplete(t *testing.T, w *world) {
	ip := "203.0.113.77"
	expect := func(what string, a answer, event string, n int) {
		t.Helper()
		rows := w.rows(t, `SELECT ip, at FROM audit_log WHERE request_id = ? AND event = ?`, a.header.Get("X-Request-Id"), event)
		if len(rows) != n {
			t.Errorf("%s: %d audit rows %s, want %d; there are %v", what, len(rows), event, n,
				w.rows(t, `SELECT event, reason FROM audit_log WHERE request_id = ?`, a.header.Get("X-Request-Id")))
			return
		}
		for _, r := range rows {
			if r[0] != ip || r[1] == "" || r[1] == "0" {
				t.Errorf("%s: %s from %q at %q, want %s", what, event, r[0], r[1], ip)
			}
		}
	}
	here := from(ip)
	email, password := somebody(), passphrase()
	a := w.post(t, "register", fields{"email": email, "password": password, "tenant": fields{"name": "Audited"}}, here).must(t, http.StatusAccepted)
	expect("register", a, "user_registered", 1)
	a = w.verify(t, w.token(t, email, "verify", 1), here).must(t, http.StatusOK)
	expect("verify", a, "user_verified", 1)
	expect("verify", a, "tenant_created", 1)
	a = w.login(t, email, passphrase(), here)
	expect("a wrong password", a, "authn_login_fail", 1)
	a = w.login(t, email, password, here).must(t, http.StatusOK)
	expect("a login", a, "authn_login_successafterfail", 1)
	expect("a login", a, "authn_token_created", 1)
	a = w.login(t, email, password, here).must(t, http.StatusOK)
	expect("a second login", a, "authn_login_success", 1)
	s := w.session(t, a)
	u := account{email: email, password: password}

	key := w.post(t, "api-keys", fields{"name": "ci"}, as(s.access), here).must(t, http.StatusCreated)
	expect("a key", key, "api_key_created", 1)
	turned := w.post(t, "api-keys/"+key.str("id")+"/rotate", fields{}, as(s.access), here).must(t, http.StatusCreated)
	expect("a key's successor", turned, "api_key_rotated", 1)
	a = w.do(t, http.MethodDelete, "/api/v1/auth/api-keys/"+turned.str("id"), nil, as(s.access), here).must(t, http.StatusNoContent)
	expect("a key's end", a, "api_key_revoked", 1)
	a = w.do(t, http.MethodPatch, "/api/v1/auth/me", fields{"display_name": "Nova"}, as(s.access), here).must(t, http.StatusOK)
	expect("a profile", a, "user_profile_changed", 1)

	invited := somebody()
	a = w.post(t, "/api/v1/admin/invites", fields{"email": invited, "role": "viewer"}, as(s.access), here).must(t, http.StatusCreated)
	expect("an invitation", a, "invite_created", 1)
	member := passphrase()
	a = w.post(t, "register", fields{"email": invited, "password": member, "invite_token": w.token(t, invited, "invite", 1)}, here).must(t, http.StatusCreated)
	expect("an invitation accepted", a, "invite_accepted", 1)
	expect("an invitation accepted", a, "tenant_member_joined", 1)
	joined := w.session(t, w.login(t, invited, member, here).must(t, http.StatusOK))
	a = w.get(t, "/api/v1/admin/members", as(joined.access), here).must(t, http.StatusForbidden)
	expect("a refusal", a, "authz_fail", 1)
	id := w.text(t, `SELECT id FROM users WHERE email_canon = ?`, invited)
	a = w.do(t, http.MethodPatch, "/api/v1/admin/members/"+id, fields{"role": "member"}, as(s.access), here)
	expect("a role", a, "tenant_role_changed", 1)
	a = w.do(t, http.MethodDelete, "/api/v1/admin/members/"+id, nil, as(s.access), here).must(t, http.StatusNoContent)
	expect("a removal", a, "tenant_member_left", 1)

	auditOfFactors(t, w, u, s, here, expect)
	auditIsKept(t, w)
}

func auditOfFactors(t *testing.T, w *world, u account, s session, here with, expect func(string, answer, string, int)) {
	t.Helper()
	setup := w.post(t, "mfa/setup", fields{"password": u.password}, as(s.access), here).must(t, http.StatusOK)
	expect("a setup", setup, "mfa_setup", 1)
	f := factor{setup.str("secret"), setup.strs("recovery_codes")}
	a := w.post(t, "mfa/verify", fields{"setup_id": setup.str("setup_id"), "code": w.code(t, f, -1)}, as(s.access), here).must(t, http.StatusOK)
	expect("a confirmation", a, "mfa_confirm", 1)
	challenge := w.login(t, u.email, u.password, here).must(t, http.StatusOK).str("mfa_token")
	a = w.post(t, "mfa/verify", fields{"mfa_token": challenge, "code": "000000"}, here)
	expect("a wrong code", a, "mfa_verify_fail", 1)
	a = w.post(t, "mfa/verify", fields{"mfa_token": challenge, "recovery_code": f.recovery[0]}, here).must(t, http.StatusOK)
	expect("a recovery code", a, "mfa_recovery_used", 1)
	expect("a recovery code", a, "authn_token_created", 1)
	in := w.session(t, a)
	next := passphrase()
	a = w.post(t, "change-password", fields{"current_password": u.password, "new_password": next, "code": w.code(t, f, 0)}, as(in.access), here).must(t, http.StatusNoContent)
	expect("a change of password", a, "authn_password_change", 1)
	a = w.post(t, "mfa/disable", fields{"password": next, "recovery_code": f.recovery[1]}, as(in.access), here).must(t, http.StatusNoContent)
	expect("the end of the second factor", a, "mfa_disable", 1)
	a = w.post(t, "request-password-reset", fields{"email": u.email}, here).must(t, http.StatusAccepted)
	expect("a reset asked for", a, "reset_requested", 1)
	last := passphrase()
	a = w.post(t, "reset-password", fields{"token": w.token(t, u.email, "reset", 1), "new_password": last}, here).must(t, http.StatusNoContent)
	expect("a reset", a, "reset_used", 1)
	end := w.session(t, w.login(t, u.email, last, here).must(t, http.StatusOK))
	a = w.post(t, "logout", fields{"refresh_token": end.refresh}, here).must(t, http.StatusNoContent)
	expect("a logout", a, "authn_token_revoked", 1)
}

// auditIsKept tries to change the past as the process could.
func auditIsKept(t *testing.T, w *world) {
	t.Helper()
	before := w.count(t, `SELECT count(*) FROM audit_log`)
	if before < 20 {
		t.Errorf("%d audit rows, want those of everything above", before)
	}
	for _, statement := range []string{
		`UPDATE audit_log SET reason = 'nothing happened'`, `UPDATE audit_log SET at = 0`, `UPDATE audit_log SET ip = '' WHERE event = 'authn_login_fail'`,
		`DELETE FROM audit_log`, `DELETE FROM audit_log WHERE event = 'authn_login_fail'`,
	} {
		if err := w.write(t, statement); err == nil {
			t.Errorf("%s was not denied", statement)
		}
	}
	if w.on == servers {
		if err := w.write(t, `TRUNCATE audit_log`); err == nil {
			t.Error("TRUNCATE audit_log was not denied")
		}
	}
	if after := w.count(t, `SELECT count(*) FROM audit_log`); after != before {
		t.Errorf("the audit rows went from %d to %d", before, after)
	}
	if n := w.count(t, `SELECT count(*) FROM audit_log WHERE reason = 'nothing happened'`); n != 0 {
		t.Errorf("%d audit rows were changed", n)
	}
}
