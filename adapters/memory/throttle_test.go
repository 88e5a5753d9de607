package memory_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/memory"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

func bucketNamed(key string, limit int) outbound.Bucket {
	return outbound.Bucket{Key: key, Limit: limit, Window: 15 * time.Minute}
}

// fail has a bucket count one failure, and gives the verdict before it.
func fail(t *testing.T, throttle outbound.Throttle, b outbound.Bucket) (outbound.Verdict, error) {
	t.Helper()
	a, err := throttle.Admit(t.Context(), "one", 5*time.Second, []outbound.Bucket{b})
	if err != nil || a.Verdict != outbound.Admitted {
		return a.Verdict, err
	}
	return a.Verdict, throttle.Settle(t.Context(), "one", true, []outbound.Bucket{b})
}

// crowd fills a throttle with failures, each in a bucket of its own, with as many failures as told.
func crowd(t *testing.T, throttle outbound.Throttle, name string, n, failures int) {
	t.Helper()
	for i := range n {
		for range failures {
			if v, err := fail(t, throttle, bucketNamed(fmt.Sprint(name, i), 3)); v != outbound.Admitted || err != nil {
				t.Fatalf("failure of %s%d: verdict %d, %v", name, i, v, err)
			}
		}
	}
}

func TestAThrottleIsBoundedAndSparesFullBuckets(t *testing.T) {
	w := newWatch()
	throttle := memory.NewThrottle(w.read, 100)
	crowd(t, throttle, "full", 50, 3)
	crowd(t, throttle, "half", 20, 2)
	busy := bucketNamed("busy", 3)
	if a, err := throttle.Admit(t.Context(), "busy", time.Hour, []outbound.Bucket{busy}); err != nil || a.Verdict != outbound.Admitted {
		t.Fatalf("got %+v, %v", a, err)
	}
	crowd(t, throttle, "stranger", 1000, 1)
	if n := throttle.Len(); n > 100 || n < 90 {
		t.Errorf("%d buckets, want at most 100 and not far fewer", n)
	}
	for i := range 50 {
		if v, err := fail(t, throttle, bucketNamed(fmt.Sprint("full", i), 3)); v != outbound.Full || err != nil {
			t.Errorf("full bucket %d gave way to strangers: verdict %d, %v", i, v, err)
		}
	}
	for i := range 20 {
		a, err := throttle.Admit(t.Context(), "look", 0, []outbound.Bucket{bucketNamed(fmt.Sprint("half", i), 3)})
		if err != nil || a.States[0].Remaining != 0 {
			t.Errorf("half bucket %d gave way before emptier ones: %+v, %v", i, a, err)
		}
	}
	a, err := throttle.Admit(t.Context(), "busy too", time.Hour, []outbound.Bucket{busy})
	if err != nil || a.States[0].Remaining != 1 {
		t.Errorf("a bucket in use gave way to strangers: %+v, %v", a, err)
	}
	w.pass(16 * time.Minute)
	crowd(t, throttle, "late", 10, 1)
	if n := throttle.Len(); n > 100 {
		t.Errorf("%d buckets, want at most 100", n)
	}
}

func TestRoomForOneBucketIsNotMadeOfAnotherThatIsAskedFor(t *testing.T) {
	throttle := memory.NewThrottle(newWatch().read, 2)
	crowd(t, throttle, "asked", 1, 1)
	crowd(t, throttle, "fuller", 1, 2)
	a, err := throttle.Admit(t.Context(), "x", time.Minute, []outbound.Bucket{bucketNamed("new", 3), bucketNamed("asked0", 3)})
	if err != nil || a.Verdict != outbound.Admitted {
		t.Fatalf("got %+v, %v", a, err)
	}
	a, err = throttle.Admit(t.Context(), "y", time.Minute, []outbound.Bucket{bucketNamed("asked0", 3)})
	if err != nil || a.States[0].Remaining != 0 {
		t.Errorf("got %+v, %v; want the failure and two under way counted", a, err)
	}
}

func TestAThrottleOfFullBucketsRefusesOthers(t *testing.T) {
	w := newWatch()
	throttle := memory.NewThrottle(w.read, 20)
	crowd(t, throttle, "full", 19, 3)
	held := bucketNamed("held", 1)
	if a, err := throttle.Admit(t.Context(), "held", time.Hour, []outbound.Bucket{held}); err != nil || a.Verdict != outbound.Admitted {
		t.Fatalf("got %+v, %v", a, err)
	}
	for range 3 {
		if _, err := fail(t, throttle, bucketNamed("stranger", 3)); !errors.Is(err, fault.ErrBusy) {
			t.Errorf("a stranger: got %v, want %v", err, fault.ErrBusy)
		}
		if err := throttle.Settle(t.Context(), "late", true, []outbound.Bucket{bucketNamed("stranger", 3)}); !errors.Is(err, fault.ErrBusy) {
			t.Errorf("a stranger's failure: got %v, want %v", err, fault.ErrBusy)
		}
		if v, err := fail(t, throttle, bucketNamed("full0", 3)); v != outbound.Full || err != nil {
			t.Errorf("a full one: verdict %d, %v", v, err)
		}
	}
	if n := throttle.Len(); n != 20 {
		t.Errorf("%d buckets, want 20", n)
	}
	if err := throttle.Settle(t.Context(), "held", false, []outbound.Bucket{held}); err != nil {
		t.Fatal(err)
	}
	if v, err := fail(t, throttle, bucketNamed("stranger", 3)); v != outbound.Admitted || err != nil {
		t.Errorf("a stranger, when there is room again: verdict %d, %v", v, err)
	}
	if v, err := fail(t, throttle, bucketNamed("another", 3)); v != outbound.Admitted || err != nil {
		t.Errorf("another, with one that is not full: verdict %d, %v", v, err)
	}
	w.pass(15 * time.Minute)
	crowd(t, throttle, "later", 20, 1)
}

func TestAThrottleForgetsWhatHoldsNothing(t *testing.T) {
	throttle := memory.NewThrottle(newWatch().read, 0)
	b := []outbound.Bucket{bucketNamed("a", 3)}
	for range 3 {
		if _, err := throttle.Admit(t.Context(), "one", time.Minute, b); err != nil {
			t.Fatal(err)
		}
		if err := throttle.Settle(t.Context(), "one", false, b); err != nil {
			t.Fatal(err)
		}
	}
	if n := throttle.Len(); n != 0 {
		t.Errorf("after successes: %d buckets, want none", n)
	}
	if _, err := fail(t, throttle, b[0]); err != nil {
		t.Fatal(err)
	}
	if err := throttle.Clear(t.Context(), b); err != nil || throttle.Len() != 0 {
		t.Errorf("after clearing: %d buckets, %v; want none", throttle.Len(), err)
	}
}

func TestChallengesAreBounded(t *testing.T) {
	w := newWatch()
	challenges := memory.NewChallenges(w.read, 10)
	put := func(i byte) error {
		return challenges.Put(t.Context(), [32]byte{i}, outbound.Challenge{User: "u"}, time.Minute)
	}
	for i := range byte(10) {
		if err := put(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(10); !errors.Is(err, fault.ErrBusy) {
		t.Errorf("one too many: got %v, want %v", err, fault.ErrBusy)
	}
	if err := put(3); err != nil {
		t.Errorf("one that is there, put anew: %v", err)
	}
	if _, ok, err := challenges.Try(t.Context(), [32]byte{0}, 5); !ok || err != nil {
		t.Errorf("a live one gave way: %t, %v", ok, err)
	}
	w.pass(time.Minute)
	if err := put(10); err != nil {
		t.Errorf("when the others have ended: %v", err)
	}
	if n := challenges.Len(); n != 1 {
		t.Errorf("%d are kept, want 1", n)
	}
}

func BenchmarkThrottle(b *testing.B) {
	throttle := memory.NewThrottle(newWatch().read, 0)
	buckets := []outbound.Bucket{bucketNamed("a", 5), bucketNamed("b", 30)}
	b.ReportAllocs()
	for b.Loop() {
		if a, err := throttle.Admit(b.Context(), "x", time.Second, buckets); err != nil || a.Verdict != outbound.Admitted {
			b.Fatalf("got %+v, %v", a, err)
		}
		if err := throttle.Settle(b.Context(), "x", false, buckets); err != nil {
			b.Fatal(err)
		}
	}
}
