package breaker

import (
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// probe lets through the one attempt that shows whether a half-open circuit may close: one in the fleet if that answers, else one in this process.
func (s *Circuits) probe(c *circuit) (report func(error), ok bool) {
	alone := s.fleet.isAlone()
	generation, ok := c.begin(alone)
	if !ok {
		return nil, false
	}
	if !alone {
		switch answer, err := s.fleet.lease(c); {
		case err != nil: // the fleet is silent
		case answer == outbound.LeaseNeedless:
			s.heal(c)
			c.finish()
			return s.attempt(c)
		case answer == outbound.LeaseRefused:
			c.refuse()
			return nil, false
		default:
			c.grant()
		}
	}
	done, err := c.breaker.Load().Allow()
	if err != nil { // it has opened meanwhile
		c.conclude(generation, inconclusive, s.clock(), s.config.Cooldown)
		c.finish()
		return nil, false
	}
	return func(err error) {
		c.conclude(generation, resultOf(err), s.clock(), s.config.Cooldown)
		done(err)
		c.finish()
		s.tell(c)
	}, true
}

// result is what a probe shows.
type result uint8

const (
	inconclusive result = iota
	healthy
	sick
)

func resultOf(err error) result {
	switch class := chat.ClassOf(err); {
	case neutral(class):
		return inconclusive
	case class.TripsBreaker():
		return sick
	default:
		return healthy
	}
}

// begin reports whether a probe may be asked for here, and of which breaker: none is under way, and the fleet has not just refused one or is about
// to be told something.
func (c *circuit) begin(alone bool) (generation int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.probing || !alone && (c.refused || c.want != nothing) {
		return 0, false
	}
	c.probing = true
	return c.generation, true
}

// grant notes that the fleet's probe is this one.
func (c *circuit) grant() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leased = true
	c.touched()
}

// refuse notes that the fleet's probe is another's.
func (c *circuit) refuse() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probing, c.refused = false, true
	c.touched()
}

// finish makes room for another probe.
func (c *circuit) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probing = false
}

// conclude notes what a probe showed. Only who has the lease may tell the fleet that a circuit is closed; another knows it for itself until the fleet says
// otherwise.
func (c *circuit) conclude(generation int, r result, now time.Time, cooldown time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	leased := c.leased
	c.leased = false
	switch {
	case generation != c.generation || r == inconclusive: // the fleet knows better, or nobody knows anything
		if leased {
			c.wish(wantFree)
		}
	case r == healthy:
		if c.fleet != outbound.Closed {
			c.changed.Store(true)
		}
		c.fleet, c.shut, c.want = outbound.Closed, end{}, nothing
		c.touched()
		if leased {
			c.wish(wantClosed)
		}
	case c.events != nil:
		c.fleet, c.shut = outbound.Open, after(now, cooldown)
		c.changed.Store(true)
		c.wish(wantOpen)
	}
}

// heal closes a circuit because the fleet has. Its breaker cannot be closed from outside, so it gets another.
func (s *Circuits) heal(c *circuit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	c.state, c.until = outbound.Closed, end{}
	c.fleet, c.shut, c.refused, c.want = outbound.Closed, end{}, false, nothing
	c.changed.Store(true)
	c.touched()
	s.renew(c)
}
