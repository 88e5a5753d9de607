package breaker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

const (
	// interval is how often a replica reads what the fleet knows, and looks at its own circuits.
	interval = 300 * time.Millisecond
	// tolerated is by how much an end may be told differently without being another.
	tolerated = 250 * time.Millisecond
	// The port promises that a lease takes 150 ms at most and all else a second; these are for stores that do not keep that.
	leasePatience = 200 * time.Millisecond
	patience      = 2 * time.Second
	// A lease lasts as long as a cooldown within these bounds. It is made longer at every look, so that only that of a replica that died ends.
	shortestLease, longestLease = 3 * time.Second, 15 * time.Second
	// mostSaid is how much the fleet is told at once.
	mostSaid = 200
)

// fleet is the way to the other replicas.
type fleet struct {
	states outbound.CircuitStates
	lasts  time.Duration // of a lease
	events atomic.Uint64
	alone  atomic.Bool // it did not answer the last time
	wake   chan struct{}

	mu    sync.Mutex
	queue map[*circuit]struct{} // of which it is to be told something
}

func newFleet(states outbound.CircuitStates, cooldown time.Duration) *fleet {
	return &fleet{
		states: states, lasts: min(max(cooldown, shortestLease), longestLease), wake: make(chan struct{}, 1), queue: map[*circuit]struct{}{},
	}
}

func (f *fleet) isAlone() bool { return f == nil || f.alone.Load() }

// enqueue has the fleet be told of a circuit if there is something to tell. It does not wait.
func (f *fleet) enqueue(c *circuit) {
	if f == nil || !c.unsaid.Swap(false) {
		return
	}
	f.put(c)
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *fleet) put(c *circuit) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue[c] = struct{}{}
}

func (f *fleet) next() *circuit {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.queue {
		delete(f.queue, c)
		return c
	}
	return nil
}

// lease asks for the fleet's probe. It is what a request waits for.
func (f *fleet) lease(c *circuit) (outbound.Lease, error) {
	ctx, cancel := context.WithTimeout(context.Background(), leasePatience)
	defer cancel()
	answer, err := f.states.Lease(ctx, c.key, f.lasts)
	if err != nil {
		f.alone.Store(true)
	}
	return answer, err
}

// say tells the fleet what it is to know, until it does not answer, or takes so long that it is time to listen.
func (f *fleet) say(ctx context.Context, clock outbound.Clock) {
	begun := clock()
	for range mostSaid {
		if clock().Sub(begun) > interval {
			return
		}
		c := f.next()
		if c == nil {
			return
		}
		if err := f.tell(ctx, c, clock()); err != nil {
			f.alone.Store(true)
			f.put(c)
			return
		}
	}
}

// tell tells the fleet of one circuit. What changes meanwhile is told next.
func (f *fleet) tell(ctx context.Context, c *circuit, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	w, open, touch, rests := c.toSay(now)
	var err error
	switch w {
	case wantOpen:
		err = f.states.Open(ctx, c.key, open)
	case wantClosed:
		err = f.states.Close(ctx, c.key)
	case wantFree:
		err = f.states.Free(ctx, c.key)
	}
	if err == nil && rests > 0 {
		err = f.states.Rest(ctx, c.key, rests)
	}
	if err == nil {
		c.said(touch)
	}
	return err
}

// toSay gives what the fleet is to be told: of an open circuit how long it is so, and how long it rests.
func (c *circuit) toSay(now time.Time) (w want, open time.Duration, touch uint64, rests time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled(now)
	if c.state == outbound.Open {
		open, _ = c.until.left(now)
	}
	if c.fleet == outbound.Open {
		left, _ := c.shut.left(now)
		open = max(open, left)
	}
	if c.restful {
		rests, _ = c.rests.left(now)
		c.restful = false
	}
	return c.want, open, c.touch, rests
}

// said notes that the fleet was told what was to be said by then. A rest that it could not be told of is found to be missing when it answers again.
func (c *circuit) said(touch uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.touch == touch {
		c.want = nothing
	}
}

// Run tells the fleet what happens to circuits here, and looks several times a second at what it knows and what time has changed. It ends with ctx, after
// a last word.
func (s *Circuits) Run(ctx context.Context) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var wake <-chan struct{}
	if s.fleet != nil {
		wake = s.fleet.wake
	}
	exchange := context.WithoutCancel(ctx) // an exchange with the fleet is ended, and not taken for its silence
	s.look(exchange)
	for {
		select {
		case <-ctx.Done():
			if !s.fleet.isAlone() {
				s.fleet.say(exchange, s.clock)
			}
			return nil
		case <-wake:
			s.fleet.say(exchange, s.clock)
		case <-tick.C:
			s.look(exchange)
		}
	}
}

// look exchanges what is known with the fleet, and looks at every circuit against which there is something: listeners are told what time has changed.
func (s *Circuits) look(ctx context.Context) {
	if s.fleet != nil {
		s.fleet.say(ctx, s.clock)
		s.hear(ctx)
	}
	for _, c := range s.restless() {
		c.breaker.Load().State()
		c.view(s.clock())
		s.tell(c)
	}
}

// restless gives the circuits against which there is something.
func (s *Circuits) restless() (all []*circuit) {
	now := s.clock()
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, c := range s.keys {
		if !c.calm(now) {
			all = append(all, c)
		}
	}
	return all
}

// hear reads what the fleet knows. What this replica knows and the fleet does not, because it was silent or lost it, it is told.
func (s *Circuits) hear(parent context.Context) {
	ctx, cancel := context.WithTimeout(parent, patience)
	defer cancel()
	f := s.fleet
	seen := f.events.Load()
	all, err := f.states.All(ctx)
	f.alone.Store(err != nil)
	if err != nil {
		return
	}
	now := s.clock()
	named := make(map[outbound.Circuit]bool, len(all))
	for _, shared := range all {
		named[shared.Circuit] = true
		if shared.State != outbound.Closed || shared.Rest > 0 {
			s.heed(s.circuit(shared.Circuit), shared, seen, now)
		} else if c := s.known(shared.Circuit); c != nil {
			s.heed(c, shared, seen, now)
		}
	}
	for _, c := range s.restless() {
		if !named[c.key] {
			s.heed(c, outbound.SharedCircuit{}, seen, now)
		}
		s.hold(ctx, c)
	}
}

// heed has a circuit follow what the fleet knows of it.
func (s *Circuits) heed(c *circuit, shared outbound.SharedCircuit, seen uint64, now time.Time) {
	if shared.Rest > 0 {
		c.rest(now.Add(shared.Rest), now, false)
	}
	if c.follow(shared, seen, now) {
		s.heal(c)
	}
	s.tell(c)
}

// follow takes over what the fleet knows, unless something has happened here meanwhile. It reports whether the circuit is to be closed.
func (c *circuit) follow(shared outbound.SharedCircuit, seen uint64, now time.Time) (heal bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if left, _ := c.rests.left(now); left > shared.Rest+time.Second {
		c.restful = true
		c.unsaid.Store(true)
	}
	if c.touch > seen || c.want != nothing {
		return false
	}
	before := c.viewed(now)
	switch {
	case shared.State == outbound.Open:
		if told := after(now, shared.Left); c.fleet != outbound.Open || told.at.Sub(c.shut.at).Abs() > tolerated {
			c.shut = told
		}
		c.fleet, c.refused = outbound.Open, false
	case shared.State == outbound.HalfOpen:
		c.fleet, c.shut, c.refused = outbound.HalfOpen, end{}, shared.Leased && !shared.Mine
	case c.state == outbound.Closed && c.fleet == outbound.Closed:
	case shared.Healed:
		return true
	default: // it was lost
		c.wish(wantOpen)
	}
	if shared.Mine && !c.probing { // it was granted, and the answer got lost
		c.wish(wantFree)
	}
	if v := c.viewed(now); v.State != before.State || v.OpenUntil.Sub(before.OpenUntil).Abs() > tolerated {
		c.changed.Store(true)
	}
	return false
}

// hold makes the lease of a probe that is under way longer.
func (s *Circuits) hold(ctx context.Context, c *circuit) {
	c.mu.Lock()
	held := c.leased
	c.mu.Unlock()
	if !held {
		return
	}
	answer, err := s.fleet.states.Lease(ctx, c.key, s.fleet.lasts)
	if err != nil || answer == outbound.LeaseGranted {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leased = false // another's by now, or none is needed any more
}

// known gives a circuit if there is one.
func (s *Circuits) known(key outbound.Circuit) *circuit {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.keys[key]
}
