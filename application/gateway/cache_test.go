package gateway_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/adapters/memory"
	"github.com/forge1/forge1/application/gateway"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

const ttl = 5 * time.Minute

// shop counts what a prompt cache is asked, and fails when it is told to.
type shop struct {
	outbound.PromptCache
	slow  time.Duration
	err   error
	hoard bool // keeps everything for a day

	mu      sync.Mutex
	entries [][]byte
}

func (s *shop) Find(ctx context.Context, tenant string, k outbound.PromptKey) ([]byte, error) {
	b, err := s.PromptCache.Find(ctx, tenant, k)
	time.Sleep(s.slow) // on the way back
	return b, errors.Join(err, s.err)
}

func (s *shop) Keep(ctx context.Context, tenant string, k outbound.PromptKey, entry []byte, d time.Duration) error {
	s.mu.Lock()
	s.entries = append(s.entries, entry)
	s.mu.Unlock()
	time.Sleep(s.slow)
	if s.err != nil {
		return s.err
	}
	if s.hoard {
		d = 24 * time.Hour
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

func TestWhatTheStoreHasForTooLongIsNotGiven(t *testing.T) {
	s := &shop{hoard: true}
	in(t, cached(s), func(t *testing.T, w *world) {
		wantStatus(t, w.whole(t.Context(), prompt("p")), "miss")
		time.Sleep(ttl)
		wantStatus(t, w.whole(t.Context(), prompt("p")), "hit")
		time.Sleep(time.Microsecond)
		wantStatus(t, w.whole(t.Context(), prompt("p")), "miss")
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
	ends := func(f chat.Finish) reply {
		return reply{pieces: []piece{{chunk: chat.Chunk{Text: "half"}}, {chunk: chat.Chunk{Finish: f}}}}
	}
	tests := map[string]struct {
		how    string
		script []reply
		before func(*world)
	}{
		"a failure":                      {"whole", []reply{failed(chat.ClassInvalid)}, nil},
		"a failure, streamed":            {"stream", []reply{failed(chat.ClassInvalid)}, nil},
		"what was cut at a limit":        {"stream", []reply{ends(chat.FinishLength)}, nil},
		"what was filtered":              {"stream", []reply{ends(chat.FinishContentFilter)}, nil},
		"a stream that breaks":           {"stream", []reply{{pieces: []piece{{chunk: chat.Chunk{Text: "half"}}, {err: chat.ErrCutOff}}}}, nil},
		"a choice that was cut":          {"whole", nil, func(w *world) { w.vendors["openai"].cut = true }},
		"a choice that was cut, in some": {"stream", nil, func(w *world) { w.vendors["openai"].cut, w.vendors["openai"].lossy = true, true }},
		"what is too large in many frames, of which some would do": {
			"stream",
			[]reply{pieces(append(many(content(strings.Repeat("x", 10<<10)), 40), finish(chat.FinishStop))...)},
			func(w *world) { w.vendors["openai"].lossy = true },
		},
		"what is too large":           {"whole", []reply{{text: strings.Repeat("x", 257<<10)}}, nil},
		"what is too large, streamed": {"stream", []reply{{text: strings.Repeat("x", 257<<10)}}, nil},
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
