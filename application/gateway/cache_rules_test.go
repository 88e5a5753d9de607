package gateway_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/change"
)

func TestWhenTheCacheMayAnswer(t *testing.T) {
	no := func(c *inbound.Call) {}
	tests := map[string]struct {
		call   inbound.Call
		change func(*inbound.Call)
		flag   bool
		first  string
		second string
	}{
		"a task":                       {prompt("p"), no, false, "miss", "hit"},
		"a task that says off":         {prompt("p"), func(c *inbound.Call) { c.Cache = inbound.CacheOff }, false, "bypass", "bypass"},
		"a task without a fingerprint": {prompt("p"), func(c *inbound.Call) { c.Fingerprint = nil }, false, "bypass", "bypass"},
		"a body too large to look at": {prompt("p"), func(c *inbound.Call) {
			c.Fingerprint = func() ([32]byte, error) { return [32]byte{}, fault.ErrValidation }
		}, false, "bypass", "bypass"},
		"under /v1 nothing said":               {relayedPrompt("p"), func(c *inbound.Call) { c.Cache = "" }, false, "bypass", "bypass"},
		"under /v1 on":                         {relayedPrompt("p"), no, false, "miss", "hit"},
		"under /v1 by the tenant's flag":       {relayedPrompt("p"), func(c *inbound.Call) { c.Cache = "" }, true, "miss", "hit"},
		"off in spite of the flag":             {relayedPrompt("p"), func(c *inbound.Call) { c.Cache = inbound.CacheOff }, true, "bypass", "bypass"},
		"a new answer wanted":                  {prompt("p"), func(c *inbound.Call) { c.CacheMaxAge = -1 }, false, "bypass", "bypass"},
		"a new answer wanted, off":             {relayedPrompt("p"), func(c *inbound.Call) { c.Cache, c.CacheMaxAge = "", -1 }, false, "bypass", "bypass"},
		"an answer that is new enough":         {prompt("p"), func(c *inbound.Call) { c.CacheMaxAge = 11 * time.Second }, false, "miss", "hit"},
		"an answer that is exactly new enough": {prompt("p"), func(c *inbound.Call) { c.CacheMaxAge = 10 * time.Second }, false, "miss", "hit"},
		"an answer that is too old":            {prompt("p"), func(c *inbound.Call) { c.CacheMaxAge = 9 * time.Second }, false, "miss", "miss"},
	}
	for name, tt := range tests {
		for _, how := range []string{"whole", "stream"} {
			t.Run(name+", "+how, func(t *testing.T) {
				in(t, cached(&shop{}), func(t *testing.T, w *world) {
					if tt.flag {
						w.change(func(p *routing.Policy) error {
							return p.SetFlag(routing.Flag{Name: routing.FlagCacheV1, Enabled: true})
						})
					}
					call := tt.call
					tt.change(&call)
					wantStatus(t, ways(w)[how](t.Context(), call), tt.first)
					time.Sleep(10 * time.Second)
					wantStatus(t, ways(w)[how](t.Context(), call), tt.second)
				})
			})
		}
	}
}

func TestANewAnswerTakesThePlaceOfTheOldOne(t *testing.T) {
	forms(t, func(t *testing.T, w *world, _ *shop, call inbound.Call, first, second way) {
		w.plays("openai", reply{text: "old"}, reply{text: "new"})
		wantStatus(t, first(t.Context(), call), "miss")
		fresh := call
		fresh.CacheMaxAge = -1
		if got := second(t.Context(), fresh); got.text != "new" {
			t.Errorf("got %q, want a new answer", got.text)
		}
		got := first(t.Context(), call)
		wantStatus(t, got, "hit")
		if got.text != "new" {
			t.Errorf("got %q from the cache, want the new answer", got.text)
		}
	})
}

func TestOnlyIfCached(t *testing.T) {
	forms(t, func(t *testing.T, w *world, _ *shop, call inbound.Call, first, second way) {
		only := call
		only.CacheOnly = true
		got := first(t.Context(), only)
		wantFault(t, got.err, fault.Timeout, "not_cached")
		off := only
		off.Cache = inbound.CacheOff
		wantFault(t, first(t.Context(), off).err, fault.Timeout, "not_cached")
		if n := w.vendors["openai"].calls(); n != 0 {
			t.Fatalf("the vendor was asked %d times", n)
		}
		wantStatus(t, first(t.Context(), call), "miss")
		wantStatus(t, second(t.Context(), only), "hit")
	})
}

func TestWhatChangesTheKey(t *testing.T) {
	tests := map[string]func(*inbound.Call){
		"another tenant":     func(c *inbound.Call) { c.Caller.TenantID = "t2" },
		"another surface":    func(c *inbound.Call) { c.Surface, c.Cache = "other", inbound.CacheOn },
		"another name":       func(c *inbound.Call) { c.Model = "gpt-4o-mini" },
		"another body":       func(c *inbound.Call) { *c = asking(*c, "q") },
		"another task type":  func(c *inbound.Call) { c.TaskType = "review" },
		"strictness":         func(c *inbound.Call) { c.Strict = true },
		"a latency goal":     func(c *inbound.Call) { c.SLOMs = 100 },
		"parts joined alike": func(c *inbound.Call) { c.Caller.TenantID, c.Surface, c.Cache = "t1e", "xecute", inbound.CacheOn },
	}
	for name, vary := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, cached(&shop{}), func(t *testing.T, w *world) {
				wantStatus(t, w.whole(t.Context(), prompt("p")), "miss")
				call := prompt("p")
				vary(&call)
				wantStatus(t, w.whole(t.Context(), call), "miss")
				wantStatus(t, w.whole(t.Context(), prompt("p")), "hit")
			})
		})
	}
	same := map[string]func(*inbound.Call){
		"another person": func(c *inbound.Call) { c.Caller.UserID, c.Caller.KeyID = "u2", "k2" },
		"tags":           func(c *inbound.Call) { c.Tags, c.EndUser = []string{"a"}, "b" },
		"a stream":       func(c *inbound.Call) { c.Stream = true },
		"general named":  func(c *inbound.Call) { c.TaskType = "general" },
	}
	for name, vary := range same {
		t.Run(name, func(t *testing.T) {
			in(t, cached(&shop{}), func(t *testing.T, w *world) {
				wantStatus(t, w.whole(t.Context(), prompt("p")), "miss")
				call := prompt("p")
				vary(&call)
				wantStatus(t, w.whole(t.Context(), call), "hit")
			})
		})
	}
}

func TestAnswersOfWhatIsNoLongerAllowedAreNotGiven(t *testing.T) {
	tests := map[string]struct {
		change func(*world)
		kind   fault.Kind
		code   string
	}{
		"a disabled provider": {func(w *world) { w.change(func(p *routing.Policy) error { return change.Disable(p, "openai") }) }, fault.Forbidden, "provider_disabled"},
		"another one forced":  {func(w *world) { w.change(func(p *routing.Policy) error { return change.Force(p, "claude") }) }, fault.Forbidden, "provider_disabled"},
		"without credentials": {func(w *world) { w.Reconfigure([]outbound.Connection{{Name: "openai", Vendor: "openai"}}) }, fault.Unavailable, "no_provider_available"},
		"gone altogether":     {func(w *world) { w.Reconfigure(nil) }, fault.NotFound, "model_not_found"},
	}
	for name, tt := range tests {
		for _, how := range []string{"whole", "stream"} {
			t.Run(name+", "+how, func(t *testing.T) {
				in(t, cached(&shop{}), func(t *testing.T, w *world) {
					wantStatus(t, w.whole(t.Context(), prompt("p")), "miss")
					tt.change(w)
					wantFault(t, ways(w)[how](t.Context(), prompt("p")).err, tt.kind, tt.code)
				})
			})
		}
	}
}

func TestAnAnswerIsGivenWhileItsProviderIsDown(t *testing.T) {
	forms(t, func(t *testing.T, w *world, _ *shop, call inbound.Call, first, second way) {
		wantStatus(t, first(t.Context(), call), "miss")
		w.circuits.Rest(outbound.Circuit{Provider: "openai", Model: "gpt-4o-mini", Credential: "openai-1"}, now().Add(time.Hour))
		wantStatus(t, second(t.Context(), call), "hit")
	})
}

func TestACacheThatFailsIsNone(t *testing.T) {
	forms(t, func(t *testing.T, w *world, s *shop, call inbound.Call, first, second way) {
		s.err, s.slow = fault.ErrDependency, 150*time.Millisecond
		began := now()
		a := first(t.Context(), call)
		wantStatus(t, a, "miss")
		if took := now().Sub(began); took > s.slow {
			t.Errorf("the answer took %v, want no more than one look: it is kept after it was given", took)
		}
		time.Sleep(time.Second)
		wantStatus(t, second(t.Context(), call), "miss")
		time.Sleep(time.Second)
	})
}

func TestADamagedEntryIsNone(t *testing.T) {
	s := &shop{}
	in(t, cached(s), func(t *testing.T, w *world) {
		wantStatus(t, w.whole(t.Context(), prompt("p")), "miss")
		clear(s.kept()[0]) // the memory cache keeps the very bytes
		wantStatus(t, w.whole(t.Context(), prompt("p")), "miss")
		wantStatus(t, w.whole(t.Context(), prompt("p")), "hit")
	})
}

func TestAHitNeedsAPlaceForItsRow(t *testing.T) {
	for _, how := range []string{"whole", "stream"} {
		t.Run(how, func(t *testing.T) {
			o := cached(&shop{})
			o.room = 1
			in(t, o, func(t *testing.T, w *world) {
				wantStatus(t, w.whole(t.Context(), prompt("p")), "miss")
				wantFault(t, ways(w)[how](t.Context(), prompt("p")).err, fault.ErrBusy.Kind, fault.ErrBusy.Code)
			})
		})
	}
}

func TestTheReaderOfAHitLeaves(t *testing.T) {
	in(t, cached(&shop{}), func(t *testing.T, w *world) {
		wantStatus(t, w.whole(t.Context(), prompt("p")), "miss")
		for outcome, leave := range map[string]func(inbound.StreamAnswer){
			"closed":  func(a inbound.StreamAnswer) { a.Close(); a.Close() },
			"stopped": func(a inbound.StreamAnswer) { first(a) },
		} {
			a, err := w.Stream(t.Context(), prompt("p"))
			if err != nil {
				t.Fatal(err)
			}
			leave(a)
			if row := w.book.rows[len(w.book.rows)-1]; row.Outcome != "canceled" || row.Cache != "hit" {
				t.Errorf("%s: outcome %s of a %s, want canceled of a hit", outcome, row.Outcome, row.Cache)
			}
		}
	})
}

// first takes one piece of a stream.
func first(a inbound.StreamAnswer) (text string) {
	for p := range a.Pieces {
		return string(p.Raw) + p.Chunk.Text
	}
	return ""
}

func TestTheCacheIsMetered(t *testing.T) {
	in(t, cached(&shop{}), func(t *testing.T, w *world) {
		for range 3 {
			w.whole(t.Context(), prompt("p"))
			synctest.Wait() // nobody waits for the store
		}
		off := prompt("p")
		off.Cache = inbound.CacheOff
		w.whole(t.Context(), off)
		for line, want := range map[string]int{
			"cache execute miss": 1, "cache execute hit": 2, "cache execute bypass": 1, "cache store find none": 1, "cache store find ok": 2, "cache store keep ok": 1,
		} {
			if got := w.meter.lines[line]; got != want {
				t.Errorf("%s: %d, want %d", line, got, want)
			}
		}
	})
}
