package conformance

import (
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

func throttleWrongRace(t *testing.T, w throttleWorld) {
	for _, b := range []outbound.Bucket{bucketOf(5), growingBucket(5)} {
		var through atomic.Int32
		none(t, race(100, func(int) error {
			lease := nextID()
			a, err := w.Admit(t.Context(), lease, leaseTTL, []outbound.Bucket{b})
			if err != nil || a.Verdict != outbound.Admitted {
				return err
			}
			through.Add(1)
			return w.Settle(t.Context(), lease, true, []outbound.Bucket{b})
		}))
		if n := through.Load(); n != 5 {
			t.Errorf("%d of 100 were let through, want 5", n)
		}
		w.want(t, "after the race", outbound.Full, b)
	}
}

func throttleEveryRace(t *testing.T, w throttleWorld) {
	b := bucketOf(60)
	b.Every = true
	var through, full atomic.Int32
	none(t, race(100, func(int) error {
		a, err := w.Admit(t.Context(), nextID(), leaseTTL, []outbound.Bucket{b})
		switch {
		case err != nil:
		case a.Verdict == outbound.Admitted:
			through.Add(1)
		case a.Verdict == outbound.Full:
			full.Add(1)
		}
		return err
	}))
	if through.Load() != 60 || full.Load() != 40 {
		t.Errorf("%d were let through and %d found it full, want 60 and 40", through.Load(), full.Load())
	}
}

func throttleRightRace(t *testing.T, w throttleWorld) {
	b := []outbound.Bucket{bucketOf(5)}
	var under, most atomic.Int32
	none(t, race(100, func(int) error {
		lease := nextID()
		for {
			a, err := w.Admit(t.Context(), lease, time.Hour, b)
			switch {
			case err != nil:
				return err
			case a.Verdict == outbound.Full:
				return errors.New("full, though none was wrong")
			case a.Verdict == outbound.Crowded:
				runtime.Gosched()
				continue
			}
			n := under.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			runtime.Gosched()
			under.Add(-1)
			return w.Settle(t.Context(), lease, false, b)
		}
	}))
	if n := most.Load(); n > 5 || n == 0 {
		t.Errorf("%d were under way at once, want at most 5", n)
	}
	_, a := w.want(t, "after the race", outbound.Admitted, b...)
	wantState(t, "after the race", a.States[0], 4, 0)
}

func throttleTwoRace(t *testing.T, w throttleWorld) {
	wide, narrow := bucketOf(50), bucketOf(5)
	var through atomic.Int32
	none(t, race(100, func(i int) error {
		both := []outbound.Bucket{wide, narrow}
		if i%2 == 0 {
			both[0], both[1] = narrow, wide
		}
		lease := nextID()
		a, err := w.Admit(t.Context(), lease, leaseTTL, both)
		if err != nil || a.Verdict != outbound.Admitted {
			return err
		}
		through.Add(1)
		return w.Settle(t.Context(), lease, true, both)
	}))
	if n := through.Load(); n != 5 {
		t.Errorf("%d of 100 were let through, want 5", n)
	}
	_, a := w.want(t, "the wide one", outbound.Admitted, wide)
	wantState(t, "the wide one", a.States[0], 44, wide.Window)
}
