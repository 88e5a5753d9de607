package attack_test

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

func init() {
	row("JWT-14", "an access token after its session has ended, in each of six ways, on this node and on another", accessAfterEnd, alone)
	row("JWT-15", "the signing key turns, and an old one is dropped, without a restart", keysTurn, overlapped)
	row("REF-5", "a refresh token after its session has ended, in each of six ways", refreshAfterEnd)
	row("REF-13", "a refresh keeps how and when its user signed in; the role is today's", refreshKeeps)
	row("REF-14", "refreshes of one who was disabled and one who was removed, while a third of their tenant stays", refreshOfLeavers)
}

// patienceAcross is how long a node may believe what another has ended, with a margin for a busy machine.
const patienceAcross = 6 * time.Second

// ending is a way in which a session ends: it gives a live session and the act that ends it.
type ending struct {
	outside bool // the act is another process's
	begin   func(t *testing.T, w *world) (s session, end func())
}

// endings lists the ways.
func endings() map[string]ending {
	simple := func(end func(t *testing.T, w *world, u account, s session)) func(t *testing.T, w *world) (session, func()) {
		return func(t *testing.T, w *world) (session, func()) {
			u := w.user(t)
			s := w.signIn(t, u)
			return s, func() { end(t, w, u, s) }
		}
	}
	return map[string]ending{
		"logout": {begin: simple(func(t *testing.T, w *world, _ account, s session) {
			w.post(t, "logout", fields{"refresh_token": s.refresh}).must(t, http.StatusNoContent)
		})},
		"logout of all": {begin: simple(func(t *testing.T, w *world, u account, _ session) {
			other := w.signIn(t, u)
			w.post(t, "logout", fields{"all": true}, as(other.access)).must(t, http.StatusNoContent)
			w.dead(t, "the session that ended all", other)
		})},
		"password reset": {begin: simple(func(t *testing.T, w *world, u account, _ session) {
			w.post(t, "request-password-reset", fields{"email": u.email}).must(t, http.StatusAccepted)
			w.post(t, "reset-password", fields{"token": w.token(t, u.email, "reset", 1), "new_password": passphrase()}).must(t, http.StatusNoContent)
		})},
		"user disabled": {outside: true, begin: simple(func(t *testing.T, w *world, u account, _ session) {
			w.cli(t, "", "user", "disable", "--email", u.email)
		})},
		"membership removed": {begin: func(t *testing.T, w *world) (session, func()) {
			boss := w.signIn(t, w.user(t))
			u := w.member(t, boss, "member")
			return w.signIn(t, u), func() {
				w.do(t, http.MethodDelete, "/api/v1/admin/members/"+u.id, nil, as(boss.access)).must(t, http.StatusNoContent)
			}
		}},
		"second factor disabled": {begin: func(t *testing.T, w *world) (session, func()) {
			u := w.user(t)
			f, s := w.enrol(t, u, w.signIn(t, u))
			return s, func() {
				w.post(t, "mfa/disable", fields{"password": u.password, "code": w.code(t, f, 0)}, as(s.access)).must(t, http.StatusNoContent)
			}
		}},
	}
}

func accessAfterEnd(t *testing.T, w *world) {
	nodes := map[string]*node{"this node": w.node}
	if w.on == servers {
		nodes["another node"] = w.second(t)
	}
	all := endings()
	for _, name := range slices.Sorted(mapsKeys(all)) {
		s, end := all[name].begin(t, w)
		for where, n := range nodes {
			for range 3 { // what is kept in a process is kept by now
				if a := w.me(t, s.access, on(n)); a.status != http.StatusOK {
					t.Errorf("%s, %s, before: %s, want 200", name, where, a)
				}
			}
		}
		end()
		done := time.Now()
		for where, n := range nodes {
			if n == w.node && !all[name].outside {
				w.me(t, s.access, on(n)).want(t, http.StatusUnauthorized, "unauthenticated")
				continue
			}
			for w.me(t, s.access, on(n)).status != http.StatusUnauthorized && time.Since(done) < 3*patienceAcross {
				time.Sleep(50 * time.Millisecond)
			}
			if took := time.Since(done); took > patienceAcross {
				t.Errorf("%s, %s: the token was believed for %v, want at most 5 s", name, where, took)
			}
		}
		for where, n := range nodes {
			for range 2 {
				if a := w.me(t, s.access, on(n)); a.status != http.StatusUnauthorized {
					t.Errorf("%s, %s, afterwards: %s, want 401", name, where, a)
				}
			}
		}
	}
}

func refreshAfterEnd(t *testing.T, w *world) {
	all := endings()
	for _, name := range slices.Sorted(mapsKeys(all)) {
		s, end := all[name].begin(t, w)
		gen := w.generation(t, s)
		end()
		a := w.refresh(t, s.refresh)
		if a.status != http.StatusUnauthorized || a.str("code") != "refresh_invalid" {
			t.Errorf("%s: %s, want 401 refresh_invalid", name, a)
		}
		if got := w.generation(t, s); got != gen {
			t.Errorf("%s: the generation went from %d to %d", name, gen, got)
		}
	}
}

func keysTurn(t *testing.T, w *world) {
	const within = 65 * time.Second // every node follows within 60
	u := w.user(t)
	old, probe := w.signIn(t, u), w.signIn(t, u)
	first := part(t, old.access, 0)["kid"]
	pid := w.node.pid()
	w.cli(t, "", "keys", "rotate")
	turned := time.Now()
	for part(t, probe.access, 0)["kid"] == first {
		if time.Since(turned) > within {
			t.Fatalf("tokens are signed with the old key %v after the turn", within)
		}
		time.Sleep(500 * time.Millisecond)
		probe = w.session(t, w.refresh(t, probe.refresh).must(t, http.StatusOK))
	}
	second := part(t, probe.access, 0)["kid"]
	if want := thumbprint(w.signingKey(t, 2)); second != want {
		t.Errorf("the new key is %v, want the second: %v", second, want)
	}
	for what, s := range map[string]session{"the old key's token": old, "the new key's token": probe} {
		if a := w.me(t, s.access); a.status != http.StatusOK {
			t.Errorf("%s: %s, want 200", what, a)
		}
	}
	for _, kid := range []any{first, second} {
		if !slices.Contains(w.kids(t), kid.(string)) {
			t.Errorf("the key set lacks %v: %v", kid, w.kids(t))
		}
	}
	w.cli(t, "", "keys", "drop", "1")
	dropped := time.Now()
	for w.me(t, old.access).status != http.StatusUnauthorized {
		if time.Since(dropped) > within {
			t.Fatalf("the dropped key's token is good after %v", within)
		}
		time.Sleep(250 * time.Millisecond)
	}
	if slices.Contains(w.kids(t), first.(string)) {
		t.Errorf("the key set still has the dropped key: %v", w.kids(t))
	}
	w.alive(t, "the new key's session", probe)
	next := w.alive(t, "the session whose token's key was dropped", w.session(t, w.refresh(t, old.refresh).must(t, http.StatusOK)))
	if w.node.pid() != pid || w.node.exited() {
		t.Error("the process is not the one that it was")
	}
	w.cli(t, "", "keys", "list")

	// The key that signs has leaked: dropped, it takes every access token with it, and the sessions go on.
	w.cli(t, "", "keys", "drop", "2")
	dropped = time.Now()
	for w.me(t, next.access).status != http.StatusUnauthorized {
		if time.Since(dropped) > within {
			t.Fatalf("the token of the key that signed is good %v after its drop", within)
		}
		time.Sleep(250 * time.Millisecond)
	}
	last := w.session(t, w.refresh(t, next.refresh).must(t, http.StatusOK))
	if kid := part(t, last.access, 0)["kid"]; kid == first || kid == second {
		t.Errorf("a dropped key signs: %v", kid)
	}
	w.alive(t, "the session whose token's key was dropped", last)
}

// kids lists the keys of the key set.
func (w *world) kids(t *testing.T) []string {
	t.Helper()
	list, _ := w.get(t, "/.well-known/jwks.json").at("keys").([]any)
	var out []string
	for _, k := range list {
		if k, ok := k.(map[string]any); ok {
			kid, _ := k["kid"].(string)
			out = append(out, kid)
		}
	}
	return out
}

func refreshKeeps(t *testing.T, w *world) {
	boss := w.signIn(t, w.user(t))
	u := w.member(t, boss, "admin")
	first := w.login(t, u.email, u.password).must(t, http.StatusOK)
	s := w.session(t, first)
	if a := w.me(t, s.access); a.str("tenant.role") != "admin" || a.str("tenant.id") != boss.tenant {
		t.Errorf("%s, want an admin of %s", a, boss.tenant)
	}
	for range 2 {
		time.Sleep(1100 * time.Millisecond) // so that another time could be told
		a := w.refresh(t, s.refresh).must(t, http.StatusOK)
		s = w.session(t, a)
		for _, field := range []string{"session.auth_time", "session.amr", "session.id", "session.tenant_id"} {
			if a.str(field) != first.str(field) {
				t.Errorf("refresh: %s went from %s to %s", field, first.str(field), a.str(field))
			}
		}
		before, after := claims(t, first.str("access_token")), claims(t, s.access)
		if before["auth_time"] != after["auth_time"] || len(after["amr"].([]any)) != 1 || after["amr"].([]any)[0] != "pwd" {
			t.Errorf("refresh: the token's claims went from %v to %v", before, after)
		}
	}
	w.get(t, "/api/v1/admin/members", as(s.access)).want(t, http.StatusOK, "")
	w.do(t, http.MethodPatch, "/api/v1/admin/members/"+u.id, fields{"role": "viewer"}, as(boss.access))
	if a := w.me(t, s.access); a.str("tenant.role") != "viewer" {
		t.Errorf("the next request of one who was demoted: %s, want viewer", a)
	}
	if a := w.get(t, "/api/v1/admin/members", as(s.access)); a.status != http.StatusForbidden {
		t.Errorf("a viewer among the members: %s, want 403", a)
	}
	s = w.session(t, w.refresh(t, s.refresh).must(t, http.StatusOK))
	if a := w.me(t, s.access); a.str("tenant.role") != "viewer" {
		t.Errorf("after a refresh: %s, want viewer", a)
	}

	guarded := w.user(t)
	f, _ := w.enrol(t, guarded, w.signIn(t, guarded))
	in := w.post(t, "mfa/verify", fields{"mfa_token": w.challenge(t, guarded), "code": w.code(t, f, 0)}).must(t, http.StatusOK)
	again := w.refresh(t, in.str("refresh_token")).must(t, http.StatusOK)
	if got := again.str("session.amr"); got != `["pwd","otp"]` || got != in.str("session.amr") {
		t.Errorf("amr of a session with a second factor went from %s to %s", in.str("session.amr"), got)
	}
}

func refreshOfLeavers(t *testing.T, w *world) {
	boss := w.signIn(t, w.user(t))
	a, b, c := w.member(t, boss, "member"), w.member(t, boss, "member"), w.member(t, boss, "member")
	as1, bs, cs := w.signIn(t, a), w.signIn(t, b), w.signIn(t, c)
	epochs := w.rows(t, `SELECT session_epoch FROM users WHERE id IN (?, ?)`, b.id, c.id)
	w.cli(t, "", "user", "disable", "--email", a.email)
	w.do(t, http.MethodDelete, "/api/v1/admin/members/"+b.id, nil, as(boss.access)).must(t, http.StatusNoContent)
	for what, s := range map[string]session{"the disabled one": as1, "the removed one": bs} {
		gen := w.generation(t, s)
		for _, got := range together(5, func(int) answer { return w.refresh(t, s.refresh) }) {
			if got.status != http.StatusUnauthorized || got.str("code") != "refresh_invalid" {
				t.Errorf("%s: %s, want 401 refresh_invalid", what, got)
			}
		}
		if now := w.generation(t, s); now != gen {
			t.Errorf("%s: the generation went from %d to %d", what, gen, now)
		}
	}
	if len(epochs) != 2 || epochs[0][0] != epochs[1][0] {
		t.Errorf("the epochs are %v, want the same for both", epochs)
	}
	w.alive(t, "the one who stays", cs)
	w.alive(t, "the owner", boss)
}
