package routing_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/test/change"
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
	if p.Tenant() != "t1" || p.Deadline() != 0 || p.MaxAttempts() != 3 || p.CachesV1() || !p.Allows(to("x", "y")) {
		t.Errorf("policy %+v, want the defaults", p.Snapshot())
	}
}

func TestAnInstallationSetsTheDefaults(t *testing.T) {
	route := map[routing.TaskType][]routing.Target{routing.Review: {to("claude", "big")}, routing.Creative: {}}
	d := routing.Defaults{
		Order: known, Weights: routing.Weights{Cost: 3}, Routes: route, MaxAttempts: 5, Deadline: time.Minute,
		Aliases: []routing.Alias{ordered("fast", to("openai", "m"))},
	}
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	p := routing.NewPolicy("t1", d)
	want := routing.Terms{
		Weights: routing.Weights{Cost: 3}, FallbackOrder: known, Routes: map[routing.TaskType][]routing.Target{routing.Review: {to("claude", "big")}},
		MaxAttempts: 5, Deadline: time.Minute,
	}
	if diff := cmp.Diff(want, p.Terms()); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
	must(t, change.Limit(p, 1, time.Second), change.Route(p, routing.Review), change.Weights(p, routing.Weights{}))
	if diff := cmp.Diff(want, p.DefaultTerms()); diff != "" {
		t.Errorf("default terms after a change (-want +got):\n%s", diff)
	}
	if p.Weights() != (routing.Weights{}) {
		t.Errorf("weights %+v, want none: a tenant may weigh nothing", p.Weights())
	}
}

func TestDefaultsAreChecked(t *testing.T) {
	good := ordered("fast", to("openai", "m"))
	tests := map[string]struct {
		defaults routing.Defaults
		want     []string // pointers and codes
	}{
		"nothing":             {routing.Defaults{}, []string{"/fallback_order out_of_range"}},
		"a provider twice":    {routing.Defaults{Order: []string{"a", "b", "a"}}, []string{"/fallback_order/2 duplicate"}},
		"a weight below 0":    {routing.Defaults{Order: known, Weights: routing.Weights{Latency: -1}}, []string{"/weights/latency out_of_range"}},
		"attempts below 0":    {routing.Defaults{Order: known, MaxAttempts: -1}, []string{"/max_attempts out_of_range"}},
		"too long a deadline": {routing.Defaults{Order: known, Deadline: 2 * time.Hour}, []string{"/deadline_ms out_of_range"}},
		"a route to a stranger": {
			routing.Defaults{Order: known, Routes: map[routing.TaskType][]routing.Target{routing.Review: {to("stranger", "m")}}},
			[]string{"/routes/review/0/provider unknown_provider"},
		},
		"an alias to a stranger": {
			routing.Defaults{Order: known, Aliases: []routing.Alias{good, ordered("slow", to("stranger", "m"))}},
			[]string{"/aliases/1/targets/0/provider unknown_provider"},
		},
		"an alias twice": {
			routing.Defaults{Order: known, Aliases: []routing.Alias{good, ordered("slow", to("openai", "m")), good}}, []string{"/aliases/2/name duplicate"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { names(t, tt.defaults.Check(), tt.want...) })
	}
}

// names checks that an error is validation_failed and names these fields and codes, in this order; none: that there is no error.
func names(t *testing.T, err error, want ...string) {
	t.Helper()
	if len(want) == 0 && err == nil {
		return
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || !errors.Is(err, fault.ErrValidation) || f.Kind != fault.Invalid {
		t.Fatalf("error %v, want validation_failed at %v", err, want)
	}
	var got []string
	for _, field := range f.Fields {
		got = append(got, field.Pointer+" "+field.Code)
		if field.Message == "" {
			t.Errorf("%s says nothing", field.Pointer)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestOnlyAllowedModelsAreAllowed(t *testing.T) {
	tests := map[string]struct {
		list   []string
		target routing.Target
		want   bool
	}{
		"an empty list allows all":                   {nil, to("openai", "m"), true},
		"a bare name, at any provider":               {[]string{"x", "m"}, to("openai", "m"), true},
		"a bare name with a slash":                   {[]string{"openai/m"}, to("openrouter", "openai/m"), true},
		"a provider's model":                         {[]string{"openai/m"}, to("openai", "m"), true},
		"a provider's model with a slash":            {[]string{"openrouter/openai/m"}, to("openrouter", "openai/m"), true},
		"the model of another provider":              {[]string{"openai/m"}, to("claude", "m"), false},
		"another model":                              {[]string{"openai/m"}, to("openai", "mm"), false},
		"a longer name":                              {[]string{"openai/mm"}, to("openai", "m"), false},
		"the slash is no part of what stands before": {[]string{"/m"}, to("openai", "m"), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := policy()
			must(t, change.Allow(p, tt.list...))
			if got := p.Allows(tt.target); got != tt.want {
				t.Errorf("%q allows %s: %t, want %t", tt.list, tt.target, got, tt.want)
			}
		})
	}
}

func TestChangesAct(t *testing.T) {
	p := policy()
	route := []routing.Target{to("claude", "big")}
	allowed := []string{"big"}
	fast := ordered("fast", to("openai", "m"))
	must(t,
		change.Weights(p, routing.Weights{Cost: 2}), change.Order(p, "gemini"), change.Disable(p, "claude"), change.Force(p, "claude"),
		change.Route(p, routing.Review, route...), change.Limit(p, 5, time.Minute), change.Allow(p, allowed...), p.SetAlias(fast),
	)
	route[0].Model, allowed[0], fast.Targets[0].Model = "changed", "by", "the caller"
	want := routing.PolicySnapshot{
		Tenant: "t1", Version: 9, Weights: routing.Weights{Cost: 2}, FallbackOrder: []string{"gemini", "openrouter", "openai", "claude"},
		Routes:        map[routing.TaskType][]routing.Target{routing.Review: {to("claude", "big")}},
		AllowedModels: []string{"big"}, MaxAttempts: 5, Deadline: time.Minute,
		Flags:   []routing.Flag{{Name: "router.disable_provider_claude", Enabled: true}, {Name: "router.force_provider_claude", Enabled: true}},
		Aliases: []routing.Alias{ordered("fast", to("openai", "m"))},
	}
	if diff := cmp.Diff(want, p.Snapshot()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	whats := []string{
		"terms", "terms", "flag router.disable_provider_claude on", "flag router.force_provider_claude on", "terms", "terms", "terms", "alias fast",
	}
	events := p.Events()
	if len(events) != len(whats) {
		t.Fatalf("events %+v, want one for each of %d changes", events, len(whats))
	}
	for i, e := range events {
		if want := (routing.PolicyChanged{Tenant: "t1", Version: int64(i + 2), What: whats[i]}); e != want || e.EventName() != "routing_policy_changed" {
			t.Errorf("event %d is %+v, want %+v", i, e, want)
		}
	}
	must(t, change.Route(p, routing.Review))
	if got := p.Routes(routing.Review); len(got) > 0 {
		t.Errorf("routes %v after they were taken back", got)
	}
}

func TestAnOrderIsCompleted(t *testing.T) {
	tests := map[string]struct {
		order, want []string
		bad         bool
	}{
		"none":                  {nil, known, false},
		"some":                  {[]string{"gemini", "openai"}, []string{"gemini", "openai", "openrouter", "claude"}, false},
		"all":                   {[]string{"gemini", "claude", "openai", "openrouter"}, []string{"gemini", "claude", "openai", "openrouter"}, false},
		"one of them twice":     {[]string{"gemini", "gemini"}, nil, true},
		"one that is not known": {[]string{"gemini", "stranger"}, nil, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := routing.CompleteOrder(tt.order, known)
			if !cmp.Equal(got, tt.want) || tt.bad != errors.Is(err, routing.ErrFallbackOrder) {
				t.Errorf("%v, %v; want %v, an error: %t", got, err, tt.want, tt.bad)
			}
		})
	}
}

func TestWhatAPolicyGivesIsACopy(t *testing.T) {
	p := policy()
	must(t, change.Route(p, routing.Review, to("claude", "big")), change.Allow(p, "big"), p.SetAlias(ordered("fast", to("openai", "m"))))
	want := p.Snapshot()
	s, terms := p.Snapshot(), p.Terms()
	own, _ := p.OwnAlias("fast")
	found, _ := p.Alias("fast")
	s.Routes[routing.Review][0].Model, s.FallbackOrder[0], s.AllowedModels[0], s.Aliases[0].Targets[0].Model = "x", "x", "x", "x"
	terms.Routes[routing.Review][0].Model, terms.FallbackOrder[0], terms.AllowedModels[0] = "x", "x", "x"
	own.Targets[0].Model, found.Targets[0].Model, p.Aliases()[0].Targets[0].Model, p.FallbackOrder()[0] = "x", "x", "x", "x"
	if diff := cmp.Diff(want, p.Snapshot()); diff != "" {
		t.Errorf("what the policy gave was changed, and with it the policy (-want +got):\n%s", diff)
	}
	restored := routing.RestorePolicy(want, defaults())
	want.Routes[routing.Review][0].Model, want.FallbackOrder[0], want.AllowedModels[0], want.Aliases[0].Targets[0].Model = "x", "x", "x", "x"
	if diff := cmp.Diff(p.Snapshot(), restored.Snapshot()); diff != "" {
		t.Errorf("a snapshot was changed, and with it the policy that was restored from it (-want +got):\n%s", diff)
	}
}

func TestARestoredPolicyForgetsProvidersThatHaveGone(t *testing.T) {
	s := routing.PolicySnapshot{
		Tenant: "t1", Version: 7, FallbackOrder: []string{"gone", "gemini"}, MaxAttempts: 2,
		Routes: map[routing.TaskType][]routing.Target{routing.Review: {to("gone", "m")}, routing.General: {to("gone", "m"), to("openai", "m")}},
		Flags: []routing.Flag{
			{Name: routing.ForceFlag("gone"), Enabled: true}, {Name: routing.DisableFlag("gone"), Enabled: true}, {Name: routing.DisableFlag("openai"), Enabled: true},
		},
		Aliases: []routing.Alias{ordered("fast", to("gone", "m"), to("openai", "m")), ordered("lost", to("gone", "m"))},
	}
	got := routing.RestorePolicy(s, defaults()).Snapshot()
	want := routing.PolicySnapshot{
		Tenant: "t1", Version: 7, FallbackOrder: []string{"gemini", "openrouter", "openai", "claude"}, MaxAttempts: 2,
		Routes:  map[routing.TaskType][]routing.Target{routing.General: {to("openai", "m")}},
		Flags:   []routing.Flag{{Name: routing.DisableFlag("openai"), Enabled: true}},
		Aliases: []routing.Alias{ordered("fast", to("openai", "m"))},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDamageNeverAllowsMore(t *testing.T) {
	s := policy().Snapshot()
	s.AllowedModels = []string{"\x00", ""}
	p := routing.RestorePolicy(s, defaults())
	if p.Allows(to("openai", "m")) {
		t.Error("a list of allowed models of which nothing is left allows all")
	}
	s.AllowedModels = []string{"\x00", "m"}
	p = routing.RestorePolicy(s, defaults())
	if !p.Allows(to("openai", "m")) || p.Allows(to("openai", "n")) {
		t.Error("of a list of which m is left m alone is allowed")
	}
}

func TestOfTwoForcedProvidersAStoreKeepsTheFirst(t *testing.T) {
	s := policy().Snapshot()
	s.Flags = []routing.Flag{{Name: routing.ForceFlag("claude"), Enabled: true}, {Name: routing.ForceFlag("openai"), Enabled: true}}
	p := routing.RestorePolicy(s, defaults())
	if flag, err := p.Flag(routing.ForceFlag("claude")); p.Forced() != "openai" || flag.Enabled || err != nil {
		t.Errorf("%q is forced, claude too: %t, %v; want openai, the first in order, alone", p.Forced(), flag.Enabled, err)
	}
	must(t, change.Release(p, "openai"))
	if p.Forced() != "" {
		t.Errorf("%q is forced once openai was released", p.Forced())
	}
}

func TestDamagedNumbersGiveWayToTheDefaults(t *testing.T) {
	tests := map[string]func(*routing.PolicySnapshot){
		"weights":             func(s *routing.PolicySnapshot) { s.Weights.Cost = math.NaN() },
		"attempts":            func(s *routing.PolicySnapshot) { s.MaxAttempts = 11 },
		"no attempts":         func(s *routing.PolicySnapshot) { s.MaxAttempts = 0 },
		"a deadline":          func(s *routing.PolicySnapshot) { s.Deadline = -1 },
		"a moment's deadline": func(s *routing.PolicySnapshot) { s.Deadline = time.Microsecond },
		"a version":           func(s *routing.PolicySnapshot) { s.Version = -3 },
		"an order":            func(s *routing.PolicySnapshot) { s.FallbackOrder = []string{"gemini", "gemini"} },
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			s := policy().Snapshot()
			damage(&s)
			if diff := cmp.Diff(policy().Snapshot(), routing.RestorePolicy(s, defaults()).Snapshot()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
