package routing

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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
	MaxRoutes          = 100 // of a task type
	MaxAllowed         = 1000
)

// The sentinels of Policy.
var (
	ErrForceConflict = fault.New(fault.Conflict, "force_conflict", "another provider is forced; release it first")
	ErrFallbackOrder = fault.New(fault.Invalid, "invalid_fallback_order", "the fallback order must name known providers, each once")
	ErrStale         = fault.New(fault.Stale, "stale_version", "the routing policy has changed since; read it again")
)

// Policy is a tenant's RoutingPolicy: an aggregate that changes by verbs and is valid at all times. At most one provider is forced, weights are at
// least 0, every provider named is known, every route is allowed, and the fallback order is complete.
type Policy struct {
	tenant   string
	version  int64
	defaults Defaults
	weights  Weights
	order    []string // complete: a permutation of defaults.Order
	routes   map[TaskType][]Target
	allowed  []string // provider/model or bare model names; empty allows all
	flags    map[string]Flag
	aliases  map[string]Alias
	attempts int
	deadline time.Duration // 0: the installation's
	events   event.Log

	// What Decide reads follows from the above.
	forced   string
	disabled []string
	ranks    map[string]int // place in the order by provider
	plan     map[TaskType]map[string][]Target
	allows   allowance
}

// Defaults are what an installation sets for tenants that chose nothing.
type Defaults struct {
	Order       []string // every provider of the installation, in fallback order
	Weights     Weights  // the zero value: DefaultWeights
	Routes      map[TaskType][]Target
	MaxAttempts int           // 0: DefaultMaxAttempts
	Deadline    time.Duration // 0: REQUEST_TIMEOUT and STREAM_TIMEOUT
	Aliases     []Alias       // of every tenant that has none of the name
}

// Check says what is wrong with the defaults of an installation: a fault whose fields name it.
func (d Defaults) Check() error {
	p := NewPolicy("", d)
	fields := p.wrong(p.Terms())
	for i, a := range d.Aliases {
		if slices.ContainsFunc(d.Aliases[:i], func(o Alias) bool { return o.Name == a.Name }) {
			fields = append(fields, fault.Field{Pointer: fmt.Sprintf("/aliases/%d/name", i), Code: "duplicate", Message: "the name stands twice"})
		}
		if f, ok := errors.AsType[*fault.Error](a.check(d.Order)); ok {
			for _, field := range f.Fields {
				field.Pointer = fmt.Sprintf("/aliases/%d%s", i, field.Pointer)
				fields = append(fields, field)
			}
		}
	}
	if len(fields) > 0 {
		return fault.ErrValidation.At(fields...)
	}
	return nil
}

func (d Defaults) weights() Weights {
	if d.Weights == (Weights{}) {
		return DefaultWeights
	}
	return d.Weights
}

// PolicyChanged says that a policy has a new version.
type PolicyChanged struct {
	Tenant  string
	Version int64
	What    string
}

// EventName implements event.Event.
func (PolicyChanged) EventName() string { return "routing_policy_changed" }

// NewPolicy gives a tenant the default policy.
func NewPolicy(tenant string, d Defaults) *Policy {
	p := &Policy{
		tenant: tenant, version: 1, defaults: d, weights: d.weights(), order: slices.Clone(d.Order), routes: cloneRoutes(d.Routes),
		flags: map[string]Flag{}, aliases: map[string]Alias{}, attempts: DefaultMaxAttempts, deadline: d.Deadline,
	}
	if d.MaxAttempts != 0 {
		p.attempts = d.MaxAttempts
	}
	p.derive()
	return p
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

// Routes gives the targets chosen for a task type; empty means the providers' default models. The slice is the policy's own and not to be changed.
func (p *Policy) Routes(task TaskType) []Target { return p.routes[task] }

// Allows reports whether the list of allowed models has the target.
func (p *Policy) Allows(t Target) bool { return p.allows.has(t) }

// Events drains what happened.
func (p *Policy) Events() []event.Event { return p.events.Drain() }

// Terms is what a tenant's administrators set as a whole.
type Terms struct {
	Weights       Weights
	FallbackOrder []string // at least one provider; those left out follow in default order
	Routes        map[TaskType][]Target
	AllowedModels []string      // provider/model or bare model names; empty allows all
	MaxAttempts   int           // 1 to 10
	Deadline      time.Duration // 0: the installation's; else 1 ms to 1 hour
}

// Terms gives the terms in force.
func (p *Policy) Terms() Terms {
	return Terms{
		Weights: p.weights, FallbackOrder: slices.Clone(p.order), Routes: cloneRoutes(p.routes), AllowedModels: slices.Clone(p.allowed),
		MaxAttempts: p.attempts, Deadline: p.deadline,
	}
}

// DefaultTerms gives the terms of a tenant that chose nothing.
func (p *Policy) DefaultTerms() Terms { return NewPolicy(p.tenant, p.defaults).Terms() }

// Revise sets the terms anew. version is the one that the change was made from. It fails with ErrStale when the policy has changed since, and with
// fault.ErrValidation naming every field that is wrong.
func (p *Policy) Revise(version int64, t Terms) error {
	if version != p.version {
		return ErrStale
	}
	if fields := p.wrong(t); len(fields) > 0 {
		return fault.ErrValidation.At(fields...)
	}
	p.order, _ = CompleteOrder(t.FallbackOrder, p.defaults.Order)
	p.weights, p.allowed, p.attempts, p.deadline = t.Weights, slices.Clone(t.AllowedModels), t.MaxAttempts, t.Deadline
	p.routes = cloneRoutes(t.Routes)
	p.derive()
	p.changed("terms")
	return nil
}

func (p *Policy) changed(what string) {
	p.version++
	p.events.Record(PolicyChanged{Tenant: p.tenant, Version: p.version, What: what})
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

// Alias finds what a name stands for: the tenant's own alias, else the installation's.
func (p *Policy) Alias(name string) (Alias, bool) {
	if a, ok := p.aliases[name]; ok {
		return a.clone(), true
	}
	for _, a := range p.defaults.Aliases {
		if a.Name == name {
			return a.clone(), true
		}
	}
	return Alias{}, false
}

// Aliases lists every alias that the tenant can use, sorted by name.
func (p *Policy) Aliases() []Alias {
	var out []Alias
	for _, a := range p.aliases {
		out = append(out, a.clone())
	}
	for _, a := range p.defaults.Aliases {
		if _, own := p.aliases[a.Name]; !own {
			out = append(out, a.clone())
		}
	}
	slices.SortFunc(out, func(a, b Alias) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// OwnAlias finds an alias that is the tenant's own.
func (p *Policy) OwnAlias(name string) (Alias, bool) {
	a, ok := p.aliases[name]
	return a.clone(), ok
}

// SetAlias makes a name stand for targets, in the place of what it stood for. It fails with fault.ErrValidation naming every field that is
// wrong, and with ErrAliasCap.
func (p *Policy) SetAlias(a Alias) error {
	if err := a.check(p.defaults.Order); err != nil {
		return err
	}
	if _, there := p.aliases[a.Name]; !there && len(p.aliases) >= MaxAliases {
		return ErrAliasCap
	}
	p.aliases[a.Name] = a.clone()
	p.changed("alias " + a.Name)
	return nil
}

// RemoveAlias takes an alias of the tenant's own away. It fails with ErrNoAlias.
func (p *Policy) RemoveAlias(name string) error {
	if _, ok := p.aliases[name]; !ok {
		if _, inherited := p.Alias(name); inherited {
			return ErrNoAlias.Saying("this alias is the installation's; set one of the name to take its place")
		}
		return ErrNoAlias
	}
	delete(p.aliases, name)
	p.changed("alias " + name + " removed")
	return nil
}
