package routing_test

import (
	"fmt"
	"math"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/test/change"
)

// What follows draws policies, worlds and requests, good and bad.
var (
	providers = rapid.SampledFrom(append([]string{"stranger"}, known...))
	models    = rapid.SampledFrom([]string{"a", "b", "c", "default"})
	tasks     = rapid.SampledFrom(routing.TaskTypes())
	numbers   = rapid.SampledFrom([]float64{0, 0.01, 1, 5, -1, math.NaN(), math.Inf(1)})
	targets   = rapid.Custom(func(t *rapid.T) routing.Target {
		return routing.Target{Provider: providers.Draw(t, "provider"), Model: models.Draw(t, "model")}
	})
	allowances = rapid.SliceOfN(rapid.SampledFrom([]string{"a", "openai/b", "default", "claude/default", ""}), 0, 3)
)

// aliases draws an alias of targets that are known.
var aliases = rapid.Custom(func(t *rapid.T) routing.Alias {
	a := routing.Alias{
		Name: rapid.SampledFrom([]string{"fast", "slow", "auto", "claude"}).Draw(t, "name"),
		Mode: rapid.SampledFrom([]routing.AliasMode{routing.Ordered, routing.Weighted}).Draw(t, "mode"),
	}
	for _, to := range rapid.SliceOfNDistinct(targets, 1, 6, rapid.ID).Draw(t, "targets") {
		if to.Provider != "stranger" {
			a.Targets = append(a.Targets, routing.AliasTarget{Target: to, Weight: rapid.SampledFrom([]float64{0, 1, 1, 3}).Draw(t, "weight")})
		}
	}
	return a
})

// alter makes one change, drawn at random, with arguments good and bad.
func alter(t *rapid.T, p *routing.Policy) error {
	switch rapid.IntRange(0, 9).Draw(t, "verb") {
	case 0:
		return change.Weights(p, routing.Weights{Cost: numbers.Draw(t, "cost"), Latency: numbers.Draw(t, "latency"), SLOPenalty: numbers.Draw(t, "penalty")})
	case 1:
		return change.Order(p, rapid.SliceOfN(providers, 0, 5).Draw(t, "order")...)
	case 2:
		return change.Force(p, providers.Draw(t, "force"))
	case 3:
		return change.Release(p, providers.Draw(t, "release"))
	case 4:
		return change.Disable(p, providers.Draw(t, "disable"))
	case 5:
		return change.Enable(p, providers.Draw(t, "enable"))
	case 6:
		task := rapid.SampledFrom(append([]routing.TaskType{"poetry"}, routing.TaskTypes()...)).Draw(t, "task")
		return change.Route(p, task, rapid.SliceOfN(targets, 0, 4).Draw(t, "route")...)
	case 7:
		return change.Allow(p, allowances.Draw(t, "allow")...)
	case 8:
		return change.Limit(p, rapid.IntRange(-1, 12).Draw(t, "attempts"), time.Duration(rapid.IntRange(-1, 4000).Draw(t, "seconds"))*time.Second)
	default:
		a := aliases.Draw(t, "alias")
		if rapid.Bool().Draw(t, "remove") {
			return p.RemoveAlias(a.Name)
		}
		return p.SetAlias(a)
	}
}

var policies = rapid.Custom(func(t *rapid.T) *routing.Policy {
	p := policy()
	for range rapid.IntRange(0, 12).Draw(t, "changes") {
		_ = alter(t, p)
	}
	return p
})

var worlds = rapid.Custom(func(t *rapid.T) routing.Facts {
	f := routing.Facts{SnapshotID: "s", At: noon}
	for _, name := range known {
		pf := routing.ProviderFacts{
			Name: name, Configured: rapid.IntRange(0, 4).Draw(t, "configured") > 0, DefaultModel: "default", Price: prices.Draw(t, "assumed"),
		}
		for _, m := range append([]string{"default"}, rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b"}), 0, 2, rapid.ID).Draw(t, "models")...) {
			pf.Models = append(pf.Models, modelFacts(t, m))
		}
		f.Providers = append(f.Providers, pf)
	}
	return f
})

var prices = rapid.Custom(func(t *rapid.T) routing.Price {
	return routing.FlatCents(rapid.SampledFrom([]float64{0, 8, 8, 9, 16}).Draw(t, "cents"))
})

func modelFacts(t *rapid.T, name string) routing.ModelFacts {
	return routing.ModelFacts{
		Model: name, Known: rapid.Bool().Draw(t, "known"), Tasks: rapid.SliceOfN(tasks, 0, 4).Draw(t, "tasks"),
		Embeds: rapid.IntRange(0, 5).Draw(t, "embeds") == 0, Vision: rapid.Bool().Draw(t, "vision"), Tools: rapid.Bool().Draw(t, "tools"), Schema: rapid.Bool().Draw(t, "schema"),
		Context: rapid.SampledFrom([]int{0, 1000, 100_000}).Draw(t, "context"), Price: prices.Draw(t, "price"), State: states.Draw(t, "state"),
	}
}

var states = rapid.Custom(func(t *rapid.T) routing.State {
	moments := rapid.SampledFrom([]time.Time{{}, {}, {}, noon.Add(-time.Second), noon, noon.Add(time.Minute)})
	s := routing.State{OpenUntil: moments.Draw(t, "open"), RestUntil: moments.Draw(t, "rest"), Refused: rapid.Bool().Draw(t, "refused")}
	s.Set(tasks.Draw(t, "measured"), routing.Figures{
		P95Ms: rapid.IntRange(0, 3000).Draw(t, "p95"), Samples: rapid.IntRange(0, 10).Draw(t, "samples"), OutputTokens: rapid.IntRange(0, 500).Draw(t, "length"),
	})
	return s
})

var requests = rapid.Custom(func(t *rapid.T) routing.Request {
	r := routing.Request{
		Task: tasks.Draw(t, "task"), SLOMs: rapid.SampledFrom([]int{0, 500, 2000}).Draw(t, "slo"),
		InputTokens: rapid.IntRange(0, 2000).Draw(t, "input"), MaxTokens: rapid.SampledFrom([]int{0, 100, 2000}).Draw(t, "max"),
		Embedding: rapid.IntRange(0, 5).Draw(t, "embedding") == 0, Vision: rapid.IntRange(0, 3).Draw(t, "vision") == 0, Tools: rapid.IntRange(0, 3).Draw(t, "tools") == 0, Schema: rapid.IntRange(0, 3).Draw(t, "schema") == 0,
	}
	switch rapid.IntRange(0, 3).Draw(t, "pinned") {
	case 0:
		r.Pin = &routing.Target{Provider: rapid.SampledFrom(known).Draw(t, "pin"), Model: models.Draw(t, "model")}
	case 1:
		a := aliases.Draw(t, "alias")
		r.Alias, r.Draw = &a, rapid.Uint64().Draw(t, "draw")
	}
	return r
})

// shown prints a policy's snapshot and facts whole, to tell whether they changed.
func shown(p *routing.Policy, f routing.Facts) string { return fmt.Sprintf("%+v %+v", p.Snapshot(), f) }

// about are the targets that a decision must speak of: the pin, else the alias's, else the routes of the task; where a provider has none its
// default model.
func about(p *routing.Policy, r routing.Request, f routing.Facts) []routing.Target {
	asked := slices.Clone(p.Routes(r.Task))
	if r.Alias != nil {
		asked = nil
		for _, t := range r.Alias.Targets {
			asked = append(asked, t.Target)
		}
	}
	if r.Pin != nil {
		asked = []routing.Target{*r.Pin}
	}
	var all []routing.Target
	for _, pf := range f.Providers {
		mine := slices.DeleteFunc(slices.Clone(asked), func(t routing.Target) bool { return t.Provider != pf.Name })
		if len(mine) == 0 {
			mine = []routing.Target{to(pf.Name, pf.DefaultModel)}
		}
		all = append(all, mine...)
	}
	return all
}

// against lists every reason against a target, in the order of the contract. It is the contract told a second time, in another way.
func against(p *routing.Policy, r routing.Request, f routing.Facts, t routing.Target) []routing.Reason {
	pf := f.Providers[slices.IndexFunc(f.Providers, func(pf routing.ProviderFacts) bool { return pf.Name == t.Provider })]
	m := routing.ModelFacts{}
	if i := slices.IndexFunc(pf.Models, func(m routing.ModelFacts) bool { return m.Model == t.Model }); i >= 0 {
		m = pf.Models[i]
	}
	s := p.Snapshot()
	on := func(name string) bool {
		return slices.ContainsFunc(s.Flags, func(f routing.Flag) bool { return f.Name == name && f.Enabled })
	}
	forced := slices.IndexFunc(known, func(name string) bool { return on("router.force_provider_" + name) })
	routes := s.Routes[r.Task]
	routed := r.Pin == nil && r.Alias == nil
	servesTask := slices.Contains(routes, t)
	if len(routes) == 0 {
		servesTask = len(m.Tasks) == 0 || slices.Contains(m.Tasks, r.Task)
	}
	aliased := r.Alias != nil && slices.ContainsFunc(r.Alias.Targets, func(x routing.AliasTarget) bool { return x.Target == t })
	allowed := len(s.AllowedModels) == 0 || slices.Contains(s.AllowedModels, t.Model) || slices.Contains(s.AllowedModels, t.Provider+"/"+t.Model)
	lacking := m.Known && (r.Embedding != m.Embeds || r.Vision && !m.Vision || r.Tools && !m.Tools || r.Schema && !m.Schema)
	var reasons []routing.Reason
	for _, rule := range []struct {
		broken bool
		reason routing.Reason
	}{
		{!pf.Configured, routing.NotConfigured},
		{r.Pin != nil && *r.Pin != t || r.Alias != nil && !aliased, routing.NotPinned},
		{routed && !servesTask, routing.WrongTask},
		{!allowed, routing.ByPolicy},
		{forced >= 0 && known[forced] != t.Provider, routing.NotForced},
		{forced < 0 && on("router.disable_provider_"+t.Provider), routing.DisabledByTen},
		{lacking, routing.NoCapability},
		{m.Known && m.Context > 0 && r.InputTokens+r.MaxTokens > m.Context, routing.WindowTooFew},
		{m.OpenUntil.After(f.At), routing.BreakerOpen},
		{m.RestUntil.After(f.At), routing.RateLimited},
	} {
		if rule.broken {
			reasons = append(reasons, rule.reason)
		}
	}
	return reasons
}
