package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/forge1/forge1/application/decisions"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// resend is how often a sheet that decisions go on referring to is sent to the recorder. It is less than outbound.SheetMargin.
const resend = time.Hour

// paper is what many decisions refer to: a sheet under its id.
type paper struct {
	id   string
	at   time.Time // zero: when it is sent
	body func() []byte
	mu   sync.Mutex   // over sending
	sent atomic.Int64 // when, in nanoseconds since 1970; 0: never
}

// hand gives a sheet to the recorder before a decision refers to it: once, and again before it would be forgotten.
func (p *paper) hand(to Recorder, now time.Time) {
	if p.handed(now) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.handed(now) {
		return
	}
	at := p.at
	if at.IsZero() {
		at = now
	}
	to.Sheet(outbound.Sheet{ID: p.id, CreatedAt: at, Body: p.body()})
	p.sent.Store(now.UnixNano())
}

func (p *paper) handed(now time.Time) bool {
	last := p.sent.Load()
	return last != 0 && now.UnixNano()-last < int64(resend)
}

// announce keeps the decision of a call that was admitted, before anything comes of it: it can be read while the call is under way.
func (c *call) announce() {
	c.sheet.hand(c.Recorder, c.began)
	policy := c.loaded.paper()
	policy.hand(c.Recorder, c.began)
	d := &outbound.Decision{
		ID: c.decision.ID, TenantID: string(c.in.Caller.TenantID), CreatedAt: c.decision.At, TaskType: string(c.wish.task),
		PolicyVersion: c.decision.PolicyVersion, SnapshotID: c.decision.SnapshotID, PolicyID: policy.id,
		Shown:  decisions.AppendShown(nil, c.decision, nil, ""),
		Inputs: decisions.EncodeInputs(c.decision.Request, c.readings),
	}
	if chosen, ok := c.decision.Chosen(); ok {
		d.Provider, d.Model = chosen.Provider, chosen.Model
	}
	c.kept = d
	c.Recorder.Decided(*d)
}

// concluded is the decision as it is kept in the end, with what became of it.
func (c *call) concluded(outcome string) *outbound.Decision {
	if c.kept == nil {
		return nil
	}
	d := *c.kept
	d.Outcome, d.Shown = outcome, decisions.AppendShown(nil, c.decision, c.attempts, outcome)
	return &d
}

// look decides about a request by the facts of now, and notes what was read that the sheet does not say.
func (c *call) look(r routing.Request, named []routing.Target) {
	facts, s := c.board.facts(c.began, named...)
	c.decision = routing.Decide(c.policy, r, facts)
	c.decision.ID = c.receipt.CallID
	c.sheet, c.readings = s, facts.Read(c.decision, s.facts)
}
