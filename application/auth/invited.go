package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/forge1/forge1/application/members"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// invited gives what is kept of the token of an invitation that is for the address, nil when no token came. Any other token ends the registration: nothing else happens then,
// whether the address has an account or not.
func (s *Service) invited(ctx context.Context, c inbound.Register, r user.Registration) (*[32]byte, error) {
	if c.InviteToken == "" {
		return nil, nil
	}
	hash, ok := hashOfMailToken(c.InviteToken)
	err := s.tryToken(ctx, c.Origin, func() error {
		if !ok {
			return ErrTokenInvalid
		}
		_, err := members.Invitation(ctx, s.Tx.View(), hash, r.Email, s.Clock())
		return err
	})
	return &hash, err
}

// welcomeInvited makes the user of an invitation at once: the token was mailed, so it proves the address. The tenant that invites is where the user begins; one of its own, as every
// registration makes, remains when that membership ends. It gives false for an address that has an account already, which is told that by mail as always; the invitation stays
// open for it. It fails with ErrTokenInvalid.
func (s *Service) welcomeInvited(ctx context.Context, repos outbound.Repos, r user.Registration, invitation [32]byte) (bool, error) {
	now := s.Clock()
	if _, err := members.Invitation(ctx, repos, invitation, r.Email, now); err != nil {
		return false, err
	}
	u, err := s.addUser(ctx, repos.Users, r, now)
	if errors.Is(err, user.ErrEmailTaken) {
		_, err := members.Invitation(ctx, repos, invitation, r.Email, now) // taken by the same invitation, a moment ago?
		return false, err
	}
	if err != nil {
		return false, err
	}
	joined, err := members.Join(ctx, repos, invitation, u, now)
	if err != nil {
		return false, err
	}
	if _, err := s.found(ctx, repos.Tenants, r, u, now); err != nil {
		return false, err
	}
	err = repos.Users.Update(ctx, u.ID(), func(u *user.User) error {
		u.SignedIn(string(joined.Tenant))
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("choose first tenant: %w", err)
	}
	n := s.noted(suspect{name: r.Email.Canon(), user: u})
	n.Name, n.Tenant = "user_registered", string(joined.Tenant)
	if err := repos.Audit.Append(ctx, n); err != nil {
		return false, fmt.Errorf("note registration: %w", err)
	}
	return true, s.post(ctx, repos.Outbox, "welcome:"+string(u.ID()), s.welcome(u.Email()), now)
}
