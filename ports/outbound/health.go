package outbound

import "context"

// Database is what readiness asks of the database. Implementations pass conformance.Database.
type Database interface {
	// Ping reports whether the database answers.
	Ping(ctx context.Context) error
	// Pending counts the migrations that have not been applied.
	Pending(ctx context.Context) (int, error)
	// Kind names the store for people: postgres, sqlite.
	Kind() string
}
