package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// suspect is whoever a login names: a user, an address that waits to be proven, or nobody.
type suspect struct {
	user *user.User // nil: nobody that may sign in
	hash string     // "" matches nothing, and costs the same
}

// Login implements inbound.Auth. Every path past the syntax costs exactly one verification of a password.
func (s *Service) Login(ctx context.Context, c inbound.Login) (inbound.LoggedIn, error) {
	ctx = from(ctx, c.Origin)
	who, err := s.suspect(ctx, c)
	if err != nil {
		return inbound.LoggedIn{}, err
	}
	// The throttle of account and network takes its lease here, before a hash is spent, and learns of success or failure below.
	ok, stale, err := s.Hasher.Verify(ctx, who.hash, c.Password)
	switch {
	case err != nil:
		return inbound.LoggedIn{}, fmt.Errorf("verify password: %w", err)
	case !ok, who.user != nil && !who.user.MaySignIn():
		return inbound.LoggedIn{}, ErrInvalidCredentials
	case who.user == nil:
		return inbound.LoggedIn{}, ErrEmailNotVerified
	}
	in, err := s.home(ctx, who.user, c.Tenant)
	if err != nil {
		return inbound.LoggedIn{}, err
	}
	if who.user.MFA() { // the place of LoggedIn.Challenge; until it is asked for, the password alone opens nothing
		return inbound.LoggedIn{}, ErrMFARequired
	}
	rehashed := ""
	if stale {
		rehashed, _ = s.Hasher.Hash(ctx, c.Password) // when there is no room for it now, the next login does it
	}
	started, err := s.start(ctx, who.user, in, rehashed, c.Origin)
	if err != nil {
		return inbound.LoggedIn{}, err
	}
	tokens, err := s.tokens(started, who.user)
	if err != nil {
		return inbound.LoggedIn{}, err
	}
	return inbound.LoggedIn{Tokens: &tokens}, nil
}

// suspect finds whom the login names. By address it always asks for a registration too, so that the number of statements tells nothing.
func (s *Service) suspect(ctx context.Context, c inbound.Login) (suspect, error) {
	if (c.Email == "") == (c.Username == "") {
		return suspect{}, fault.ErrValidation.At(fault.Field{Pointer: "/email", Code: "exactly_one", Message: "give either email or username"})
	}
	repos := s.Tx.View()
	if c.Username != "" {
		name, err := user.ParseUsername(c.Username)
		if err != nil {
			return suspect{}, err
		}
		return suspectOf(repos.Users.FindByUsername(ctx, name.String()))
	}
	email, err := user.ParseEmail(c.Email, s.ToASCII)
	if err != nil {
		return suspect{}, err
	}
	who, err := suspectOf(repos.Users.FindByEmail(ctx, email.Canon()))
	if err != nil {
		return suspect{}, err
	}
	pending, err := repos.Registrations.Newest(ctx, email.Canon(), s.Clock())
	if err != nil && !errors.Is(err, user.ErrNotFound) {
		return suspect{}, fmt.Errorf("find registration: %w", err)
	}
	if who.user == nil && err == nil {
		who.hash = pending.PasswordHash
	}
	return who, nil
}

func suspectOf(u *user.User, err error) (suspect, error) {
	if errors.Is(err, user.ErrNotFound) {
		return suspect{}, nil
	}
	if err != nil {
		return suspect{}, fmt.Errorf("find user: %w", err)
	}
	return suspect{user: u, hash: u.PasswordHash()}, nil
}

// home picks the tenant to sign in to: the one named, else that of the last sign-in, else the oldest membership.
func (s *Service) home(ctx context.Context, u *user.User, wanted string) (tenant.ID, error) {
	mine, err := s.Tx.View().Tenants.OfUser(ctx, u.ID())
	if err != nil {
		return "", fmt.Errorf("list tenants: %w", err)
	}
	t, ok := tenant.Choose(mine, wanted, tenant.ID(u.LastTenant()))
	if !ok {
		return "", ErrTenantDenied
	}
	return t.ID(), nil
}

// start begins the session, unless the user changed since its password was checked.
func (s *Service) start(ctx context.Context, u *user.User, in tenant.ID, rehashed string, o inbound.Origin) (*session.Session, error) {
	var salt [16]byte
	s.Random(salt[:])
	var begun *session.Session
	err := s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		err := repos.Users.Update(ctx, u.ID(), func(now *user.User) error {
			if !now.MaySignIn() || now.Epoch() != u.Epoch() {
				return ErrInvalidCredentials
			}
			if rehashed != "" && now.PasswordHash() == u.PasswordHash() {
				now.Rehash(rehashed)
			}
			now.SignedIn(string(in))
			return nil
		})
		if errors.Is(err, user.ErrNotFound) {
			return ErrInvalidCredentials
		}
		if err != nil {
			return err
		}
		begun = session.Start(session.ID(s.NewID()), u.ID(), string(in), salt, u.Epoch(), []string{"pwd"}, o.IP, clip(o.UserAgent), s.Config.Terms, s.Clock())
		return repos.Sessions.Add(ctx, begun)
	})
	if err != nil {
		return nil, fmt.Errorf("start session: %w", err)
	}
	return begun, nil
}

// tokens makes the pair for the session's generation in force.
func (s *Service) tokens(on *session.Session, u *user.User) (inbound.Tokens, error) {
	now := s.Clock()
	expires := now.Add(s.Config.AccessTTL)
	if on.Until().Before(expires) {
		expires = on.Until()
	}
	access, err := s.Tokens.Sign(outbound.AccessClaims{
		Subject: u.ID(), SessionID: on.ID(), TenantID: on.Tenant(), ID: s.NewID(), IssuedAt: now, Expires: expires,
		AuthTime: on.AuthTime(), AMR: on.AMR(),
	})
	if err != nil {
		return inbound.Tokens{}, fmt.Errorf("sign access token: %w", err)
	}
	return inbound.Tokens{
		Access: access, AccessFor: expires.Sub(now).Truncate(time.Second), Refresh: s.refreshToken(on), RefreshFor: on.RefreshUntil().Sub(now).Truncate(time.Second),
		SessionID: on.ID(), TenantID: tenant.ID(on.Tenant()), AuthTime: on.AuthTime(), AMR: on.AMR(),
		UserID: u.ID(), Email: u.Email().String(), Username: u.Username().String(), MFAEnabled: u.MFA(),
	}, nil
}
