package members_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/application/members"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

// named is a world with an owner of a tenant of that name.
func named(t *testing.T, name string) (*identity.World, inbound.Caller) {
	t.Helper()
	w := identity.New(t)
	token := w.Register(t, inbound.Register{Email: "owner@example.com", HasTenant: true, TenantName: name})
	if _, err := w.Auth.VerifyEmail(t.Context(), token, identity.Somewhere()); err != nil {
		t.Fatal(err)
	}
	w.Letters(t)
	return w, w.Caller(t, w.Login(t, "owner@example.com").Access)
}

func TestAnInvitationIsMailedAndAcceptedOnce(t *testing.T) {
	w, owner := named(t, "Engines <b>of evil.example")
	made, err := w.People.Invite(t.Context(), owner, "Ada@Example.com", "admin")
	now := w.Clock.Now()
	want := inbound.InviteView{ID: made.ID, Email: "Ada@Example.com", Role: tenant.Admin, InvitedBy: owner.UserID, CreatedAt: now, ExpiresAt: now.Add(72 * time.Hour)}
	if err != nil || made != want || made.ID == "" {
		t.Fatalf("got %+v, %v, want %+v", made, err, want)
	}
	if open, err := w.People.Invites(t.Context(), owner); err != nil || cmp.Diff([]inbound.InviteView{want}, open) != "" {
		t.Errorf("listed %v, %v", open, err)
	}
	letters := w.Letters(t)
	if len(letters) != 1 || letters[0].To != "Ada@Example.com" || !strings.Contains(letters[0].Text, "“Engines <b>of evil. example”") ||
		!strings.Contains(letters[0].HTML, "“Engines &lt;b&gt;of evil. example”") || !strings.Contains(letters[0].Text, "https://forge.example/auth/invite?token=") {
		t.Fatalf("got mails %v", letters)
	}
	token := identity.TokenIn(t, letters[0])
	ada, bob := w.Owner(t, "ada@example.com"), w.Owner(t, "bob@example.com")
	for name, c := range map[string]struct {
		caller inbound.Caller
		token  string
	}{
		"by another": {bob, token}, "malformed": {ada, "token"}, "nothing": {ada, ""}, "unknown": {ada, strings.Repeat("A", 43)},
	} {
		fails(t, name, w.People.AcceptInvite(t.Context(), c.caller, c.token), auth.ErrTokenInvalid)
	}
	fails(t, "accept", w.People.AcceptInvite(t.Context(), ada, token), nil)
	fails(t, "accept again", w.People.AcceptInvite(t.Context(), ada, token), auth.ErrTokenInvalid)
	fails(t, "by another, once used", w.People.AcceptInvite(t.Context(), bob, token), auth.ErrTokenInvalid)
	if c := w.Caller(t, w.LoginIn(t, "ada@example.com", owner.TenantID).Access); c.Role != tenant.Admin {
		t.Errorf("joined as %s", c.Role)
	}
	if letters := w.Letters(t); len(letters) != 1 || letters[0].Subject != "You joined an organisation" || letters[0].To != "ada@example.com" {
		t.Errorf("got mails %v", letters)
	}
	if open, err := w.People.Invites(t.Context(), owner); err != nil || len(open) != 0 {
		t.Errorf("listed %v, %v", open, err)
	}
	for event, want := range map[string]int{"invite_created": 1, "invite_accepted": 1, "tenant_member_joined": 1} {
		if n := w.Audited(t, event); n != want {
			t.Errorf("%s: %d lines, want %d", event, n, want)
		}
	}
	_, err = w.People.Invite(t.Context(), owner, "ada@example.com", "viewer")
	fails(t, "a member", err, tenant.ErrIsMember)
}

func TestAnInvitationEnds(t *testing.T) {
	w, owner := named(t, "Engines")
	ada := w.Owner(t, "ada@example.com")
	first := w.Invite(t, owner, "ada@example.com", "member")
	second := w.Invite(t, owner, "ADA@example.com", "viewer")
	fails(t, "replaced", w.People.AcceptInvite(t.Context(), ada, first), auth.ErrTokenInvalid)
	open, err := w.People.Invites(t.Context(), owner)
	if err != nil || len(open) != 1 || open[0].Role != tenant.Viewer {
		t.Fatalf("listed %v, %v", open, err)
	}
	other := w.Owner(t, "olga@example.com")
	for name, id := range map[string]tenant.InviteID{"none": "", "unknown": "0198c000-0000-7000-8000-000000000000"} {
		fails(t, name, w.People.RevokeInvite(t.Context(), owner, id), tenant.ErrInviteNotFound)
	}
	fails(t, "another tenant's", w.People.RevokeInvite(t.Context(), other, open[0].ID), tenant.ErrInviteNotFound)
	fails(t, "take back", w.People.RevokeInvite(t.Context(), owner, open[0].ID), nil)
	fails(t, "taken back", w.People.AcceptInvite(t.Context(), ada, second), auth.ErrTokenInvalid)
	fails(t, "take back again", w.People.RevokeInvite(t.Context(), owner, open[0].ID), tenant.ErrInviteNotFound)
	third := w.Invite(t, owner, "ada@example.com", "member")
	w.Clock.Advance(72 * time.Hour)
	fails(t, "expired", w.People.AcceptInvite(t.Context(), ada, third), auth.ErrTokenInvalid)
	if open, err := w.People.Invites(t.Context(), owner); err != nil || len(open) != 0 {
		t.Errorf("listed %v, %v", open, err)
	}
}

func TestAnAdminsHandsAreOffInvitationsOfOwners(t *testing.T) {
	h := newHouse(t)
	h.Invite(t, h.owner, "second@example.com", "owner")
	open, err := h.People.Invites(t.Context(), h.admin)
	if err != nil || len(open) != 1 {
		t.Fatal(open, err)
	}
	fails(t, "by an admin", h.People.RevokeInvite(t.Context(), h.admin, open[0].ID), members.ErrRole)
	fails(t, "by the owner", h.People.RevokeInvite(t.Context(), h.owner, open[0].ID), nil)
}

func TestBadInvitationsAreNamed(t *testing.T) {
	w, owner := named(t, "Engines")
	for name, c := range map[string]struct{ email, role string }{
		"no address": {"ada", "member"}, "a second address": {"a@b.example,c@d.example", "member"}, "a header": {"a@b.example\r\nBcc: c@d.example", "member"},
		"no role": {"ada@example.com", ""}, "an unknown role": {"ada@example.com", "root"},
	} {
		if _, err := w.People.Invite(t.Context(), owner, c.email, c.role); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := len(w.Mails(t)); n != 0 {
		t.Errorf("%d mails", n)
	}
}

func TestInvitationsAreBounded(t *testing.T) {
	w, owner := named(t, "Engines")
	olga := w.Owner(t, "olga@example.com")
	invite := func(by inbound.Caller, email string) error {
		_, err := w.People.Invite(t.Context(), by, email, "member")
		return err
	}
	for i, by := range []inbound.Caller{owner, olga, owner} {
		fails(t, fmt.Sprint("mail ", i), invite(by, "ada@example.com"), nil)
	}
	err := invite(olga, "ADA@example.com")
	fails(t, "a fourth mail to an address, whoever invites", err, members.ErrTooMany)
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Exhausted || f.RetryAfter <= 0 {
		t.Errorf("says when: %v", err)
	}
	fails(t, "to another", invite(olga, "bob@example.com"), nil)
	w.Clock.Advance(time.Hour)
	fails(t, "an hour later", invite(olga, "ada@example.com"), nil)

	w.Throttle.Down(errors.New("away"))
	fails(t, "uncounted", invite(owner, "carol@example.com"), fault.ErrDependency)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.People.Invite(gone, owner, "carol@example.com", "member")
	fails(t, "by a client that left", err, context.Canceled)
	w.Throttle.Down(nil)
	for i := range 199 {
		if err := invite(owner, fmt.Sprintf("u%d@example.com", i)); err != nil {
			t.Fatalf("invitation %d: %v", i, err)
		}
	}
	_ = invite(owner, "u199@example.com")
	fails(t, "more than 200 an hour", invite(owner, "u200@example.com"), members.ErrTooMany)
}

func TestATenantHasSoManyOpenInvitations(t *testing.T) {
	w, owner := named(t, "Engines")
	add := func(i int) {
		t.Helper()
		to, err := user.ParseEmail(fmt.Sprintf("u%d@example.com", i), w.Auth.ToASCII)
		if err != nil {
			t.Fatal(err)
		}
		now := w.Clock.Now()
		made := tenant.NewInvite(tenant.InviteID(identity.NewID()), owner.TenantID, to, tenant.Plain, [32]byte{byte(i), byte(i >> 8)}, owner.UserID, now, now.Add(time.Hour))
		if err := w.DB.View().Invites.Add(t.Context(), made); err != nil {
			t.Fatal(err)
		}
	}
	for i := range tenant.MaxInvites {
		add(i)
	}
	_, err := w.People.Invite(t.Context(), owner, "more@example.com", "member")
	fails(t, "one more", err, members.ErrTooMany)
	_, err = w.People.Invite(t.Context(), owner, "u7@example.com", "viewer")
	fails(t, "one again", err, nil)
	w.Clock.Advance(time.Hour)
	_, err = w.People.Invite(t.Context(), owner, "more@example.com", "member")
	fails(t, "when they have expired", err, nil)
}

func TestWhoJoinedOtherwiseIsAMemberAlready(t *testing.T) {
	w, owner := named(t, "Engines")
	ada := w.Owner(t, "ada@example.com")
	token := w.Invite(t, owner, "ada@example.com", "admin")
	err := w.DB.View().Tenants.Update(t.Context(), owner.TenantID, func(in *tenant.Tenant) error { return in.Join(ada.UserID, tenant.Viewer, w.Clock.Now()) })
	if err != nil {
		t.Fatal(err)
	}
	fails(t, "accept", w.People.AcceptInvite(t.Context(), ada, token), tenant.ErrIsMember)
	if c := w.Caller(t, w.LoginIn(t, "ada@example.com", owner.TenantID).Access); c.Role != tenant.Viewer {
		t.Errorf("is %s", c.Role)
	}
}

func TestAnInvitationOfATenantThatIsGoneIsNone(t *testing.T) {
	w, owner := named(t, "Engines")
	ada := w.Owner(t, "ada@example.com")
	token := w.Invite(t, owner, "ada@example.com", "admin")
	w.Faults.Before(func() { fails(t, "delete", w.Ops.DeleteUser(t.Context(), "owner@example.com"), nil) })
	fails(t, "accept", w.People.AcceptInvite(t.Context(), ada, token), auth.ErrTokenInvalid)
	_, err := w.Auth.Register(t.Context(), inbound.Register{
		Email: "bob@example.com", Password: secret.New(identity.Password), InviteToken: token, Origin: identity.Somewhere(),
	})
	fails(t, "register", err, auth.ErrTokenInvalid)
}

func TestAnAdminWritesOverNoInvitationOfAnOwnerToBe(t *testing.T) {
	h := newHouse(t)
	token := h.Invite(t, h.owner, "heir@example.com", "owner")
	h.Clock.Advance(time.Hour)
	for _, role := range []string{"viewer", "admin"} {
		_, err := h.People.Invite(t.Context(), h.admin, "heir@example.com", role)
		fails(t, "invite as "+role, err, members.ErrRole)
	}
	h.Letters(t)
	fails(t, "accept", h.People.AcceptInvite(t.Context(), h.Owner(t, "heir@example.com"), token), nil)
	h.Letters(t)
	h.Invite(t, h.owner, "late@example.com", "owner")
	h.Clock.Advance(73 * time.Hour)
	_, err := h.People.Invite(t.Context(), h.admin, "late@example.com", "viewer")
	fails(t, "when the other has expired", err, nil)
}
