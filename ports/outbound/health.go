package outbound

import (
	"context"
	"time"
)

// Database is what is asked of the database's state: whether it is ready, and what time it has. Implementations pass conformance.Database.
type Database interface {
	// Ping reports whether the database answers.
	Ping(ctx context.Context) error
	// Pending counts the migrations that have not been applied.
	Pending(ctx context.Context) (int, error)
	// Now tells the time by the clock of the host that the database runs on. An embedded database runs on this one.
	Now(ctx context.Context) (time.Time, error)
	// Kind names the store for people: postgres, sqlite.
	Kind() string
}
