package outbound

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/user"
)

// OneTimeToken is a mailed token of a user. What is kept of it is its SHA-256.
type OneTimeToken struct {
	ID        string
	Kind      string // what it is good for: reset
	Hash      [32]byte
	User      user.ID
	Epoch     int64 // the user's when it was made; a later one ends it
	CreatedAt time.Time
	ExpiresAt time.Time
}

// OneTimeTokens keeps mailed tokens. A token is live while it is neither used, expired, nor of an older epoch of its user than the one now, and its user is active.
// Implementations pass conformance.OneTimeTokens.
type OneTimeTokens interface {
	// Add keeps a token.
	Add(ctx context.Context, t OneTimeToken) error
	// Peek gives a live token and leaves it as it is. It fails with fault.ErrNotFound.
	Peek(ctx context.Context, kind string, hash [32]byte, now time.Time) (OneTimeToken, error)
	// Take gives a live token and uses it up, in one statement: exactly one of many callers gets it, the others fail with fault.ErrNotFound.
	Take(ctx context.Context, kind string, hash [32]byte, now time.Time) (OneTimeToken, error)
	// Since counts a user's tokens of a kind that were made after then, used ones included, and how many are live now. Inside Tx.Do it also locks the user until the
	// transaction ends, so that counting and adding are one step.
	Since(ctx context.Context, kind string, u user.ID, after, now time.Time) (made, live int, err error)
	// Drop ends a user's tokens of a kind; they still count in Since.
	Drop(ctx context.Context, kind string, u user.ID, now time.Time) error
	// Sweep deletes what has expired before then and says how many.
	Sweep(ctx context.Context, before time.Time) (int, error)
}
