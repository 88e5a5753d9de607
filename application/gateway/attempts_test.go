package gateway_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/application/gateway"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/change"
)

// comment is a keep-alive of a vendor.
func comment(after time.Duration) piece {
	return piece{after: after, raw: ": PROCESSING\n\n", frame: outbound.Frame{Comment: true}}
}

func TestEveryAttemptHasItsOwnBill(t *testing.T) {
	started := piece{after: time.Second, chunk: chat.Chunk{Model: "served", Usage: &chat.Usage{Input: 90, CacheRead: 40, Output: 1}}}
	tests := map[string]struct {
		script reply
		want   outbound.CallAttempt // of the first attempt, which openai makes
	}{
		"it failed before anything came": {
			reply{after: time.Second, err: chat.Fail(chat.ClassServer, nil)}, outbound.CallAttempt{LatencyMs: 1000, Outcome: "server_error"},
		},
		"it reported and broke before any content": {
			pieces(started, breaks(chat.ClassServer)), outbound.CallAttempt{
				LatencyMs: 1000, FirstByteMs: 1000, Outcome: "server_error", ServedModel: "served", InputTokens: 90, OutputTokens: 1, CachedTokens: 40,
				UsageSource: "provider", CostNanos: nanos(50*150 + 40*75 + 600),
			},
		},
		"it broke after the role": {
			pieces(piece{chunk: chat.Chunk{Model: "served"}}, breaks(chat.ClassCutOff)), outbound.CallAttempt{Outcome: "bad_response", ServedModel: "served"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, options{}, func(t *testing.T, w *world) {
				w.change(func(p *routing.Policy) error { return change.Disable(p, "openrouter") })
				w.plays("openai", tt.script)
				began := now()
				got := w.streamed(t.Context(), request(""))
				if got.err != nil {
					t.Fatal(got.err)
				}
				row := w.row()
				tt.want.StartedAt, tt.want.Provider, tt.want.Model, tt.want.Credential = began, "openai", "gpt-4o-mini", "openai-1"
				if got := row.Attempts[0]; !equal(got, tt.want) {
					t.Errorf("first attempt\n%+v, want\n%+v", got, tt.want)
				}
				second := row.Attempts[1]
				if second.InputTokens != 100 || second.OutputTokens != 20 || second.CostNanos == nil || second.StartedAt.Before(began) {
					t.Errorf("second attempt %+v, want what its vendor reported", second)
				}
				if row.InputTokens != 100+tt.want.InputTokens || row.OutputTokens != 20+tt.want.OutputTokens {
					t.Errorf("the row has %d and %d tokens, want the sum", row.InputTokens, row.OutputTokens)
				}
				want := *second.CostNanos
				if tt.want.CostNanos != nil {
					want += *tt.want.CostNanos
				}
				if row.CostNanos == nil || *row.CostNanos != want || *got.receipt.CostNanos != want {
					t.Errorf("the row costs %v, want the sum %d", row.CostNanos, want)
				}
			})
		})
	}
}

// equal compares attempts; what they cost by value.
func equal(a, b outbound.CallAttempt) bool {
	if (a.CostNanos == nil) != (b.CostNanos == nil) || a.CostNanos != nil && *a.CostNanos != *b.CostNanos {
		return false
	}
	a.CostNanos, b.CostNanos = nil, nil
	return a == b
}

func TestAStreamThatBreaksInItsMiddleIsBilled(t *testing.T) {
	tests := map[string]struct {
		script reply
		in     int
		out    int
		source string
	}{
		"what was reported so far": {
			pieces(piece{chunk: chat.Chunk{Usage: &chat.Usage{Input: 90, Output: 1}}}, text("hello you"), breaks(chat.ClassCutOff)), 90, 1, "provider",
		},
		"else an estimate": {pieces(text("hello you"), breaks(chat.ClassCutOff)), 100, 3, "estimated"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, options{}, func(t *testing.T, w *world) {
				w.plays("openai", tt.script)
				got := w.streamed(t.Context(), request("gpt-4o-mini"))
				wantFault(t, got.err, fault.Upstream, "provider_error")
				row := w.row()
				a := row.Attempts[0]
				if len(row.Attempts) != 1 || a.InputTokens != tt.in || a.OutputTokens != tt.out || a.UsageSource != tt.source || a.CostNanos == nil {
					t.Errorf("attempts %+v, want one of %d and %d tokens, %s", row.Attempts, tt.in, tt.out, tt.source)
				}
				if row.InputTokens != tt.in || row.CostNanos == nil || *row.CostNanos != *a.CostNanos || row.UsageSource != tt.source {
					t.Errorf("row %+v, want the attempt's", row)
				}
			})
		})
	}
}

func TestASumWithAnUnpricedPartHasNoPrice(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.aliased(alias("two", routing.Ordered, "openai/my-own-tune", "claude/claude-haiku-4-5"))
		w.plays("openai", pieces(piece{chunk: chat.Chunk{Usage: &chat.Usage{Input: 90}}}, breaks(chat.ClassServer)))
		got := w.streamed(t.Context(), request("two"))
		if got.err != nil || got.receipt.CostNanos != nil || got.receipt.Usage.Input != 190 {
			t.Errorf("error %v, cost %v, usage %+v; want no price, as a part of it has none", got.err, got.receipt.CostNanos, got.receipt.Usage)
		}
	})
}

func TestNumbersThatCannotBeAreBounded(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.plays("openai", reply{usage: &chat.Usage{Input: -5, Output: 1 << 60, CacheRead: -1, CostNanos: nanos(-7)}})
		if _, err := w.Execute(t.Context(), request("gpt-4o-mini")); err != nil {
			t.Fatal(err)
		}
		if row := w.row(); row.InputTokens != 0 || row.OutputTokens != 1_000_000_000 || row.CachedTokens != 0 || *row.CostNanos != 600_000_000_000 {
			t.Errorf("row of %d and %d tokens for %d, want numbers that can be", row.InputTokens, row.OutputTokens, *row.CostNanos)
		}
	})
}

func TestTheFirstEventMustComeInTime(t *testing.T) {
	slow := []piece{comment(4 * time.Second), comment(4 * time.Second), comment(4 * time.Second), comment(4 * time.Second)}
	settings := gateway.Settings{FirstByteTimeout: 10 * time.Second}
	t.Run("keep-alives are none", func(t *testing.T) {
		in(t, options{settings: settings}, func(t *testing.T, w *world) {
			w.plays("openrouter", reply{pieces: append(slices.Clone(slow), content("late"))})
			began := now()
			got := w.streamed(t.Context(), relayed(""))
			if got.err != nil || got.text != "hello" {
				t.Fatalf("text %q, error %v; want the next provider's", got.text, got.err)
			}
			wantTried(t, got.receipt, "openrouter timeout", "openai ok")
			if took := now().Sub(began); took != 10*time.Second {
				t.Errorf("it took %v, want the ten seconds that a first event may take", took)
			}
			if a := w.row().Attempts[0]; a.FirstByteMs != 0 || a.LatencyMs != 10_000 {
				t.Errorf("first attempt %+v, want no first byte", a)
			}
		})
	})
	t.Run("what comes after it may take longer", func(t *testing.T) {
		in(t, options{settings: settings}, func(t *testing.T, w *world) {
			role := piece{after: 9 * time.Second, raw: "role", frame: outbound.Frame{Model: "m"}}
			w.plays("openrouter", reply{pieces: append(append([]piece{role}, slow...), content("late"), piece{raw: "end", frame: outbound.Frame{Finish: chat.FinishStop}})})
			got := w.streamed(t.Context(), relayed(""))
			if got.err != nil || strings.ReplaceAll(got.text, ": PROCESSING\n\n", "") != "rolelateend" {
				t.Fatalf("text %q, error %v; want the first provider's", got.text, got.err)
			}
			row := w.row()
			if row.Attempts[0].FirstByteMs != 9000 || row.FirstByteMs != 25_000 {
				t.Errorf("first byte of the attempt after %d ms, of the call after %d ms; want its first event and its first content",
					row.Attempts[0].FirstByteMs, row.FirstByteMs)
			}
		})
	})
	t.Run("it counts against the breaker", func(t *testing.T) {
		in(t, options{settings: settings}, func(t *testing.T, w *world) {
			w.change(func(p *routing.Policy) error { return change.Limit(p, 1, 0) })
			for range threshold {
				w.plays("openai", reply{after: time.Hour})
				got := w.streamed(t.Context(), request("gpt-4o-mini"))
				wantFault(t, got.err, fault.Timeout, "provider_timeout")
			}
			if v := w.circuits.View(outbound.Circuit{Provider: "openai", Model: "gpt-4o-mini", Credential: "openai-1"}); v.State != outbound.Open {
				t.Errorf("breaker %+v, want it open", v)
			}
		})
	})
}

func TestAVendorsStatusOfARefusalStays(t *testing.T) {
	for status, kind := range map[int]fault.Kind{400: fault.Malformed, 422: fault.Invalid, 0: fault.Malformed} {
		in(t, options{}, func(t *testing.T, w *world) {
			w.plays("openrouter", reply{err: &chat.Failure{Class: chat.ClassInvalid, Status: status, Message: "top_k: must be positive", Param: "top_k"}})
			a, err := w.Execute(t.Context(), request(""))
			if f := wantFault(t, err, kind, "invalid_request"); f.Msg != "top_k: must be positive" || f.Param != "top_k" {
				t.Errorf("%d: text %q, param %q; want the vendor's", status, f.Msg, f.Param)
			}
			wantTried(t, a.Receipt, "openrouter bad_response")
		})
	}
}
