package gateway_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

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
			in(t, cached(&shop{slow: time.Second}), func(t *testing.T, w *world) {
				defer time.Sleep(time.Minute)
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

func TestWhoWaitsForTheEndOfAStreamWhoseReaderHasLeftIsNotHeldUp(t *testing.T) {
	in(t, cached(&shop{}), func(t *testing.T, w *world) {
		w.plays("openai", long())
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(2500*time.Millisecond, leave)
		go w.streamed(ctx, prompt("p"))
		time.Sleep(1500 * time.Millisecond)
		began := now()
		r := w.whole(t.Context(), prompt("p"))
		if took := now().Sub(began); r.err != nil || len(r.text) != 1000<<10 || took > 9*time.Second {
			t.Errorf("%d bytes after %v, %v; want them when the vendor has sent them", len(r.text), took, r.err)
		}
	})
}

func TestWhoWantsANewAnswerJoinsNobody(t *testing.T) {
	for _, how := range []string{"whole", "stream"} {
		t.Run(how, func(t *testing.T) {
			in(t, cached(&shop{}), func(t *testing.T, w *world) {
				w.plays("openai", reply{after: time.Second, text: "old"}, reply{after: time.Second, text: "new"})
				go w.whole(t.Context(), prompt("p"))
				time.Sleep(500 * time.Millisecond)
				fresh := prompt("p")
				fresh.CacheMaxAge = -1
				r := ways(w)[how](t.Context(), fresh)
				if wantStatus(t, r, "bypass"); r.text != "new" {
					t.Errorf("got %q, want an answer to a question of its own", r.text)
				}
			})
		})
	}
}

// tardy is a book that takes a second for each row.
type tardy struct{ *book }

func (b *tardy) Keep(row outbound.Call) {
	time.Sleep(time.Second)
	b.book.Keep(row)
}

func TestNobodyJoinsACallThatEverybodyHasLeft(t *testing.T) {
	for _, how := range []string{"whole", "stream"} {
		t.Run(how, func(t *testing.T) {
			o, b := cached(&shop{}), &tardy{}
			o.recorder = b
			in(t, o, func(t *testing.T, w *world) {
				b.book = w.book
				w.plays("openai", reply{after: time.Hour})
				ctx, leave := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() {
					defer close(done)
					ways(w)[how](ctx, prompt("p"))
				}()
				time.Sleep(time.Second)
				leave()
				time.Sleep(500 * time.Millisecond) // it is being put into the book
				wantStatus(t, ways(w)[how](t.Context(), prompt("p")), "miss")
				<-done
			})
		})
	}
}
