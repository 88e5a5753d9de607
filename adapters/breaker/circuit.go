package breaker

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/forge1/forge1/ports/outbound"
)

// circuit is one breaker and its rest.
type circuit struct {
	key     outbound.Circuit
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	changed atomic.Bool
	used    atomic.Int64 // nanoseconds since 1970

	mu    sync.Mutex // never held while the breaker is asked, which calls become under its own lock
	state outbound.CircuitState
	until time.Time // open until
	rests time.Time
}

// become notes the breaker's new state.
func (c *circuit) become(to gobreaker.State, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch to {
	case gobreaker.StateOpen:
		c.state, c.until = outbound.Open, until
	case gobreaker.StateHalfOpen:
		c.state, c.until = outbound.HalfOpen, time.Time{}
	default:
		c.state, c.until = outbound.Closed, time.Time{}
	}
	c.changed.Store(true)
}

// rest reports whether the rest became longer.
func (c *circuit) rest(until time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !until.After(c.rests) {
		return false
	}
	c.rests = until
	c.changed.Store(true)
	return true
}

func (c *circuit) view(now time.Time) outbound.CircuitView {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := outbound.CircuitView{State: c.state, OpenUntil: c.until}
	if c.rests.After(now) {
		v.RestUntil = c.rests
	}
	return v
}
