package routing_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/test/change"
)

// forty gives 40 candidates, models at each of some providers, the models routed to when there are several.
func forty(tb testing.TB, providers int, out func(i int, m *routing.ModelFacts)) (*routing.Policy, routing.Facts) {
	tb.Helper()
	f := routing.Facts{SnapshotID: "s1", At: noon}
	var names []string
	var routes []routing.Target
	for i := range 40 {
		if i < providers {
			name := fmt.Sprintf("provider-%02d", i)
			names = append(names, name)
			f.Providers = append(f.Providers, routing.ProviderFacts{Name: name, Configured: true})
		}
		pf := &f.Providers[i%providers]
		m := routing.ModelFacts{
			Model: fmt.Sprintf("some-model-%02d", i), Known: true, Tools: true, Context: 100_000, Tasks: routing.TaskTypes(),
			Price: routing.FlatCents(1 + float64(i*7%13)),
		}
		m.Set(routing.Review, routing.Figures{P95Ms: 500 + i*31%11*100, Samples: 50, OutputTokens: 300})
		out(i, &m)
		pf.Models = append(pf.Models, m)
		pf.DefaultModel = pf.Models[0].Model
		routes = append(routes, routing.Target{Provider: pf.Name, Model: m.Model})
	}
	p := routing.NewPolicy("t1", routing.Defaults{Order: names})
	if providers < 40 {
		if err := change.Route(p, routing.Review, routes...); err != nil {
			tb.Fatal(err)
		}
	}
	return p, f
}

// shapes are the worlds of 40 targets: all candidates, and one half in which a breaker is open.
var shapes = map[string]struct {
	providers int
	out       func(int, *routing.ModelFacts)
	slices    float64 // that a decision returns
	excluded  int
}{
	"40 providers":                           {40, func(int, *routing.ModelFacts) {}, 1, 0},
	"4 providers of 10 models":               {4, func(int, *routing.ModelFacts) {}, 1, 0},
	"40 providers, half of them out":         {40, everyOtherOpen, 2, 20},
	"4 providers of 10 models, half are out": {4, everyOtherOpen, 2, 20},
	"40 providers, all of them out":          {40, open, 2, 40},
	"4 providers of 10 models, all are out":  {4, open, 2, 40},
}

func everyOtherOpen(i int, m *routing.ModelFacts) {
	if i/2%2 == 0 {
		open(i, m)
	}
}

func open(_ int, m *routing.ModelFacts) { m.OpenUntil = later }

func fortyRequest() routing.Request {
	return routing.Request{Task: routing.Review, SLOMs: 1000, InputTokens: 1000, Tools: true}
}

func TestADecisionAllocatesNothingButWhatItReturns(t *testing.T) {
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			p, f := forty(t, shape.providers, shape.out)
			r := fortyRequest()
			if d := routing.Decide(p, r, f); len(d.Candidates) != 40-shape.excluded || len(d.Excluded) != shape.excluded {
				t.Fatalf("%d candidates and %d exclusions of 40 targets", len(d.Candidates), len(d.Excluded))
			}
			if got := testing.AllocsPerRun(100, func() { routing.Decide(p, r, f) }); got != shape.slices {
				t.Errorf("%v allocations, want one for each of %v slices", got, shape.slices)
			}
		})
	}
}

// TestManyCandidates are ranked as few are.
func TestManyCandidates(t *testing.T) {
	f := routing.Facts{At: noon}
	d := routing.Defaults{}
	for i := range 200 {
		name := fmt.Sprintf("p%03d", i)
		d.Order = append(d.Order, name)
		f.Providers = append(f.Providers, routing.ProviderFacts{Name: name, Configured: true, DefaultModel: "m", Price: routing.FlatCents(float64(i * 77 % 200))})
	}
	got := routing.Decide(routing.NewPolicy("t1", d), routing.Request{Task: routing.General, InputTokens: 1000}, f).Candidates
	if len(got) != 200 {
		t.Errorf("%d candidates, want 200", len(got))
	}
	for i, c := range got {
		if at := slices.Index(d.Order, c.Provider); c.Rank != i+1 || at*77%200 != i {
			t.Errorf("%s has rank %d and stands at %d", c.Provider, c.Rank, i)
		}
	}
}

func BenchmarkDecide40(b *testing.B) {
	for name, shape := range shapes {
		b.Run(name, func(b *testing.B) {
			p, f := forty(b, shape.providers, shape.out)
			r := fortyRequest()
			b.ReportAllocs()
			for b.Loop() {
				routing.Decide(p, r, f)
			}
		})
	}
}

func BenchmarkDecideAlias(b *testing.B) {
	p, f := forty(b, 4, func(int, *routing.ModelFacts) {})
	a := routing.Alias{Name: "fast", Mode: routing.Weighted}
	for i, t := range p.Routes(routing.Review)[:routing.MaxAliasTargets] {
		a.Targets = append(a.Targets, routing.AliasTarget{Target: t, Weight: float64(i)})
	}
	r := fortyRequest()
	r.Alias = &a
	b.ReportAllocs()
	for b.Loop() {
		r.Draw++
		routing.Decide(p, r, f)
	}
}
