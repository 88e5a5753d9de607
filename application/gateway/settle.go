package gateway

import (
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// tokens is what a call used, as far as anybody knows.
type tokens struct {
	reported *chat.Usage // nil: the vendor did not say
	output   int         // estimated tokens of the answer, when it did not
	answered bool        // some of an answer came; otherwise nothing is counted
	finish   chat.Finish
	model    string // the vendor's own name of the model
}

// settle counts what the call used and cost, and hands its row over. It is called once for every call whose row is reserved.
func (c *call) settle(t tokens, err error) {
	c.receipt.Took = c.Clock().Sub(c.began)
	c.receipt.Finish, c.receipt.ServedModel = t.finish, t.model
	if t.answered || t.reported != nil {
		c.count(t)
	}
	c.Recorder.Keep(c.row(err))
}

func (c *call) count(t tokens) {
	r := &c.receipt
	if t.reported != nil {
		r.Usage, r.UsageSource = *t.reported, chat.UsageProvider
	} else {
		r.Usage = chat.Usage{Input: chat.EstimateTokens(c.in.TextBytes), Output: t.output}
		r.UsageSource = chat.UsageEstimated
	}
	r.CostNanos = r.Usage.CostNanos
	if conn := c.connections[r.Provider]; r.CostNanos == nil && conn != nil {
		if m, ok := c.Catalogue.Model(conn.Vendor, r.Model); ok && m.Priced {
			nanos := m.Price.Nanos(routing.Tokens{
				Input: r.Usage.Input, Output: r.Usage.Output, CacheRead: r.Usage.CacheRead, CacheWrite: r.Usage.CacheWrite,
			})
			r.CostNanos = &nanos
		}
	}
	var cost int64
	if r.CostNanos != nil {
		cost = *r.CostNanos
	}
	c.Meter.Call(r.Provider, c.label(routing.Target{Provider: r.Provider, Model: r.Model}), r.Usage.Input, r.Usage.Output, cost)
}

// learn adds a complete answer to what is known of its target. What the reader of a stream took is not in it.
func (c *call) learn(a *attempt, t tokens) {
	output := 0
	if t.reported != nil {
		output = t.reported.Output
	}
	c.Latencies.Observe(c.wish.task, a.target, a.took, output)
	c.board.observed(c.wish.task, a.target, c.Clock())
}

func (c *call) row(err error) outbound.Call {
	r := &c.receipt
	outcome := codeOf(err)
	return outbound.Call{
		ID: r.CallID, CreatedAt: c.began, Region: c.Settings.Region,
		TenantID: string(c.in.Caller.TenantID), UserID: string(c.in.Caller.UserID),
		KeyID: string(c.in.Caller.KeyID), SessionID: string(c.in.Caller.SessionID),
		TraceID: c.in.TraceID, Surface: string(c.in.Surface), TaskType: string(c.wish.task), RequestedModel: c.in.Model,
		Provider: r.Provider, Model: r.Model, ServedModel: r.ServedModel, Outcome: outcome,
		InputTokens: r.Usage.Input, OutputTokens: r.Usage.Output, CachedTokens: r.Usage.CacheRead, CacheWrite: r.Usage.CacheWrite,
		Reasoning: r.Usage.Reasoning, UsageSource: string(r.UsageSource), CostNanos: r.CostNanos,
		LatencyMs: r.Took.Milliseconds(), FirstByteMs: c.first.Milliseconds(), Cache: r.Cache, Stream: c.in.Stream,
		DecisionID: c.decision.ID, Decision: c.record(outcome), Attempts: c.attempts,
		Tags: c.in.Tags, EndUser: c.in.EndUser,
	}
}

// record is the decision as it is kept.
func (c *call) record(outcome string) *outbound.Decision {
	d := &outbound.Decision{
		ID: c.decision.ID, TenantID: string(c.in.Caller.TenantID), CreatedAt: c.decision.At, TaskType: string(c.wish.task), Outcome: outcome,
		PolicyVersion: c.decision.PolicyVersion, SnapshotID: c.decision.SnapshotID, Shown: appendDecision(nil, c.decision, c.attempts, outcome),
	}
	if chosen, ok := c.decision.Chosen(); ok {
		d.Provider, d.Model = chosen.Provider, chosen.Model
	}
	return d
}
