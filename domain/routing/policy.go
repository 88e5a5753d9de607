package routing

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
)

// Weights turn cost, latency and a missed latency objective into one score; lower is better.
type Weights struct {
	Cost       float64 // per cent
	Latency    float64 // per millisecond of p95
	SLOPenalty float64 // per millisecond of p95 over the objective
}

// DefaultWeights are the weights of a tenant that chose none.
var DefaultWeights = Weights{Cost: 1, Latency: 0.01, SLOPenalty: 0.5}

// Limits of a policy.
const (
	DefaultMaxAttempts = 3
	MaxMaxAttempts     = 10
	MaxDeadline        = time.Hour
)

// The sentinels of Policy.
var (
	ErrForceConflict   = fault.New(fault.Conflict, "force_conflict", "another provider is forced; release it first")
	ErrUnknownProvider = fault.New(fault.Invalid, "unknown_provider", "no provider of that name")
	ErrWeights         = fault.New(fault.Invalid, "invalid_weights", "weights must be numbers of at least 0")
	ErrFallbackOrder   = fault.New(fault.Invalid, "invalid_fallback_order", "the fallback order must name known providers, each once")
	ErrLimits          = fault.New(fault.Invalid, "invalid_limits", "max_attempts must be 1 to 10, the deadline 0 to 1 hour")
	ErrRoutes          = fault.New(fault.Invalid, "invalid_routes", "routes must name known task types and providers, and a model")
)

// Policy is a tenant's RoutingPolicy: an aggregate that changes by verbs and is valid at all times. At most one provider is forced,
// weights are at least 0, every provider named is known, and the fallback order is complete.
type Policy struct {
	tenant   string
	version  int64
	known    []string // every provider of this installation, in default order
	weights  Weights
	order    []string // complete: a permutation of known
	routes   map[TaskType][]Target
	allowed  []string // provider/model or bare model names; empty allows all
	forced   string
	disabled map[string]bool
	attempts int
	deadline time.Duration // 0: the installation's
	events   event.Log
}

// PolicyChanged says that a policy has a new version.
type PolicyChanged struct {
	Tenant  string
	Version int64
	What    string
}

// EventName implements event.Event.
func (PolicyChanged) EventName() string { return "routing_policy_changed" }

// NewPolicy gives a tenant the default policy over the known providers, whose order is the default fallback order.
func NewPolicy(tenant string, known []string) *Policy {
	return &Policy{
		tenant: tenant, version: 1, known: slices.Clone(known), weights: DefaultWeights, order: slices.Clone(known),
		routes: map[TaskType][]Target{}, disabled: map[string]bool{}, attempts: DefaultMaxAttempts,
	}
}

// Tenant is the owner of the policy.
func (p *Policy) Tenant() string { return p.tenant }

// Version grows by one with each change.
func (p *Policy) Version() int64 { return p.version }

// Weights are the weights of the score.
func (p *Policy) Weights() Weights { return p.weights }

// FallbackOrder is the complete order in which ties are broken.
func (p *Policy) FallbackOrder() []string { return slices.Clone(p.order) }

// MaxAttempts is the attempt budget of one call.
func (p *Policy) MaxAttempts() int { return p.attempts }

// Deadline bounds one call with all its attempts; 0 means the installation's.
func (p *Policy) Deadline() time.Duration { return p.deadline }

// Forced is the provider that every call must go to, "" when none is.
func (p *Policy) Forced() string { return p.forced }

// Disabled reports whether calls to the provider are switched off; a forced provider is never disabled.
func (p *Policy) Disabled(provider string) bool { return provider != p.forced && p.disabled[provider] }

// Events drains what happened.
func (p *Policy) Events() []event.Event { return p.events.Drain() }

// SetWeights changes the score. It fails with ErrWeights.
func (p *Policy) SetWeights(w Weights) error {
	if !w.valid() {
		return ErrWeights
	}
	p.weights = w
	p.changed("weights")
	return nil
}

func (w Weights) valid() bool {
	for _, x := range []float64{w.Cost, w.Latency, w.SLOPenalty} {
		if math.IsNaN(x) || math.IsInf(x, 0) || x < 0 {
			return false
		}
	}
	return true
}

// SetFallbackOrder changes how ties are broken. Providers left out follow in default order. It fails with ErrFallbackOrder.
func (p *Policy) SetFallbackOrder(order []string) error {
	full, err := CompleteOrder(order, p.known)
	if err != nil {
		return err
	}
	p.order = full
	p.changed("fallback_order")
	return nil
}

// CompleteOrder checks an order against the known providers and appends those left out. It fails with ErrFallbackOrder.
func CompleteOrder(order, known []string) ([]string, error) {
	full := make([]string, 0, len(known))
	for _, name := range order {
		if !slices.Contains(known, name) {
			return nil, ErrFallbackOrder.With(fmt.Errorf("unknown provider %q", name))
		}
		if slices.Contains(full, name) {
			return nil, ErrFallbackOrder.With(fmt.Errorf("provider %q stands twice", name))
		}
		full = append(full, name)
	}
	for _, name := range known {
		if !slices.Contains(full, name) {
			full = append(full, name)
		}
	}
	return full, nil
}

// Force sends every call to one provider, and beats disable. It fails with ErrUnknownProvider, or with ErrForceConflict while another is forced.
func (p *Policy) Force(provider string) error {
	if !slices.Contains(p.known, provider) {
		return ErrUnknownProvider
	}
	if p.forced != "" && p.forced != provider {
		return ErrForceConflict
	}
	if p.forced == provider {
		return nil
	}
	p.forced = provider
	p.changed("force_provider")
	return nil
}

// Release ends the force of a provider; releasing one that is not forced changes nothing.
func (p *Policy) Release(provider string) {
	if p.forced == provider && provider != "" {
		p.forced = ""
		p.changed("force_provider")
	}
}

// Disable takes a provider out of routing. It fails with ErrUnknownProvider.
func (p *Policy) Disable(provider string) error {
	if !slices.Contains(p.known, provider) {
		return ErrUnknownProvider
	}
	if !p.disabled[provider] {
		p.disabled[provider] = true
		p.changed("disable_provider")
	}
	return nil
}

// Enable puts a provider back.
func (p *Policy) Enable(provider string) {
	if p.disabled[provider] {
		delete(p.disabled, provider)
		p.changed("disable_provider")
	}
}

// Route names the targets that serve a task type; none means the providers' default models. It fails with ErrRoutes.
func (p *Policy) Route(task TaskType, targets []Target) error {
	if !slices.Contains(TaskTypes(), task) {
		return ErrRoutes
	}
	for i, t := range targets {
		if t.Model == "" || !slices.Contains(p.known, t.Provider) || slices.Contains(targets[:i], t) {
			return ErrRoutes.With(fmt.Errorf("target %s of %s", t, task))
		}
	}
	if len(targets) == 0 {
		delete(p.routes, task)
	} else {
		p.routes[task] = slices.Clone(targets)
	}
	p.changed("routes")
	return nil
}

// Routes gives the targets chosen for a task type; empty means the providers' default models. The slice is the policy's own and not to be changed.
func (p *Policy) Routes(task TaskType) []Target { return p.routes[task] }

// Allow narrows the models to a list of provider/model or bare model names; an empty list allows all.
func (p *Policy) Allow(models []string) {
	p.allowed = slices.Clone(models)
	p.changed("allowed_models")
}

// Allows reports whether the list of allowed models has the target.
func (p *Policy) Allows(t Target) bool {
	return len(p.allowed) == 0 || slices.Contains(p.allowed, t.String()) || slices.Contains(p.allowed, t.Model)
}

// Limit sets the attempt budget and the deadline of a call. It fails with ErrLimits.
func (p *Policy) Limit(attempts int, deadline time.Duration) error {
	if !validLimits(attempts, deadline) {
		return ErrLimits
	}
	p.attempts, p.deadline = attempts, deadline
	p.changed("limits")
	return nil
}

func validLimits(attempts int, deadline time.Duration) bool {
	return attempts >= 1 && attempts <= MaxMaxAttempts && deadline >= 0 && deadline <= MaxDeadline
}

func (p *Policy) changed(what string) {
	p.version++
	p.events.Record(PolicyChanged{Tenant: p.tenant, Version: p.version, What: what})
}

// PolicySnapshot is a policy as stores keep it.
type PolicySnapshot struct {
	Tenant        string
	Version       int64
	Weights       Weights
	FallbackOrder []string
	Routes        map[TaskType][]Target
	AllowedModels []string
	Forced        string
	Disabled      []string
	MaxAttempts   int
	Deadline      time.Duration
}

// Snapshot gives the policy for keeping.
func (p *Policy) Snapshot() PolicySnapshot {
	return PolicySnapshot{
		Tenant: p.tenant, Version: p.version, Weights: p.weights, FallbackOrder: slices.Clone(p.order),
		Routes: cloneRoutes(p.routes), AllowedModels: slices.Clone(p.allowed), Forced: p.forced,
		Disabled: slices.Sorted(maps.Keys(p.disabled)), MaxAttempts: p.attempts, Deadline: p.deadline,
	}
}

func cloneRoutes(routes map[TaskType][]Target) map[TaskType][]Target {
	out := make(map[TaskType][]Target, len(routes))
	for task, targets := range routes {
		out[task] = slices.Clone(targets)
	}
	return out
}

// RestorePolicy makes a kept policy anew over the providers known now. Providers that have gone are left out, new ones follow, and what is no
// longer valid gives way to its default, so that a policy is valid whatever was kept.
func RestorePolicy(s PolicySnapshot, known []string) *Policy {
	p := NewPolicy(s.Tenant, known)
	p.version, p.allowed = max(1, s.Version), slices.Clone(s.AllowedModels)
	if s.Weights.valid() {
		p.weights = s.Weights
	}
	if validLimits(s.MaxAttempts, s.Deadline) {
		p.attempts, p.deadline = s.MaxAttempts, s.Deadline
	}
	kept := slices.DeleteFunc(slices.Clone(s.FallbackOrder), func(n string) bool { return !slices.Contains(known, n) })
	if full, err := CompleteOrder(kept, known); err == nil {
		p.order = full
	}
	if slices.Contains(known, s.Forced) {
		p.forced = s.Forced
	}
	for _, n := range s.Disabled {
		if slices.Contains(known, n) {
			p.disabled[n] = true
		}
	}
	for task, targets := range s.Routes {
		var ts []Target
		for _, t := range targets {
			if t.Model != "" && slices.Contains(known, t.Provider) && !slices.Contains(ts, t) {
				ts = append(ts, t)
			}
		}
		if len(ts) > 0 && slices.Contains(TaskTypes(), task) {
			p.routes[task] = ts
		}
	}
	return p
}
