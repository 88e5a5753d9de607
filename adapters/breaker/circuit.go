package breaker

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/forge1/forge1/ports/outbound"
)

// circuit is one breaker, what the fleet says of it, and its rest.
type circuit struct {
	key     outbound.Circuit
	breaker atomic.Pointer[gobreaker.TwoStepCircuitBreaker[struct{}]] // another once the fleet has closed it
	changed atomic.Bool
	used    atomic.Int64   // nanoseconds since 1970
	events  *atomic.Uint64 // counts what is decided here, over all circuits; nil: there is no fleet
	unsaid  atomic.Bool    // the fleet is to be told something

	mu         sync.Mutex // never held while the breaker is asked, which calls become under its own lock
	generation int        // of the breaker
	state      outbound.CircuitState
	until      end // open until
	rests      end

	fleet   outbound.CircuitState // what the fleet last said, Closed: nothing against it
	shut    end                   // open for the fleet until
	probing bool                  // a probe is under way here, or asked for
	leased  bool                  // with the fleet's lease
	refused bool                  // the fleet's lease was another's, by the last that is known

	want    want   // what the fleet is to be told
	restful bool   // and that the target rests
	touch   uint64 // the last event here; what the fleet said before knows nothing of it
}

// want is what the fleet is to be told of a circuit.
type want uint8

const (
	nothing want = iota
	wantOpen
	wantClosed
	wantFree
)

// end is when a span ends. By a clock that is set back no span grows.
type end struct {
	at   time.Time
	span time.Duration
}

func after(now time.Time, d time.Duration) end { return end{now.Add(d), d} }

// left is how much of it is left, and whether it had to be moved, because the clock was.
func (e *end) left(now time.Time) (left time.Duration, moved bool) {
	if e.at.IsZero() {
		return 0, false
	}
	left = e.at.Sub(now)
	if left > e.span {
		e.at, left, moved = now.Add(e.span), e.span, true
	}
	return max(left, 0), moved
}

// become notes the breaker's new state, and that the fleet is to be told when it opens.
func (c *circuit) become(generation int, to gobreaker.State, now time.Time, cooldown time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return
	}
	switch to {
	case gobreaker.StateOpen:
		c.state, c.until = outbound.Open, after(now, cooldown)
		c.wish(wantOpen)
	case gobreaker.StateHalfOpen:
		c.state, c.until = outbound.HalfOpen, end{}
	default:
		c.state, c.until = outbound.Closed, end{}
	}
	c.changed.Store(true)
}

// wish has the fleet be told, unless there is none. Opening gives a lease back as well.
func (c *circuit) wish(w want) {
	if c.events == nil || w == wantFree && c.want != nothing {
		return
	}
	c.want = w
	c.unsaid.Store(true)
	c.touched()
}

// touched notes that what the fleet has said so far knows nothing of this.
func (c *circuit) touched() {
	if c.events != nil {
		c.touch = c.events.Add(1)
	}
}

// rest reports whether the rest became longer, by more than what messages take if it is another's.
func (c *circuit) rest(until, now time.Time, here bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled(now)
	tolerance := tolerated
	if here {
		tolerance = 0
	}
	if !until.After(c.rests.at.Add(tolerance)) {
		return false
	}
	c.rests = end{until, until.Sub(now)}
	c.changed.Store(true)
	if here && c.events != nil {
		c.restful = true
		c.unsaid.Store(true)
	}
	return true
}

// settled lets time do its part: what was open for the fleet waits for its probe, and no end is further off than it was when it was set.
func (c *circuit) settled(now time.Time) {
	_, moved := c.until.left(now)
	_, movedRest := c.rests.left(now)
	left, movedShut := c.shut.left(now)
	passed := c.fleet == outbound.Open && left == 0
	if passed {
		c.fleet, c.shut = outbound.HalfOpen, end{}
	}
	if moved || movedRest || movedShut || passed && c.state != outbound.Open {
		c.changed.Store(true)
	}
}

// view is the stricter of what is known here and what the fleet says.
func (c *circuit) view(now time.Time) outbound.CircuitView {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled(now)
	return c.viewed(now)
}

func (c *circuit) viewed(now time.Time) outbound.CircuitView {
	v := outbound.CircuitView{State: stricter(c.state, c.fleet)}
	if c.state == outbound.Open {
		v.OpenUntil = c.until.at
	}
	if c.fleet == outbound.Open && c.shut.at.After(v.OpenUntil) {
		v.OpenUntil = c.shut.at
	}
	if c.rests.at.After(now) {
		v.RestUntil = c.rests.at
	}
	return v
}

// stricter is the stricter of two states.
func stricter(a, b outbound.CircuitState) outbound.CircuitState {
	switch {
	case a == outbound.Open || b == outbound.Open:
		return outbound.Open
	case a == outbound.HalfOpen || b == outbound.HalfOpen:
		return outbound.HalfOpen
	default:
		return outbound.Closed
	}
}

// calm reports whether nothing is known against the circuit.
func (c *circuit) calm(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled(now)
	return c.viewed(now) == outbound.CircuitView{} && !c.probing && c.want == nothing && !c.restful
}
