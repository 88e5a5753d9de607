package attack_test

import (
	"net/http"
	"strings"
	"testing"
)

func init() {
	row("TEN-1", "fields that nobody asked for: roles, ids, states", massAssignment)
	row("TEN-2", "registrations that name a tenant of others", foreignTenantName)
	row("TEN-3", "another tenant's id in a header, a query or a body", foreignTenantID)
	row("TEN-4", "ending the sessions of others", foreignSessions)
	row("TEN-5", "a user of two tenants is removed from one", removedFromOne)
	row("TEN-7", "an address that verifies itself", selfVerified)
}

func massAssignment(t *testing.T, w *world) {
	u := w.user(t)
	in := w.signIn(t, u)
	me := w.me(t, in.access).must(t, http.StatusOK)
	row := w.rows(t, `SELECT email_canon, status, platform_admin, session_epoch, username, mfa FROM users WHERE id = ?`, u.id)
	extras := map[string]any{
		"role": "owner", "roles": []string{"owner"}, "tenant_id": "x", "is_admin": true, "email_verified": true, "status": "active", "id": "x", "Role": "owner",
		"platform_admin": true, "admin": true, "user_id": "x", "session_epoch": 99, "mfa_enabled": false, "password_hash": "x", "created_at": "2026-01-01T00:00:00Z", "_id": 1,
	}
	bodies := endpoints()
	bodies["change-password"] = fields{"current_password": u.password, "new_password": passphrase()}
	bodies["mfa/setup"] = fields{"password": u.password}
	bodies["mfa/disable"] = fields{"password": u.password, "code": "123456"}
	bodies["mfa/recovery-codes/regenerate"] = fields{"password": u.password, "code": "123456"}
	bodies["switch-tenant"] = fields{"tenant_id": u.tenant}
	bodies["api-keys"] = fields{"name": "x", "scopes": []string{"ai"}}
	bodies["invites/accept"] = fields{"invite_token": strings.Repeat("A", 43)}
	bodies["/api/v1/admin/invites"] = fields{"email": "nobody@example.com", "role": "member"}
	for name, body := range bodies {
		for extra, value := range extras {
			if _, own := body[extra]; own {
				continue
			}
			w.untouched(t, name+" with "+extra, func() {
				a := w.post(t, name, changed(body, fields{extra: value}), as(in.access))
				if a.status != http.StatusBadRequest || a.str("code") != "unknown_field" {
					t.Errorf("%s with %s: %s, want 400 unknown_field", name, extra, a)
				}
			})
		}
	}
	for extra, value := range extras {
		a := w.do(t, http.MethodPatch, "/api/v1/auth/me", fields{"display_name": "Mallory", extra: value}, as(in.access))
		if a.status != http.StatusBadRequest || a.str("code") != "unknown_field" {
			t.Errorf("PATCH me with %s: %s, want 400 unknown_field", extra, a)
		}
	}
	nested := changed(bodies["register"], fields{"tenant": fields{"name": "Nobody's", "id": u.tenant, "role": "owner"}})
	w.post(t, "register", nested).want(t, http.StatusBadRequest, "unknown_field")
	if after := w.me(t, in.access); string(after.body) != string(me.body) {
		t.Errorf("me went from %s to %s", me, after)
	}
	if after := w.rows(t, `SELECT email_canon, status, platform_admin, session_epoch, username, mfa FROM users WHERE id = ?`, u.id); strings.Join(after[0], "|") != strings.Join(row[0], "|") {
		t.Errorf("the user's row went from %q to %q", row, after)
	}
}

func foreignTenantName(t *testing.T, w *world) {
	owner := w.signUp(t, fields{"email": somebody(), "tenant": fields{"name": "Copper Kettle", "slug": "copper-kettle"}})
	if owner.slug != "copper-kettle" {
		t.Errorf("the first slug is %q, want copper-kettle", owner.slug)
	}
	members := func() int { return w.count(t, `SELECT count(*) FROM memberships WHERE tenant_id = ?`, owner.tenant) }
	for what, tenant := range map[string]fields{
		"its name and slug": {"name": "Copper Kettle", "slug": "copper-kettle"}, "its slug": {"name": "Mallory's", "slug": "copper-kettle"}, "its name": {"name": "Copper Kettle"},
		"its id as the slug": {"name": "Mallory's", "slug": owner.tenant}, "its id as the name": {"name": owner.tenant}, "its slug in capitals": {"name": "Mallory's", "slug": "COPPER-KETTLE"},
		"a Unicode twin": {"name": "Сopper Kettle", "slug": "сopper-kettle"}, "a full-width twin": {"name": "ｃopper kettle"}, "blanks around": {"name": " Copper Kettle "},
		"a zero-width twin": {"name": "Copper\u200b Kettle"},
	} {
		email := somebody()
		a := w.post(t, "register", fields{"email": email, "password": passphrase(), "tenant": tenant})
		if a.status == http.StatusUnprocessableEntity {
			continue
		}
		if a.status != http.StatusAccepted {
			t.Errorf("%s: %s, want 202 or 422", what, a)
			continue
		}
		v := w.verify(t, w.token(t, email, "verify", 1)).must(t, http.StatusOK)
		if v.str("tenant.id") == owner.tenant || v.str("tenant.slug") == owner.slug || v.str("tenant.slug") == "" {
			t.Errorf("%s: the new user is in %s %q", what, v.str("tenant.id"), v.str("tenant.slug"))
		}
	}
	if n := members(); n != 1 {
		t.Errorf("the tenant has %d members, want its owner", n)
	}
}

func foreignTenantID(t *testing.T, w *world) {
	a, b := w.user(t), w.user(t)
	in := w.signIn(t, a)
	for _, path := range []string{"me", "sessions", "api-keys", "/api/v1/admin/members", "/api/v1/admin/invites", "/api/v1/admin/audit"} {
		own := w.get(t, path, as(in.access)).must(t, http.StatusOK)
		for what, got := range map[string]answer{
			"header":          w.get(t, path, as(in.access), header("X-Tenant-ID", b.tenant)),
			"query":           w.get(t, path+"?tenant_id="+b.tenant, as(in.access)),
			"slug in header":  w.get(t, path, as(in.access), header("X-Tenant-ID", b.slug)),
			"twice in header": w.get(t, path, as(in.access), header("X-Tenant-ID", a.tenant), also("X-Tenant-ID", b.tenant)),
			"twice in query":  w.get(t, path+"?tenant_id="+a.tenant+"&tenant_id="+b.tenant, as(in.access)),
			"in another case": w.get(t, path+"?TENANT_ID="+b.tenant, as(in.access)),
			"a cookie":        w.get(t, path, as(in.access), header("Cookie", "tenant_id="+b.tenant)),
		} {
			if got.status != http.StatusOK && (got.status != http.StatusForbidden || got.str("code") != "tenant_mismatch") {
				t.Errorf("%s with %s: %s, want 403 tenant_mismatch or the caller's own", path, what, got)
			}
			if strings.Contains(string(got.body), b.tenant) || strings.Contains(string(got.body), b.email) || strings.Contains(string(got.body), b.id) {
				t.Errorf("%s with %s shows another tenant: %s", path, what, got)
			}
		}
		if strings.Contains(string(own.body), b.id) {
			t.Errorf("%s shows another's data", path)
		}
		w.get(t, path, as(in.access), header("X-Tenant-ID", b.tenant)).want(t, http.StatusForbidden, "tenant_mismatch")
		w.get(t, path+"?tenant_id="+b.tenant, as(in.access)).want(t, http.StatusForbidden, "tenant_mismatch")
		w.get(t, path, as(in.access), header("X-Tenant-ID", a.tenant)).want(t, http.StatusOK, "")
	}
	w.post(t, "switch-tenant", fields{"tenant_id": b.tenant}, as(in.access)).want(t, http.StatusForbidden, "tenant_access_denied")
	w.post(t, "switch-tenant", fields{"tenant_id": "01920000-0000-7000-8000-000000000000"}, as(in.access)).want(t, http.StatusForbidden, "tenant_access_denied")
}

func foreignSessions(t *testing.T, w *world) {
	owner := w.user(t)
	boss := w.signIn(t, owner)
	colleague := w.member(t, boss, "member")
	mine, theirs, stranger := w.signIn(t, colleague), boss, w.signIn(t, w.user(t))
	for what, s := range map[string]session{"a stranger's": stranger, "the owner's": theirs} {
		w.do(t, http.MethodDelete, "/api/v1/auth/sessions/"+s.id, nil, as(mine.access)).want(t, http.StatusNotFound, "not_found")
		if why := w.revoked(t, s); why != "" {
			t.Errorf("%s session was ended: %s", what, why)
		}
	}
	w.do(t, http.MethodDelete, "/api/v1/auth/sessions/"+mine.id, nil, as(theirs.access)).want(t, http.StatusNotFound, "not_found")
	for _, id := range []string{"01920000-0000-7000-8000-000000000000", "x", "1", "%2e%2e", "..%2f" + stranger.id, "*", "%00", strings.ToUpper(stranger.id), strings.Repeat("9", 4000)} {
		if a := w.do(t, http.MethodDelete, "/api/v1/auth/sessions/"+id, nil, as(mine.access)); a.status != http.StatusNotFound {
			t.Errorf("session %.40q: %s, want 404", id, a)
		}
	}
	list := w.get(t, "sessions", as(mine.access)).must(t, http.StatusOK)
	for _, s := range []session{stranger, theirs} {
		if strings.Contains(string(list.body), s.id) {
			t.Errorf("the list shows another's session: %s", list)
		}
	}
	for what, s := range map[string]session{"a stranger": stranger, "the owner": theirs, "the caller": mine} {
		w.alive(t, what, s)
	}
	second := w.signIn(t, colleague)
	w.do(t, http.MethodDelete, "/api/v1/auth/sessions/"+second.id, nil, as(mine.access)).want(t, http.StatusNoContent, "")
	w.dead(t, "one's own session that was ended", second)
}

func removedFromOne(t *testing.T, w *world) {
	boss := w.signIn(t, w.user(t))
	u := w.user(t)
	own := w.signIn(t, u)
	w.join(t, boss, u, own, "member")
	login := func(tenant string) session {
		a := w.post(t, "login", fields{"email": u.email, "password": u.password, "tenant": tenant}).must(t, http.StatusOK)
		return w.session(t, a)
	}
	a, b := login(boss.tenant), login(u.tenant)
	if a.tenant != boss.tenant || b.tenant != u.tenant {
		t.Fatalf("the sessions are of %s and %s", a.tenant, b.tenant)
	}
	w.me(t, a.access).must(t, http.StatusOK)
	w.me(t, b.access).must(t, http.StatusOK)
	w.do(t, http.MethodDelete, "/api/v1/admin/members/"+u.id, nil, as(boss.access)).must(t, http.StatusNoContent)
	w.dead(t, "the session of the tenant that was left", a)
	w.alive(t, "the session of the other tenant", b)
	w.post(t, "login", fields{"email": u.email, "password": u.password, "tenant": boss.tenant}).want(t, http.StatusForbidden, "tenant_access_denied")
	w.post(t, "switch-tenant", fields{"tenant_id": boss.tenant}, as(own.access)).want(t, http.StatusForbidden, "tenant_access_denied")
}

func selfVerified(t *testing.T, w *world) {
	email := somebody()
	password := passphrase()
	w.post(t, "register", fields{"email": email, "password": password, "email_verified": true}).want(t, http.StatusBadRequest, "unknown_field")
	w.post(t, "register", fields{"email": email, "password": password}).must(t, http.StatusAccepted)
	w.login(t, email, password).want(t, http.StatusForbidden, "email_not_verified")
	u := w.user(t)
	in := w.signIn(t, u)
	for _, body := range []fields{{"email": email}, {"email_verified": true}, {"display_name": "x", "email": email}, {"status": "verified"}} {
		a := w.do(t, http.MethodPatch, "/api/v1/auth/me", body, as(in.access))
		if a.status != http.StatusBadRequest || a.str("code") != "unknown_field" {
			t.Errorf("PATCH me %v: %s, want 400 unknown_field", body, a)
		}
	}
	token := w.token(t, email, "verify", 1)
	for _, body := range []fields{{"token": token, "email": u.email}, {"token": token, "user_id": u.id}, {"token": token, "email_verified": true}} {
		w.post(t, "verify-email", body).want(t, http.StatusBadRequest, "unknown_field")
	}
	w.login(t, email, password).want(t, http.StatusForbidden, "email_not_verified")
	if n := w.count(t, `SELECT count(*) FROM users WHERE email_canon = ?`, email); n != 0 {
		t.Errorf("%d users of an address that nobody has verified", n)
	}
	w.verify(t, token, as(in.access)).want(t, http.StatusOK, "")
	if me := w.me(t, in.access); me.str("user.email") != u.email {
		t.Errorf("a token of another address changed the caller's: %s", me)
	}
}
