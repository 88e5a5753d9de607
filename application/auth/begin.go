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

// errOvertaken is a user who changed since its proof was checked.
var errOvertaken = errors.New("the user changed meanwhile")

// beginning is what a session begins with.
type beginning struct {
	user     *user.User // as it was when its proof was checked
	in       tenant.ID
	amr      []string
	origin   inbound.Origin
	rehashed string // "": the hash stays
	retried  bool   // failures came before
}

// begin begins a session in a transaction, and says which it ended to make room. It fails with errOvertaken.
func (s *Service) begin(ctx context.Context, repos outbound.Repos, b beginning) (begun *session.Session, ended []session.ID, err error) {
	now := s.Clock()
	err = repos.Users.Update(ctx, b.user.ID(), func(current *user.User) error {
		if !current.MaySignIn() || current.Epoch() != b.user.Epoch() {
			return errOvertaken
		}
		if b.rehashed != "" { // of the same password, for it is still the same epoch
			current.Rehash(b.rehashed)
		}
		current.SignedIn(string(b.in))
		return nil
	})
	if errors.Is(err, user.ErrNotFound) {
		return nil, nil, errOvertaken
	}
	if err != nil {
		return nil, nil, fmt.Errorf("note sign-in: %w", err)
	}
	var salt [16]byte
	s.Random(salt[:])
	begun = session.Start(session.ID(s.NewID()), b.user.ID(), string(b.in), salt, b.user.Epoch(), b.amr, b.origin.IP, clip(b.origin.UserAgent), s.Config.Terms, now)
	ctx = acting(ctx, b.user.ID(), string(b.in), begun.ID())
	if ended, err = s.makeRoom(ctx, repos, b.user.ID()); err != nil {
		return nil, nil, err
	}
	if err := repos.Sessions.Add(ctx, begun); err != nil {
		return nil, nil, fmt.Errorf("add session: %w", err)
	}
	name := "authn_login_success"
	if b.retried {
		name = "authn_login_successafterfail"
	}
	err = repos.Audit.Append(ctx, event.Noted{Name: name, Subject: string(b.user.ID()), Tenant: string(b.in), Session: string(begun.ID()), At: now})
	if err != nil {
		return nil, nil, fmt.Errorf("note sign-in: %w", err)
	}
	return begun, ended, nil
}

// makeRoom ends the oldest sessions of a user who has as many as one may have. The user is locked, so that many sign-ins at once do not overshoot.
func (s *Service) makeRoom(ctx context.Context, repos outbound.Repos, u user.ID) ([]session.ID, error) {
	now := s.Clock()
	open, err := repos.Sessions.OfUser(ctx, u, now)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	var ended []session.ID
	for i := session.MaxPerUser - 1; i < len(open); i++ {
		err := repos.Sessions.Update(ctx, open[i].ID(), func(current *session.Session) error {
			current.Revoke(session.ByLimit, now)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("end session: %w", err)
		}
		ended = append(ended, open[i].ID())
	}
	return ended, nil
}

// acting says who it is that acts, once that is known.
func acting(ctx context.Context, u user.ID, in string, on session.ID) context.Context {
	a := outbound.ActorOf(ctx)
	a.UserID, a.TenantID, a.SessionID = string(u), in, string(on)
	return outbound.WithActor(ctx, a)
}
