package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

const otpDigits = 6

// answer is what a user says to prove its second factor: exactly one of the two, in the form that it can have.
type answer struct {
	otp      string
	recovery string
}

// readAnswer reads a code or a recovery code, before anything is counted: what cannot be one costs no try. It fails with ErrProofMissing when there is neither, or with faults
// that name what is wrong.
func readAnswer(code, recovery string) (answer, error) {
	switch {
	case code == "" && recovery == "":
		return answer{}, missing("/code")
	case code != "" && recovery != "":
		return answer{}, fault.New(fault.Malformed, "malformed", "the body cannot be read; see errors").
			At(fault.Field{Pointer: "/code", Code: "exactly_one", Message: "give either code or recovery_code"})
	case code != "":
		return readCode(code)
	}
	normal, ok := normalRecovery(recovery)
	if !ok {
		return answer{}, fault.ErrValidation.At(fault.Field{Pointer: "/recovery_code", Code: "invalid_format", Message: "must be a recovery code of 24 letters and digits"})
	}
	return answer{recovery: normal}, nil
}

// readCode reads a code alone.
func readCode(code string) (answer, error) {
	if code == "" {
		return answer{}, missing("/code")
	}
	ok := len(code) == otpDigits
	for i := 0; ok && i < len(code); i++ {
		ok = code[i] >= '0' && code[i] <= '9'
	}
	if !ok {
		return answer{}, fault.ErrValidation.At(fault.Field{Pointer: "/code", Code: "invalid_format", Message: "must be six digits"})
	}
	return answer{otp: code}, nil
}

// examine looks whether an answer fits a user's live factor now, and uses nothing up. A code that was used does not fit, nor any while the factor is locked.
func (s *Service) examine(ctx context.Context, u user.ID, a answer) (step int64, fits bool, err error) {
	f, err := s.Tx.View().Factors.Find(ctx, u)
	if err != nil {
		return 0, false, fmt.Errorf("find factor: %w", err)
	}
	kept := f.Snapshot()
	switch {
	case !kept.On:
		return 0, false, nil
	case a.recovery != "":
		matches := s.recoveryMatch(u, a.recovery)
		for _, c := range kept.Codes {
			fits = fits || c.UsedAt.IsZero() && matches(c)
		}
		return 0, fits, nil
	case f.Locked():
		return 0, false, nil
	}
	step, fits = s.step(kept.Secret, u, a.otp)
	return step, fits && step > kept.LastStep, nil
}

// step finds the step of a code by a sealed secret. One that cannot be opened, because its root key was taken away, matches no code: a recovery code or an operator helps.
func (s *Service) step(sealed user.Sealed, u user.ID, code string) (int64, bool) {
	key, err := s.Keyring.Open(labelTOTP, sealed, []byte(u))
	if err != nil {
		return 0, false
	}
	return s.OTP.Match(secret.New(string(key)), code, s.Clock())
}

// errUsed is an answer that fitted, and that another used first.
var errUsed = errors.New("the code was used meanwhile")

// use uses up an answer that fits, in the transaction of what it is for; exactly one of many can. It fails with errUsed.
func (s *Service) use(ctx context.Context, repos outbound.Repos, u *user.User, a answer, step int64) error {
	if a.otp != "" {
		ok, err := repos.Factors.UseStep(ctx, u.ID(), step)
		if err != nil {
			return fmt.Errorf("use code: %w", err)
		}
		if !ok {
			return errUsed
		}
		return nil
	}
	now, left := s.Clock(), 0
	err := repos.Factors.Update(ctx, u.ID(), func(f *user.Factor) (err error) {
		var ok bool
		if left, ok = f.UseRecovery(s.recoveryMatch(u.ID(), a.recovery), now); !ok {
			return errUsed
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("use recovery code: %w", err)
	}
	return s.post(ctx, repos.Outbox, "recovery:"+s.NewID(), s.recoveryUsed(u.Email(), left), now)
}

// wrongAnswer remembers, in a transaction, an answer that was refused; counts says that it did not fit, and not only what came with it. A code counts towards the lock of the factor, and
// the one that locks it is told by mail. Recovery codes cannot be guessed, and are there for when it is locked.
func (s *Service) wrongAnswer(ctx context.Context, repos outbound.Repos, u *user.User, a answer, counts bool) error {
	now, locked := s.Clock(), false
	if a.recovery != "" {
		return repos.Audit.Append(ctx, event.Noted{Name: "mfa_verify_fail", Subject: string(u.ID()), Reason: "recovery_code", At: now})
	}
	err := repos.Factors.Update(ctx, u.ID(), func(f *user.Factor) error {
		if counts {
			locked = f.Fail(now)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("count wrong code: %w", err)
	}
	if !locked {
		return nil
	}
	return s.post(ctx, repos.Outbox, "otp-lock:"+s.NewID(), s.otpLocked(u.Email()), now)
}
