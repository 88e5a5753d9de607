package gateway_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/adapters/memory"
	"github.com/forge1/forge1/application/gateway"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/change"
)

const ttl = 5 * time.Minute

// shop counts what a prompt cache is asked, and fails when it is told to.
type shop struct {
	outbound.PromptCache
	slow time.Duration
	err  error

	mu      sync.Mutex
	entries [][]byte
}

func (s *shop) Find(ctx context.Context, tenant string, k outbound.PromptKey) ([]byte, error) {
	time.Sleep(s.slow)
	if s.err != nil {
		return nil, s.err
	}
	return s.PromptCache.Find(ctx, tenant, k)
}

func (s *shop) Keep(ctx context.Context, tenant string, k outbound.PromptKey, entry []byte, d time.Duration) error {
	s.mu.Lock()
	s.entries = append(s.entries, entry)
	s.mu.Unlock()
	time.Sleep(s.slow)
	if s.err != nil {
		return s.err
	}
	return s.PromptCache.Keep(ctx, tenant, k, entry, d)
}

// kept gives the entries that it was asked to keep.
func (s *shop) kept() [][]byte {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries
}

// cached are options of a world with a prompt cache in memory.
func cached(s *shop) options {
	s.PromptCache = memory.NewPromptCache(now, 64<<20)
	return options{cache: s, settings: gateway.Settings{CacheTTL: ttl}}
}

// asking makes a call cacheable: bodies of one text are the same.
func asking(c inbound.Call, text string) inbound.Call {
	c.Fingerprint = func() ([32]byte, error) { return sha256.Sum256([]byte(text)), nil }
	return c
}

// prompt is a task, relayedPrompt a body that is relayed.
func prompt(text string) inbound.Call { return asking(request("openai/gpt-4o-mini"), text) }

func relayedPrompt(text string) inbound.Call {
	c := asking(relayed("openai/gpt-4o-mini"), text)
	c.Cache = inbound.CacheOn
	return c
}

var prompts = map[string]func(string) inbound.Call{"a task": prompt, "a relayed body": relayedPrompt}

// forms are all the ways to fill and to ask.
func forms(t *testing.T, test func(t *testing.T, w *world, s *shop, call inbound.Call, first, second way)) {
	for name, call := range prompts {
		for _, first := range []string{"whole", "stream"} {
			for _, second := range []string{"whole", "stream"} {
				t.Run(fmt.Sprintf("%s, %s then %s", name, first, second), func(t *testing.T) {
					s := &shop{}
					in(t, cached(s), func(t *testing.T, w *world) { test(t, w, s, call("p"), ways(w)[first], ways(w)[second]) })
				})
			}
		}
	}
}

func wantStatus(t *testing.T, r result, status string) {
	t.Helper()
	if r.err != nil || r.receipt.Cache != status {
		t.Fatalf("cache %q, %v; want %s", r.receipt.Cache, r.err, status)
	}
}

func TestAnAnswerIsGivenAgain(t *testing.T) {
	forms(t, func(t *testing.T, w *world, _ *shop, call inbound.Call, first, second way) {
		w.plays("openai", reply{text: strings.Repeat("wörd ", 500), usage: &chat.Usage{Input: 11, Output: 7, CacheRead: 3, Reasoning: 2}})
		a := first(t.Context(), call)
		wantStatus(t, a, "miss")
		time.Sleep(90 * time.Second)
		b := second(t.Context(), call)
		wantStatus(t, b, "hit")
		r := b.receipt
		if b.text != a.text || r.Age != 90*time.Second || r.Decision.ID != a.receipt.Decision.ID || len(r.Decision.Candidates) == 0 || len(r.Attempts) != 0 {
			t.Errorf("got %d bytes, age %v, decision %q; want those of the first answer, %d bytes, age 90 s, decision %q", len(b.text), r.Age, r.Decision.ID, len(a.text), a.receipt.Decision.ID)
		}
		if r.Provider != "openai" || r.ServedModel != a.receipt.ServedModel || r.Finish != chat.FinishStop || r.CostNanos == nil || *r.CostNanos != 0 ||
			r.UsageSource != chat.UsageCache || r.Usage.Input != 11 || r.Usage.Output != 7 {
			t.Errorf("receipt %+v, want the first one's facts at no cost", r)
		}
		if n := w.vendors["openai"].calls(); n != 1 {
			t.Errorf("the vendor was asked %d times, want once", n)
		}
		if len(w.book.rows) != 2 {
			t.Fatalf("%d rows, want 2", len(w.book.rows))
		}
		miss, hit := w.book.rows[0], w.book.rows[1]
		if miss.Cache != "miss" || miss.CostNanos == nil || *miss.CostNanos == 0 || miss.Decision == nil {
			t.Errorf("the first row: %+v, want a miss with its cost and decision", miss)
		}
		if hit.Cache != "hit" || hit.CostNanos == nil || *hit.CostNanos != 0 || hit.UsageSource != "cache" || hit.InputTokens != 11 || hit.Decision != nil ||
			hit.DecisionID != miss.DecisionID || len(hit.Attempts) != 0 || hit.Outcome != "ok" || hit.ID == miss.ID || hit.Provider != "openai" {
			t.Errorf("the second row: %+v, want a hit at no cost with the first one's decision and none of its own", hit)
		}
		if n := len(w.book.decided); n != 1 {
			t.Errorf("%d decisions were made, want 1", n)
		}
	})
}

func TestAnEntryEndsWithItsTime(t *testing.T) {
	forms(t, func(t *testing.T, w *world, _ *shop, call inbound.Call, first, second way) {
		wantStatus(t, first(t.Context(), call), "miss")
		time.Sleep(ttl)
		wantStatus(t, second(t.Context(), call), "miss")
	})
}

func TestAWholeBodyIsGivenAgainByteForByte(t *testing.T) {
	s := &shop{}
	in(t, cached(s), func(t *testing.T, w *world) {
		w.plays("openai", reply{text: `{ "odd" : 1 }`})
		for range 2 {
			a, err := w.Execute(t.Context(), relayedPrompt("p"))
			if err != nil || string(a.Body) != `{ "odd" : 1 }` || a.Response != nil {
				t.Errorf("got %q, %v; want the vendor's bytes", a.Body, err)
			}
		}
	})
}

func TestWhatTheNeutralFormCannotHoldIsCachedInItsOwnFormAlone(t *testing.T) {
	for _, own := range []string{"whole", "stream"} {
		t.Run(own, func(t *testing.T) {
			s := &shop{}
			in(t, cached(s), func(t *testing.T, w *world) {
				w.vendors["openai"].lossy = true
				other := map[string]string{"whole": "stream", "stream": "whole"}[own]
				call := relayedPrompt("p")
				a := ways(w)[own](t.Context(), call)
				wantStatus(t, a, "miss")
				b := ways(w)[own](t.Context(), call)
				wantStatus(t, b, "hit")
				if a.text != b.text || len(a.pieces) != len(b.pieces) {
					t.Errorf("got %q in %d pieces, want %q in %d", b.text, len(b.pieces), a.text, len(a.pieces))
				}
				for i := range b.pieces {
					if string(b.pieces[i].Raw) != string(a.pieces[i].Raw) || b.pieces[i].UsageOnly != a.pieces[i].UsageOnly {
						t.Errorf("piece %d is %+v, want %+v", i, b.pieces[i], a.pieces[i])
					}
				}
				wantStatus(t, ways(w)[other](t.Context(), call), "miss")
				wantStatus(t, ways(w)[other](t.Context(), call), "hit")
			})
		})
	}
}

func TestWhatIsNeverCached(t *testing.T) {
	finish := func(f chat.Finish) reply {
		return reply{pieces: []piece{{chunk: chat.Chunk{Text: "half"}}, {chunk: chat.Chunk{Finish: f}}}}
	}
	tests := map[string]struct {
		how    string
		script []reply
		before func(*world)
	}{
		"a failure":                      {"whole", []reply{failed(chat.ClassInvalid)}, nil},
		"a failure, streamed":            {"stream", []reply{failed(chat.ClassInvalid)}, nil},
		"what was cut at a limit":        {"stream", []reply{finish(chat.FinishLength)}, nil},
		"what was filtered":              {"stream", []reply{finish(chat.FinishContentFilter)}, nil},
		"a stream that breaks":           {"stream", []reply{{pieces: []piece{{chunk: chat.Chunk{Text: "half"}}, {err: chat.ErrCutOff}}}}, nil},
		"a choice that was cut":          {"whole", nil, func(w *world) { w.vendors["openai"].cut = true }},
		"a choice that was cut, in some": {"stream", nil, func(w *world) { w.vendors["openai"].cut, w.vendors["openai"].lossy = true, true }},
		"what is too large":              {"whole", []reply{{text: strings.Repeat("x", 257<<10)}}, nil},
		"what is too large, streamed":    {"stream", []reply{{text: strings.Repeat("x", 257<<10)}}, nil},
	}
	for name, tt := range tests {
		for kind, call := range prompts {
			if tt.before != nil && kind == "a task" {
				continue
			}
			t.Run(name+", "+kind, func(t *testing.T) {
				s := &shop{}
				in(t, cached(s), func(t *testing.T, w *world) {
					if tt.before != nil {
						tt.before(w)
					}
					w.plays("openai", tt.script...)
					ways(w)[tt.how](t.Context(), call("p"))
					for _, e := range s.kept() {
						t.Errorf("it was kept: %q", e[:min(200, len(e))])
					}
				})
			})
		}
	}
}

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
