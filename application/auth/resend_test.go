package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

func resend(t *testing.T, w *identity.World, email string) {
	t.Helper()
	if err := w.Auth.ResendVerification(somewhere(t.Context()), email); err != nil {
		t.Fatalf("resend to %s: %v", email, err)
	}
}

func TestAVerificationIsMailedAgainWithANewLink(t *testing.T) {
	w := identity.New(t)
	first := w.Register(t, inbound.Register{Email: ada, Username: "lovelace", Password: secret.New(newPassword), HasTenant: true, TenantName: "Engines", DisplayName: "Ada"})
	resend(t, w, ada)
	second := identity.TokenIn(t, w.Letters(t)[0])
	w.Clock.Advance(23 * time.Hour)
	resend(t, w, "ADA@example.com")
	letters := w.Letters(t)
	if len(letters) != 1 || letters[0].To != ada || letters[0].Subject != "Confirm your e-mail address" {
		t.Fatalf("got %v", letters)
	}
	third := identity.TokenIn(t, letters[0])
	if third == first || third == second {
		t.Error("the link is an old one")
	}
	w.Clock.Advance(2 * time.Hour) // the others have expired
	v, err := w.Auth.VerifyEmail(t.Context(), third, identity.Somewhere())
	if err != nil || !v.UsernameAssigned {
		t.Fatalf("verify: got %v, %v", v, err)
	}
	if u := w.UserOf(t, ada); u.Username().String() != "lovelace" {
		t.Errorf("the registration is not the newest one: %s", u.Username())
	}
	if _, err := loginWith(t, w, ada, newPassword); err != nil {
		t.Errorf("login: %v", err)
	}
	if n := w.Audited(t, "user_verification_resent"); n != 2 {
		t.Errorf("the audit log has %d lines, want 2", n)
	}
}

func TestNoLinkIsMailedAgainWhileAStrangersRegistrationWaits(t *testing.T) {
	w := identity.New(t)
	mine := w.Register(t, inbound.Register{Email: ada, Password: secret.New(newPassword)})
	w.Clock.Advance(time.Minute)
	w.Register(t, inbound.Register{Email: ada, Password: secret.New("a stranger's chosen words")})
	resend(t, w, ada)
	letters := w.Letters(t)
	if len(letters) != 1 || letters[0].To != ada || letters[0].Subject != "Register again to confirm your e-mail address" || strings.Contains(letters[0].Text+letters[0].HTML, "token=") {
		t.Fatalf("got %v", letters)
	}
	resend(t, w, ada)
	if n := len(w.Letters(t)); n != 0 {
		t.Errorf("%d more mails within the hour, want none after three", n)
	}
	if _, err := w.Auth.VerifyEmail(t.Context(), mine, identity.Somewhere()); err != nil {
		t.Fatalf("by the link of the registration: %v", err)
	}
	if _, err := loginWith(t, w, ada, newPassword); err != nil {
		t.Errorf("login: %v", err)
	}
}

func TestResendsAreAlikeForEveryAddressAndCountAsRegistrationsDo(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	w.Register(t, inbound.Register{Email: "bob@example.com"})
	owner := w.Owner(t, "olga@example.com")
	w.Register(t, inbound.Register{Email: "carol@example.com"}) // will be proven by an invitation, and this left behind
	invite(t, w, owner, "carol@example.com", inbound.Registered{Verified: true})
	for name, c := range map[string]struct{ email, to string }{
		"verified": {ada, ""}, "unknown": {"nobody@example.com", ""}, "pending": {"bob@example.com", "bob@example.com"}, "proven otherwise": {"carol@example.com", ""},
	} {
		dos, views, woken, asked := w.Faults.Dos.Load(), w.Faults.Views.Load(), w.Post.Woken.Load(), w.Throttle.Asked.Load()
		resend(t, w, c.email)
		if w.Faults.Dos.Load()-dos != 1 || w.Faults.Views.Load() != views || w.Post.Woken.Load()-woken != 1 || w.Throttle.Asked.Load()-asked != 1 {
			t.Errorf("%s: works otherwise", name)
		}
		if mails := w.Mails(t); len(mails) != 1 || mails[0].To != c.to {
			t.Errorf("%s: got mails %v, want one to %q", name, mails, c.to)
		}
	}
	resend(t, w, "bob@example.com")
	resend(t, w, "bob@example.com")
	if n := len(w.Letters(t)); n != 1 {
		t.Errorf("%d more mails, want 1: three an hour", n)
	}
	if err := w.Auth.ResendVerification(t.Context(), "bob"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("no address: got %v", err)
	}
	from := inbound.WithOrigin(t.Context(), inbound.Origin{IP: "192.0.2.1"})
	for range 10 {
		fails(t, "of one network", w.Auth.ResendVerification(from, "nobody@example.com"), nil)
	}
	fails(t, "the eleventh of one network", w.Auth.ResendVerification(from, "nobody@example.com"), auth.ErrTooMany)
}

// invite registers an address by an invitation.
func invite(t *testing.T, w *identity.World, by inbound.Caller, email string, want inbound.Registered) {
	t.Helper()
	got, err := w.Auth.Register(t.Context(), inbound.Register{
		Email: email, Password: secret.New(identity.Password), InviteToken: w.Invite(t, by, email, "member"), Origin: identity.Somewhere(),
	})
	if err != nil || got != want {
		t.Fatalf("register %s: got %v, %v", email, got, err)
	}
	w.Letters(t)
}

func TestWhatIsLiveIsBoundedHoweverOldItIs(t *testing.T) {
	w := identity.New(t, func(c *auth.Config) { c.ResetTTL = 3 * time.Hour })
	w.User(t, ada, "")
	for range 3 {
		w.Register(t, inbound.Register{Email: "bob@example.com"})
		resetToken(t, w, ada)
	}
	w.Clock.Advance(61 * time.Minute)
	for name, do := range map[string]func(){
		"registrations": func() { resend(t, w, "bob@example.com") },
		"links": func() {
			if err := w.Auth.RequestReset(somewhere(t.Context()), ada); err != nil {
				t.Fatal(err)
			}
		},
	} {
		do()
		if n := len(w.Letters(t)); n != 0 {
			t.Errorf("%s: %d mails", name, n)
		}
	}
	w.Clock.Advance(2 * time.Hour)
	if err := w.Auth.RequestReset(somewhere(t.Context()), ada); err != nil || len(w.Letters(t)) != 1 {
		t.Errorf("when the links have expired: %v, or no mail", err)
	}
}
