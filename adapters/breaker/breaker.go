// Package breaker keeps circuits with sony/gobreaker, and shares them with a fleet.
//
// Each replica judges by breakers of its own. What the fleet knows lies in front of them, since they cannot be opened from outside: until when a circuit is
// open, and whose the one probe is after that. Who opens or closes one tells the fleet, and every replica reads what the fleet knows several times a second.
// Nothing but the probe waits for the fleet. When it does not answer, each replica goes on by its own breakers and what it heard last, and probes by
// itself; when it answers again, it is told what it has missed or lost.
package breaker

import (
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

var _ outbound.Circuits = (*Circuits)(nil)

// Config says when a breaker opens and for how long.
type Config struct {
	Threshold uint32        // consecutive failures that open it; 0: 3
	Cooldown  time.Duration // how long it stays open before a probe; 0: 60 s
	MaxKeys   int           // breakers kept, because pins can name any model; 0: 10,000
	Clock     outbound.Clock
	States    outbound.CircuitStates // what the fleet knows; nil: this process is alone
}

// Circuits implements outbound.Circuits. Run must run for as long as they are in use.
type Circuits struct {
	config    Config
	clock     outbound.Clock
	listeners []func(outbound.Circuit, outbound.CircuitView)
	fleet     *fleet // nil: there is none

	mu   sync.RWMutex
	keys map[outbound.Circuit]*circuit
}

// New makes circuits, all closed.
func New(c Config) *Circuits {
	if c.Threshold == 0 {
		c.Threshold = 3
	}
	if c.Cooldown <= 0 {
		c.Cooldown = time.Minute
	}
	if c.MaxKeys <= 0 {
		c.MaxKeys = 10_000
	}
	s := &Circuits{config: c, clock: c.Clock, keys: map[outbound.Circuit]*circuit{}}
	if c.States != nil {
		s.fleet = newFleet(c.States, c.Cooldown)
	}
	return s
}

// OnChange implements outbound.Circuits.
func (s *Circuits) OnChange(f func(outbound.Circuit, outbound.CircuitView)) {
	s.listeners = append(s.listeners, f)
}

// Allow implements outbound.Circuits.
func (s *Circuits) Allow(key outbound.Circuit) (report func(error), ok bool) {
	c := s.circuit(key)
	now := s.clock()
	c.used.Store(now.UnixNano())
	c.breaker.Load().State() // an open one becomes half-open when somebody looks
	switch c.view(now).State {
	case outbound.Open:
		report, ok = nil, false
	case outbound.HalfOpen:
		report, ok = s.probe(c)
	default:
		report, ok = s.attempt(c)
	}
	s.tell(c)
	return report, ok
}

// attempt lets an attempt through as the breaker says.
func (s *Circuits) attempt(c *circuit) (report func(error), ok bool) {
	done, err := c.breaker.Load().Allow()
	if err != nil {
		return nil, false
	}
	return func(err error) {
		done(err)
		s.tell(c)
	}, true
}

// Rest implements outbound.Circuits.
func (s *Circuits) Rest(key outbound.Circuit, until time.Time) {
	now := s.clock()
	if !until.After(now) {
		return
	}
	c := s.circuit(key)
	if c.rest(until, now, true) {
		s.tell(c)
	}
}

// View implements outbound.Circuits.
func (s *Circuits) View(key outbound.Circuit) outbound.CircuitView {
	s.mu.RLock()
	c := s.keys[key]
	s.mu.RUnlock()
	if c == nil {
		return outbound.CircuitView{}
	}
	c.breaker.Load().State() // an open one becomes half-open when somebody looks
	v := c.view(s.clock())
	s.tell(c)
	return v
}

// tell tells the listeners when the circuit has changed, and has the fleet be told. It is called outside the breaker's lock, so that listeners may look at
// circuits.
func (s *Circuits) tell(c *circuit) {
	s.fleet.enqueue(c)
	if !c.changed.Swap(false) {
		return
	}
	v := c.view(s.clock())
	for _, f := range s.listeners {
		f(c.key, v)
	}
}

func (s *Circuits) circuit(key outbound.Circuit) *circuit {
	s.mu.RLock()
	c := s.keys[key]
	s.mu.RUnlock()
	if c != nil {
		return c
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c = s.keys[key]; c != nil {
		return c
	}
	if len(s.keys) >= s.config.MaxKeys {
		s.evict()
	}
	c = s.make(key)
	s.keys[key] = c
	return c
}

func (s *Circuits) make(key outbound.Circuit) *circuit {
	c := &circuit{key: key}
	if s.fleet != nil {
		c.events = &s.fleet.events
	}
	s.renew(c)
	return c
}

// renew gives a circuit a breaker that knows nothing. Reports of attempts that the one before let through no longer count.
func (s *Circuits) renew(c *circuit) {
	generation := c.generation
	c.breaker.Store(gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:  1,
		Timeout:      s.config.Cooldown,
		ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= s.config.Threshold },
		IsSuccessful: func(err error) bool { return !chat.ClassOf(err).TripsBreaker() },
		IsExcluded:   func(err error) bool { return neutral(chat.ClassOf(err)) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			c.become(generation, to, s.clock(), s.config.Cooldown)
		},
	}))
}

// neutral reports whether a class says nothing about the target's health: the attempt was given up, never sent, or turned away.
func neutral(class chat.Class) bool {
	switch class {
	case chat.ClassCanceled, chat.ClassUnsupport, chat.ClassRateLimited, chat.ClassQuota, chat.ClassAuth:
		return true
	default:
		return false
	}
}

// sampleSize is among how many circuits one is chosen to be forgotten.
const sampleSize = 64

// evict forgets a circuit to make room: of a sample, one that is closed and does not rest, else the one not used for longest.
func (s *Circuits) evict() {
	now := s.clock()
	var victim *circuit
	calm := false
	n := 0
	for _, c := range s.keys {
		if n++; n > sampleSize {
			break
		}
		v := c.view(now)
		idle := v.State == outbound.Closed && v.RestUntil.IsZero()
		older := victim == nil || c.used.Load() < victim.used.Load()
		if idle && !calm || idle == calm && older {
			victim, calm = c, idle
		}
	}
	if victim != nil {
		delete(s.keys, victim.key)
	}
}
