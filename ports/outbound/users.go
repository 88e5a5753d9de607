package outbound

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/user"
)

// Users keeps users. Implementations pass conformance.Users.
type Users interface {
	// Add keeps a new user. It fails with user.ErrEmailTaken or user.ErrUsernameTaken; neither spoils the transaction.
	Add(ctx context.Context, u *user.User) error
	// Find gives a user. It fails with user.ErrNotFound.
	Find(ctx context.Context, id user.ID) (*user.User, error)
	// FindByEmail gives the user of a canonical address. It fails with user.ErrNotFound.
	FindByEmail(ctx context.Context, canon string) (*user.User, error)
	// FindByUsername gives the user of a username. It fails with user.ErrNotFound.
	FindByUsername(ctx context.Context, name string) (*user.User, error)
	// Update loads a user, locks it, calls change and keeps the result. An error of change is returned and nothing is kept.
	Update(ctx context.Context, id user.ID, change func(*user.User) error) error
	// Remove loads a user, locks it, calls change and forgets the user with its factor, sessions, API keys, memberships and tokens; the audit log stays. An error of change
	// is returned and nothing is forgotten. It fails with user.ErrNotFound.
	Remove(ctx context.Context, id user.ID, change func(*user.User) error) error
}

// Directory finds many users at once, for lists of them. Implementations pass conformance.Users.
type Directory interface {
	// FindAll gives the users of ids, in no order; whoever is not there is left out.
	FindAll(ctx context.Context, ids []user.ID) ([]*user.User, error)
}

// Registrations keeps what waits for its address to be proven. Implementations pass conformance.Registrations.
type Registrations interface {
	// Add keeps a registration.
	Add(ctx context.Context, r user.Registration) error
	// Since counts the registrations of a canonical address made after then, and how many of the address (whenever made) are live now. Inside Tx.Do it
	// also locks the address, whether it has rows or not, until the transaction ends, so that counting and adding are one step.
	Since(ctx context.Context, canon string, after, now time.Time) (made, live int, err error)
	// Newest gives the newest live registration of a canonical address. It fails with user.ErrNotFound.
	Newest(ctx context.Context, canon string, now time.Time) (user.Registration, error)
	// Rivals counts the live registrations of a canonical address that have another password hash.
	Rivals(ctx context.Context, canon, passwordHash string, now time.Time) (int, error)
	// Take gives the live registration of a token's SHA-256 and deletes it with all others of its address. Exactly one of many callers gets
	// it; the others fail with user.ErrNotFound.
	Take(ctx context.Context, tokenHash [32]byte, now time.Time) (user.Registration, error)
	// Sweep deletes what has expired before then and says how many.
	Sweep(ctx context.Context, before time.Time) (int, error)
}
