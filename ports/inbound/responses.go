package inbound

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/fault"
)

// KeptResponse is a response of the Responses API that can be gone on from. Its JSON is the client's dialect.
type KeptResponse struct {
	ID        string
	CreatedAt time.Time
	Input     []byte // JSON array: the items of the whole conversation that the response answered
	Output    []byte // JSON array: the items of the answer, with all that a vendor wants back
	Body      []byte // JSON object: the response as the client got it
}

// ErrNoResponse is a response that was never kept, has been removed, has expired, or is another tenant's.
var ErrNoResponse = fault.New(fault.NotFound, "not_found", "there is no response of that id")

// Responses keeps responses of the Responses API, for as long as the installation says. They are kept for a tenant, encrypted.
type Responses interface {
	// Keep keeps a response. Keeping one of the same id again changes nothing.
	Keep(ctx context.Context, caller Caller, r KeptResponse) error
	// Find fails with ErrNoResponse.
	Find(ctx context.Context, caller Caller, id string) (KeptResponse, error)
	// Remove fails with ErrNoResponse.
	Remove(ctx context.Context, caller Caller, id string) error
}
