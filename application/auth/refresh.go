package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// Refresh implements inbound.Auth. Callers that show the same token at once share one rotation.
func (s *Service) Refresh(ctx context.Context, refreshToken string, o inbound.Origin) (inbound.Tokens, error) {
	ctx = from(ctx, o)
	shown, ok := session.ParseRefreshToken(refreshToken)
	if !ok {
		return inbound.Tokens{}, s.forged(ctx, o)
	}
	return s.refreshes.do(ctx, shown, func(ctx context.Context) (inbound.Tokens, error) {
		on, err := s.genuine(ctx, shown)
		if errors.Is(err, session.ErrRefreshInvalid) {
			return inbound.Tokens{}, s.forged(ctx, o)
		}
		if err != nil {
			return inbound.Tokens{}, err
		}
		if err := s.pace(ctx, s.ofSession(refreshSession, shown.ID)); err != nil {
			return inbound.Tokens{}, err
		}
		return s.rotate(acting(ctx, on.User(), on.Tenant(), on.ID()), shown, o)
	})
}

// forged counts a token that we never made against its network, and gives the refusal. A token of ours is never refused for the forgeries of others.
func (s *Service) forged(ctx context.Context, o inbound.Origin) error {
	every := s.ofNetwork(tokenIP, o.IP)
	every.Every = true
	if err := s.pace(ctx, every); err != nil {
		return err
	}
	return session.ErrRefreshInvalid
}

// genuine gives the session of a token that we made. Nothing is decided about a session before this, so a forged token ends nobody's session.
func (s *Service) genuine(ctx context.Context, shown session.RefreshToken) (*session.Session, error) {
	on, err := s.Tx.View().Sessions.Find(ctx, shown.ID)
	if errors.Is(err, session.ErrNotFound) {
		return nil, session.ErrRefreshInvalid
	}
	if err != nil {
		return nil, fmt.Errorf("find session: %w", err)
	}
	if !s.Keyring.CheckMAC(labelRefresh, shown.Root, shown.Signed(on.Salt()), shown.MAC) {
		return nil, session.ErrRefreshInvalid
	}
	return on, nil
}

// rotate does what the session makes of the token, in one transaction with the user's and the membership's state. A reuse is a change that is kept, though the
// caller is refused.
func (s *Service) rotate(ctx context.Context, shown session.RefreshToken, o inbound.Origin) (inbound.Tokens, error) {
	var (
		outcome session.Rotation
		on      *session.Session
		owner   *user.User
	)
	err := s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		outcome = session.Refused
		kept, err := repos.Sessions.Find(ctx, shown.ID)
		if err != nil {
			return err
		}
		var member bool
		if owner, member, err = standing(ctx, repos, kept); err != nil || !member {
			return err
		}
		now := s.Clock()
		err = repos.Sessions.Update(ctx, shown.ID, func(current *session.Session) error {
			outcome = current.Rotate(shown.Gen, owner.Epoch(), o.IP, clip(o.UserAgent), s.Config.Terms, now)
			on = current
			return nil
		})
		if err != nil || outcome != session.Reused {
			return err
		}
		return s.post(ctx, repos.Outbox, "reuse:"+string(shown.ID), s.tokenReused(owner.Email()), now)
	})
	switch {
	case errors.Is(err, session.ErrNotFound):
		return inbound.Tokens{}, session.ErrRefreshInvalid
	case err != nil:
		return inbound.Tokens{}, fmt.Errorf("rotate session: %w", err)
	case outcome == session.Rotated, outcome == session.Grace:
		return s.tokens(on, owner)
	case outcome == session.Reused:
		s.bury(ctx, shown.ID)
		s.Postman.Wake()
	}
	return inbound.Tokens{}, session.ErrRefreshInvalid
}

// standing gives the user of a session, and whether it is active and still a member where the session acts.
func standing(ctx context.Context, repos outbound.Repos, on *session.Session) (*user.User, bool, error) {
	u, err := repos.Users.Find(ctx, on.User())
	if errors.Is(err, user.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("find user: %w", err)
	}
	role, err := repos.Memberships.Role(ctx, tenant.ID(on.Tenant()), u.ID())
	if err != nil {
		return nil, false, fmt.Errorf("find role: %w", err)
	}
	return u, u.MaySignIn() && role != "", nil
}

// refreshToken makes the token of the session's generation in force: the same one however often it is asked for.
func (s *Service) refreshToken(on *session.Session) string {
	t := session.RefreshToken{Root: s.Keyring.Root(), ID: on.ID(), Gen: on.Generation()}
	_, t.MAC = s.Keyring.MAC(labelRefresh, t.Signed(on.Salt()))
	return t.String()
}

// bury makes the ends of sessions known: here at once, on other nodes when they ask the cache or, at the latest, when what they remember is too old. A cache
// that does not answer therefore needs no second try, nor does a process that dies before this. The client's leaving does not keep it from it.
func (s *Service) bury(ctx context.Context, ended ...session.ID) {
	ctx = context.WithoutCancel(ctx)
	for _, id := range ended {
		s.Gate.ForgetSession(id)
		_ = s.Cache.Bury(ctx, id, s.Config.AccessTTL+leeway+tombstoneMargin)
	}
}
