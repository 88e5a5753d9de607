package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

var _ inbound.Sessions = (*Service)(nil)

// Sessions implements inbound.Sessions.
func (s *Service) Sessions(ctx context.Context, caller inbound.Caller) ([]inbound.SessionView, error) {
	if caller.SessionID == "" {
		return nil, ErrSessionOnly
	}
	repos, now := s.Tx.View(), s.Clock()
	u, err := repos.Users.Find(ctx, caller.UserID)
	if err != nil {
		return nil, gone(err, "find user")
	}
	open, err := repos.Sessions.OfUser(ctx, caller.UserID, now)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	views := make([]inbound.SessionView, 0, len(open))
	for _, on := range open {
		if !on.Live(u.Epoch(), now) {
			continue
		}
		v := on.Snapshot()
		views = append(views, inbound.SessionView{
			ID: v.ID, TenantID: tenant.ID(v.Tenant), CreatedAt: v.CreatedAt, LastSeenAt: v.RotatedAt, IP: v.IP, UserAgent: v.Agent, AMR: v.AMR,
			Current: v.ID == caller.SessionID,
		})
	}
	return views, nil
}

// EndSession implements inbound.Sessions.
func (s *Service) EndSession(ctx context.Context, caller inbound.Caller, id session.ID) error {
	if caller.SessionID == "" {
		return ErrSessionOnly
	}
	err := s.Tx.Do(by(ctx, caller), func(ctx context.Context, repos outbound.Repos) error {
		now := s.Clock()
		return repos.Sessions.Update(ctx, id, func(on *session.Session) error {
			if on.User() != caller.UserID || on.Revoked() || !now.Before(on.RefreshUntil()) {
				return session.ErrNotFound
			}
			on.Revoke(session.ByUser, now)
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	s.bury(context.WithoutCancel(ctx), id)
	return nil
}

// SwitchTenant implements inbound.Sessions. A tenant that is not the user's and one that does not exist are the same.
func (s *Service) SwitchTenant(ctx context.Context, caller inbound.Caller, to tenant.ID) (inbound.Tokens, error) {
	if caller.SessionID == "" {
		return inbound.Tokens{}, ErrSessionOnly
	}
	ctx = by(ctx, caller)
	var (
		on *session.Session
		u  *user.User
	)
	err := s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		role, err := repos.Memberships.Role(ctx, to, caller.UserID)
		if err != nil {
			return fmt.Errorf("find role: %w", err)
		}
		if role == "" {
			return ErrTenantDenied
		}
		err = repos.Users.Update(ctx, caller.UserID, func(current *user.User) error {
			if !current.MaySignIn() {
				return ErrUnauthenticated
			}
			current.SignedIn(string(to))
			u = current
			return nil
		})
		if err != nil {
			return err
		}
		on, err = s.moveTo(ctx, repos, caller.SessionID, u.Epoch(), to)
		return err
	})
	if errors.Is(err, ErrTenantDenied) {
		return inbound.Tokens{}, s.denyTenant(ctx, caller)
	}
	if err != nil {
		return inbound.Tokens{}, gone(err, "switch tenant")
	}
	s.Gate.ForgetSession(on.ID())
	return s.tokens(on, u)
}

// moveTo has a session that is good act in another tenant, with a new generation.
func (s *Service) moveTo(ctx context.Context, repos outbound.Repos, id session.ID, epoch int64, to tenant.ID) (on *session.Session, err error) {
	o, now := inbound.OriginOf(ctx), s.Clock()
	err = repos.Sessions.Update(ctx, id, func(current *session.Session) error {
		if !current.Live(epoch, now) {
			return ErrUnauthenticated
		}
		current.SwitchTo(string(to), now)
		current.Advance(o.IP, clip(o.UserAgent), s.Config.Terms, now)
		on = current
		return nil
	})
	return on, err
}

// denyTenant has the audit log say that a user wanted into a tenant that is not its own. The tenant is not named: it may be anything that was typed.
func (s *Service) denyTenant(ctx context.Context, caller inbound.Caller) error {
	err := s.Tx.View().Audit.Append(ctx, event.Noted{
		Name: "authz_fail", Subject: string(caller.UserID), Reason: ErrTenantDenied.Code, Detail: map[string]string{"action": "sessions.switch_tenant"}, At: s.Clock(),
	})
	if err != nil {
		return fmt.Errorf("note refusal: %w", err)
	}
	return ErrTenantDenied
}
