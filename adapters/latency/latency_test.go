package latency_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/latency"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

// hand is a clock that is moved by hand.
type hand struct{ nanos atomic.Int64 }

func newHand() *hand {
	h := &hand{}
	h.nanos.Store(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC).UnixNano())
	return h
}

func (h *hand) now() time.Time           { return time.Unix(0, h.nanos.Load()).UTC() }
func (h *hand) pass(d time.Duration)     { h.nanos.Add(int64(d)) }
func target(model string) routing.Target { return routing.Target{Provider: "openai", Model: model} }

func TestConformance(t *testing.T) {
	conformance.Latencies(t, func(*testing.T) (outbound.Latencies, func(time.Duration)) {
		h := newHand()
		return latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: h.now}), h.pass
	})
}

func TestDefaultWindow(t *testing.T) {
	h := newHand()
	l := latency.New(latency.Config{Clock: h.now})
	l.Observe(routing.General, target("m"), time.Second, 1)
	h.pass(8 * time.Minute)
	if got, _ := l.P95(routing.General, target("m")); got.Samples != 1 {
		t.Errorf("after 8 minutes %d samples, want 1", got.Samples)
	}
	h.pass(3 * time.Minute)
	if got, _ := l.P95(routing.General, target("m")); got.Samples != 0 {
		t.Errorf("after 11 minutes %d samples, want none", got.Samples)
	}
}

func TestTheLongestSilentMakesRoom(t *testing.T) {
	const room = 40
	h := newHand()
	l := latency.New(latency.Config{MaxKeys: room, Clock: h.now})
	for i := range room {
		l.Observe(routing.General, target(fmt.Sprint("old ", i)), time.Second, 1)
	}
	h.pass(5 * time.Minute)
	for i := range room / 2 {
		l.Observe(routing.General, target(fmt.Sprint("new ", i)), time.Second, 1)
	}
	count := func(kind string) (n int) {
		for i := range room {
			if got, _ := l.P95(routing.General, target(fmt.Sprint(kind, " ", i))); got.Samples > 0 {
				n++
			}
		}
		return n
	}
	if got := count("new"); got != room/2 {
		t.Errorf("%d new targets are known, want all %d", got, room/2)
	}
	if got := count("old"); got != room/2 {
		t.Errorf("%d old targets are known, want %d", got, room/2)
	}
}

func BenchmarkObserve(b *testing.B) {
	l := latency.New(latency.Config{Clock: newHand().now})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l.Observe(routing.General, target("m"), time.Duration(100+i%900)*time.Millisecond, 100)
	}
}

func BenchmarkP95(b *testing.B) {
	l := latency.New(latency.Config{Clock: newHand().now})
	for i := range 10_000 {
		l.Observe(routing.General, target("m"), time.Duration(100+i%900)*time.Millisecond, 100)
	}
	b.ReportAllocs()
	for b.Loop() {
		l.P95(routing.General, target("m"))
	}
}
