package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

const (
	kindReset  = "reset"     // what a one-time token is good for
	resetLimit = 3           // live links, and mails an hour, of one account
	breachWait = time.Second // how long a new password waits to be looked up
)

var _ inbound.Passwords = (*Service)(nil)

// ResendVerification implements inbound.Passwords. The new link stands for a copy of the newest registration of the address, and counts as one does.
func (s *Service) ResendVerification(ctx context.Context, address string) error {
	o := inbound.OriginOf(ctx)
	ctx = from(ctx, o)
	email, err := user.ParseEmail(address, s.ToASCII)
	if err != nil {
		return err
	}
	if _, err := s.guard(ctx, s.ofNetwork(registerIP, o.IP)); err != nil {
		return err
	}
	token, hash := s.mailToken()
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		return s.resend(ctx, repos, email.Canon(), token, hash)
	})
	if err != nil {
		return fmt.Errorf("resend verification: %w", err)
	}
	s.Postman.Wake()
	return nil
}

// resend keeps a copy of the newest registration, or writes to nobody.
func (s *Service) resend(ctx context.Context, repos outbound.Repos, canon, token string, hash [32]byte) error {
	now := s.Clock()
	made, live, err := repos.Registrations.Since(ctx, canon, now.Add(-letters.Window), now)
	if err != nil {
		return fmt.Errorf("count registrations: %w", err)
	}
	r, err := repos.Registrations.Newest(ctx, canon, now)
	pending := err == nil
	if err != nil && !errors.Is(err, user.ErrNotFound) {
		return fmt.Errorf("find registration: %w", err)
	}
	_, err = repos.Users.FindByEmail(ctx, canon)
	if err != nil && !errors.Is(err, user.ErrNotFound) {
		return fmt.Errorf("find user: %w", err)
	}
	proven := err == nil
	if !pending || proven || made >= user.RegistrationLimit || live >= user.RegistrationLimit {
		return s.silence(ctx, repos.Outbox, canon, now)
	}
	r.ID, r.TokenHash, r.CreatedAt, r.ExpiresAt = s.NewID(), hash, now, now.Add(s.Config.VerifyTTL)
	if err := repos.Registrations.Add(ctx, r); err != nil {
		return fmt.Errorf("add registration: %w", err)
	}
	n := s.noted(suspect{name: canon})
	n.Name = "user_verification_resent"
	if err := repos.Audit.Append(ctx, n); err != nil {
		return fmt.Errorf("note registration: %w", err)
	}
	return s.post(ctx, repos.Outbox, "register:"+r.ID, s.verification(r.Email, token), now)
}

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

// Change implements inbound.Passwords.
func (s *Service) Change(ctx context.Context, caller inbound.Caller, c inbound.ChangePassword) error {
	ctx = by(ctx, caller)
	if caller.SessionID != "" && c.Current.Empty() {
		return missing("/current_password")
	}
	u, err := s.prove(ctx, caller, inbound.Proof{Password: c.Current, Code: c.Code}, false)
	if err != nil {
		return err
	}
	hashed, err := s.newPassword(ctx, u.ID(), c.New)
	if err != nil {
		return gone(err, "check new password")
	}
	var ended []session.ID
	changeID := s.NewID()
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) (err error) {
		if ended, err = s.change(ctx, repos, caller.SessionID, u, hashed); err != nil {
			return err
		}
		return s.post(ctx, repos.Outbox, "password-change:"+changeID, s.passwordChanged(u.Email()), s.Clock())
	})
	if errors.Is(err, errOvertaken) {
		return ErrReauthFailed
	}
	if err != nil {
		return gone(err, "change password")
	}
	s.Ended(ctx, u.ID(), ended...)
	s.Postman.Wake()
	return nil
}

// change sets the password of a user that is still the one who proved itself. The session that did goes on, all others end.
func (s *Service) change(ctx context.Context, repos outbound.Repos, on session.ID, u *user.User, hashed string) ([]session.ID, error) {
	now := s.Clock()
	var epoch int64
	err := repos.Users.Update(ctx, u.ID(), func(current *user.User) error {
		if !current.MaySignIn() || current.Epoch() != u.Epoch() {
			return errOvertaken
		}
		current.ChangePassword(hashed, now)
		epoch = current.Epoch()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("change password: %w", err)
	}
	err = repos.Sessions.Update(ctx, on, func(current *session.Session) error {
		if current.Revoked() {
			return ErrUnauthenticated
		}
		current.CarryOver(epoch)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("carry session over: %w", err)
	}
	ended, err := endSessions(ctx, repos, u.ID(), on, session.ByPassword, now)
	if err != nil {
		return nil, err
	}
	if err := repos.OneTime.Drop(ctx, kindReset, u.ID(), now); err != nil {
		return nil, fmt.Errorf("drop links: %w", err)
	}
	return ended, nil
}

// newPassword checks a password that a user wants, and hashes it.
func (s *Service) newPassword(ctx context.Context, id user.ID, password secret.Text) (string, error) {
	repos := s.Tx.View()
	u, err := repos.Users.Find(ctx, id)
	if err != nil {
		return "", fmt.Errorf("find user: %w", err)
	}
	mine, err := repos.Tenants.OfUser(ctx, id)
	if err != nil {
		return "", fmt.Errorf("list tenants: %w", err)
	}
	words := []string{u.Email().LocalPart(), u.Username().String()}
	for _, t := range mine {
		words = append(words, t.Name())
	}
	const pointer = "/new_password"
	if err := s.Config.Passwords.Check(pointer, password, words...); err != nil {
		return "", err
	}
	if err := s.breached(ctx, pointer, password); err != nil {
		return "", err
	}
	hashed, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hashed, nil
}

// breached refuses a password that is known to be stolen. Without an answer in time it goes through, and that is counted.
func (s *Service) breached(ctx context.Context, pointer string, password secret.Text) error {
	if s.Breaches == nil {
		return nil
	}
	if normal := s.Config.Passwords.Normal; normal != nil {
		password = secret.New(normal(password.Reveal()))
	}
	ctx, cancel := context.WithTimeout(ctx, breachWait)
	defer cancel()
	stolen, err := s.Breaches.Breached(ctx, password)
	switch {
	case err != nil && s.BreachFailed != nil:
		s.BreachFailed()
		return nil
	case err == nil && stolen:
		return user.PasswordBreached(pointer)
	}
	return nil
}

// tryToken looks a mailed token up behind the limit of tokens that are none.
func (s *Service) tryToken(ctx context.Context, o inbound.Origin, look func() error) error {
	settle, err := s.guard(ctx, s.ofNetwork(tokenIP, o.IP))
	if err != nil {
		return err
	}
	err = look()
	if uncounted := settle(errors.Is(err, ErrTokenInvalid)); uncounted != nil {
		return uncounted
	}
	return err
}
