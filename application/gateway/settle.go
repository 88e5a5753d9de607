package gateway

import (
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// tokens is what an attempt used, as far as anybody knows.
type tokens struct {
	reported *chat.Usage // nil: the vendor did not say
	output   int         // estimated tokens of the answer, when it did not
	answered bool        // some of an answer came; otherwise nothing is counted
	finish   chat.Finish
	model    string // the vendor's own name of the model
}

// settle hands the row of the call over. It is called once for every call whose row is reserved, after its last attempt has ended.
func (c *call) settle(t tokens, err error) {
	r := &c.receipt
	r.Took = c.Clock().Sub(c.began)
	r.Finish, r.ServedModel = t.finish, t.model
	c.Recorder.Keep(c.row(err))
}

// count adds what an attempt used to its row and to the receipt: by the vendor's word, else by an estimate if some of an answer came, else
// nothing. What a call used and cost is the sum over its attempts, since a broken one may be billed too.
func (c *call) count(a *attempt, row *outbound.CallAttempt) {
	usage, source := a.used.usage(c.in.TextBytes)
	if source == "" {
		return
	}
	nanos := c.price(a, usage)
	row.InputTokens, row.OutputTokens, row.CachedTokens, row.CacheWrite = usage.Input, usage.Output, usage.CacheRead, usage.CacheWrite
	row.Reasoning, row.UsageSource, row.CostNanos = usage.Reasoning, string(source), nanos
	r := &c.receipt
	r.Usage = sum(r.Usage, usage)
	if r.UsageSource == "" || source == chat.UsageEstimated { // a sum is as exact as its least exact part
		r.UsageSource = source
	}
	var cost int64
	if nanos == nil {
		c.unpriced = true
	} else {
		cost = *nanos
	}
	c.cost += cost
	r.CostNanos = nil
	if total := c.cost; !c.unpriced {
		r.CostNanos = &total
	}
	c.Meter.Call(a.target.Provider, c.label(c.landscape, a.target), usage.Input, usage.Output, cost)
}

// usage is what was used, and by whose word; "" is nobody's: nothing came.
func (t *tokens) usage(textBytes int) (chat.Usage, chat.UsageSource) {
	switch {
	case t.reported != nil:
		return plausibly(*t.reported), chat.UsageProvider
	case t.answered:
		return chat.Usage{Input: chat.EstimateTokens(textBytes), Output: t.output}, chat.UsageEstimated
	default:
		return chat.Usage{}, ""
	}
}

// What a vendor can say that an attempt used and cost, at most, so that no sum overflows.
const (
	mostTokens = 1_000_000_000
	mostNanos  = 1 << 59
)

// plausibly puts a vendor's numbers between what can be.
func plausibly(u chat.Usage) chat.Usage {
	for _, n := range []*int{
		&u.Input, &u.Output, &u.CacheRead, &u.CacheWrite, &u.CacheWrite1h, &u.AudioInput, &u.AudioCacheRead, &u.AudioOutput, &u.ImageOutput, &u.Reasoning,
	} {
		*n = min(max(*n, 0), mostTokens)
	}
	switch {
	case u.CostNanos == nil:
	case *u.CostNanos < 0:
		u.CostNanos = nil
	default:
		cost := min(*u.CostNanos, mostNanos)
		u.CostNanos = &cost
	}
	return u
}

// price is what an attempt cost: what the vendor says, else by the catalogue. It is nil when the model has no price.
func (c *call) price(a *attempt, u chat.Usage) *int64 {
	if u.CostNanos != nil {
		return u.CostNanos
	}
	m, ok := c.Catalogue.Model(a.conn.Vendor, a.target.Model)
	if !ok || !m.Priced {
		return nil
	}
	nanos := min(m.Price.Nanos(routing.TokensOf(u)), mostNanos)
	return &nanos
}

// sum adds up what two attempts used. What vendors say they cost is not in it: the receipt's own cost is the sum.
func sum(a, b chat.Usage) chat.Usage {
	if a.Zero() {
		return b
	}
	return a.Plus(b)
}

// learn adds a complete answer to what is known of its target. What the reader of a stream took is not in it.
func (c *call) learn(a *attempt) {
	output := 0
	if a.used.reported != nil {
		output = a.used.reported.Output
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
		DecisionID: c.decision.ID, Decision: c.concluded(outcome), Attempts: c.attempts,
		Tags: c.in.Tags, EndUser: c.in.EndUser,
	}
}
