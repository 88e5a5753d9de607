package latency_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/forge1/forge1/adapters/latency"
	"github.com/forge1/forge1/domain/routing"
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

func TestEqualLatenciesAreTheirOwnPercentile(t *testing.T) {
	for ms := range 3000 {
		l := latency.New(latency.Config{Clock: newHand().now})
		spread(l, ms, ms)
		if got, _ := l.P95(routing.General, target("m")); got.P95Ms != ms {
			t.Fatalf("p95 of %d ms is %d", ms, got.P95Ms)
		}
	}
}

func TestWhatIsOutOfAllProportionCountsAsTheMost(t *testing.T) {
	p := newPair()
	p.a.Observe(routing.General, target("m"), 1000*time.Hour, math.MaxInt)
	p.exchange(t)
	for name, l := range map[string]*latency.Latencies{"here": p.a, "elsewhere": p.b} {
		got, tokens := l.P95(routing.General, target("m"))
		if got != (routing.Latency{P95Ms: 24 * 60 * 60 * 1000, Samples: 1}) || tokens != 10_000_000 {
			t.Errorf("%s: %+v and %d tokens, want a day and ten million", name, got, tokens)
		}
	}
}
