package bootstrap_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/bootstrap"
	"github.com/forge1/forge1/domain/routing"
)

// configFile writes a configuration file.
func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "forge1.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const wholeFile = `
providers:
  - name: openai
    credentials: [OPENAI_ONE, {env: OPENAI_TWO}, {file: %KEY%}, OPENAI_UNSET]
    base_url: https://eu.example.com/v1/
    model: gpt-4o
    1k_token_cost_cents: 0.5
  - name: house
    kind: openai
    base_url: http://127.0.0.1:9999/v1
    credentials: [HOUSE_KEY]
    model: llama-3
    models:
      - {name: llama-3, input: "0.1", output: "0.2", context: 8192}
aliases:
  fast: {targets: [{provider: openai, model: gpt-4o-mini}, {provider: house, model: llama-3}]}
  split: {mode: weighted, targets: [{provider: claude, model: c, weight: 3}, {provider: gemini, model: g}]}
routing:
  weights: {latency: 0.5}
  fallback_order: [house, gemini]
  routes: {review: [{provider: claude, model: claude-haiku-4-5}]}
  max_attempts: 4
  deadline: 45s
`

func TestTheFileSaysWhatVariablesDoNot(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("three\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := configFile(t, strings.ReplaceAll(wholeFile, "%KEY%", key))
	c, err := bootstrap.Load(map[string]string{"CONFIG_FILE": path, "OPENAI_ONE": "one", "OPENAI_TWO": " two ", "HOUSE_KEY": "h", "OPENAI_MODEL": "gpt-5"})
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]bootstrap.ProviderConfig{}
	for _, p := range c.Providers() {
		byName[p.Name] = p
	}
	var keys []string
	for _, k := range byName["openai"].Keys {
		keys = append(keys, k.Reveal())
	}
	if want := []string{"one", "two", "three"}; !slices.Equal(keys, want) {
		t.Errorf("the keys of openai: got %v, want %v", keys, want)
	}
	openai := byName["openai"]
	if openai.BaseURL != "https://eu.example.com/v1" || openai.Model != "gpt-5" || openai.CostCents == nil || *openai.CostCents != 0.5 || openai.Catalogue != "openai" {
		t.Errorf("openai: got %+v; want the file's URL and cost, and the variable's model", openai)
	}
	house := byName["house"]
	if house.Vendor != "openai" || house.Catalogue != "house" || house.Model != "llama-3" || len(house.Keys) != 1 {
		t.Errorf("house: got %+v; want a server of the kind openai with models of its own", house)
	}
	d := c.Defaults()
	want := routing.Defaults{
		Order: []string{"house", "gemini", "openrouter", "openai", "claude"}, Weights: routing.Weights{Cost: 1, Latency: 0.5, SLOPenalty: 0.5},
		Routes:      map[routing.TaskType][]routing.Target{routing.Review: {{Provider: "claude", Model: "claude-haiku-4-5"}}},
		MaxAttempts: 4, Deadline: 45 * time.Second,
		Aliases: []routing.Alias{
			{Name: "fast", Mode: routing.Ordered, Targets: []routing.AliasTarget{
				{Target: routing.Target{Provider: "openai", Model: "gpt-4o-mini"}, Weight: 1}, {Target: routing.Target{Provider: "house", Model: "llama-3"}, Weight: 1},
			}},
			{Name: "split", Mode: routing.Weighted, Targets: []routing.AliasTarget{
				{Target: routing.Target{Provider: "claude", Model: "c"}, Weight: 3}, {Target: routing.Target{Provider: "gemini", Model: "g"}, Weight: 1},
			}},
		},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("the defaults: -want +got:\n%s", diff)
	}
}

func TestVariablesWin(t *testing.T) {
	path := configFile(t, strings.ReplaceAll(wholeFile, "%KEY%", "/nowhere"))
	c, err := bootstrap.Load(map[string]string{
		"CONFIG_FILE": path, "OPENAI_API_KEY": "mine", "OPENAI_ONE": "one", "OPENAI_BASE_URL": "https://mine.example.com", "OPENAI_1K_TOKEN_COST_CENTS": "7",
		"ROUTER_FALLBACK_ORDER": "claude",
	})
	if err != nil {
		t.Fatal(err)
	}
	p := c.Providers()[1]
	if len(p.Keys) != 1 || p.Keys[0].Reveal() != "mine" || p.BaseURL != "https://mine.example.com" || *p.CostCents != 7 || p.Model != "gpt-4o" {
		t.Errorf("openai: got %+v, want what the variables say, and the file's model", p)
	}
	if order := c.Defaults().Order; order[0] != "claude" {
		t.Errorf("the order: got %v, want that of the variable", order)
	}
}

func TestEveryMistakeOfTheFileIsNamed(t *testing.T) {
	tests := map[string]struct {
		file string
		want []string
	}{
		"no such file":                   {"", []string{"CONFIG_FILE: cannot be read: there is no such file"}},
		"no YAML":                        {"a: [", []string{"CONFIG_FILE: "}},
		"a list in place of a map":       {"- a", []string{"CONFIG_FILE: "}},
		"an unknown field":               {"provider: []", []string{"provider"}},
		"a secret in the wrong place":    {"providers: [{name: openai, credentials: [sk-secret-1234]}]", []string{"providers[0].credentials[0]: must be the name of a variable, not a key"}},
		"a number in the wrong place":    {"routing: {max_attempts: sk-secret-1234}", []string{"CONFIG_FILE: "}},
		"a name that cannot be":          {"providers: [{name: My/House, kind: openai, base_url: http://x, model: m}]", []string{"providers[0].name"}},
		"a name twice":                   {"providers: [{name: openai}, {name: openai}]", []string{"providers[1].name: stands twice"}},
		"the router's name":              {"providers: [{name: auto, kind: openai, base_url: http://x, model: m}]", []string{"providers[0].name"}},
		"a server that says nothing":     {"providers: [{name: house}]", []string{"providers[0].kind", "providers[0].base_url", "providers[0].model"}},
		"a kind that is none":            {"providers: [{name: house, kind: cobol, base_url: http://x, model: m}]", []string{"providers[0].kind: must be one of"}},
		"openai of another kind":         {"providers: [{name: openai, kind: gemini}]", []string{"providers[0].kind: must be openai"}},
		"an address with a password":     {"providers: [{name: openai, base_url: 'http://a:b@x/'}]", []string{"providers[0].base_url"}},
		"a cost below nothing":           {"providers: [{name: openai, 1k_token_cost_cents: -1}]", []string{"providers[0].1k_token_cost_cents"}},
		"a credential in two places":     {"providers: [{name: openai, credentials: [{env: A, file: b}]}]", []string{"providers[0].credentials[0]"}},
		"an alias of a stranger":         {"aliases: {fast: {targets: [{provider: acme, model: m}]}}", []string{"aliases.fast.targets.0.provider"}},
		"an alias for nothing":           {"aliases: {fast: {}}", []string{"aliases.fast.targets"}},
		"an alias by the router's name":  {"aliases: {auto: {targets: [{provider: openai, model: m}]}}", []string{"aliases.auto.name"}},
		"weights that are none":          {"routing: {weights: {cost: .nan, latency: -1, slo_penalty: .inf}}", []string{"routing.weights.cost", "routing.weights.latency", "routing.weights.slo_penalty"}},
		"a task type that is none":       {"routing: {routes: {poetry: [{provider: openai, model: m}]}}", []string{"routing.routes.poetry"}},
		"a route to a stranger":          {"routing: {routes: {review: [{provider: acme, model: m}]}}", []string{"routing.routes.review.0.provider"}},
		"a fallback order of a stranger": {"routing: {fallback_order: [acme]}", []string{"CONFIG_FILE: routing.fallback_order: must name providers"}},
		"a deadline below nothing":       {"routing: {deadline: -1s}", []string{"routing.deadline_ms"}},
		"attempts without end":           {"routing: {max_attempts: 11}", []string{"routing.max_attempts"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "missing.yaml")
			if tt.file != "" {
				path = configFile(t, tt.file)
			}
			_, err := bootstrap.Load(map[string]string{"CONFIG_FILE": path, "OPENAI_API_KEY": "x"})
			wrong, ok := errors.AsType[*bootstrap.ConfigError](err)
			if !ok {
				t.Fatalf("got %v, want the mistakes", err)
			}
			all := strings.Join(wrong.Mistakes, "\n")
			for _, want := range tt.want {
				if !strings.Contains(all, want) {
					t.Errorf("got %q, want %q in it", all, want)
				}
			}
			if strings.Contains(all, "sk-secret") {
				t.Errorf("a value is told: %q", all)
			}
		})
	}
}

func TestAnEmptyFileSaysNothing(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n", "providers:\naliases:\n"} {
		if _, err := bootstrap.Load(map[string]string{"CONFIG_FILE": configFile(t, text)}); err != nil {
			t.Errorf("%q: got %v, want none", text, err)
		}
	}
}

func TestPricesOfTheFileLieOverTheBundledOnes(t *testing.T) {
	table := filepath.Join(t.TempDir(), "table.json")
	write := func(text string) {
		if err := os.WriteFile(table, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`[{"vendor":"openai","name":"gpt-4o-mini","input":"7","output":"8"},{"vendor":"openai","name":"gpt-4o","input":"9","output":"9"}]`)
	path := configFile(t, `
providers:
  - {name: house, kind: openai, base_url: "http://127.0.0.1:9/v1", model: llama, models: [{name: llama, input: 0.1, output: "0.25", context: 8192, features: [tools]}]}
prices: [{vendor: openai, name: gpt-4o, input: "1.5"}]
`)
	for name, tt := range map[string]struct {
		vendor, model string
		cents         float64 // of a thousand input and a thousand output tokens
	}{
		"of the table":                {"openai", "gpt-4o-mini", 1.5},
		"of the file, over the table": {"openai", "gpt-4o", 1.05},
		"of a server's own model":     {"house", "llama", 0.035},
	} {
		c, err := bootstrap.Load(map[string]string{"CONFIG_FILE": path, "CATALOGUE_FILE": table})
		if err != nil {
			t.Fatal(err)
		}
		m, ok, err := bootstrap.ModelOf(c, tt.vendor, tt.model)
		if err != nil || !ok || !m.Priced {
			t.Errorf("%s: got %v %v %v, want a price", name, m, ok, err)
			continue
		}
		if got := m.Price.Cents(1000, 1000); got < tt.cents*0.999999 || got > tt.cents*1.000001 {
			t.Errorf("%s: got %v cents, want %v", name, got, tt.cents)
		}
	}
	for name, wrong := range map[string]string{"no JSON": "{", "a price below nothing": `[{"vendor":"openai","name":"x","input":"-1","output":"1"}]`} {
		write(wrong)
		c, err := bootstrap.Load(map[string]string{"CATALOGUE_FILE": table})
		if err == nil {
			_, _, err = bootstrap.ModelOf(c, "openai", "gpt-4o")
		}
		if err == nil || !strings.Contains(err.Error(), "CATALOGUE_FILE") {
			t.Errorf("%s: got %v, want CATALOGUE_FILE named", name, err)
		}
	}
}
