package routing_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
)

func ordered(name string, targets ...routing.Target) routing.Alias {
	a := routing.Alias{Name: name, Mode: routing.Ordered}
	for _, t := range targets {
		a.Targets = append(a.Targets, routing.AliasTarget{Target: t})
	}
	return a
}

// weighted is an alias of models of openai that are called by their place.
func weighted(weights ...float64) routing.Alias {
	a := routing.Alias{Name: "fast", Mode: routing.Weighted}
	for i, w := range weights {
		a.Targets = append(a.Targets, routing.AliasTarget{Target: to("openai", fmt.Sprint(i)), Weight: w})
	}
	return a
}

func TestAliasesAreChecked(t *testing.T) {
	m := to("openai", "m")
	named := func(name string) routing.Alias { return ordered(name, m) }
	tests := map[string]struct {
		alias routing.Alias
		want  []string // pointers and codes; none: the alias is good
	}{
		"a name":                        {named("fast"), nil},
		"every kind of rune":            {named("9a.b:c_d-E"), nil},
		"the longest name":              {named(strings.Repeat("n", 64)), nil},
		"like auto, and not":            {named("automatic"), nil},
		"no name":                       {named(""), []string{"/name invalid_value"}},
		"too long a name":               {named(strings.Repeat("n", 65)), []string{"/name invalid_value"}},
		"a name with a slash":           {named("openai/m"), []string{"/name invalid_value"}},
		"a name with a blank":           {named("so fast"), []string{"/name invalid_value"}},
		"a name with a letter of far":   {named("schön"), []string{"/name invalid_value"}},
		"a name that begins with a dot": {named(".fast"), []string{"/name invalid_value"}},
		"the router's name":             {named("auto"), []string{"/name invalid_value"}},
		"the router's for a task":       {named("auto:review"), []string{"/name invalid_value"}},
		"a provider's name":             {named("claude"), []string{"/name invalid_value"}},
		"no mode":                       {routing.Alias{Name: "fast", Targets: named("x").Targets}, []string{"/mode unknown_value"}},
		"no target":                     {ordered("fast"), []string{"/targets out_of_range"}},
		"as many targets as may be":     {ordered("fast", many(routing.MaxAliasTargets)...), nil},
		"too many targets":              {ordered("fast", many(routing.MaxAliasTargets+1)...), []string{"/targets out_of_range"}},
		"targets that cannot be": {
			ordered("fast", to("stranger", "m"), m, to("openai", "a\x00"), m),
			[]string{"/targets/0/provider unknown_provider", "/targets/2/model invalid_value", "/targets/3/model duplicate"},
		},
		"one model of two providers": {ordered("fast", m, to("claude", "m")), nil},
		"weights that cannot be": {
			weighted(1, -1, math.NaN(), math.Inf(1), 2e9, 0),
			[]string{
				"/targets/1/weight out_of_range", "/targets/2/weight out_of_range", "/targets/3/weight out_of_range", "/targets/4/weight out_of_range",
			},
		},
		"no weight at all": {weighted(0, 0), []string{"/targets/0/weight out_of_range"}},
		"one weight":       {weighted(0, 1e-9), nil},
		"everything is wrong": {
			routing.Alias{Name: "auto", Mode: "random", Targets: []routing.AliasTarget{{Target: to("stranger", "m"), Weight: -1}}},
			[]string{"/name invalid_value", "/mode unknown_value", "/targets/0/provider unknown_provider", "/targets/0/weight out_of_range"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := policy()
			err := p.SetAlias(tt.alias)
			names(t, err, tt.want...)
			got, ok := p.OwnAlias(tt.alias.Name)
			if good := err == nil; ok != good || good && !cmp.Equal(got, tt.alias) || good != (p.Version() == 2) {
				t.Errorf("the alias: %+v, %t at version %d after %v", got, ok, p.Version(), err)
			}
		})
	}
}

func TestATenantsAliasStandsBeforeTheInstallations(t *testing.T) {
	d := defaults()
	d.Aliases = []routing.Alias{ordered("slow", to("claude", "big")), ordered("fast", to("openai", "mini"))}
	p := routing.NewPolicy("t1", d)
	mine := ordered("fast", to("gemini", "flash"))
	other := ordered("mine", to("openai", "m"))
	must(t, p.SetAlias(mine), p.SetAlias(other))
	if diff := cmp.Diff([]routing.Alias{mine, other, d.Aliases[0]}, p.Aliases()); diff != "" {
		t.Errorf("aliases (-want +got):\n%s", diff)
	}
	if got, ok := p.Alias("fast"); !ok || !cmp.Equal(got, mine) {
		t.Errorf("fast is %+v, %t; want the tenant's own", got, ok)
	}
	if got, ok := p.OwnAlias("slow"); ok {
		t.Errorf("slow is the tenant's own: %+v", got)
	}
	if got := p.Snapshot().Aliases; !cmp.Equal(got, []routing.Alias{mine, other}) {
		t.Errorf("kept are %+v, want the tenant's own", got)
	}
	must(t, p.RemoveAlias("fast"))
	if got, ok := p.Alias("fast"); !ok || !cmp.Equal(got, d.Aliases[1]) {
		t.Errorf("fast is %+v, %t once the tenant's was removed; want the installation's", got, ok)
	}
	for _, name := range []string{"fast", "slow", "none"} {
		if err := p.RemoveAlias(name); !errors.Is(err, routing.ErrNoAlias) || fault.KindOf(err) != fault.NotFound {
			t.Errorf("remove %s: %v, want not_found", name, err)
		}
	}
	if got, ok := p.Alias("none"); ok {
		t.Errorf("none is %+v", got)
	}
}

func TestATenantHasSoManyAliases(t *testing.T) {
	p := policy()
	for i := range routing.MaxAliases {
		must(t, p.SetAlias(ordered(fmt.Sprint("a", i), to("openai", "m"))))
	}
	if err := p.SetAlias(ordered("more", to("openai", "m"))); !errors.Is(err, routing.ErrAliasCap) || fault.KindOf(err) != fault.Invalid {
		t.Errorf("one more: %v, want too_many_aliases", err)
	}
	s := p.Snapshot()
	s.Aliases = append(s.Aliases, ordered("more", to("openai", "m")))
	if got := len(routing.RestorePolicy(s, defaults()).Snapshot().Aliases); got != routing.MaxAliases {
		t.Errorf("%d aliases are restored, want no more than %d", got, routing.MaxAliases)
	}
	must(t, p.SetAlias(ordered("a7", to("claude", "m"))))
	if got, _ := p.Alias("a7"); got.Targets[0].Provider != "claude" {
		t.Errorf("a7 is %+v, want it changed", got)
	}
}

// drawn gives the models of an alias in the order of a draw.
func drawn(a routing.Alias, draw uint64) []string {
	var got []string
	for _, c := range routing.Decide(policy(), routing.Request{Task: routing.General, Alias: &a, Draw: draw}, world()).Candidates {
		got = append(got, c.Model)
	}
	return got
}

// TestTheFirstOfAWeightedAliasFollowsTheWeights by Pearson's test, over draws that are random, and over draws that are counted.
func TestTheFirstOfAWeightedAliasFollowsTheWeights(t *testing.T) {
	const n = 20_000
	weights := []float64{5, 0, 1, 0.5, 2.5, 1e-12}
	random := rand.New(rand.NewPCG(1, 2))
	for name, draw := range map[string]func(uint64) uint64{
		"random": func(uint64) uint64 { return random.Uint64() }, "counted": func(i uint64) uint64 { return i },
	} {
		t.Run(name, func(t *testing.T) {
			a := weighted(weights...)
			first := make([]float64, len(weights))
			for i := range uint64(n) {
				got := drawn(a, draw(i))
				if sorted := slices.Sorted(slices.Values(got)); !slices.Equal(sorted, []string{"0", "1", "2", "3", "4", "5"}) {
					t.Fatalf("order %v is no permutation", got)
				}
				if got[5] != "1" {
					t.Fatalf("order %v, want the model without weight last", got)
				}
				first[got[0][0]-'0']++
			}
			if first[1] > 0 || first[5] > 0 {
				t.Errorf("models of no weight, or next to none, came first: %v", first)
			}
			chi := 0.0
			for _, i := range []int{0, 2, 3, 4} {
				want := n * weights[i] / 9
				chi += (first[i] - want) * (first[i] - want) / want
			}
			if chi > 16.27 { // of three degrees of freedom, once in 1,000
				t.Errorf("first %v of weights %v: chi-square %.1f", first, weights, chi)
			}
		})
	}
}

// TestTheSecondOfAWeightedAliasFollowsTheWeightsThatAreLeft matters when the first is away.
func TestTheSecondOfAWeightedAliasFollowsTheWeightsThatAreLeft(t *testing.T) {
	const n = 20_000
	a := weighted(6, 3, 1)
	after, total := 0.0, 0.0
	for i := range uint64(n) {
		if got := drawn(a, i); got[0] == "0" {
			total++
			if got[1] == "1" {
				after++
			}
		}
	}
	want, sd := 0.75*total, math.Sqrt(total*0.75*0.25)
	if math.Abs(after-want) > 4*sd {
		t.Errorf("after the first of weight 6 that of weight 3 came %v times of %v, want about %.0f", after, total, want)
	}
}

func TestADrawIsAnOrder(t *testing.T) {
	a := weighted(1, 1, 1, 1)
	if x, y := drawn(a, 42), drawn(a, 42); !slices.Equal(x, y) {
		t.Errorf("one draw gives %v and %v", x, y)
	}
	rest := weighted(0, 0, 1, 0)
	rest.Targets[0], rest.Targets[1] = rest.Targets[1], rest.Targets[0]
	if got := drawn(rest, 1); !slices.Equal(got, []string{"2", "1", "0", "3"}) {
		t.Errorf("order %v, want those without weight as they stand", got)
	}
	tiny := weighted(0, 5e-324, 1)
	for draw := range uint64(100) {
		if got := drawn(tiny, draw); !slices.Equal(got, []string{"2", "1", "0"}) {
			t.Fatalf("order %v, want the smallest weight before none", got)
		}
	}
}

func TestAnOrderedAliasKeepsItsOrderWhateverItCosts(t *testing.T) {
	f := world()
	model(&f, "claude").Set(routing.General, routing.Figures{P95Ms: 9000, Samples: 9})
	a := ordered("fast", to("claude", "claude-model"), to("openai", "other"), to("gemini", "gemini-model"), to("openai", "openai-model"))
	a.Targets[2].Weight = 7 // which counts in a weighted alias only
	r := routing.Request{Task: routing.General, Alias: &a, InputTokens: 1000, SLOMs: 10}
	if diff := cmp.Diff([]string{"claude", "openai", "gemini", "openai"}, order(routing.Decide(policy(), r, f))); diff != "" {
		t.Errorf("all well (-want +got):\n%s", diff)
	}
	model(&f, "claude").OpenUntil = later
	d := routing.Decide(policy(), r, f)
	if diff := cmp.Diff([]string{"openai", "gemini", "openai"}, order(d)); diff != "" || d.Candidates[0].Model != "other" || d.Candidates[0].Rank != 1 {
		t.Errorf("without the first (-want +got):\n%s", diff)
	}
}
