package outbound

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
)

// Sessions keeps sessions. Implementations pass conformance.Sessions.
type Sessions interface {
	// Add keeps a new session.
	Add(ctx context.Context, s *session.Session) error
	// Find gives a session. It fails with session.ErrNotFound.
	Find(ctx context.Context, id session.ID) (*session.Session, error)
	// OfUser lists a user's sessions that have not been ended and have not expired, newest first.
	OfUser(ctx context.Context, u user.ID, now time.Time) ([]*session.Session, error)
	// Update loads a session, locks it, calls change and keeps the result. An error of change is returned and nothing is kept.
	Update(ctx context.Context, id session.ID, change func(*session.Session) error) error
	// Sweep deletes sessions that ended, or expired, before then, and says how many.
	Sweep(ctx context.Context, before time.Time) (int, error)
}

// SessionRecord is what a request must know of a session: who, where, with what role.
type SessionRecord struct {
	ID       session.ID
	UserID   user.ID
	TenantID string
	Role     string
	Platform bool // the user administers the whole installation
	Epoch    int64
	Until    time.Time // when the session ends unless it is refreshed
	ReadAt   time.Time // when the database said so; a record is trusted for the session cache TTL from here, wherever it was kept
}

// SessionCache keeps session records for a short time, and the tombstones of sessions that were ended. It is speed, not truth: losing it loses nothing.
// Implementations pass conformance.SessionCache.
type SessionCache interface {
	// Record gives the record of a session. dead is true when there is a tombstone; known is false when nothing is kept.
	Record(ctx context.Context, id session.ID) (r SessionRecord, known, dead bool, err error)
	// Keep keeps a record unless there is one, or a tombstone, already.
	Keep(ctx context.Context, r SessionRecord, ttl time.Duration) error
	// Bury replaces whatever is kept by a tombstone.
	Bury(ctx context.Context, id session.ID, ttl time.Duration) error
	// Ping reports whether the cache answers.
	Ping(ctx context.Context) error
}
