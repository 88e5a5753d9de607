package outbound

import (
	"context"
	"time"
)

// Call is the row that is kept of every AI call.
type Call struct {
	ID             string // UUIDv7
	CreatedAt      time.Time
	Region         string // where it was served; "" in a single-region installation
	TenantID       string
	UserID         string
	KeyID          string // "" for a session
	SessionID      string // "" for a key
	TraceID        string
	Surface        string // execute, chat.completions
	TaskType       string
	RequestedModel string
	Provider       string // "" when none was reached
	Model          string
	ServedModel    string // the vendor's own name for it
	Outcome        string // ok, or the code of the failure
	InputTokens    int
	OutputTokens   int
	CachedTokens   int
	CacheWrite     int
	Reasoning      int
	UsageSource    string
	CostNanos      *int64 // nil: unpriced
	LatencyMs      int64
	FirstByteMs    int64 // 0 for whole answers
	Cache          string
	Stream         bool
	DecisionID     string    // of the decision that explains the answer: for one from the prompt cache, that of the call which filled it
	Decision       *Decision // nil: the call made none of its own
	Attempts       []CallAttempt
	Tags           []string
	EndUser        string
}

// CallAttempt is one attempt of a call. What it used is its own: a broken attempt may be billed, and what a call cost is the sum of its attempts.
type CallAttempt struct {
	StartedAt    time.Time
	Provider     string
	Model        string
	ServedModel  string
	Credential   string
	Outcome      string // as chat.Outcome names it
	LatencyMs    int64
	FirstByteMs  int64 // 0: nothing came, or the answer came whole
	InputTokens  int
	OutputTokens int
	CachedTokens int
	CacheWrite   int
	Reasoning    int
	UsageSource  string // "": nothing was used
	CostNanos    *int64 // nil: unpriced, or nothing was used
}

// Decision is a routing decision as it is kept.
type Decision struct {
	ID            string // UUIDv7
	TenantID      string
	CreatedAt     time.Time
	TaskType      string
	Provider      string // chosen; "" when none was
	Model         string
	Outcome       string // of the call: ok, or the code of the failure
	PolicyVersion int64
	SnapshotID    string // of the sheet with the facts
	PolicyID      string // of the sheet with the policy
	Shown         []byte // JSON, as the API shows it
	Inputs        []byte // JSON: request and readings, from which, with both sheets, the decision can be made again
}

// Sheet is what many decisions were made from: a snapshot of facts, or a policy. It is kept once.
type Sheet struct {
	ID        string
	CreatedAt time.Time
	Body      []byte // JSON
}

// Batch is what is kept at once.
type Batch struct {
	Calls  []Call  // with their attempts and decisions
	Sheets []Sheet // that decisions of this batch, or of earlier ones, refer to
}

// Calls keeps the rows; Usage and Decisions read them. Implementations pass conformance.Calls.
type Calls interface {
	// Append keeps a batch, all of it or nothing. A row whose id is there already is left as it is, so a batch may be sent again; a sheet that is there
	// is as new as it was last sent. Text that cannot be kept, NUL or no UTF-8, is kept with U+FFFD in its place, so that one row never spoils a batch.
	Append(ctx context.Context, b Batch) error
	// Sweep deletes calls from before then, with their attempts, and says how many calls. Decisions stay: see Decisions.
	Sweep(ctx context.Context, before time.Time) (int, error)
}
