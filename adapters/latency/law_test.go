package latency_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/forge1/forge1/adapters/latency"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

const part = conformance.LatencyWindow / 10

// sample is an answer: in which part of the window it came, 9 for the youngest, how long it took and how long it was.
type sample struct{ part, ms, tokens int }

func samples(t *rapid.T) (all []sample) {
	for p := range 10 {
		for range rapid.IntRange(0, 15).Draw(t, "samples") {
			all = append(all, sample{p, rapid.IntRange(0, 100_000).Draw(t, "ms"), rapid.IntRange(0, 3000).Draw(t, "tokens")})
		}
	}
	return all
}

// exact is the law, from all samples.
func exact(all []sample) (p95, tokens int) {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b sample) int { return a.ms - b.ms })
	total, lengths, sum := 0, 0, 0
	for _, s := range sorted {
		total += 1 << s.part
		if s.tokens > 0 {
			lengths += 1 << s.part
			sum += s.tokens << s.part
		}
	}
	below := 0
	for _, s := range sorted {
		if below += 1 << s.part; 100*below >= 95*total {
			p95 = s.ms
			break
		}
	}
	if lengths > 0 {
		tokens = (sum + lengths/2) / lengths
	}
	return p95, tokens
}

func say(l *latency.Latencies, s sample) {
	l.Observe(routing.General, target("m"), time.Duration(s.ms)*time.Millisecond, s.tokens)
}

func TestTheFiguresAreThoseOfTheLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHand()
		l := latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: h.now})
		all := samples(t)
		at := 0
		for _, s := range all {
			h.pass(time.Duration(s.part-at) * part)
			at = s.part
			say(l, s)
			l.P95(routing.General, target("m")) // to be read changes nothing
		}
		h.pass(time.Duration(9-at) * part)
		for out := range 11 { // each part leaves exactly when it is its turn
			left := []sample{}
			for _, s := range all {
				if s.part >= out {
					left = append(left, sample{s.part - out, s.ms, s.tokens})
				}
			}
			got, tokens := l.P95(routing.General, target("m"))
			p95, length := exact(left)
			if got.Samples != len(left) || tokens != length || math.Abs(float64(got.P95Ms-p95)) > 0.01*float64(p95)+0.5 {
				t.Fatalf("%d parts later: %+v and %d tokens, want %d ms to 1 %% over %d samples and %d tokens", out, got, tokens, p95, len(left), length)
			}
			h.pass(part)
		}
	})
}

func TestWhoMeasuredAndWhoHeardFirstChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, m := newHand(), newMeeting()
		alone := latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: h.now})
		var fleet []*latency.Latencies
		for i := range rapid.IntRange(2, 5).Draw(t, "replicas") {
			fleet = append(fleet, latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: h.now, Shared: m, Replica: fmt.Sprint(i)}))
		}
		exchange := func() {
			for _, i := range rapid.Permutation([]int{0, 1, 2, 3, 4}).Draw(t, "order") {
				if i < len(fleet) {
					if err := fleet[i].Exchange(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		at := 0
		for _, s := range samples(t) {
			if s.part > at {
				exchange()
			}
			h.pass(time.Duration(s.part-at) * part)
			at = s.part
			say(alone, s)
			say(fleet[rapid.IntRange(0, len(fleet)-1).Draw(t, "at")], s)
		}
		exchange()
		exchange()
		want, tokens := alone.P95(routing.General, target("m"))
		for i, l := range fleet {
			if got, length := l.P95(routing.General, target("m")); got != want || length != tokens {
				t.Fatalf("replica %d: %+v and %d tokens, want %+v and %d as if one had measured all", i, got, length, want, tokens)
			}
		}
	})
}

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
	p.exchange(t) // b hears of it, or has an eye on two parts alone
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

// wide answers with latencies that share no counter.
func wide(l *latency.Latencies, model string) {
	for ms := 0.02; ms < 8e7; ms *= 1.021 {
		l.Observe(routing.General, target(model), time.Duration(ms*float64(time.Millisecond)), 100)
	}
}

func TestWhatIsPublishedHasABound(t *testing.T) {
	p := newPair()
	for i := range 700 {
		wide(p.a, fmt.Sprint("wide ", i))
	}
	spread(p.a, 1, 5000)
	p.exchange(t)
	all, err := p.m.Others(t.Context(), "b", []int64{p.ha.now().UnixNano() / int64(part)})
	if err != nil || len(all) != 1 {
		t.Fatalf("%d sketches, %v; want one", len(all), err)
	}
	if n := len(all[0].Body); n > outbound.MaxSketchBytes || n < outbound.MaxSketchBytes/2 {
		t.Errorf("%d bytes are published, want nearly the most, %d", n, outbound.MaxSketchBytes)
	}
	p.wantB(t, "the target with the most samples", 5000)
}
