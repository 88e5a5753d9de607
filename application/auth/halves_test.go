package auth_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

// errTripped is what a wire in the database gives.
var errTripped = errors.New("tripped")

// attempt is a use-case that is ready to go.
type attempt struct {
	w     *identity.World
	do    func() error
	least int // how many operations it is
}

// trace is all that the attempts of this file may change for ada.
func (a attempt) trace(t *testing.T) string {
	t.Helper()
	now := a.w.Clock.Now()
	out := fmt.Sprint(len(a.w.Mails(t)), " mails")
	made, live, err := a.w.DB.View().Registrations.Since(t.Context(), ada, now.Add(-time.Hour), now)
	if err != nil {
		t.Fatal(err)
	}
	out += fmt.Sprint(", registrations ", made, live)
	u, err := a.w.DB.View().Users.FindByEmail(t.Context(), ada)
	if err != nil {
		return out
	}
	out += fmt.Sprintf(", user %+v", u.Snapshot())
	links, usable, err := a.w.DB.View().OneTime.Since(t.Context(), "reset", u.ID(), now.Add(-time.Hour), now)
	if err != nil {
		t.Fatal(err)
	}
	out += fmt.Sprint(", links ", links, usable)
	open, err := a.w.DB.View().Sessions.OfUser(t.Context(), u.ID(), now)
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range open {
		out += fmt.Sprintf(", session %+v", on.Snapshot())
	}
	return out
}

func TestNothingIsDoneByHalves(t *testing.T) {
	registered := func(t *testing.T) (*identity.World, string) {
		w := identity.New(t)
		return w, w.Register(t, inbound.Register{Email: ada, Username: "ada"})
	}
	signedIn := func(t *testing.T) (*identity.World, inbound.Caller) {
		w := identity.New(t)
		w.Owner(t, ada)
		return w, w.Caller(t, w.Login(t, ada).Access)
	}
	for name, set := range map[string]func(t *testing.T) attempt{
		"register": func(t *testing.T) attempt {
			w := identity.New(t)
			return attempt{w, func() error {
				_, err := w.Auth.Register(t.Context(), inbound.Register{Email: ada, Password: secret.New(identity.Password), Origin: identity.Somewhere()})
				return err
			}, 5}
		},
		"resend": func(t *testing.T) attempt {
			w, _ := registered(t)
			return attempt{w, func() error { return w.Auth.ResendVerification(somewhere(t.Context()), ada) }, 6}
		},
		"verify": func(t *testing.T) attempt {
			w, token := registered(t)
			return attempt{w, func() error {
				_, err := w.Auth.VerifyEmail(t.Context(), token, identity.Somewhere())
				return err
			}, 4}
		},
		"request a reset": func(t *testing.T) attempt {
			w, _ := signedIn(t)
			return attempt{w, func() error { return w.Auth.RequestReset(somewhere(t.Context()), ada) }, 5}
		},
		"reset": func(t *testing.T) attempt {
			w, _ := signedIn(t)
			token := resetToken(t, w, ada)
			return attempt{w, func() error { return reset(t, w, token, newPassword) }, 11}
		},
		"change": func(t *testing.T) attempt {
			w, c := signedIn(t)
			return attempt{w, func() error {
				return w.Auth.Change(somewhere(t.Context()), c, inbound.ChangePassword{Current: secret.New(identity.Password), New: secret.New(newPassword)})
			}, 9}
		},
		"switch": func(t *testing.T) attempt {
			w := identity.New(t)
			c := w.Owner(t, ada)
			there := w.Join(t, w.Owner(t, "olga@example.com"), ada, "member")
			return attempt{w, func() error {
				_, err := w.Auth.SwitchTenant(t.Context(), there, c.TenantID)
				return err
			}, 3}
		},
		"switch to another's": func(t *testing.T) attempt {
			w, c := signedIn(t)
			return attempt{w, func() error {
				_, err := w.Auth.SwitchTenant(t.Context(), c, "another")
				if code(err) == "tenant_access_denied" {
					return nil
				}
				return err
			}, 2}
		},
		"rename": func(t *testing.T) attempt {
			w, c := signedIn(t)
			name := "lovelace"
			return attempt{w, func() error {
				_, err := w.Auth.ChangeProfile(t.Context(), c, inbound.ProfileChange{Username: &name})
				return err
			}, 1}
		},
		"end a session": func(t *testing.T) attempt {
			w, c := signedIn(t)
			other := w.Login(t, ada).SessionID
			return attempt{w, func() error { return w.Auth.EndSession(t.Context(), c, other) }, 1}
		},
		"list the sessions": func(t *testing.T) attempt {
			w, c := signedIn(t)
			return attempt{w, func() error {
				_, err := w.Auth.Sessions(t.Context(), c)
				return err
			}, 2}
		},
		"who am I": func(t *testing.T) attempt {
			w := identity.New(t)
			w.Owner(t, ada)
			_, tokens := w.Enrol(t, ada)
			c := w.Caller(t, tokens.Access)
			return attempt{w, func() error {
				p, err := w.Auth.Me(t.Context(), c)
				if err == nil && (!p.MFAEnabled || p.RecoveryLeft != 10) {
					t.Errorf("who am I: got %+v", p)
				}
				return err
			}, 4}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for nth := 1; ; nth++ {
				a := set(t)
				before := a.trace(t)
				tripped := a.w.Faults.Trip(nth, errTripped)
				err := a.do()
				if !tripped() {
					if err != nil || nth <= a.least {
						t.Errorf("with nothing in the way: %d operations, want %d, and %v", nth-1, a.least, err)
					}
					return
				}
				if name == "rename" && nth > 1 {
					continue // what it answers is read once it is done
				}
				if after := a.trace(t); after != before {
					t.Errorf("operation %d failed with %v, and left\n%s\nof\n%s", nth, err, after, before)
				}
				if !errors.Is(err, errTripped) {
					t.Errorf("operation %d failed, the answer is %v", nth, err)
				}
				if err := a.do(); err != nil {
					t.Errorf("operation %d failed, and then: %v", nth, err)
				}
			}
		})
	}
}
