package outbound

import (
	"context"
	"time"
)

// Circuit names what a breaker stands for.
type Circuit struct{ Provider, Model, Credential string }

// CircuitState is what a breaker lets through.
type CircuitState uint8

// The states of a breaker.
const (
	Closed CircuitState = iota
	Open
	HalfOpen
)

// CircuitView is a breaker as it stands now.
type CircuitView struct {
	State     CircuitState
	OpenUntil time.Time // zero unless Open
	RestUntil time.Time // zero: not resting
}

// Circuits keeps a breaker and a rest for every provider, model and credential. It may share them with a fleet: then a circuit that one replica
// opened is open on all, and each shows the stricter of what it and the fleet know. Implementations pass conformance.Circuits.
type Circuits interface {
	// Allow asks to make an attempt. When it may be made, report must be called exactly once with what became of it, for a stream when
	// the last chunk is out; only failures that speak against the target's health count (chat.Class.TripsBreaker), and an attempt that
	// was cancelled counts neither way. ok is false while the breaker is open or the probe of a half-open one is under way, here or
	// elsewhere in the fleet. Asking for the fleet's one probe may take a moment, 150 ms at most; nothing else waits.
	Allow(c Circuit) (report func(err error), ok bool)
	// Rest keeps a target from being asked until then. An earlier end than the one in force changes nothing.
	Rest(c Circuit, until time.Time)
	// View says how the breaker stands. A half-open one need not let this replica's attempt through: the probe may be another's.
	View(c Circuit) CircuitView
	// OnChange registers a function that is told of each change of state or rest, also of those that another replica caused. It must not
	// block. Register before first use.
	OnChange(func(Circuit, CircuitView))
}

// SharedCircuit is what the fleet knows of a circuit.
type SharedCircuit struct {
	Circuit
	// State is Open for as long as Left says, then HalfOpen until a probe's result is known. Closed means that nothing is known against it.
	State CircuitState
	Left  time.Duration
	// Healed says that a probe closed it a moment ago, so that whoever thinks otherwise may forget that.
	Healed bool
	// Leased says that somebody makes the probe, Mine that this replica does.
	Leased, Mine bool
	// Rest is how long the target is not to be asked, 0 if it may.
	Rest time.Duration
}

// Lease is the answer to whoever asks for the fleet's one probe.
type Lease uint8

// The answers.
const (
	LeaseRefused  Lease = iota // the circuit is open still, or the probe is another's
	LeaseGranted               // the probe is the asker's, until it gives the lease back or lets it run out
	LeaseNeedless              // a probe closed the circuit a moment ago
)

// CircuitStates is what the replicas of a fleet tell each other about circuits, each through a handle of its own. Spans are measured by the
// store's clock, since those of replicas may differ; one that is set back makes no span longer than it was. Everything ends by itself: an open
// circuit becomes half-open and is forgotten an hour later, a lease is free again, a rest is over. The store may lose everything at any time,
// and keeps a bounded number; what ends first is forgotten first. Every method fails with fault.ErrDependency, within a second, when the store is silent;
// Lease within 150 ms. Implementations pass conformance.CircuitStates.
type CircuitStates interface {
	// Open says that a circuit is open for so long from now, or with 0 that it waits for its probe; that changes nothing about one that was just
	// closed. The later end counts. The lease is given back, if this replica has it.
	Open(ctx context.Context, c Circuit, cooldown time.Duration) error
	// Close says that the probe succeeded. It does nothing without the lease.
	Close(ctx context.Context, c Circuit) error
	// Lease asks for the probe of a circuit that is not open, or for more time for it.
	Lease(ctx context.Context, c Circuit, d time.Duration) (Lease, error)
	// Free gives the lease back with nothing learned. It does nothing without the lease.
	Free(ctx context.Context, c Circuit) error
	// Rest says that a target is not to be asked for so long. The later end counts.
	Rest(ctx context.Context, c Circuit, d time.Duration) error
	// All gives every circuit that something is known of, in no order.
	All(ctx context.Context) ([]SharedCircuit, error)
}
