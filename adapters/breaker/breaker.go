// Package breaker keeps circuits in this process, with sony/gobreaker. State shared by a fleet lies in front of it: its breakers cannot be
// opened from outside.
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
}

// Circuits implements outbound.Circuits.
type Circuits struct {
	config    Config
	clock     outbound.Clock
	listeners []func(outbound.Circuit, outbound.CircuitView)

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
	return &Circuits{config: c, clock: c.Clock, keys: map[outbound.Circuit]*circuit{}}
}

// OnChange implements outbound.Circuits.
func (s *Circuits) OnChange(f func(outbound.Circuit, outbound.CircuitView)) {
	s.listeners = append(s.listeners, f)
}

// Allow implements outbound.Circuits.
func (s *Circuits) Allow(key outbound.Circuit) (report func(error), ok bool) {
	c := s.circuit(key)
	c.used.Store(s.clock().UnixNano())
	done, err := c.breaker.Allow()
	s.tell(c)
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
	if !until.After(s.clock()) {
		return
	}
	c := s.circuit(key)
	if c.rest(until) {
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
	c.breaker.State() // an open one becomes half-open when somebody looks
	s.tell(c)
	return c.view(s.clock())
}

// tell tells the listeners when the circuit has changed. It is called outside the breaker's lock, so that listeners may look at circuits.
func (s *Circuits) tell(c *circuit) {
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
	c.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests: 1,
		Timeout:     s.config.Cooldown,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= s.config.Threshold },
		IsSuccessful: func(err error) bool {
			return !chat.ClassOf(err).TripsBreaker()
		},
		IsExcluded: func(err error) bool { return neutral(chat.ClassOf(err)) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			c.become(to, s.clock().Add(s.config.Cooldown))
		},
	})
	return c
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
