package auth

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/domain/fault"
)

func TestTurnsOfAUserComeOneAtATime(t *testing.T) {
	var (
		all    turns
		wg     sync.WaitGroup
		inside = map[bool]int{} // guarded by the turns alone, which the race detector sees
	)
	for range 50 {
		wg.Go(func() {
			done, err := all.take(t.Context(), "ada")
			if err != nil {
				t.Error(err)
				return
			}
			defer done()
			inside[true]++
		})
	}
	wg.Wait()
	if inside[true] != 50 || len(all.lines) != 0 {
		t.Errorf("%d had their turn, %d lines are left; want 50, 0", inside[true], len(all.lines))
	}
}

func TestNobodyWaitsLongForATurnOrForAnothersUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all turns
		done, err := all.take(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		other, err := all.take(t.Context(), "bob")
		if err != nil {
			t.Fatalf("another user: %v", err)
		}
		other()
		began := time.Now()
		if _, err := all.take(t.Context(), "ada"); !errors.Is(err, fault.ErrBusy) || time.Since(began) != crowdWait {
			t.Errorf("after %v: got %v, want %v after %v", time.Since(began), err, fault.ErrBusy, crowdWait)
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := all.take(gone, "ada"); !errors.Is(err, context.Canceled) {
			t.Errorf("who left: got %v", err)
		}
		done()
		again, err := all.take(t.Context(), "ada")
		if err != nil {
			t.Fatalf("when it is free: %v", err)
		}
		again()
		if len(all.lines) != 0 {
			t.Errorf("%d lines are left", len(all.lines))
		}
	})
}
