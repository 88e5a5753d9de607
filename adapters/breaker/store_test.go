package breaker_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

// store is what a fleet shares, kept in memory and by the clock of a bubble, that can fall silent and lose everything.
type store struct {
	mu     sync.Mutex
	kept   map[outbound.Circuit]*shared
	silent bool
	cut    map[string]bool // the ways of replicas that are cut
	slow   time.Duration   // that an answer takes
	asked  int             // for leases
}

type shared struct {
	open, waits, leased, healed, rests time.Time
	owner                              string
}

func newStore() *store { return &store{kept: map[outbound.Circuit]*shared{}, cut: map[string]bool{}} }

// handle is the way of one replica to a store.
type handle struct {
	*store
	node string
}

var _ outbound.CircuitStates = handle{}

// do waits for the store as long as it takes, and at most as long as the port allows.
func (h handle) do(ctx context.Context, c outbound.Circuit, most time.Duration, f func(s *shared, now time.Time)) error {
	h.mu.Lock()
	slow, silent := h.slow, h.silent || h.cut[h.node]
	h.mu.Unlock()
	if silent || slow > most {
		slow, silent = most, true
	}
	travel(ctx, slow/2)
	if !silent && ctx.Err() == nil {
		h.look(c, f)
	}
	travel(ctx, slow-slow/2)
	if silent || ctx.Err() != nil {
		return fault.ErrDependency
	}
	return nil
}

// travel is half of the way.
func travel(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// look does something to what is kept of a circuit.
func (h handle) look(c outbound.Circuit, f func(s *shared, now time.Time)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.kept[c]
	if s == nil {
		if len(h.kept) >= 2000 {
			h.forget()
		}
		s = &shared{}
		h.kept[c] = s
	}
	f(s, time.Now())
}

// forget makes room, by what ends first.
func (h handle) forget() {
	var victim outbound.Circuit
	var first time.Time
	for c, s := range h.kept {
		end := s.waits
		if s.rests.After(end) {
			end = s.rests
		}
		if first.IsZero() || end.Before(first) {
			victim, first = c, end
		}
	}
	delete(h.kept, victim)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (s *shared) mine(node string, now time.Time) bool { return s.leased.After(now) && s.owner == node }

// Open implements outbound.CircuitStates.
func (h handle) Open(ctx context.Context, c outbound.Circuit, d time.Duration) error {
	return h.do(ctx, c, time.Second, func(s *shared, now time.Time) {
		d = max(d, 0)
		if d == 0 && s.healed.After(now) {
			return
		}
		if s.mine(h.node, now) {
			s.leased = time.Time{}
		}
		s.healed = time.Time{}
		s.open, s.waits = later(s.open, now.Add(d)), later(s.waits, now.Add(d+time.Hour))
	})
}

// Close implements outbound.CircuitStates.
func (h handle) Close(ctx context.Context, c outbound.Circuit) error {
	return h.do(ctx, c, time.Second, func(s *shared, now time.Time) {
		if s.mine(h.node, now) {
			*s = shared{healed: now.Add(30 * time.Second), rests: s.rests}
		}
	})
}

// Lease implements outbound.CircuitStates.
func (h handle) Lease(ctx context.Context, c outbound.Circuit, d time.Duration) (l outbound.Lease, err error) {
	h.mu.Lock()
	h.asked++
	h.mu.Unlock()
	err = h.do(ctx, c, 150*time.Millisecond, func(s *shared, now time.Time) {
		mine := s.mine(h.node, now)
		switch {
		case d <= 0:
		case s.healed.After(now):
			l = outbound.LeaseNeedless
		case s.leased.After(now) && !mine, s.open.After(now) && !mine:
		default:
			s.leased, s.owner, s.waits = now.Add(d), h.node, later(s.waits, now.Add(time.Hour))
			l = outbound.LeaseGranted
		}
	})
	return l, err
}

// Free implements outbound.CircuitStates.
func (h handle) Free(ctx context.Context, c outbound.Circuit) error {
	return h.do(ctx, c, time.Second, func(s *shared, now time.Time) {
		if s.mine(h.node, now) {
			s.leased = time.Time{}
		}
	})
}

// Rest implements outbound.CircuitStates.
func (h handle) Rest(ctx context.Context, c outbound.Circuit, d time.Duration) error {
	return h.do(ctx, c, time.Second, func(s *shared, now time.Time) { s.rests = later(s.rests, now.Add(d)) })
}

// All implements outbound.CircuitStates.
func (h handle) All(ctx context.Context) (all []outbound.SharedCircuit, err error) {
	err = h.do(ctx, outbound.Circuit{}, time.Second, func(_ *shared, now time.Time) {
		for c, s := range h.kept {
			is := outbound.SharedCircuit{
				Circuit: c, Left: max(s.open.Sub(now), 0), Leased: s.leased.After(now), Mine: s.mine(h.node, now),
				Rest: max(s.rests.Sub(now), 0), Healed: s.healed.After(now),
			}
			switch {
			case is.Left > 0:
				is.State = outbound.Open
			case s.waits.After(now):
				is.State = outbound.HalfOpen
			}
			if is != (outbound.SharedCircuit{Circuit: c}) {
				all = append(all, is)
			}
		}
	})
	return all, err
}

func (s *store) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.kept)
}

func (s *store) silence(silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = silent
}

// cutOff cuts the way of a replica, or mends it.
func (s *store) cutOff(node string, cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut[node] = cut
}

func (s *store) delay(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = d
}

func (s *store) leases() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func TestTheStoreOfTheseTests(t *testing.T) {
	conformance.CircuitStates(t, func(t *testing.T, test func(*testing.T, conformance.Fleet)) {
		synctest.Test(t, func(t *testing.T) {
			s := newStore()
			test(t, conformance.Fleet{A: handle{s, "a"}, B: handle{s, "b"}, C: handle{s, "c"}, Pass: time.Sleep, Flush: s.flush})
		})
	})
}
