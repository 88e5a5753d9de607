package latency_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/latency"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/test/conformance"
)

// pair is two replicas of a fleet, each with a clock of its own.
type pair struct {
	m      *meeting
	ha, hb *hand
	a, b   *latency.Latencies
	told   int // how often b was told of a change
}

func newPair() *pair {
	p := &pair{m: newMeeting(), ha: newHand(), hb: newHand()}
	p.a = latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: p.ha.now, Shared: p.m, Replica: "a"})
	p.b = latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: p.hb.now, Shared: p.m, Replica: "b", MaxKeys: 20})
	p.b.OnChange(func() { p.told++ })
	return p
}

func (p *pair) pass(d time.Duration) { p.ha.pass(d); p.hb.pass(d) }

func (p *pair) exchange(t *testing.T) {
	t.Helper()
	if err := errors.Join(p.a.Exchange(t.Context()), p.b.Exchange(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func (p *pair) wantB(t *testing.T, what string, samples int) {
	t.Helper()
	if got, _ := p.b.P95(routing.General, target("m")); got.Samples != samples {
		t.Errorf("%s: b counts %d samples, want %d", what, got.Samples, samples)
	}
}

func TestWhatAReplicaTellsLateIsHeard(t *testing.T) {
	p := newPair()
	p.exchange(t)
	p.m.fails(errors.New("down"))
	spread(p.a, 1, 10)
	if err := p.a.Exchange(t.Context()); err == nil {
		t.Fatal("an exchange with a store that is down succeeds")
	}
	p.m.fails(nil)
	p.exchange(t)
	p.wantB(t, "told by the next exchange", 10)
	p.pass(4 * part)
	p.exchange(t)
	p.wantB(t, "told at once", 10)

	p.m.fails(errors.New("down"))
	spread(p.a, 1, 10)
	_ = p.a.Exchange(t.Context())
	p.pass(3 * part)
	p.m.fails(nil)
	if err := errors.Join(p.b.Exchange(t.Context()), p.a.Exchange(t.Context()), p.b.Exchange(t.Context())); err != nil {
		t.Fatal(err)
	}
	p.pass(part)
	p.exchange(t)
	p.wantB(t, "told three parts later", 20)
}

func TestAPartIsKeptUntilItLeavesTheWindow(t *testing.T) {
	p := newPair()
	for _, late := range []time.Duration{0, 1, 9} {
		spread(p.a, 1, 1)
		p.pass(late * part)
		p.exchange(t)
		ttl := p.m.ttls[len(p.m.ttls)-1]
		if least := conformance.LatencyWindow - late*part; ttl < least || ttl > least+2*part {
			t.Errorf("what is published %d parts late is kept for %v, want %v and a little more", late, ttl, least)
		}
	}
}

func TestWhatTheStoreLosesIsToldAgain(t *testing.T) {
	p := newPair()
	spread(p.a, 1, 10)
	p.exchange(t)
	p.m.flush()
	p.pass(part)
	p.exchange(t) // misses its own
	p.exchange(t)
	late := latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: p.hb.now, Shared: p.m, Replica: "late"})
	if err := late.Exchange(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _ := late.P95(routing.General, target("m")); got.Samples != 10 {
		t.Errorf("one that starts after the store lost everything knows of %d samples, want 10", got.Samples)
	}
}

func TestClocksThatDifferALittleMergeWell(t *testing.T) {
	for name, off := range map[string]time.Duration{"ahead": part / 2, "a part ahead": part, "behind": -part / 2, "a part behind": -part} {
		t.Run(name, func(t *testing.T) {
			p := newPair()
			p.ha.pass(off)
			spread(p.a, 1, 10)
			p.exchange(t)
			p.wantB(t, "at once", 10)
			p.pass(7 * part)
			p.exchange(t)
			p.wantB(t, "seven parts later", 10)
			p.pass(5 * part)
			p.exchange(t)
			p.wantB(t, "when they have left", 0)
		})
	}
	t.Run("an hour ahead", func(t *testing.T) {
		p := newPair()
		p.ha.pass(time.Hour)
		spread(p.a, 1, 10)
		p.exchange(t)
		p.wantB(t, "from another time", 0)
	})
}

func TestAClockThatIsSetBackKeepsNothingForEver(t *testing.T) {
	h := newHand()
	l := latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: h.now})
	spread(l, 1, 10)
	h.pass(-3 * part)
	spread(l, 1, 5)
	wantFigures(t, "three parts back", l, 15, 10, 100)
	h.pass(-time.Hour)
	wantFigures(t, "an hour back", l, 0, 0, 0)
	spread(l, 7, 7)
	wantFigures(t, "the first after that", l, 1, 7, 100)
	h.pass(conformance.LatencyWindow)
	wantFigures(t, "a window later", l, 0, 0, 0)
}

func TestOfNewsIsToldOnceAndOnlyWhenFiguresChange(t *testing.T) {
	p := newPair()
	p.exchange(t)
	spread(p.b, 1, 10)
	p.exchange(t)
	if p.told != 0 {
		t.Errorf("b was told %d times of its own answers, want never", p.told)
	}
	spread(p.a, 1, 10)
	p.exchange(t)
	p.exchange(t)
	if p.told != 1 {
		t.Errorf("b was told %d times of what a measured, want once", p.told)
	}
}

func TestOthersDoNotCrowdOutWhatIsMeasuredHere(t *testing.T) {
	p := newPair()
	for i := range 20 {
		p.b.Observe(routing.General, target(fmt.Sprint("own ", i)), time.Second, 1)
		p.a.Observe(routing.General, target(fmt.Sprint("other ", i)), time.Second, 1)
	}
	p.exchange(t)
	for i := range 20 {
		if got, _ := p.b.P95(routing.General, target(fmt.Sprint("own ", i))); got.Samples != 1 {
			t.Errorf("own target %d: %d samples, want 1", i, got.Samples)
		}
		if got, _ := p.b.P95(routing.General, target(fmt.Sprint("other ", i))); got.Samples != 0 {
			t.Errorf("other target %d: %d samples, want none where there is no room", i, got.Samples)
		}
	}
}

func TestOneThatWasForgottenLearnsAllAgain(t *testing.T) {
	p := newPair()
	spread(p.a, 1, 10)
	p.exchange(t)
	p.pass(part)
	for i := range 40 { // of twenty series, those of others are forgotten
		p.b.Observe(routing.General, target(fmt.Sprint("own ", i)), time.Second, 1)
	}
	p.wantB(t, "forgotten", 0)
	spread(p.b, 1, 1)
	spread(p.a, 1, 1)
	p.exchange(t)
	p.wantB(t, "told of one more", 12)
}

func TestWhoSpokeLastIsKept(t *testing.T) {
	for name, speaks := range map[string]func(*pair){
		"here":      func(p *pair) { spread(p.b, 1, 1) },
		"elsewhere": func(p *pair) { spread(p.a, 1, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair()
			spread(p.b, 1, 1) // the first that is known
			p.pass(part)
			for i := range 19 {
				p.b.Observe(routing.General, target(fmt.Sprint("own ", i)), time.Second, 1)
			}
			p.pass(part)
			speaks(p)
			p.exchange(t)
			for i := range 10 {
				p.b.Observe(routing.General, target(fmt.Sprint("new ", i)), time.Second, 1)
			}
			p.wantB(t, "one that was spoken of a moment ago", 2)
		})
	}
}
