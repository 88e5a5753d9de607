package routing_test

import (
	"slices"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/routing"
)

var (
	known = []string{"openrouter", "openai", "claude", "gemini"}
	noon  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	later = noon.Add(time.Minute)
)

// world is four configured providers with the flat prices of the table, all well, about which nothing is known yet.
func world() routing.Facts {
	cents := map[string]float64{"openai": 10, "claude": 16, "gemini": 8, "openrouter": 9}
	f := routing.Facts{SnapshotID: "s1", At: noon}
	for _, name := range known {
		f.Providers = append(f.Providers, routing.ProviderFacts{
			Name: name, Configured: true, DefaultModel: name + "-model", Price: routing.FlatCents(cents[name]), Models: []routing.ModelFacts{{
				Model: name + "-model", Known: true, Vision: true, Tools: true, Schema: true, Context: 100_000,
				Price: routing.FlatCents(cents[name]),
			}},
		})
	}
	return f
}

func model(f *routing.Facts, provider string) *routing.ModelFacts {
	for i := range f.Providers {
		if f.Providers[i].Name == provider {
			return &f.Providers[i].Models[0]
		}
	}
	return nil
}

// defaults are those of an installation of the four providers that sets nothing else.
func defaults() routing.Defaults { return routing.Defaults{Order: slices.Clone(known)} }

func policy() *routing.Policy { return routing.NewPolicy("t1", defaults()) }

// must fails the test when one of several changes did.
func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func to(provider, model string) routing.Target {
	return routing.Target{Provider: provider, Model: model}
}

func order(d routing.Decision) []string {
	var names []string
	for _, c := range d.Candidates {
		names = append(names, c.Provider)
	}
	return names
}

func why(d routing.Decision) map[string]routing.Reason {
	reasons := map[string]routing.Reason{}
	for _, x := range d.Excluded {
		reasons[x.Provider] = x.Reason
	}
	return reasons
}
