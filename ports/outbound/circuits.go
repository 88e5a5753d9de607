package outbound

import "time"

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

// Circuits keeps a breaker and a rest for every provider, model and credential. Implementations pass conformance.Circuits.
type Circuits interface {
	// Allow asks to make an attempt. When it may be made, report must be called exactly once with what became of it, for a stream when
	// the last chunk is out; only failures that speak against the target's health count (chat.Class.TripsBreaker), and an attempt that
	// was cancelled counts neither way. ok is false while the breaker is open or the probe of a half-open one is under way.
	Allow(c Circuit) (report func(err error), ok bool)
	// Rest keeps a target from being asked until then. An earlier end than the one in force changes nothing.
	Rest(c Circuit, until time.Time)
	// View says how the breaker stands.
	View(c Circuit) CircuitView
	// OnChange registers a function that is told of each change of state or rest. It must not block. Register before first use.
	OnChange(func(Circuit, CircuitView))
}
