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

const challengeTries = 5

// challenge asks for the second factor, in place of tokens. Its token says nothing of whose it is; what is kept of it dies with the user's epoch.
func (s *Service) challenge(ctx context.Context, b beginning) (inbound.LoggedIn, error) {
	f, err := s.Tx.View().Factors.Find(ctx, b.user.ID())
	if err != nil {
		return inbound.LoggedIn{}, fmt.Errorf("find factor: %w", err)
	}
	var methods []string
	if f.On() && !f.Locked() {
		methods = append(methods, "totp")
	}
	if f.RecoveryLeft() > 0 {
		methods = append(methods, "recovery_code")
	}
	if len(methods) == 0 {
		return inbound.LoggedIn{}, ErrMFARequired
	}
	s.rehash(ctx, b)
	token, hash := s.mailToken()
	kept := outbound.Challenge{User: b.user.ID(), Tenant: string(b.in), Epoch: b.user.Epoch()}
	if err := s.Challenges.Put(ctx, hash, kept, s.Config.MFATokenTTL); err != nil {
		return inbound.LoggedIn{}, uncounted(ctx, fmt.Errorf("keep challenge: %w", err))
	}
	return inbound.LoggedIn{Challenge: &inbound.Challenge{Token: token, ExpiresIn: s.Config.MFATokenTTL, Methods: methods}}, nil
}

// rehash keeps a hash of today's cost, when there is one, before the second step, which does not have the password. It is no reason for a login to fail.
func (s *Service) rehash(ctx context.Context, b beginning) {
	if b.rehashed == "" {
		return
	}
	_ = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		return repos.Users.Update(ctx, b.user.ID(), func(current *user.User) error {
			if current.PasswordHash() == b.user.PasswordHash() {
				current.Rehash(b.rehashed)
			}
			return nil
		})
	})
}

// Complete implements inbound.MFA. What cannot be a code costs no try; a try is counted before the code is looked at; the challenge is claimed before the session begins, and the code
// used up with its beginning.
func (s *Service) Complete(ctx context.Context, mfaToken, code, recoveryCode string) (inbound.Tokens, error) {
	o := inbound.OriginOf(ctx)
	ctx = from(ctx, o)
	a, err := readAnswer(code, recoveryCode)
	if err != nil {
		return inbound.Tokens{}, err
	}
	hash, ok := hashOfMailToken(mfaToken)
	if !ok {
		return inbound.Tokens{}, ErrMFAChallengeInvalid
	}
	c, u, err := s.challenged(ctx, hash)
	if err != nil {
		return inbound.Tokens{}, err
	}
	ctx = acting(ctx, u.ID(), c.Tenant, "")
	place, err := s.admit(ctx, event.Noted{Subject: string(u.ID()), Tenant: c.Tenant}, s.ofUser(otpUser, u.ID()))
	if err != nil {
		return inbound.Tokens{}, err
	}
	b := beginning{user: u, in: tenant.ID(c.Tenant), amr: []string{"pwd", "otp"}, origin: o, retried: place.failedBefore(1)}
	if a.recovery != "" {
		b.amr = []string{"pwd", "recovery"}
	}
	begun, err := s.complete(ctx, hash, b, a)
	if !errors.Is(err, errUsed) {
		_ = place.settle(ctx, false)
	} else if err = place.settle(ctx, true); err == nil {
		err = s.wrong(ctx, u, a)
	}
	if err != nil {
		return inbound.Tokens{}, err
	}
	return s.tokens(begun, u)
}

// challenged counts a try, and gives the challenge with its user, while that is as it was when the password was checked.
func (s *Service) challenged(ctx context.Context, hash [32]byte) (outbound.Challenge, *user.User, error) {
	c, ok, err := s.Challenges.Try(ctx, hash, challengeTries)
	if err != nil {
		return c, nil, uncounted(ctx, fmt.Errorf("try challenge: %w", err))
	}
	if !ok {
		return c, nil, ErrMFAChallengeInvalid
	}
	u, err := s.Tx.View().Users.Find(ctx, c.User)
	if err != nil && !errors.Is(err, user.ErrNotFound) {
		return c, nil, fmt.Errorf("find user: %w", err)
	}
	if err != nil || u.Epoch() != c.Epoch { // whoever is disabled has another
		return c, nil, ErrMFAChallengeInvalid
	}
	return c, u, nil
}

// complete begins the session of a challenge when the answer fits. It fails with errUsed when it does not, or not any more.
func (s *Service) complete(ctx context.Context, hash [32]byte, b beginning, a answer) (*session.Session, error) {
	step, fits, err := s.examine(ctx, b.user.ID(), a)
	if err != nil {
		return nil, err
	}
	if !fits {
		return nil, errUsed
	}
	done, err := s.turns.take(ctx, b.user.ID())
	if err != nil {
		return nil, err
	}
	defer done()
	mine, err := s.Challenges.Claim(ctx, hash)
	if err != nil {
		return nil, uncounted(ctx, fmt.Errorf("claim challenge: %w", err))
	}
	if !mine {
		return nil, ErrMFAChallengeInvalid
	}
	var (
		begun *session.Session
		ended []session.ID
	)
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) (err error) {
		if begun, ended, err = s.begin(ctx, repos, b); err != nil {
			return err
		}
		role, err := repos.Memberships.Role(ctx, b.in, b.user.ID())
		if err != nil {
			return fmt.Errorf("find role: %w", err)
		}
		if role == "" {
			return errOvertaken
		}
		return s.use(ctx, repos, b.user, a, step)
	})
	if errors.Is(err, errOvertaken) {
		return nil, ErrMFAChallengeInvalid
	}
	if err != nil {
		return nil, fmt.Errorf("start session: %w", err)
	}
	s.bury(ctx, ended...)
	if a.recovery != "" {
		s.Postman.Wake()
	}
	return begun, nil
}

// wrong remembers a wrong answer in a transaction of its own, and gives the refusal.
func (s *Service) wrong(ctx context.Context, u *user.User, a answer) error {
	err := s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error { return s.wrongAnswer(ctx, repos, u, a, true) })
	if err != nil && !errors.Is(err, user.ErrNotFound) { // nobody is left to count for
		return fmt.Errorf("note wrong code: %w", err)
	}
	s.Postman.Wake() // it may have locked the factor
	return ErrMFACodeInvalid
}
