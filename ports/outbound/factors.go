package outbound

import (
	"context"

	"github.com/forge1/forge1/domain/user"
)

// Factors keeps second factors. Implementations pass conformance.Factors.
type Factors interface {
	// Find gives a user's factor, one that is off when there is none.
	Find(ctx context.Context, u user.ID) (*user.Factor, error)
	// Update loads a user's factor, locks it (the user, when it has none yet), calls change and keeps the result. An error of change is returned and nothing is
	// kept. It fails with user.ErrNotFound.
	Update(ctx context.Context, u user.ID, change func(*user.Factor) error) error
	// UseStep remembers, in one statement, that a code of a step was used, and forgets the failures before it; false when that step or a later one was used
	// already, or the factor is off or locked.
	UseStep(ctx context.Context, u user.ID, step int64) (bool, error)
}
