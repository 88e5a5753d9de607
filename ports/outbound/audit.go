package outbound

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/event"
)

// AuditEntry is one line of the audit log.
type AuditEntry struct {
	ID        string // UUIDv7
	At        time.Time
	Event     string
	ActorID   string // user; "" for the installation itself, or a stranger
	KeyID     string
	SubjectID string
	TenantID  string
	SessionID string
	Reason    string
	RequestID string
	TraceID   string
	IP        string
	Agent     string
	Detail    map[string]string
}

// AuditFilter says which lines are asked for. Zero fields ask for all.
type AuditFilter struct {
	Event   string
	Actor   string
	Subject string
	From    time.Time // inclusive
	To      time.Time // exclusive
}

// AuditLog keeps what happened. It is append-only: nothing in it changes, and only Sweep, after the time of retention, takes away. Implementations pass
// conformance.AuditLog.
type AuditLog interface {
	// Append keeps events of no aggregate, with the Actor of the context.
	Append(ctx context.Context, events ...event.Event) error
	// List gives a tenant's lines, newest first, older than the cursor id ("" from the newest), at most limit. A line of another tenant, or of none,
	// is never among them.
	List(ctx context.Context, tenantID string, f AuditFilter, before string, limit int) ([]AuditEntry, error)
	// Sweep deletes lines from before then and says how many.
	Sweep(ctx context.Context, before time.Time) (int, error)
}
