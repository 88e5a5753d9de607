package outbound

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/tenant"
)

// Invites keeps invitations until they are accepted, revoked or swept. Implementations pass conformance.Invites.
type Invites interface {
	// Add keeps an invitation; an open one of the same tenant and address is replaced.
	Add(ctx context.Context, i *tenant.Invite) error
	// List gives a tenant's invitations that are live, newest first.
	List(ctx context.Context, t tenant.ID, now time.Time) ([]*tenant.Invite, error)
	// Peek gives the live invitation of a token's SHA-256 and leaves it. It fails with tenant.ErrInviteNotFound.
	Peek(ctx context.Context, tokenHash [32]byte, now time.Time) (*tenant.Invite, error)
	// Take gives the live invitation of a token's SHA-256 and deletes it, once change agrees: exactly one of many callers gets it, the others fail with
	// tenant.ErrInviteNotFound. An error of change is returned and nothing is deleted.
	Take(ctx context.Context, tokenHash [32]byte, now time.Time, change func(*tenant.Invite) error) error
	// Revoke deletes a tenant's invitation once change agrees. It fails with tenant.ErrInviteNotFound, also for another tenant's.
	Revoke(ctx context.Context, t tenant.ID, id tenant.InviteID, change func(*tenant.Invite) error) error
	// Sweep deletes what has expired before then and says how many.
	Sweep(ctx context.Context, before time.Time) (int, error)
}
