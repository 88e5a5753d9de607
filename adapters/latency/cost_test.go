package latency_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/latency"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/test/conformance"
)

func TestAMillionAnswersLeaveTheHeapFlat(t *testing.T) {
	h := newHand()
	l := latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: h.now})
	million := func() uint64 {
		for i := range 1_000_000 {
			l.Observe(routing.General, target("m"), time.Duration(100+i%900)*time.Millisecond, i%2000)
			if i%1000 == 0 {
				h.pass(time.Second)
				l.P95(routing.General, target("m"))
			}
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := million()
	if after := million(); after > before+64<<10 {
		t.Errorf("a million answers more leave %d bytes on the heap", after-before)
	}
	runtime.KeepAlive(l)
}

func TestWhatIsWarmAllocatesNothing(t *testing.T) {
	h := newHand()
	l := latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: h.now})
	i := 0
	observe := func() {
		i++
		l.Observe(routing.General, target("m"), time.Duration(100+i%900)*time.Millisecond, 100)
	}
	for range 10_000 {
		observe()
	}
	if n := testing.AllocsPerRun(1000, observe); n != 0 {
		t.Errorf("an answer costs %v allocations, want none", n)
	}
	if n := testing.AllocsPerRun(1000, func() { l.P95(routing.General, target("m")) }); n != 0 {
		t.Errorf("a look costs %v allocations, want none", n)
	}
	if n := testing.AllocsPerRun(1000, func() { observe(); l.P95(routing.General, target("m")) }); n != 0 {
		t.Errorf("an answer and a look cost %v allocations, want none", n)
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
	b.Run("nothing changed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l.P95(routing.General, target("m"))
		}
	})
	b.Run("after an answer", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			l.Observe(routing.General, target("m"), time.Duration(100+i%900)*time.Millisecond, 100)
			l.P95(routing.General, target("m"))
		}
	})
}

func BenchmarkTheWindowSlides(b *testing.B) {
	h := newHand()
	l := latency.New(latency.Config{Clock: h.now})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%100 == 0 {
			h.pass(time.Minute)
		}
		l.Observe(routing.General, target("m"), time.Duration(100+i*37%900)*time.Millisecond, 100)
	}
}

func BenchmarkExchange(b *testing.B) {
	h, m := newHand(), newMeeting()
	var fleet []*latency.Latencies
	for i := range 3 {
		fleet = append(fleet, latency.New(latency.Config{Clock: h.now, Shared: m, Replica: fmt.Sprint(i)}))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.pass(time.Second)
		for _, l := range fleet {
			for k := range 20 {
				for j := range 5 {
					l.Observe(routing.General, target(fmt.Sprint(k)), time.Duration(100+(i*31+j*177)%900)*time.Millisecond, 100)
				}
			}
			if err := l.Exchange(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
}
