package gateway_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/application/decisions"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/change"
)

var targets = []routing.Target{
	{Provider: "openrouter", Model: "openai/gpt-4o-mini"},
	{Provider: "openai", Model: "gpt-4o-mini"},
	{Provider: "openai", Model: "gpt-4o"},
	{Provider: "claude", Model: "claude-haiku-4-5"},
	{Provider: "gemini", Model: "gemini-2.5-flash"},
	{Provider: "openai", Model: "my-own-tune"},
}

var classes = []chat.Class{
	"", "", chat.ClassServer, chat.ClassRateLimited, chat.ClassAuth, chat.ClassQuota, chat.ClassNoModel, chat.ClassOverloaded, chat.ClassInvalid,
}

// disturb changes one thing in the world: the policy, a breaker, a rest, a latency, the time.
func disturb(t *rapid.T, w *world) {
	target := rapid.SampledFrom(targets).Draw(t, "target")
	circuit := outbound.Circuit{Provider: target.Provider, Model: target.Model, Credential: target.Provider + "-1"}
	switch rapid.IntRange(0, 9).Draw(t, "what") {
	case 0:
		w.change(func(p *routing.Policy) error { _ = change.Force(p, target.Provider); return nil })
	case 1:
		w.change(func(p *routing.Policy) error { _ = change.Release(p, target.Provider); return nil })
	case 2:
		w.change(func(p *routing.Policy) error { return change.Disable(p, target.Provider) })
	case 3:
		w.change(func(p *routing.Policy) error { return change.Enable(p, target.Provider) })
	case 4:
		list := rapid.SliceOfNDistinct(rapid.SampledFrom(targets), 0, 3, rapid.ID).Draw(t, "route")
		w.change(func(p *routing.Policy) error { return change.Route(p, routing.General, list...) })
	case 5:
		a := routing.Alias{Name: "fast", Mode: rapid.SampledFrom([]routing.AliasMode{routing.Ordered, routing.Weighted}).Draw(t, "mode")}
		for _, to := range rapid.SliceOfNDistinct(rapid.SampledFrom(targets), 1, 4, rapid.ID).Draw(t, "targets") {
			a.Targets = append(a.Targets, routing.AliasTarget{Target: to, Weight: 1 + rapid.Float64Range(0, 5).Draw(t, "weight")})
		}
		w.change(func(p *routing.Policy) error { return p.SetAlias(a) })
	case 6:
		w.circuits.Rest(circuit, now().Add(time.Duration(rapid.IntRange(1, 3000).Draw(t, "ms"))*time.Millisecond))
	case 7:
		circuit.Model = ""
		w.circuits.Rest(circuit, now().Add(time.Duration(rapid.IntRange(1, 3000).Draw(t, "ms"))*time.Millisecond))
	case 8:
		for range 5 {
			w.latencies.Observe(routing.General, target, time.Duration(rapid.IntRange(1, 9000).Draw(t, "took"))*time.Millisecond, 40)
		}
		w.latencies.changed()
	case 9:
		time.Sleep(time.Duration(rapid.IntRange(1, 2500).Draw(t, "ms")) * time.Millisecond)
	}
}

// drawn is any call: routed, pinned or by alias, with any needs.
func drawn(t *rapid.T) inbound.Call {
	c := request(rapid.SampledFrom([]string{"", "auto:review", "fast", "gpt-4o", "openai/my-own-tune", "claude/claude-haiku-4-5", "openai/nobody-knows"}).Draw(t, "model"))
	c.SLOMs = rapid.SampledFrom([]int{0, 500, 2000}).Draw(t, "slo")
	c.TextBytes = rapid.SampledFrom([]int{10, 4000, 2_000_000}).Draw(t, "bytes")
	c.MaxTokens = rapid.SampledFrom([]int{0, 100}).Draw(t, "max")
	c.Vision = rapid.Bool().Draw(t, "vision")
	return c
}

// bubble keeps rapid from asking for a deadline, which there is none of in a bubble of time.
type bubble struct{ *testing.T }

// everywhere runs a property over worlds that are disturbed now and then. Vendors fail as they like.
func everywhere(t *testing.T, property func(t *rapid.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(outer *testing.T) {
		rapid.Check(bubble{outer}, func(t *rapid.T) {
			w := newWorld(outer, options{room: 1 << 30})
			for range rapid.IntRange(1, 12).Draw(t, "steps") {
				for range rapid.IntRange(0, 3).Draw(t, "changes") {
					disturb(t, w)
				}
				for _, name := range names {
					w.plays(name)
					for range 4 {
						if class := rapid.SampledFrom(classes).Draw(t, "class"); class != "" {
							w.vendors[name].script = append(w.vendors[name].script, failed(class))
						} else {
							w.vendors[name].script = append(w.vendors[name].script, reply{})
						}
					}
				}
				property(t, w)
			}
		})
	})
}

// differ says how two decisions differ, but for the fields named.
func differ(a, b routing.Decision, but ...string) string {
	return cmp.Diff(a, b, cmpopts.IgnoreFields(routing.Decision{}, but...), cmpopts.EquateEmpty())
}

func TestExplainIsWhatExecuteThenDoes(t *testing.T) {
	everywhere(t, func(t *rapid.T, w *world) {
		call := drawn(t)
		told, err := w.Explain(w.t.Context(), call)
		if err != nil {
			return // no such model
		}
		before := len(w.book.rows)
		a, _ := w.Execute(w.t.Context(), call)
		// A model that was asked for the first time stands in the next snapshot.
		if diff := differ(told, a.Receipt.Decision, "ID", "SnapshotID"); diff != "" {
			t.Fatalf("decided otherwise than explained (-explained +decided):\n%s", diff)
		}
		row := w.book.rows[before]
		chosen, ok := told.Chosen()
		if ok != (len(row.Attempts) > 0) {
			t.Fatalf("%d attempts although explained: chosen %t", len(row.Attempts), ok)
		}
		if ok && (row.Attempts[0].Provider != chosen.Provider || row.Attempts[0].Model != chosen.Model) {
			t.Fatalf("first asked %+v, explained %+v", row.Attempts[0], chosen.Target)
		}
	})
}

func TestAnyDecisionCanBeMadeAgain(t *testing.T) {
	everywhere(t, func(t *rapid.T, w *world) {
		before := len(w.book.rows)
		a, err := w.Execute(w.t.Context(), drawn(t))
		if len(w.book.rows) == before {
			if err == nil {
				t.Fatal("a call left no row")
			}
			return // no such model
		}
		kept := w.book.rows[before].Decision
		facts, err := decisions.DecodeFacts(w.book.sheets[kept.SnapshotID].Body)
		if err != nil {
			t.Fatal(err)
		}
		policy, err := decisions.DecodePolicy(w.book.sheets[kept.PolicyID].Body)
		if err != nil {
			t.Fatal(err)
		}
		asked, readings, err := decisions.DecodeInputs(kept.Inputs)
		if err != nil {
			t.Fatal(err)
		}
		again := routing.Decide(policy, asked, facts.As(kept.CreatedAt, readings))
		if diff := differ(a.Receipt.Decision, again, "ID"); diff != "" {
			t.Fatalf("made again it is another (-then +now):\n%s", diff)
		}
	})
}

func TestNobodyIsAskedWhoMustNotBe(t *testing.T) {
	everywhere(t, func(t *rapid.T, w *world) {
		p := routing.RestorePolicy(w.shelf.policy, routing.Defaults{Order: names})
		shut := map[routing.Target]bool{}
		for _, target := range targets {
			v := w.circuits.View(outbound.Circuit{Provider: target.Provider, Model: target.Model, Credential: target.Provider + "-1"})
			all := w.circuits.View(outbound.Circuit{Provider: target.Provider, Credential: target.Provider + "-1"})
			shut[target] = v.State == outbound.Open || v.RestUntil.After(now()) || all.RestUntil.After(now())
		}
		before, began := len(w.book.rows), now()
		_, err := w.Execute(w.t.Context(), drawn(t))
		if len(w.book.rows) == before {
			return
		}
		row := w.book.rows[before]
		for _, a := range row.Attempts {
			at := routing.Target{Provider: a.Provider, Model: a.Model}
			if p.Disabled(a.Provider) || p.Forced() != "" && p.Forced() != a.Provider || shut[at] && a.StartedAt.Equal(began) {
				t.Fatalf("asked %s although disabled %t, forced %q, shut %t", at, p.Disabled(a.Provider), p.Forced(), shut[at])
			}
		}
		if len(row.Attempts) > p.MaxAttempts() {
			t.Fatalf("%d attempts, want at most %d", len(row.Attempts), p.MaxAttempts())
		}
		if p.Forced() != "" && err == nil && row.Provider != p.Forced() {
			t.Fatalf("answered by %s although %s is forced", row.Provider, p.Forced())
		}
	})
}

func TestWhatACallCostIsTheSumOfItsAttempts(t *testing.T) {
	everywhere(t, func(t *rapid.T, w *world) {
		before := len(w.book.rows)
		how := rapid.SampledFrom([]string{"whole", "stream"}).Draw(t, "how")
		reported := piece{chunk: chat.Chunk{Usage: &chat.Usage{Input: 30, CacheRead: 10}}}
		for _, name := range names {
			script := rapid.SampledFrom([]reply{
				pieces(reported, breaks(chat.ClassServer)), pieces(text("x"), breaks(chat.ClassCutOff)), {usage: &chat.Usage{Input: 7, Output: 9}}, {silent: true},
			})
			if how == "stream" {
				w.plays(name, script.Draw(t, "stream"))
			}
		}
		got := ways(w)[how](w.t.Context(), drawn(t))
		if len(w.book.rows) == before {
			return
		}
		row := w.book.rows[before]
		var cost int64
		var in, out, cached int
		priced := true
		for _, a := range row.Attempts {
			in, out, cached = in+a.InputTokens, out+a.OutputTokens, cached+a.CachedTokens
			priced = priced && (a.CostNanos != nil || a.UsageSource == "")
			if a.CostNanos != nil {
				cost += *a.CostNanos
			}
		}
		used := slices.ContainsFunc(row.Attempts, func(a outbound.CallAttempt) bool { return a.UsageSource != "" })
		if row.InputTokens != in || row.OutputTokens != out || row.CachedTokens != cached || got.receipt.Usage.Input != in {
			t.Fatalf("row of %d, %d, %d tokens, attempts of %d, %d, %d", row.InputTokens, row.OutputTokens, row.CachedTokens, in, out, cached)
		}
		switch {
		case used && priced && (row.CostNanos == nil || *row.CostNanos != cost):
			t.Fatalf("row costs %v, attempts %d", row.CostNanos, cost)
		case (!used || !priced) && row.CostNanos != nil:
			t.Fatalf("row costs %d though an attempt has no price, or none used anything", *row.CostNanos)
		}
	})
}
