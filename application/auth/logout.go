package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// Logout implements inbound.Auth.
func (s *Service) Logout(ctx context.Context, c inbound.Logout) error {
	ctx = from(ctx, c.Origin)
	mine, live, err := s.shown(ctx, c)
	if err != nil {
		return err
	}
	if c.All {
		if live == "" {
			return ErrUnauthenticated
		}
		return s.endAll(acting(ctx, live, "", ""), live)
	}
	for _, on := range mine {
		err := s.Tx.Do(acting(ctx, on.User(), on.Tenant(), on.ID()), func(ctx context.Context, repos outbound.Repos) error {
			return repos.Sessions.Update(ctx, on.ID(), func(current *session.Session) error {
				current.Revoke(session.ByLogout, s.Clock())
				return nil
			})
		})
		if err != nil && !errors.Is(err, session.ErrNotFound) {
			return fmt.Errorf("end session: %w", err)
		}
		s.bury(ctx, on.ID())
	}
	return nil
}

// shown gives the sessions that the caller holds tokens of, and the user of a live one. With a bearer of one user, another user's refresh token is
// passed over; a token that is not good is none.
func (s *Service) shown(ctx context.Context, c inbound.Logout) (mine []*session.Session, live user.ID, err error) {
	if c.Bearer != "" {
		on, err := s.ofBearer(ctx, c.Bearer)
		if err != nil {
			return nil, "", err
		}
		if on != nil {
			mine, live = append(mine, on), on.User()
		}
	}
	shown, ok := session.ParseRefreshToken(c.RefreshToken)
	if !ok {
		return mine, live, nil
	}
	on, err := s.genuine(ctx, shown)
	switch {
	case errors.Is(err, session.ErrRefreshInvalid):
		return mine, live, nil
	case err != nil:
		return nil, "", err
	case live != "" && on.User() != live:
		return mine, live, nil
	}
	mine = append(mine, on)
	owner, member, err := standing(ctx, s.Tx.View(), on)
	if err == nil && member && shown.Gen == on.Generation() && on.Live(owner.Epoch(), s.Clock()) {
		live = on.User()
	}
	return mine, live, err
}

// ofBearer gives the session of an access token that is good now, else nil.
func (s *Service) ofBearer(ctx context.Context, bearer string) (*session.Session, error) {
	caller, err := s.Gate.Authenticate(ctx, bearer)
	switch {
	case fault.KindOf(err) == fault.Unauthenticated:
		return nil, nil
	case err != nil:
		return nil, err
	case caller.SessionID == "": // an API key has no session to end
		return nil, nil
	}
	on, err := s.Tx.View().Sessions.Find(ctx, caller.SessionID)
	if errors.Is(err, session.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find session: %w", err)
	}
	return on, nil
}

// endAll ends every session of a user: the epoch shuts out even those that begin meanwhile, the rows say so in the session list.
func (s *Service) endAll(ctx context.Context, u user.ID) error {
	var ended []session.ID
	err := s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		err := repos.Users.Update(ctx, u, func(u *user.User) error {
			u.EndSessions()
			return nil
		})
		if err != nil {
			return err
		}
		ended, err = endSessions(ctx, repos, u, "", session.ByLogout, s.Clock())
		return err
	})
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	s.Ended(ctx, u, ended...)
	return nil
}

// endSessions ends the open sessions of a user but one ("": all), in a transaction that has the user locked, and says which; they are to be buried after it.
func endSessions(ctx context.Context, repos outbound.Repos, u user.ID, but session.ID, why session.Reason, now time.Time) ([]session.ID, error) {
	open, err := repos.Sessions.OfUser(ctx, u, now)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	var ended []session.ID
	for _, on := range open {
		if on.ID() == but {
			continue
		}
		err := repos.Sessions.Update(ctx, on.ID(), func(current *session.Session) error {
			current.Revoke(why, now)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("end session: %w", err)
		}
		ended = append(ended, on.ID())
	}
	return ended, nil
}
