package gateway

import (
	"context"
	"slices"
	"time"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// Explain implements inbound.Gateway.
func (s *Service) Explain(ctx context.Context, in inbound.Call) (routing.Decision, error) {
	c := s.newCall(in)
	err := c.decide(ctx)
	return c.decision, err
}

// Models implements inbound.Gateway.
func (s *Service) Models(ctx context.Context, caller inbound.Caller) ([]inbound.ModelView, error) {
	now := s.Clock()
	loaded, err := s.policies.find(ctx, string(caller.TenantID), now)
	if err != nil {
		return nil, err
	}
	p, land := loaded.policy, s.land.Load()
	routes := map[routing.Target][]routing.TaskType{}
	for _, task := range routing.TaskTypes() {
		for _, t := range p.Routes(task) {
			routes[t] = append(routes[t], task)
		}
	}
	facts, _ := land.board.facts(now)
	var views []inbound.ModelView
	for i, c := range land.ordered {
		row := facts.Providers[i]
		for _, name := range s.modelsOf(c, routes) {
			t := routing.Target{Provider: c.Name, Model: name}
			one := row
			one.Models = []routing.ModelFacts{land.board.peek(i, t, now)}
			views = append(views, s.view(p, c, t, one, now))
		}
	}
	return views, nil
}

// Aliases implements inbound.Gateway.
func (s *Service) Aliases(ctx context.Context, caller inbound.Caller) ([]string, error) {
	now := s.Clock()
	loaded, err := s.policies.find(ctx, string(caller.TenantID), now)
	if err != nil {
		return nil, err
	}
	facts, _ := s.land.Load().board.facts(now)
	var usable []string
	for _, a := range loaded.policy.Aliases() {
		d := routing.Decide(loaded.policy, routing.Request{Task: routing.General, Alias: &a}, facts)
		if len(d.Candidates) > 0 || slices.ContainsFunc(d.Excluded, func(x routing.Exclusion) bool { return passing(x.Reason) }) {
			usable = append(usable, a.Name)
		}
	}
	return usable, nil
}

// passing reports whether a reason passes by itself: what is away for a moment is not gone.
func passing(r routing.Reason) bool { return r == routing.BreakerOpen || r == routing.RateLimited }

// modelsOf lists the models of a connection: its default one, the catalogue's, and those that a route names.
func (s *Service) modelsOf(c *connection, routes map[routing.Target][]routing.TaskType) []string {
	var names []string
	if c.DefaultModel != "" {
		names = append(names, c.DefaultModel)
	}
	for _, m := range s.Catalogue.Models(c.Vendor) {
		names = append(names, m.Name)
	}
	for t := range routes {
		if t.Provider == c.Name {
			names = append(names, t.Model)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (s *Service) view(p *routing.Policy, c *connection, t routing.Target, facts routing.ProviderFacts, now time.Time) inbound.ModelView {
	m := facts.Models[0]
	v := inbound.ModelView{Provider: t.Provider, Model: t.Model, Context: m.Context, Features: features(m)}
	entry, _ := s.Catalogue.Model(c.Vendor, t.Model)
	if entry.Priced {
		v.Price = &entry.Price
	}
	if entry.Embedding {
		v.Features = []string{"embedding"}
	}
	for _, task := range routing.TaskTypes() {
		if entry.Embedding {
			break // it answers nothing
		}
		if routes := p.Routes(task); len(routes) == 0 || slices.Contains(routes, t) {
			v.Capabilities = append(v.Capabilities, task)
		}
	}
	world := routing.Facts{At: now, Providers: []routing.ProviderFacts{facts}}
	d := routing.Decide(p, routing.Request{Task: routing.General, Pin: &t, Embedding: entry.Embedding}, world)
	if v.Available = len(d.Candidates) > 0; !v.Available {
		v.Reason = d.Excluded[0].Reason
	}
	return v
}

func features(m routing.ModelFacts) []string {
	var f []string
	if m.Vision {
		f = append(f, "vision")
	}
	if m.Tools {
		f = append(f, "tools")
	}
	if m.Schema {
		f = append(f, "json_schema")
	}
	return append(f, "streaming")
}

// Capabilities implements inbound.Gateway. A provider that is down for a moment is still one that serves.
func (s *Service) Capabilities(ctx context.Context, caller inbound.Caller) (inbound.Capabilities, error) {
	now := s.Clock()
	loaded, err := s.policies.find(ctx, string(caller.TenantID), now)
	if err != nil {
		return inbound.Capabilities{}, err
	}
	p, land := loaded.policy, s.land.Load()
	caps := inbound.Capabilities{TaskTypes: routing.TaskTypes(), Matrix: map[routing.TaskType][]string{}}
	for _, task := range routing.TaskTypes() {
		facts, _ := land.board.facts(now, p.Routes(task)...)
		d := routing.Decide(p, routing.Request{Task: task}, facts)
		serving := map[string]bool{}
		for _, c := range d.Candidates {
			serving[c.Provider] = true
		}
		for _, x := range d.Excluded {
			if passing(x.Reason) {
				serving[x.Provider] = true
			}
		}
		caps.Matrix[task] = []string{}
		for _, c := range land.ordered {
			if serving[c.Name] {
				caps.Matrix[task] = append(caps.Matrix[task], c.Name)
			}
		}
	}
	return caps, nil
}

// Health implements inbound.Gateway.
func (s *Service) Health(context.Context) []inbound.ProviderHealth {
	now := s.Clock()
	land := s.land.Load()
	facts, _ := land.board.facts(now)
	out := make([]inbound.ProviderHealth, 0, len(land.ordered))
	for i, c := range land.ordered {
		t := routing.Target{Provider: c.Name, Model: c.DefaultModel}
		h := inbound.ProviderHealth{Name: c.Name, Configured: len(c.Credentials) > 0}
		h.Breaker, h.OpenUntil = s.breaker(c, t)
		h.P95Ms = slowestP95(facts.Providers[i])
		attempts, success, last := c.history.read()
		h.Attempts, h.Success, h.LastError = attempts, success, string(last)
		out = append(out, h)
	}
	return out
}

// slowestP95 is the highest known p95 of a provider's default model.
func slowestP95(p routing.ProviderFacts) int {
	slowest := 0
	for _, m := range p.Models {
		for _, l := range m.Figures {
			if m.Model == p.DefaultModel && l.Samples >= routing.MinSamples {
				slowest = max(slowest, l.P95Ms)
			}
		}
	}
	return slowest
}

// breaker tells how a target stands over all of its credentials: it is as well as the best of them.
func (s *Service) breaker(c *connection, t routing.Target) (state string, openUntil time.Time) {
	best := outbound.Closed
	for i, cred := range c.Credentials {
		v := s.Circuits.View(outbound.Circuit{Provider: t.Provider, Model: t.Model, Credential: cred.ID})
		if i == 0 || better(v.State, best) || v.State == outbound.Open && best == outbound.Open && v.OpenUntil.Before(openUntil) {
			best, openUntil = v.State, v.OpenUntil
		}
	}
	switch best {
	case outbound.Open:
		return "open", openUntil
	case outbound.HalfOpen:
		return "half_open", time.Time{}
	default:
		return "closed", time.Time{}
	}
}

// better reports whether a lets more through than b.
func better(a, b outbound.CircuitState) bool {
	rank := map[outbound.CircuitState]int{outbound.Closed: 0, outbound.HalfOpen: 1, outbound.Open: 2}
	return rank[a] < rank[b]
}
