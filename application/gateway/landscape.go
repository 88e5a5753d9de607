package gateway

import (
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// landscape is what there is to route to. It does not change: a new configuration or a new catalogue makes a new one, and a call keeps the one
// that it was admitted under.
type landscape struct {
	connections map[string]*connection
	ordered     []*connection
	board       *board
}

func newLandscape(d *Deps, conns []outbound.Connection, old *landscape) *landscape {
	l := &landscape{connections: make(map[string]*connection, len(conns))}
	for _, c := range conns {
		var before *connection
		if old != nil {
			before = old.connections[c.Name]
		}
		conn := newConnection(c, before)
		l.connections[c.Name] = conn
		l.ordered = append(l.ordered, conn)
	}
	l.board = newBoard(d, l.ordered)
	return l
}

// Reconfigure puts other connections in the place of those there are, and has policies read anew, whose defaults may have changed with them. Calls
// under way go on with theirs. What is remembered of a provider, and how loaded its credentials are, is carried over by name.
func (s *Service) Reconfigure(conns []outbound.Connection) {
	s.reshaping.Lock()
	defer s.reshaping.Unlock()
	defer s.policies.invalidateAll()
	s.land.Store(newLandscape(&s.Deps, conns, s.land.Load()))
}

// CatalogueChanged has prices and abilities of models read anew.
func (s *Service) CatalogueChanged() {
	s.reshaping.Lock()
	defer s.reshaping.Unlock()
	old := s.land.Load()
	conns := make([]outbound.Connection, len(old.ordered))
	for i, c := range old.ordered {
		conns[i] = c.Connection
	}
	s.land.Store(newLandscape(&s.Deps, conns, old))
}

// latencyChanged is told when others in the fleet have measured.
func (s *Service) latencyChanged() { s.land.Load().board.measured() }

// circuitChanged is told of each change of a breaker or a rest.
func (s *Service) circuitChanged(c outbound.Circuit, v outbound.CircuitView) {
	l := s.land.Load()
	l.board.changed()
	if c.Model != "" {
		s.Meter.Breaker(c.Provider, s.label(l, routing.Target{Provider: c.Provider, Model: c.Model}), v.State)
	}
}

// label is the model's name as metrics may carry it: pins can name anything.
func (s *Service) label(l *landscape, t routing.Target) string {
	c, ok := l.connections[t.Provider]
	if !ok {
		return "other"
	}
	if t.Model == c.DefaultModel {
		return t.Model
	}
	if m, ok := s.Catalogue.Model(c.Vendor, t.Model); ok && !m.Unsure {
		return m.Name
	}
	return "other"
}
