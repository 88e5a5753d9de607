package outbound

import (
	"context"
	"time"
)

// SealedResponse is a kept response of the Responses API, encrypted.
type SealedResponse struct {
	TenantID  string
	ID        string
	CreatedAt time.Time
	ExpiresAt time.Time
	Sealed    []byte
}

// KeptResponses keeps responses of tenants until they expire. Implementations pass conformance.KeptResponses.
type KeptResponses interface {
	// Add keeps a response. One that the tenant has of the same id stays as it is.
	Add(ctx context.Context, r SealedResponse) error
	// Find finds a tenant's response that has not expired at now. It fails with fault.ErrNotFound.
	Find(ctx context.Context, tenantID, id string, now time.Time) (SealedResponse, error)
	// Remove removes a tenant's response that has not expired at now. It fails with fault.ErrNotFound.
	Remove(ctx context.Context, tenantID, id string, now time.Time) error
	// Sweep removes up to limit responses that have expired at now, of any tenant, and says how many.
	Sweep(ctx context.Context, now time.Time, limit int) (int, error)
}
