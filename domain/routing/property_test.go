package routing_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/routing"
)

func TestDecideSpeaksOfEveryTargetOnceAndIsPure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r, f := policies.Draw(t, "policy"), requests.Draw(t, "request"), worlds.Draw(t, "facts")
		before := shown(p, f)
		d := routing.Decide(p, r, f)
		if again := routing.Decide(p, r, f); !cmp.Equal(d, again) {
			t.Fatalf("the same input decides differently:\n%s", cmp.Diff(d, again))
		}
		if after := shown(p, f); after != before {
			t.Fatalf("deciding changed its input from\n%s\nto\n%s", before, after)
		}
		if d.Task != r.Task || !cmp.Equal(d.Request, r) || d.PolicyVersion != p.Version() || d.SnapshotID != f.SnapshotID || !d.At.Equal(f.At) || d.ID != "" {
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
			if i == 0 || r.Alias != nil {
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

func TestFiguresAndPricesAreThoseOfTheFacts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r, f := policies.Draw(t, "policy"), requests.Draw(t, "request"), worlds.Draw(t, "facts")
		for _, c := range routing.Decide(p, r, f).Candidates {
			pf := f.Providers[slices.Index(known, c.Provider)]
			m := routing.ModelFacts{Price: pf.Price} // of a model that nobody knows
			for _, each := range pf.Models {
				if each.Model == c.Model {
					m = each
				}
			}
			want := routing.Candidate{P95Ms: 1000, EstInput: r.InputTokens, EstOutput: 256}
			figures := m.Of(r.Task)
			if figures.Samples >= 5 {
				want.P95Ms, want.P95Known = figures.P95Ms, true
			}
			if figures.OutputTokens > 0 {
				want.EstOutput = figures.OutputTokens
			}
			if r.MaxTokens > 0 {
				want.EstOutput = r.MaxTokens
			}
			want.CostCents = m.Price.Cents(want.EstInput, want.EstOutput)
			if diff := cmp.Diff(want, c, cmpopts.IgnoreFields(routing.Candidate{}, "Target", "Rank", "Score", "SLOPenalty")); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", c.Target, diff)
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

func TestForceIsObeyedOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r, f := policies.Draw(t, "policy"), requests.Draw(t, "request"), worlds.Draw(t, "facts")
		forced := p.Forced()
		if forced == "" {
			forced = rapid.SampledFrom(known).Draw(t, "forced")
			if err := p.SetFlag(routing.Flag{Name: routing.ForceFlag(forced), Enabled: true}); err != nil {
				t.Fatal(err)
			}
		}
		d := routing.Decide(p, r, f)
		for _, c := range d.Candidates {
			if c.Provider != forced {
				t.Fatalf("%s is a candidate while %s is forced", c.Target, forced)
			}
		}
		for _, x := range d.Excluded {
			if x.Provider == forced && x.Reason == routing.DisabledByTen {
				t.Fatalf("%s is forced and disabled", x.Target)
			}
		}
	})
}

// ranking gives the targets of a decision's candidates in order.
func ranking(d routing.Decision) []routing.Target {
	var out []routing.Target
	for _, c := range d.Candidates {
		out = append(out, c.Target)
	}
	return out
}

// TestADearerOrSlowerCandidateNeverRises: raising the price or the p95 of one leaves the others in their order, and brings it nowhere but down.
func TestADearerOrSlowerCandidateNeverRises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r, f := policies.Draw(t, "policy"), requests.Draw(t, "request"), worlds.Draw(t, "facts")
		before := ranking(routing.Decide(p, r, f))
		i := rapid.IntRange(0, len(f.Providers)-1).Draw(t, "provider")
		pf := &f.Providers[i]
		m := &pf.Models[rapid.IntRange(0, len(pf.Models)-1).Draw(t, "model")]
		figures := m.Of(r.Task)
		switch rapid.IntRange(0, 2).Draw(t, "worse") {
		case 0:
			m.Price.Input += rapid.Int64Range(1, 1<<48).Draw(t, "dearer to ask")
		case 1:
			m.Price.Output += rapid.Int64Range(1, 1<<48).Draw(t, "dearer to answer")
		default:
			figures.P95Ms += rapid.IntRange(1, 5000).Draw(t, "slower")
			m.Set(r.Task, figures)
		}
		after := ranking(routing.Decide(p, r, f))
		worse := to(pf.Name, m.Model)
		if was, is := slices.Index(before, worse), slices.Index(after, worse); is < was {
			t.Fatalf("%s rose from %d to %d", worse, was, is)
		}
		same := func(t routing.Target) bool { return t == worse }
		if diff := cmp.Diff(slices.DeleteFunc(before, same), slices.DeleteFunc(after, same)); diff != "" {
			t.Fatalf("the others changed places when %s became worse:\n%s", worse, diff)
		}
	})
}

func TestTheOrderOfTheFactsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r, f := policies.Draw(t, "policy"), requests.Draw(t, "request"), worlds.Draw(t, "facts")
		want := routing.Decide(p, r, f)
		f.Providers = rapid.Permutation(f.Providers).Draw(t, "providers")
		for i := range f.Providers {
			f.Providers[i].Models = rapid.Permutation(f.Providers[i].Models).Draw(t, "models")
		}
		got := routing.Decide(p, r, f)
		anyOrder := cmpopts.SortSlices(func(a, b routing.Exclusion) bool { return a.String() < b.String() })
		if diff := cmp.Diff(want, got, anyOrder); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// TestADecisionCanBeMadeAgain from what is kept of it: the policy's snapshot, a snapshot of the facts of another moment that may lack models, and
// what was read beside it.
func TestADecisionCanBeMadeAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r, now := policies.Draw(t, "policy"), requests.Draw(t, "request"), worlds.Draw(t, "facts")
		d := routing.Decide(p, r, now)
		base := routing.Facts{SnapshotID: now.SnapshotID, At: now.At.Add(-1)}
		for _, pf := range now.Providers {
			var kept []routing.ModelFacts
			for _, m := range pf.Models {
				switch rapid.IntRange(0, 2).Draw(t, "kept") {
				case 0:
					continue
				case 1:
					m.State = states.Draw(t, "then")
				}
				kept = append(kept, m)
			}
			pf.Models = kept
			base.Providers = append(base.Providers, pf)
		}
		before := shown(p, base)
		readings := now.Read(d, base)
		again := routing.Decide(routing.RestorePolicy(p.Snapshot(), defaults()), d.Request, base.As(d.At, readings))
		if diff := cmp.Diff(d, again); diff != "" {
			t.Fatalf("made again (-first +second):\n%s", diff)
		}
		if after := shown(p, base); after != before {
			t.Fatalf("the snapshot changed from\n%s\nto\n%s", before, after)
		}
		for _, x := range readings {
			i := slices.Index(known, x.Provider)
			has := slices.ContainsFunc(base.Providers[i].Models, func(m routing.ModelFacts) bool { return m.Model == x.Model.Model })
			if x.Whole == has || has && !cmp.Equal(x.Model, routing.ModelFacts{Model: x.Model.Model, State: x.Model.State}) {
				t.Fatalf("reading %+v, while the snapshot has the model: %t", x, has)
			}
		}
	})
}
