package routing

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/fault"
)

// maxFaults bounds how many faults are named.
const maxFaults = 100

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
		if len(fields) >= maxFaults {
			return fields
		}
	}
	if t.MaxAttempts < 1 || t.MaxAttempts > MaxMaxAttempts {
		bad("/max_attempts", "out_of_range", fmt.Sprintf("must be 1 to %d", MaxMaxAttempts))
	}
	if !validDeadline(t.Deadline) {
		bad("/deadline_ms", "out_of_range", fmt.Sprintf("must be 0, which is the installation's, to %d", MaxDeadline.Milliseconds()))
	}
	if len(t.AllowedModels) > MaxAllowed {
		bad("/allowed_models", "out_of_range", fmt.Sprintf("must be at most %d names", MaxAllowed))
		return fields
	}
	for i, name := range t.AllowedModels {
		if !plausibleModel(name) {
			bad(fmt.Sprintf("/allowed_models/%d", i), "invalid_value", "must be <provider>/<model> or a model's name")
		}
	}
	fields = append(fields, p.wrongRoutes(t)...)
	return fields[:min(len(fields), maxFaults)]
}

func (p *Policy) wrongRoutes(t Terms) []fault.Field {
	var fields []fault.Field
	bad := func(pointer, code, message string) {
		fields = append(fields, fault.Field{Pointer: pointer, Code: code, Message: message})
	}
	allowed := allow(t.AllowedModels)
	for task := range t.Routes {
		if task.index() < 0 {
			bad("/routes/"+pointerToken(string(task)), "unknown_value", "no task type of that name")
		}
	}
	for _, task := range TaskTypes() {
		if len(t.Routes[task]) > MaxRoutes {
			bad("/routes/"+string(task), "out_of_range", fmt.Sprintf("must be at most %d targets", MaxRoutes))
			continue
		}
		for i, to := range t.Routes[task] {
			at := fmt.Sprintf("/routes/%s/%d/", task, i)
			switch {
			case !slices.Contains(p.defaults.Order, to.Provider):
				bad(at+"provider", "unknown_provider", p.providersAre())
			case !plausibleModel(to.Model):
				bad(at+"model", "invalid_value", "must be a model's name of 1 to 256 bytes without control characters")
			case slices.Contains(t.Routes[task][:i], to):
				bad(at+"model", "duplicate", "the target stands twice")
			case !allowed.has(to):
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

// validDeadline takes 0, which is the installation's, and whole calls' deadlines that can be met.
func validDeadline(d time.Duration) bool { return d == 0 || d >= time.Millisecond && d <= MaxDeadline }

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
