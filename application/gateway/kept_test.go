package gateway_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/decisions"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/change"
)

func TestADecisionCanBeReadWhileItsCallIsUnderWay(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.vendors["openrouter"].judge = func(outbound.Target) error {
			if len(w.book.decided) != 1 || len(w.book.sheets) != 2 || len(w.book.rows) != 0 {
				t.Errorf("%d decisions, %d sheets and %d rows were kept before the vendor was asked, want 1, 2 and 0",
					len(w.book.decided), len(w.book.sheets), len(w.book.rows))
			}
			return nil
		}
		if _, err := w.Execute(t.Context(), request("")); err != nil {
			t.Fatal(err)
		}
		early, late := w.book.decided[0], *w.row().Decision
		if early.Outcome != "" || late.Outcome != "ok" {
			t.Errorf("outcomes %q and %q, want none and ok", early.Outcome, late.Outcome)
		}
		shown, err := decisions.DecodeShown(early.Shown)
		if err != nil {
			t.Fatal(err)
		}
		if len(shown.Attempts) != 0 {
			t.Errorf("shown early %+v, want no attempt yet", shown)
		}
		early.Outcome, early.Shown = late.Outcome, late.Shown
		if diff := cmp.Diff(early, late); diff != "" {
			t.Errorf("but for what became of it it changed (-early +late):\n%s", diff)
		}
		if late.Provider != "openrouter" || late.TenantID != "t1" || late.TaskType != "general" || late.ID != w.row().DecisionID {
			t.Errorf("kept %+v", late)
		}
	})
}

func TestARefusedCallKeepsItsDecision(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.change(func(p *routing.Policy) error { return change.Disable(p, "openai") })
		_, err := w.Execute(t.Context(), request("gpt-4o"))
		wantFault(t, err, fault.Forbidden, "provider_disabled")
		d := w.row().Decision
		if d == nil || d.Provider != "" || d.Outcome != "provider_disabled" || len(w.book.decided) != 1 {
			t.Errorf("kept %+v and %d announcements, want why nobody was chosen", d, len(w.book.decided))
		}
	})
}

func TestFactsAreKeptOnceASecondAtMost(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		const seconds = 20
		facts := map[string]bool{}
		for i := range seconds * 20 { // a sample each changes the facts
			w.plays("openrouter", reply{after: time.Duration(i%7) * time.Millisecond})
			a, err := w.Execute(t.Context(), request(""))
			if err != nil {
				t.Fatal(err)
			}
			facts[a.Receipt.Decision.SnapshotID] = true
			time.Sleep(47 * time.Millisecond)
		}
		if n := len(facts); n < seconds/2 || n > seconds+1 {
			t.Errorf("%d snapshots in %d seconds of changes, want about one a second", n, seconds)
		}
		if got, want := w.book.sent, len(facts)+1; got != want || len(w.book.sheets) != want {
			t.Errorf("%d sheets were sent, %d of them new; want each snapshot once, and the policy once: %d", got, len(w.book.sheets), want)
		}
	})
}

func TestWhatNobodyRefersToIsNotKept(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		for range 10 {
			if _, err := w.Explain(t.Context(), request("")); err != nil {
				t.Fatal(err)
			}
			w.latencies.changed()
			time.Sleep(time.Second)
		}
		if w.book.sent != 0 || len(w.book.decided) != 0 {
			t.Errorf("%d sheets and %d decisions were kept, want none", w.book.sent, len(w.book.decided))
		}
	})
}

func TestASheetInUseIsSentAgainInTime(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		for range 3 {
			for range 5 {
				if _, err := w.Execute(t.Context(), unparsed()); err == nil {
					t.Fatal("it was served")
				}
			}
			time.Sleep(time.Hour)
		}
		if len(w.book.sheets) != 2 || w.book.sent != 6 {
			t.Errorf("%d sheets were sent %d times, want two three times each: %v apart at most", len(w.book.sheets), w.book.sent, outbound.SheetMargin)
		}
	})
}

// unparsed is a call that is decided and never sent.
func unparsed() inbound.Call {
	c := request("claude-haiku-4-5")
	c.Parse = func() (*chat.Request, error) { return nil, fault.New(fault.Malformed, "malformed", "no") }
	return c
}

func TestTheSamePolicyIsTheSameSheet(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		ids := map[string]int{}
		run := func() {
			if _, err := w.Execute(t.Context(), request("")); err != nil {
				t.Fatal(err)
			}
			ids[w.book.rows[len(w.book.rows)-1].Decision.PolicyID]++
		}
		for range 3 {
			run()
			time.Sleep(2 * time.Second) // it is loaded anew
		}
		w.change(func(p *routing.Policy) error { return change.Disable(p, "claude") })
		run()
		run()
		if len(ids) != 2 {
			t.Errorf("policies %v, want one for each version", ids)
		}
	})
}
