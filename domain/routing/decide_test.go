package routing_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/test/change"
)

// TestScoresOfTheContract holds the golden vectors: price in cents per 1,000 tokens, total tokens, p95, objective.
func TestScoresOfTheContract(t *testing.T) {
	tests := map[string]struct {
		provider  string
		tokens    int
		p95, slo  int // 0: unknown, none
		want      float64
		wantKnown bool
	}{
		"slow, without an objective":           {"openrouter", 2000, 4000, 0, 58, true},
		"faster than the objective":            {"gemini", 2000, 900, 1000, 25, true},
		"half a second over":                   {"claude", 2000, 1500, 1000, 297, true},
		"two seconds over":                     {"gemini", 2000, 3000, 1000, 1046, true},
		"unknown latency is taken as 1,000 ms": {"openai", 100, 0, 800, 111, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := world()
			if tt.p95 > 0 {
				model(&f, tt.provider).Set(routing.General, routing.Figures{P95Ms: tt.p95, Samples: routing.MinSamples})
			}
			r := routing.Request{Task: routing.General, SLOMs: tt.slo, InputTokens: tt.tokens / 2, MaxTokens: tt.tokens / 2}
			d := routing.Decide(policy(), r, f)
			i := slices.IndexFunc(d.Candidates, func(c routing.Candidate) bool { return c.Provider == tt.provider })
			got := d.Candidates[i]
			if diff := got.Score - tt.want; diff > 1e-9 || diff < -1e-9 || got.P95Known != tt.wantKnown {
				t.Errorf("score %v, p95 known %t; want %v, %t", got.Score, got.P95Known, tt.want, tt.wantKnown)
			}
		})
	}
}

func TestTheCheapestAndFastestIsFirst(t *testing.T) {
	f := world()
	d := routing.Decide(policy(), routing.Request{Task: routing.General, InputTokens: 1000}, f)
	if diff := cmp.Diff([]string{"gemini", "openrouter", "openai", "claude"}, order(d)); diff != "" {
		t.Errorf("by price (-want +got):\n%s", diff)
	}
	model(&f, "claude").Set(routing.General, routing.Figures{P95Ms: 100, Samples: 100})
	d = routing.Decide(policy(), routing.Request{Task: routing.General, SLOMs: 500, InputTokens: 1000}, f)
	if chosen, ok := d.Chosen(); !ok || chosen.Provider != "claude" || chosen.Rank != 1 {
		t.Errorf("chosen %+v, %t; want claude, the only one within the objective", chosen, ok)
	}
}

func TestTiesGoByTheFallbackOrder(t *testing.T) {
	f := world()
	for _, name := range known {
		model(&f, name).Price = routing.Price{}
	}
	p := policy()
	d := routing.Decide(p, routing.Request{Task: routing.General}, f)
	if diff := cmp.Diff(known, order(d)); diff != "" {
		t.Errorf("default order (-want +got):\n%s", diff)
	}
	must(t, change.Order(p, "gemini", "claude"))
	d = routing.Decide(p, routing.Request{Task: routing.General}, f)
	if diff := cmp.Diff([]string{"gemini", "claude", "openrouter", "openai"}, order(d)); diff != "" {
		t.Errorf("own order (-want +got):\n%s", diff)
	}
	must(t, change.Route(p, routing.General, to("openai", "b"), to("openai", "a")))
	d = routing.Decide(p, routing.Request{Task: routing.General}, f)
	if len(d.Candidates) != 2 || d.Candidates[0].Model != "a" || d.Candidates[1].Model != "b" {
		t.Errorf("candidates %+v, want model a before b of one provider", d.Candidates)
	}
}

func TestEstimates(t *testing.T) {
	f := world()
	m := model(&f, "openai")
	m.Set(routing.Review, routing.Figures{P95Ms: 50, Samples: routing.MinSamples - 1, OutputTokens: 700})
	tests := map[string]struct {
		request routing.Request
		want    routing.Candidate
	}{
		"nothing given or learned": {
			routing.Request{Task: routing.General, InputTokens: 10},
			routing.Candidate{EstInput: 10, EstOutput: 256, P95Ms: 1000},
		},
		"the learned length": {
			routing.Request{Task: routing.Review, InputTokens: 10}, routing.Candidate{EstInput: 10, EstOutput: 700, P95Ms: 1000},
		},
		"the caller's limit wins": {
			routing.Request{Task: routing.Review, InputTokens: 10, MaxTokens: 5}, routing.Candidate{EstInput: 10, EstOutput: 5, P95Ms: 1000},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := routing.Decide(policy(), tt.request, f)
			i := slices.IndexFunc(d.Candidates, func(c routing.Candidate) bool { return c.Provider == "openai" })
			ignore := cmpopts.IgnoreFields(routing.Candidate{}, "Target", "Rank", "Score", "CostCents", "SLOPenalty")
			if diff := cmp.Diff(tt.want, d.Candidates[i], ignore); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestExclusions(t *testing.T) {
	earlier := noon.Add(-time.Minute)
	tests := map[string]struct {
		facts   func(*routing.Facts)
		policy  func(*routing.Policy) error
		request routing.Request
		want    map[string]routing.Reason // the others are candidates
	}{
		"all is well": {want: map[string]routing.Reason{}},
		"without credentials": {
			facts: func(f *routing.Facts) { f.Providers[1].Configured = false },
			want:  map[string]routing.Reason{"openai": routing.NotConfigured},
		},
		"a model that does not serve the task": {
			facts: func(f *routing.Facts) { model(f, "claude").Tasks = []routing.TaskType{routing.Review} },
			want:  map[string]routing.Reason{"claude": routing.WrongTask},
		},
		"a route": {
			policy: func(p *routing.Policy) error { return change.Route(p, routing.General, to("claude", "big")) },
			want:   map[string]routing.Reason{"openrouter": routing.WrongTask, "openai": routing.WrongTask, "gemini": routing.WrongTask},
		},
		"a list of allowed models": {
			policy: func(p *routing.Policy) error { return change.Allow(p, "openai/openai-model", "gemini-model") },
			want:   map[string]routing.Reason{"openrouter": routing.ByPolicy, "claude": routing.ByPolicy},
		},
		"a disabled provider": {
			policy: func(p *routing.Policy) error { return change.Disable(p, "gemini") },
			want:   map[string]routing.Reason{"gemini": routing.DisabledByTen},
		},
		"a forced provider": {
			policy: func(p *routing.Policy) error { return change.Force(p, "claude") },
			want:   map[string]routing.Reason{"openrouter": routing.NotForced, "openai": routing.NotForced, "gemini": routing.NotForced},
		},
		"force beats disable": {
			policy: func(p *routing.Policy) error {
				if err := change.Disable(p, "claude"); err != nil {
					return err
				}
				return change.Force(p, "claude")
			},
			want: map[string]routing.Reason{"openrouter": routing.NotForced, "openai": routing.NotForced, "gemini": routing.NotForced},
		},
		"a forced provider that cannot serve does not leak": {
			facts:  func(f *routing.Facts) { model(f, "claude").OpenUntil = later },
			policy: func(p *routing.Policy) error { return change.Force(p, "claude") },
			want: map[string]routing.Reason{
				"openrouter": routing.NotForced, "openai": routing.NotForced, "gemini": routing.NotForced, "claude": routing.BreakerOpen,
			},
		},
		"a pin": {
			request: routing.Request{Pin: &routing.Target{Provider: "openai", Model: "openai-model"}},
			want:    map[string]routing.Reason{"openrouter": routing.NotPinned, "claude": routing.NotPinned, "gemini": routing.NotPinned},
		},
		"a pin is not bound by routes": {
			policy:  func(p *routing.Policy) error { return change.Route(p, routing.General, to("claude", "big")) },
			request: routing.Request{Pin: &routing.Target{Provider: "openai", Model: "openai-model"}},
			want:    map[string]routing.Reason{"openrouter": routing.NotPinned, "claude": routing.NotPinned, "gemini": routing.NotPinned},
		},
		"a pin of a disabled provider": {
			policy:  func(p *routing.Policy) error { return change.Disable(p, "openai") },
			request: routing.Request{Pin: &routing.Target{Provider: "openai", Model: "m"}},
			want: map[string]routing.Reason{
				"openrouter": routing.NotPinned, "claude": routing.NotPinned, "gemini": routing.NotPinned, "openai": routing.DisabledByTen,
			},
		},
		"a pin against a force": {
			policy:  func(p *routing.Policy) error { return change.Force(p, "claude") },
			request: routing.Request{Pin: &routing.Target{Provider: "openai", Model: "m"}},
			want: map[string]routing.Reason{
				"openrouter": routing.NotPinned, "claude": routing.NotPinned, "gemini": routing.NotPinned, "openai": routing.NotForced,
			},
		},
		"an alias": {
			request: routing.Request{Alias: &routing.Alias{Mode: routing.Ordered, Targets: []routing.AliasTarget{
				{Target: to("openai", "openai-model")}, {Target: to("gemini", "gemini-model")},
			}}},
			want: map[string]routing.Reason{"openrouter": routing.NotPinned, "claude": routing.NotPinned},
		},
		"an alias is not bound by routes, nor by the tasks that a model serves": {
			facts:   func(f *routing.Facts) { model(f, "openai").Tasks = []routing.TaskType{routing.Review} },
			policy:  func(p *routing.Policy) error { return change.Route(p, routing.General, to("claude", "big")) },
			request: routing.Request{Alias: &routing.Alias{Mode: routing.Ordered, Targets: []routing.AliasTarget{{Target: to("openai", "openai-model")}}}},
			want:    map[string]routing.Reason{"openrouter": routing.NotPinned, "claude": routing.NotPinned, "gemini": routing.NotPinned},
		},
		"an alias does not lead round a flag": {
			policy: func(p *routing.Policy) error { return change.Disable(p, "openai") },
			request: routing.Request{Alias: &routing.Alias{Mode: routing.Ordered, Targets: []routing.AliasTarget{
				{Target: to("openai", "openai-model")}, {Target: to("gemini", "gemini-model")},
			}}},
			want: map[string]routing.Reason{"openrouter": routing.NotPinned, "claude": routing.NotPinned, "openai": routing.DisabledByTen},
		},
		"a disabled provider while another is forced": {
			policy: func(p *routing.Policy) error {
				if err := change.Disable(p, "openai"); err != nil {
					return err
				}
				return change.Force(p, "claude")
			},
			want: map[string]routing.Reason{"openrouter": routing.NotForced, "openai": routing.NotForced, "gemini": routing.NotForced},
		},
		"images": {
			facts:   func(f *routing.Facts) { model(f, "openai").Vision = false },
			request: routing.Request{Vision: true},
			want:    map[string]routing.Reason{"openai": routing.NoCapability},
		},
		"vectors": {
			facts:   func(f *routing.Facts) { model(f, "openai").Embeds = true },
			request: routing.Request{Embedding: true},
			want: map[string]routing.Reason{
				"openrouter": routing.NoCapability, "claude": routing.NoCapability, "gemini": routing.NoCapability,
			},
		},
		"an answer of a model that makes vectors": {
			facts: func(f *routing.Facts) { model(f, "openai").Embeds = true },
			want:  map[string]routing.Reason{"openai": routing.NoCapability},
		},
		"tools": {
			facts:   func(f *routing.Facts) { model(f, "openai").Tools = false },
			request: routing.Request{Tools: true},
			want:    map[string]routing.Reason{"openai": routing.NoCapability},
		},
		"a schema": {
			facts:   func(f *routing.Facts) { model(f, "openai").Schema = false },
			request: routing.Request{Schema: true},
			want:    map[string]routing.Reason{"openai": routing.NoCapability},
		},
		"of a model that the catalogue does not know nothing is denied": {
			facts:   func(f *routing.Facts) { *model(f, "openai") = routing.ModelFacts{Model: "openai-model", Context: 1} },
			request: routing.Request{Vision: true, Tools: true, Schema: true, InputTokens: 10_000},
			want:    map[string]routing.Reason{},
		},
		"exactly the context window": {
			facts:   func(f *routing.Facts) { model(f, "openai").Context = 1000 },
			request: routing.Request{InputTokens: 600, MaxTokens: 400},
			want:    map[string]routing.Reason{},
		},
		"one token too many": {
			facts:   func(f *routing.Facts) { model(f, "openai").Context = 1000 },
			request: routing.Request{InputTokens: 601, MaxTokens: 400},
			want:    map[string]routing.Reason{"openai": routing.WindowTooFew},
		},
		"a limit beyond all numbers": {
			request: routing.Request{InputTokens: 10, MaxTokens: 1<<63 - 1},
			want: map[string]routing.Reason{
				"openrouter": routing.WindowTooFew, "openai": routing.WindowTooFew, "claude": routing.WindowTooFew, "gemini": routing.WindowTooFew,
			},
		},
		"an open breaker, and one whose time is over": {
			facts: func(f *routing.Facts) { model(f, "openai").OpenUntil, model(f, "claude").OpenUntil = later, earlier },
			want:  map[string]routing.Reason{"openai": routing.BreakerOpen},
		},
		"a rest, and one that is over": {
			facts: func(f *routing.Facts) { model(f, "openai").RestUntil, model(f, "claude").RestUntil = later, earlier },
			want:  map[string]routing.Reason{"openai": routing.RateLimited},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, p := world(), policy()
			if tt.facts != nil {
				tt.facts(&f)
			}
			if tt.policy != nil {
				if err := tt.policy(p); err != nil {
					t.Fatal(err)
				}
			}
			r := tt.request
			r.Task = routing.General
			d := routing.Decide(p, r, f)
			if diff := cmp.Diff(tt.want, why(d)); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
			if got, want := len(d.Candidates), len(known)-len(tt.want); got != want {
				t.Errorf("%d candidates, want %d", got, want)
			}
		})
	}
}

func TestAnExclusionSaysUntilWhenAndWhat(t *testing.T) {
	f := world()
	model(&f, "openai").OpenUntil = noon.Add(time.Minute)
	model(&f, "gemini").RestUntil = noon.Add(time.Second)
	model(&f, "claude").Tools = false
	refused := model(&f, "openrouter")
	refused.RestUntil, refused.Refused = noon.Add(time.Hour), true
	d := routing.Decide(policy(), routing.Request{Task: routing.General, Tools: true}, f)
	got := map[string]routing.Exclusion{}
	for _, x := range d.Excluded {
		got[x.Provider] = x
	}
	want := map[string]routing.Exclusion{
		"openai":     {Reason: routing.BreakerOpen, Until: noon.Add(time.Minute)},
		"gemini":     {Reason: routing.RateLimited, Until: noon.Add(time.Second)},
		"openrouter": {Reason: routing.RateLimited, Until: noon.Add(time.Hour), Detail: routing.CredentialRefused},
		"claude":     {Reason: routing.NoCapability, Detail: "tools"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(routing.Exclusion{}, "Target")); diff != "" {
		t.Errorf("excluded (-want +got):\n%s", diff)
	}
}

func TestWithoutCandidatesNothingIsChosen(t *testing.T) {
	d := routing.Decide(policy(), routing.Request{Task: routing.General}, routing.Facts{})
	if got, ok := d.Chosen(); ok {
		t.Errorf("chosen %+v of nothing", got)
	}
}

// TestAPinOfAModelThatNobodyKnows is priced as the installation assumes for its provider, and no ability is denied.
func TestAPinOfAModelThatNobodyKnows(t *testing.T) {
	pin := to("openai", "of/tomorrow")
	r := routing.Request{Task: routing.Review, Pin: &pin, InputTokens: 1000, MaxTokens: 1000, Vision: true, Tools: true, Schema: true}
	d := routing.Decide(policy(), r, world())
	want := []routing.Candidate{{
		Target: pin, Rank: 1, Score: 20 + 10, CostCents: 20, P95Ms: routing.DefaultP95Ms, EstInput: 1000, EstOutput: 1000,
	}}
	if diff := cmp.Diff(want, d.Candidates); diff != "" {
		t.Errorf("candidates (-want +got):\n%s", diff)
	}
}

// TestProvidersThatThePolicyDoesNotKnowComeLast is about facts that are a moment ahead of the policy.
func TestProvidersThatThePolicyDoesNotKnowComeLast(t *testing.T) {
	f := routing.Facts{At: noon}
	for _, name := range []string{"stranger", "alien", "gemini", "openai"} {
		f.Providers = append(f.Providers, routing.ProviderFacts{Name: name, Configured: true, DefaultModel: "m"})
	}
	got := order(routing.Decide(policy(), routing.Request{Task: routing.General}, f))
	if diff := cmp.Diff([]string{"openai", "gemini", "alien", "stranger"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}
