package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

const breachWait = time.Second // how long a new password waits to be looked up

var _ inbound.Passwords = (*Service)(nil)

// ResendVerification implements inbound.Passwords. The new link stands for a copy of the newest registration of the address, and counts as one does.
func (s *Service) ResendVerification(ctx context.Context, address string) error {
	o := inbound.OriginOf(ctx)
	ctx = from(ctx, o)
	email, err := user.ParseEmail(address, s.ToASCII)
	if err != nil {
		return err
	}
	settle, err := s.guard(ctx, s.ofNetwork(registerIP, o.IP))
	if err != nil {
		return err
	}
	token, hash := s.mailToken()
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		return s.resend(ctx, repos, email.Canon(), token, hash)
	})
	_ = settle(!sentAway(err))
	if err != nil {
		return fmt.Errorf("resend verification: %w", err)
	}
	s.Postman.Wake()
	return nil
}

// resend keeps a copy of the newest registration, or writes to nobody. While registrations of several passwords wait it gives no link: the newest may be a stranger's.
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
	rivals, err := repos.Registrations.Rivals(ctx, canon, r.PasswordHash, now)
	if err != nil {
		return fmt.Errorf("count rivals: %w", err)
	}
	r.ID, r.TokenHash, r.CreatedAt, r.ExpiresAt = s.NewID(), hash, now, now.Add(s.Config.VerifyTTL)
	letter := s.verification(r.Email, token)
	if rivals > 0 { // nobody knows whose the newest is; the row only counts the mail
		r.ExpiresAt, r.PasswordHash = now, ""
		letter = s.letters().RegisterAgain(r.Email)
	}
	if err := repos.Registrations.Add(ctx, r); err != nil {
		return fmt.Errorf("add registration: %w", err)
	}
	n := s.noted(suspect{name: canon})
	n.Name = "user_verification_resent"
	if err := repos.Audit.Append(ctx, n); err != nil {
		return fmt.Errorf("note registration: %w", err)
	}
	return s.post(ctx, repos.Outbox, "register:"+r.ID, letter, now)
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
