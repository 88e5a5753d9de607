package members_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/forge1/forge1/ports/inbound"
)

// errTripped is what a wire in the database gives.
var errTripped = errors.New("tripped")

// trace is all that may change in a house.
func (h house) trace(t *testing.T) string {
	t.Helper()
	repos := h.DB.View()
	out := fmt.Sprint(len(h.Mails(t)), " mails")
	for _, c := range []inbound.Caller{h.owner, h.admin, h.member} {
		mine, err := repos.Tenants.OfUser(t.Context(), c.UserID)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range mine {
			out += fmt.Sprintf("\n%+v", in.Snapshot())
			open, err := repos.Invites.List(t.Context(), in.ID(), h.Clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range open {
				out += fmt.Sprintf("\n%+v", i.Snapshot())
			}
			keys, err := repos.APIKeys.List(t.Context(), in.ID(), c.UserID)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range keys {
				out += fmt.Sprintf("\n%+v", k.Snapshot())
			}
		}
		sessions, err := repos.Sessions.OfUser(t.Context(), c.UserID, h.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, on := range sessions {
			out += fmt.Sprintf("\n%+v", on.Snapshot())
		}
	}
	return out
}

func TestNothingIsDoneByHalves(t *testing.T) {
	type attempt struct {
		h     house
		do    func() error
		least int // how many operations it is
	}
	// The admin has a key and an invitation of its own.
	set := func(t *testing.T) house {
		h := newHouse(t)
		if _, err := h.APIKey.Create(t.Context(), h.admin, inbound.CreateKey{Name: "k"}); err != nil {
			t.Fatal(err)
		}
		h.Invite(t, h.admin, "guest@example.com", "member")
		return h
	}
	for name, make := range map[string]func(t *testing.T) attempt{
		"list the members": func(t *testing.T) attempt {
			h := set(t)
			return attempt{h, func() error { return listMembers(t, h, h.owner) }, 2}
		},
		"list the invitations": func(t *testing.T) attempt {
			h := set(t)
			return attempt{h, func() error { _, err := h.People.Invites(t.Context(), h.owner); return err }, 1}
		},
		"refuse": func(t *testing.T) attempt {
			h := set(t)
			return attempt{h, func() error {
				if err := listMembers(t, h, h.member); code(err) != "role_insufficient" {
					return err
				}
				return nil
			}, 1}
		},
		"change a role": func(t *testing.T) attempt {
			h := set(t)
			return attempt{h, func() error { return changeRole(t, h, h.owner, h.admin.UserID, "viewer") }, 5}
		},
		"remove": func(t *testing.T) attempt {
			h := set(t)
			return attempt{h, func() error {
				return h.People.RemoveMember(t.Context(), h.owner, h.admin.UserID)
			}, 7}
		},
		"invite": func(t *testing.T) attempt {
			h := set(t)
			return attempt{h, func() error { _, err := h.People.Invite(t.Context(), h.owner, "new@example.com", "viewer"); return err }, 5}
		},
		"revoke": func(t *testing.T) attempt {
			h := set(t)
			open, err := h.People.Invites(t.Context(), h.owner)
			if err != nil {
				t.Fatal(err)
			}
			return attempt{h, func() error { return h.People.RevokeInvite(t.Context(), h.owner, open[0].ID) }, 1}
		},
		"accept": func(t *testing.T) attempt {
			h := set(t)
			token := h.Invite(t, h.owner, "guest@example.com", "member")
			guest := h.Owner(t, "guest@example.com")
			return attempt{h, func() error { return h.People.AcceptInvite(t.Context(), guest, token) }, 5}
		},
		"act in a tenant": func(t *testing.T) attempt {
			h := set(t)
			root := h.Admin(t, "root@example.com")
			return attempt{h, func() error { _, err := h.Platform.In(t.Context(), root, h.owner.TenantID); return err }, 1}
		},
		"delete": func(t *testing.T) attempt {
			h := set(t)
			root := h.Admin(t, "root@example.com")
			return attempt{h, func() error { return h.Platform.DeleteUser(t.Context(), root, h.admin.UserID) }, 8}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for nth := 1; ; nth++ {
				a := make(t)
				before := a.h.trace(t)
				tripped := a.h.Faults.Trip(nth, errTripped)
				err := a.do()
				if !tripped() {
					if err != nil || nth <= a.least {
						t.Errorf("with nothing in the way: %d operations, want %d, and %v", nth-1, a.least, err)
					}
					return
				}
				if after := a.h.trace(t); after != before {
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
