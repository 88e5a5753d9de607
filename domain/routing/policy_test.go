package routing_test

import (
	"errors"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
)

func TestTheDefaultPolicy(t *testing.T) {
	p := policy()
	want := routing.PolicySnapshot{
		Tenant: "t1", Version: 1, Weights: routing.Weights{Cost: 1, Latency: 0.01, SLOPenalty: 0.5},
		FallbackOrder: known, Routes: map[routing.TaskType][]routing.Target{}, MaxAttempts: 3,
	}
	if diff := cmp.Diff(want, p.Snapshot()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p.Tenant() != "t1" || p.Deadline() != 0 || p.MaxAttempts() != 3 || !p.Allows(routing.Target{Provider: "x", Model: "y"}) {
		t.Errorf("policy %+v, want the defaults", p.Snapshot())
	}
}

func TestVerbsRefuse(t *testing.T) {
	many := func(p *routing.Policy) error { return p.Limit(11, 0) }
	tests := map[string]struct {
		verb func(*routing.Policy) error
		want *fault.Error
	}{
		"a second force": {func(p *routing.Policy) error {
			if err := p.Force("openai"); err != nil {
				return err
			}
			return p.Force("claude")
		}, routing.ErrForceConflict},
		"a force of a stranger":        {func(p *routing.Policy) error { return p.Force("stranger") }, routing.ErrUnknownProvider},
		"disabling a stranger":         {func(p *routing.Policy) error { return p.Disable("stranger") }, routing.ErrUnknownProvider},
		"a weight below 0":             {func(p *routing.Policy) error { return p.SetWeights(routing.Weights{Cost: -1}) }, routing.ErrWeights},
		"a weight that is no number":   {func(p *routing.Policy) error { return p.SetWeights(routing.Weights{Latency: math.NaN()}) }, routing.ErrWeights},
		"an order with a stranger":     {func(p *routing.Policy) error { return p.SetFallbackOrder([]string{"stranger"}) }, routing.ErrFallbackOrder},
		"an order that repeats itself": {func(p *routing.Policy) error { return p.SetFallbackOrder([]string{"openai", "openai"}) }, routing.ErrFallbackOrder},
		"too many attempts":            {many, routing.ErrLimits},
		"no attempt":                   {func(p *routing.Policy) error { return p.Limit(0, 0) }, routing.ErrLimits},
		"a deadline of more than an hour": {
			func(p *routing.Policy) error { return p.Limit(1, time.Hour+1) }, routing.ErrLimits,
		},
		"a route of no task type": {
			func(p *routing.Policy) error { return p.Route("poetry", nil) }, routing.ErrRoutes,
		},
		"a route to a stranger": {
			func(p *routing.Policy) error {
				return p.Route(routing.Review, []routing.Target{{Provider: "stranger", Model: "m"}})
			}, routing.ErrRoutes,
		},
		"a route without a model": {
			func(p *routing.Policy) error { return p.Route(routing.Review, []routing.Target{{Provider: "openai"}}) }, routing.ErrRoutes,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := tt.verb(policy()); !errors.Is(err, tt.want) || fault.KindOf(err) != tt.want.Kind {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestVerbsAct(t *testing.T) {
	p := policy()
	route := []routing.Target{{Provider: "claude", Model: "big"}}
	for _, err := range []error{
		p.SetWeights(routing.Weights{Cost: 2}), p.SetFallbackOrder([]string{"gemini"}), p.Disable("claude"), p.Force("claude"), p.Force("claude"),
		p.Route(routing.Review, route), p.Limit(5, time.Minute),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	p.Allow([]string{"big"})
	route[0].Model = "changed by the caller"
	want := routing.PolicySnapshot{
		Tenant: "t1", Version: 8, Weights: routing.Weights{Cost: 2}, FallbackOrder: []string{"gemini", "openrouter", "openai", "claude"},
		Routes:        map[routing.TaskType][]routing.Target{routing.Review: {{Provider: "claude", Model: "big"}}},
		AllowedModels: []string{"big"}, Forced: "claude", Disabled: []string{"claude"}, MaxAttempts: 5, Deadline: time.Minute,
	}
	if diff := cmp.Diff(want, p.Snapshot()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p.Disabled("claude") {
		t.Error("the forced provider counts as disabled")
	}
	p.Release("openai")
	p.Release("claude")
	if p.Forced() != "" || !p.Disabled("claude") {
		t.Errorf("after the release forced is %q and claude disabled %t, want none and true", p.Forced(), p.Disabled("claude"))
	}
	p.Enable("claude")
	if p.Disabled("claude") {
		t.Error("claude is disabled after it was enabled")
	}
	if err := p.Route(routing.Review, nil); err != nil || len(p.Routes(routing.Review)) > 0 {
		t.Errorf("routes %v, %v after they were taken back", p.Routes(routing.Review), err)
	}
	for i, e := range p.Events() {
		got, ok := e.(routing.PolicyChanged)
		if !ok || got.Tenant != "t1" || got.Version != int64(i+2) || got.What == "" || got.EventName() != "routing_policy_changed" {
			t.Errorf("event %d is %+v", i, e)
		}
	}
}

func TestASnapshotIsACopy(t *testing.T) {
	p := policy()
	if err := p.Route(routing.Review, []routing.Target{{Provider: "claude", Model: "big"}}); err != nil {
		t.Fatal(err)
	}
	s := p.Snapshot()
	s.Routes[routing.Review][0].Model = "changed"
	s.FallbackOrder[0] = "changed"
	if got := p.Routes(routing.Review)[0].Model; got != "big" {
		t.Errorf("changing a snapshot changed the route to %s", got)
	}
	if got := p.FallbackOrder()[0]; got != known[0] {
		t.Errorf("changing a snapshot changed the order to %s", got)
	}
}

func TestARestoredPolicyForgetsProvidersThatHaveGone(t *testing.T) {
	s := routing.PolicySnapshot{
		Tenant: "t1", Version: 7, FallbackOrder: []string{"gone", "gemini"}, Forced: "gone", Disabled: []string{"gone", "openai"}, MaxAttempts: 2,
		Routes: map[routing.TaskType][]routing.Target{routing.Review: {{Provider: "gone", Model: "m"}}},
	}
	got := routing.RestorePolicy(s, known).Snapshot()
	want := routing.PolicySnapshot{
		Tenant: "t1", Version: 7, FallbackOrder: []string{"gemini", "openrouter", "openai", "claude"}, Disabled: []string{"openai"},
		Routes: map[routing.TaskType][]routing.Target{}, MaxAttempts: 2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseTaskType(t *testing.T) {
	for _, task := range append([]routing.TaskType{""}, routing.TaskTypes()...) {
		want := task
		if want == "" {
			want = routing.General
		}
		if got, err := routing.ParseTaskType(string(task)); got != want || err != nil {
			t.Errorf("%q is read as %q, %v", task, got, err)
		}
	}
	for _, bad := range []string{"poetry", "General", " general", "general\x00"} {
		_, err := routing.ParseTaskType(bad)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || !errors.Is(err, fault.ErrValidation) || len(f.Fields) != 1 || f.Fields[0].Pointer != "/task_type" {
			t.Errorf("%q: error %v, want validation_failed at /task_type", bad, err)
		}
	}
}

func TestTargetsPrintAsNames(t *testing.T) {
	if got := (routing.Target{Provider: "openrouter", Model: "openai/gpt-4o"}).String(); got != "openrouter/openai/gpt-4o" {
		t.Errorf("got %s", got)
	}
}

func TestCostIsExactAndRoundedHalfUpOnce(t *testing.T) {
	amount := rapid.Int64Range(0, 1_000_000_000)
	count := rapid.IntRange(0, 3_000_000)
	rapid.Check(t, func(t *rapid.T) {
		p := routing.Price{Input: amount.Draw(t, "in"), Output: amount.Draw(t, "out"), CacheRead: amount.Draw(t, "read"), CacheWrite: amount.Draw(t, "write")}
		k := routing.Tokens{Input: count.Draw(t, "input"), Output: count.Draw(t, "output")}
		k.CacheRead = rapid.IntRange(0, k.Input).Draw(t, "cached")
		k.CacheWrite = rapid.IntRange(0, k.Input-k.CacheRead).Draw(t, "written")
		sum := new(big.Int)
		for _, part := range [][2]int64{
			{int64(k.Input - k.CacheRead - k.CacheWrite), p.Input}, {int64(k.CacheRead), p.CacheRead}, {int64(k.CacheWrite), p.CacheWrite}, {int64(k.Output), p.Output},
		} {
			sum.Add(sum, new(big.Int).Mul(big.NewInt(part[0]), big.NewInt(part[1])))
		}
		want := sum.Add(sum, big.NewInt(500)).Div(sum, big.NewInt(1000)).Int64()
		if got := p.Nanos(k); got != want {
			t.Fatalf("%+v of %+v is %d, want %d", k, p, got, want)
		}
	})
}

func TestPrices(t *testing.T) {
	p := routing.Price{Input: 1000, Output: 1}
	tests := map[string]struct {
		tokens routing.Tokens
		want   int64
	}{
		"nothing":                        {routing.Tokens{}, 0},
		"half a nano is one":             {routing.Tokens{Output: 500}, 1},
		"less than half is none":         {routing.Tokens{Output: 499}, 0},
		"more cached than there was":     {routing.Tokens{Input: 1, CacheRead: 5}, 0},
		"input by the thousand, exactly": {routing.Tokens{Input: 1000}, 1000},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := p.Nanos(tt.tokens); got != tt.want {
				t.Errorf("%d nano-dollars, want %d", got, tt.want)
			}
		})
	}
	if got := routing.FlatCents(0.15).Cents(1000, 1000); got != 0.3 {
		t.Errorf("2,000 tokens at 0.15 cents per thousand are %v cents, want 0.3", got)
	}
	if got := routing.FlatCents(16); got != (routing.Price{Input: 160_000_000, Output: 160_000_000, CacheRead: 160_000_000, CacheWrite: 160_000_000}) {
		t.Errorf("16 cents are %+v", got)
	}
}
