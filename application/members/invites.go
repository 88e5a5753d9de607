package members

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/forge1/forge1/application/audit"
	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// ErrTooMany is more invitations than one address, or one tenant, is to have.
var ErrTooMany = fault.New(fault.Exhausted, "too_many_attempts", "too many invitations; wait, or take some back")

// How many invitations are mailed: an address is not to be flooded, whoever invites it.
const (
	perAddress = 3
	perTenant  = 200
	perWindow  = letters.Window
	leaseTTL   = time.Microsecond // all count, so that nothing is to be given back

	labelThrottle = "throttle"
)

// Invite implements inbound.Members. Its answer does not depend on whether the address has an account, unless that is a member of this tenant.
func (s *Service) Invite(ctx context.Context, caller inbound.Caller, email, role string) (inbound.InviteView, error) {
	const action = "invites.create"
	if err := s.administers(ctx, caller, action); err != nil {
		return inbound.InviteView{}, err
	}
	to, err := user.ParseEmail(email, s.ToASCII)
	if err != nil {
		return inbound.InviteView{}, err
	}
	as, err := tenant.ParseRole(role)
	if err != nil {
		return inbound.InviteView{}, err
	}
	if !mayGive(caller.Role, as) {
		return inbound.InviteView{}, s.answer(ctx, caller, action, ErrRole)
	}
	if err := s.pace(ctx, caller.TenantID, to); err != nil {
		return inbound.InviteView{}, err
	}
	token, hash := letters.NewToken(s.Random)
	id := tenant.InviteID(s.NewID())
	var made *tenant.Invite
	err = s.Tx.Do(audit.By(ctx, caller), func(ctx context.Context, repos outbound.Repos) error {
		now := s.Clock()
		made = tenant.NewInvite(id, caller.TenantID, to, as, hash, caller.UserID, now, now.Add(s.Letters.InviteTTL))
		name, err := s.room(ctx, repos, caller, to, as)
		if err != nil {
			return err
		}
		if err := repos.Invites.Add(ctx, made); err != nil {
			return fmt.Errorf("add invitation: %w", err)
		}
		return s.post(ctx, repos.Outbox, "invite:"+string(id), letters.New(s.Letters).Invitation(to, name, as, token), now)
	})
	if err != nil {
		return inbound.InviteView{}, s.answer(ctx, caller, action, err)
	}
	s.Postman.Wake()
	return inviteView(made), nil
}

// room looks, with the tenant locked, whether there is room for an invitation and need of one, and whether the caller may replace the one that is there. It gives the tenant's name.
func (s *Service) room(ctx context.Context, repos outbound.Repos, caller inbound.Caller, to user.Email, as tenant.Role) (name string, err error) {
	err = repos.Tenants.Update(ctx, caller.TenantID, func(t *tenant.Tenant) error {
		name = t.Name()
		if !mayGive(standing(t, caller), as) {
			return ErrRole
		}
		there, err := repos.Users.FindByEmail(ctx, to.Canon())
		if err != nil && !errors.Is(err, user.ErrNotFound) {
			return fmt.Errorf("find user: %w", err)
		}
		if err == nil {
			if _, ok := t.RoleOf(there.ID()); ok {
				return tenant.ErrIsMember
			}
		}
		open, err := repos.Invites.List(ctx, t.ID(), s.Clock())
		if err != nil {
			return fmt.Errorf("list invitations: %w", err)
		}
		replaced := slices.IndexFunc(open, func(i *tenant.Invite) bool { return i.For(to) })
		switch {
		case replaced >= 0 && !mayGive(standing(t, caller), open[replaced].Role()): // whoever may not take it back writes over it no more
			return ErrRole
		case replaced < 0 && len(open) >= tenant.MaxInvites:
			return ErrTooMany
		}
		return nil
	})
	return name, err
}

// pace counts the mail that an invitation is.
func (s *Service) pace(ctx context.Context, in tenant.ID, to user.Email) error {
	bucket := func(name, about string, limit int) outbound.Bucket {
		_, mac := s.Keyring.MAC(labelThrottle, []byte(name+"\x00"+about))
		return outbound.Bucket{Key: name + ":" + hex.EncodeToString(mac[:16]), Limit: limit, Window: perWindow, Every: true}
	}
	a, err := s.Throttle.Admit(ctx, s.NewID(), leaseTTL, []outbound.Bucket{
		bucket("invite-address", to.Canon(), perAddress), bucket("invite-tenant", string(in), perTenant),
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fault.ErrDependency.With(err)
	case a.Verdict != outbound.Admitted:
		return ErrTooMany.After(max(a.RetryAfter, time.Second))
	}
	return nil
}

// Invites implements inbound.Members.
func (s *Service) Invites(ctx context.Context, caller inbound.Caller) ([]inbound.InviteView, error) {
	if err := s.administers(ctx, caller, "invites.list"); err != nil {
		return nil, err
	}
	open, err := s.Tx.View().Invites.List(ctx, caller.TenantID, s.Clock())
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	views := make([]inbound.InviteView, len(open))
	for i, o := range open {
		views[i] = inviteView(o)
	}
	return views, nil
}

// RevokeInvite implements inbound.Members.
func (s *Service) RevokeInvite(ctx context.Context, caller inbound.Caller, id tenant.InviteID) error {
	const action = "invites.revoke"
	if err := s.administers(ctx, caller, action); err != nil {
		return err
	}
	err := s.Tx.Do(audit.By(ctx, caller), func(ctx context.Context, repos outbound.Repos) error {
		return repos.Invites.Revoke(ctx, caller.TenantID, id, func(i *tenant.Invite) error {
			if !mayGive(caller.Role, i.Role()) {
				return ErrRole
			}
			i.Revoke(s.Clock())
			return nil
		})
	})
	if err != nil {
		return s.answer(ctx, caller, action, err)
	}
	return nil
}

// AcceptInvite implements inbound.Members.
func (s *Service) AcceptInvite(ctx context.Context, caller inbound.Caller, token string) error {
	if caller.SessionID == "" {
		return audit.ErrSessionOnly
	}
	hash, ok := letters.HashOf(token)
	if !ok {
		return letters.ErrTokenInvalid
	}
	err := s.Tx.Do(audit.By(ctx, caller), func(ctx context.Context, repos outbound.Repos) error {
		now := s.Clock()
		u, err := repos.Users.Find(ctx, caller.UserID)
		if err != nil {
			return fmt.Errorf("find user: %w", err)
		}
		joined, err := Join(ctx, repos, hash, u, now)
		if err != nil {
			return err
		}
		return s.post(ctx, repos.Outbox, "joined:"+string(joined.Invite), letters.New(s.Letters).MemberJoined(u.Email(), joined.Name, joined.Role), now)
	})
	if err != nil {
		return fmt.Errorf("accept invitation: %w", err)
	}
	s.Postman.Wake()
	s.Ender.Ended(ctx, caller.UserID)
	return nil
}

// Joined is what came of an invitation.
type Joined struct {
	Invite tenant.InviteID
	Tenant tenant.ID
	Name   string
	Role   tenant.Role
}

// Join makes a user a member by the token of an invitation for its address, in a transaction that uses the token up. It fails with letters.ErrTokenInvalid, or
// tenant.ErrIsMember. The tenant is locked first and the invitation then, as everywhere, so that those who come at once wait for each other in one order.
func Join(ctx context.Context, repos outbound.Repos, hash [32]byte, u *user.User, now time.Time) (Joined, error) {
	i, err := Invitation(ctx, repos, hash, u.Email(), now)
	if err != nil {
		return Joined{}, err
	}
	out := Joined{Invite: i.ID(), Tenant: i.Tenant(), Role: i.Role()}
	err = repos.Tenants.Update(ctx, i.Tenant(), func(t *tenant.Tenant) error {
		out.Name = t.Name()
		return repos.Invites.Take(ctx, hash, now, func(i *tenant.Invite) error {
			if err := t.Join(u.ID(), i.Role(), now); err != nil {
				return err
			}
			i.Accept(u.ID(), now)
			return nil
		})
	})
	if errors.Is(err, tenant.ErrInviteNotFound) || errors.Is(err, tenant.ErrNotFound) {
		return Joined{}, letters.ErrTokenInvalid
	}
	if err != nil {
		return Joined{}, fmt.Errorf("join tenant: %w", err)
	}
	return out, nil
}

// Invitation gives the invitation of a token for an address, and leaves it. It fails with letters.ErrTokenInvalid.
func Invitation(ctx context.Context, repos outbound.Repos, hash [32]byte, to user.Email, now time.Time) (*tenant.Invite, error) {
	i, err := repos.Invites.Peek(ctx, hash, now)
	if errors.Is(err, tenant.ErrInviteNotFound) || err == nil && !i.For(to) {
		return nil, letters.ErrTokenInvalid
	}
	if err != nil {
		return nil, fmt.Errorf("find invitation: %w", err)
	}
	return i, nil
}

func (s *Service) post(ctx context.Context, box outbound.Outbox, dedupe string, letter outbound.Mail, now time.Time) error {
	return letters.Post{Keyring: s.Keyring, NewID: s.NewID}.Put(ctx, box, dedupe, letter, now)
}

func inviteView(i *tenant.Invite) inbound.InviteView {
	s := i.Snapshot()
	return inbound.InviteView{ID: s.ID, Email: i.Email().String(), Role: s.Role, InvitedBy: s.By, CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt}
}
