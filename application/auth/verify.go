package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// VerifyEmail implements inbound.Auth. One transaction takes the token and makes user, tenant and welcome, or does nothing.
func (s *Service) VerifyEmail(ctx context.Context, token string, o inbound.Origin) (out inbound.Verified, err error) {
	ctx = from(ctx, o)
	hash, ok := hashOfMailToken(token)
	err = s.tryToken(ctx, o, func() error {
		if !ok {
			return ErrTokenInvalid
		}
		return s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) (err error) {
			out, err = s.verify(ctx, repos, hash)
			return err
		})
	})
	if err != nil {
		return inbound.Verified{}, fmt.Errorf("verify e-mail: %w", err)
	}
	s.Postman.Wake()
	return out, nil
}

func (s *Service) verify(ctx context.Context, repos outbound.Repos, hash [32]byte) (inbound.Verified, error) {
	now := s.Clock()
	r, err := repos.Registrations.Take(ctx, hash, now)
	if errors.Is(err, user.ErrNotFound) {
		return inbound.Verified{}, ErrTokenInvalid
	}
	if err != nil {
		return inbound.Verified{}, fmt.Errorf("take registration: %w", err)
	}
	u, err := s.addUser(ctx, repos.Users, r, now)
	if errors.Is(err, user.ErrEmailTaken) { // proven by a rival's token in the meantime; this one is worth nothing now
		return inbound.Verified{}, ErrTokenInvalid
	}
	if err != nil {
		return inbound.Verified{}, err
	}
	t, err := s.found(ctx, repos.Tenants, r, u, now)
	if err != nil {
		return inbound.Verified{}, err
	}
	out := inbound.Verified{UsernameAssigned: !u.Username().Empty(), TenantID: t.ID(), TenantSlug: t.Slug(), UserID: u.ID()}
	return out, s.post(ctx, repos.Outbox, "welcome:"+string(u.ID()), s.welcome(u.Email()), now)
}

// addUser makes the user, without the username when another has claimed it meanwhile. It fails with user.ErrEmailTaken.
func (s *Service) addUser(ctx context.Context, users outbound.Users, r user.Registration, now time.Time) (*user.User, error) {
	id := user.ID(s.NewID())
	for _, name := range []user.Username{r.Username, {}} {
		u, err := user.New(id, r.Email, name, r.DisplayName, r.PasswordHash, now)
		if err != nil {
			return nil, fmt.Errorf("make user: %w", err)
		}
		switch err := users.Add(ctx, u); {
		case err == nil:
			return u, nil
		case errors.Is(err, user.ErrUsernameTaken) && !name.Empty():
			continue
		default:
			return nil, fmt.Errorf("add user: %w", err)
		}
	}
	return nil, user.ErrUsernameTaken // not reached: no name cannot be taken
}

// found makes the tenant that the registration named, else a personal one.
func (s *Service) found(ctx context.Context, tenants outbound.Tenants, r user.Registration, owner *user.User, now time.Time) (*tenant.Tenant, error) {
	personal := r.TenantName == ""
	name := cmp.Or(r.TenantName, strings.TrimSpace(r.DisplayName), owner.Username().String(), owner.Email().LocalPart())
	id := tenant.ID(s.NewID())
	for slug := range tenant.Slugs(cmp.Or(r.TenantSlug, name), s.Random) {
		t, err := tenant.Found(id, name, slug, personal, owner.ID(), now)
		if err != nil {
			return nil, fmt.Errorf("found tenant: %w", err)
		}
		err = tenants.Add(ctx, t)
		if err == nil {
			return t, nil
		}
		if !errors.Is(err, tenant.ErrSlugTaken) {
			return nil, fmt.Errorf("add tenant: %w", err)
		}
	}
	return nil, tenant.ErrSlugTaken
}
