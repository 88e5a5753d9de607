package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// missing is a proof that is not there.
func missing(pointer string) error {
	return ErrProofMissing.At(fault.Field{Pointer: pointer, Code: "missing_field", Message: "is needed"})
}

// prove has the caller's user prove itself anew: by the password, and by one of code and, where recovery allows it, recovery code when a second factor is on. A code is used up
// by it. It fails with ErrSessionOnly, with ErrProofMissing before any work, with ErrReauthFailed alike whatever was wrong, with ErrTooMany, or with fault.ErrBusy. Whoever
// changes the user after it must see to it that the epoch is still the one of the user given here.
func (s *Service) prove(ctx context.Context, caller inbound.Caller, p inbound.Proof, recovery bool) (*user.User, error) {
	if caller.SessionID == "" {
		return nil, ErrSessionOnly
	}
	if p.Password.Empty() {
		return nil, missing("/password")
	}
	ctx = by(ctx, caller)
	u, err := s.Tx.View().Users.Find(ctx, caller.UserID)
	if err != nil {
		return nil, gone(err, "find user")
	}
	if !u.MaySignIn() {
		return nil, ErrUnauthenticated
	}
	var a answer
	counted := s.passwordBuckets(account(u.ID()), inbound.OriginOf(ctx).IP)
	buckets := counted
	if u.MFA() {
		if !recovery {
			p.RecoveryCode = ""
		}
		if a, err = readAnswer(p.Code, p.RecoveryCode); err != nil {
			return nil, err
		}
		buckets = append(buckets, s.ofUser(otpUser, u.ID()))
	}
	place, err := s.admit(ctx, event.Noted{Subject: string(u.ID())}, buckets...)
	if err != nil {
		return nil, err
	}
	refused, err := s.examineProof(ctx, u, p, a)
	if err != nil {
		_ = place.settle(ctx, false)
		return nil, err
	}
	if !refused.any() {
		s.forgive(ctx, place, len(counted))
		return u, nil
	}
	if err := place.settle(ctx, true); err != nil {
		return nil, err
	}
	return nil, s.refuseProof(ctx, u, a, refused)
}

// refusal says what of a proof is wrong, to nobody but the audit log.
type refusal struct{ password, code bool }

func (r refusal) any() bool { return r.password || r.code }

// examineProof looks at the whole of a proof, and uses its code up when all of it is right. The price is one hash whatever is wrong.
func (s *Service) examineProof(ctx context.Context, u *user.User, p inbound.Proof, a answer) (r refusal, err error) {
	ok, _, err := s.Hasher.Verify(ctx, u.PasswordHash(), p.Password)
	if err != nil {
		return r, fmt.Errorf("verify password: %w", err)
	}
	r.password = !ok
	if !u.MFA() {
		return r, nil
	}
	step, fits, err := s.examine(ctx, u.ID(), a)
	if err != nil {
		return r, err
	}
	if r.code = !fits; r.any() {
		return r, nil
	}
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error { return s.use(ctx, repos, u, a, step) })
	if r.code = errors.Is(err, errUsed); r.code || err == nil {
		return r, nil
	}
	return r, gone(err, "use code")
}

// refuseProof remembers a proof that was not good, by the same statements whatever was wrong with it, and gives the refusal.
func (s *Service) refuseProof(ctx context.Context, u *user.User, a answer, r refusal) error {
	err := s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		err := repos.Audit.Append(ctx, event.Noted{Name: "authn_login_fail", Subject: string(u.ID()), Reason: "reauth", At: s.Clock()})
		if err != nil || !u.MFA() {
			return err
		}
		return s.wrongAnswer(ctx, repos, u, a, r.code)
	})
	if err != nil {
		return gone(err, "note refused proof")
	}
	s.Postman.Wake()
	return ErrReauthFailed
}
