package routing

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/fault"
)

// maxAllowed bounds the list of allowed models.
const maxAllowed = 1000

// wrong lists every field of terms that breaks a rule.
func (p *Policy) wrong(t Terms) []fault.Field {
	var fields []fault.Field
	bad := func(pointer, code, message string) {
		fields = append(fields, fault.Field{Pointer: pointer, Code: code, Message: message})
	}
	for _, w := range []struct {
		name  string
		value float64
	}{{"cost", t.Weights.Cost}, {"latency", t.Weights.Latency}, {"slo_penalty", t.Weights.SLOPenalty}} {
		if !validWeight(w.value) {
			bad("/weights/"+w.name, "out_of_range", "must be a number of 0 to 1,000,000,000")
		}
	}
	if len(t.FallbackOrder) == 0 {
		bad("/fallback_order", "out_of_range", "must name at least one provider")
	}
	for i, name := range t.FallbackOrder {
		at := fmt.Sprintf("/fallback_order/%d", i)
		if !slices.Contains(p.defaults.Order, name) {
			bad(at, "unknown_provider", p.providersAre())
		} else if slices.Contains(t.FallbackOrder[:i], name) {
			bad(at, "duplicate", "the provider stands twice")
		}
	}
	if t.MaxAttempts < 1 || t.MaxAttempts > MaxMaxAttempts {
		bad("/max_attempts", "out_of_range", fmt.Sprintf("must be 1 to %d", MaxMaxAttempts))
	}
	if t.Deadline < 0 || t.Deadline > MaxDeadline || t.Deadline > 0 && t.Deadline < time.Millisecond {
		bad("/deadline_ms", "out_of_range", fmt.Sprintf("must be 0, which is the installation's, to %d", MaxDeadline.Milliseconds()))
	}
	if len(t.AllowedModels) > maxAllowed {
		bad("/allowed_models", "out_of_range", fmt.Sprintf("must be at most %d names", maxAllowed))
	}
	for i, name := range t.AllowedModels {
		if !plausibleModel(name) {
			bad(fmt.Sprintf("/allowed_models/%d", i), "invalid_value", "must be <provider>/<model> or a model's name")
		}
	}
	return append(fields, p.wrongRoutes(t)...)
}

func (p *Policy) wrongRoutes(t Terms) []fault.Field {
	var fields []fault.Field
	bad := func(pointer, code, message string) {
		fields = append(fields, fault.Field{Pointer: pointer, Code: code, Message: message})
	}
	for task := range t.Routes {
		if task.index() < 0 {
			bad("/routes/"+pointerToken(string(task)), "unknown_value", "no task type of that name")
		}
	}
	for _, task := range TaskTypes() {
		for i, to := range t.Routes[task] {
			at := fmt.Sprintf("/routes/%s/%d/", task, i)
			switch {
			case !slices.Contains(p.defaults.Order, to.Provider):
				bad(at+"provider", "unknown_provider", p.providersAre())
			case !plausibleModel(to.Model):
				bad(at+"model", "invalid_value", "must be a model's name of 1 to 256 bytes without control characters")
			case slices.Contains(t.Routes[task][:i], to):
				bad(at+"model", "duplicate", "the target stands twice")
			case !allows(t.AllowedModels, to):
				bad(at+"model", "contradiction", "allowed_models does not allow what the route names")
			}
		}
	}
	return fields
}

func (p *Policy) providersAre() string {
	return "no provider of that name; there are " + strings.Join(p.defaults.Order, ", ")
}

// pointerToken writes a name as a token of a JSON pointer (RFC 6901).
func pointerToken(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func validWeight(x float64) bool { return !math.IsNaN(x) && x >= 0 && x <= 1e9 }

func (w Weights) valid() bool {
	return validWeight(w.Cost) && validWeight(w.Latency) && validWeight(w.SLOPenalty)
}

func cloneRoutes(routes map[TaskType][]Target) map[TaskType][]Target {
	out := make(map[TaskType][]Target, len(routes))
	for task, targets := range routes {
		if len(targets) > 0 {
			out[task] = slices.Clone(targets)
		}
	}
	return out
}

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
	p.allowed = slices.DeleteFunc(slices.Clone(s.AllowedModels), func(n string) bool { return !plausibleModel(n) })
	if s.Weights.valid() {
		p.weights = s.Weights
	}
	if s.MaxAttempts >= 1 && s.MaxAttempts <= MaxMaxAttempts {
		p.attempts = s.MaxAttempts
	}
	if s.Deadline >= 0 && s.Deadline <= MaxDeadline {
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
	p.derive()
	p.restoreRoutes(s.Routes)
	for _, a := range s.Aliases {
		a = a.clone()
		a.Targets = slices.DeleteFunc(a.Targets, func(t AliasTarget) bool { return !slices.Contains(d.Order, t.Provider) })
		if a.check(d.Order) == nil && len(p.aliases) < MaxAliases {
			p.aliases[a.Name] = a
		}
	}
	return p
}

func (p *Policy) restoreRoutes(routes map[TaskType][]Target) {
	p.routes = map[TaskType][]Target{}
	for _, task := range TaskTypes() {
		var kept []Target
		for _, t := range routes[task] {
			if slices.Contains(p.defaults.Order, t.Provider) && plausibleModel(t.Model) && !slices.Contains(kept, t) && p.Allows(t) {
				kept = append(kept, t)
			}
		}
		if len(kept) > 0 {
			p.routes[task] = kept
		}
	}
}
