package operator

import (
	"context"
	"fmt"

	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/application/members"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// DisableUser implements inbound.Operator. Invitations are taken back too, or whoever is shut out has let another account of its own in before.
func (s *Service) DisableUser(ctx context.Context, email string) error {
	u, err := s.find(ctx, email)
	if err != nil {
		return err
	}
	var ended []session.ID
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		now := s.Clock()
		err := repos.Users.Update(ctx, u.ID(), func(u *user.User) error {
			u.Disable(now)
			return nil
		})
		if err != nil {
			return err
		}
		if ended, err = members.EndSessions(ctx, repos, u.ID(), "", session.ByAdmin, now); err != nil {
			return err
		}
		mine, err := repos.Tenants.OfUser(ctx, u.ID())
		if err != nil {
			return fmt.Errorf("list tenants: %w", err)
		}
		for _, t := range mine {
			if err := members.EndKeys(ctx, repos, u.ID(), t.ID(), now); err != nil {
				return err
			}
			if err := members.Withdraw(ctx, repos, t.ID(), u.ID(), "", now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("disable user: %w", err)
	}
	s.Ender.Ended(ctx, u.ID(), ended...)
	return nil
}

// EnableUser implements inbound.Operator. Sessions and keys from before stay ended.
func (s *Service) EnableUser(ctx context.Context, email string) error {
	u, err := s.find(ctx, email)
	if err != nil {
		return err
	}
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		return repos.Users.Update(ctx, u.ID(), func(u *user.User) error {
			u.Enable(s.Clock())
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("enable user: %w", err)
	}
	return nil
}

// DeleteUser implements inbound.Operator.
func (s *Service) DeleteUser(ctx context.Context, email string) error {
	u, err := s.find(ctx, email)
	if err != nil {
		return err
	}
	return members.Delete(ctx, s.Tx, s.Ender, s.Clock, u.ID())
}

// ResetMFA implements inbound.Operator. The owner of the account is told, as whenever its second factor goes.
func (s *Service) ResetMFA(ctx context.Context, email string) error {
	u, err := s.find(ctx, email)
	if err != nil {
		return err
	}
	letter, resetID := letters.New(s.Letters).MFADisabled(u.Email()), s.NewID()
	var ended []session.ID
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		now := s.Clock()
		err := repos.Users.Update(ctx, u.ID(), func(u *user.User) error {
			u.DisableMFA()
			return nil
		})
		if err != nil {
			return err
		}
		err = repos.Factors.Update(ctx, u.ID(), func(f *user.Factor) error {
			if !f.On() {
				return user.ErrFactorNone
			}
			f.Disable(now)
			return nil
		})
		if err != nil {
			return err
		}
		if ended, err = members.EndSessions(ctx, repos, u.ID(), "", session.ByMFA, now); err != nil {
			return err
		}
		return letters.Post{Keyring: s.Keyring, NewID: s.NewID}.Put(ctx, repos.Outbox, "mfa-reset:"+resetID, letter, now)
	})
	if err != nil {
		return fmt.Errorf("reset second factor: %w", err)
	}
	s.Ender.Ended(ctx, u.ID(), ended...)
	return nil
}

// find gives the user of an address.
func (s *Service) find(ctx context.Context, email string) (*user.User, error) {
	address, err := user.ParseEmail(email, s.ToASCII)
	if err != nil {
		return nil, err
	}
	u, err := s.Tx.View().Users.FindByEmail(ctx, address.Canon())
	if err != nil {
		return nil, fmt.Errorf("find user: %w", err)
	}
	return u, nil
}
