package auth

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

const (
	leaseTTL    = 5 * time.Second // a crash frees the place of an attempt
	crowdWait   = 2 * time.Second // how long an attempt waits for those under way
	crowdMost   = 128             // how many wait at once, so that a flood at one account is no flood at the throttle
	firstPoll   = 4 * time.Millisecond
	longestPoll = 64 * time.Millisecond
	settleTime  = 2 * time.Second
	paceTime    = 300 * time.Millisecond // what a shared throttle may cost where the local one can stand in
	paceAgain   = time.Second            // when a shared throttle that did not answer is asked again there
)

// lease is the place of one attempt in its buckets. nil is a place where nothing is counted.
type lease struct {
	service *Service
	id      string
	buckets []outbound.Bucket
	states  []outbound.BucketState
	about   event.Noted // whom a lock is about
}

// guard takes a place in every bucket, before any hash is spent and any token looked up. Settle must be called, once it is known whether the attempt failed; its error, which
// only a failed attempt can have, is then the answer in place of what the guess was worth, so that no guess goes uncounted. guard fails with ErrTooMany when a bucket is full,
// with fault.ErrBusy when too many are under way, and with fault.ErrDependency when nobody counts.
func (s *Service) guard(ctx context.Context, buckets ...outbound.Bucket) (settle func(failed bool) error, err error) {
	l, err := s.admit(ctx, event.Noted{}, buckets...)
	if err != nil {
		return nil, err
	}
	return func(failed bool) error { return l.settle(ctx, failed) }, nil
}

// admit is guard, for whoever wants to know how the buckets stand.
func (s *Service) admit(ctx context.Context, about event.Noted, buckets ...outbound.Bucket) (*lease, error) {
	if s.Config.ThrottleDisabled {
		return nil, nil
	}
	l := &lease{service: s, id: s.NewID(), buckets: buckets, about: about}
	in, err := l.enter(ctx)
	if err != nil || in {
		return l, err
	}
	defer s.crowd.Add(-1)
	if s.crowd.Add(1) > crowdMost {
		return nil, fault.ErrBusy
	}
	late := time.NewTimer(crowdWait)
	defer late.Stop()
	for poll := firstPoll; ; poll = min(2*poll, longestPoll) {
		again := time.NewTimer(poll)
		select {
		case <-again.C:
		case <-late.C:
			again.Stop()
			return nil, fault.ErrBusy
		case <-ctx.Done():
			again.Stop()
			return nil, ctx.Err()
		}
		if in, err := l.enter(ctx); err != nil || in {
			return l, err
		}
	}
}

// enter asks for the place; false while too many are under way.
func (l *lease) enter(ctx context.Context) (bool, error) {
	a, err := l.service.Throttle.Admit(ctx, l.id, leaseTTL, l.buckets)
	if err != nil {
		return false, uncounted(ctx, err)
	}
	switch a.Verdict {
	case outbound.Admitted:
		meet(ctx, l.buckets, a)
		l.states = a.States
		return true, l.note(ctx, true)
	case outbound.Full:
		meet(ctx, l.buckets, a)
		return false, ErrTooMany.After(max(a.RetryAfter, time.Second))
	default:
		return false, nil
	}
}

// uncounted is the answer when a throttle has none.
func uncounted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if fault.KindOf(err) == fault.Unavailable {
		return err
	}
	return fault.ErrDependency.With(err)
}

// meet tells the caller how the limits stand that it may know of.
func meet(ctx context.Context, buckets []outbound.Bucket, a outbound.Admission) {
	for i, b := range buckets {
		if l := limitOf(b); l.shown && i < len(a.States) {
			reset := a.States[i].Reset
			if reset == 0 { // nothing counts but this attempt; if it fails, a whole window begins
				reset = b.Window
			}
			inbound.Meet(ctx, inbound.Quota{Policy: l.name, Limit: b.Limit, Window: b.Window, Remaining: a.States[i].Remaining, Reset: reset})
		}
	}
}

// settle gives the place back, and counts the attempt when it failed; the client's leaving does not keep it from that. A success that cannot be told needs no answer: its place
// ends by itself.
func (l *lease) settle(ctx context.Context, failed bool) error {
	if l == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	err := l.service.Throttle.Settle(ctx, l.id, failed, l.buckets)
	if !failed {
		return nil
	}
	if err != nil {
		return uncounted(ctx, err)
	}
	return l.note(ctx, false)
}

// note has the audit log say which limits are reached by an admission (every), or by a failure.
func (l *lease) note(ctx context.Context, every bool) error {
	var reached []event.Event
	for i, b := range l.buckets {
		if b.Every != every || i >= len(l.states) || l.states[i].Remaining > 0 {
			continue
		}
		n := l.about
		n.Name, n.Reason, n.At = "excess_rate_limit", limitOf(b).name, l.service.Clock()
		if limitOf(b).locks {
			n.Name = "authn_login_lock"
		}
		reached = append(reached, n)
	}
	if len(reached) == 0 {
		return nil
	}
	return l.service.Tx.View().Audit.Append(ctx, reached...)
}

// sentAway reports whether an attempt came to nothing for want of room, or of a store: it is to be made again, and counts as none.
func sentAway(err error) bool { return fault.KindOf(err) == fault.Unavailable }

// failedBefore reports whether failures count in one of the lease's first n buckets.
func (l *lease) failedBefore(n int) bool {
	for i := range n {
		if l != nil && i < len(l.states) && l.states[i].Reset > 0 {
			return true
		}
	}
	return false
}

// pace counts what goes on without the shared throttle, in the local one then. It fails with ErrTooMany alone.
func (s *Service) pace(ctx context.Context, b outbound.Bucket) error {
	if s.Config.ThrottleDisabled {
		return nil
	}
	buckets := []outbound.Bucket{b}
	a, err := s.sharedPace(ctx, buckets)
	if err != nil {
		if a, err = s.Local.Admit(ctx, s.NewID(), time.Microsecond, buckets); err != nil {
			return nil //nolint:nilerr // neither counts; the work itself will say what is wrong
		}
	}
	meet(ctx, buckets, a)
	if a.Verdict == outbound.Full {
		return ErrTooMany.After(max(a.RetryAfter, time.Second))
	}
	return nil
}

// sharedPace asks the shared throttle, unless it gave no answer a moment ago.
func (s *Service) sharedPace(ctx context.Context, buckets []outbound.Bucket) (outbound.Admission, error) {
	now := s.Clock()
	if now.UnixMicro() < s.away.Load() {
		return outbound.Admission{}, fault.ErrDependency
	}
	ctx, cancel := context.WithTimeout(ctx, paceTime)
	defer cancel()
	a, err := s.Throttle.Admit(ctx, s.NewID(), time.Microsecond, buckets)
	if err != nil {
		s.away.Store(now.Add(paceAgain).UnixMicro())
	}
	return a, err
}

// Pace implements inbound.Sessions.
func (s *Service) Pace(ctx context.Context, caller inbound.Caller) error {
	if caller.KeyID != "" {
		return s.pace(ctx, s.bucket(keyPace, string(caller.KeyID)))
	}
	return s.pace(ctx, s.ofSession(sessionPace, caller.SessionID))
}
