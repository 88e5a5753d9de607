package gateway_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/forge1/forge1/application/gateway"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/change"
)

func nanos(n int64) *int64 { return &n }

func TestWhatACallCosts(t *testing.T) {
	tests := map[string]struct {
		model  string
		script reply
		usage  chat.Usage
		source chat.UsageSource
		cost   *int64
	}{
		"the catalogue's price": {
			"openai/gpt-4o-mini",
			reply{usage: &chat.Usage{Input: 1000, Output: 500, CacheRead: 400, Reasoning: 100}},
			chat.Usage{Input: 1000, Output: 500, CacheRead: 400, Reasoning: 100},
			chat.UsageProvider,
			nanos(600*150 + 400*75 + 500*600),
		},
		"what was written to the vendor's cache": {
			"claude-haiku-4-5",
			reply{usage: &chat.Usage{Input: 1000, Output: 10, CacheRead: 300, CacheWrite: 200}},
			chat.Usage{Input: 1000, Output: 10, CacheRead: 300, CacheWrite: 200},
			chat.UsageProvider,
			nanos(500*1000 + 300*100 + 200*1250 + 10*5000),
		},
		"the vendor's own word": {
			"openrouter/openai/gpt-4o-mini",
			reply{usage: &chat.Usage{Input: 1000, Output: 500, CostNanos: nanos(60)}},
			chat.Usage{Input: 1000, Output: 500, CostNanos: nanos(60)},
			chat.UsageProvider, nanos(60),
		},
		"a snapshot": {
			"gpt-4o-mini-2024-07-18", reply{usage: &chat.Usage{Input: 1000}}, chat.Usage{Input: 1000}, chat.UsageProvider, nanos(150_000),
		},
		"an unpriced model": {
			"openai/my-own-tune", reply{usage: &chat.Usage{Input: 1000}}, chat.Usage{Input: 1000}, chat.UsageProvider, nil,
		},
		"nobody counted": {
			"gpt-4o-mini", reply{text: "nine byte", silent: true}, chat.Usage{Input: 100, Output: 3}, chat.UsageEstimated, nanos(100*150 + 3*600),
		},
	}
	for name, tt := range tests {
		for _, how := range []string{"whole", "stream"} {
			t.Run(name+", "+how, func(t *testing.T) {
				in(t, options{}, func(t *testing.T, w *world) {
					for _, v := range w.vendors {
						v.script = []reply{tt.script}
					}
					got := ways(w)[how](t.Context(), request(tt.model))
					if got.err != nil {
						t.Fatal(got.err)
					}
					r := got.receipt
					if diff := cmp.Diff(tt.usage, r.Usage); diff != "" || r.UsageSource != tt.source {
						t.Errorf("usage by %s, want %s (-want +got):\n%s", r.UsageSource, tt.source, diff)
					}
					if diff := cmp.Diff(tt.cost, r.CostNanos); diff != "" {
						t.Errorf("cost (-want +got):\n%s", diff)
					}
				})
			})
		}
	}
}

func TestTheRow(t *testing.T) {
	in(t, options{settings: gateway.Settings{Region: "eu"}}, func(t *testing.T, w *world) {
		w.plays("openrouter", reply{after: time.Second, err: chat.Fail(chat.ClassServer, nil)})
		w.plays("openai", reply{after: 2 * time.Second, usage: &chat.Usage{Input: 50, Output: 7, CacheRead: 20, CacheWrite: 1, Reasoning: 2}})
		call := request("auto:review")
		call.Stream = true // which it is not, when it is executed
		call.TraceID, call.Tags, call.EndUser = "trace", []string{"a", "b"}, "someone"
		began := now()
		a, err := w.Execute(t.Context(), call)
		if err != nil {
			t.Fatal(err)
		}
		want := outbound.Call{
			ID: "id-1", CreatedAt: began, Region: "eu", TenantID: "t1", UserID: "u1", KeyID: "k1", TraceID: "trace", Surface: "execute", TaskType: "review",
			RequestedModel: "auto:review", Provider: "openai", Model: "gpt-4o-mini", ServedModel: "gpt-4o-mini-0001", Outcome: "ok",
			InputTokens: 50, OutputTokens: 7, CachedTokens: 20, CacheWrite: 1, Reasoning: 2, UsageSource: "provider",
			CostNanos: nanos(29*150 + 20*75 + 150 + 7*600), LatencyMs: 3000, Cache: "bypass", DecisionID: "id-1",
			Attempts: []outbound.CallAttempt{
				{
					StartedAt: began, Provider: "openrouter", Model: "openai/gpt-4o-mini", Credential: "openrouter-1", Outcome: "server_error", LatencyMs: 1000,
				},
				{
					StartedAt: began.Add(time.Second), Provider: "openai", Model: "gpt-4o-mini", ServedModel: "gpt-4o-mini-0001", Credential: "openai-1",
					Outcome: "ok", LatencyMs: 2000, InputTokens: 50, OutputTokens: 7, CachedTokens: 20, CacheWrite: 1, Reasoning: 2,
					UsageSource: "provider", CostNanos: nanos(29*150 + 20*75 + 150 + 7*600),
				},
			},
			Tags: []string{"a", "b"}, EndUser: "someone",
		}
		if diff := cmp.Diff(want, w.row(), cmpopts.IgnoreFields(outbound.Call{}, "Decision")); diff != "" {
			t.Errorf("row (-want +got):\n%s", diff)
		}
		r := a.Receipt
		if r.CallID != "id-1" || r.Task != routing.Review || r.Cache != "bypass" || r.Took != 3*time.Second || r.Finish != chat.FinishStop || a.Response.First().Text() != "hello" {
			t.Errorf("receipt %+v", r)
		}
		for _, line := range []string{
			"decision review openrouter", "attempt openrouter openai/gpt-4o-mini server_error", "attempt openai gpt-4o-mini ok", "call openai gpt-4o-mini 50 7 10200",
		} {
			if w.meter.lines[line] != 1 {
				t.Errorf("metered %v, want %q once", w.meter.lines, line)
			}
		}
	})
}

func TestTheDecisionIsKeptAsJSON(t *testing.T) {
	in(t, options{connections: func(c map[string]*outbound.Connection) { c["claude"].Credentials = nil }}, func(t *testing.T, w *world) {
		w.change(func(p *routing.Policy) error { return change.Disable(p, "gemini") })
		w.plays("openrouter", reply{after: time.Second, err: chat.Fail(chat.ClassServer, nil)})
		call := request("")
		call.SLOMs = 800
		began := now()
		if _, err := w.Execute(t.Context(), call); err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(w.row().Decision.Shown, &got); err != nil {
			t.Fatalf("%v in %s", err, w.row().Decision.Shown)
		}
		candidate := func(provider, model string, rank, cents float64) map[string]any {
			return map[string]any{
				"provider": provider, "model": model, "rank": rank, "score": cents*0.2 + 10 + 100, "cost_cents": cents * 0.2, "p95_ms": 1000.0, "p95_known": false,
				"est_input_tokens": 100.0, "est_output_tokens": 100.0, "slo_penalty": 100.0,
			}
		}
		want := map[string]any{
			"id": "id-1", "created_at": began.Format(time.RFC3339Nano), "task_type": "general", "policy_version": 2.0, "snapshot_id": "id-2",
			"chosen":     map[string]any{"provider": "openrouter", "model": "openai/gpt-4o-mini"},
			"candidates": []any{candidate("openrouter", "openai/gpt-4o-mini", 1, 1), candidate("openai", "gpt-4o-mini", 2, 2)},
			"excluded": []any{
				map[string]any{"provider": "claude", "model": "claude-haiku-4-5", "reason": "not_configured"},
				map[string]any{"provider": "gemini", "model": "gemini-2.5-flash", "reason": "disabled"},
			},
			"attempts": []any{
				map[string]any{"provider": "openrouter", "model": "openai/gpt-4o-mini", "outcome": "server_error", "latency_ms": 1000.0},
				map[string]any{"provider": "openai", "model": "gpt-4o-mini", "outcome": "ok", "latency_ms": 0.0},
			},
			"outcome": "ok",
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestTheDecisionIsJSONWhateverItSays(t *testing.T) {
	tests := map[string]struct {
		model  string
		policy func(*routing.Policy) error
	}{
		"quotes and strokes in a model's name": {`openai/a"b\c`, nil},
		"names of the world":                   {"openai/模型-é", nil},
		"scores beyond all numbers": {"", func(p *routing.Policy) error {
			return change.Weights(p, routing.Weights{Cost: 1e9, Latency: 1e9, SLOPenalty: 1e9})
		}},
		"nothing chosen": {"", func(p *routing.Policy) error { return change.Allow(p, "none") }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, options{}, func(t *testing.T, w *world) {
				if tt.policy != nil {
					w.change(tt.policy)
				}
				call := request(tt.model)
				call.SLOMs = 1
				_, _ = w.Execute(t.Context(), call)
				var got struct {
					Chosen     *routing.Target
					Candidates []routing.Target
				}
				if err := json.Unmarshal(w.row().Decision.Shown, &got); err != nil {
					t.Fatalf("%v in %s", err, w.row().Decision.Shown)
				}
				if tt.model != "" && (got.Chosen == nil || got.Chosen.String() != tt.model) {
					t.Errorf("chosen %v, want %s", got.Chosen, tt.model)
				}
				if name == "nothing chosen" && (got.Chosen != nil || len(got.Candidates) > 0 || !strings.Contains(string(w.row().Decision.Shown), `"chosen":null,"candidates":[]`)) {
					t.Errorf("decision %s, want nothing chosen", w.row().Decision.Shown)
				}
			})
		})
	}
}

func TestWhatIsRelayedAndWhatIsTranslated(t *testing.T) {
	tests := map[string]struct {
		call     inbound.Call
		provider string
		relayed  bool
	}{
		"the vendor's own dialect":     {relayed("openai/gpt-4o-mini"), "openai", true},
		"another dialect":              {relayed("claude/claude-haiku-4-5"), "claude", false},
		"a client without a dialect":   {request("openai/gpt-4o-mini"), "openai", false},
		"a dialect of no vendor's own": {func() inbound.Call { c := relayed("openai/gpt-4o-mini"); c.Dialect = chat.DialectAnthropic; return c }(), "openai", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, options{}, func(t *testing.T, w *world) {
				parsed := 0
				parse := tt.call.Parse
				tt.call.Parse = func() (*chat.Request, error) { parsed++; return parse() }
				a, err := w.Execute(t.Context(), tt.call)
				if err != nil {
					t.Fatal(err)
				}
				if got := a.Body != nil; got != tt.relayed || (a.Response != nil) == tt.relayed || parsed > 0 == tt.relayed {
					t.Errorf("relayed %t and parsed %d times, want relayed %t and parsed only if not", got, parsed, tt.relayed)
				}
				v := w.vendors[tt.provider]
				if (v.bodies[0] != nil) != tt.relayed || (v.seen[0] == nil) != tt.relayed {
					t.Errorf("the vendor got body %q and request %v", v.bodies[0], v.seen[0])
				}
			})
		})
	}
}

func TestABodyIsParsedOnceForAllTargets(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.plays("openrouter", failed(chat.ClassServer))
		w.plays("openai", failed(chat.ClassServer))
		parsed := 0
		call := request("")
		call.Strict = true
		call.Parse = func() (*chat.Request, error) { parsed++; return &chat.Request{}, nil }
		if _, err := w.Execute(t.Context(), call); err != nil {
			t.Fatal(err)
		}
		if parsed != 1 || !w.vendors["claude"].seen[0].Strict {
			t.Errorf("parsed %d times, strict %t; want once, strict", parsed, w.vendors["claude"].seen[0].Strict)
		}
	})
}

func TestDroppedFieldsAreNamed(t *testing.T) {
	for _, how := range []string{"whole", "stream"} {
		t.Run(how, func(t *testing.T) {
			in(t, options{}, func(t *testing.T, w *world) {
				w.plays("claude", reply{pieces: []piece{
					{chunk: chat.Chunk{Dropped: []string{"seed", "logit_bias"}}}, text("x"), {chunk: chat.Chunk{Dropped: []string{"seed"}}}, finish(chat.FinishStop),
				}})
				call := request("claude-haiku-4-5")
				call.Parse = func() (*chat.Request, error) { return &chat.Request{Untranslated: []string{"seed", "logit_bias"}}, nil }
				got := ways(w)[how](t.Context(), call)
				if diff := cmp.Diff([]string{"seed", "logit_bias"}, got.receipt.Dropped); diff != "" || got.err != nil {
					t.Errorf("error %v, dropped (-want +got):\n%s", got.err, diff)
				}
			})
		})
	}
}

func TestLabelsAreNeverInput(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		for _, model := range []string{"openai/hostile-1", "openai/hostile-2", "openrouter/some/hostile-3:free", "gpt-4o-2024-08-06"} {
			if _, err := w.Execute(t.Context(), request(model)); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.meter.lines["attempt openai other ok"]; got != 2 {
			t.Errorf("metered %v, want the unknown models as other", w.meter.lines)
		}
		if got := w.meter.lines["attempt openrouter other ok"]; got != 1 {
			t.Errorf("metered %v, want a model of which only the price is known as other", w.meter.lines)
		}
		if got := w.meter.lines["attempt openai gpt-4o ok"]; got != 1 {
			t.Errorf("metered %v, want the snapshot under its model", w.meter.lines)
		}
	})
}
