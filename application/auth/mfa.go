package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

var _ inbound.MFA = (*Service)(nil)

// Setup implements inbound.MFA.
func (s *Service) Setup(ctx context.Context, caller inbound.Caller, p inbound.Proof) (inbound.MFASetup, error) {
	u, err := s.prove(ctx, caller, p, true)
	if err != nil {
		return inbound.MFASetup{}, err
	}
	key, uri, err := s.OTP.New(u.Email().String())
	if err != nil {
		return inbound.MFASetup{}, err
	}
	shown, kept := s.recoveryCodes(u.ID())
	now := s.Clock()
	pending := user.Pending{
		SetupID: s.NewID(), SessionID: string(caller.SessionID), Secret: s.Keyring.Seal(labelTOTP, []byte(key.Reveal()), []byte(u.ID())), Codes: kept,
		ExpiresAt: now.Add(s.Config.MFASetupTTL),
	}
	err = s.Tx.Do(by(ctx, caller), func(ctx context.Context, repos outbound.Repos) error {
		if err := s.unchanged(ctx, repos, u, caller.SessionID); err != nil {
			return err
		}
		return repos.Factors.Update(ctx, u.ID(), func(f *user.Factor) error {
			f.Begin(pending, now)
			return nil
		})
	})
	if err != nil {
		return inbound.MFASetup{}, gone(err, "begin setup")
	}
	return inbound.MFASetup{SetupID: pending.SetupID, Secret: key, URI: secret.New(uri), RecoveryCodes: shown, ExpiresIn: s.Config.MFASetupTTL}, nil
}

// unchanged refuses, in a transaction that locks the user for a change, a user that changed since it proved itself, and a session that ended.
func (s *Service) unchanged(ctx context.Context, repos outbound.Repos, u *user.User, id session.ID) error {
	return s.changeUser(ctx, repos, u, id, func(*user.User) {})
}

// changeUser changes a user, unless it changed since it proved itself or its session ended.
func (s *Service) changeUser(ctx context.Context, repos outbound.Repos, u *user.User, id session.ID, change func(*user.User)) error {
	err := repos.Users.Update(ctx, u.ID(), func(current *user.User) error {
		if !current.MaySignIn() || current.Epoch() != u.Epoch() {
			return ErrUnauthenticated
		}
		change(current)
		return nil
	})
	if err != nil {
		return err
	}
	on, err := repos.Sessions.Find(ctx, id)
	if err != nil {
		return err
	}
	if on.User() != u.ID() || !on.Live(u.Epoch(), s.Clock()) {
		return ErrUnauthenticated
	}
	return nil
}

// Confirm implements inbound.MFA. Guesses of it count with all other guesses of codes.
func (s *Service) Confirm(ctx context.Context, caller inbound.Caller, setupID, code string) (inbound.Tokens, error) {
	ctx = by(ctx, caller)
	a, u, err := s.asked(ctx, caller, code)
	if err != nil {
		return inbound.Tokens{}, err
	}
	f, err := s.Tx.View().Factors.Find(ctx, u.ID())
	if err != nil {
		return inbound.Tokens{}, fmt.Errorf("find factor: %w", err)
	}
	pending, err := f.Pending(setupID, string(caller.SessionID), s.Clock())
	if err != nil {
		return inbound.Tokens{}, err
	}
	place, err := s.admit(ctx, event.Noted{Subject: string(u.ID())}, s.ofUser(otpUser, u.ID()))
	if err != nil {
		return inbound.Tokens{}, err
	}
	step, fits := s.step(pending.Secret, u.ID(), a.otp)
	if !fits {
		if err := place.settle(ctx, true); err != nil {
			return inbound.Tokens{}, err
		}
		err := s.Tx.View().Audit.Append(ctx, event.Noted{Name: "mfa_verify_fail", Subject: string(u.ID()), Reason: "setup", At: s.Clock()})
		if err != nil {
			return inbound.Tokens{}, fmt.Errorf("note wrong code: %w", err)
		}
		return inbound.Tokens{}, ErrMFACodeInvalid
	}
	_ = place.settle(ctx, false)
	return s.confirm(ctx, caller, u, setupID, step)
}

// asked reads a code and finds the user who gives it.
func (s *Service) asked(ctx context.Context, caller inbound.Caller, code string) (answer, *user.User, error) {
	if caller.SessionID == "" {
		return answer{}, nil, ErrSessionOnly
	}
	a, err := readCode(code)
	if err != nil {
		return a, nil, err
	}
	u, err := s.Tx.View().Users.Find(ctx, caller.UserID)
	if err != nil {
		return a, nil, gone(err, "find user")
	}
	return a, u, nil
}

// confirm makes the setup live. The session that did it goes on under a new generation, all others end.
func (s *Service) confirm(ctx context.Context, caller inbound.Caller, u *user.User, setupID string, step int64) (inbound.Tokens, error) {
	var (
		on    *session.Session
		after *user.User
		ended []session.ID
	)
	err := s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		now := s.Clock()
		err := s.changeUser(ctx, repos, u, caller.SessionID, func(current *user.User) {
			current.EnableMFA()
			after = current
		})
		if err != nil {
			return err
		}
		err = repos.Factors.Update(ctx, u.ID(), func(f *user.Factor) error { return f.Confirm(setupID, string(caller.SessionID), step, now) })
		if err != nil {
			return err
		}
		if on, err = s.goOn(ctx, repos, caller.SessionID, after.Epoch(), "otp"); err != nil {
			return err
		}
		if ended, err = endSessions(ctx, repos, u.ID(), caller.SessionID, session.ByMFA, now); err != nil {
			return err
		}
		return s.post(ctx, repos.Outbox, "mfa-on:"+setupID, s.mfaEnabled(u.Email()), now)
	})
	if err != nil {
		return inbound.Tokens{}, gone(err, "confirm setup")
	}
	s.Ended(ctx, u.ID(), ended...)
	s.Postman.Wake()
	return s.tokens(on, after)
}

// goOn lets the session that proved its user anew go on under the user's new epoch, with a new generation.
func (s *Service) goOn(ctx context.Context, repos outbound.Repos, id session.ID, epoch int64, how string) (on *session.Session, err error) {
	o, now := inbound.OriginOf(ctx), s.Clock()
	err = repos.Sessions.Update(ctx, id, func(current *session.Session) error {
		if current.Revoked() {
			return ErrUnauthenticated
		}
		current.CarryOver(epoch)
		current.Advance(o.IP, clip(o.UserAgent), s.Config.Terms, now)
		current.Prove(how, now)
		on = current
		return nil
	})
	return on, err
}

// StepUp implements inbound.MFA. The refresh token stays the one that the client has; whoever has an access token alone is not given one.
func (s *Service) StepUp(ctx context.Context, caller inbound.Caller, code string) (inbound.Tokens, error) {
	ctx = by(ctx, caller)
	a, u, err := s.asked(ctx, caller, code)
	if err != nil {
		return inbound.Tokens{}, err
	}
	if !u.MFA() {
		return inbound.Tokens{}, ErrMFARequired
	}
	place, err := s.admit(ctx, event.Noted{Subject: string(u.ID())}, s.ofUser(otpUser, u.ID()))
	if err != nil {
		return inbound.Tokens{}, err
	}
	on, err := s.stepUp(ctx, caller, u, a)
	if !errors.Is(err, errUsed) {
		_ = place.settle(ctx, false)
	} else if err = place.settle(ctx, true); err == nil {
		err = s.wrong(ctx, u, a)
	}
	if err != nil {
		return inbound.Tokens{}, err
	}
	tokens, err := s.tokens(on, u)
	tokens.Refresh, tokens.RefreshFor = "", 0
	return tokens, err
}

func (s *Service) stepUp(ctx context.Context, caller inbound.Caller, u *user.User, a answer) (on *session.Session, err error) {
	step, fits, err := s.examine(ctx, u.ID(), a)
	if err != nil {
		return nil, err
	}
	if !fits {
		return nil, errUsed
	}
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		if err := s.unchanged(ctx, repos, u, caller.SessionID); err != nil {
			return err
		}
		if err := s.use(ctx, repos, u, a, step); err != nil {
			return err
		}
		return repos.Sessions.Update(ctx, caller.SessionID, func(current *session.Session) error {
			if current.Revoked() {
				return ErrUnauthenticated
			}
			current.Prove("otp", s.Clock())
			on = current
			return nil
		})
	})
	if err != nil {
		return nil, gone(err, "step up")
	}
	return on, nil
}

// Disable implements inbound.MFA. Logins that wait for their second factor die with the epoch.
func (s *Service) Disable(ctx context.Context, caller inbound.Caller, p inbound.Proof) error {
	u, err := s.prove(ctx, caller, p, true)
	if err != nil {
		return err
	}
	if !u.MFA() {
		return user.ErrFactorNone
	}
	var ended []session.ID
	err = s.Tx.Do(by(ctx, caller), func(ctx context.Context, repos outbound.Repos) error {
		now := s.Clock()
		if err := s.changeUser(ctx, repos, u, caller.SessionID, (*user.User).DisableMFA); err != nil {
			return err
		}
		err := repos.Factors.Update(ctx, u.ID(), func(f *user.Factor) error {
			f.Disable(now)
			return nil
		})
		if err != nil {
			return err
		}
		if ended, err = endSessions(ctx, repos, u.ID(), "", session.ByMFA, now); err != nil {
			return err
		}
		return s.post(ctx, repos.Outbox, "mfa-off:"+s.NewID(), s.mfaDisabled(u.Email()), now)
	})
	if err != nil {
		return gone(err, "disable factor")
	}
	s.Ended(ctx, u.ID(), ended...)
	s.Postman.Wake()
	return nil
}

// RegenerateCodes implements inbound.MFA. A recovery code is no proof for it.
func (s *Service) RegenerateCodes(ctx context.Context, caller inbound.Caller, p inbound.Proof) ([]string, error) {
	u, err := s.prove(ctx, caller, p, false)
	if err != nil {
		return nil, err
	}
	shown, kept := s.recoveryCodes(u.ID())
	err = s.Tx.Do(by(ctx, caller), func(ctx context.Context, repos outbound.Repos) error {
		if err := s.unchanged(ctx, repos, u, caller.SessionID); err != nil {
			return err
		}
		return repos.Factors.Update(ctx, u.ID(), func(f *user.Factor) error { return f.ReplaceCodes(kept, s.Clock()) })
	})
	if err != nil {
		return nil, gone(err, "replace recovery codes")
	}
	return shown, nil
}
