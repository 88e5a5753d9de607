package gateway_test

import (
	"context"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// Count implements outbound.Counter.
func (v *vendor) Count(ctx context.Context, to outbound.Target, r *chat.Request) (int, error) {
	defer v.done()
	_, err := v.begin(ctx, to, r, nil)
	return 1000 + len(r.Messages), err
}

// counters has claude take the body as it is, gemini count by translation, and the others not at all.
var counters = options{connections: func(conns map[string]*outbound.Connection) {
	claude := conns["claude"].Provider.(*vendor)
	claude.dialect = chat.DialectAnthropicCount
	conns["claude"].Relays = []outbound.Relay{claude}
	conns["gemini"].Counter = conns["gemini"].Provider.(*vendor)
}}

func countOf(model string) inbound.Call {
	c := request(model)
	c.Surface, c.Dialect, c.Body = inbound.SurfaceCountTokens, chat.DialectAnthropicCount, []byte(`{}`)
	return c
}

func TestTokensAreCountedByTheVendorThatWouldAnswer(t *testing.T) {
	tests := map[string]struct {
		model string
		fails reply
		want  inbound.Count
	}{
		"as bytes":               {"claude/claude-haiku-4-5", reply{}, inbound.Count{Body: []byte("hello")}},
		"translated":             {"gemini/gemini-2.5-flash", reply{}, inbound.Count{Tokens: 1001}},
		"not at all":             {"openai/gpt-4o-mini", reply{}, inbound.Count{Tokens: 100, Estimated: true}},
		"by one that fails":      {"gemini/gemini-2.5-flash", failed(chat.ClassServer), inbound.Count{Tokens: 100, Estimated: true}},
		"by one that is limited": {"claude/claude-haiku-4-5", limited(0), inbound.Count{Tokens: 100, Estimated: true}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, counters, func(t *testing.T, w *world) {
				for vendor := range w.vendors {
					w.plays(vendor, tt.fails)
				}
				got, err := w.Count(t.Context(), countOf(tt.model))
				if err != nil || string(got.Body) != string(tt.want.Body) || got.Tokens != tt.want.Tokens || got.Estimated != tt.want.Estimated {
					t.Errorf("%+v, %v; want %+v", got, err, tt.want)
				}
				if len(w.book.rows) != 0 {
					t.Error("a row was kept, though nothing was used")
				}
			})
		})
	}
}

func TestWhatACountLeavesOutIsNamed(t *testing.T) {
	in(t, counters, func(t *testing.T, w *world) {
		odd := countOf("gemini/gemini-2.5-flash")
		odd.Parse = func() (*chat.Request, error) {
			return &chat.Request{Messages: []chat.Message{chat.Text(chat.RoleUser, "hi")}, Untranslated: []string{"speed"}}, nil
		}
		got, err := w.Count(t.Context(), odd)
		if err != nil || len(got.Receipt.Dropped) != 1 || got.Receipt.Dropped[0] != "speed" {
			t.Errorf("got %+v, %v; want speed told", got.Receipt.Dropped, err)
		}
	})
}

func TestWhatCannotBeCounted(t *testing.T) {
	in(t, counters, func(t *testing.T, w *world) {
		_, err := w.Count(t.Context(), countOf("unheard-of"))
		wantFault(t, err, fault.NotFound, "model_not_found")
		w.plays("gemini", reply{err: &chat.Failure{Class: chat.ClassInvalid, Message: "no"}})
		_, err = w.Count(t.Context(), countOf("gemini/gemini-2.5-flash"))
		wantFault(t, err, fault.Malformed, "invalid_request")
		unread := countOf("gemini/gemini-2.5-flash")
		unread.Parse = func() (*chat.Request, error) { return nil, fault.New(fault.Malformed, "wrong_type", "no") }
		_, err = w.Count(t.Context(), unread)
		wantFault(t, err, fault.Malformed, "wrong_type")
		w.change(func(p *routing.Policy) error {
			return p.SetFlag(routing.Flag{Name: routing.DisableFlag("gemini"), Enabled: true})
		})
		_, err = w.Count(t.Context(), countOf("gemini/gemini-2.5-flash"))
		wantFault(t, err, fault.Forbidden, "provider_disabled")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w.plays("claude", reply{after: time.Second})
		_, err = w.Count(ctx, countOf("claude/claude-haiku-4-5"))
		wantFault(t, err, fault.Canceled, "canceled")
	})
}

func TestATenantCanHaveAllItsCallsStrict(t *testing.T) {
	for _, strict := range []bool{false, true} {
		in(t, options{}, func(t *testing.T, w *world) {
			w.change(func(p *routing.Policy) error {
				return p.SetFlag(routing.Flag{Name: routing.FlagStrict, Enabled: strict})
			})
			if _, err := w.Execute(t.Context(), request("claude/claude-haiku-4-5")); err != nil {
				t.Fatal(err)
			}
			if got := w.vendors["claude"].seen[0].Strict; got != strict {
				t.Errorf("the flag is %t and the vendor was told %t", strict, got)
			}
		})
	}
}
