package conformance

import (
	"fmt"
	"testing"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// growingBucket makes a bucket that nobody has used, whose wait grows from 30 s to its window.
func growingBucket(limit int) outbound.Bucket {
	b := bucketOf(limit)
	b.Growth = 30 * time.Second
	return b
}

func throttleGrowth(t *testing.T, w throttleWorld) {
	b := growingBucket(3)
	w.fail(t, 3, b)
	for _, seconds := range []time.Duration{30, 60, 120, 240, 480} {
		wait := seconds * time.Second
		a := w.wantFull(t, fmt.Sprint("at the wait of ", wait), wait, b)
		wantState(t, fmt.Sprint("at the wait of ", wait), a.States[0], 0, b.Window)
		w.pass(wait - time.Microsecond)
		w.wantFull(t, "a moment before the wait is over", time.Microsecond, b)
		w.pass(time.Microsecond)
		lease, a := w.want(t, fmt.Sprint("after ", wait), outbound.Admitted, b)
		wantState(t, fmt.Sprint("after ", wait), a.States[0], 0, b.Window-wait)
		w.settle(t, lease, true, b)
	}
	w.wantFull(t, "at the longest wait", b.Window, b) // not 960 s
	w.pass(b.Window)
	w.fail(t, 3, b)
	w.wantFull(t, "from the beginning", 30*time.Second, b)
}

func throttleOneAtATime(t *testing.T, w throttleWorld) {
	b := growingBucket(4)
	w.fail(t, 2, b)
	one, _ := w.want(t, "the third", outbound.Admitted, b)
	two, _ := w.want(t, "the fourth", outbound.Admitted, b)
	w.want(t, "the fifth", outbound.Crowded, b)
	w.settle(t, one, true, b)
	w.settle(t, two, true, b)
	w.pass(30 * time.Second)
	one, _ = w.want(t, "after the wait", outbound.Admitted, b)
	w.want(t, "another beside it", outbound.Crowded, b)
	w.settle(t, one, false, b)
	one, _ = w.want(t, "when it was right", outbound.Admitted, b)
	w.want(t, "another beside that", outbound.Crowded, b)
	w.pass(leaseTTL)
	two, _ = w.want(t, "when it never said", outbound.Admitted, b)
	w.settle(t, one, true, b)
	w.wantFull(t, "when it said late that it was wrong", time.Minute, b)
	w.settle(t, two, false, b)
	w.wantFull(t, "when the other was right", time.Minute, b)
	must(t, "clear", w.Clear(t.Context(), []outbound.Bucket{b}))
	w.fail(t, 4, b)
	w.wantFull(t, "from the beginning", 30*time.Second, b)
}

func throttleGrowthEnds(t *testing.T, w throttleWorld) {
	b := growingBucket(3)
	w.fail(t, 1, b)
	w.pass(14 * time.Minute)
	w.fail(t, 1, b)
	w.pass(14 * time.Minute)
	_, a := w.want(t, "28 minutes after the first, 14 after the last", outbound.Admitted, b)
	wantState(t, "28 minutes after the first", a.States[0], 0, time.Minute)
	w.pass(time.Minute)
	_, a = w.want(t, "a window after the last", outbound.Admitted, b)
	wantState(t, "a window after the last", a.States[0], 2, 0)

	b = growingBucket(1)
	b.Growth = time.Hour // more than the window
	w.fail(t, 1, b)
	w.wantFull(t, "a growth longer than the window", b.Window, b)
	for range 80 { // past every shift
		w.settle(t, nextID(), true, b)
	}
	b.Growth = time.Microsecond
	w.wantFull(t, "after very many", b.Window, b)
}

func throttleGrowthOfEvery(t *testing.T, w throttleWorld) {
	b := growingBucket(2)
	b.Every = true
	w.want(t, "the first", outbound.Admitted, b)
	w.want(t, "the second", outbound.Admitted, b)
	w.wantFull(t, "the third", 30*time.Second, b)
	w.pass(30 * time.Second)
	_, a := w.want(t, "after the wait", outbound.Admitted, b)
	wantState(t, "after the wait", a.States[0], 0, b.Window)
	w.wantFull(t, "the next", time.Minute, b)
}
