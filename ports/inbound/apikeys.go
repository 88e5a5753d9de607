package inbound

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
)

// CreateKey asks for an API key.
type CreateKey struct {
	Name      string
	Scopes    []string  // empty: ai
	ExpiresAt time.Time // zero: never
}

// CreatedKey is a new key; Key is shown this once.
type CreatedKey struct {
	View KeyView
	Key  string
}

// KeyView is what may be seen of a key later.
type KeyView struct {
	ID        tenant.KeyID
	Name      string
	Scopes    []tenant.Scope
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	EndsAt    time.Time // zero: neither revoked nor rotated
	LastUsed  time.Time // zero: never
}

// APIKeys manages the caller's API keys in its tenant. Callers are sessions; a key cannot make keys.
type APIKeys interface {
	// Create makes a key. It fails with faults of kind Invalid, or Forbidden for a viewer.
	Create(ctx context.Context, caller Caller, c CreateKey) (CreatedKey, error)
	// List gives the caller's keys, newest first.
	List(ctx context.Context, caller Caller) ([]KeyView, error)
	// Rotate makes a successor; the old key works for the grace yet. It fails with tenant.ErrKeyNotFound or ErrKeyEnded.
	Rotate(ctx context.Context, caller Caller, id tenant.KeyID, grace time.Duration) (CreatedKey, error)
	// Revoke ends a key at once. It fails with tenant.ErrKeyNotFound.
	Revoke(ctx context.Context, caller Caller, id tenant.KeyID) error
}

// NewUser is a verified user made by an operator.
type NewUser struct {
	Email         string
	Password      string
	Username      string
	Tenant        string // slug or name of a tenant; made when there is none; "" for a personal one
	Role          string // "" is owner
	PlatformAdmin bool
}

// Operator is what the command line does past the HTTP surface.
type Operator interface {
	// CreateUser makes a verified user. It fails with user.ErrEmailTaken, or faults of kind Invalid.
	CreateUser(ctx context.Context, c NewUser) (user.ID, tenant.ID, error)
	// CreateKey makes an API key for the user of an address, in a tenant by id or slug ("" for the last used, else the oldest).
	CreateKey(ctx context.Context, email, inTenant string, c CreateKey) (CreatedKey, error)
	// DisableUser shuts the user of an address out and ends its sessions and keys. It fails with user.ErrNotFound.
	DisableUser(ctx context.Context, email string) error
	// EnableUser lets a disabled user in again. It fails with user.ErrNotFound.
	EnableUser(ctx context.Context, email string) error
	// DeleteUser forgets the user of an address. It fails as Platform.DeleteUser does.
	DeleteUser(ctx context.Context, email string) error
	// ResetMFA takes the second factor of a user away, locked or not, and ends its sessions. It fails with user.ErrNotFound, or user.ErrFactorNone.
	ResetMFA(ctx context.Context, email string) error
}

// SigningKey is a signing key as operators see it.
type SigningKey struct {
	Number int       `json:"number"`
	State  string    `json:"state"`
	Since  time.Time `json:"since"`
}

// SigningKeys is what the command line does to signing keys. Running nodes follow within a minute.
type SigningKeys interface {
	// List gives the keys by number.
	List(ctx context.Context) ([]SigningKey, error)
	// Rotate has the next key sign from now on.
	Rotate(ctx context.Context) ([]SigningKey, error)
	// Drop takes a key away, with every access token that it signed. It fails with signing.ErrNoKey.
	Drop(ctx context.Context, number int) ([]SigningKey, error)
}

// Check is how a part stands.
type Check struct {
	OK      bool
	Latency time.Duration
	Error   string // a class, never a host or credential
	Detail  string // which store is in use
}

// Readiness is how the process stands.
type Readiness struct {
	Ready      bool
	Database   Check
	Cache      Check
	Migrations Check
	Degraded   []string
}

// Health answers health checks.
type Health interface {
	// Ready checks every part, each within a second.
	Ready(ctx context.Context) Readiness
}
