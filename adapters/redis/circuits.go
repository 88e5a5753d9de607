package redis

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

// Circuits implements outbound.CircuitStates: forge1:circuits is one hash, whose fields are named <kind>:<provider>/<model>/<credential's id> and hold when they
// end, how long they were to last, and for a lease whose it is. Every operation is one script, and time is the server's. What nobody waits for is asked with
// the patience of a sign-in; both have a gate of their own, so that neither slows the other down nor what else is kept in Redis.
type Circuits struct {
	node  string
	quick *Client // for the lease, which a request waits for
	calm  *Client
}

var _ outbound.CircuitStates = (*Circuits)(nil)

// NewCircuits shares circuits by a client. The node's name is its own in the fleet, and another each time that it starts.
func NewCircuits(c *Client, node string) *Circuits {
	part := func(timeout time.Duration) *Client {
		return &Client{rdb: c.rdb, clock: c.clock, timeout: timeout, gate: gate{rest: c.gate.rest / 4}}
	}
	return &Circuits{node: node, quick: part(c.timeout), calm: part(c.patient.timeout)}
}

const circuitsKey = "forge1:circuits"

// How long a circuit is remembered whose probe nobody makes, and one that a probe closed; and how many fields are kept. Closing is remembered for
// many times as long as a replica takes to look.
const (
	waitingMemory = time.Hour
	healedMemory  = 30 * time.Second
	mostFields    = 2000
)

func circuitName(c outbound.Circuit) string {
	return url.PathEscape(c.Provider) + "/" + url.PathEscape(c.Model) + "/" + url.PathEscape(c.Credential)
}

func circuitOf(name string) (c outbound.Circuit, ok bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 3 {
		return c, false
	}
	for i, to := range []*string{&c.Provider, &c.Model, &c.Credential} {
		text, err := url.PathUnescape(parts[i])
		if err != nil {
			return outbound.Circuit{}, false
		}
		*to = text
	}
	return c, true
}

// tell runs a script that answers a number.
func (s *Circuits) tell(ctx context.Context, by *Client, do string, c outbound.Circuit, d time.Duration) (answer int64, err error) {
	err = by.do(ctx, func(ctx context.Context) (err error) {
		answer, err = circuitChange.Run(ctx, by.rdb, []string{circuitsKey}, do, s.node, max(d, 0).Microseconds(), circuitName(c),
			waitingMemory.Microseconds(), healedMemory.Microseconds(), mostFields).Int64()
		return err
	})
	return answer, err
}

// Open implements outbound.CircuitStates.
func (s *Circuits) Open(ctx context.Context, c outbound.Circuit, cooldown time.Duration) error {
	if _, err := s.tell(ctx, s.calm, "open", c, cooldown); err != nil {
		return fmt.Errorf("open a shared circuit: %w", err)
	}
	return nil
}

// Close implements outbound.CircuitStates.
func (s *Circuits) Close(ctx context.Context, c outbound.Circuit) error {
	if _, err := s.tell(ctx, s.calm, "close", c, 0); err != nil {
		return fmt.Errorf("close a shared circuit: %w", err)
	}
	return nil
}

// Lease implements outbound.CircuitStates.
func (s *Circuits) Lease(ctx context.Context, c outbound.Circuit, d time.Duration) (outbound.Lease, error) {
	if d <= 0 {
		return outbound.LeaseRefused, nil
	}
	answer, err := s.tell(ctx, s.quick, "lease", c, d)
	if err != nil {
		return outbound.LeaseRefused, fmt.Errorf("lease a probe: %w", err)
	}
	switch answer {
	case 1:
		return outbound.LeaseGranted, nil
	case 2:
		return outbound.LeaseNeedless, nil
	default:
		return outbound.LeaseRefused, nil
	}
}

// Free implements outbound.CircuitStates.
func (s *Circuits) Free(ctx context.Context, c outbound.Circuit) error {
	if _, err := s.tell(ctx, s.calm, "free", c, 0); err != nil {
		return fmt.Errorf("give a probe back: %w", err)
	}
	return nil
}

// Rest implements outbound.CircuitStates.
func (s *Circuits) Rest(ctx context.Context, c outbound.Circuit, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if _, err := s.tell(ctx, s.calm, "rest", c, d); err != nil {
		return fmt.Errorf("share a rest: %w", err)
	}
	return nil
}

// All implements outbound.CircuitStates. What cannot be read, such as a field of another version, is left out.
func (s *Circuits) All(ctx context.Context) ([]outbound.SharedCircuit, error) {
	var fields []any
	err := s.calm.do(ctx, func(ctx context.Context) (err error) {
		fields, err = circuitList.Run(ctx, s.calm.rdb, []string{circuitsKey}, s.node).Slice()
		return err
	})
	if err == nil && len(fields)%3 != 0 {
		err = fault.ErrDependency.With(fmt.Errorf("it answered %d values", len(fields)))
	}
	if err != nil {
		return nil, fmt.Errorf("read shared circuits: %w", err)
	}
	return gather(fields), nil
}

// gather puts fields together, each of them a name, what is left, and whether it is this node's.
func gather(fields []any) []outbound.SharedCircuit {
	type gathered struct {
		outbound.SharedCircuit
		broken bool
	}
	found := map[string]*gathered{}
	for i := 0; i < len(fields); i += 3 {
		field, _ := fields[i].(string)
		left, _ := fields[i+1].(int64)
		mine, _ := fields[i+2].(int64)
		kind, name, _ := strings.Cut(field, ":")
		g := found[name]
		if g == nil {
			c, ok := circuitOf(name)
			if !ok {
				continue
			}
			g = &gathered{SharedCircuit: outbound.SharedCircuit{Circuit: c}}
			found[name] = g
		}
		switch kind {
		case "w":
			g.broken = true
		case "o":
			g.Left = span(left)
		case "l":
			g.Leased, g.Mine = true, mine == 1
		case "h":
			g.Healed = true
		case "r":
			g.Rest = span(left)
		}
	}
	all := make([]outbound.SharedCircuit, 0, len(found))
	for _, g := range found {
		switch {
		case g.Left > 0:
			g.State, g.Healed = outbound.Open, false
		case g.broken:
			g.State, g.Healed = outbound.HalfOpen, false
		}
		all = append(all, g.SharedCircuit)
	}
	return all
}
