// Package change has the changes of routing policies that tests make most, each in a line.
package change

import (
	"time"

	"github.com/forge1/forge1/domain/routing"
)

// Terms changes some of a policy's terms.
func Terms(p *routing.Policy, f func(*routing.Terms)) error {
	t := p.Terms()
	f(&t)
	return p.Revise(p.Version(), t)
}

// Weights sets the weights.
func Weights(p *routing.Policy, w routing.Weights) error {
	return Terms(p, func(t *routing.Terms) { t.Weights = w })
}

// Order sets the fallback order.
func Order(p *routing.Policy, names ...string) error {
	return Terms(p, func(t *routing.Terms) { t.FallbackOrder = names })
}

// Route sets the targets of a task type.
func Route(p *routing.Policy, task routing.TaskType, targets ...routing.Target) error {
	return Terms(p, func(t *routing.Terms) { t.Routes[task] = targets })
}

// Allow sets the allowed models.
func Allow(p *routing.Policy, models ...string) error {
	return Terms(p, func(t *routing.Terms) { t.AllowedModels = models })
}

// Limit sets the attempt budget and the deadline.
func Limit(p *routing.Policy, attempts int, deadline time.Duration) error {
	return Terms(p, func(t *routing.Terms) { t.MaxAttempts, t.Deadline = attempts, deadline })
}

// Force turns the force flag of a provider on.
func Force(p *routing.Policy, provider string) error {
	return p.SetFlag(routing.Flag{Name: routing.ForceFlag(provider), Enabled: true})
}

// Release clears the force flag of a provider.
func Release(p *routing.Policy, provider string) error {
	return p.ClearFlag(routing.ForceFlag(provider))
}

// Disable turns the disable flag of a provider on.
func Disable(p *routing.Policy, provider string) error {
	return p.SetFlag(routing.Flag{Name: routing.DisableFlag(provider), Enabled: true})
}

// Enable clears the disable flag of a provider.
func Enable(p *routing.Policy, provider string) error {
	return p.ClearFlag(routing.DisableFlag(provider))
}
