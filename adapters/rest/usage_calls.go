package rest

import (
	"time"

	"github.com/forge1/forge1/ports/inbound"
)

// CallRow is what is kept of a call.
type CallRow struct {
	ID             string    `json:"call_id"`
	CreatedAt      time.Time `json:"created_at"`
	Outcome        string    `json:"outcome" doc:"ok, or the code of the failure"`
	Provider       *string   `json:"provider" doc:"null: none was reached"`
	Model          *string   `json:"model"`
	ServedModel    *string   `json:"served_model" doc:"The provider's own name for the model"`
	RequestedModel string    `json:"requested_model" doc:"As the caller wrote it; empty: it was routed"`
	TaskType       string    `json:"task_type"`
	Surface        string    `json:"surface"`
	Used
	LatencyMs   int64        `json:"latency_ms"`
	FirstByteMs *int64       `json:"first_byte_ms" doc:"null: the answer came whole, or none came"`
	Cache       *string      `json:"cache" doc:"hit, miss or bypass; null: it was not come to"`
	DecisionID  *string      `json:"decision_id"`
	TraceID     *string      `json:"trace_id"`
	Tags        []string     `json:"tags" nullable:"false"`
	EndUser     *string      `json:"end_user"`
	Stream      bool         `json:"stream"`
	Region      *string      `json:"region"`
	Member      string       `json:"member" doc:"The user's id; of a key, that of its creator"`
	Key         *string      `json:"key" doc:"The API key's id; null: a session"`
	Attempts    []AttemptRow `json:"attempts" nullable:"false"`
}

// AttemptRow is what is kept of one attempt of a call. What a call used and cost is the sum over its attempts.
type AttemptRow struct {
	StartedAt   *time.Time `json:"started_at"`
	Provider    string     `json:"provider"`
	Model       string     `json:"model"`
	ServedModel *string    `json:"served_model"`
	Outcome     string     `json:"outcome"`
	LatencyMs   int64      `json:"latency_ms"`
	FirstByteMs *int64     `json:"first_byte_ms"`
	Used
}

// Used is what was used, and what it cost.
type Used struct {
	InputTokens  int     `json:"input_tokens" doc:"Cached and cache-write tokens included"`
	OutputTokens int     `json:"output_tokens" doc:"Reasoning tokens included"`
	CachedTokens int     `json:"cached_tokens"`
	CacheWrite   int     `json:"cache_write_tokens"`
	Reasoning    int     `json:"reasoning_tokens"`
	TokensUsed   int     `json:"tokens_used" doc:"Input and output together"`
	UsageSource  *string `json:"usage_source" doc:"provider, estimated or cache; null: nothing was used"`
	CostNanos    *int64  `json:"cost_nanos" doc:"Billionths of a dollar; null when the model is unpriced, or nothing was used"`
	CostUSD      *string `json:"cost_usd" doc:"The same as a decimal"`
}

func usedOf(u inbound.Used) Used {
	out := Used{
		InputTokens: u.InputTokens, OutputTokens: u.OutputTokens, CachedTokens: u.CachedTokens, CacheWrite: u.CacheWrite, Reasoning: u.Reasoning,
		TokensUsed: u.InputTokens + u.OutputTokens, UsageSource: orNull(u.UsageSource), CostNanos: u.CostNanos,
	}
	if u.CostNanos != nil {
		usd := dollars(*u.CostNanos)
		out.CostUSD = &usd
	}
	return out
}

func callRowOf(r *inbound.CallRecord) CallRow {
	out := CallRow{
		ID: r.ID, CreatedAt: r.CreatedAt.UTC(), Outcome: r.Outcome, Provider: orNull(r.Provider), Model: orNull(r.Model), ServedModel: orNull(r.ServedModel),
		RequestedModel: r.RequestedModel, TaskType: r.TaskType, Surface: r.Surface, Used: usedOf(r.Used), LatencyMs: r.Latency.Milliseconds(),
		FirstByteMs: msOrNull(r.FirstByte), Cache: orNull(r.Cache), DecisionID: orNull(r.DecisionID), TraceID: orNull(r.TraceID), Tags: append([]string{}, r.Tags...),
		EndUser: orNull(r.EndUser), Stream: r.Stream, Region: orNull(r.Region), Member: r.Member, Key: orNull(r.Key), Attempts: make([]AttemptRow, len(r.Attempts)),
	}
	for i, a := range r.Attempts {
		out.Attempts[i] = AttemptRow{
			StartedAt: timeOrNull(a.StartedAt), Provider: a.Provider, Model: a.Model, ServedModel: orNull(a.ServedModel), Outcome: a.Outcome,
			LatencyMs: a.Latency.Milliseconds(), FirstByteMs: msOrNull(a.FirstByte), Used: usedOf(a.Used),
		}
	}
	return out
}

// msOrNull gives nil for nothing, so that JSON says null.
func msOrNull(d time.Duration) *int64 {
	if d == 0 {
		return nil
	}
	ms := d.Milliseconds()
	return &ms
}
