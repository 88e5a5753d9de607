package gateway_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/change"
)

func TestModelNames(t *testing.T) {
	tests := map[string]struct {
		model, task string
		want        string // provider/model asked, and the task
		code        string
	}{
		"nothing is routed":              {"", "", "openrouter/openai/gpt-4o-mini general", ""},
		"auto is routed":                 {"auto", "review", "openrouter/openai/gpt-4o-mini review", ""},
		"auto with a task":               {"auto:code_generation", "", "openrouter/openai/gpt-4o-mini code_generation", ""},
		"the task that is given wins":    {"auto:code_generation", "review", "openrouter/openai/gpt-4o-mini review", ""},
		"auto with a task unknown":       {"auto:bogus", "", "", "model_not_found"},
		"auto with no task":              {"auto:", "", "", "model_not_found"},
		"a pin":                          {"claude/claude-opus-4-5", "", "claude/claude-opus-4-5 general", ""},
		"a pin nobody knows":             {"openai/my-own-tune", "", "openai/my-own-tune general", ""},
		"a pin with slashes":             {"openrouter/openai/gpt-4o", "", "openrouter/openai/gpt-4o general", ""},
		"a pin without model":            {"openai/", "", "", "model_not_found"},
		"a bare name":                    {"gemini-2.5-pro", "", "gemini/gemini-2.5-pro general", ""},
		"a bare snapshot":                {"gpt-4o-2024-08-06", "", "openai/gpt-4o-2024-08-06 general", ""},
		"a bare name with a slash":       {"anthropic/claude-haiku-4.5", "", "openrouter/anthropic/claude-haiku-4.5 general", ""},
		"a default of no catalogue":      {"house-model", "", "gemini/house-model general", ""},
		"a name nobody knows":            {"gpt-99", "", "", "model_not_found"},
		"a name with a maker's prefix":   {"meta/llama-99", "", "", "model_not_found"},
		"a name that is none":            {"openai/a\x00b", "", "", "model_not_found"},
		"a name without end":             {"openai/" + strings.Repeat("x", 300), "", "", "model_not_found"},
		"a name that is no text":         {"openai/\xff", "", "", "model_not_found"},
		"auto with a task that is none":  {"auto:\xff", "", "", "model_not_found"},
		"a task type unknown":            {"", "poetry", "", "validation_failed"},
		"a pin with a task":              {"openai/gpt-4o", "analysis", "openai/gpt-4o analysis", ""},
		"a pin of the marketplace by us": {"openai/gpt-4o", "", "openai/gpt-4o general", ""},
	}
	o := options{connections: func(c map[string]*outbound.Connection) { c["gemini"].DefaultModel = "house-model" }}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, o, func(t *testing.T, w *world) {
				call := request(tt.model)
				call.TaskType = tt.task
				a, err := w.Execute(t.Context(), call)
				if tt.code != "" {
					if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != tt.code {
						t.Fatalf("error %v, want %s", err, tt.code)
					}
					if len(w.asked()) > 0 || len(w.book.rows) > 0 {
						t.Errorf("asked %v and kept %d rows for a name that is none", w.asked(), len(w.book.rows))
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				got := a.Receipt.Provider + "/" + a.Receipt.Model + " " + string(a.Receipt.Task)
				if got != tt.want || w.vendors[a.Receipt.Provider].asked[0].Model != a.Receipt.Model {
					t.Errorf("asked %s, want %s", got, tt.want)
				}
			})
		})
	}
}

func TestABareNameGoesToAConfiguredConnectionOfItsVendor(t *testing.T) {
	two := func(first, second int) options {
		return options{connections: func(c map[string]*outbound.Connection) {
			c["openrouter"].Vendor, c["openrouter"].Credentials = "openai", c["openrouter"].Credentials[:first]
			c["openai"].Credentials = c["openai"].Credentials[:second]
		}}
	}
	for name, tt := range map[string]struct {
		o    options
		want string
	}{
		"both configured":         {two(1, 1), "openrouter"},
		"only the second":         {two(0, 1), "openai"},
		"a default model's owner": {two(1, 1), "openrouter"},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, tt.o, func(t *testing.T, w *world) {
				a, err := w.Execute(t.Context(), request("gpt-4o"))
				if err != nil || a.Receipt.Provider != tt.want {
					t.Errorf("asked %s, error %v; want %s", a.Receipt.Provider, err, tt.want)
				}
			})
		})
	}
}

func TestRefusals(t *testing.T) {
	none := func(c map[string]*outbound.Connection) {
		for _, each := range c {
			each.Credentials = nil
		}
	}
	without := func(name string) func(map[string]*outbound.Connection) {
		return func(c map[string]*outbound.Connection) { c[name].Credentials = nil }
	}
	rest := func(w *world, names ...string) {
		for i, name := range names {
			w.circuits.Rest(outbound.Circuit{Provider: name, Model: defaults[name], Credential: name + "-1"}, now().Add(time.Duration(i+1)*time.Minute))
		}
	}
	open := func(w *world, name string) {
		for range threshold {
			report, _ := w.circuits.Allow(outbound.Circuit{Provider: name, Model: defaults[name], Credential: name + "-1"})
			report(chat.Fail(chat.ClassServer, nil))
		}
	}
	tests := map[string]struct {
		connections func(map[string]*outbound.Connection)
		policy      func(*routing.Policy) error
		before      func(*world)
		call        func(*inbound.Call)
		kind        fault.Kind
		code        string
		says        []string
		after       time.Duration
	}{
		"no provider is configured": {
			connections: none, kind: fault.Unavailable, code: "no_provider_available",
			says: []string{"openrouter not_configured", "openai not_configured", "claude not_configured", "gemini not_configured"},
		},
		"a known model whose provider has no key": {
			connections: without("claude"), call: func(c *inbound.Call) { c.Model = "claude-haiku-4-5" },
			kind: fault.Unavailable, code: "no_provider_available", says: []string{"claude", "not_configured"},
		},
		"a pin of a disabled provider": {
			policy: func(p *routing.Policy) error { return change.Disable(p, "openai") }, call: func(c *inbound.Call) { c.Model = "openai/gpt-4o" },
			kind: fault.Forbidden, code: "provider_disabled", says: []string{"openai"},
		},
		"a pin against a force": {
			policy: func(p *routing.Policy) error { return change.Force(p, "claude") }, call: func(c *inbound.Call) { c.Model = "gpt-4o" },
			kind: fault.Forbidden, code: "provider_disabled", says: []string{"claude is forced"},
		},
		"a pin that the policy does not allow": {
			policy: func(p *routing.Policy) error { return change.Allow(p, "gpt-4o") }, call: func(c *inbound.Call) { c.Model = "gpt-4o-mini" },
			kind: fault.Forbidden, code: "provider_disabled", says: []string{"openai/gpt-4o-mini"},
		},
		"a forced provider without key": {
			connections: without("claude"), policy: func(p *routing.Policy) error { return change.Force(p, "claude") },
			kind: fault.Unavailable, code: "no_provider_available", says: []string{"provider claude is forced", "claude not_configured"},
		},
		"a forced provider whose breaker is open": {
			before: func(w *world) { open(w, "claude") }, policy: func(p *routing.Policy) error { return change.Force(p, "claude") },
			kind: fault.Unavailable, code: "no_provider_available", says: []string{"provider claude is forced", "claude breaker_open until 2"}, after: time.Minute,
		},
		"all rate limited": {
			before: func(w *world) { rest(w, names...) }, kind: fault.Exhausted, code: "providers_rate_limited",
			says: []string{"openrouter rate_limited until 2"}, after: time.Minute,
		},
		"those that are configured are rate limited": {
			connections: without("claude"), before: func(w *world) { rest(w, "gemini", "openai", "openrouter") },
			kind: fault.Exhausted, code: "providers_rate_limited", says: []string{"claude not_configured"}, after: time.Minute,
		},
		"one rate limited, the other refused": {
			before: func(w *world) {
				rest(w, "gemini")
				for _, name := range names[:3] {
					w.circuits.Rest(outbound.Circuit{Provider: name, Credential: name + "-1"}, now().Add(2*time.Minute))
				}
			},
			kind: fault.Exhausted, code: "providers_rate_limited", says: []string{"claude rate_limited (credential refused) until 2"}, after: time.Minute,
		},
		"some rate limited, one breaker open": {
			before: func(w *world) { rest(w, "gemini", "openai", "openrouter"); open(w, "claude") },
			kind:   fault.Unavailable, code: "no_provider_available", says: []string{"claude breaker_open until 2", "openai rate_limited until 2"}, after: time.Minute,
		},
		"one breaker open, the others rate limited": {
			before: func(w *world) { rest(w, "gemini", "openai", "claude"); open(w, "openrouter") },
			kind:   fault.Unavailable, code: "no_provider_available", after: time.Minute,
		},
		"a pin that rests": {
			before: func(w *world) { rest(w, "openai") }, call: func(c *inbound.Call) { c.Model = "gpt-4o-mini" },
			kind: fault.Exhausted, code: "providers_rate_limited", says: []string{"openai/gpt-4o-mini"}, after: time.Minute,
		},
		"a pin whose breaker is open": {
			before: func(w *world) { open(w, "openai") }, call: func(c *inbound.Call) { c.Model = "gpt-4o-mini" },
			kind: fault.Unavailable, code: "no_provider_available", says: []string{"openai breaker_open until 2"}, after: time.Minute,
		},
		"a pin that sees no images": {
			call: func(c *inbound.Call) { c.Model, c.Vision = "gpt-3.5-turbo", true },
			kind: fault.Invalid, code: "unsupported_by_provider", says: []string{"openai/gpt-3.5-turbo", "vision"},
		},
		"a pin that knows no schemas": {
			call: func(c *inbound.Call) { c.Model, c.Schema = "gpt-3.5-turbo", true },
			kind: fault.Invalid, code: "unsupported_by_provider", says: []string{"schema"},
		},
		"a pin whose window is too small": {
			call: func(c *inbound.Call) { c.Model, c.TextBytes = "gpt-3.5-turbo", 100_000 },
			kind: fault.Invalid, code: "unsupported_by_provider", says: []string{"context window"},
		},
		"nobody's window is large enough": {
			call: func(c *inbound.Call) { c.TextBytes = 30_000_000 },
			kind: fault.Invalid, code: "unsupported_by_provider", says: []string{"gemini context_window"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, options{connections: tt.connections}, func(t *testing.T, w *world) {
				if tt.policy != nil {
					w.change(tt.policy)
				}
				if tt.before != nil {
					tt.before(w)
				}
				call := request("")
				if tt.call != nil {
					tt.call(&call)
				}
				a, err := w.Execute(t.Context(), call)
				f := wantFault(t, err, tt.kind, tt.code)
				for _, part := range tt.says {
					if !strings.Contains(f.Msg, part) {
						t.Errorf("text %q, want it to say %q", f.Msg, part)
					}
				}
				if off := f.RetryAfter - tt.after; off < -time.Second || off > time.Second {
					t.Errorf("retry after %v, want %v", f.RetryAfter, tt.after)
				}
				if len(w.asked()) > 0 || len(a.Receipt.Attempts) > 0 {
					t.Errorf("asked %v", w.asked())
				}
				row := w.row()
				if row.Outcome != tt.code || row.Provider != "" || a.Receipt.Decision.ID != row.DecisionID || len(a.Receipt.Decision.Excluded) == 0 {
					t.Errorf("row %s at %q, decision %+v; want the refusal and why", row.Outcome, row.Provider, a.Receipt.Decision)
				}
				if w.meter.lines["decision general "+tt.code] != 1 {
					t.Errorf("metered %v, want the refusal", w.meter.lines)
				}
			})
		})
	}
}

func TestRefusedCredentialsAreNotTheCallersHaste(t *testing.T) {
	for name, call := range map[string]inbound.Call{"a pin": request("gpt-4o-mini"), "routed": request("")} {
		t.Run(name, func(t *testing.T) {
			in(t, options{}, func(t *testing.T, w *world) {
				for _, provider := range names {
					w.plays(provider, failed(chat.ClassAuth))
				}
				w.change(func(p *routing.Policy) error { return change.Limit(p, 10, 0) })
				_, err := w.Execute(t.Context(), call)
				wantFault(t, err, fault.Upstream, "provider_error")
				_, err = w.Execute(t.Context(), call)
				f := wantFault(t, err, fault.Unavailable, "no_provider_available")
				if f.RetryAfter != cooldown {
					t.Errorf("retry after %v, want the cooldown", f.RetryAfter)
				}
				time.Sleep(cooldown)
				if _, err = w.Execute(t.Context(), call); err != nil {
					t.Errorf("after the cooldown: %v", err)
				}
			})
		})
	}
}

func TestACallThatCannotBeAccountedForIsNotMade(t *testing.T) {
	for _, how := range []string{"whole", "stream"} {
		t.Run(how, func(t *testing.T) {
			in(t, options{room: 1}, func(t *testing.T, w *world) {
				if got := ways(w)[how](t.Context(), request("")); got.err != nil {
					t.Fatal(got.err)
				}
				got := ways(w)[how](t.Context(), request(""))
				wantFault(t, got.err, fault.Unavailable, "busy")
				if n := w.vendors["openrouter"].calls(); n != 1 {
					t.Errorf("the vendor was asked %d times, want once", n)
				}
			})
		})
	}
}

func TestABodyThatCannotBeParsedEndsTheCall(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		call := request("claude-haiku-4-5")
		call.Parse = func() (*chat.Request, error) {
			return nil, fault.New(fault.Malformed, "malformed", "no").At(fault.Field{Pointer: "/messages"})
		}
		_, err := w.Execute(t.Context(), call)
		wantFault(t, err, fault.Malformed, "malformed")
		if len(w.asked()) > 0 {
			t.Errorf("asked %v", w.asked())
		}
	})
}
