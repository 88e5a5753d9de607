package routing

import (
	"slices"
	"strings"
	"time"
)

// noModel is no model's name. A list of allowed models of which damage left nothing holds it, so that it goes on to allow nothing else.
const noModel = "-"

// PolicySnapshot is a policy as stores keep it.
type PolicySnapshot struct {
	Tenant        string
	Version       int64
	Weights       Weights
	FallbackOrder []string
	Routes        map[TaskType][]Target
	AllowedModels []string
	Flags         []Flag  // sorted by name
	Aliases       []Alias // the tenant's own, sorted by name
	MaxAttempts   int
	Deadline      time.Duration
}

// Snapshot gives the policy for keeping.
func (p *Policy) Snapshot() PolicySnapshot {
	s := PolicySnapshot{
		Tenant: p.tenant, Version: p.version, Weights: p.weights, FallbackOrder: slices.Clone(p.order), Routes: cloneRoutes(p.routes),
		AllowedModels: slices.Clone(p.allowed), Flags: p.Flags(), MaxAttempts: p.attempts, Deadline: p.deadline,
	}
	for _, a := range p.aliases {
		s.Aliases = append(s.Aliases, a.clone())
	}
	slices.SortFunc(s.Aliases, func(a, b Alias) int { return strings.Compare(a.Name, b.Name) })
	return s
}

// RestorePolicy makes a kept policy anew over the providers known now. Providers that have gone are left out, new ones follow, and what is no
// longer valid gives way to its default, so that a policy is valid whatever was kept.
func RestorePolicy(s PolicySnapshot, d Defaults) *Policy {
	p := NewPolicy(s.Tenant, d)
	p.version = max(1, s.Version)
	if s.Weights.valid() {
		p.weights = s.Weights
	}
	if s.MaxAttempts >= 1 && s.MaxAttempts <= MaxMaxAttempts {
		p.attempts = s.MaxAttempts
	}
	if validDeadline(s.Deadline) {
		p.deadline = s.Deadline
	}
	kept := slices.DeleteFunc(slices.Clone(s.FallbackOrder), func(n string) bool { return !slices.Contains(d.Order, n) })
	if full, err := CompleteOrder(kept, d.Order); err == nil {
		p.order = full
	}
	for _, f := range s.Flags {
		if p.knowsFlag(f.Name) {
			p.flags[f.Name] = f
		}
	}
	p.restoreAllowed(s.AllowedModels)
	p.restoreRoutes(s.Routes)
	p.derive()
	for _, a := range s.Aliases {
		a = a.clone()
		a.Targets = slices.DeleteFunc(a.Targets, func(t AliasTarget) bool { return !slices.Contains(d.Order, t.Provider) })
		if a.check(d.Order) == nil && len(p.aliases) < MaxAliases {
			p.aliases[a.Name] = a
		}
	}
	return p
}

// restoreAllowed never allows more than what was kept.
func (p *Policy) restoreAllowed(names []string) {
	p.allowed = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !plausibleModel(n) })
	if len(p.allowed) > MaxAllowed {
		p.allowed = p.allowed[:MaxAllowed]
	}
	if len(p.allowed) == 0 && len(names) > 0 {
		p.allowed = []string{noModel}
	}
}

func (p *Policy) restoreRoutes(routes map[TaskType][]Target) {
	allowed := allow(p.allowed)
	p.routes = map[TaskType][]Target{}
	for _, task := range TaskTypes() {
		var kept []Target
		for _, t := range routes[task] {
			if slices.Contains(p.defaults.Order, t.Provider) && plausibleModel(t.Model) && !slices.Contains(kept, t) && allowed.has(t) && len(kept) < MaxRoutes {
				kept = append(kept, t)
			}
		}
		if len(kept) > 0 {
			p.routes[task] = kept
		}
	}
}
