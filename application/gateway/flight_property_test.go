package gateway_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// chance draws what a vendor does: it answers soon or late, whole or in pieces, or fails in one of its ways.
func chance(dice *rand.Rand, text string) reply {
	r := reply{after: time.Duration(dice.IntN(3000)) * time.Millisecond, text: text}
	switch dice.IntN(6) {
	case 0:
		return reply{after: r.after, err: chat.Fail(chat.ClassInvalid, nil)}
	case 1:
		r.pieces = []piece{{after: r.after, chunk: chat.Chunk{Text: text}}, {after: time.Second, err: chat.ErrCutOff}}
	case 2:
		half := len(text) / 2
		r.pieces = []piece{{after: r.after, chunk: chat.Chunk{Text: text[:half]}}, {after: time.Second, chunk: chat.Chunk{Text: text[half:]}}, finish(chat.FinishStop)}
	}
	return r
}

// TestWhateverHappensToSharedCallsTheBooksAreRight has callers come and go at random: every answer is whole or a beginning of it, every admitted call has one
// row, and every row of a miss one call of the vendor.
func TestWhateverHappensToSharedCallsTheBooksAreRight(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := &shop{slow: time.Duration(seed%3) * 100 * time.Millisecond}
			in(t, cached(s), func(t *testing.T, w *world) {
				dice := rand.New(rand.NewPCG(seed, 1))
				text := strings.Repeat("a", 1000)
				var script []reply
				for range 100 {
					script = append(script, chance(dice, text))
				}
				w.plays("openai", script...)
				w.vendors["openai"].lossy = seed%4 == 0
				var all sync.WaitGroup
				const callers = 60
				for range callers {
					comes, stays := time.Duration(dice.IntN(8000))*time.Millisecond, time.Duration(dice.IntN(6000))*time.Millisecond
					call := []func(string) inbound.Call{prompt, relayedPrompt}[dice.IntN(2)](fmt.Sprint(dice.IntN(3)))
					how, leaves := []string{"whole", "stream"}[dice.IntN(2)], dice.IntN(3) == 0
					all.Go(func() {
						time.Sleep(comes)
						ctx := t.Context()
						if leaves {
							var cancel context.CancelFunc
							ctx, cancel = context.WithCancel(ctx)
							time.AfterFunc(stays, cancel)
						}
						r := ways(w)[how](ctx, call)
						switch {
						case r.err == nil && r.text != text, !strings.HasPrefix(text, r.text):
							t.Errorf("%d bytes, %v", len(r.text), r.err)
						case r.err == nil && r.receipt.Cache != "hit" && r.receipt.Cache != "miss":
							t.Errorf("cache %q", r.receipt.Cache)
						}
					})
				}
				all.Wait()
				time.Sleep(time.Hour)
				synctest.Wait()
				attempts := 0
				for _, row := range w.book.rows {
					attempts += len(row.Attempts)
					if row.Decision == nil && len(row.Attempts) > 0 || row.Decision != nil && row.Cache != "miss" {
						t.Errorf("a %s with %d attempts has a decision of its own: %t", row.Cache, len(row.Attempts), row.Decision != nil)
					}
				}
				if calls := w.vendors["openai"].calls(); calls != attempts || calls == 0 {
					t.Errorf("the vendor was asked %d times, and the rows tell of %d", calls, attempts)
				}
				if n := len(w.book.rows); n != callers {
					t.Errorf("%d rows of %d callers", n, callers)
				}
			})
		})
	}
}
