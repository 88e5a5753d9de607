package operator_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

const ada = "ada@example.com"

// fails fails the test unless an error is the one wanted, nil for none.
func fails(t *testing.T, name string, got, want error) {
	t.Helper()
	if (want == nil) != (got == nil) || !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", name, got, want)
	}
}

// shut fails the test unless credentials are refused.
func shut(t *testing.T, w *identity.World, credentials ...string) {
	t.Helper()
	for i, c := range credentials {
		if _, err := w.Gate.Authenticate(t.Context(), c); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("credential %d: got %v, want %v", i, err, auth.ErrUnauthenticated)
		}
	}
}

func TestADisabledUserIsOutUntilItIsEnabled(t *testing.T) {
	w := identity.New(t)
	there := w.Node(t)
	w.Owner(t, ada)
	tokens := w.Login(t, ada)
	key, err := w.APIKey.Create(t.Context(), w.Caller(t, tokens.Access), inbound.CreateKey{Name: "k"})
	if err != nil {
		t.Fatal(err)
	}
	there.Caller(t, tokens.Access)
	for range 2 {
		fails(t, "disable", w.Ops.DisableUser(t.Context(), "ADA@example.com"), nil)
		shut(t, w, tokens.Access, key.Key)
	}
	w.Clock.Advance(5 * time.Second)
	shut(t, there, tokens.Access)
	_, err = w.Auth.Refresh(t.Context(), tokens.Refresh, identity.Somewhere())
	fails(t, "refresh", err, session.ErrRefreshInvalid)
	_, err = w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: secret.New(identity.Password), Origin: identity.Somewhere()})
	fails(t, "login", err, auth.ErrInvalidCredentials)

	for range 2 {
		fails(t, "enable", w.Ops.EnableUser(t.Context(), ada), nil)
	}
	shut(t, w, tokens.Access, key.Key)
	w.Caller(t, w.Login(t, ada).Access)
	if n, m := w.Audited(t, "user_disabled"), w.Audited(t, "user_active"); n != 1 || m != 1 {
		t.Errorf("%d and %d lines in the audit log, want one each", n, m)
	}
}

func TestInvitationsOfADisabledUserAreTakenBack(t *testing.T) {
	w := identity.New(t)
	token := w.Invite(t, w.Owner(t, ada), "guest@example.com", "admin")
	fails(t, "disable", w.Ops.DisableUser(t.Context(), ada), nil)
	w.Letters(t)
	for range 2 {
		fails(t, "accept", w.People.AcceptInvite(t.Context(), w.Owner(t, "guest@example.com"), token), letters.ErrTokenInvalid)
		fails(t, "enable", w.Ops.EnableUser(t.Context(), ada), nil)
		fails(t, "forget", w.Ops.DeleteUser(t.Context(), "guest@example.com"), nil)
		w.Letters(t)
	}
	if n := w.Audited(t, "invite_revoked"); n != 1 {
		t.Errorf("%d lines in the audit log, want 1", n)
	}
}

func TestAnOperatorForgetsAUser(t *testing.T) {
	w := identity.New(t)
	in := w.Owner(t, ada)
	tokens := w.Login(t, ada)
	fails(t, "delete", w.Ops.DeleteUser(t.Context(), ada), nil)
	shut(t, w, tokens.Access)
	_, err := w.DB.View().Tenants.Find(t.Context(), in.TenantID)
	fails(t, "its tenant", err, tenant.ErrNotFound)
	_, err = w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: secret.New(identity.Password), Origin: identity.Somewhere()})
	fails(t, "login", err, auth.ErrInvalidCredentials)

	owner := w.Owner(t, "olga@example.com")
	w.User(t, ada, "")
	w.Join(t, owner, ada, "member")
	fails(t, "the last owner of others", w.Ops.DeleteUser(t.Context(), "olga@example.com"), tenant.ErrLastOwner)
}

func TestAnOperatorTakesASecondFactorAway(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	fails(t, "none", w.Ops.ResetMFA(t.Context(), ada), user.ErrFactorNone)
	_, tokens := w.Enrol(t, ada)
	err := w.DB.View().Factors.Update(t.Context(), v.UserID, func(f *user.Factor) error {
		for !f.Locked() {
			f.Fail(w.Clock.Now())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	fails(t, "locked", w.Ops.ResetMFA(t.Context(), ada), nil)
	shut(t, w, tokens.Access)
	w.Caller(t, w.Login(t, ada).Access)
	letters := w.Letters(t)
	if len(letters) != 1 || letters[0].To != ada || letters[0].Subject != "Two-step sign-in is off" || !strings.Contains(letters[0].Text, "https://forge.example") {
		t.Errorf("got mails %v", letters)
	}
	fails(t, "again", w.Ops.ResetMFA(t.Context(), ada), user.ErrFactorNone)
	if n := w.Audited(t, "mfa_disable"); n != 1 {
		t.Errorf("%d lines in the audit log, want 1", n)
	}
}

func TestNobodyIsNoUser(t *testing.T) {
	w := identity.New(t)
	for name, do := range map[string]func(string) error{
		"disable":   func(email string) error { return w.Ops.DisableUser(t.Context(), email) },
		"enable":    func(email string) error { return w.Ops.EnableUser(t.Context(), email) },
		"delete":    func(email string) error { return w.Ops.DeleteUser(t.Context(), email) },
		"reset MFA": func(email string) error { return w.Ops.ResetMFA(t.Context(), email) },
	} {
		fails(t, name, do("nobody@example.com"), user.ErrNotFound)
		if err := do("nobody"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNothingIsDoneByHalves(t *testing.T) {
	tripped := errors.New("tripped")
	for name, c := range map[string]struct {
		do    func(*identity.World) error
		least int // how many operations it is
	}{
		"disable":   {func(w *identity.World) error { return w.Ops.DisableUser(t.Context(), ada) }, 7},
		"enable":    {func(w *identity.World) error { return w.Ops.EnableUser(t.Context(), ada) }, 2},
		"delete":    {func(w *identity.World) error { return w.Ops.DeleteUser(t.Context(), ada) }, 5},
		"reset MFA": {func(w *identity.World) error { return w.Ops.ResetMFA(t.Context(), ada) }, 6},
	} {
		for nth := 1; ; nth++ {
			w := identity.New(t)
			w.User(t, ada, "")
			_, in := w.Enrol(t, ada)
			key, err := w.APIKey.Create(t.Context(), w.Caller(t, in.Access), inbound.CreateKey{Name: "k"})
			if err != nil {
				t.Fatal(err)
			}
			if name == "enable" {
				err := w.DB.View().Users.Update(t.Context(), w.UserOf(t, ada).ID(), func(u *user.User) error { u.Disable(w.Clock.Now()); return nil })
				if err != nil {
					t.Fatal(err)
				}
			}
			lines, before := len(w.Audit(t)), w.UserOf(t, ada).Snapshot()
			hit := w.Faults.Trip(nth, tripped)
			err = c.do(w)
			if !hit() {
				if err != nil || nth <= c.least {
					t.Errorf("%s with nothing in the way: %d operations, want %d, and %v", name, nth-1, c.least, err)
				}
				break
			}
			fails(t, name, err, tripped)
			if n := len(w.Audit(t)); n != lines || w.UserOf(t, ada).Snapshot() != before || len(w.Mails(t)) != 0 {
				t.Errorf("%s: operation %d failed, and something is kept", name, nth)
			}
			if name != "enable" {
				w.Caller(t, in.Access)
				w.Caller(t, key.Key)
			}
			fails(t, name+" then", c.do(w), nil)
		}
	}
}
