package gateway_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/change"
)

func TestModels(t *testing.T) {
	o := options{connections: func(c map[string]*outbound.Connection) {
		c["claude"].Credentials = nil
		c["gemini"].Vendor, c["gemini"].DefaultModel = "", "house-model"
	}}
	in(t, o, func(t *testing.T, w *world) {
		w.change(func(p *routing.Policy) error {
			return change.Route(p, routing.Review, routing.Target{Provider: "openai", Model: "gpt-4o"}, routing.Target{Provider: "openai", Model: "my-own-tune"})
		})
		w.circuits.Rest(outbound.Circuit{Provider: "openai", Model: "gpt-4o-mini", Credential: "openai-1"}, now().Add(time.Minute))
		views, err := w.Models(t.Context(), inbound.Caller{TenantID: "t1"})
		if err != nil {
			t.Fatal(err)
		}
		byName := map[string]inbound.ModelView{}
		for _, v := range views {
			name := v.Provider + "/" + v.Model
			if _, twice := byName[name]; twice {
				t.Errorf("%s stands twice", name)
			}
			byName[name] = v
		}
		butReview := []routing.TaskType{routing.General, routing.CodeGeneration, routing.Analysis, routing.Creative}
		want := map[string]inbound.ModelView{
			"openai/gpt-4o": {
				Provider: "openai", Model: "gpt-4o", Capabilities: routing.TaskTypes(), Features: []string{"vision", "tools", "json_schema", "streaming"},
				Context: 128_000, Price: &routing.Price{Input: 2_500_000_000_000, Output: 10_000_000_000_000, CacheRead: 1_250_000_000_000, CacheWrite: 2_500_000_000_000}, Available: true,
			},
			"openai/gpt-4o-mini": {
				Provider: "openai", Model: "gpt-4o-mini", Capabilities: butReview, Features: []string{"vision", "tools", "json_schema", "streaming"},
				Context: 128_000, Price: &routing.Price{Input: 150_000_000_000, Output: 600_000_000_000, CacheRead: 75_000_000_000, CacheWrite: 150_000_000_000}, Reason: routing.RateLimited,
			},
			"openai/my-own-tune": {
				Provider: "openai", Model: "my-own-tune", Capabilities: routing.TaskTypes(), Features: []string{"streaming"}, Available: true,
			},
			"claude/claude-haiku-4-5": {
				Provider: "claude", Model: "claude-haiku-4-5", Capabilities: butReview, Features: []string{"vision", "tools", "json_schema", "streaming"},
				Context: 200_000, Price: &routing.Price{Input: 1_000_000_000_000, Output: 5_000_000_000_000, CacheRead: 100_000_000_000, CacheWrite: 1_250_000_000_000, CacheWrite1h: 2_000_000_000_000}, Reason: routing.NotConfigured,
			},
			"gemini/house-model": {
				Provider: "gemini", Model: "house-model", Capabilities: butReview, Features: []string{"streaming"}, Available: true,
			},
		}
		for name, view := range want {
			if diff := cmp.Diff(view, byName[name]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		providers := []string{}
		for _, v := range views {
			providers = append(providers, v.Provider)
		}
		if got := slices.Compact(providers); !slices.Equal(got, names) {
			t.Errorf("providers in order %v, want %v", got, names)
		}
	})
}

func TestCapabilities(t *testing.T) {
	in(t, options{connections: func(c map[string]*outbound.Connection) { c["openai"].Credentials = nil }}, func(t *testing.T, w *world) {
		w.change(func(p *routing.Policy) error {
			if err := change.Disable(p, "gemini"); err != nil {
				return err
			}
			return change.Route(p, routing.Review, routing.Target{Provider: "openai", Model: "gpt-4o"})
		})
		w.circuits.Rest(outbound.Circuit{Provider: "claude", Model: "claude-haiku-4-5", Credential: "claude-1"}, now().Add(time.Minute))
		got, err := w.Capabilities(t.Context(), inbound.Caller{TenantID: "t1"})
		if err != nil {
			t.Fatal(err)
		}
		both := []string{"openrouter", "claude"}
		want := inbound.Capabilities{TaskTypes: routing.TaskTypes(), Matrix: map[routing.TaskType][]string{
			routing.General: both, routing.CodeGeneration: both, routing.Analysis: both, routing.Creative: both, routing.Review: {},
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestHealth(t *testing.T) {
	o := options{connections: func(c map[string]*outbound.Connection) {
		c["claude"].Credentials = nil
		c["openai"].Credentials = []outbound.Credential{{ID: "a"}, {ID: "b"}}
	}}
	in(t, o, func(t *testing.T, w *world) {
		w.change(func(p *routing.Policy) error { return change.Limit(p, 1, 0) })
		for range threshold {
			w.plays("gemini", reply{err: chat.Fail(chat.ClassOverloaded, nil)})
			_, _ = w.Execute(t.Context(), request("gemini-2.5-flash"))
		}
		w.plays("gemini", reply{err: chat.Fail(chat.ClassInvalid, nil)})
		_, _ = w.Execute(t.Context(), request("gemini/another"))
		opened := now()
		for range 5 {
			w.plays("openrouter", reply{after: time.Second})
			if _, err := w.Execute(t.Context(), request("")); err != nil {
				t.Fatal(err)
			}
		}
		breakOpen(w, outbound.Circuit{Provider: "openai", Model: "gpt-4o-mini", Credential: "a"})
		want := []inbound.ProviderHealth{
			{Name: "openrouter", Configured: true, Breaker: "closed", P95Ms: 1000, Attempts: 5, Success: 1},
			{Name: "openai", Configured: true, Breaker: "closed"},
			{Name: "claude", Breaker: "closed"},
			{Name: "gemini", Configured: true, Breaker: "open", OpenUntil: opened.Add(cooldown), Attempts: 3, LastError: "overloaded"},
		}
		if diff := cmp.Diff(want, w.Health(t.Context())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		time.Sleep(time.Second)
		breakOpen(w, outbound.Circuit{Provider: "openai", Model: "gpt-4o-mini", Credential: "b"})
		if got := w.Health(t.Context())[1]; got.Breaker != "open" || !got.OpenUntil.Equal(opened.Add(5*time.Second+cooldown)) {
			t.Errorf("with both credentials' breakers open %+v, want it open until the first is over", got)
		}
		time.Sleep(cooldown)
		if got := w.Health(t.Context())[3].Breaker; got != "half_open" {
			t.Errorf("after the cooldown %s, want half_open", got)
		}
		for i := range 150 {
			class := chat.ClassServer
			if i%2 == 0 {
				class = ""
			}
			w.plays("openrouter", reply{})
			if class != "" {
				w.plays("openrouter", failed(chat.ClassRateLimited))
			}
			_, _ = w.Execute(t.Context(), request("openrouter/x/y"))
			time.Sleep(2 * time.Second)
		}
		if got := w.Health(t.Context())[0]; got.Attempts != 100 || got.Success != 0.5 || got.LastError != "rate_limited" {
			t.Errorf("of many attempts %+v, want half of the last hundred", got)
		}
	})
}

func breakOpen(w *world, c outbound.Circuit) {
	for range threshold {
		report, _ := w.circuits.Allow(c)
		report(chat.Fail(chat.ClassServer, nil))
	}
}
