package auth

import (
	"context"

	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// ChangeProfile implements inbound.Sessions.
func (s *Service) ChangeProfile(ctx context.Context, caller inbound.Caller, c inbound.ProfileChange) (inbound.Profile, error) {
	if caller.SessionID == "" {
		return inbound.Profile{}, ErrSessionOnly
	}
	var (
		wrong mistakes
		name  user.Username // none takes the name away
		err   error
	)
	if c.Username != nil && *c.Username != "" {
		name, err = user.ParseUsername(*c.Username)
		wrong.note(err)
	}
	if c.DisplayName != nil {
		wrong.note(user.CheckDisplayName(*c.DisplayName))
	}
	if err := wrong.err(); err != nil {
		return inbound.Profile{}, err
	}
	err = s.Tx.Do(by(ctx, caller), func(ctx context.Context, repos outbound.Repos) error {
		return repos.Users.Update(ctx, caller.UserID, func(u *user.User) error {
			username, display := u.Username(), u.DisplayName()
			if c.Username != nil {
				username = name
			}
			if c.DisplayName != nil {
				display = *c.DisplayName
			}
			return u.Rename(username, display, s.Clock())
		})
	})
	if err != nil {
		return inbound.Profile{}, gone(err, "change profile")
	}
	return s.Me(ctx, caller)
}
