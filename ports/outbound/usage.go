package outbound

import (
	"context"
	"time"
)

// UsageFilter says which calls are asked for. Zero fields ask for all.
type UsageFilter struct {
	From     time.Time // inclusive
	To       time.Time // exclusive
	Outcome  string
	Provider string
	Model    string
	TaskType string
	UserID   string
	KeyID    string
	Tag      string
	EndUser  string
}

// UsageDimension is what calls are put together by.
type UsageDimension string

// The dimensions. A call of several tags counts in the group of each; one without, in that of "".
const (
	ByDay      UsageDimension = "day" // of UTC, as 2006-01-02
	ByModel    UsageDimension = "model"
	ByProvider UsageDimension = "provider"
	ByTaskType UsageDimension = "task_type"
	ByMember   UsageDimension = "member"
	ByKey      UsageDimension = "key" // "" for a session
	ByTag      UsageDimension = "tag"
)

// UsageQuery asks for sums.
type UsageQuery struct {
	UsageFilter
	By    []UsageDimension
	After []string // the values of the group after which to go on, as many as By; nil: from the first
	Limit int
}

// UsageGroup is the sum over the calls that have the same values. Sums stop at the greatest number there is.
type UsageGroup struct {
	Values       []string // in the order of UsageQuery.By
	Calls        int64
	InputTokens  int64
	OutputTokens int64
	CachedTokens int64
	CostNanos    int64 // of the calls that have a price
	Unpriced     int64 // calls that used tokens and have none
}

// CallFilter asks for rows.
type CallFilter struct {
	UsageFilter
	Before string // older than the call of this id
	Limit  int
}

// Usage reads the rows that Calls keeps. Implementations pass conformance.Usage.
type Usage interface {
	// Summary gives a tenant's sums, ordered by the bytes of their values.
	Summary(ctx context.Context, tenantID string, q UsageQuery) ([]UsageGroup, error)
	// Calls gives a tenant's rows, newest first, with their attempts and without their decisions.
	Calls(ctx context.Context, tenantID string, f CallFilter) ([]Call, error)
}
