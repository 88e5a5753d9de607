// Package members is what administrators do with the people of a tenant: members, roles and invitations (Service); and what platform administrators do past that
// (Platform). Join, EndSessions, EndKeys, Withdraw and Delete are the steps that other use-cases share.
package members

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/forge1/forge1/application/audit"
	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// ErrRole is a caller whose role does not go that far.
var ErrRole = audit.ErrRole

// Ender is told what ended, and who changed, so that it is felt: on this node at once, on others within seconds.
type Ender interface {
	// Ended makes known that a user, or its role somewhere, changed, and which of its sessions ended.
	Ended(ctx context.Context, u user.ID, sessions ...session.ID)
}

// Postman is told that there is mail to carry.
type Postman interface {
	// Wake makes it look now instead of at its next round.
	Wake()
}

// Deps are what Service needs.
type Deps struct {
	Tx       outbound.Tx
	Throttle outbound.Throttle
	Keyring  outbound.Keyring
	Ender    Ender
	Postman  Postman
	Clock    outbound.Clock
	NewID    outbound.NewID
	Random   outbound.Random
	ToASCII  outbound.DomainToASCII
	Letters  letters.Config
}

// Service implements inbound.Members.
type Service struct{ Deps }

var _ inbound.Members = (*Service)(nil)

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// Members implements inbound.Members.
func (s *Service) Members(ctx context.Context, caller inbound.Caller) ([]inbound.MemberView, error) {
	if err := s.administers(ctx, caller, "members.list"); err != nil {
		return nil, err
	}
	repos := s.Tx.View()
	t, err := repos.Tenants.Find(ctx, caller.TenantID)
	if err != nil {
		return nil, fmt.Errorf("find tenant: %w", err)
	}
	members := t.Members()
	ids := make([]user.ID, len(members))
	for i, m := range members {
		ids[i] = m.User
	}
	people, err := repos.Directory.FindAll(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("find users: %w", err)
	}
	by := make(map[user.ID]*user.User, len(people))
	for _, u := range people {
		by[u.ID()] = u
	}
	views := make([]inbound.MemberView, 0, len(members))
	for _, m := range members {
		if u := by[m.User]; u != nil { // nil: removed since the tenant was read
			views = append(views, view(m, u))
		}
	}
	return views, nil
}

// ChangeRole implements inbound.Members. The member's sessions and keys go on, with the new role.
func (s *Service) ChangeRole(ctx context.Context, caller inbound.Caller, id user.ID, role string) (inbound.MemberView, error) {
	const action = "members.change_role"
	if err := s.administers(ctx, caller, action); err != nil {
		return inbound.MemberView{}, err
	}
	to, err := tenant.ParseRole(role)
	if err != nil {
		return inbound.MemberView{}, err
	}
	var changed inbound.MemberView
	err = s.Tx.Do(audit.By(ctx, caller), func(ctx context.Context, repos outbound.Repos) error {
		now := s.Clock()
		err := repos.Tenants.Update(ctx, caller.TenantID, func(t *tenant.Tenant) error {
			if err := mayTouch(t, caller, id, to); err != nil {
				return err
			}
			return t.ChangeRole(id, to, now)
		})
		if err != nil {
			return err
		}
		if err := Withdraw(ctx, repos, caller.TenantID, id, to, now); err != nil {
			return err
		}
		u, err := repos.Users.Find(ctx, id)
		if err != nil {
			return fmt.Errorf("find user: %w", err)
		}
		t, err := repos.Tenants.Find(ctx, caller.TenantID)
		if err != nil {
			return fmt.Errorf("find tenant: %w", err)
		}
		for _, m := range t.Members() {
			if m.User == id {
				changed = view(m, u)
			}
		}
		return nil
	})
	if err != nil {
		return inbound.MemberView{}, s.answer(ctx, caller, action, err)
	}
	s.Ender.Ended(ctx, id)
	return changed, nil
}

// RemoveMember implements inbound.Members.
func (s *Service) RemoveMember(ctx context.Context, caller inbound.Caller, id user.ID) error {
	const action = "members.remove"
	if err := s.administers(ctx, caller, action); err != nil {
		return err
	}
	var ended []session.ID
	err := s.Tx.Do(audit.By(ctx, caller), func(ctx context.Context, repos outbound.Repos) error {
		now := s.Clock()
		err := repos.Users.Update(ctx, id, func(u *user.User) error { // first, as whoever deletes a user locks it before its tenants
			u.Left(string(caller.TenantID))
			return nil
		})
		if errors.Is(err, user.ErrNotFound) {
			return tenant.ErrNotMember
		}
		if err != nil {
			return fmt.Errorf("forget tenant: %w", err)
		}
		err = repos.Tenants.Update(ctx, caller.TenantID, func(t *tenant.Tenant) error {
			if err := mayTouch(t, caller, id, ""); err != nil {
				return err
			}
			return t.Remove(id, now)
		})
		if err != nil {
			return err
		}
		if err := Withdraw(ctx, repos, caller.TenantID, id, "", now); err != nil {
			return err
		}
		if ended, err = EndSessions(ctx, repos, id, caller.TenantID, session.ByAdmin, now); err != nil {
			return err
		}
		return EndKeys(ctx, repos, id, caller.TenantID, now)
	})
	if err != nil {
		return s.answer(ctx, caller, action, err)
	}
	s.Ender.Ended(ctx, id, ended...)
	return nil
}

// administers lets administrators pass.
func (s *Service) administers(ctx context.Context, caller inbound.Caller, action string) error {
	return audit.Administers(ctx, s.Tx, s.Clock, caller, action)
}

// answer gives the error of an action. That a role did not go so far is noted outside the transaction that it ended.
func (s *Service) answer(ctx context.Context, caller inbound.Caller, action string, err error) error {
	if errors.Is(err, ErrRole) {
		return audit.Refuse(ctx, s.Tx, s.Clock, caller, action)
	}
	return fmt.Errorf("%s: %w", action, err)
}

// Withdraw takes the invitations back that a member has made and, in its new role ("" for none), could not make.
func Withdraw(ctx context.Context, repos outbound.Repos, in tenant.ID, by user.ID, role tenant.Role, now time.Time) error {
	open, err := repos.Invites.List(ctx, in, now)
	if err != nil {
		return fmt.Errorf("list invitations: %w", err)
	}
	for _, i := range open {
		if i.Snapshot().By != by || mayGive(role, i.Role()) {
			continue
		}
		err := repos.Invites.Revoke(ctx, in, i.ID(), func(i *tenant.Invite) error {
			i.Revoke(now)
			return nil
		})
		if err != nil && !errors.Is(err, tenant.ErrInviteNotFound) {
			return fmt.Errorf("revoke invitation: %w", err)
		}
	}
	return nil
}

// standing is the caller's role in the tenant as it is now: one that was taken away meanwhile counts no more. A platform administrator is what Platform.In made of it.
func standing(t *tenant.Tenant, caller inbound.Caller) tenant.Role {
	if caller.Platform {
		return caller.Role
	}
	role, _ := t.RoleOf(caller.UserID)
	return role
}

// mayTouch refuses a caller that may not give a member another role, or, with none, take it out.
func mayTouch(t *tenant.Tenant, caller inbound.Caller, id user.ID, to tenant.Role) error {
	role := standing(t, caller)
	if !role.Administers() {
		return ErrRole
	}
	from, ok := t.RoleOf(id)
	if !ok {
		return tenant.ErrNotMember
	}
	if !mayGive(role, from) || to != "" && !mayGive(role, to) {
		return ErrRole
	}
	return nil
}

// mayGive reports whether a role makes members of another role, and touches them.
func mayGive(role, other tenant.Role) bool {
	return role.Administers() && (role == tenant.Owner || other != tenant.Owner)
}

// EndSessions ends a user's sessions, in one tenant or, with "", in all of them, and says which. Ender is to be told of them once the transaction is over.
func EndSessions(ctx context.Context, repos outbound.Repos, id user.ID, in tenant.ID, why session.Reason, now time.Time) ([]session.ID, error) {
	open, err := repos.Sessions.OfUser(ctx, id, now)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	var ended []session.ID
	for _, on := range open {
		if in != "" && on.Tenant() != string(in) {
			continue
		}
		err := repos.Sessions.Update(ctx, on.ID(), func(current *session.Session) error {
			current.Revoke(why, now)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("end session: %w", err)
		}
		ended = append(ended, on.ID())
	}
	return ended, nil
}

// EndKeys ends the API keys that a user has made in a tenant.
func EndKeys(ctx context.Context, repos outbound.Repos, id user.ID, in tenant.ID, now time.Time) error {
	keys, err := repos.APIKeys.List(ctx, in, id)
	if err != nil {
		return fmt.Errorf("list API keys: %w", err)
	}
	for _, k := range keys {
		if !k.Live(now) {
			continue
		}
		err := repos.APIKeys.Update(ctx, k.ID(), func(current *tenant.APIKey) error {
			current.Revoke(now)
			return nil
		})
		if err != nil {
			return fmt.Errorf("revoke API key: %w", err)
		}
	}
	return nil
}

func view(m tenant.Member, u *user.User) inbound.MemberView {
	return inbound.MemberView{
		UserID: u.ID(), Email: u.Email().String(), Username: u.Username().String(), DisplayName: u.DisplayName(), Role: m.Role, Since: m.Since,
		MFAEnabled: u.MFA(), Active: u.MaySignIn(),
	}
}
