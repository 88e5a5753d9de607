package attack_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// account is a verified user with a tenant of its own.
type account struct {
	id, email, username, password string
	tenant, slug                  string
}

// session is what signing in gave.
type session struct {
	access, refresh string
	id, tenant      string
}

// passphrase makes a password that nobody used before.
func passphrase() string { return "Velvet teapot " + rand.Text()[:12] }

// somebody makes an address that nobody has.
func somebody() string { return fmt.Sprintf("user%d@example.com", serial.Add(1)) }

// user makes a verified user with a new address, a username and a personal tenant.
func (w *world) user(t testing.TB) account {
	t.Helper()
	return w.signUp(t, fields{"email": somebody()})
}

// signUp registers with these fields, takes the mail's token and verifies. A password and a username are added.
func (w *world) signUp(t testing.TB, body fields) account {
	t.Helper()
	for name, value := range map[string]string{"password": passphrase(), "username": fmt.Sprintf("name%d", serial.Add(1))} {
		if _, set := body[name]; !set {
			body[name] = value
		}
	}
	email := body["email"].(string)
	before := len(w.mail.all(email))
	w.patient(t, "register", body).must(t, http.StatusAccepted)
	var token string
	eventually(t, "a mail with a link to "+email, func() bool {
		for _, l := range w.mail.all(email)[before:] {
			if url, found := l.link(); strings.Contains(url, "/auth/verify?") {
				token = found
				return true
			}
		}
		return false
	})
	w.remember("verify token", token)
	v := w.patient(t, "verify-email", fields{"token": token}).must(t, http.StatusOK)
	u := account{
		email: email, username: body["username"].(string), password: body["password"].(string),
		tenant: v.str("tenant.id"), slug: v.str("tenant.slug"),
	}
	u.id = w.text(t, `SELECT user_id FROM memberships WHERE tenant_id = ?`, u.tenant)
	if u.id == "" {
		t.Fatalf("the new user of %s has no membership in %q", email, u.tenant)
	}
	return u
}

func (w *world) verify(t testing.TB, token string, options ...with) answer {
	t.Helper()
	return w.post(t, "verify-email", fields{"token": token}, options...)
}

// login tries to sign in with an address.
func (w *world) login(t testing.TB, email, password string, options ...with) answer {
	t.Helper()
	return w.post(t, "login", fields{"email": email, "password": password}, options...)
}

// signIn signs a user in who has no second factor.
func (w *world) signIn(t testing.TB, u account, options ...with) session {
	t.Helper()
	a := w.patient(t, "login", fields{"email": u.email, "password": u.password}, options...).must(t, http.StatusOK)
	return w.session(t, a)
}

// session reads the tokens of an answer.
func (w *world) session(t testing.TB, a answer) session {
	t.Helper()
	s := session{a.str("access_token"), a.str("refresh_token"), a.str("session.id"), a.str("session.tenant_id")}
	if s.access == "" || s.refresh == "" || s.id == "" || s.tenant == "" {
		t.Fatalf("%s, want tokens and a session", a)
	}
	return s
}

// refresh tries to renew tokens.
func (w *world) refresh(t testing.TB, token string, options ...with) answer {
	t.Helper()
	return w.post(t, "refresh", fields{"refresh_token": token}, options...)
}

// me asks who the bearer is.
func (w *world) me(t testing.TB, bearer string, options ...with) answer {
	t.Helper()
	return w.get(t, "me", append([]with{as(bearer)}, options...)...)
}

// alive checks that both tokens of a session work, and gives the next ones.
func (w *world) alive(t testing.TB, what string, s session) session {
	t.Helper()
	if a := w.me(t, s.access); a.status != http.StatusOK {
		t.Errorf("%s: %s, want 200", what, a)
	}
	a := w.refresh(t, s.refresh)
	if a.status != http.StatusOK {
		t.Errorf("%s: %s, want 200", what, a)
		return s
	}
	return w.session(t, a)
}

// dead checks that neither token of a session works.
func (w *world) dead(t testing.TB, what string, s session, options ...with) {
	t.Helper()
	if a := w.me(t, s.access, options...); a.status != http.StatusUnauthorized {
		t.Errorf("%s: %s, want 401", what, a)
	}
	if a := w.refresh(t, s.refresh, options...); a.status != http.StatusUnauthorized || a.str("code") != "refresh_invalid" {
		t.Errorf("%s: %s, want 401 refresh_invalid", what, a)
	}
}

// patient posts as a client does that heeds 503 and Retry-After: the line of those who wait for a hash is short on purpose, and longer crowds come again.
// Whatever only prepares a row is patient too, for a machine that has more to do.
func (w *world) patient(t testing.TB, name string, body any, options ...with) answer {
	t.Helper()
	for range 30 {
		a := w.post(t, name, body, options...)
		if a.status != http.StatusServiceUnavailable {
			return a
		}
		seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
		if err != nil || seconds < 1 {
			t.Errorf("%s: Retry-After is %q, want whole seconds", a, a.header.Get("Retry-After"))
			return a
		}
		time.Sleep(time.Duration(seconds) * time.Second)
	}
	t.Errorf("%s is busy for ever", name)
	return answer{}
}

// invite has an owner or admin invite an address, and gives the mail's token.
func (w *world) invite(t testing.TB, admin session, email, role string) string {
	t.Helper()
	before := len(w.mail.all(email))
	w.post(t, "/api/v1/admin/invites", fields{"email": email, "role": role}, as(admin.access)).must(t, http.StatusCreated)
	var token string
	eventually(t, "an invitation to "+email, func() bool {
		for _, l := range w.mail.all(email)[before:] {
			if url, found := l.link(); strings.Contains(url, "/auth/invite?") {
				token = found
			}
		}
		return token != ""
	})
	w.remember("invite token", token)
	return token
}

// member makes a new user who joins a tenant by an invitation of its admin, with a role.
func (w *world) member(t testing.TB, admin session, role string) account {
	t.Helper()
	u := account{email: somebody(), password: passphrase(), tenant: admin.tenant}
	token := w.invite(t, admin, u.email, role)
	a := w.patient(t, "register", fields{"email": u.email, "password": u.password, "invite_token": token}).must(t, http.StatusCreated)
	if a.str("status") != "verified" || a.str("access_token") != "" {
		t.Fatalf("%s, want verified and no tokens", a)
	}
	u.id = w.text(t, `SELECT id FROM users WHERE email_canon = ?`, u.email)
	return u
}

// join has a user who exists join a tenant by an invitation of its admin, with a role.
func (w *world) join(t testing.TB, admin session, u account, s session, role string) {
	t.Helper()
	token := w.invite(t, admin, u.email, role)
	w.post(t, "invites/accept", fields{"invite_token": token}, as(s.access)).must(t, http.StatusNoContent)
}
