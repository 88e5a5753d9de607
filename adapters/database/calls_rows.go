package database

import (
	"encoding/json"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/ports/outbound"
)

type callRow struct {
	bun.BaseModel `bun:"table:ai_calls,alias:c"`

	ID             string         `bun:"id,pk,type:text"`
	CreatedAt      instant        `bun:"created_at,type:timestamptz,notnull"`
	Region         string         `bun:"region,type:text,notnull"`
	TenantID       string         `bun:"tenant_id,type:text,notnull"`
	UserID         string         `bun:"user_id,type:text,notnull"`
	KeyID          string         `bun:"key_id,type:text,notnull"`
	SessionID      string         `bun:"session_id,type:text,notnull"`
	TraceID        string         `bun:"trace_id,type:text,notnull"`
	Surface        string         `bun:"surface,type:text,notnull"`
	TaskType       string         `bun:"task_type,type:text,notnull"`
	RequestedModel string         `bun:"requested_model,type:text,notnull"`
	Provider       string         `bun:"provider,type:text,notnull"`
	Model          string         `bun:"model,type:text,notnull"`
	ServedModel    string         `bun:"served_model,type:text,notnull"`
	Outcome        string         `bun:"outcome,type:text,notnull"`
	InputTokens    int            `bun:"input_tokens,type:bigint,notnull"`
	OutputTokens   int            `bun:"output_tokens,type:bigint,notnull"`
	CachedTokens   int            `bun:"cached_tokens,type:bigint,notnull"`
	CacheWrite     int            `bun:"cache_write,type:bigint,notnull"`
	Reasoning      int            `bun:"reasoning,type:bigint,notnull"`
	UsageSource    string         `bun:"usage_source,type:text,notnull"`
	CostNanos      *int64         `bun:"cost_nanos"`
	LatencyMs      int64          `bun:"latency_ms,notnull"`
	FirstByteMs    int64          `bun:"first_byte_ms,notnull"`
	Cache          string         `bun:"cache,type:text,notnull"`
	Stream         bool           `bun:"stream,notnull"`
	DecisionID     string         `bun:"decision_id,type:text,notnull"`
	Tags           list[[]string] `bun:"tags,type:jsonb,notnull"`
	EndUser        string         `bun:"end_user,type:text,notnull"`
}

type attemptRow struct {
	bun.BaseModel `bun:"table:ai_attempts"`

	CallID       string  `bun:"call_id,pk,type:text"`
	Number       int     `bun:"number,pk,type:bigint"`
	StartedAt    instant `bun:"started_at,type:timestamptz"`
	Provider     string  `bun:"provider,type:text,notnull"`
	Model        string  `bun:"model,type:text,notnull"`
	ServedModel  string  `bun:"served_model,type:text,notnull"`
	Credential   string  `bun:"credential,type:text,notnull"`
	Outcome      string  `bun:"outcome,type:text,notnull"`
	LatencyMs    int64   `bun:"latency_ms,notnull"`
	FirstByteMs  int64   `bun:"first_byte_ms,notnull"`
	InputTokens  int     `bun:"input_tokens,type:bigint,notnull"`
	OutputTokens int     `bun:"output_tokens,type:bigint,notnull"`
	CachedTokens int     `bun:"cached_tokens,type:bigint,notnull"`
	CacheWrite   int     `bun:"cache_write,type:bigint,notnull"`
	Reasoning    int     `bun:"reasoning,type:bigint,notnull"`
	UsageSource  string  `bun:"usage_source,type:text,notnull"`
	CostNanos    *int64  `bun:"cost_nanos"`
}

// keepFirst leaves alone what is there.
const keepFirst = "ON CONFLICT DO NOTHING"

// callBulk has its columns in the order of callArgs.
var callBulk = bulk{"ai_calls", []string{
	"id", "created_at", "region", "tenant_id", "user_id", "key_id", "session_id", "trace_id", "surface", "task_type", "requested_model", "provider",
	"model", "served_model", "outcome", "input_tokens", "output_tokens", "cached_tokens", "cache_write", "reasoning", "usage_source", "cost_nanos",
	"latency_ms", "first_byte_ms", "cache", "stream", "decision_id", "tags", "end_user",
}, keepFirst}

// callArgs appends the values of a row. Text is mended rather than refused, so that one row never spoils a batch.
func callArgs(args []any, d dialect, c *outbound.Call) []any {
	return append(args,
		mended(c.ID), d.timeArg(c.CreatedAt), mended(c.Region), mended(c.TenantID), mended(c.UserID), mended(c.KeyID), mended(c.SessionID), mended(c.TraceID),
		mended(c.Surface), mended(c.TaskType), mended(c.RequestedModel), mended(c.Provider), mended(c.Model), mended(c.ServedModel),
		mended(c.Outcome), int64(c.InputTokens), int64(c.OutputTokens), int64(c.CachedTokens), int64(c.CacheWrite), int64(c.Reasoning),
		mended(c.UsageSource), costArg(c.CostNanos), c.LatencyMs, c.FirstByteMs, mended(c.Cache), c.Stream, mended(c.DecisionID),
		tagsText(c.Tags), mended(c.EndUser))
}

// attemptOf is one of a call's attempts, the first of which is 0.
type attemptOf struct {
	call *outbound.Call
	n    int
}

// attemptBulk has its columns in the order of attemptArgs.
var attemptBulk = bulk{"ai_attempts", []string{
	"call_id", "number", "started_at", "provider", "model", "served_model", "credential", "outcome", "latency_ms", "first_byte_ms", "input_tokens",
	"output_tokens", "cached_tokens", "cache_write", "reasoning", "usage_source", "cost_nanos",
}, keepFirst}

func attemptArgs(args []any, d dialect, of *attemptOf) []any {
	a := &of.call.Attempts[of.n]
	var started any
	if !a.StartedAt.IsZero() {
		started = d.timeArg(a.StartedAt)
	}
	return append(args,
		mended(of.call.ID), int64(of.n+1), started, mended(a.Provider), mended(a.Model), mended(a.ServedModel), mended(a.Credential), mended(a.Outcome),
		a.LatencyMs, a.FirstByteMs, int64(a.InputTokens), int64(a.OutputTokens), int64(a.CachedTokens), int64(a.CacheWrite), int64(a.Reasoning),
		mended(a.UsageSource), costArg(a.CostNanos))
}

func costArg(nanos *int64) any {
	if nanos == nil {
		return nil
	}
	return *nanos
}

// tagsText writes tags as JSON.
func tagsText(tags []string) string {
	if len(tags) == 0 {
		return "[]"
	}
	out := make([]string, len(tags))
	for i, tag := range tags {
		out[i] = mended(tag)
	}
	raw, _ := json.Marshal(out) // of texts that cannot fail
	return string(raw)
}

func (r *callRow) call() outbound.Call {
	return outbound.Call{
		ID: r.ID, CreatedAt: r.CreatedAt.Time, Region: r.Region, TenantID: r.TenantID, UserID: r.UserID, KeyID: r.KeyID, SessionID: r.SessionID,
		TraceID: r.TraceID, Surface: r.Surface, TaskType: r.TaskType, RequestedModel: r.RequestedModel, Provider: r.Provider, Model: r.Model,
		ServedModel: r.ServedModel, Outcome: r.Outcome, InputTokens: r.InputTokens, OutputTokens: r.OutputTokens, CachedTokens: r.CachedTokens,
		CacheWrite: r.CacheWrite, Reasoning: r.Reasoning, UsageSource: r.UsageSource, CostNanos: r.CostNanos, LatencyMs: r.LatencyMs,
		FirstByteMs: r.FirstByteMs, Cache: r.Cache, Stream: r.Stream, DecisionID: r.DecisionID, Tags: r.Tags.Of, EndUser: r.EndUser,
	}
}

func (r *attemptRow) attempt() outbound.CallAttempt {
	return outbound.CallAttempt{
		StartedAt: r.StartedAt.Time, Provider: r.Provider, Model: r.Model, ServedModel: r.ServedModel, Credential: r.Credential, Outcome: r.Outcome,
		LatencyMs: r.LatencyMs, FirstByteMs: r.FirstByteMs, InputTokens: r.InputTokens, OutputTokens: r.OutputTokens, CachedTokens: r.CachedTokens,
		CacheWrite: r.CacheWrite, Reasoning: r.Reasoning, UsageSource: r.UsageSource, CostNanos: r.CostNanos,
	}
}
