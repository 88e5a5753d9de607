package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// connection is a configured provider with what the gateway remembers of it.
type connection struct {
	outbound.Connection
	turn    atomic.Uint32 // round robin over the credentials
	history history
}

// picked is a credential that may be used now. report is owed to its breaker.
type picked struct {
	credential outbound.Credential
	circuit    outbound.Circuit
	report     func(error)
}

// pick takes the next credential, in turn, that rests not and whose breaker lets an attempt through.
func (s *Service) pick(c *connection, t routing.Target, now time.Time) (picked, bool) {
	n := uint32(len(c.Credentials)) //nolint:gosec // a handful
	first := uint32(0)
	if n > 1 {
		first = c.turn.Add(1)
	}
	for i := range n {
		cred := c.Credentials[(first+i)%n]
		circuit := outbound.Circuit{Provider: t.Provider, Model: t.Model, Credential: cred.ID}
		if s.Circuits.View(circuit).RestUntil.After(now) {
			continue
		}
		if report, ok := s.Circuits.Allow(circuit); ok {
			return picked{credential: cred, circuit: circuit, report: report}, true
		}
	}
	return picked{}, false
}

// free reports whether a credential of the target could be used now.
func free(circuits outbound.Circuits, c *connection, t routing.Target, now time.Time) bool {
	for _, cred := range c.Credentials {
		v := circuits.View(outbound.Circuit{Provider: t.Provider, Model: t.Model, Credential: cred.ID})
		if v.State != outbound.Open && !v.RestUntil.After(now) {
			return true
		}
	}
	return false
}

// blocked says until when no credential of the target can be used: its breaker's end, its rest's end, whichever credential is free first.
func blocked(circuits outbound.Circuits, c *connection, t routing.Target, now time.Time) (open, rest time.Time) {
	var earliest time.Time
	for i, cred := range c.Credentials {
		v := circuits.View(outbound.Circuit{Provider: t.Provider, Model: t.Model, Credential: cred.ID})
		var o, r time.Time
		if v.State == outbound.Open {
			o = v.OpenUntil
		}
		if v.RestUntil.After(now) {
			r = v.RestUntil
		}
		if o.IsZero() && r.IsZero() {
			return time.Time{}, time.Time{}
		}
		end := o
		if r.After(end) {
			end = r
		}
		if i == 0 || end.Before(earliest) {
			earliest, open, rest = end, o, r
		}
	}
	return open, rest
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

// rests remembers for what reason a credential rests, which the circuits do not: refused credentials are the operator's affair, and a
// caller is not told to slow down because of them.
type rests struct {
	mu      sync.Mutex
	refused map[outbound.Circuit]time.Time
}

// maxRefused bounds the memory; more refused credentials than that are taken for rate limited.
const maxRefused = 1000

func newRests() *rests { return &rests{refused: map[outbound.Circuit]time.Time{}} }

func (r *rests) refuse(c outbound.Circuit, now, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for old, end := range r.refused {
		if !end.After(now) {
			delete(r.refused, old)
		}
	}
	if len(r.refused) < maxRefused {
		r.refused[c] = until
	}
}

// anyRefused reports whether a credential of the target rests because the vendor refused it.
func (r *rests) anyRefused(t routing.Target, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c, end := range r.refused {
		if c.Provider == t.Provider && c.Model == t.Model && end.After(now) {
			return true
		}
	}
	return false
}
