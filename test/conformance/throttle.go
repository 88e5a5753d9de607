package conformance

import (
	"fmt"
	"testing"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// Throttle is the suite of outbound.Throttle. new gives one where nothing counts and what lets time pass for it.
func Throttle(t *testing.T, new func(t *testing.T) (throttle outbound.Throttle, pass func(time.Duration))) {
	tests := map[string]func(t *testing.T, w throttleWorld){
		"once so many have failed it is full until the window ends":      throttleFull,
		"the window begins with the first that counts":                   throttleWindow,
		"what is right does not count":                                   throttleRight,
		"those under way crowd it, and make room when they end":          throttleCrowded,
		"a lease that is never settled ends by itself":                   throttleLease,
		"a failure counts though its lease has ended":                    throttleLate,
		"a bucket of every admission counts at once":                     throttleEvery,
		"a lease is in every bucket or in none":                          throttleAllOrNone,
		"full is said before crowded, and the longest wait":              throttleWorst,
		"a full bucket that grows waits twice as long after each":        throttleGrowth,
		"a full bucket that grows takes one at a time":                   throttleOneAtATime,
		"a bucket that grows begins anew a window after the last":        throttleGrowthEnds,
		"a bucket that grows waits after each admission when all counts": throttleGrowthOfEvery,
		"cleared, the count begins anew and leases go on":                throttleClear,
		"keys do not touch each other":                                   throttleApart,
		"a clock that is moved back does not lengthen a wait":            throttleBack,
		"without buckets everything is admitted":                         throttleNoBuckets,
		"of 100 wrong ones at once the limit is let through":             throttleWrongRace,
		"of 100 admissions at once the limit is let through":             throttleEveryRace,
		"100 right ones at once get through a narrow limit":              throttleRightRace,
		"100 at once through two buckets heed the narrower":              throttleTwoRace,
		"it does what the model does":                                    throttleModel,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			throttle, pass := new(t)
			test(t, throttleWorld{throttle, pass})
		})
	}
}

type throttleWorld struct {
	outbound.Throttle
	pass func(time.Duration)
}

const leaseTTL = 5 * time.Second

// bucketOf makes a bucket that nobody has used.
func bucketOf(limit int) outbound.Bucket {
	return outbound.Bucket{Key: "login-account:" + nextID(), Limit: limit, Window: 15 * time.Minute}
}

// ask asks for admission under a lease of its own.
func (w throttleWorld) ask(t *testing.T, buckets ...outbound.Bucket) (string, outbound.Admission) {
	t.Helper()
	lease := nextID()
	a, err := w.Admit(t.Context(), lease, leaseTTL, buckets)
	must(t, "admit", err)
	if len(a.States) != len(buckets) {
		t.Fatalf("got %d states for %d buckets", len(a.States), len(buckets))
	}
	return lease, a
}

// want fails the test unless the next is given this verdict, and gives its lease.
func (w throttleWorld) want(t *testing.T, what string, want outbound.Verdict, buckets ...outbound.Bucket) (string, outbound.Admission) {
	t.Helper()
	lease, a := w.ask(t, buckets...)
	if a.Verdict != want {
		t.Fatalf("%s: got verdict %d, want %d", what, a.Verdict, want)
	}
	if (a.RetryAfter > 0) != (want == outbound.Full) {
		t.Fatalf("%s: verdict %d says to retry after %v", what, want, a.RetryAfter)
	}
	return lease, a
}

// wantFull fails the test unless the next is refused for so long.
func (w throttleWorld) wantFull(t *testing.T, what string, retry time.Duration, buckets ...outbound.Bucket) outbound.Admission {
	t.Helper()
	_, a := w.want(t, what, outbound.Full, buckets...)
	if a.RetryAfter != retry {
		t.Fatalf("%s: retry after %v, want %v", what, a.RetryAfter, retry)
	}
	return a
}

func (w throttleWorld) settle(t *testing.T, lease string, failed bool, buckets ...outbound.Bucket) {
	t.Helper()
	must(t, "settle", w.Settle(t.Context(), lease, failed, buckets))
}

// fail has so many be admitted and fail.
func (w throttleWorld) fail(t *testing.T, times int, buckets ...outbound.Bucket) {
	t.Helper()
	for i := range times {
		lease, _ := w.want(t, fmt.Sprintf("failure %d of %d", i+1, times), outbound.Admitted, buckets...)
		w.settle(t, lease, true, buckets...)
	}
}

func wantState(t *testing.T, what string, got outbound.BucketState, remaining int, reset time.Duration) {
	t.Helper()
	if want := (outbound.BucketState{Remaining: remaining, Reset: reset}); got != want {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func throttleFull(t *testing.T, w throttleWorld) {
	b := bucketOf(3)
	for i := range 3 {
		lease, a := w.want(t, "a failure", outbound.Admitted, b)
		reset := b.Window
		if i == 0 {
			reset = 0
		}
		wantState(t, fmt.Sprint("at failure ", i+1), a.States[0], 2-i, reset)
		w.settle(t, lease, true, b)
	}
	a := w.wantFull(t, "the fourth", b.Window, b)
	wantState(t, "when full", a.States[0], 0, b.Window)
	w.pass(time.Minute)
	a = w.wantFull(t, "a minute later", 14*time.Minute, b)
	wantState(t, "a minute later", a.States[0], 0, 14*time.Minute)
	w.pass(14*time.Minute - time.Microsecond)
	w.wantFull(t, "a moment before the end", time.Microsecond, b)
	w.pass(time.Microsecond)
	lease, a := w.want(t, "at the end", outbound.Admitted, b)
	wantState(t, "at the end", a.States[0], 2, 0)
	w.settle(t, lease, false, b)
	w.fail(t, 3, b)
	w.wantFull(t, "in the second window", b.Window, b)
}

func throttleWindow(t *testing.T, w throttleWorld) {
	b := bucketOf(3)
	first, _ := w.want(t, "the first", outbound.Admitted, b)
	w.pass(3 * time.Second)
	w.settle(t, first, true, b) // counts from here, not from its admission
	w.pass(10 * time.Minute)
	w.fail(t, 2, b)
	w.wantFull(t, "when full", 5*time.Minute, b)
	w.pass(5 * time.Minute)
	w.fail(t, 1, b)
	_, a := w.want(t, "in the next window", outbound.Admitted, b)
	wantState(t, "in the next window", a.States[0], 1, b.Window)
}

func throttleRight(t *testing.T, w throttleWorld) {
	b := bucketOf(2)
	for range 10 {
		lease, a := w.want(t, "a right one", outbound.Admitted, b)
		wantState(t, "with a right one under way", a.States[0], 1, 0)
		w.settle(t, lease, false, b)
	}
	w.fail(t, 1, b)
	w.pass(time.Minute)
	for range 10 {
		lease, a := w.want(t, "a right one after a wrong one", outbound.Admitted, b)
		wantState(t, "after a wrong one", a.States[0], 0, 14*time.Minute)
		w.settle(t, lease, false, b)
	}
	w.fail(t, 1, b)
	w.wantFull(t, "after two wrong ones", 14*time.Minute, b)
}

func throttleCrowded(t *testing.T, w throttleWorld) {
	b := bucketOf(3)
	w.fail(t, 1, b)
	one, _ := w.want(t, "one", outbound.Admitted, b)
	two, a := w.want(t, "two", outbound.Admitted, b)
	wantState(t, "with two under way", a.States[0], 0, b.Window)
	_, a = w.want(t, "three", outbound.Crowded, b)
	wantState(t, "when crowded", a.States[0], 0, b.Window)
	w.settle(t, one, false, b)
	three, _ := w.want(t, "when one was right", outbound.Admitted, b)
	w.settle(t, two, true, b)
	w.want(t, "when one was wrong", outbound.Crowded, b)
	w.settle(t, three, true, b)
	w.wantFull(t, "when the last was wrong", b.Window, b)
}

func throttleLease(t *testing.T, w throttleWorld) {
	b := bucketOf(2)
	w.want(t, "one that crashes", outbound.Admitted, b)
	w.pass(2 * time.Second)
	w.want(t, "another", outbound.Admitted, b)
	w.pass(3*time.Second - time.Microsecond)
	w.want(t, "a moment before the lease ends", outbound.Crowded, b)
	w.pass(time.Microsecond)
	_, a := w.want(t, "when it has ended", outbound.Admitted, b)
	wantState(t, "a crash counts as nothing", a.States[0], 0, 0)
	w.want(t, "while the others go on", outbound.Crowded, b)
	w.pass(time.Hour)
	_, a = w.want(t, "when all have ended", outbound.Admitted, b)
	wantState(t, "when all have ended", a.States[0], 1, 0)
}

func throttleLate(t *testing.T, w throttleWorld) {
	b := bucketOf(2)
	for range 2 {
		lease, _ := w.want(t, "one that is slow", outbound.Admitted, b)
		w.pass(leaseTTL)
		w.settle(t, lease, true, b)
	}
	w.wantFull(t, "after two late failures", b.Window-leaseTTL, b)
	b = bucketOf(2)
	w.settle(t, nextID(), false, b)
	_, a := w.want(t, "after a success that nobody knew", outbound.Admitted, b)
	wantState(t, "after a success that nobody knew", a.States[0], 1, 0)
	b = bucketOf(1)
	w.settle(t, nextID(), true, b)
	w.wantFull(t, "after a failure that nobody knew", b.Window, b)
}

func throttleEvery(t *testing.T, w throttleWorld) {
	b := bucketOf(3)
	b.Every = true
	for i := range 3 {
		w.pass(time.Second)
		lease, a := w.want(t, "one that counts", outbound.Admitted, b)
		wantState(t, "one that counts", a.States[0], 2-i, b.Window-time.Duration(i)*time.Second)
		w.settle(t, lease, i == 1, b)
	}
	a := w.wantFull(t, "the fourth", b.Window-2*time.Second, b)
	wantState(t, "when full", a.States[0], 0, b.Window-2*time.Second)
	w.pass(b.Window - 2*time.Second)
	w.want(t, "in the next window", outbound.Admitted, b)
}

func throttleAllOrNone(t *testing.T, w throttleWorld) {
	full, wide, every := bucketOf(1), bucketOf(2), bucketOf(2)
	every.Every = true
	w.fail(t, 1, full)
	for range 5 {
		a := w.wantFull(t, "with a full one in the middle", full.Window, every, full, wide)
		wantState(t, "the one that counts every", a.States[0], 2, 0)
		wantState(t, "the full one", a.States[1], 0, full.Window)
		wantState(t, "the wide one", a.States[2], 2, 0)
	}
	crowd := bucketOf(1)
	w.want(t, "one to crowd", outbound.Admitted, crowd)
	for range 5 {
		w.want(t, "with a crowded one in the end", outbound.Crowded, every, wide, crowd)
	}
	lease, a := w.want(t, "the others", outbound.Admitted, every, wide)
	wantState(t, "the one that counts every", a.States[0], 1, every.Window)
	wantState(t, "the wide one", a.States[1], 1, 0)
	w.settle(t, lease, true, every, wide)
	_, a = w.want(t, "the others again", outbound.Admitted, wide, every)
	wantState(t, "the wide one", a.States[0], 0, wide.Window)
	wantState(t, "the one that counts every", a.States[1], 0, every.Window)
}

func throttleWorst(t *testing.T, w throttleWorld) {
	early, late, crowd := bucketOf(1), bucketOf(1), bucketOf(1)
	w.fail(t, 1, early)
	w.pass(time.Minute)
	w.fail(t, 1, late)
	w.want(t, "one to crowd", outbound.Admitted, crowd)
	for _, order := range [][]outbound.Bucket{{crowd, early, late}, {late, early, crowd}, {early, late}, {late, crowd, early}} {
		w.wantFull(t, "all of them", late.Window, order...)
	}
	w.wantFull(t, "the early one with the crowded one", early.Window-time.Minute, early, crowd)
}

func throttleClear(t *testing.T, w throttleWorld) {
	b, other := bucketOf(2), bucketOf(2)
	w.fail(t, 2, b)
	w.fail(t, 2, other)
	must(t, "clear", w.Clear(t.Context(), []outbound.Bucket{b}))
	w.wantFull(t, "the other", other.Window, other)
	one, a := w.want(t, "after it was cleared", outbound.Admitted, b)
	wantState(t, "after it was cleared", a.States[0], 1, 0)
	w.want(t, "a second", outbound.Admitted, b)
	must(t, "clear again", w.Clear(t.Context(), []outbound.Bucket{b, bucketOf(1)}))
	w.want(t, "while two are under way", outbound.Crowded, b)
	w.pass(time.Minute)
	w.settle(t, one, true, b)
	_, a = w.want(t, "after a failure that was under way", outbound.Admitted, b)
	wantState(t, "counts since the failure", a.States[0], 0, b.Window)
}

func throttleApart(t *testing.T, w throttleWorld) {
	base := bucketOf(1)
	w.fail(t, 1, base)
	for _, key := range []string{
		"", base.Key + "*", base.Key + " ", base.Key[:len(base.Key)-1], "login-ip:" + base.Key, "n", "at", "a\r\nDEL b", hostile, base.Key + "\x00",
	} {
		b := base
		b.Key = key
		lease, _ := w.want(t, fmt.Sprintf("key %q", key), outbound.Admitted, b)
		w.settle(t, lease, false, b)
	}
	for _, lease := range []string{"", "n", "at", "l:n", "a\r\nb\x00", hostile} {
		b := bucketOf(1)
		a, err := w.Admit(t.Context(), lease, leaseTTL, []outbound.Bucket{b})
		must(t, "admit", err)
		if a.Verdict != outbound.Admitted {
			t.Errorf("lease %q: got verdict %d", lease, a.Verdict)
		}
		w.want(t, "a second", outbound.Crowded, b)
		w.settle(t, lease, true, b)
		w.wantFull(t, "after a failure", b.Window, b)
	}
	w.wantFull(t, "the first key", base.Window, base)
}

func throttleBack(t *testing.T, w throttleWorld) {
	b, growing := bucketOf(2), growingBucket(1)
	w.fail(t, 2, b)
	w.fail(t, 1, growing)
	w.pass(-time.Hour)
	w.wantFull(t, "an hour before", b.Window, b)
	w.wantFull(t, "an hour before, growing", growing.Growth, growing)
	w.pass(b.Window)
	w.want(t, "a window later", outbound.Admitted, b)
	w.fail(t, 1, growing)
}

func throttleNoBuckets(t *testing.T, w throttleWorld) {
	for range 3 {
		lease, _ := w.want(t, "without buckets", outbound.Admitted)
		w.settle(t, lease, true)
	}
	must(t, "clear nothing", w.Clear(t.Context(), nil))
}
