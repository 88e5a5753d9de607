package attack_test

import (
	"net/http"
	"testing"
	"time"
)

func init() {
	row("REG-9", "invitations: another's, used twice, expired, twenty at once", invitations, alone)
}

func invitations(t *testing.T, w *world) {
	owner := w.user(t)
	boss := w.signIn(t, owner)
	members := func() int { return w.count(t, `SELECT count(*) FROM memberships WHERE tenant_id = ?`, owner.tenant) }

	invited, other := somebody(), somebody()
	token := w.invite(t, boss, invited, "member")
	w.untouched(t, "an invitation of another address", func() {
		w.post(t, "register", fields{"email": other, "password": passphrase(), "invite_token": token}).want(t, http.StatusBadRequest, "token_invalid")
	})
	stranger := w.user(t)
	in := w.signIn(t, stranger)
	if a := w.post(t, "invites/accept", fields{"invite_token": token}, as(in.access)); a.status < 400 || a.status >= 500 {
		t.Errorf("a stranger accepts: %s, want a refusal", a)
	}
	w.post(t, "invites/accept", fields{"invite_token": token}).want(t, http.StatusUnauthorized, "unauthenticated")
	for what, kind := range map[string]string{"verify-email": "token", "reset-password": "token"} {
		body := fields{kind: token}
		if what == "reset-password" {
			body["new_password"] = passphrase()
		}
		w.post(t, what, body).want(t, http.StatusBadRequest, "token_invalid")
	}
	if n := members(); n != 1 {
		t.Errorf("%d members, want the owner", n)
	}

	passwords := make([]string, 20)
	answers := together(20, func(i int) answer {
		passwords[i] = passphrase()
		return w.patient(t, "register", fields{"email": invited, "password": passwords[i], "invite_token": token})
	})
	joined := -1
	for i, a := range answers {
		switch {
		case a.status == http.StatusCreated && joined < 0:
			joined = i
			if a.str("status") != "verified" || a.str("access_token") != "" {
				t.Errorf("%s, want verified and no tokens", a)
			}
		case a.status != http.StatusBadRequest || a.str("code") != "token_invalid":
			t.Errorf("one of twenty: %s, want one 201 and the others 400 token_invalid", a)
		}
	}
	if joined < 0 || members() != 2 {
		t.Fatalf("%v: %d members, want two", tally(answers), members())
	}
	w.login(t, invited, passwords[joined]).want(t, http.StatusOK, "")
	w.login(t, invited, passwords[(joined+1)%20]).want(t, http.StatusUnauthorized, "invalid_credentials")
	w.post(t, "register", fields{"email": invited, "password": passphrase(), "invite_token": token}).want(t, http.StatusBadRequest, "token_invalid")

	// Of one who has an account: accepted at once by many, it is one membership.
	u := w.user(t)
	s := w.signIn(t, u)
	second := w.invite(t, boss, u.email, "viewer")
	w.post(t, "register", fields{"email": u.email, "password": passphrase(), "invite_token": second})
	w.signIn(t, u) // whatever that did, it is no way to a new password
	got := tally(together(20, func(int) answer { return w.post(t, "invites/accept", fields{"invite_token": second}, as(s.access)) }))
	if got["204"] != 1 || got["400 token_invalid"] != 19 {
		t.Errorf("twenty accept at once: %v, want one 204 and nineteen 400 token_invalid", got)
	}
	if n := w.count(t, `SELECT count(*) FROM memberships WHERE tenant_id = ? AND user_id = ?`, owner.tenant, u.id); n != 1 {
		t.Errorf("%d memberships, want one", n)
	}
	if role := w.text(t, `SELECT role FROM memberships WHERE tenant_id = ? AND user_id = ?`, owner.tenant, u.id); role != "viewer" {
		t.Errorf("the role is %q, want viewer", role)
	}

	late, later := w.invite(t, boss, somebody(), "member"), somebody()
	third := w.invite(t, boss, later, "member")
	w.clock.move(t, 73*time.Hour)
	w.post(t, "register", fields{"email": later, "password": passphrase(), "invite_token": third}).want(t, http.StatusBadRequest, "token_invalid")
	w.post(t, "register", fields{"email": later, "password": passphrase(), "invite_token": late}).want(t, http.StatusBadRequest, "token_invalid")
	if n := w.count(t, `SELECT count(*) FROM users WHERE email_canon IN (?, ?)`, later, other); n != 0 {
		t.Errorf("%d users by invitations that were no good", n)
	}
}
