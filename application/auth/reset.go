package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

const (
	kindReset  = "reset" // what a one-time token is good for
	resetLimit = 3       // live links, and mails an hour, of one account
)

// RequestReset implements inbound.Passwords. Whatever the address, it is one transaction that counts links, notes the request and ends in the outbox.
func (s *Service) RequestReset(ctx context.Context, address string) error {
	o := inbound.OriginOf(ctx)
	ctx = from(ctx, o)
	email, err := user.ParseEmail(address, s.ToASCII)
	if err != nil {
		return err
	}
	if _, err := s.guard(ctx, s.ofNetwork(resetIP, o.IP)); err != nil {
		return err
	}
	token, hash := s.mailToken()
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		return s.keepReset(ctx, repos, email.Canon(), token, hash)
	})
	if err != nil {
		return fmt.Errorf("request password reset: %w", err)
	}
	s.Postman.Wake()
	return nil
}

func (s *Service) keepReset(ctx context.Context, repos outbound.Repos, canon, token string, hash [32]byte) error {
	now := s.Clock()
	u, err := repos.Users.FindByEmail(ctx, canon)
	if err != nil && !errors.Is(err, user.ErrNotFound) {
		return fmt.Errorf("find user: %w", err)
	}
	counted := user.ID(s.NewID()) // a stranger has no links, but they are counted all the same
	if u != nil {
		counted = u.ID()
	}
	made, live, err := repos.OneTime.Since(ctx, kindReset, counted, now.Add(-letters.Window), now)
	if err != nil {
		return fmt.Errorf("count links: %w", err)
	}
	n := s.noted(suspect{name: canon, user: u})
	n.Name = "reset_requested"
	switch {
	case u == nil:
		n.Reason = "unknown"
	case !u.MaySignIn():
		n.Reason = "disabled"
	case made >= resetLimit || live >= resetLimit:
		n.Reason = "limit"
	}
	if err := repos.Audit.Append(ctx, n); err != nil {
		return fmt.Errorf("note request: %w", err)
	}
	if n.Reason != "" {
		return s.silence(ctx, repos.Outbox, canon, now)
	}
	link := outbound.OneTimeToken{
		ID: s.NewID(), Kind: kindReset, Hash: hash, User: u.ID(), Epoch: u.Epoch(), CreatedAt: now, ExpiresAt: now.Add(s.Config.ResetTTL),
	}
	if err := repos.OneTime.Add(ctx, link); err != nil {
		return fmt.Errorf("add link: %w", err)
	}
	return s.post(ctx, repos.Outbox, "reset:"+link.ID, s.resetLink(u.Email(), token), now)
}

// Reset implements inbound.Passwords. The token is looked at first, so that a stranger costs no hash, and used up last, so that a password that is refused does not cost the link.
func (s *Service) Reset(ctx context.Context, c inbound.ResetPassword) error {
	o := inbound.OriginOf(ctx)
	ctx = from(ctx, o)
	hash, ok := hashOfMailToken(c.Token)
	var link outbound.OneTimeToken
	err := s.tryToken(ctx, o, func() (err error) {
		if !ok {
			return ErrTokenInvalid
		}
		if link, err = s.Tx.View().OneTime.Peek(ctx, kindReset, hash, s.Clock()); errors.Is(err, fault.ErrNotFound) {
			return ErrTokenInvalid
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("find link: %w", err)
	}
	hashed, err := s.newPassword(ctx, link.User, c.NewPassword)
	if errors.Is(err, user.ErrNotFound) { // deleted since the link was found
		return ErrTokenInvalid
	}
	if err != nil {
		return err
	}
	var ended []session.ID
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) (err error) {
		ended, err = s.reset(ctx, repos, hash, hashed)
		return err
	})
	if err != nil {
		return fmt.Errorf("reset password: %w", err)
	}
	// Whoever reads the owner's mail has proven more than a guess of the password could: its waits are over. When nobody can be told, they end by themselves.
	_ = s.Throttle.Clear(context.WithoutCancel(ctx), s.passwordBuckets(account(link.User), o.IP))
	s.Ended(ctx, link.User, ended...)
	s.Postman.Wake()
	return nil
}

// reset uses the link up and does all that follows, and says which sessions it ended.
func (s *Service) reset(ctx context.Context, repos outbound.Repos, hash [32]byte, hashed string) ([]session.ID, error) {
	now := s.Clock()
	link, err := repos.OneTime.Take(ctx, kindReset, hash, now)
	if errors.Is(err, fault.ErrNotFound) {
		return nil, ErrTokenInvalid
	}
	if err != nil {
		return nil, fmt.Errorf("use link: %w", err)
	}
	ctx = acting(ctx, link.User, "", "")
	var to user.Email
	err = repos.Users.Update(ctx, link.User, func(u *user.User) error {
		to = u.Email()
		u.ChangePassword(hashed, now)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("change password: %w", err)
	}
	ended, err := endSessions(ctx, repos, link.User, "", session.ByPassword, now)
	if err != nil {
		return nil, err
	}
	if err := repos.OneTime.Drop(ctx, kindReset, link.User, now); err != nil {
		return nil, fmt.Errorf("drop links: %w", err)
	}
	if err := repos.Audit.Append(ctx, event.Noted{Name: "reset_used", Subject: string(link.User), At: now}); err != nil {
		return nil, fmt.Errorf("note reset: %w", err)
	}
	return ended, s.post(ctx, repos.Outbox, "password-reset:"+link.ID, s.passwordReset(to), now)
}
