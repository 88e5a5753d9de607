package inbound

import (
	"context"
	"time"
)

// UsageFilter says which calls are asked for. Zero fields ask for all that the caller may see.
type UsageFilter struct {
	From     time.Time // inclusive
	To       time.Time // exclusive
	Outcome  string
	Provider string
	Model    string
	TaskType string
	Member   string // a user's id
	Key      string // an API key's id
	Tag      string
	EndUser  string
}

// UsageDimension is what calls are put together by.
type UsageDimension string

// The dimensions. A call of several tags counts in the group of each; one without, in that of "".
const (
	UsageDay      UsageDimension = "day" // of UTC, as 2006-01-02
	UsageModel    UsageDimension = "model"
	UsageProvider UsageDimension = "provider"
	UsageTaskType UsageDimension = "task_type"
	UsageMember   UsageDimension = "member"
	UsageKey      UsageDimension = "key" // "" for sessions
	UsageTag      UsageDimension = "tag"
)

// UsageDimensions lists the dimensions.
func UsageDimensions() []UsageDimension {
	return []UsageDimension{UsageDay, UsageModel, UsageProvider, UsageTaskType, UsageMember, UsageKey, UsageTag}
}

// UsageQuery asks for sums.
type UsageQuery struct {
	UsageFilter
	By    []UsageDimension
	After []string // the values of the last group of the page before; nil: the first page
	Limit int
}

// UsageGroup is the sum over the calls that have the same values.
type UsageGroup struct {
	Values       []string // in the order of UsageQuery.By
	Calls        int64
	InputTokens  int64
	OutputTokens int64
	CachedTokens int64
	CostNanos    int64 // of the calls that have a price
	Unpriced     int64 // calls that used tokens and have none
}

// CallQuery asks for rows.
type CallQuery struct {
	UsageFilter
	Before string // older than the call of this id
	Limit  int
}

// CallRecord is what is kept of a call. Neither prompt nor answer is.
type CallRecord struct {
	ID             string
	CreatedAt      time.Time
	Member         string
	Key            string // "" for a session
	Surface        string
	TaskType       string
	RequestedModel string
	Provider       string // "" when none was reached
	Model          string
	ServedModel    string
	Outcome        string
	Region         string
	Cache          string
	Stream         bool
	DecisionID     string
	TraceID        string
	Tags           []string
	EndUser        string
	Latency        time.Duration
	FirstByte      time.Duration
	Used
	Attempts []AttemptRecord
}

// Used is what was used, and what it cost.
type Used struct {
	InputTokens  int
	OutputTokens int
	CachedTokens int
	CacheWrite   int
	Reasoning    int
	UsageSource  string
	CostNanos    *int64 // nil: unpriced, or nothing was used
}

// AttemptRecord is what is kept of one attempt of a call. What a call used is the sum over its attempts.
type AttemptRecord struct {
	StartedAt   time.Time // zero: not known
	Provider    string
	Model       string
	ServedModel string
	Outcome     string
	Latency     time.Duration
	FirstByte   time.Duration
	Used
}

// Usage tells a tenant what it used. Administrators see all of it; any other session sees its user's calls, and a key without the scope admin its own.
type Usage interface {
	// Summary gives sums, ordered by the bytes of their values. Without From it begins 30 days before To, today included when that is zero too.
	Summary(ctx context.Context, caller Caller, q UsageQuery) ([]UsageGroup, error)
	// Calls gives rows, newest first.
	Calls(ctx context.Context, caller Caller, q CallQuery) ([]CallRecord, error)
}
