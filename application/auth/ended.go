package auth

import (
	"context"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
)

// Ended makes known that a user, or its role somewhere, changed, and which of its sessions ended: here at once, on other nodes within seconds.
func (s *Service) Ended(ctx context.Context, u user.ID, sessions ...session.ID) {
	s.bury(ctx, sessions...)
	s.Gate.ForgetUser(u)
}
