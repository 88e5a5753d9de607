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
	"github.com/forge1/forge1/ports/outbound"
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
						if row.CostNanos == nil || row.Cache == "hit" && *row.CostNanos != 0 {
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

func TestReadersOfOneStreamHearItAsItComes(t *testing.T) {
	in(t, cached(&shop{}), func(t *testing.T, w *world) {
		var script []piece
		for i := range 10 {
			script = append(script, piece{after: time.Second, chunk: chat.Chunk{Text: fmt.Sprint(i)}})
		}
		w.plays("openai", pieces(append(script, piece{after: time.Second, chunk: chat.Chunk{Finish: chat.FinishStop}})...))
		began := now()
		var all sync.WaitGroup
		for i, joins := range []time.Duration{0, 0, 4500 * time.Millisecond} {
			all.Go(func() {
				time.Sleep(joins)
				a, err := w.Stream(t.Context(), prompt("p"))
				if err != nil {
					t.Error(err)
					return
				}
				at, text := map[string]time.Duration{}, ""
				for p := range a.Pieces {
					if p.Chunk.Text != "" {
						at[p.Chunk.Text] = now().Sub(began)
					}
					text += p.Chunk.Text
				}
				if text != "0123456789" {
					t.Errorf("reader %d heard %q", i, text)
				}
				for n := range 10 {
					if want := max(joins, time.Duration(n+1)*time.Second); at[fmt.Sprint(n)] != want {
						t.Errorf("reader %d heard %d after %v, want %v", i, n, at[fmt.Sprint(n)], want)
					}
				}
			})
		}
		all.Wait()
		if n := w.vendors["openai"].calls(); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
	})
}

func TestAStreamThatBreaksBreaksForAll(t *testing.T) {
	in(t, cached(&shop{}), func(t *testing.T, w *world) {
		w.plays("openai", pieces(piece{after: time.Second, chunk: chat.Chunk{Text: "half"}}, piece{after: time.Second, err: chat.ErrCutOff}))
		for i, r := range crowd(t.Context(), w, 10, mixes["streams"], prompt("p")) {
			wantFault(t, r.err, fault.Upstream, "provider_error")
			if r.text != "half" {
				t.Errorf("reader %d heard %q, want what came before the break, once", i, r.text)
			}
		}
		wantCount(t, w, map[string]int{"miss provider_error": 1, "hit provider_error": 9})
	})
}

// long is a stream of more than is kept for those who join late, a piece a second.
func long() reply {
	var script []piece
	for range 10 {
		script = append(script, piece{after: time.Second, chunk: chat.Chunk{Text: strings.Repeat("x", 100<<10)}})
	}
	return pieces(append(script, finish(chat.FinishStop))...)
}

func TestWhoJoinsTooLateHasACallOfItsOwn(t *testing.T) {
	in(t, cached(&shop{}), func(t *testing.T, w *world) {
		w.plays("openai", long(), long())
		var all sync.WaitGroup
		for _, joins := range []time.Duration{0, 1500 * time.Millisecond, 5500 * time.Millisecond, 6500 * time.Millisecond} {
			all.Go(func() {
				time.Sleep(joins)
				if r := w.streamed(t.Context(), prompt("p")); r.err != nil || len(r.text) != 1000<<10 {
					t.Errorf("after %v: %d bytes, %v", joins, len(r.text), r.err)
				}
			})
		}
		all.Wait()
		if n := w.vendors["openai"].calls(); n != 2 {
			t.Errorf("asked %d times, want twice: what the last two missed of the first call is gone", n)
		}
	})
}

func TestASlowReaderHoldsOthersUpForAWhileAndThenIsGivenUp(t *testing.T) {
	in(t, cached(&shop{}), func(t *testing.T, w *world) {
		w.plays("openai", long())
		began := now()
		var all sync.WaitGroup
		all.Go(func() {
			a, err := w.Stream(t.Context(), prompt("p"))
			if err != nil {
				t.Error(err)
				return
			}
			var failure error
			for _, err := range a.Pieces {
				failure = err
				time.Sleep(time.Minute)
			}
			wantFault(t, failure, fault.Unavailable, "too_slow")
		})
		all.Go(func() {
			if r := w.streamed(t.Context(), prompt("p")); r.err != nil || len(r.text) != 1000<<10 {
				t.Errorf("%d bytes, %v", len(r.text), r.err)
			}
			if took := now().Sub(began); took > 21*time.Second {
				t.Errorf("it took %v, want no more than ten seconds longer", took)
			}
		})
		all.Wait()
	})
}

func TestWhoReadsAloneMayReadAsSlowlyAsItLikes(t *testing.T) {
	in(t, cached(&shop{}), func(t *testing.T, w *world) {
		w.plays("openai", long())
		a, err := w.Stream(t.Context(), prompt("p"))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for p, err := range a.Pieces {
			if err != nil {
				t.Fatal(err)
			}
			n += len(p.Chunk.Text)
			time.Sleep(30 * time.Second)
		}
		if n != 1000<<10 {
			t.Errorf("%d bytes", n)
		}
	})
}

func TestWhatTheOtherFormCannotHaveIsAskedForAnew(t *testing.T) {
	for _, leader := range []string{"whole", "stream"} {
		t.Run(leader+" led", func(t *testing.T) {
			in(t, cached(&shop{}), func(t *testing.T, w *world) {
				w.vendors["openai"].lossy = true
				w.plays("openai", reply{after: time.Second}, reply{after: time.Second})
				other := map[string]string{"whole": "stream", "stream": "whole"}[leader]
				results := crowd(t.Context(), w, 1, func(int) string { return leader }, relayedPrompt("q"))
				w.plays("openai", reply{after: time.Second}, reply{after: time.Second})
				var all sync.WaitGroup
				all.Go(func() { results = append(results, ways(w)[leader](t.Context(), relayedPrompt("p"))) })
				time.Sleep(500 * time.Millisecond)
				followers := crowd(t.Context(), w, 10, func(int) string { return other }, relayedPrompt("p"))
				all.Wait()
				for _, r := range append(results, followers...) {
					if r.err != nil || r.text != "hello" {
						t.Errorf("%q, %v", r.text, r.err)
					}
				}
				if n := w.vendors["openai"].calls(); n != 3 {
					t.Errorf("asked %d times for two prompts, want three: once more for the other form of the second", n)
				}
			})
		})
	}
}

func TestAFollowerHasItsOwnPatience(t *testing.T) {
	for _, how := range []string{"whole", "stream"} {
		t.Run(how, func(t *testing.T) {
			o := cached(&shop{})
			o.settings.RequestTimeout, o.settings.StreamTimeout = 10*time.Second, 10*time.Second
			in(t, o, func(t *testing.T, w *world) {
				w.plays("openai", reply{after: time.Hour})
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				done := make(chan struct{})
				go func() {
					defer close(done)
					w.whole(ctx, prompt("p"))
				}()
				time.Sleep(time.Second)
				began := now()
				wantFault(t, ways(w)[how](t.Context(), prompt("p")).err, fault.Timeout, "provider_timeout")
				if took := now().Sub(began); took > 10*time.Second {
					t.Errorf("it waited %v", took)
				}
				<-done
			})
		})
	}
}

func TestFollowersNeedPlacesForTheirRows(t *testing.T) {
	for name, form := range mixes {
		t.Run(name, func(t *testing.T) {
			o := cached(&shop{})
			o.room = 3
			in(t, o, func(t *testing.T, w *world) {
				w.plays("openai", reply{after: time.Second})
				busy := 0
				for _, r := range crowd(t.Context(), w, 10, form, prompt("p")) {
					if r.err != nil {
						wantFault(t, r.err, fault.ErrBusy.Kind, fault.ErrBusy.Code)
						busy++
					}
				}
				if busy != 7 || w.vendors["openai"].calls() != 1 {
					t.Errorf("%d were refused, want 7", busy)
				}
			})
		})
	}
}

// brittle is a book that panics when it is given a row of a call.
type brittle struct {
	*book
	panics bool
}

func (b *brittle) Keep(row outbound.Call) {
	if b.panics && row.Cache == "miss" && row.Decision != nil {
		b.panics = false
		b.book.Keep(row)
		var none []int
		_ = none[len(row.Attempts)]
	}
	b.book.Keep(row)
}

func TestAPanicReleasesEverybody(t *testing.T) {
	for name, form := range mixes {
		t.Run(name, func(t *testing.T) {
			o := cached(&shop{})
			b := &brittle{panics: true}
			o.recorder = b
			in(t, o, func(t *testing.T, w *world) {
				b.book = w.book
				w.plays("openai", reply{after: time.Second})
				failed := 0
				for _, r := range crowd(t.Context(), w, 10, form, prompt("p")) {
					if r.err != nil {
						failed++
					}
				}
				if failed == 0 {
					t.Error("nobody was told of the panic")
				}
				if !strings.Contains(w.log.String(), "index out of range") {
					t.Error("the log does not tell of the panic")
				}
				if r := w.whole(t.Context(), prompt("p")); r.err != nil {
					t.Errorf("afterwards: %v", r.err)
				}
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
