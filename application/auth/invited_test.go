package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

func byInvitation(t *testing.T, w *identity.World, email, token string) (inbound.Registered, error) {
	t.Helper()
	return w.Auth.Register(t.Context(), inbound.Register{Email: email, Password: secret.New(identity.Password), InviteToken: token, Origin: identity.Somewhere()})
}

func TestAnInvitationProvesItsAddress(t *testing.T) {
	w := identity.New(t)
	owner := w.Owner(t, "olga@example.com")
	token := w.Invite(t, owner, ada, "admin")
	hashes := w.Hasher.Hashes.Load()
	got, err := w.Auth.Register(t.Context(), inbound.Register{
		Email: "ADA@example.com", Password: secret.New(identity.Password), Username: "ada", DisplayName: "Ada", InviteToken: token, Origin: identity.Somewhere(),
	})
	if err != nil || got != (inbound.Registered{Verified: true}) {
		t.Fatalf("got %v, %v", got, err)
	}
	if n := w.Hasher.Hashes.Load() - hashes; n != 1 {
		t.Errorf("%d hashes, want 1", n)
	}
	letters := w.Letters(t)
	if len(letters) != 1 || letters[0].Subject != "Your account is ready" {
		t.Errorf("got mails %v", letters)
	}
	c := w.Caller(t, w.Login(t, ada).Access)
	if c.TenantID != owner.TenantID || c.Role != tenant.Admin {
		t.Errorf("signed in to %s as %s", c.TenantID, c.Role)
	}
	if u := w.UserOf(t, ada); u.Username().String() != "ada" || u.DisplayName() != "Ada" || u.LastTenant() != string(owner.TenantID) {
		t.Errorf("made %s, %q, at home in %s", u.Username(), u.DisplayName(), u.LastTenant())
	}
	mine, err := w.DB.View().Tenants.OfUser(t.Context(), c.UserID)
	if err != nil || len(mine) != 2 {
		t.Fatalf("%d tenants, %v", len(mine), err)
	}
	for _, event := range []string{"invite_accepted", "tenant_member_joined"} {
		if n := w.Audited(t, event); n != 1 {
			t.Errorf("%s: %d lines, want 1", event, n)
		}
	}
	// When the membership ends there is a tenant to sign in to yet.
	if err := w.People.RemoveMember(t.Context(), owner, c.UserID); err != nil {
		t.Fatal(err)
	}
	if c := w.Caller(t, w.Login(t, ada).Access); c.TenantID == owner.TenantID || c.Role != tenant.Owner {
		t.Errorf("afterwards signed in to %s as %s", c.TenantID, c.Role)
	}
}

func TestAnotherTokenEndsTheRegistration(t *testing.T) {
	w := identity.New(t)
	w.User(t, "known@example.com", "")
	owner := w.Owner(t, "olga@example.com")
	used, other, revoked := w.Invite(t, owner, "used@example.com", "member"), w.Invite(t, owner, "other@example.com", "member"), w.Invite(t, owner, "back@example.com", "member")
	if _, err := byInvitation(t, w, "used@example.com", used); err != nil {
		t.Fatal(err)
	}
	open, err := w.People.Invites(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range open {
		if i.Email == "back@example.com" {
			if err := w.People.RevokeInvite(t.Context(), owner, i.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.Letters(t)
	verify := w.Register(t, inbound.Register{Email: "pending@example.com"})
	hashes, lines := w.Hasher.Hashes.Load(), len(w.Audit(t))
	refused := func(name, email, token string) {
		t.Helper()
		got, err := byInvitation(t, w, email, token)
		fails(t, name, err, auth.ErrTokenInvalid)
		if got != (inbound.Registered{}) || len(w.Mails(t)) != 0 {
			t.Errorf("%s: something happened", name)
		}
	}
	refused("another's, for a new address", ada, other)
	refused("another's, for a known address", "known@example.com", other)
	refused("used", "used@example.com", used)
	refused("used, for a new address", ada, used)
	refused("revoked", "back@example.com", revoked)
	refused("malformed", ada, "invite")
	refused("unknown", ada, strings.Repeat("A", 43))
	refused("a link that verifies", "pending@example.com", verify)
	w.Clock.Advance(72 * time.Hour)
	refused("expired", "other@example.com", other)
	if n := w.Hasher.Hashes.Load() - hashes; n != 0 {
		t.Errorf("%d hashes", n)
	}
	if n := len(w.Audit(t)); n != lines {
		t.Errorf("%d new lines in the audit log", n-lines)
	}
	from := inbound.Origin{IP: "192.0.2.1"}
	for range 20 {
		_, err = w.Auth.VerifyEmail(t.Context(), "guess", from)
		fails(t, "a guess", err, auth.ErrTokenInvalid)
	}
	_, err = w.Auth.Register(t.Context(), inbound.Register{Email: ada, Password: secret.New(identity.Password), InviteToken: "guess", Origin: from})
	fails(t, "a guess too many", err, auth.ErrTooMany)
}

func TestAnInvitationForAnAddressThatHasAnAccountStaysOpen(t *testing.T) {
	w := identity.New(t)
	owner := w.Owner(t, "olga@example.com")
	w.User(t, ada, "")
	token := w.Invite(t, owner, ada, "member")
	got, err := byInvitation(t, w, ada, token)
	if err != nil || got != (inbound.Registered{ExpiresIn: 24 * time.Hour}) {
		t.Fatalf("got %v, %v", got, err)
	}
	if letters := w.Letters(t); len(letters) != 1 || letters[0].Subject != "You already have an account" {
		t.Errorf("got mails %v", letters)
	}
	fails(t, "accept", w.People.AcceptInvite(t.Context(), w.Caller(t, w.Login(t, ada).Access), token), nil)
}

func TestAnInvitedUserGetsTheTenantThatItAsksForToo(t *testing.T) {
	w := identity.New(t)
	owner := w.Owner(t, "olga@example.com")
	w.User(t, "taken@example.com", "taken")
	_, err := w.Auth.Register(t.Context(), inbound.Register{
		Email: ada, Username: "taken", Password: secret.New(identity.Password), HasTenant: true, TenantName: "Engines", TenantSlug: "engines",
		InviteToken: w.Invite(t, owner, ada, "viewer"), Origin: identity.Somewhere(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if u := w.UserOf(t, ada); !u.Username().Empty() {
		t.Errorf("has the name %s of another", u.Username())
	}
	made, err := w.DB.View().Tenants.FindBySlug(t.Context(), "engines")
	if role, _ := made.RoleOf(w.UserOf(t, ada).ID()); err != nil || role != tenant.Owner {
		t.Errorf("got %v, %v", role, err)
	}
}

func TestARegistrationByInvitationIsAllOrNothing(t *testing.T) {
	for nth := 1; ; nth++ {
		w := identity.New(t)
		owner := w.Owner(t, "olga@example.com")
		token := w.Invite(t, owner, ada, "member")
		tripped := w.Faults.Trip(nth, errTripped)
		got, err := byInvitation(t, w, ada, token)
		if !tripped() {
			fails(t, "with nothing in the way", err, nil)
			if nth <= 10 {
				t.Errorf("%d operations only", nth-1)
			}
			return
		}
		fails(t, "tripped", err, errTripped)
		if _, found := w.DB.View().Users.FindByEmail(t.Context(), ada); got.Verified || found == nil || len(w.Mails(t)) != 0 {
			t.Errorf("operation %d failed, and something is kept", nth)
		}
		if _, err := byInvitation(t, w, ada, token); err != nil {
			t.Errorf("operation %d failed, and then: %v", nth, err)
		}
	}
}

func TestAnInvitationThatIsTakenMeanwhileIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(t *testing.T, w *identity.World, token string)
		want      error
	}{
		"by the same registration": {func(t *testing.T, w *identity.World, token string) {
			if _, err := byInvitation(t, w, ada, token); err != nil {
				t.Error(err)
			}
		}, auth.ErrTokenInvalid},
		"by another proof of the address": {func(t *testing.T, w *identity.World, _ string) {
			if _, _, err := w.Ops.CreateUser(t.Context(), inbound.NewUser{Email: ada, Password: identity.Password}); err != nil {
				t.Error(err)
			}
		}, nil},
	} {
		w := identity.New(t)
		token := w.Invite(t, w.Owner(t, "olga@example.com"), ada, "member")
		w.Faults.Before(func() { c.meanwhile(t, w, token) })
		got, err := byInvitation(t, w, ada, token)
		fails(t, name, err, c.want)
		if got.Verified {
			t.Errorf("%s: verified twice", name)
		}
	}
}
