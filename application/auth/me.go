package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
)

// Me implements inbound.Auth.
func (s *Service) Me(ctx context.Context, caller inbound.Caller) (inbound.Profile, error) {
	repos := s.Tx.View()
	u, err := repos.Users.Find(ctx, caller.UserID)
	if err != nil {
		return inbound.Profile{}, gone(err, "find user")
	}
	t, err := repos.Tenants.Find(ctx, caller.TenantID)
	if err != nil {
		return inbound.Profile{}, gone(err, "find tenant")
	}
	p := inbound.Profile{
		UserID: u.ID(), Email: u.Email().String(), EmailVerified: true, Username: u.Username().String(), DisplayName: u.DisplayName(),
		CreatedAt: u.CreatedAt(), MFAEnabled: u.MFA(), TenantID: t.ID(), TenantSlug: t.Slug(), Role: caller.Role,
	}
	if u.MFA() {
		f, err := repos.Factors.Find(ctx, u.ID())
		if err != nil {
			return inbound.Profile{}, fmt.Errorf("find factor: %w", err)
		}
		p.RecoveryLeft = f.RecoveryLeft()
	}
	if caller.SessionID == "" {
		return p, nil
	}
	on, err := repos.Sessions.Find(ctx, caller.SessionID)
	if err != nil {
		return inbound.Profile{}, gone(err, "find session")
	}
	p.SessionID, p.AuthTime, p.AMR, p.SessionUntil = on.ID(), on.AuthTime(), on.AMR(), on.Until()
	return p, nil
}

// gone turns what vanished since the caller was let in into a refusal.
func gone(err error, doing string) error {
	if errors.Is(err, user.ErrNotFound) || errors.Is(err, tenant.ErrNotFound) || errors.Is(err, session.ErrNotFound) {
		return ErrUnauthenticated.With(err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
