package outbound

import (
	"context"

	"github.com/forge1/forge1/domain/routing"
)

// Policies keeps every tenant's routing policy. Implementations pass conformance.Policies.
type Policies interface {
	// Find gives a tenant's policy, the default one when it has none.
	Find(ctx context.Context, tenantID string) (*routing.Policy, error)
	// Update loads the policy, calls change and keeps the result, atomically. An error of change is returned and nothing is kept. It may call
	// change more than once, so change does no I/O.
	Update(ctx context.Context, tenantID string, change func(*routing.Policy) error) error
}
