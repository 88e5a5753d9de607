package outbound

import (
	"context"

	"github.com/forge1/forge1/domain/signing"
)

// SigningKeys keeps which numbered keys sign and verify access tokens; never a key. Implementations pass conformance.SigningKeys.
type SigningKeys interface {
	// List gives the keys by number; none before the first Update.
	List(ctx context.Context) ([]signing.Key, error)
	// Update loads the set, locks it, calls change and keeps the result. An error of change is returned and nothing is kept. Of several callers that begin the first
	// set at once, one does, and the others are given it.
	Update(ctx context.Context, change func(*signing.Set) error) error
}
