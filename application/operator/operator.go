// Package operator is what the command line does to users and keys, past the HTTP surface and its limits.
package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/application/members"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// Deps are what Service needs.
type Deps struct {
	Tx        outbound.Tx
	Hasher    outbound.Hasher
	Keyring   outbound.Keyring
	Ender     members.Ender
	Clock     outbound.Clock
	NewID     outbound.NewID
	Random    outbound.Random
	ToASCII   outbound.DomainToASCII
	Passwords user.PasswordPolicy
	Letters   letters.Config
}

// Service implements inbound.Operator.
type Service struct{ Deps }

var _ inbound.Operator = (*Service)(nil)

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// CreateUser implements inbound.Operator. Every rule of registration holds but the proof of the address. A tenant that is there is joined, one that is not is made,
// and then the user is its owner whatever the role asked for is.
func (s *Service) CreateUser(ctx context.Context, c inbound.NewUser) (user.ID, tenant.ID, error) {
	email, err := user.ParseEmail(c.Email, s.ToASCII)
	if err != nil {
		return "", "", err
	}
	var name user.Username
	if c.Username != "" {
		if name, err = user.ParseUsername(c.Username); err != nil {
			return "", "", err
		}
	}
	role, err := tenant.ParseRole(cmp.Or(c.Role, string(tenant.Owner)))
	if err != nil {
		return "", "", err
	}
	password := secret.New(c.Password)
	if err := s.Passwords.Check("/password", password, email.LocalPart(), name.String(), c.Tenant); err != nil {
		return "", "", err
	}
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return "", "", fmt.Errorf("hash password: %w", err)
	}
	id, in := user.ID(s.NewID()), tenant.ID("")
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		now := s.Clock()
		u, err := user.New(id, email, name, "", hash, now)
		if err != nil {
			return err
		}
		if c.PlatformAdmin {
			u.MakePlatformAdmin(now)
		}
		if err := repos.Users.Add(ctx, u); err != nil {
			return err
		}
		in, err = s.join(ctx, repos.Tenants, u, c.Tenant, role, now)
		return err
	})
	if err != nil {
		return "", "", fmt.Errorf("create user: %w", err)
	}
	return id, in, nil
}

// join makes the user a member of the tenant named, by slug or by what its name would make of one; when there is none it founds it.
func (s *Service) join(ctx context.Context, tenants outbound.Tenants, u *user.User, named string, r tenant.Role, now time.Time) (tenant.ID, error) {
	personal := named == ""
	name := cmp.Or(strings.TrimSpace(named), u.Username().String(), u.Email().LocalPart())
	if !personal {
		there, err := tenants.FindBySlug(ctx, tenant.SlugFrom(name, ""))
		if err == nil {
			return there.ID(), tenants.Update(ctx, there.ID(), func(t *tenant.Tenant) error { return t.Join(u.ID(), r, now) })
		}
		if !errors.Is(err, tenant.ErrNotFound) {
			return "", fmt.Errorf("find tenant: %w", err)
		}
	}
	id := tenant.ID(s.NewID())
	for slug := range tenant.Slugs(name, s.Random) {
		t, err := tenant.Found(id, name, slug, personal, u.ID(), now)
		if err != nil {
			return "", err
		}
		err = tenants.Add(ctx, t)
		if err == nil {
			return id, nil
		}
		if !errors.Is(err, tenant.ErrSlugTaken) {
			return "", fmt.Errorf("add tenant: %w", err)
		}
	}
	return "", tenant.ErrSlugTaken
}

// CreateKey implements inbound.Operator.
func (s *Service) CreateKey(ctx context.Context, email, inTenant string, c inbound.CreateKey) (inbound.CreatedKey, error) {
	scopes, err := tenant.ParseScopes(c.Scopes)
	if err != nil {
		return inbound.CreatedKey{}, err
	}
	u, err := s.find(ctx, email)
	if err != nil {
		return inbound.CreatedKey{}, err
	}
	mine, err := s.Tx.View().Tenants.OfUser(ctx, u.ID())
	if err != nil {
		return inbound.CreatedKey{}, fmt.Errorf("list tenants: %w", err)
	}
	in, ok := tenant.Choose(mine, inTenant, tenant.ID(u.LastTenant()))
	if !ok {
		return inbound.CreatedKey{}, tenant.ErrNotFound
	}
	m := tenant.NewKeyMaterial(s.Random)
	k, err := tenant.NewAPIKey(m, in.ID(), u.ID(), c.Name, scopes, c.ExpiresAt, s.Clock())
	if err != nil {
		return inbound.CreatedKey{}, err
	}
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error { return repos.APIKeys.Add(ctx, k) })
	if err != nil {
		return inbound.CreatedKey{}, fmt.Errorf("add API key: %w", err)
	}
	v := k.Snapshot()
	return inbound.CreatedKey{Key: m.String(), View: inbound.KeyView{ID: v.ID, Name: v.Name, Scopes: v.Scopes, CreatedAt: v.CreatedAt, ExpiresAt: v.ExpiresAt}}, nil
}
