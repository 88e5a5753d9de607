package routing_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/routing"
)

var (
	providers = rapid.SampledFrom(append([]string{"stranger"}, known...))
	models    = rapid.SampledFrom([]string{"a", "b", "c", "default"})
	tasks     = rapid.SampledFrom(routing.TaskTypes())
	targets   = rapid.Custom(func(t *rapid.T) routing.Target {
		return routing.Target{Provider: providers.Draw(t, "provider"), Model: models.Draw(t, "model")}
	})
)

// change applies one verb, drawn at random, with arguments good and bad.
func change(t *rapid.T, p *routing.Policy) error {
	switch rapid.IntRange(0, 8).Draw(t, "verb") {
	case 0:
		number := rapid.SampledFrom([]float64{0, 0.01, 1, 5, -1, math.NaN(), math.Inf(1)})
		return p.SetWeights(routing.Weights{Cost: number.Draw(t, "cost"), Latency: number.Draw(t, "latency"), SLOPenalty: number.Draw(t, "penalty")})
	case 1:
		return p.SetFallbackOrder(rapid.SliceOfN(providers, 0, 5).Draw(t, "order"))
	case 2:
		return p.Force(providers.Draw(t, "force"))
	case 3:
		p.Release(providers.Draw(t, "release"))
	case 4:
		return p.Disable(providers.Draw(t, "disable"))
	case 5:
		p.Enable(providers.Draw(t, "enable"))
	case 6:
		task := rapid.SampledFrom(append([]routing.TaskType{"poetry"}, routing.TaskTypes()...)).Draw(t, "task")
		return p.Route(task, rapid.SliceOfN(targets, 0, 4).Draw(t, "route"))
	case 7:
		p.Allow(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "openai/b", "default", "claude/default"}), 0, 3).Draw(t, "allow"))
	case 8:
		return p.Limit(rapid.IntRange(-1, 12).Draw(t, "attempts"), time.Duration(rapid.IntRange(-1, 4000).Draw(t, "seconds"))*time.Second)
	}
	return nil
}

var policies = rapid.Custom(func(t *rapid.T) *routing.Policy {
	p := policy()
	for range rapid.IntRange(0, 12).Draw(t, "verbs") {
		_ = change(t, p)
	}
	return p
})

var worlds = rapid.Custom(func(t *rapid.T) routing.Facts {
	f := routing.Facts{SnapshotID: "s", At: noon}
	for _, name := range known {
		pf := routing.ProviderFacts{Name: name, Configured: rapid.IntRange(0, 4).Draw(t, "configured") > 0, DefaultModel: "default"}
		for _, m := range append([]string{"default"}, rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b"}), 0, 2, rapid.ID).Draw(t, "models")...) {
			pf.Models = append(pf.Models, modelFacts(t, m))
		}
		f.Providers = append(f.Providers, pf)
	}
	return f
})

func modelFacts(t *rapid.T, name string) routing.ModelFacts {
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return rapid.SampledFrom([]time.Time{{}, {}, {}, noon.Add(-time.Second), noon, noon.Add(time.Minute)}).Draw(t, "moment")
	})
	return routing.ModelFacts{
		Model: name, Known: rapid.Bool().Draw(t, "known"), Tasks: rapid.SliceOfN(tasks, 0, 4).Draw(t, "tasks"),
		Vision: rapid.Bool().Draw(t, "vision"), Tools: rapid.Bool().Draw(t, "tools"), Schema: rapid.Bool().Draw(t, "schema"),
		Context: rapid.SampledFrom([]int{0, 1000, 100_000}).Draw(t, "context"),
		Price:   routing.FlatCents(rapid.SampledFrom([]float64{0, 8, 8, 9, 16}).Draw(t, "cents")),
		P95Ms: map[routing.TaskType]routing.Latency{
			routing.General: {P95Ms: rapid.IntRange(0, 3000).Draw(t, "p95"), Samples: rapid.IntRange(0, 10).Draw(t, "samples")},
		},
		OutputTokens: map[routing.TaskType]int{routing.General: rapid.IntRange(0, 500).Draw(t, "length")},
		OpenUntil:    moment.Draw(t, "open"), RestUntil: moment.Draw(t, "rest"),
	}
}

var requests = rapid.Custom(func(t *rapid.T) routing.Request {
	r := routing.Request{
		Task: tasks.Draw(t, "task"), SLOMs: rapid.SampledFrom([]int{0, 500, 2000}).Draw(t, "slo"),
		InputTokens: rapid.IntRange(0, 2000).Draw(t, "input"), MaxTokens: rapid.SampledFrom([]int{0, 100, 2000}).Draw(t, "max"),
		Vision: rapid.Bool().Draw(t, "vision"), Tools: rapid.Bool().Draw(t, "tools"), Schema: rapid.Bool().Draw(t, "schema"),
	}
	if rapid.Bool().Draw(t, "pinned") {
		r.Pin = &routing.Target{Provider: rapid.SampledFrom(known).Draw(t, "pin"), Model: models.Draw(t, "model")}
	}
	return r
})

// about are the targets that a decision must speak of: the pin, else the routes of the task, else the default models.
func about(p *routing.Policy, r routing.Request, f routing.Facts) []routing.Target {
	var all []routing.Target
	for _, pf := range f.Providers {
		mine := slices.DeleteFunc(slices.Clone(p.Routes(r.Task)), func(t routing.Target) bool { return t.Provider != pf.Name })
		switch {
		case r.Pin != nil && r.Pin.Provider == pf.Name:
			all = append(all, *r.Pin)
		case r.Pin == nil && len(mine) > 0:
			all = append(all, mine...)
		default:
			all = append(all, routing.Target{Provider: pf.Name, Model: pf.DefaultModel})
		}
	}
	return all
}

func TestDecideSpeaksOfEveryTargetOnceAndIsPure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r, f := policies.Draw(t, "policy"), requests.Draw(t, "request"), worlds.Draw(t, "facts")
		before := fmt.Sprintf("%+v %+v", p.Snapshot(), f)
		d := routing.Decide(p, r, f)
		if again := routing.Decide(p, r, f); !cmp.Equal(d, again) {
			t.Fatalf("the same input decides differently:\n%s", cmp.Diff(d, again))
		}
		if after := fmt.Sprintf("%+v %+v", p.Snapshot(), f); after != before {
			t.Fatalf("deciding changed its input from\n%s\nto\n%s", before, after)
		}
		if d.Task != r.Task || d.PolicyVersion != p.Version() || d.SnapshotID != f.SnapshotID || !d.At.Equal(f.At) {
			t.Fatalf("decision %+v does not say what it was made from", d)
		}
		seen := map[routing.Target]int{}
		for _, c := range d.Candidates {
			seen[c.Target]++
		}
		for _, x := range d.Excluded {
			seen[x.Target]++
		}
		want := map[routing.Target]int{}
		for _, target := range about(p, r, f) {
			want[target] = 1
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Fatalf("targets (-want +got):\n%s", diff)
		}
	})
}

func TestRanksFollowTheScores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r, f := policies.Draw(t, "policy"), requests.Draw(t, "request"), worlds.Draw(t, "facts")
		place := p.FallbackOrder()
		cs := routing.Decide(p, r, f).Candidates
		for i, c := range cs {
			if c.Rank != i+1 {
				t.Fatalf("candidate %d has rank %d", i, c.Rank)
			}
			w := p.Weights()
			penalty := 0.0
			if r.SLOMs > 0 {
				penalty = w.SLOPenalty * max(0, float64(c.P95Ms-r.SLOMs))
			}
			if want := w.Cost*c.CostCents + w.Latency*float64(c.P95Ms) + penalty; math.Abs(c.Score-want) > 1e-9 || c.SLOPenalty != penalty {
				t.Fatalf("candidate %+v, want score %v of which penalty %v", c, want, penalty)
			}
			if i == 0 {
				continue
			}
			last := cs[i-1]
			byOrder := slices.Index(place, last.Provider) - slices.Index(place, c.Provider)
			if last.Score > c.Score || last.Score == c.Score && (byOrder > 0 || byOrder == 0 && last.Model >= c.Model) {
				t.Fatalf("%+v stands before %+v", last, c)
			}
		}
	})
}

func TestTheRulesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r, f := policies.Draw(t, "policy"), requests.Draw(t, "request"), worlds.Draw(t, "facts")
		d := routing.Decide(p, r, f)
		for _, c := range d.Candidates {
			if reasons := against(p, r, f, c.Target); len(reasons) > 0 {
				t.Fatalf("%s is a candidate although %v", c.Target, reasons)
			}
		}
		for _, x := range d.Excluded {
			reasons := against(p, r, f, x.Target)
			if len(reasons) == 0 || reasons[0] != x.Reason {
				t.Fatalf("%s is excluded by %s, want the first of %v", x.Target, x.Reason, reasons)
			}
			if timed := x.Reason == routing.BreakerOpen || x.Reason == routing.RateLimited; timed == x.Until.IsZero() {
				t.Fatalf("exclusion %+v: until when?", x)
			}
		}
	})
}

// against lists every reason against a target, in the order of the contract. It is the contract told a second time, in another way.
func against(p *routing.Policy, r routing.Request, f routing.Facts, t routing.Target) []routing.Reason {
	var pf routing.ProviderFacts
	for _, each := range f.Providers {
		if each.Name == t.Provider {
			pf = each
		}
	}
	m := routing.ModelFacts{}
	for _, each := range pf.Models {
		if each.Model == t.Model {
			m = each
		}
	}
	s := p.Snapshot()
	routes := s.Routes[r.Task]
	servesTask := slices.Contains(routes, t)
	if len(routes) == 0 {
		servesTask = len(m.Tasks) == 0 || slices.Contains(m.Tasks, r.Task)
	}
	allowed := len(s.AllowedModels) == 0 || slices.Contains(s.AllowedModels, t.Model) || slices.Contains(s.AllowedModels, t.Provider+"/"+t.Model)
	lacking := m.Known && (r.Vision && !m.Vision || r.Tools && !m.Tools || r.Schema && !m.Schema)
	var reasons []routing.Reason
	for _, rule := range []struct {
		broken bool
		reason routing.Reason
	}{
		{!pf.Configured, routing.NotConfigured},
		{r.Pin != nil && *r.Pin != t, routing.NotPinned},
		{r.Pin == nil && !servesTask, routing.WrongTask},
		{!allowed, routing.ByPolicy},
		{s.Forced != "" && s.Forced != t.Provider, routing.NotForced},
		{s.Forced != t.Provider && slices.Contains(s.Disabled, t.Provider), routing.DisabledByTen},
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

func TestAPolicyIsValidAfterAnySequenceOfVerbs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policy()
		for range rapid.IntRange(1, 25).Draw(t, "verbs") {
			before := p.Snapshot()
			err := change(t, p)
			after, events := p.Snapshot(), p.Events()
			if grown := after.Version - before.Version; grown != int64(len(events)) || grown < 0 || grown > 1 {
				t.Fatalf("version %d to %d with events %v", before.Version, after.Version, events)
			}
			if err != nil && !cmp.Equal(before, after) {
				t.Fatalf("a verb that failed with %v changed the policy:\n%s", err, cmp.Diff(before, after))
			}
			valid(t, p)
		}
	})
}

func valid(t *rapid.T, p *routing.Policy) {
	s := p.Snapshot()
	w := s.Weights
	for _, x := range []float64{w.Cost, w.Latency, w.SLOPenalty} {
		if math.IsNaN(x) || math.IsInf(x, 0) || x < 0 {
			t.Fatalf("weights %+v", w)
		}
	}
	if sorted := slices.Sorted(slices.Values(s.FallbackOrder)); !cmp.Equal(sorted, slices.Sorted(slices.Values(known))) {
		t.Fatalf("fallback order %v is no permutation of %v", s.FallbackOrder, known)
	}
	if s.Forced != "" && !slices.Contains(known, s.Forced) || p.Forced() != s.Forced {
		t.Fatalf("forced %q", s.Forced)
	}
	for _, name := range s.Disabled {
		if !slices.Contains(known, name) || p.Disabled(name) == (name == s.Forced) {
			t.Fatalf("disabled %q while forced is %q: %t", name, s.Forced, p.Disabled(name))
		}
	}
	for task, route := range s.Routes {
		seen := map[routing.Target]bool{}
		for _, target := range route {
			if target.Model == "" || !slices.Contains(known, target.Provider) || seen[target] {
				t.Fatalf("route of %s: %v", task, route)
			}
			seen[target] = true
		}
		if len(route) == 0 || !slices.Contains(routing.TaskTypes(), task) {
			t.Fatalf("route of %q: %v", task, route)
		}
	}
	if s.MaxAttempts < 1 || s.MaxAttempts > routing.MaxMaxAttempts || s.Deadline < 0 || s.Deadline > routing.MaxDeadline {
		t.Fatalf("limits %d, %v", s.MaxAttempts, s.Deadline)
	}
}

func TestAPolicyComesBackAsItWasKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kept := policies.Draw(t, "policy").Snapshot()
		back := routing.RestorePolicy(kept, known)
		if diff := cmp.Diff(kept, back.Snapshot(), cmp.Comparer(func(a, b []string) bool { return slices.Equal(a, b) })); diff != "" {
			t.Fatalf("(-kept +restored):\n%s", diff)
		}
		if events := back.Events(); len(events) > 0 {
			t.Fatalf("restoring recorded %v", events)
		}
	})
}

func TestAnyKeptPolicyIsValidOnceRestored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.SampledFrom([]float64{0, 1, -1, math.NaN(), math.Inf(1)})
		s := routing.PolicySnapshot{
			Tenant: "t1", Version: rapid.Int64Range(-1, 5).Draw(t, "version"),
			Weights:       routing.Weights{Cost: number.Draw(t, "cost"), Latency: 1, SLOPenalty: number.Draw(t, "penalty")},
			FallbackOrder: rapid.SliceOfN(providers, 0, 6).Draw(t, "order"),
			Routes: map[routing.TaskType][]routing.Target{
				"poetry": {{Provider: "openai", Model: "a"}}, routing.Review: append(rapid.SliceOfN(targets, 0, 5).Draw(t, "route"), routing.Target{Provider: "openai"}),
			},
			Forced: providers.Draw(t, "forced"), Disabled: rapid.SliceOfN(providers, 0, 3).Draw(t, "disabled"),
			MaxAttempts: rapid.IntRange(-1, 12).Draw(t, "attempts"), Deadline: time.Duration(rapid.IntRange(-1, 4000).Draw(t, "seconds")) * time.Second,
		}
		p := routing.RestorePolicy(s, known)
		valid(t, p)
		if p.Version() < 1 {
			t.Fatalf("version %d", p.Version())
		}
	})
}
