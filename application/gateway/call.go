package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// call is one call on its way, from admission to its row.
type call struct {
	*Service
	*landscape
	in       inbound.Call
	began    time.Time
	wish     wish
	loaded   *loadedPolicy
	policy   *routing.Policy
	decision routing.Decision
	sheet    *sheet            // that the decision refers to
	readings []routing.Reading // what it read besides
	kept     *outbound.Decision
	receipt  inbound.Receipt
	attempts []outbound.CallAttempt
	last     error              // of the last failed attempt
	request  *chat.Request      // nil until a target needs it
	vectors  *embedding.Request // likewise
	first    time.Duration      // until the first piece of a stream
	cost     int64              // of the attempts so far
	unpriced bool               // one of them used what has no price
}

// admit takes a call in: it reads the policy and the model's name, reserves the row and decides. On an error of resolve or policy there is
// no row, because nothing was decided; a decision without a candidate is kept. The call is never nil.
func (s *Service) admit(ctx context.Context, in inbound.Call) (*call, error) {
	c := s.newCall(in)
	if err := c.decide(ctx); err != nil {
		return c, err
	}
	if err := s.Recorder.Reserve(); err != nil {
		return c, err
	}
	c.announce()
	if chosen, ok := c.decision.Chosen(); ok {
		s.Meter.Decision(string(c.wish.task), chosen.Provider)
		return c, nil
	}
	err := refuse(c.decision, c.wish, c.policy)
	s.Meter.Decision(string(c.wish.task), codeOf(err))
	c.settle(tokens{}, err)
	return c, err
}

func (s *Service) newCall(in inbound.Call) *call {
	c := &call{Service: s, landscape: s.land.Load(), in: in, began: s.Clock()}
	c.receipt = inbound.Receipt{CallID: s.NewID(), Cache: cacheBypass}
	if in.Cache == inbound.CacheOn {
		c.receipt.Cache = label(in)
	}
	return c
}

// decide finds out where the call may go.
func (c *call) decide(ctx context.Context) error {
	var err error
	if c.loaded, err = c.policies.find(ctx, string(c.in.Caller.TenantID), c.began); err != nil {
		return err
	}
	c.policy = c.loaded.policy
	c.in.Strict = c.in.Strict || c.policy.Strict()
	if err = c.othersAllowed(); err != nil {
		return err
	}
	if c.wish, err = c.resolve(c.landscape, c.policy, c.in.Model, c.in.TaskType); err != nil {
		return err
	}
	if c.in.Surface == inbound.SurfaceEmbeddings {
		if err = c.oneModel(); err != nil {
			return err
		}
	}
	r := routing.Request{
		Task: c.wish.task, Pin: c.wish.pin, Alias: c.wish.alias, SLOMs: c.in.SLOMs, InputTokens: chat.EstimateTokens(c.in.TextBytes),
		Embedding: c.in.Surface == inbound.SurfaceEmbeddings, MaxTokens: c.in.MaxTokens, Vision: c.in.Vision, Tools: c.in.Tools, Schema: c.in.Schema,
	}
	named := c.policy.Routes(c.wish.task)
	switch {
	case c.wish.pin != nil:
		named = []routing.Target{*c.wish.pin}
	case c.wish.alias != nil:
		if c.wish.alias.Mode == routing.Weighted {
			r.Draw = c.random()
		}
		named = targetsOf(c.wish.alias)
	}
	c.look(r, named)
	c.receipt.Decision, c.receipt.Task = c.decision, c.wish.task
	return nil
}

// standIns are the providers whose dialect lets a body name models in place of its own.
var standIns = map[chat.Dialect]string{chat.DialectOpenAIChat: "openrouter", chat.DialectAnthropic: "claude", chat.DialectAnthropicCount: "claude"}

// othersAllowed refuses a body that names, in place of its model, one that the tenant's list of models does not have: the vendor would choose, not Forge.
func (c *call) othersAllowed() error {
	for _, name := range c.in.Others {
		if other := (routing.Target{Provider: standIns[c.in.Dialect], Model: name}); !c.policy.Allows(other) {
			return ErrProviderDisabled.Saying(fmt.Sprintf("the tenant's routing policy does not allow %s, which the request names in place of its model", other))
		}
	}
	return nil
}

func targetsOf(a *routing.Alias) []routing.Target {
	targets := make([]routing.Target, len(a.Targets))
	for i := range a.Targets {
		targets[i] = a.Targets[i].Target
	}
	return targets
}

// random is a number that nobody can foresee.
func (s *Service) random() uint64 {
	var b [8]byte
	s.Random(b[:])
	return binary.LittleEndian.Uint64(b[:])
}

// bound gives the call its one deadline, the policy's or the installation's.
func (c *call) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := c.policy.Deadline()
	if limit == 0 {
		limit = c.Settings.RequestTimeout
		if c.in.Stream {
			limit = c.Settings.StreamTimeout
		}
	}
	return context.WithTimeout(ctx, limit)
}

// relay gives what passes the body to the connection as it is; nil: it must be translated.
func (c *call) relay(conn *connection) outbound.Relay {
	if c.in.Body == nil {
		return nil
	}
	return conn.Relay(c.in.Dialect)
}

// passage is the body on its way through.
func (c *call) passage() outbound.Passage {
	return outbound.Passage{Body: c.in.Body, Header: c.in.Header, Strict: c.in.Strict}
}

// neutral has the request in neutral form; it is parsed when the first target needs it.
func (c *call) neutral() error {
	switch {
	case c.request != nil || c.vectors != nil:
	case c.in.ParseEmbedding != nil:
		r, err := c.in.ParseEmbedding()
		if err != nil {
			return err
		}
		r.Strict = c.in.Strict
		c.vectors = r
	default:
		r, err := c.in.Parse()
		if err != nil {
			return err
		}
		r.Strict = c.in.Strict
		c.request = r
	}
	return nil
}

// dropped notes fields of the request that the target could not honour.
func (c *call) dropped(fields []string) {
	for _, f := range fields {
		if !slices.Contains(c.receipt.Dropped, f) {
			c.receipt.Dropped = append(c.receipt.Dropped, f)
		}
	}
}

// attempt is one try of one target with one credential.
type attempt struct {
	picked
	target routing.Target
	conn   *connection
	began  time.Time
	took   time.Duration // that the vendor took for a complete answer
	first  time.Duration // until the first event of a stream
	used   tokens
}

// to is the attempt's address.
func (a *attempt) to() outbound.Target {
	return outbound.Target{
		Provider: a.target.Provider, Model: a.target.Model,
		Credential: a.credential.ID, Secret: a.credential.Secret, BaseURL: a.conn.BaseURL,
	}
}

// end closes an attempt: it tells the breaker, the meter and the provider's history, lets the credential rest if the vendor asked for that,
// counts what the attempt used, and notes it on the receipt. An attempt that was never sent is none.
func (c *call) end(ctx context.Context, a *attempt, err error) {
	now := c.Clock()
	took := now.Sub(a.began)
	class := chat.ClassOf(err)
	blamed := err
	if class == chat.ClassTimeout && ctx.Err() != nil && took < c.Settings.RequestTimeout/2 {
		blamed = chat.Fail(chat.ClassCanceled, err) // the call ran out of time, this target had little of it
	}
	a.report(blamed)
	a.load.Add(-1)
	c.last = err
	if class == chat.ClassUnsupport {
		return
	}
	a.conn.history.add(class)
	c.rest(ctx, a, err, now)
	outcome := chat.Outcome(err)
	c.Meter.Attempt(a.target.Provider, c.label(c.landscape, a.target), outcome, took)
	row := outbound.CallAttempt{
		StartedAt: a.began, Provider: a.target.Provider, Model: a.target.Model, ServedModel: a.used.model, Credential: a.credential.ID,
		Outcome: outcome, LatencyMs: took.Milliseconds(), FirstByteMs: a.first.Milliseconds(),
	}
	c.count(a, &row)
	c.attempts = append(c.attempts, row)
	c.receipt.Attempts = append(c.receipt.Attempts, inbound.Attempt{
		Provider: a.target.Provider, Model: a.target.Model, Outcome: outcome, Latency: took,
	})
	c.receipt.Provider, c.receipt.Model = a.target.Provider, a.target.Model
}

// defaultRest is how long a rate-limited credential rests whose vendor did not say.
const defaultRest = time.Second

// rest keeps the attempt's credential from being asked: for as long as the vendor said when it is rate limited, for the breaker's cooldown when
// its account is exhausted, and likewise, but for every model, when the vendor refused it.
func (c *call) rest(ctx context.Context, a *attempt, err error, now time.Time) {
	switch chat.ClassOf(err) {
	case chat.ClassRateLimited:
		d := defaultRest
		if f, ok := errors.AsType[*chat.Failure](err); ok && f.RetryAfter > 0 {
			d = f.RetryAfter
		}
		c.Circuits.Rest(a.circuit, now.Add(d))
	case chat.ClassQuota:
		c.Circuits.Rest(a.circuit, now.Add(c.Settings.BreakerCooldown))
	case chat.ClassAuth:
		all := whole(a.circuit)
		if !c.Circuits.View(all).RestUntil.After(now) { // of many calls that find it out at once, one says so
			c.Log.WarnContext(ctx, "a vendor refused a credential", "logger", "gateway", "provider", all.Provider, "credential", all.Credential, "error", err)
		}
		c.Circuits.Rest(all, now.Add(c.Settings.BreakerCooldown))
	}
}
