package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// connection is a configured provider with what the gateway remembers of it, which outlives a change of configuration.
type connection struct {
	outbound.Connection
	turn    *atomic.Uint32  // among credentials that are equally loaded
	loads   []*atomic.Int64 // attempts under way, by credential
	history *history
}

// newConnection makes a connection; old is the one of that name in the configuration before, nil when there was none.
func newConnection(c outbound.Connection, old *connection) *connection {
	conn := &connection{Connection: c, turn: new(atomic.Uint32), history: new(history), loads: make([]*atomic.Int64, len(c.Credentials))}
	if old != nil {
		conn.turn, conn.history = old.turn, old.history
	}
	for i, cred := range c.Credentials {
		conn.loads[i] = new(atomic.Int64)
		if old == nil {
			continue
		}
		for j, before := range old.Credentials {
			if before.ID == cred.ID {
				conn.loads[i] = old.loads[j]
			}
		}
	}
	return conn
}

// picked is a credential that may be used now. report is owed to its breaker, and its load is to be taken off.
type picked struct {
	credential outbound.Credential
	circuit    outbound.Circuit
	report     func(error)
	load       *atomic.Int64
}

// whole is the circuit on which a credential rests for all models of its provider, because the vendor refused it. No breaker is kept on it.
func whole(c outbound.Circuit) outbound.Circuit {
	return outbound.Circuit{Provider: c.Provider, Credential: c.Credential}
}

// pick takes, of the credentials that rest not and whose breaker lets an attempt through, the one with the fewest attempts under way. Those that
// are equal take turns.
func (s *Service) pick(c *connection, t routing.Target, now time.Time) (picked, bool) {
	n := len(c.Credentials)
	first := 0
	if n > 1 {
		first = int(c.turn.Add(1) % uint32(n)) //nolint:gosec // a handful
	}
	var few [16]bool
	tried := few[:]
	if n > len(few) {
		tried = make([]bool, n)
	}
	for range n {
		best := -1
		for i := range n {
			at := (first + i) % n
			if !tried[at] && (best < 0 || c.loads[at].Load() < c.loads[best].Load()) {
				best = at
			}
		}
		tried[best] = true
		cred := c.Credentials[best]
		circuit := outbound.Circuit{Provider: t.Provider, Model: t.Model, Credential: cred.ID}
		if s.Circuits.View(circuit).RestUntil.After(now) || s.Circuits.View(whole(circuit)).RestUntil.After(now) {
			continue
		}
		if report, ok := s.Circuits.Allow(circuit); ok {
			c.loads[best].Add(1)
			return picked{credential: cred, circuit: circuit, report: report, load: c.loads[best]}, true
		}
	}
	return picked{}, false
}

// free reports whether a credential of the target could be used now.
func free(circuits outbound.Circuits, c *connection, t routing.Target, now time.Time) bool {
	state := stateOf(circuits, c, t, now)
	return len(c.Credentials) > 0 && state.OpenUntil.IsZero() && state.RestUntil.IsZero()
}

// stateOf says until when no credential of the target can be used: its breaker's end, its rest's end, whichever credential is free first. It is
// Refused when those that rest do so because the vendor refused them, all of them.
func stateOf(circuits outbound.Circuits, c *connection, t routing.Target, now time.Time) routing.State {
	var earliest time.Time
	var state routing.State
	refused, limited := false, false
	for i, cred := range c.Credentials {
		circuit := outbound.Circuit{Provider: t.Provider, Model: t.Model, Credential: cred.ID}
		v := circuits.View(circuit)
		var open, rest time.Time
		if v.State == outbound.Open {
			open = v.OpenUntil
		}
		if v.RestUntil.After(now) {
			rest, limited = v.RestUntil, true
		}
		if w := circuits.View(whole(circuit)).RestUntil; w.After(now) {
			refused = true
			if w.After(rest) {
				rest = w
			}
		}
		if open.IsZero() && rest.IsZero() {
			return routing.State{}
		}
		end := open
		if rest.After(end) {
			end = rest
		}
		if i == 0 || end.Before(earliest) {
			earliest, state.OpenUntil, state.RestUntil = end, open, rest
		}
	}
	state.Refused = refused && !limited && !state.RestUntil.IsZero()
	return state
}

// historyLength is on how many attempts a provider's success rate stands.
const historyLength = 100

// history remembers how a provider's last attempts ended.
type history struct {
	mu     sync.Mutex
	failed [historyLength]bool
	n      int
	last   chat.Class
}

func (h *history) add(class chat.Class) {
	if class == chat.ClassCanceled || class.CallersFault() || class.ModelSpecific() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failed[h.n%historyLength] = class != ""
	h.n++
	if class != "" {
		h.last = class
	}
}

func (h *history) read() (attempts int, success float64, last chat.Class) {
	h.mu.Lock()
	defer h.mu.Unlock()
	attempts = min(h.n, historyLength)
	if attempts == 0 {
		return 0, 0, ""
	}
	ok := 0
	for _, failed := range h.failed[:attempts] {
		if !failed {
			ok++
		}
	}
	return attempts, float64(ok) / float64(attempts), h.last
}
