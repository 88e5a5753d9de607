package gateway_test

import (
	"sync"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/test/change"
)

// TestAPolicyIsAsOldAsItsReading has a store that takes long to say what it read at first. Another node's change acts a second after it was made all
// the same.
func TestAPolicyIsAsOldAsItsReading(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.shelf.onFind = func() { time.Sleep(800 * time.Millisecond) }
		decide := func() int64 {
			d, err := w.Explain(t.Context(), request(""))
			if err != nil {
				t.Fatal(err)
			}
			return d.PolicyVersion
		}
		changed := make(chan error, 1)
		time.AfterFunc(time.Millisecond, func() {
			changed <- w.shelf.Update(t.Context(), "t1", func(p *routing.Policy) error { return change.Disable(p, "openai") })
		})
		if got := decide(); got != 1 {
			t.Errorf("version %d, want the one that was read before the change", got)
		}
		if err := <-changed; err != nil {
			t.Fatal(err)
		}
		time.Sleep(250 * time.Millisecond)
		if got := decide(); got != 2 {
			t.Errorf("version %d more than a second after the change, want 2", got)
		}
	})
}

// TestManyCallsShareASlowReading has a store that takes longer than a policy is kept. Calls that came before it was asked, or soon after, share the answer.
func TestManyCallsShareASlowReading(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.shelf.onFind = func() { time.Sleep(3 * time.Second) }
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
