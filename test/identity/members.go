package identity

import (
	"database/sql"
	"testing"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
)

// LettersOf gives what letters say in a world of this configuration.
func LettersOf(c auth.Config) letters.Config {
	return letters.Config{PublicBaseURL: c.PublicBaseURL, AuthUIURL: c.AuthUIURL, VerifyTTL: c.VerifyTTL, ResetTTL: c.ResetTTL, InviteTTL: c.InviteTTL}
}

// Invite has a caller invite an address, and gives the token that was mailed.
func (w *World) Invite(t testing.TB, by inbound.Caller, email, role string) string {
	t.Helper()
	if _, err := w.People.Invite(t.Context(), by, email, role); err != nil {
		t.Fatalf("invite %s: %v", email, err)
	}
	letters := w.Letters(t)
	if len(letters) != 1 {
		t.Fatalf("invite %s: %d mails", email, len(letters))
	}
	return TokenIn(t, letters[0])
}

// Join makes the user of an address a member of the caller's tenant, by an invitation, and gives the caller that it is there.
func (w *World) Join(t testing.TB, by inbound.Caller, email, role string) inbound.Caller {
	t.Helper()
	token := w.Invite(t, by, email, role)
	if err := w.People.AcceptInvite(t.Context(), w.Caller(t, w.Login(t, email).Access), token); err != nil {
		t.Fatalf("accept invitation of %s: %v", email, err)
	}
	w.Letters(t)
	return w.Caller(t, w.LoginIn(t, email, by.TenantID).Access)
}

// LoginIn signs a user in with Password, in a tenant.
func (w *World) LoginIn(t testing.TB, email string, in tenant.ID) inbound.Tokens {
	t.Helper()
	got, err := w.Auth.Login(t.Context(), inbound.Login{Email: email, Password: secret.New(Password), Tenant: string(in), Origin: Somewhere()})
	if err != nil || got.Tokens == nil {
		t.Fatalf("login %s in %s: %v", email, in, err)
	}
	return *got.Tokens
}

// Owner makes a user, and gives the caller that it is in its tenant.
func (w *World) Owner(t testing.TB, email string) inbound.Caller {
	t.Helper()
	w.User(t, email, "")
	return w.Caller(t, w.Login(t, email).Access)
}

// Admin makes a platform administrator, and gives the caller that it is.
func (w *World) Admin(t testing.TB, email string) inbound.Caller {
	t.Helper()
	if _, _, err := w.Ops.CreateUser(t.Context(), inbound.NewUser{Email: email, Password: Password, PlatformAdmin: true}); err != nil {
		t.Fatalf("create %s: %v", email, err)
	}
	return w.Caller(t, w.Login(t, email).Access)
}

// UserOf gives the user of an address.
func (w *World) UserOf(t testing.TB, email string) *user.User {
	t.Helper()
	u, err := w.DB.View().Users.FindByEmail(t.Context(), email)
	if err != nil {
		t.Fatalf("find %s: %v", email, err)
	}
	return u
}

// Rows counts the rows of tables of a world on SQLite, past the ports.
func (w *World) Rows(t testing.TB, tables ...string) map[string]int {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	out := map[string]int{}
	for _, table := range tables {
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			t.Fatalf("count %s: %v", table, err)
		}
		out[table] = n
	}
	return out
}
