package inbound

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/routing"
)

// DecisionRecord is a routing decision with what became of its call. Of what was asked, it holds the alias alone.
type DecisionRecord struct {
	Decision routing.Decision
	Alias    string // "" when none was asked for
	Attempts []Attempt
	Outcome  string // of the call: ok, or the code of its failure; "" while it is not known
}

// DecisionQuery says which decisions are asked for. Zero fields ask for all, but for Limit.
type DecisionQuery struct {
	Before   string // older than the decision of this id
	Limit    int
	TaskType string
	Provider string // that was chosen
	Model    string
	Outcome  string
	From     time.Time // inclusive
	To       time.Time // exclusive
}

// Replay is a decision made again from what it was made from.
type Replay struct {
	Same     bool // candidates with all their figures, and exclusions with their reasons, are what they were
	Decision routing.Decision
}

// Decisions answers why calls went where they went, within the caller's tenant. A call's decision can be found from the moment that its answer
// begins on the node that made it, and within two seconds on others.
type Decisions interface {
	// Find gives a decision. It fails with fault.ErrNotFound, also for another tenant's.
	Find(ctx context.Context, caller Caller, id string) (DecisionRecord, error)
	// List gives the tenant's decisions, newest first.
	List(ctx context.Context, caller Caller, q DecisionQuery) ([]DecisionRecord, error)
	// Replay makes a decision again. It fails with fault.ErrNotFound, and with facts_gone.
	Replay(ctx context.Context, caller Caller, id string) (Replay, error)
}
