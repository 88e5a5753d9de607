package conformance

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// LatencyWindow is the window of latencies under test.
const LatencyWindow = 10 * time.Minute

// Latencies is the suite of outbound.Latencies. new gives an empty window of LatencyWindow and what lets time pass for it.
func Latencies(t *testing.T, new func(t *testing.T) (l outbound.Latencies, pass func(time.Duration))) {
	tests := map[string]func(*testing.T, outbound.Latencies, func(time.Duration)){
		"nothing is known at first":                    latencyUnknown,
		"one answer is its own percentile":             latencyOne,
		"the percentile is within one per cent":        latencyAccurate,
		"task types and targets are apart":             latencyApart,
		"samples leave with the window":                latencySlides,
		"older samples leave before younger ones":      latencySlidesInParts,
		"a long silence empties the window":            latencySilence,
		"the mean length counts answers that have one": latencyLengths,
		"younger samples weigh more":                   latencyYoungSlow,
		"older samples weigh less":                     latencyOldSlow,
		"younger lengths weigh more":                   latencyYoungLengths,
		"age alone changes nothing but the end":        latencyAges,
		"of this replica's own answers nobody is told": latencyQuiet,
		"answers at once are all counted":              latencyRace,
		"times of zero and below are taken as zero":    latencyOdd,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l, pass := new(t)
			test(t, l, pass)
		})
	}
}

var someTarget = routing.Target{Provider: "openai", Model: "m"}

func wantP95(t *testing.T, what string, l outbound.Latencies, samples, ms int) {
	t.Helper()
	got, _ := l.P95(routing.General, someTarget)
	if got.Samples != samples || math.Abs(float64(got.P95Ms-ms)) > 0.011*float64(ms)+0.5 {
		t.Errorf("%s: %d ms over %d samples, want %d ms to 1 %% over %d", what, got.P95Ms, got.Samples, ms, samples)
	}
}

func observe(l outbound.Latencies, n, ms int) {
	for range n {
		l.Observe(routing.General, someTarget, time.Duration(ms)*time.Millisecond, 0)
	}
}

func latencyUnknown(t *testing.T, l outbound.Latencies, _ func(time.Duration)) {
	if got, tokens := l.P95(routing.General, someTarget); got != (routing.Latency{}) || tokens != 0 {
		t.Errorf("p95 %+v and %d tokens of nothing, want zeros", got, tokens)
	}
}

func latencyOne(t *testing.T, l outbound.Latencies, _ func(time.Duration)) {
	observe(l, 1, 900)
	wantP95(t, "one answer", l, 1, 900)
}

func latencyAccurate(t *testing.T, l outbound.Latencies, _ func(time.Duration)) {
	for ms := 1; ms <= 10_000; ms++ {
		observe(l, 1, ms)
	}
	wantP95(t, "1 to 10,000 ms", l, 10_000, 9500)
}

func latencyApart(t *testing.T, l outbound.Latencies, _ func(time.Duration)) {
	l.Observe(routing.Review, someTarget, time.Second, 10)
	l.Observe(routing.General, routing.Target{Provider: "openai", Model: "n"}, time.Second, 10)
	l.Observe(routing.General, routing.Target{Provider: "claude", Model: "m"}, time.Second, 10)
	latencyUnknown(t, l, nil)
	observe(l, 2, 100)
	wantP95(t, "beside others", l, 2, 100)
}

func latencySlides(t *testing.T, l outbound.Latencies, pass func(time.Duration)) {
	observe(l, 10, 5000)
	pass(LatencyWindow * 8 / 10)
	wantP95(t, "within the window", l, 10, 5000)
	observe(l, 10, 100)
	pass(LatencyWindow * 4 / 10)
	wantP95(t, "when the slow ones have left", l, 10, 100)
	pass(LatencyWindow)
	wantP95(t, "when all have left", l, 0, 0)
}

func latencySlidesInParts(t *testing.T, l outbound.Latencies, pass func(time.Duration)) {
	for range 30 {
		observe(l, 1, 100)
		pass(LatencyWindow / 30)
	}
	got, _ := l.P95(routing.General, someTarget)
	if got.Samples < 26 || got.Samples > 30 {
		t.Errorf("after a window of steady samples %d of 30 are counted, want nearly all", got.Samples)
	}
	pass(LatencyWindow / 2)
	if got, _ = l.P95(routing.General, someTarget); got.Samples < 11 || got.Samples > 16 {
		t.Errorf("half a window later %d of 30 are counted, want about half", got.Samples)
	}
}

func latencySilence(t *testing.T, l outbound.Latencies, pass func(time.Duration)) {
	observe(l, 5, 100)
	pass(100 * LatencyWindow)
	wantP95(t, "after a long silence", l, 0, 0)
	observe(l, 1, 300)
	wantP95(t, "the first sample after it", l, 1, 300)
}

func latencyLengths(t *testing.T, l outbound.Latencies, pass func(time.Duration)) {
	for _, tokens := range []int{100, 0, 201, 0} {
		l.Observe(routing.General, someTarget, time.Second, tokens)
	}
	if _, got := l.P95(routing.General, someTarget); got != 151 {
		t.Errorf("mean length %d, want 151: 100 and 201, rounded", got)
	}
	pass(2 * LatencyWindow)
	l.Observe(routing.General, someTarget, time.Second, 0)
	if _, got := l.P95(routing.General, someTarget); got != 0 {
		t.Errorf("mean length %d, want 0: no answer in the window has a known one", got)
	}
}

// longAgo is so long that what was before weighs less than half as much, and has not left the window.
const longAgo = LatencyWindow * 8 / 10

func latencyYoungSlow(t *testing.T, l outbound.Latencies, pass func(time.Duration)) {
	observe(l, 200, 100)
	pass(longAgo)
	wantP95(t, "before", l, 200, 100)
	observe(l, 8, 5000) // fewer than one in twenty
	wantP95(t, "a few slow answers of now", l, 208, 5000)
}

func latencyOldSlow(t *testing.T, l outbound.Latencies, pass func(time.Duration)) {
	observe(l, 10, 5000)
	pass(longAgo)
	wantP95(t, "before", l, 10, 5000)
	observe(l, 150, 100) // the slow ones are more than one in twenty
	wantP95(t, "fast answers of now", l, 160, 100)
}

func latencyYoungLengths(t *testing.T, l outbound.Latencies, pass func(time.Duration)) {
	for range 10 {
		l.Observe(routing.General, someTarget, time.Second, 900)
	}
	pass(longAgo)
	for range 10 {
		l.Observe(routing.General, someTarget, time.Second, 300)
	}
	if _, got := l.P95(routing.General, someTarget); got < 300 || got > 500 {
		t.Errorf("mean length %d, want one near the younger 300 and not above 500", got)
	}
	pass(LatencyWindow * 3 / 10)
	if _, got := l.P95(routing.General, someTarget); got != 300 {
		t.Errorf("mean length %d when the older have left, want 300", got)
	}
}

func latencyAges(t *testing.T, l outbound.Latencies, pass func(time.Duration)) {
	for ms := 1; ms <= 100; ms++ {
		l.Observe(routing.General, someTarget, time.Duration(ms)*time.Millisecond, 10*ms)
	}
	for age := range 9 {
		got, tokens := l.P95(routing.General, someTarget)
		if got != (routing.Latency{P95Ms: got.P95Ms, Samples: 100}) || got.P95Ms < 94 || got.P95Ms > 96 || tokens != 505 {
			t.Errorf("aged %d tenths of a window: %+v and %d tokens, want 95 ms over 100 and 505 tokens", age, got, tokens)
		}
		pass(LatencyWindow / 10)
	}
}

func latencyQuiet(t *testing.T, l outbound.Latencies, pass func(time.Duration)) {
	l.OnChange(func() { t.Error("told of a change that no other replica made") })
	observe(l, 10, 100)
	l.P95(routing.General, someTarget)
	pass(LatencyWindow / 2)
	observe(l, 10, 300)
	pass(2 * LatencyWindow)
}

func latencyRace(t *testing.T, l outbound.Latencies, _ func(time.Duration)) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				observe(l, 1, 250)
				l.P95(routing.General, someTarget)
			}
		})
	}
	all.Wait()
	wantP95(t, "answers at once", l, 800, 250)
}

func latencyOdd(t *testing.T, l outbound.Latencies, _ func(time.Duration)) {
	l.Observe(routing.General, someTarget, 0, 0)
	l.Observe(routing.General, someTarget, -time.Second, -5)
	wantP95(t, "no time at all", l, 2, 0)
	if _, tokens := l.P95(routing.General, someTarget); tokens != 0 {
		t.Errorf("mean length %d, want 0", tokens)
	}
}
