package outbound

import (
	"context"
	"time"
)

// SheetMargin is how much longer a sheet is kept than decisions are. Whoever goes on referring to a sheet sends it again more often than that.
const SheetMargin = 2 * time.Hour

// DecisionFilter says which decisions are asked for. Zero fields ask for all, but for Limit.
type DecisionFilter struct {
	Before   string // older than the decision of this id
	Limit    int
	TaskType string
	Provider string
	Model    string
	Outcome  string
	From     time.Time // inclusive
	To       time.Time // exclusive
}

// Decisions reads the decisions that Calls keeps. Implementations pass conformance.Decisions.
type Decisions interface {
	// Find gives a tenant's decision. It fails with fault.ErrNotFound, also for another tenant's.
	Find(ctx context.Context, tenantID, id string) (Decision, error)
	// List gives a tenant's decisions, newest first.
	List(ctx context.Context, tenantID string, f DecisionFilter) ([]Decision, error)
	// Sheet gives a sheet. It fails with fault.ErrNotFound.
	Sheet(ctx context.Context, id string) (Sheet, error)
	// Sweep deletes decisions from before then, and sheets that were last sent SheetMargin before then, and says how many rows.
	Sweep(ctx context.Context, before time.Time) (int, error)
}
