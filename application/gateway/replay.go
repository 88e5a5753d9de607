package gateway

import (
	"context"
	"errors"
	"sync"

	"github.com/forge1/forge1/ports/inbound"
)

// answerWhole answers a call whole: from the store, else by a flight that it joins or begins.
func (v *visit) answerWhole(ctx context.Context) (inbound.Answer, error) {
	e := v.recall(ctx)
	if e == nil && v.in.CacheOnly {
		e = v.arriving(ctx)
	}
	if e != nil {
		if a, ok := v.whole(e); ok {
			return v.serve(a, e)
		}
	}
	if v.in.CacheOnly {
		return inbound.Answer{Receipt: v.receipt}, ErrNotCached
	}
	for _, how := range v.ways(ownForm) {
		if a, ok, err := v.wait(ctx, how); ok {
			return a, err
		}
	}
	return inbound.Answer{Receipt: v.receipt}, errBroken
}

// ways are the forms of flights in the order in which they are tried: any that is under way, one that has the answer in the caller's own form, and one of
// its own, which always has. Who wants a new answer flies alone.
func (v *visit) ways(own form) []form {
	if v.in.CacheMaxAge < 0 {
		return []form{alone}
	}
	return []form{anyForm, own, alone}
}

// serve gives a cached answer, with a row of its own.
func (v *visit) serve(a inbound.Answer, e *entry) (inbound.Answer, error) {
	if full := v.Recorder.Reserve(); full != nil {
		return inbound.Answer{Receipt: v.receipt}, full
	}
	v.fill(&e.facts, v.age(e))
	v.book(nil)
	a.Receipt = v.receipt
	return a, nil
}

// wait waits for the end of a flight. ok is false when what it brought cannot be given to this caller.
func (v *visit) wait(ctx context.Context, how form) (a inbound.Answer, ok bool, err error) {
	s, leads := v.join(ctx, how)
	defer s.leave()
	patience := ctx
	if !leads { // who leads has the flight's own deadline
		var cancel context.CancelFunc
		patience, cancel = v.bound(ctx)
		defer cancel()
	}
	select {
	case <-s.ended:
	case <-patience.Done():
		if !leads {
			r, err := v.fail(gaveUp(patience), &inbound.Receipt{})
			return inbound.Answer{Receipt: r}, true, err
		}
		if s.leave(); !s.isOver() { // others wait for it, and its row comes when it lands
			return inbound.Answer{Receipt: v.receipt}, true, gaveUp(ctx)
		}
	}
	if s.entry != nil && (s.found || !leads) {
		if a, ok := v.whole(s.entry); ok && v.takes(s.entry) {
			a, err := v.serve(a, s.entry)
			return a, true, err
		}
		return a, false, nil
	}
	switch {
	case leads:
		s.answer.Receipt = s.final
		return s.answer, true, s.err
	case s.err != nil:
		r, err := v.fail(s.err, &s.final)
		return inbound.Answer{Receipt: r}, true, err
	}
	return a, false, nil
}

// answerStream answers a call in pieces, in the same ways.
func (v *visit) answerStream(ctx context.Context) (inbound.StreamAnswer, error) {
	e := v.recall(ctx)
	if e == nil && v.in.CacheOnly {
		e = v.arriving(ctx)
	}
	if e != nil {
		if a, ok, err := v.replay(ctx, e); ok {
			return a, err
		}
	}
	if v.in.CacheOnly {
		return inbound.StreamAnswer{Head: v.receipt}, ErrNotCached
	}
	for _, how := range v.ways(ownStream) {
		if a, ok, err := v.listen(ctx, how); ok {
			return a, err
		}
	}
	return inbound.StreamAnswer{Head: v.receipt}, errBroken
}

// replay plays a cached answer.
func (v *visit) replay(ctx context.Context, e *entry) (inbound.StreamAnswer, bool, error) {
	pieces, relayed, ok := v.pieces(e)
	if !ok || !v.takes(e) {
		return inbound.StreamAnswer{}, false, nil
	}
	if full := v.Recorder.Reserve(); full != nil {
		return inbound.StreamAnswer{Head: v.receipt}, true, full
	}
	v.fill(&e.facts, v.age(e))
	l := v.listener(ctx)
	l.next = func(ctx context.Context) (p inbound.Piece, there bool, err error) {
		if ctx.Err() != nil {
			return p, false, gaveUp(ctx)
		}
		if len(pieces) == 0 {
			return p, false, nil
		}
		p, pieces = pieces[0], pieces[1:]
		return p, true, nil
	}
	return l.answer(relayed), true, nil
}

// listen takes a seat in a flight and gives what it says as it says it. ok is false when what it brought cannot be given to this caller.
func (v *visit) listen(ctx context.Context, how form) (a inbound.StreamAnswer, ok bool, err error) {
	s, leads := v.join(ctx, how)
	l, stays := v.listener(ctx), false
	defer func() {
		if !stays {
			l.cancel()
			s.leave()
		}
	}()
	if leads { // who leads has the flight's own deadline
		l.cancel()
		l.ctx, l.cancel = context.WithCancel(ctx)
	}
	ready := s.began
	if !s.streams {
		ready = s.ended
	}
	select {
	case <-ready:
	case <-l.ctx.Done():
		if !leads {
			r, err := v.fail(gaveUp(l.ctx), &inbound.Receipt{})
			return inbound.StreamAnswer{Head: r}, true, err
		}
		if s.leave(); !s.isOver() {
			return inbound.StreamAnswer{Head: v.receipt}, true, gaveUp(ctx)
		}
	}
	if s.isOver() && s.head.CallID == "" { // it did not begin to speak
		return v.late(ctx, s, leads)
	}
	if !leads {
		if full := v.Recorder.Reserve(); full != nil {
			return inbound.StreamAnswer{Head: v.receipt}, true, full
		}
		v.fill(&s.head, 0)
	} else {
		v.receipt = s.head
	}
	stays = true
	l.seat, l.leads, l.next = s, leads, s.next
	return l.answer(s.relayed), true, nil
}

// late gives to one who wants pieces what a flight brought that had none.
func (v *visit) late(ctx context.Context, s *seat, leads bool) (a inbound.StreamAnswer, ok bool, err error) {
	switch {
	case s.entry != nil:
		return v.replay(ctx, s.entry)
	case s.err == nil:
		return a, false, nil
	case leads:
		return inbound.StreamAnswer{Head: s.final}, true, s.err
	}
	r, err := v.fail(s.err, &s.final)
	return inbound.StreamAnswer{Head: r}, true, err
}

// gaveUp is what happened to a caller whose context ended: it left, or its time was up.
func gaveUp(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ErrCanceled.With(ctx.Err())
	}
	return ErrTimeout.With(ctx.Err())
}

// listener is a stream that comes from the store, or from a flight.
type listener struct {
	*visit
	ctx    context.Context //nolint:containedctx // the caller's own, until the stream ends
	cancel context.CancelFunc
	next   func(context.Context) (inbound.Piece, bool, error)
	seat   *seat // nil: from the store
	leads  bool  // the flight's row is this caller's

	mu      sync.Mutex
	ranging bool
	ended   bool
}

func (v *visit) listener(ctx context.Context) *listener {
	l := &listener{visit: v}
	l.ctx, l.cancel = v.bound(ctx)
	return l
}

func (l *listener) answer(relayed bool) inbound.StreamAnswer {
	l.first = l.Clock().Sub(l.began)
	l.receipt.Took = l.first
	return inbound.StreamAnswer{
		Head: l.receipt, Relayed: relayed, Pieces: l.pieces, Close: l.close, Receipt: func() inbound.Receipt { return l.receipt },
	}
}

// pieces is the stream as the surface ranges over it.
func (l *listener) pieces(yield func(inbound.Piece, error) bool) {
	if !l.enter() {
		return
	}
	defer l.conclude(ErrCanceled) // unless it came to its end
	for {
		p, there, err := l.next(l.ctx)
		switch {
		case err != nil:
			l.conclude(err)
			yield(inbound.Piece{}, err)
			return
		case !there:
			l.conclude(nil)
			return
		case !yield(p, nil):
			return
		}
	}
}

// enter takes the right to range; there is one, once.
func (l *listener) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ranging || l.ended {
		return false
	}
	l.ranging = true
	return true
}

// close implements StreamAnswer.Close. While somebody ranges, it only cancels: the range ends by that, and settles.
func (l *listener) close() {
	l.cancel()
	if l.enter() {
		l.conclude(ErrCanceled)
	}
}

// conclude gives the seat up and settles, once.
func (l *listener) conclude(fault error) {
	l.mu.Lock()
	done := l.ended
	l.ended = true
	l.mu.Unlock()
	if done {
		return
	}
	l.cancel()
	over := false
	if l.seat != nil {
		l.seat.leave()
		over = l.seat.isOver()
	}
	switch {
	case l.leads && over:
		l.receipt = l.seat.final
	case l.leads: // others go on listening; the row comes when it lands
	default:
		if over && l.seat.entry != nil {
			l.fill(&l.seat.entry.facts, 0)
		}
		l.book(fault)
	}
}
