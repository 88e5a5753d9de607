package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
)

// runner is a candidate in the running.
type runner struct {
	target routing.Target
	conn   *connection
	tried  bool
	out    bool      // it will not be asked again in this call
	ready  time.Time // it asked not to be bothered earlier
}

// run tries the candidates, best first, until open succeeds, and gives that attempt, which the caller ends. The next candidate is tried at once;
// when all have been tried, those whose failure may pass are tried again after a backoff. It fails with the fault that the client is to see.
func (c *call) run(ctx context.Context, open func(context.Context, *attempt) error) (*attempt, error) {
	runners := make([]runner, len(c.decision.Candidates))
	for i, cand := range c.decision.Candidates {
		runners[i] = runner{target: cand.Target, conn: c.landscape.connections[cand.Provider]}
	}
	for round := 0; ; round++ {
		for i := range runners {
			r := &runners[i]
			if r.out || r.ready.After(c.Clock()) {
				continue
			}
			if a, ended, err := c.try(ctx, r, runners, open); ended {
				return a, err
			}
		}
		if !c.pause(ctx, runners, round) {
			return nil, c.verdict(ctx)
		}
	}
}

// try asks one candidate, with one credential after another while it is the credentials that fail. It ends the search with an attempt that
// succeeded, or with the fault that ends the call.
func (c *call) try(
	ctx context.Context, r *runner, all []runner, open func(context.Context, *attempt) error,
) (_ *attempt, ended bool, _ error) {
	if c.relay(r.conn) == nil {
		if err := c.neutral(); err != nil {
			return nil, true, err
		}
	}
	for {
		if ctx.Err() != nil {
			return nil, true, c.verdict(ctx)
		}
		if len(c.attempts) >= c.policy.MaxAttempts() {
			c.receipt.Exhausted = true
			return nil, true, c.verdict(ctx)
		}
		p, ok := c.pick(r.conn, r.target, c.Clock())
		if !ok { // refused by the breaker or at rest, which is no attempt; only the end of a rest is waited for
			r.out = stateOf(c.Circuits, r.conn, r.target, c.Clock()).RestUntil.IsZero()
			return nil, false, nil
		}
		a := &attempt{picked: p, target: r.target, conn: r.conn, began: c.Clock()}
		err := guarded(ctx, a, open)
		if err == nil {
			return a, true, nil
		}
		c.end(ctx, a, err)
		if fail := c.after(ctx, r, err); fail != nil {
			return nil, true, fail
		}
		if !spareable(chat.ClassOf(err)) || !free(c.Circuits, r.conn, r.target, c.Clock()) {
			return nil, false, nil
		}
		r.out, r.ready = false, c.Clock() // with another credential
		if c.policy.MaxAttempts()-len(c.attempts) == 1 && c.otherwise(r, all) {
			return nil, false, nil
		}
	}
}

// otherwise reports whether another provider has not been asked yet. The last attempt is better made there than with yet another credential of one
// whose credentials fail.
func (c *call) otherwise(r *runner, all []runner) bool {
	now := c.Clock()
	for i := range all {
		o := &all[i]
		if o.target.Provider != r.target.Provider && !o.tried && !o.out && free(c.Circuits, o.conn, o.target, now) {
			return true
		}
	}
	return false
}

// spareable reports whether another credential of the same target may do better.
func spareable(class chat.Class) bool {
	return class == chat.ClassAuth || class == chat.ClassQuota || class == chat.ClassRateLimited
}

// after decides what a failed attempt means for its candidate. It gives a fault when the call ends with it.
func (c *call) after(ctx context.Context, r *runner, err error) error {
	r.tried = true
	f, _ := errors.AsType[*chat.Failure](err)
	switch class := f.Class; {
	case ctx.Err() != nil || class == chat.ClassCanceled:
		return c.verdict(ctx)
	case class == chat.ClassInvalid:
		return refusal(f)
	case class.ModelSpecific() || class == chat.ClassUnsupport:
		r.out = true // which ends a pinned call, whose only candidate this is
	case class == chat.ClassAuth || class == chat.ClassQuota:
		r.out = true
	default:
		r.out, r.ready = f.Final, c.Clock().Add(f.RetryAfter)
	}
	return nil
}

// guarded opens an attempt. Whatever is not a typed failure, a panic included, becomes one, because a breaker waits for the report.
func guarded(ctx context.Context, a *attempt, open func(context.Context, *attempt) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = chat.Fail(chat.ClassServer, fmt.Errorf("provider %s panicked: %v", a.target.Provider, p))
		}
	}()
	return typed(ctx, open(ctx, a))
}

// typed gives the failure that err is. When the call's time is up or the caller has left, that is what happened, whatever the provider says.
func typed(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	f, ok := errors.AsType[*chat.Failure](err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return chat.Fail(chat.ClassCanceled, err)
	case ctx.Err() != nil:
		return chat.Fail(chat.ClassTimeout, err)
	case !ok:
		return chat.Fail(chat.ClassServer, err)
	default:
		return f
	}
}

// pause waits until candidates that failed may be asked again. It reports false, without waiting, when there are none, the attempts are used up,
// or the deadline would pass meanwhile.
func (c *call) pause(ctx context.Context, runners []runner, round int) bool {
	if len(c.attempts) >= c.policy.MaxAttempts() {
		c.receipt.Exhausted = true
		return false
	}
	now := c.Clock()
	var next time.Time
	for i := range runners {
		r := &runners[i]
		s := stateOf(c.Circuits, r.conn, r.target, now)
		if r.out || !r.tried || !s.OpenUntil.IsZero() || s.Refused {
			continue // nobody waits for a breaker, or for a credential that was refused
		}
		if s.RestUntil.After(r.ready) {
			r.ready = s.RestUntil
		}
		if next.IsZero() || r.ready.Before(next) {
			next = r.ready
		}
	}
	if next.IsZero() {
		return false
	}
	until := now.Add(c.jitter(round))
	if next.After(until) {
		until = next
	}
	if deadline, ok := ctx.Deadline(); ok && !until.Before(deadline) {
		return false
	}
	return sleep(ctx, until.Sub(now))
}

// jitter is a random part of a backoff that doubles with each round.
func (c *call) jitter(round int) time.Duration {
	part := float64(c.random()>>11) / (1 << 53)
	return time.Duration(part * float64(c.Settings.BackoffBase<<min(round, 10)))
}

// sleep reports whether the time passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// verdict turns the last failure of a call that has nothing left to try into the fault that the client is to see.
func (c *call) verdict(ctx context.Context) error {
	last := c.last
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return ErrCanceled.With(last)
	case ctx.Err() != nil:
		return ErrTimeout.With(last)
	case last == nil:
		return refuse(c.blockedNow(), c.wish, c.policy)
	case c.allRateLimited():
		return ErrRateLimited.With(last).After(wait(c.blockedNow()))
	}
	f, _ := errors.AsType[*chat.Failure](last)
	return faultOf(c.receipt.Provider, f)
}

// faultOf is what a client sees of a vendor's failure.
func faultOf(provider string, f *chat.Failure) error {
	var e *fault.Error
	switch {
	case f == nil:
		return ErrProvider
	case f.Class.CallersFault() || f.Class.ModelSpecific():
		return refusal(f)
	case f.Class == chat.ClassCanceled:
		return ErrCanceled.With(f)
	case f.Class == chat.ClassTimeout:
		e = ErrTimeout.Saying(fmt.Sprintf("provider %s did not answer in time", provider))
	default:
		e = ErrProvider.Saying(fmt.Sprintf("provider %s failed: %s", provider, chat.Outcome(f)))
	}
	return e.With(f).After(f.RetryAfter)
}

// allRateLimited reports whether every attempt ended at a rate limit or an exhausted quota, but for those whose credential was refused.
func (c *call) allRateLimited() bool {
	found := false
	for _, a := range c.attempts {
		switch a.Outcome {
		case string(chat.ClassRateLimited):
			found = true
		case string(chat.ClassAuth):
		default:
			return false
		}
	}
	return found
}

// blockedNow is the decision with every candidate excluded by how its breaker stands now.
func (c *call) blockedNow() routing.Decision {
	d := c.decision
	d.At = c.Clock()
	d.Excluded = append([]routing.Exclusion(nil), d.Excluded...)
	for _, cand := range d.Candidates {
		s := stateOf(c.Circuits, c.landscape.connections[cand.Provider], cand.Target, d.At)
		x := routing.Exclusion{Target: cand.Target, Reason: routing.BreakerOpen, Until: s.OpenUntil}
		if s.OpenUntil.IsZero() && !s.RestUntil.IsZero() {
			x.Reason, x.Until = routing.RateLimited, s.RestUntil
		}
		if x.Reason == routing.RateLimited && s.Refused {
			x.Detail = routing.CredentialRefused
		}
		d.Excluded = append(d.Excluded, x)
	}
	d.Candidates = nil
	return d
}
