// Package apikeys manages the API keys of a signed-in user.
package apikeys

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/forge1/forge1/application/audit"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// The refusals.
var (
	// ErrSessionOnly is a key that asks for what only a person may do.
	ErrSessionOnly = audit.ErrSessionOnly
	// ErrRole is a member whose role does not go that far.
	ErrRole = audit.ErrRole
)

// Gate is told when a key changes, so that this node feels it at once.
type Gate interface {
	// ForgetKey makes the next use of the key be checked anew.
	ForgetKey(id tenant.KeyID)
}

// Deps are what Service needs.
type Deps struct {
	Tx     outbound.Tx
	Gate   Gate
	Clock  outbound.Clock
	Random outbound.Random
}

// Service implements inbound.APIKeys.
type Service struct{ Deps }

var _ inbound.APIKeys = (*Service)(nil)

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// Create implements inbound.APIKeys.
func (s *Service) Create(ctx context.Context, caller inbound.Caller, c inbound.CreateKey) (inbound.CreatedKey, error) {
	if err := s.mayMakeKeys(ctx, caller, "api_keys.create"); err != nil {
		return inbound.CreatedKey{}, err
	}
	scopes, err := tenant.ParseScopes(c.Scopes)
	if err != nil {
		return inbound.CreatedKey{}, err
	}
	m := tenant.NewKeyMaterial(s.Random)
	k, err := tenant.NewAPIKey(m, caller.TenantID, caller.UserID, c.Name, scopes, c.ExpiresAt, s.Clock())
	if err != nil {
		return inbound.CreatedKey{}, err
	}
	err = s.Tx.Do(audit.By(ctx, caller), func(ctx context.Context, repos outbound.Repos) error {
		if err := s.room(ctx, repos, caller, tenant.MaxLiveKeys); err != nil {
			return err
		}
		return repos.APIKeys.Add(ctx, k)
	})
	if err != nil {
		return inbound.CreatedKey{}, fmt.Errorf("add API key: %w", err)
	}
	return inbound.CreatedKey{View: view(k), Key: m.String()}, nil
}

// List implements inbound.APIKeys.
func (s *Service) List(ctx context.Context, caller inbound.Caller) ([]inbound.KeyView, error) {
	if caller.SessionID == "" {
		return nil, ErrSessionOnly
	}
	keys, err := s.Tx.View().APIKeys.List(ctx, caller.TenantID, caller.UserID)
	if err != nil {
		return nil, fmt.Errorf("list API keys: %w", err)
	}
	views := make([]inbound.KeyView, len(keys))
	for i, k := range keys {
		views[i] = view(k)
	}
	return views, nil
}

// Rotate implements inbound.APIKeys.
func (s *Service) Rotate(ctx context.Context, caller inbound.Caller, id tenant.KeyID, grace time.Duration) (inbound.CreatedKey, error) {
	if err := s.mayMakeKeys(ctx, caller, "api_keys.rotate"); err != nil {
		return inbound.CreatedKey{}, err
	}
	m := tenant.NewKeyMaterial(s.Random)
	var next *tenant.APIKey
	err := s.Tx.Do(audit.By(ctx, caller), func(ctx context.Context, repos outbound.Repos) error {
		if k, err := repos.APIKeys.Find(ctx, id); err != nil || !owns(caller, k) {
			return cmp.Or(err, error(tenant.ErrKeyNotFound))
		}
		if err := s.room(ctx, repos, caller, 2*tenant.MaxLiveKeys); err != nil {
			return err
		}
		err := repos.APIKeys.Update(ctx, id, func(k *tenant.APIKey) (err error) {
			next, err = k.Rotate(m, caller.UserID, grace, s.Clock())
			return err
		})
		if err != nil {
			return err
		}
		return repos.APIKeys.Add(ctx, next)
	})
	if err != nil {
		return inbound.CreatedKey{}, fmt.Errorf("rotate API key: %w", err)
	}
	s.Gate.ForgetKey(id)
	return inbound.CreatedKey{View: view(next), Key: m.String()}, nil
}

// room looks, with the creator locked, whether there is room for another key: whoever has more than can be ended in one transaction could not be shut out. It fails with
// tenant.ErrManyKeys, or for a creator who was shut out, taken out or demoted a moment ago.
func (s *Service) room(ctx context.Context, repos outbound.Repos, c inbound.Caller, live int) error {
	err := repos.Users.Update(ctx, c.UserID, func(u *user.User) error {
		if !u.MaySignIn() {
			return ErrSessionOnly
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("find creator: %w", err)
	}
	in, err := repos.Tenants.Find(ctx, c.TenantID)
	if err != nil {
		return fmt.Errorf("find tenant: %w", err)
	}
	if role, _ := in.RoleOf(c.UserID); !role.AtLeast(tenant.Plain) {
		return ErrRole
	}
	kept, err := repos.APIKeys.List(ctx, c.TenantID, c.UserID)
	if err != nil {
		return fmt.Errorf("list API keys: %w", err)
	}
	now, many := s.Clock(), len(kept) >= tenant.MaxKeptKeys
	for _, k := range kept {
		if k.Live(now) {
			live--
		}
	}
	if many || live <= 0 {
		return tenant.ErrManyKeys.After(time.Hour)
	}
	return nil
}

// Revoke implements inbound.APIKeys. A viewer may end what it made when it was more.
func (s *Service) Revoke(ctx context.Context, caller inbound.Caller, id tenant.KeyID) error {
	if caller.SessionID == "" {
		return ErrSessionOnly
	}
	err := s.Tx.Do(audit.By(ctx, caller), func(ctx context.Context, repos outbound.Repos) error {
		return repos.APIKeys.Update(ctx, id, func(k *tenant.APIKey) error {
			if !owns(caller, k) {
				return tenant.ErrKeyNotFound
			}
			k.Revoke(s.Clock())
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("revoke API key: %w", err)
	}
	s.Gate.ForgetKey(id)
	return nil
}

func (s *Service) mayMakeKeys(ctx context.Context, c inbound.Caller, action string) error {
	switch {
	case c.SessionID == "":
		return ErrSessionOnly
	case !c.Role.AtLeast(tenant.Plain):
		return audit.Refuse(ctx, s.Tx, s.Clock, c, action)
	}
	return nil
}

func owns(c inbound.Caller, k *tenant.APIKey) bool {
	return k.Creator() == c.UserID && k.Tenant() == c.TenantID
}

func view(k *tenant.APIKey) inbound.KeyView {
	s := k.Snapshot()
	return inbound.KeyView{
		ID: s.ID, Name: s.Name, Scopes: s.Scopes, CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt, EndsAt: s.EndsAt, LastUsed: s.LastUsed,
	}
}
