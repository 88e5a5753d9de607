package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

var (
	right = secret.New(identity.Password)
	wrong = secret.New("wrong horse battery staple")
)

// change changes a user in the database.
func change(t *testing.T, w *identity.World, id user.ID, how func(*user.User)) {
	t.Helper()
	err := w.DB.Do(t.Context(), func(ctx context.Context, r outbound.Repos) error {
		return r.Users.Update(ctx, id, func(u *user.User) error { how(u); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
}

// leave takes a user out of a tenant, after giving the tenant another owner.
func leave(t *testing.T, w *identity.World, id user.ID, in tenant.ID) {
	t.Helper()
	heir := w.User(t, "heir@example.com", "")
	err := w.DB.Do(t.Context(), func(ctx context.Context, r outbound.Repos) error {
		return r.Tenants.Update(ctx, in, func(tn *tenant.Tenant) error {
			return errors.Join(tn.Join(heir.UserID, tenant.Owner, w.Clock.Now()), tn.Remove(id, w.Clock.Now()))
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLoginGivesTokensThatSayWhoAndWhere(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, "Ada@example.com", "ada")
	origin := inbound.Origin{IP: "192.0.2.1", UserAgent: "curl\n/8 " + strings.Repeat("x", 1000)}
	for name, c := range map[string]inbound.Login{
		"by e-mail":              {Email: ada},
		"by e-mail in capitals":  {Email: "ADA@EXAMPLE.COM"},
		"by username":            {Username: "ada"},
		"by username in capital": {Username: "ADA"},
		"to a tenant by id":      {Email: ada, Tenant: string(v.TenantID)},
		"to a tenant by slug":    {Email: ada, Tenant: v.TenantSlug},
	} {
		c.Password, c.Origin = right, origin
		got, err := w.Auth.Login(t.Context(), c)
		if err != nil || got.Tokens == nil || got.Challenge != nil {
			t.Fatalf("%s: got %v, %v", name, got, err)
		}
		tokens := *got.Tokens
		access, refresh, id := tokens.Access, tokens.Refresh, tokens.SessionID
		tokens.Access, tokens.Refresh, tokens.SessionID = "", "", ""
		want := inbound.Tokens{
			AccessFor: 15 * time.Minute, RefreshFor: 7 * 24 * time.Hour, TenantID: v.TenantID, AuthTime: w.Clock.Now(), AMR: []string{"pwd"},
			UserID: v.UserID, Email: "Ada@example.com", Username: "ada",
		}
		if diff := cmp.Diff(want, tokens); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if r, ok := session.ParseRefreshToken(refresh); !ok || r.ID != id || r.Gen != 1 {
			t.Errorf("%s: refresh token of %v", name, r)
		}
		caller := w.Caller(t, access)
		if diff := cmp.Diff(inbound.Caller{UserID: v.UserID, TenantID: v.TenantID, Role: tenant.Owner, SessionID: id}, caller); diff != "" {
			t.Errorf("%s: caller: -want +got:\n%s", name, diff)
		}
		kept, err := w.DB.View().Sessions.Find(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if s := kept.Snapshot(); s.IP != "192.0.2.1" || !strings.HasPrefix(s.Agent, "curl/8 x") || len(s.Agent) > 256 {
			t.Errorf("%s: kept origin %q, %q", name, s.IP, s.Agent)
		}
	}
}

func TestRefusedLoginsAreAlikeAndCostOneVerification(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "ada")
	off := w.User(t, "off@example.com", "off")
	change(t, w, off.UserID, func(u *user.User) { u.Disable(w.Clock.Now()) })
	w.Register(t, inbound.Register{Email: "waits@example.com"})
	w.Register(t, inbound.Register{Email: "late@example.com"})
	w.Clock.Advance(24 * time.Hour)
	w.Register(t, inbound.Register{Email: "waits@example.com"})

	views := map[bool]int64{}
	for name, c := range map[string]struct {
		in   inbound.Login
		want error
	}{
		"wrong password":                     {inbound.Login{Email: ada, Password: wrong}, auth.ErrInvalidCredentials},
		"wrong password by username":         {inbound.Login{Username: "ada", Password: wrong}, auth.ErrInvalidCredentials},
		"no password":                        {inbound.Login{Email: ada}, auth.ErrInvalidCredentials},
		"unknown address":                    {inbound.Login{Email: "nobody@example.com", Password: right}, auth.ErrInvalidCredentials},
		"unknown username":                   {inbound.Login{Username: "nobody", Password: right}, auth.ErrInvalidCredentials},
		"disabled":                           {inbound.Login{Email: "off@example.com", Password: right}, auth.ErrInvalidCredentials},
		"disabled, wrong password":           {inbound.Login{Email: "off@example.com", Password: wrong}, auth.ErrInvalidCredentials},
		"waiting, wrong password":            {inbound.Login{Email: "waits@example.com", Password: wrong}, auth.ErrInvalidCredentials},
		"waiting, right password":            {inbound.Login{Email: "waits@example.com", Password: right}, auth.ErrEmailNotVerified},
		"waited too long, right password":    {inbound.Login{Email: "late@example.com", Password: right}, auth.ErrInvalidCredentials},
		"a tenant that is not":               {inbound.Login{Email: ada, Password: right, Tenant: "not-there"}, auth.ErrTenantDenied},
		"a tenant of others":                 {inbound.Login{Email: ada, Password: right, Tenant: "off"}, auth.ErrTenantDenied},
		"a tenant of others, wrong password": {inbound.Login{Email: ada, Password: wrong, Tenant: "off"}, auth.ErrInvalidCredentials},
	} {
		verifies, hashes, seen := w.Hasher.Verifies.Load(), w.Hasher.Hashes.Load(), w.Faults.Views.Load()
		got, err := w.Auth.Login(t.Context(), c.in)
		if !errors.Is(err, c.want) || got != (inbound.LoggedIn{}) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, c.want)
		}
		if errors.Is(c.want, auth.ErrInvalidCredentials) && err != error(auth.ErrInvalidCredentials) {
			t.Errorf("%s: the refusal differs: %v", name, err)
		}
		if v, h := w.Hasher.Verifies.Load()-verifies, w.Hasher.Hashes.Load()-hashes; v != 1 || h != 0 {
			t.Errorf("%s: %d verifications and %d hashes, want 1 and 0", name, v, h)
		}
		if errors.Is(c.want, auth.ErrInvalidCredentials) {
			byEmail := c.in.Email != ""
			if n := w.Faults.Views.Load() - seen; views[byEmail] != 0 && views[byEmail] != n {
				t.Errorf("%s: %d views, others %d", name, n, views[byEmail])
			} else {
				views[byEmail] = n
			}
		}
	}
}

func TestOnlyTheNewestRegistrationsPasswordTellsThatItWaits(t *testing.T) {
	w := identity.New(t)
	w.Register(t, inbound.Register{Email: ada, Password: secret.New("the first password")})
	w.Clock.Advance(time.Second)
	w.Register(t, inbound.Register{Email: ada, Password: secret.New("the second password")})
	for password, want := range map[string]error{"the first password": auth.ErrInvalidCredentials, "the second password": auth.ErrEmailNotVerified} {
		if _, err := w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: secret.New(password)}); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", password, err, want)
		}
	}
}

func TestLoginNeedsOneNameInOrder(t *testing.T) {
	w := identity.New(t)
	for name, c := range map[string]inbound.Login{
		"neither": {}, "both": {Email: ada, Username: "ada"}, "an address with a blank": {Email: " " + ada}, "an address as username": {Username: ada},
	} {
		if _, err := w.Auth.Login(t.Context(), c); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := w.Hasher.Verifies.Load(); n != 0 {
		t.Errorf("%d verifications", n)
	}
}

func TestLoginGoesWhereTheUserWasLast(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	other := w.User(t, "bob@example.com", "")
	err := w.DB.Do(t.Context(), func(ctx context.Context, r outbound.Repos) error {
		return r.Tenants.Update(ctx, other.TenantID, func(tn *tenant.Tenant) error {
			return tn.Join(v.UserID, tenant.Viewer, w.Clock.Now().Add(time.Minute))
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		named string
		want  tenant.ID
	}{{"", v.TenantID}, {other.TenantSlug, other.TenantID}, {"", other.TenantID}, {string(v.TenantID), v.TenantID}, {"", v.TenantID}}
	for i, step := range steps {
		got, err := w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: right, Tenant: step.named})
		if err != nil || got.Tokens.TenantID != step.want {
			t.Errorf("login %d: got %v, %v, want %s", i, got.Tokens, err, step.want)
		}
	}
}

func TestWhoIsMemberNowhereIsDenied(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	leave(t, w, v.UserID, v.TenantID)
	if _, err := w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: right}); !errors.Is(err, auth.ErrTenantDenied) {
		t.Errorf("got %v", err)
	}
}

func TestAStaleHashIsMadeAnewAndMayFail(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	hash := func() string {
		u, err := w.DB.View().Users.Find(t.Context(), v.UserID)
		if err != nil {
			t.Fatal(err)
		}
		return u.PasswordHash()
	}
	old := hash()
	w.Login(t, ada)
	if hash() != old {
		t.Error("a hash of today's cost was made anew")
	}
	w.Hasher.CallStale()
	w.Hasher.Fail(fault.ErrBusy)
	w.Login(t, ada)
	if hash() != old {
		t.Error("changed although hashing failed")
	}
	w.Hasher.Fail(nil)
	before := w.Login(t, ada)
	if hash() == old {
		t.Error("a stale hash was kept")
	}
	w.Login(t, ada)
	w.Caller(t, before.Access) // rehashing ends no session
	if _, err := w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: wrong}); !errors.Is(err, auth.ErrInvalidCredentials) {
		t.Errorf("wrong password: got %v", err)
	}
}

func TestAUserThatChangesDuringTheLoginIsRefused(t *testing.T) {
	for name, how := range map[string]func(*user.User){
		"password changed": func(u *user.User) { u.ChangePassword("$argon2id$", time.Now()) },
		"disabled":         func(u *user.User) { u.Disable(time.Now()) },
		"signed out":       func(u *user.User) { u.EndSessions() },
	} {
		w := identity.New(t)
		v := w.User(t, ada, "")
		w.Faults.Before(func() { change(t, w, v.UserID, how) })
		if _, err := w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: right}); !errors.Is(err, auth.ErrInvalidCredentials) {
			t.Errorf("%s: got %v", name, err)
		}
		open, err := w.DB.View().Sessions.OfUser(t.Context(), v.UserID, w.Clock.Now())
		if err != nil || len(open) != 0 {
			t.Errorf("%s: %d sessions, %v", name, len(open), err)
		}
	}
}

func TestASecondFactorIsNotPassedBy(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	err := w.DB.Do(t.Context(), func(ctx context.Context, r outbound.Repos) error {
		u, err := r.Users.FindByEmail(ctx, ada)
		if err != nil {
			return err
		}
		return r.Users.Update(ctx, u.ID(), func(u *user.User) error {
			s := u.Snapshot()
			s.MFA = true
			*u = *user.Restore(s)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: right}); !errors.Is(err, auth.ErrMFARequired) || got.Tokens != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestLoginFailsWithWhatItNeeds(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "ada")
	w.Faults.Down(fault.ErrDependency)
	for _, c := range []inbound.Login{{Email: ada, Password: right}, {Username: "ada", Password: right}} {
		if _, err := w.Auth.Login(t.Context(), c); !errors.Is(err, fault.ErrDependency) {
			t.Errorf("no database: got %v", err)
		}
	}
	w.Faults.Down(nil)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Auth.Login(gone, inbound.Login{Email: ada, Password: right}); err == nil || fault.KindOf(err) == fault.Unauthenticated {
		t.Errorf("caller gone: got %v", err)
	}
}
