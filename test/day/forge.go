package main

import (
	"math"
	"slices"
	"time"

	"github.com/forge1/forge1/adapters/breaker"
	"github.com/forge1/forge1/adapters/latency"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// facts are what a decision is made from; what a strategy knows goes into them. Prices are known to all.
func facts(w *world, at time.Duration, know func(vendor int, s *routing.State)) routing.Facts {
	f := routing.Facts{Providers: make([]routing.ProviderFacts, vendors)}
	for i, name := range names {
		m := routing.ModelFacts{Model: "model", Price: routing.FlatCents(value(w.vendors[i].cents, at))}
		know(i, &m.State)
		f.Providers[i] = routing.ProviderFacts{Name: name, Configured: true, DefaultModel: m.Model, Models: []routing.ModelFacts{m}}
	}
	return f
}

// decide has the router decide and gives the vendors in its order.
func decide(p *routing.Policy, c *call, f routing.Facts) []int {
	d := routing.Decide(p, routing.Request{Task: routing.General, SLOMs: c.sloMs, InputTokens: c.input}, f)
	order := make([]int, 0, vendors)
	for _, cand := range d.Candidates {
		order = append(order, slices.Index(names, cand.Provider))
	}
	return order
}

func newPolicy() *routing.Policy {
	return routing.NewPolicy("day", routing.Defaults{Order: names})
}

// forge is Forge: its decision, its breakers and its latencies, by the clock that it is given.
type forge struct {
	world     *world
	clock     outbound.Clock
	policy    *routing.Policy
	circuits  *breaker.Circuits
	latencies *latency.Latencies
}

func newForge(w *world, clock outbound.Clock) *forge {
	return &forge{
		world: w, clock: clock, policy: newPolicy(), circuits: breaker.New(breaker.Config{Clock: clock}), latencies: latency.New(latency.Config{Clock: clock}),
	}
}

func target(vendor int) routing.Target {
	return routing.Target{Provider: names[vendor], Model: "model"}
}

func circuit(vendor int) outbound.Circuit {
	return outbound.Circuit{Provider: names[vendor], Model: "model", Credential: "key"}
}

func (f *forge) order(c *call, now time.Duration) []int {
	world := facts(f.world, now, func(i int, s *routing.State) {
		s.OpenUntil = f.circuits.View(circuit(i)).OpenUntil
		p95, length := f.latencies.P95(routing.General, target(i))
		s.Set(routing.General, routing.Figures{P95Ms: p95.P95Ms, Samples: p95.Samples, OutputTokens: length})
	})
	world.At = f.clock()
	return decide(f.policy, c, world)
}

func (f *forge) allow(c *call, vendor int) (func(time.Duration, error), bool) {
	report, ok := f.circuits.Allow(circuit(vendor))
	if !ok {
		return nil, false
	}
	return func(took time.Duration, err error) {
		report(err)
		if err == nil {
			f.latencies.Observe(routing.General, target(vendor), took, c.output)
		}
	}, true
}

// oracle decides as Forge does, with facts that nobody can know: the true p95 and the outages of the moment.
type oracle struct {
	world  *world
	policy *routing.Policy
}

func (o *oracle) order(c *call, now time.Duration) []int {
	length := int(math.Round(meanOutput))
	start := time.Unix(0, 0)
	f := facts(o.world, now, func(i int, s *routing.State) {
		v := &o.world.vendors[i]
		s.Set(routing.General, routing.Figures{P95Ms: int(math.Round(v.p95(now))), Samples: routing.MinSamples, OutputTokens: length})
		if out := v.out(now); out != nil {
			s.OpenUntil = start.Add(out.to)
		}
	})
	f.At = start.Add(now)
	return decide(o.policy, c, f)
}

func (o *oracle) allow(*call, int) (func(time.Duration, error), bool) {
	return func(time.Duration, error) {}, true
}
