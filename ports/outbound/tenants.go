package outbound

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
)

// Tenants keeps tenants with their members. Implementations pass conformance.Tenants.
type Tenants interface {
	// Add keeps a new tenant. It fails with tenant.ErrSlugTaken, which does not spoil the transaction.
	Add(ctx context.Context, t *tenant.Tenant) error
	// Find gives a tenant. It fails with tenant.ErrNotFound.
	Find(ctx context.Context, id tenant.ID) (*tenant.Tenant, error)
	// FindBySlug gives the tenant of a slug. It fails with tenant.ErrNotFound.
	FindBySlug(ctx context.Context, slug string) (*tenant.Tenant, error)
	// OfUser lists the tenants that a user is a member of, the oldest membership first.
	OfUser(ctx context.Context, u user.ID) ([]*tenant.Tenant, error)
	// Update loads a tenant, locks it, calls change and keeps the result. An error of change is returned and nothing is kept.
	Update(ctx context.Context, id tenant.ID, change func(*tenant.Tenant) error) error
	// Remove loads a tenant, locks it, calls change and forgets the tenant with its memberships, sessions, API keys and invitations; what was counted in it, and the audit
	// log, stay. An error of change is returned and nothing is forgotten. It fails with tenant.ErrNotFound.
	Remove(ctx context.Context, id tenant.ID, change func(*tenant.Tenant) error) error
}

// Memberships tells roles, without the tenant and all of its members. Implementations pass conformance.Tenants.
type Memberships interface {
	// Role gives a user's role in a tenant, "" when it has none, or when there is no such tenant.
	Role(ctx context.Context, t tenant.ID, u user.ID) (tenant.Role, error)
}

// APIKeys keeps API keys. Implementations pass conformance.APIKeys.
type APIKeys interface {
	// Add keeps a new key.
	Add(ctx context.Context, k *tenant.APIKey) error
	// Find gives a key. It fails with tenant.ErrKeyNotFound.
	Find(ctx context.Context, id tenant.KeyID) (*tenant.APIKey, error)
	// List gives a creator's keys in a tenant, newest first.
	List(ctx context.Context, t tenant.ID, creator user.ID) ([]*tenant.APIKey, error)
	// Update loads a key, locks it, calls change and keeps the result. An error of change is returned and nothing is kept.
	Update(ctx context.Context, id tenant.KeyID, change func(*tenant.APIKey) error) error
	// Touch remembers when keys were last used; an earlier time than the one kept changes nothing.
	Touch(ctx context.Context, used map[tenant.KeyID]time.Time) error
	// Sweep deletes what has ended before then and says how many.
	Sweep(ctx context.Context, before time.Time) (int, error)
}
