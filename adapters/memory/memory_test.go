package memory_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/memory"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

// watch is a clock that is moved by hand.
type watch struct {
	mu  sync.Mutex
	now time.Time
}

func newWatch() *watch { return &watch{now: time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)} }

func (w *watch) read() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *watch) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func TestSessionCache(t *testing.T) {
	conformance.SessionCache(t, func(*testing.T) (outbound.SessionCache, func(time.Duration)) {
		w := newWatch()
		return memory.NewSessions(w.read, 0), w.pass
	})
}

func TestThrottle(t *testing.T) {
	conformance.Throttle(t, func(*testing.T) (outbound.Throttle, func(time.Duration)) {
		w := newWatch()
		return memory.NewThrottle(w.read, 0), w.pass
	})
}

func TestChallenges(t *testing.T) {
	conformance.Challenges(t, func(*testing.T) (outbound.Challenges, func(time.Duration)) {
		w := newWatch()
		return memory.NewChallenges(w.read, 0), w.pass
	})
}

func TestSessionsAreBounded(t *testing.T) {
	w := newWatch()
	c := memory.NewSessions(w.read, 640)
	keep := func(from, n int) {
		t.Helper()
		for i := range n {
			if err := c.Keep(t.Context(), outbound.SessionRecord{ID: session.ID(fmt.Sprint(from + i))}, time.Minute); err != nil {
				t.Fatalf("keep: %v", err)
			}
		}
	}
	grave := session.ID("a grave")
	if err := c.Bury(t.Context(), grave, time.Hour); err != nil {
		t.Fatalf("bury: %v", err)
	}
	keep(0, 10_000)
	if n := c.Len(); n > 640 || n < 600 {
		t.Errorf("after 10,000 records: %d entries, want about 640 and no more", n)
	}
	if _, _, dead, err := c.Record(t.Context(), grave); err != nil || !dead {
		t.Errorf("a tombstone gave way to records: dead %t, %v", dead, err)
	}
	if _, known, _, err := c.Record(t.Context(), "9999"); err != nil || !known {
		t.Errorf("the newest record is not there: known %t, %v", known, err)
	}
	w.pass(time.Minute)
	keep(20_000, 1000)
	for i := range 1000 {
		if err := c.Bury(t.Context(), session.ID(fmt.Sprint("grave", i)), time.Hour); err != nil {
			t.Fatalf("bury: %v", err)
		}
	}
	if n := c.Len(); n > 640 {
		t.Errorf("with tombstones: %d entries, want at most 640", n)
	}
}

func BenchmarkSessionRecord(b *testing.B) {
	c := memory.NewSessions(newWatch().read, 0)
	r := outbound.SessionRecord{ID: "01935a00-0000-7000-8000-000000000001", UserID: "u", TenantID: "t", Role: "owner"}
	if err := c.Keep(b.Context(), r, time.Hour); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, known, _, _ := c.Record(b.Context(), r.ID); !known {
				b.Fatal("the record is gone")
			}
		}
	})
}
