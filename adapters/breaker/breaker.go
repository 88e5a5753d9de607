// Package breaker keeps a circuit breaker for every provider, model and credential with sony/gobreaker: two-step, so that a stream is judged
// by its end and not by its beginning.
package breaker

import (
	"errors"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

const maxCircuits = 10_000 // pins can name any model; closed circuits go first

// Config says when a breaker opens and for how long.
type Config struct {
	Threshold uint32        // consecutive failures; 0: 3
	Cooldown  time.Duration // until a probe is admitted; 0: 60 s
	Clock     outbound.Clock
}

// Circuits implements outbound.Circuits.
type Circuits struct {
	config Config

	mu       sync.Mutex
	circuits map[outbound.Circuit]*circuit
	onChange []func(outbound.Circuit, outbound.CircuitView)
}

var _ outbound.Circuits = (*Circuits)(nil)

type circuit struct {
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]

	mu        sync.Mutex
	openUntil time.Time
	restUntil time.Time
	changed   bool // and not yet told
}

// errCanceled is reported for an attempt that says nothing of its target.
var errCanceled = errors.New("canceled")

// New makes circuits that are all closed.
func New(c Config) *Circuits {
	if c.Threshold == 0 {
		c.Threshold = 3
	}
	if c.Cooldown <= 0 {
		c.Cooldown = time.Minute
	}
	return &Circuits{config: c, circuits: map[outbound.Circuit]*circuit{}}
}

// OnChange implements outbound.Circuits.
func (s *Circuits) OnChange(tell func(outbound.Circuit, outbound.CircuitView)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onChange = append(s.onChange, tell)
}

// Allow implements outbound.Circuits.
func (s *Circuits) Allow(c outbound.Circuit) (report func(error), ok bool) {
	at := s.of(c)
	done, err := at.breaker.Allow()
	s.tellChange(c, at)
	if err != nil {
		return nil, false
	}
	return func(err error) {
		done(verdict(err))
		s.tellChange(c, at)
	}, true
}

// verdict is what an outcome says of the target: nil is good, errCanceled nothing, anything else bad.
func verdict(err error) error {
	switch class := chat.ClassOf(err); {
	case err == nil:
		return nil
	case class == chat.ClassCanceled:
		return errCanceled
	case class.TripsBreaker():
		return err
	default: // the caller's mistake or a rate limit: the target is well
		return nil
	}
}

// Rest implements outbound.Circuits.
func (s *Circuits) Rest(c outbound.Circuit, until time.Time) {
	at := s.of(c)
	at.mu.Lock()
	later := until.After(at.restUntil)
	if later {
		at.restUntil = until
	}
	at.mu.Unlock()
	if later {
		s.tell(c)
	}
}

// View implements outbound.Circuits.
func (s *Circuits) View(c outbound.Circuit) outbound.CircuitView {
	s.mu.Lock()
	at, there := s.circuits[c]
	s.mu.Unlock()
	if !there {
		return outbound.CircuitView{}
	}
	return s.view(at)
}

func (s *Circuits) view(at *circuit) outbound.CircuitView {
	state := at.breaker.State() // turns to half open by itself when the cooldown is over
	at.mu.Lock()
	defer at.mu.Unlock()
	v := outbound.CircuitView{}
	if at.restUntil.After(s.config.Clock()) {
		v.RestUntil = at.restUntil
	}
	switch state {
	case gobreaker.StateOpen:
		v.State, v.OpenUntil = outbound.Open, at.openUntil
	case gobreaker.StateHalfOpen:
		v.State = outbound.HalfOpen
	case gobreaker.StateClosed:
	}
	return v
}

func (s *Circuits) of(c outbound.Circuit) *circuit {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, there := s.circuits[c]
	if !there {
		s.makeRoom()
		at = &circuit{}
		at.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
			MaxRequests:  1,
			Timeout:      s.config.Cooldown,
			ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= s.config.Threshold },
			IsSuccessful: func(err error) bool { return err == nil },
			IsExcluded:   func(err error) bool { return errors.Is(err, errCanceled) },
			OnStateChange: func(_ string, _, to gobreaker.State) {
				at.mu.Lock()
				if to == gobreaker.StateOpen {
					at.openUntil = s.config.Clock().Add(s.config.Cooldown)
				}
				at.changed = true // told when gobreaker, which holds its lock here, has let go of it
				at.mu.Unlock()
			},
		})
		s.circuits[c] = at
	}
	return at
}

// makeRoom forgets a closed circuit that does not rest when there are too many; what it forgets is at most two failures in a row.
func (s *Circuits) makeRoom() {
	if len(s.circuits) < maxCircuits {
		return
	}
	for c, at := range s.circuits {
		if v := s.view(at); v == (outbound.CircuitView{}) {
			delete(s.circuits, c)
			return
		}
	}
}

// tellChange tells of a change of state before the call that made it returns, so that the next decision on this node knows.
func (s *Circuits) tellChange(c outbound.Circuit, at *circuit) {
	at.mu.Lock()
	changed := at.changed
	at.changed = false
	at.mu.Unlock()
	if changed {
		s.tell(c)
	}
}

func (s *Circuits) tell(c outbound.Circuit) {
	v := s.View(c)
	s.mu.Lock()
	listeners := s.onChange
	s.mu.Unlock()
	for _, tell := range listeners {
		tell(c, v)
	}
}
