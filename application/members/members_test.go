package members_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/audit"
	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/application/members"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

// house is a tenant with a member of every role; each of them has a tenant of its own besides.
type house struct {
	*identity.World
	owner, admin, member, viewer inbound.Caller
}

func newHouse(t *testing.T) house {
	t.Helper()
	h := house{World: identity.New(t)}
	h.owner = h.Owner(t, "owner@example.com")
	for role, c := range map[string]*inbound.Caller{"admin": &h.admin, "member": &h.member, "viewer": &h.viewer} {
		h.User(t, role+"@example.com", role+"1")
		h.Clock.Advance(time.Second)
		*c = h.Join(t, h.owner, role+"@example.com", role)
	}
	return h
}

// machine makes a caller an API key of its own, of a scope.
func machine(c inbound.Caller, s tenant.Scope) inbound.Caller {
	c.SessionID, c.KeyID, c.Scopes = "", "k", []tenant.Scope{s}
	return c
}

// fails fails the test unless an error is the one wanted, nil for none.
func fails(t *testing.T, name string, got, want error) {
	t.Helper()
	if (want == nil) != (got == nil) || !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", name, got, want)
	}
}

// roles are the members' roles, as the owner sees them.
func (h house) roles(t *testing.T) map[user.ID]tenant.Role {
	t.Helper()
	views, err := h.People.Members(t.Context(), h.owner)
	if err != nil {
		t.Fatal(err)
	}
	roles := map[user.ID]tenant.Role{}
	for _, v := range views {
		roles[v.UserID] = v.Role
	}
	return roles
}

func TestMembersAreListedOldestFirst(t *testing.T) {
	w := identity.New(t)
	owner := w.Owner(t, "owner@example.com")
	since := w.Clock.Now()
	w.User(t, "ada@example.com", "ada")
	w.Enrol(t, "ada@example.com")
	token := w.Invite(t, owner, "ada@example.com", "viewer")
	ada := w.UserOf(t, "ada@example.com")
	fails(t, "accept", w.People.AcceptInvite(t.Context(), inbound.Caller{UserID: ada.ID(), SessionID: "s"}, token), nil)
	if err := w.Ops.DisableUser(t.Context(), "ada@example.com"); err != nil {
		t.Fatal(err)
	}
	got, err := w.People.Members(t.Context(), owner)
	want := []inbound.MemberView{
		{UserID: owner.UserID, Email: "owner@example.com", Role: tenant.Owner, Since: since, Active: true},
		{UserID: ada.ID(), Email: "ada@example.com", Username: "ada", Role: tenant.Viewer, Since: w.Clock.Now(), MFAEnabled: true},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v; -want +got:\n%s", err, diff)
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	h := newHouse(t)
	callers := map[string]inbound.Caller{
		"owner": h.owner, "admin": h.admin, "member": h.member, "viewer": h.viewer,
		"a key for models": machine(h.owner, tenant.ScopeAI), "a key of an admin": machine(h.admin, tenant.ScopeAdmin), "a key of a member": machine(h.member, tenant.ScopeAdmin),
	}
	administer := []string{"owner", "admin", "a key of an admin"}
	for action, c := range map[string]struct {
		do      func(inbound.Caller) error
		allowed []string
	}{
		"list members": {func(c inbound.Caller) error { _, err := h.People.Members(t.Context(), c); return err }, administer},
		"list invites": {func(c inbound.Caller) error { _, err := h.People.Invites(t.Context(), c); return err }, administer},
		"read the log": {func(c inbound.Caller) error {
			_, err := h.Log.List(t.Context(), c, inbound.AuditQuery{})
			return err
		}, administer},
		"invite an owner": {func(c inbound.Caller) error {
			_, err := h.People.Invite(t.Context(), c, string(c.UserID)+"@example.com", "owner")
			return err
		}, []string{"owner"}},
		"make an owner": {func(c inbound.Caller) error {
			_, err := h.People.ChangeRole(t.Context(), c, h.admin.UserID, "owner")
			if err == nil {
				_, err = h.People.ChangeRole(t.Context(), h.owner, h.admin.UserID, "admin")
			}
			return err
		}, []string{"owner"}},
		"demote an owner": {func(c inbound.Caller) error {
			_, err := h.People.ChangeRole(t.Context(), c, h.owner.UserID, "viewer")
			if errors.Is(err, tenant.ErrLastOwner) {
				return nil
			}
			return err
		}, []string{"owner"}},
		"remove an owner": {func(c inbound.Caller) error {
			err := h.People.RemoveMember(t.Context(), c, h.owner.UserID)
			if errors.Is(err, tenant.ErrLastOwner) {
				return nil
			}
			return err
		}, []string{"owner"}},
		"change a role": {func(c inbound.Caller) error {
			_, err := h.People.ChangeRole(t.Context(), c, h.viewer.UserID, "viewer")
			return err
		}, administer},
		"take an invitation back": {func(c inbound.Caller) error {
			err := h.People.RevokeInvite(t.Context(), c, "none")
			if errors.Is(err, tenant.ErrInviteNotFound) {
				return nil
			}
			return err
		}, administer},
	} {
		for name, caller := range callers {
			before := h.Audited(t, "authz_fail")
			err := c.do(caller)
			noted := h.Audited(t, "authz_fail") - before
			if slices.Contains(c.allowed, name) {
				fails(t, action+" by "+name, err, nil)
			} else {
				fails(t, action+" by "+name, err, members.ErrRole)
			}
			if (noted == 1) != (err != nil) {
				t.Errorf("%s by %s: %d refusals in the audit log", action, name, noted)
			}
		}
	}
	for _, name := range []string{"a key of an admin", "a key for models"} {
		fails(t, "accept by "+name, h.People.AcceptInvite(t.Context(), callers[name], "token"), audit.ErrSessionOnly)
	}
}

func TestANewRoleIsFeltAtOnceAndTheSessionGoesOn(t *testing.T) {
	h := newHouse(t)
	there := h.Node(t)
	in := h.LoginIn(t, "admin@example.com", h.owner.TenantID)
	key, err := h.APIKey.Create(t.Context(), h.Caller(t, in.Access), inbound.CreateKey{Name: "k", Scopes: []string{"admin"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, credential := range []string{in.Access, key.Key} {
		h.Caller(t, credential)
		there.Caller(t, credential)
	}
	h.Clock.Advance(time.Second)
	got, err := h.People.ChangeRole(t.Context(), h.owner, h.admin.UserID, "viewer")
	if err != nil || got.UserID != h.admin.UserID || got.Role != tenant.Viewer || got.Email != "admin@example.com" {
		t.Fatalf("got %+v, %v", got, err)
	}
	fails(t, "another's role, after it", changeRole(t, h, h.owner, h.member.UserID, "viewer"), nil)
	for name, credential := range map[string]string{"session": in.Access, "key": key.Key} {
		if c := h.Caller(t, credential); c.Role != tenant.Viewer {
			t.Errorf("%s here: still %s", name, c.Role)
		}
	}
	h.Clock.Advance(4 * time.Second)
	for name, credential := range map[string]string{"session": in.Access, "key": key.Key} {
		if c := there.Caller(t, credential); c.Role != tenant.Viewer {
			t.Errorf("%s there, five seconds after it was seen: still %s", name, c.Role)
		}
	}
	if _, err := h.Auth.Refresh(t.Context(), in.Refresh, identity.Somewhere()); err != nil {
		t.Errorf("refresh: %v", err)
	}
	fails(t, "by the demoted", listMembers(t, h, h.Caller(t, in.Access)), members.ErrRole)
	// What another node remembers does not let the demoted change anything.
	fails(t, "by whoever is remembered as admin", changeRole(t, h, h.admin, h.viewer.UserID, "member"), members.ErrRole)
	_, err = h.People.Invite(t.Context(), h.admin, "new@example.com", "member")
	fails(t, "an invitation by whoever is remembered as admin", err, members.ErrRole)
}

func listMembers(t *testing.T, h house, c inbound.Caller) error {
	t.Helper()
	_, err := h.People.Members(t.Context(), c)
	return err
}

func changeRole(t *testing.T, h house, c inbound.Caller, id user.ID, role string) error {
	t.Helper()
	_, err := h.People.ChangeRole(t.Context(), c, id, role)
	return err
}

func TestAMemberThatIsRemovedIsOutOfThisTenantAlone(t *testing.T) {
	h := newHouse(t)
	there := h.Node(t)
	own, err := h.DB.View().Tenants.OfUser(t.Context(), h.admin.UserID)
	if err != nil || len(own) != 2 {
		t.Fatal(len(own), err)
	}
	here := h.LoginIn(t, "admin@example.com", h.owner.TenantID)
	elsewhere := h.LoginIn(t, "admin@example.com", own[0].ID())
	keyHere, err := h.APIKey.Create(t.Context(), h.Caller(t, here.Access), inbound.CreateKey{Name: "here"})
	if err != nil {
		t.Fatal(err)
	}
	keyElsewhere, err := h.APIKey.Create(t.Context(), h.Caller(t, elsewhere.Access), inbound.CreateKey{Name: "elsewhere"})
	if err != nil {
		t.Fatal(err)
	}
	ended, err := h.APIKey.Create(t.Context(), h.Caller(t, here.Access), inbound.CreateKey{Name: "ended before", ExpiresAt: h.Clock.Now().Add(time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	h.Clock.Advance(time.Second)
	h.Invite(t, h.Caller(t, here.Access), "guest@example.com", "member")
	for _, node := range []*identity.World{h.World, there} {
		node.Caller(t, here.Access)
		node.Caller(t, keyHere.Key)
	}
	fails(t, "remove", h.People.RemoveMember(t.Context(), h.owner, h.admin.UserID), nil)
	for name, credential := range map[string]string{"session": here.Access, "key": keyHere.Key} {
		if _, err := h.Gate.Authenticate(t.Context(), credential); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("%s here: got %v", name, err)
		}
	}
	h.Clock.Advance(5 * time.Second)
	for name, credential := range map[string]string{"session": here.Access, "key": keyHere.Key} {
		if _, err := there.Gate.Authenticate(t.Context(), credential); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("%s there: got %v", name, err)
		}
	}
	_, err = h.Auth.Refresh(t.Context(), here.Refresh, identity.Somewhere())
	fails(t, "refresh", err, session.ErrRefreshInvalid)
	h.Caller(t, elsewhere.Access)
	h.Caller(t, keyElsewhere.Key)
	if _, err := h.Auth.Refresh(t.Context(), elsewhere.Refresh, identity.Somewhere()); err != nil {
		t.Errorf("refresh elsewhere: %v", err)
	}
	if _, there := h.roles(t)[h.admin.UserID]; there {
		t.Error("is listed yet")
	}
	if open, err := h.People.Invites(t.Context(), h.owner); err != nil || len(open) != 0 {
		t.Errorf("its invitations: %v, %v", open, err)
	}
	if k, err := h.DB.View().APIKeys.Find(t.Context(), ended.View.ID); err != nil || !k.Snapshot().EndsAt.IsZero() {
		t.Errorf("a key that had expired: %v, %v", k.Snapshot().EndsAt, err)
	}
	fails(t, "again", h.People.RemoveMember(t.Context(), h.owner, h.admin.UserID), tenant.ErrNotMember)
	// A member that comes back begins anew: its sessions and keys stay ended.
	h.Join(t, h.owner, "admin@example.com", "viewer")
	if _, err := h.Gate.Authenticate(t.Context(), keyHere.Key); !errors.Is(err, auth.ErrUnauthenticated) {
		t.Errorf("an old key of a member that came back: got %v", err)
	}
}

func TestATenantSeesNothingOfAMemberThatIsOut(t *testing.T) {
	h := newHouse(t)
	h.LoginIn(t, "admin@example.com", h.owner.TenantID)
	failed := func() int {
		t.Helper()
		_, err := h.Auth.Login(t.Context(), inbound.Login{Email: "admin@example.com", Password: secret.New("wrong"), Origin: identity.Somewhere()})
		fails(t, "login", err, auth.ErrInvalidCredentials)
		lines, err := h.Log.List(t.Context(), h.owner, inbound.AuditQuery{Event: "authn_login_fail", Subject: string(h.admin.UserID)})
		fails(t, "list", err, nil)
		return len(lines)
	}
	if n := failed(); n != 1 {
		t.Errorf("of a member: %d lines, want 1", n)
	}
	fails(t, "remove", h.People.RemoveMember(t.Context(), h.owner, h.admin.UserID), nil)
	if n := failed(); n != 1 {
		t.Errorf("of one that is out: %d more lines", n-1)
	}
	h.Owner(t, "other@example.com")
	fails(t, "nobody", h.People.RemoveMember(t.Context(), h.owner, h.UserOf(t, "other@example.com").ID()), tenant.ErrNotMember)
}

func TestATenantKeepsAnOwner(t *testing.T) {
	h := newHouse(t)
	fails(t, "demote the last", changeRole(t, h, h.owner, h.owner.UserID, "admin"), tenant.ErrLastOwner)
	fails(t, "remove the last", h.People.RemoveMember(t.Context(), h.owner, h.owner.UserID), tenant.ErrLastOwner)
	fails(t, "make another", changeRole(t, h, h.owner, h.member.UserID, "owner"), nil)
	fails(t, "leave", h.People.RemoveMember(t.Context(), h.owner, h.owner.UserID), nil)
	fails(t, "a stranger", changeRole(t, h, h.admin, h.owner.UserID, "viewer"), tenant.ErrNotMember)
}

func TestBadRolesAndStrangersAreNamed(t *testing.T) {
	h := newHouse(t)
	stranger := h.Owner(t, "stranger@example.com")
	if err := changeRole(t, h, h.owner, h.viewer.UserID, "root"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("role: got %v", err)
	}
	for name, id := range map[string]user.ID{"a stranger": stranger.UserID, "nobody": "0198c000-0000-7000-8000-000000000000", "nothing": "", "a NUL": "\x00"} {
		fails(t, "the role of "+name, changeRole(t, h, h.owner, id, "viewer"), tenant.ErrNotMember)
		fails(t, "remove "+name, h.People.RemoveMember(t.Context(), h.owner, id), tenant.ErrNotMember)
	}
}

func TestInvitationsOfADemotedMemberThatItCouldNotMakeAreTakenBack(t *testing.T) {
	h := newHouse(t)
	fails(t, "promote", changeRole(t, h, h.owner, h.admin.UserID, "owner"), nil)
	second := h.Caller(t, h.LoginIn(t, "admin@example.com", h.owner.TenantID).Access)
	owner, plain, another := h.Invite(t, second, "a@example.com", "owner"), h.Invite(t, second, "b@example.com", "member"), h.Invite(t, h.owner, "c@example.com", "owner")
	fails(t, "demote", changeRole(t, h, h.owner, h.admin.UserID, "admin"), nil)
	for email, c := range map[string]struct {
		token string
		want  error
	}{"a@example.com": {owner, auth.ErrTokenInvalid}, "b@example.com": {plain, nil}, "c@example.com": {another, nil}} {
		fails(t, email, h.People.AcceptInvite(t.Context(), h.Owner(t, email), c.token), c.want)
		h.Letters(t)
	}
}

func code(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Code
	}
	return ""
}
