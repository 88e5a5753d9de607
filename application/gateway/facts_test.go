package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/forge1/forge1/application/gateway"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/change"
)

// explain decides, and gives the candidates as text: provider, p95 in milliseconds if known, estimated output.
func explain(t *testing.T, w *world, call inbound.Call) []string {
	t.Helper()
	d, err := w.Explain(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range d.Candidates {
		p95 := "?"
		if c.P95Known {
			p95 = fmt.Sprint(c.P95Ms)
		}
		out = append(out, fmt.Sprintf("%s %s %d", c.Provider, p95, c.EstOutput))
	}
	return out
}

func unbounded(model string) inbound.Call {
	c := request(model)
	c.MaxTokens = 0
	return c
}

func TestLatencyIsLearnedFromCompleteAnswersAlone(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		good := reply{after: 2 * time.Second, usage: &chat.Usage{Input: 1, Output: 40}}
		bad := reply{after: time.Second, err: chat.Fail(chat.ClassTimeout, nil)}
		broken := reply{pieces: []piece{text("x"), breaks(chat.ClassCutOff)}}
		w.plays("openai", good, good, bad, good, good)
		for range 4 {
			if _, err := w.Execute(t.Context(), request("gpt-4o-mini")); err != nil {
				t.Fatal(err)
			}
		}
		w.plays("openai", broken)
		_ = w.streamed(t.Context(), request("gpt-4o-mini"))
		call := unbounded("gpt-4o-mini")
		if got, want := explain(t, w, call), []string{"openai ? 256"}; !slices.Equal(got, want) {
			t.Errorf("after four complete answers %q, want %q", got, want)
		}
		w.plays("openai", good)
		if got := w.streamed(t.Context(), request("gpt-4o-mini")); got.err != nil {
			t.Fatal(got.err)
		}
		if got, want := explain(t, w, call), []string{"openai 2000 40"}; !slices.Equal(got, want) {
			t.Errorf("after five %q, want %q", got, want)
		}
		call.TaskType = "review"
		if got, want := explain(t, w, call), []string{"openai ? 256"}; !slices.Equal(got, want) {
			t.Errorf("of another task type %q, want %q", got, want)
		}
		time.Sleep(11 * time.Minute)
		call.TaskType = ""
		if got, want := explain(t, w, call), []string{"openai ? 256"}; !slices.Equal(got, want) {
			t.Errorf("after the window %q, want %q", got, want)
		}
	})
}

func TestManySamplesShowWithinATenthOfASecond(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		target := routing.Target{Provider: "openai", Model: "gpt-4o-mini"}
		for range 60 {
			w.latencies.Observe(routing.General, target, 100*time.Millisecond, 0)
		}
		run := func(d time.Duration) {
			w.plays("openai", reply{after: d})
			if _, err := w.Execute(t.Context(), request("gpt-4o-mini")); err != nil {
				t.Fatal(err)
			}
		}
		known := func() string { return explain(t, w, request("gpt-4o-mini"))[0] }
		run(time.Millisecond)
		if got, want := known(), "openai 100 100"; got != want {
			t.Fatalf("%q, want %q", got, want)
		}
		for range 60 {
			w.latencies.Observe(routing.General, target, 10*time.Millisecond, 0)
			w.latencies.Observe(routing.General, target, 9*time.Second, 0)
		}
		run(time.Millisecond)
		if got, want := known(), "openai 100 100"; got != want {
			t.Errorf("at once %q, want %q still", got, want)
		}
		time.Sleep(100 * time.Millisecond)
		if got, want := known(), "openai 9000 100"; got != want {
			t.Errorf("a tenth of a second later %q, want %q", got, want)
		}
	})
}

func TestFactsAreTheSameUntilTheyChange(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		snapshot := func(model string) string {
			d, err := w.Explain(t.Context(), request(model))
			if err != nil {
				t.Fatal(err)
			}
			return d.SnapshotID
		}
		first := snapshot("")
		if again := snapshot(""); again != first {
			t.Errorf("snapshot %s after %s, though nothing changed", again, first)
		}
		if again := snapshot("openai/unknown-1"); again != first {
			t.Errorf("snapshot %s after %s for a pin nobody knows", again, first)
		}
		if again := snapshot(""); again != first {
			t.Errorf("snapshot %s after %s: the pin nobody knows was kept", again, first)
		}
		w.circuits.Rest(outbound.Circuit{Provider: "openai", Model: "gpt-4o-mini", Credential: "openai-1"}, now().Add(time.Minute))
		if again := snapshot(""); again != first {
			t.Errorf("snapshot %s after %s in the same second", again, first)
		}
		time.Sleep(time.Second)
		if again := snapshot(""); again == first {
			t.Error("a second later the snapshot is the same, though a credential rests")
		}
	})
}

func TestRoutesAndPinsAreKnownWithTheirFacts(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.change(func(p *routing.Policy) error {
			return change.Route(p, routing.General,
				routing.Target{Provider: "claude", Model: "claude-opus-4-5"}, routing.Target{Provider: "openai", Model: "my-own-tune"}, routing.Target{Provider: "openai", Model: "gpt-4o"},
			)
		})
		for range 2 { // before and after they are on the board
			call := request("")
			if got, want := explain(t, w, call), []string{"openai ? 100", "openai ? 100", "claude ? 100"}; !slices.Equal(got, want) {
				t.Errorf("candidates %q, want %q", got, want)
			}
			call.TextBytes = 4_000_000
			if got, want := explain(t, w, call), []string{"openai ? 100"}; !slices.Equal(got, want) {
				t.Errorf("candidates of a long request %q, want the unknown model alone: %q", got, want)
			}
		}
		for _, model := range []string{"openai/my-own-tune", "openai/gpt-4o", "gpt-4o-2024-08-06"} {
			target := routing.Target{Provider: "openai", Model: model[max(0, len("openai/")*btoi(model[0] == 'o')):]}
			for range 5 {
				w.latencies.Observe(routing.General, target, 3*time.Second, 33)
			}
			time.Sleep(5 * time.Second)
			if got, want := explain(t, w, unbounded(model)), []string{"openai 3000 33"}; !slices.Equal(got, want) {
				t.Errorf("pin of %s: %q, want %q", model, got, want)
			}
			w.circuits.Rest(outbound.Circuit{Provider: "openai", Model: target.Model, Credential: "openai-1"}, now().Add(time.Minute))
			if got := explain(t, w, unbounded(model)); len(got) > 0 {
				t.Errorf("pin of %s, which rests: %q, want no candidate", model, got)
			}
		}
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestExplainAsksNobody(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		call := request("")
		call.Parse = nil
		d, err := w.Explain(t.Context(), call)
		if err != nil || d.ID == "" || len(d.Candidates) != 4 {
			t.Errorf("decision %+v, error %v; want four candidates", d, err)
		}
		if len(w.asked()) > 0 || w.book.reserved > 0 || len(w.meter.lines) > 0 {
			t.Errorf("asked %v, reserved %d, metered %v", w.asked(), w.book.reserved, w.meter.lines)
		}
		if d, err = w.Explain(t.Context(), request("openai/gpt-4o")); err != nil || len(d.Candidates) != 1 || len(d.Excluded) != 3 {
			t.Errorf("decision %+v, error %v; want the pin", d, err)
		}
		_, err = w.Explain(t.Context(), request("nobody-knows"))
		wantFault(t, err, fault.NotFound, "model_not_found")
	})
}

func TestPoliciesAreReadAtMostOnceASecond(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		decide := func() routing.Decision {
			d, err := w.Explain(t.Context(), request(""))
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		for range 5 {
			decide()
		}
		if w.shelf.finds != 1 {
			t.Errorf("read %d times, want once", w.shelf.finds)
		}
		if err := w.shelf.Update(t.Context(), "t1", func(p *routing.Policy) error { return change.Disable(p, "openai") }); err != nil {
			t.Fatal(err)
		}
		if d := decide(); d.PolicyVersion != 1 {
			t.Errorf("version %d at once, though nobody said so", d.PolicyVersion)
		}
		time.Sleep(time.Second)
		if d := decide(); d.PolicyVersion != 2 {
			t.Errorf("version %d after a second, want 2", d.PolicyVersion)
		}
		w.change(func(p *routing.Policy) error { return change.Enable(p, "openai") })
		if d := decide(); d.PolicyVersion != 3 {
			t.Errorf("version %d after it was said, want 3", d.PolicyVersion)
		}
		w.Invalidate("somebody else")
		decide()
		if w.shelf.finds != 3 {
			t.Errorf("read %d times, want three times", w.shelf.finds)
		}
	})
}

func TestAPolicyThatChangesWhileItIsReadIsReadAgain(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		changed := false
		w.shelf.onFind = func() {
			if !changed {
				changed = true
				w.change(func(p *routing.Policy) error { return change.Disable(p, "openai") })
			}
		}
		if _, err := w.Explain(t.Context(), request("")); err != nil {
			t.Fatal(err)
		}
		d, err := w.Explain(t.Context(), request(""))
		if err != nil || d.PolicyVersion != 2 {
			t.Errorf("version %d, error %v; want the changed one", d.PolicyVersion, err)
		}
	})
}

func TestOneReadForManyCallsAtOnce(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.shelf.onFind = func() { time.Sleep(10 * time.Millisecond) }
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := w.Explain(t.Context(), request("")); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if w.shelf.finds != 1 {
			t.Errorf("read %d times, want once", w.shelf.finds)
		}
	})
}

func TestWithoutPolicyNothingIsAsked(t *testing.T) {
	tests := map[string]struct {
		err  error
		kind fault.Kind
		code string
	}{
		"the store is away":   {errors.New("connection refused"), fault.Unavailable, "dependency_unavailable"},
		"the store knows why": {fault.ErrNotFound, fault.NotFound, "not_found"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, options{}, func(t *testing.T, w *world) {
				w.shelf.err = tt.err
				_, err := w.Execute(t.Context(), request(""))
				wantFault(t, err, tt.kind, tt.code)
				_, err = w.Stream(t.Context(), request(""))
				wantFault(t, err, tt.kind, tt.code)
				_, err = w.Models(t.Context(), inbound.Caller{TenantID: "t1"})
				wantFault(t, err, tt.kind, tt.code)
				_, err = w.Capabilities(t.Context(), inbound.Caller{TenantID: "t1"})
				wantFault(t, err, tt.kind, tt.code)
				if len(w.asked()) > 0 || w.book.reserved > 0 {
					t.Errorf("asked %v", w.asked())
				}
			})
		})
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	in(t, options{settings: gateway.Settings{}}, func(t *testing.T, w *world) {
		for _, name := range names {
			for i := range 30 {
				if i%3 == 0 {
					w.vendors[name].script = append(w.vendors[name].script, failed(chat.ClassServer))
				} else {
					w.vendors[name].script = append(w.vendors[name].script, reply{after: time.Duration(i) * time.Millisecond})
				}
			}
		}
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				call, way := request(""), w.whole
				if i%2 == 0 {
					call, way = relayed(""), w.streamed
				}
				if got := way(context.WithoutCancel(t.Context()), call); got.err == nil && got.text != "hello" {
					t.Errorf("text %q", got.text)
				}
			})
		}
		all.Wait()
		attempts, asked := 0, 0
		for _, row := range w.book.rows {
			attempts += len(row.Attempts)
		}
		for _, n := range w.asked() {
			asked += n
		}
		if len(w.book.rows) != 40 || attempts != asked {
			t.Errorf("%d rows with %d attempts, want 40 with the %d that vendors saw", len(w.book.rows), attempts, asked)
		}
	})
}
