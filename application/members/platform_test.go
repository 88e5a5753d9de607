package members_test

import (
	"errors"
	"testing"
	"time"

	"github.com/forge1/forge1/application/audit"
	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/application/members"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

func TestAPlatformAdministratorActsInAnyTenantAsAnOwner(t *testing.T) {
	h := newHouse(t)
	root := h.Admin(t, "root@example.com")
	in, err := h.Platform.In(t.Context(), root, h.owner.TenantID)
	if err != nil || in.TenantID != h.owner.TenantID || in.Role != tenant.Owner || in.UserID != root.UserID || in.SessionID != root.SessionID {
		t.Fatalf("got %+v, %v", in, err)
	}
	views, err := h.People.Members(t.Context(), in)
	if err != nil || len(views) != 4 {
		t.Errorf("members: %v, %v", views, err)
	}
	fails(t, "promote", changeRole(t, h, in, h.admin.UserID, "owner"), nil)
	fails(t, "demote", changeRole(t, h, in, h.owner.UserID, "viewer"), nil)
	fails(t, "remove", h.People.RemoveMember(t.Context(), in, h.owner.UserID), nil)
	if _, err := h.People.Invite(t.Context(), in, "new@example.com", "owner"); err != nil {
		t.Errorf("invite: %v", err)
	}
	lines, err := h.Log.List(t.Context(), in, inbound.AuditQuery{Event: "tenant_role_changed"})
	if err != nil || len(lines) != 2 || lines[0].ActorID != string(root.UserID) {
		t.Errorf("the log: %v, %v", lines, err)
	}
	_, err = h.Platform.In(t.Context(), root, "0198c000-0000-7000-8000-000000000000")
	fails(t, "no tenant", err, tenant.ErrNotFound)
}

func TestNobodyElseActsForThePlatform(t *testing.T) {
	h := newHouse(t)
	root := h.Admin(t, "root@example.com")
	for name, c := range map[string]struct {
		caller inbound.Caller
		want   error
	}{"an owner": {h.owner, members.ErrRole}, "a viewer": {h.viewer, members.ErrRole}, "a key of an administrator": {machine(root, tenant.ScopeAdmin), audit.ErrSessionOnly}} {
		got, err := h.Platform.In(t.Context(), c.caller, root.TenantID)
		fails(t, name, err, c.want)
		if got.TenantID != "" {
			t.Errorf("%s: acts in %s", name, got.TenantID)
		}
		fails(t, name, h.Platform.DeleteUser(t.Context(), c.caller, root.UserID), c.want)
	}
	if n := h.Audited(t, "authz_fail"); n != 4 {
		t.Errorf("%d refusals in the audit log, want 4", n)
	}
	h.Caller(t, h.Login(t, "root@example.com").Access)
}

func TestADeletedUserIsGoneWithAllThatItHad(t *testing.T) {
	h := newHouse(t)
	root := h.Admin(t, "root@example.com")
	there := h.Node(t)
	in := h.LoginIn(t, "admin@example.com", h.owner.TenantID)
	key, err := h.APIKey.Create(t.Context(), h.Caller(t, in.Access), inbound.CreateKey{Name: "k"})
	if err != nil {
		t.Fatal(err)
	}
	h.Invite(t, h.Caller(t, in.Access), "guest@example.com", "member")
	own, err := h.DB.View().Tenants.OfUser(t.Context(), h.admin.UserID)
	if err != nil {
		t.Fatal(err)
	}
	there.Caller(t, in.Access)
	h.Caller(t, key.Key)
	fails(t, "delete", h.Platform.DeleteUser(t.Context(), root, h.admin.UserID), nil)
	for name, credential := range map[string]string{"session": in.Access, "key": key.Key} {
		if _, err := h.Gate.Authenticate(t.Context(), credential); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	h.Clock.Advance(5 * time.Second)
	if _, err := there.Gate.Authenticate(t.Context(), in.Access); !errors.Is(err, auth.ErrUnauthenticated) {
		t.Errorf("there: got %v", err)
	}
	_, err = h.Auth.Refresh(t.Context(), in.Refresh, identity.Somewhere())
	fails(t, "refresh", err, session.ErrRefreshInvalid)
	if _, there := h.roles(t)[h.admin.UserID]; there {
		t.Error("is a member yet")
	}
	if open, err := h.People.Invites(t.Context(), h.owner); err != nil || len(open) != 0 {
		t.Errorf("its invitations: %v, %v", open, err)
	}
	for _, in := range own {
		_, err := h.DB.View().Tenants.Find(t.Context(), in.ID())
		if in.ID() == h.owner.TenantID {
			fails(t, "the tenant of others", err, nil)
		} else {
			fails(t, "its own tenant", err, tenant.ErrNotFound)
		}
	}
	for event, want := range map[string]int{"user_deleted": 1, "tenant_deleted": 1, "tenant_member_left": 1} {
		if n := h.Audited(t, event); n != want {
			t.Errorf("%s: %d lines, want %d", event, n, want)
		}
	}
	for _, l := range h.Audit(t) {
		if l.Event == "user_deleted" && (l.Actor != string(root.UserID) || l.Subject != string(h.admin.UserID)) {
			t.Errorf("line %+v", l)
		}
	}
	fails(t, "again", h.Platform.DeleteUser(t.Context(), root, h.admin.UserID), user.ErrNotFound)
	h.User(t, "admin@example.com", "admin1") // address and name are free again
}

func TestTheLastOwnerOfOthersIsNotDeleted(t *testing.T) {
	h := newHouse(t)
	root := h.Admin(t, "root@example.com")
	fails(t, "delete", h.Platform.DeleteUser(t.Context(), root, h.owner.UserID), tenant.ErrLastOwner)
	h.Caller(t, h.Login(t, "owner@example.com").Access)
	if n := h.Audited(t, "user_deleted") + h.Audited(t, "authn_token_revoked"); n != 0 {
		t.Errorf("%d lines of what did not happen", n)
	}
	fails(t, "promote", changeRole(t, h, h.owner, h.viewer.UserID, "owner"), nil)
	fails(t, "delete", h.Platform.DeleteUser(t.Context(), root, h.owner.UserID), nil)
}

func TestATenantThatFillsOrEmptiesWhileAUserIsDeleted(t *testing.T) {
	w := identity.New(t)
	root := w.Admin(t, "root@example.com")
	owner, guest := w.Owner(t, "olga@example.com"), w.Owner(t, "guest@example.com")
	token := w.Invite(t, owner, "guest@example.com", "member")
	w.Faults.Before(func() { fails(t, "accept", w.People.AcceptInvite(t.Context(), guest, token), nil) })
	fails(t, "an owner who was alone a moment ago", w.Platform.DeleteUser(t.Context(), root, owner.UserID), tenant.ErrLastOwner)
	w.Faults.Before(func() { fails(t, "remove", w.People.RemoveMember(t.Context(), owner, guest.UserID), nil) })
	fails(t, "a member who was removed a moment ago", w.Platform.DeleteUser(t.Context(), root, guest.UserID), nil)
}
