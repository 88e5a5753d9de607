package gateway_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/application/gateway"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
)

// crowd makes a call many times at once, each in the form that its number says, and gives what came of each.
func crowd(ctx context.Context, w *world, n int, form func(int) string, call inbound.Call) []result {
	results := make([]result, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { results[i] = ways(w)[form(i)](ctx, call) })
	}
	all.Wait()
	return results
}

var mixes = map[string]func(int) string{
	"whole":   func(int) string { return "whole" },
	"streams": func(int) string { return "stream" },
	"both": func(i int) string {
		return []string{"whole", "stream"}[i%2]
	},
}

// count counts rows by cache and outcome.
func (w *world) count() map[string]int {
	w.book.mu.Lock()
	defer w.book.mu.Unlock()
	got := map[string]int{}
	for _, r := range w.book.rows {
		got[r.Cache+" "+r.Outcome]++
	}
	return got
}

func wantCount(t *testing.T, w *world, want map[string]int) {
	t.Helper()
	synctest.Wait()
	if got := w.count(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("rows %v, want %v", got, want)
	}
}

func TestManyIdenticalMissesMakeOneCall(t *testing.T) {
	for kind, call := range prompts {
		for name, form := range mixes {
			t.Run(kind+", "+name, func(t *testing.T) {
				in(t, cached(&shop{}), func(t *testing.T, w *world) {
					w.plays("openai", reply{after: time.Second, text: strings.Repeat("long ", 2000)})
					const callers = 500
					for i, r := range crowd(t.Context(), w, callers, form, call("p")) {
						if u := r.receipt.Usage; u.Input != 100 || u.Output != 20 || r.receipt.Finish != chat.FinishStop {
							t.Fatalf("caller %d: usage %+v, finish %q", i, u, r.receipt.Finish)
						}
						if r.err != nil || r.text != strings.Repeat("long ", 2000) {
							t.Fatalf("caller %d: %d bytes, %v", i, len(r.text), r.err)
						}
					}
					if n := w.vendors["openai"].calls(); n != 1 {
						t.Errorf("the vendor was asked %d times, want once", n)
					}
					wantCount(t, w, map[string]int{"miss ok": 1, "hit ok": callers - 1})
					if n := w.meter.lines["attempt openai gpt-4o-mini ok"]; n != 1 {
						t.Errorf("%d attempts were metered, want 1", n)
					}
					costs := 0
					for _, row := range w.book.rows {
						if row.CostNanos == nil || row.Cache == "hit" && *row.CostNanos != 0 || row.InputTokens != 100 || row.OutputTokens != 20 {
							t.Fatalf("a %s that costs %v", row.Cache, row.CostNanos)
						}
						if *row.CostNanos > 0 {
							costs++
						}
						if row.DecisionID != w.book.decided[0].ID {
							t.Fatalf("a row with the decision %q, want the only one, %q", row.DecisionID, w.book.decided[0].ID)
						}
					}
					if costs != 1 {
						t.Errorf("%d rows have a cost, want one", costs)
					}
				})
			})
		}
	}
}

// Without a bubble, so that the race detector sees the goroutines as they come.
func TestManyIdenticalMissesMakeOneCallOnRealProcessors(t *testing.T) {
	for name, form := range mixes {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, cached(&shop{}))
			w.plays("openai", reply{after: 200 * time.Millisecond})
			for _, r := range crowd(t.Context(), w, 500, form, prompt("p")) {
				if r.err != nil || r.text != "hello" {
					t.Fatalf("%q, %v", r.text, r.err)
				}
			}
			if n := w.vendors["openai"].calls(); n != 1 {
				t.Errorf("the vendor was asked %d times, want once", n)
			}
		})
	}
}

func TestTwoTenantsDoNotShareACall(t *testing.T) {
	in(t, cached(&shop{}), func(t *testing.T, w *world) {
		w.plays("openai", reply{after: time.Second, text: "one"}, reply{after: time.Second, text: "two"})
		var all sync.WaitGroup
		texts := make([]string, 2)
		for i, tenant := range []tenant.ID{"t1", "t2"} {
			all.Go(func() {
				call := prompt("p")
				call.Caller.TenantID = tenant
				texts[i] = w.whole(t.Context(), call).text
			})
		}
		all.Wait()
		if texts[0] == texts[1] {
			t.Errorf("both got %q", texts[0])
		}
	})
}

func TestTheCallBelongsToAllWhoWaitForIt(t *testing.T) {
	for kind, call := range prompts {
		for _, leader := range []string{"whole", "stream"} {
			for _, follower := range []string{"whole", "stream"} {
				t.Run(fmt.Sprintf("%s, %s led, %s followed", kind, leader, follower), func(t *testing.T) {
					in(t, cached(&shop{}), func(t *testing.T, w *world) {
						w.plays("openai", reply{after: 3 * time.Second})
						ctx, leave := context.WithCancel(t.Context())
						led := make(chan result, 1)
						go func() { led <- ways(w)[leader](ctx, call("p")) }()
						time.AfterFunc(2*time.Second, leave)
						time.Sleep(time.Second)
						got := ways(w)[follower](t.Context(), call("p"))
						wantStatus(t, got, "hit")
						wantFault(t, (<-led).err, fault.Canceled, "canceled")
						if n := w.vendors["openai"].calls(); n != 1 || got.text != "hello" {
							t.Errorf("asked %d times, got %q", n, got.text)
						}
						wantCount(t, w, map[string]int{"miss ok": 1, "hit ok": 1})
					})
				})
			}
		}
	}
}

func TestTheCallEndsWhenItsLastWaiterHasLeft(t *testing.T) {
	for _, leader := range []string{"whole", "stream"} {
		for _, follower := range []string{"whole", "stream"} {
			t.Run(leader+" led, "+follower+" followed", func(t *testing.T) {
				in(t, cached(&shop{}), func(t *testing.T, w *world) {
					w.plays("openai", reply{after: time.Hour})
					var all sync.WaitGroup
					for i, how := range []string{leader, follower} {
						ctx, leave := context.WithCancel(t.Context())
						time.AfterFunc(time.Duration(i+2)*time.Second, leave)
						all.Go(func() {
							r := ways(w)[how](ctx, prompt("p"))
							wantFault(t, r.err, fault.Canceled, "canceled")
						})
						time.Sleep(time.Second)
					}
					time.Sleep(500 * time.Millisecond) // the leader has left
					w.vendors["openai"].mu.Lock()
					if w.vendors["openai"].open != 1 {
						t.Error("the call ended while somebody waited")
					}
					w.vendors["openai"].mu.Unlock()
					all.Wait()
					if got := w.count(); got["miss canceled"] != 2 {
						t.Errorf("rows %v when the last one had left, want both: who stops serving then must lose none", got)
					}
					if n := w.vendors["openai"].calls(); n != 1 {
						t.Errorf("asked %d times, want once", n)
					}
					wantCount(t, w, map[string]int{"miss canceled": 2})
				})
			})
		}
	}
}

func TestAllGetTheFault(t *testing.T) {
	for name, form := range mixes {
		t.Run(name, func(t *testing.T) {
			in(t, cached(&shop{}), func(t *testing.T, w *world) {
				bad := &chat.Failure{Class: chat.ClassInvalid, Status: 400, Message: "no such field", Code: "bad_field", Param: "x"}
				w.plays("openai", reply{after: time.Second, err: bad})
				for _, r := range crowd(t.Context(), w, 20, form, prompt("p")) {
					if f := wantFault(t, r.err, fault.Malformed, "bad_field"); f.Msg != "no such field" || f.Param != "x" {
						t.Errorf("got %+v, want the vendor's words", f)
					}
					if r.receipt.Decision.ID == "" || r.receipt.Decision.ID != w.book.decided[0].ID {
						t.Errorf("decision %q, want %q", r.receipt.Decision.ID, w.book.decided[0].ID)
					}
				}
				if n := w.vendors["openai"].calls(); n != 1 {
					t.Errorf("asked %d times, want once", n)
				}
				wantCount(t, w, map[string]int{"miss bad_field": 20})
			})
		})
	}
}

func TestTheStoreIsAskedAgainWhenAFlightHasLandedMeanwhile(t *testing.T) {
	s := &shop{}
	o := cached(s)
	o.settings = gateway.Settings{CacheTTL: ttl}
	in(t, o, func(t *testing.T, w *world) {
		s.slow = time.Second // one who looks now has its answer after the flight has landed
		w.plays("openai", reply{after: 500 * time.Millisecond})
		var all sync.WaitGroup
		all.Go(func() { wantStatus(t, w.whole(t.Context(), prompt("p")), "miss") }) // looks until 1 s, ends at 1.5 s, has landed at 2.5 s
		all.Go(func() {
			time.Sleep(2 * time.Second)
			wantStatus(t, w.whole(t.Context(), prompt("p")), "hit") // looks until 3 s
		})
		all.Wait()
		if n := w.vendors["openai"].calls(); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
	})
}
