package conformance

import (
	"math"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// LatencyFleet is what a test of shared latencies is given: three replicas with empty windows of LatencyWindow, what has each hear of the others once or more
// often, what lets time pass for all of them, and what starts another replica, which has heard of the others once.
type LatencyFleet struct {
	Replicas [3]outbound.Latencies
	Exchange func()
	Pass     func(time.Duration)
	Join     func() outbound.Latencies
}

// LatenciesShared is the suite of outbound.Latencies that share what they measure.
func LatenciesShared(t *testing.T, new func(t *testing.T) LatencyFleet) {
	tests := map[string]func(*testing.T, LatencyFleet){
		"all come to the percentile of all samples":      latencyFleetMerges,
		"one that joins knows the whole window at once":  latencyFleetJoin,
		"nothing is counted twice":                       latencyFleetOnce,
		"samples of others leave with the window":        latencyFleetSlides,
		"younger samples of others weigh more":           latencyFleetDecays,
		"samples are few until the fleet has enough":     latencyFleetFew,
		"task types and targets are apart":               latencyFleetApart,
		"they are told when others change their figures": latencyFleetTells,
		"before they hear of others their own count":     latencyFleetOwn,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

func (f LatencyFleet) want(t *testing.T, what string, samples, ms int) {
	t.Helper()
	for i, l := range f.Replicas {
		got, _ := l.P95(routing.General, someTarget)
		if got.Samples != samples || math.Abs(float64(got.P95Ms-ms)) > 0.01*float64(ms)+0.5 {
			t.Errorf("%s, replica %d: %d ms over %d samples, want %d ms to 1 %% over %d", what, i, got.P95Ms, got.Samples, ms, samples)
		}
	}
}

func latencyFleetMerges(t *testing.T, f LatencyFleet) {
	for ms := 1; ms <= 9000; ms++ {
		l := f.Replicas[ms%3]
		if ms > 8000 { // one sees all of the slow ones
			l = f.Replicas[2]
		}
		l.Observe(routing.General, someTarget, time.Duration(ms)*time.Millisecond, ms)
	}
	f.Exchange()
	f.want(t, "merged", 9000, 8550)
	for i, l := range f.Replicas {
		if _, tokens := l.P95(routing.General, someTarget); tokens != 4501 {
			t.Errorf("replica %d: mean length %d, want 4501", i, tokens)
		}
	}
}

func latencyFleetJoin(t *testing.T, f LatencyFleet) {
	for range 8 {
		for _, l := range f.Replicas {
			observe(l, 5, 700)
		}
		f.Exchange()
		f.Pass(LatencyWindow / 10)
	}
	wantP95(t, "one that joins", f.Join(), 120, 700)
}

func latencyFleetOnce(t *testing.T, f LatencyFleet) {
	for range 5 {
		observe(f.Replicas[0], 2, 100)
		for range 3 {
			f.Exchange()
		}
		f.Pass(LatencyWindow / 30)
	}
	f.want(t, "published again and again", 10, 100)
}

func latencyFleetSlides(t *testing.T, f LatencyFleet) {
	observe(f.Replicas[0], 10, 5000)
	f.Exchange()
	f.Pass(LatencyWindow * 8 / 10)
	f.want(t, "within the window", 10, 5000)
	observe(f.Replicas[1], 10, 100)
	f.Exchange()
	f.Pass(LatencyWindow * 3 / 10)
	f.want(t, "when the slow ones have left", 10, 100)
	f.Pass(LatencyWindow)
	f.Exchange()
	f.want(t, "when all have left", 0, 0)
}

func latencyFleetDecays(t *testing.T, f LatencyFleet) {
	observe(f.Replicas[0], 200, 100)
	f.Exchange()
	f.Pass(longAgo)
	observe(f.Replicas[1], 8, 5000)
	f.Exchange()
	f.want(t, "a few slow answers of now, of another", 208, 5000)
}

func latencyFleetFew(t *testing.T, f LatencyFleet) {
	observe(f.Replicas[0], 2, 100)
	observe(f.Replicas[1], 1, 100)
	observe(f.Replicas[2], 1, 100)
	f.Exchange()
	f.want(t, "one too few", routing.MinSamples-1, 100)
	observe(f.Replicas[2], 1, 100)
	f.Exchange()
	f.want(t, "enough", routing.MinSamples, 100)
}

func latencyFleetApart(t *testing.T, f LatencyFleet) {
	f.Replicas[0].Observe(routing.Review, someTarget, time.Second, 10)
	f.Replicas[0].Observe(routing.General, routing.Target{Provider: "openai", Model: "m/x"}, time.Second, 10)
	f.Replicas[0].Observe(routing.General, routing.Target{Provider: "openai/m", Model: "x"}, 2*time.Second, 10)
	f.Exchange()
	f.want(t, "of others", 0, 0)
	for name, want := range map[routing.Target]int{{Provider: "openai", Model: "m/x"}: 1000, {Provider: "openai/m", Model: "x"}: 2000} {
		if got, tokens := f.Replicas[1].P95(routing.General, name); got != (routing.Latency{P95Ms: want, Samples: 1}) || tokens != 10 {
			t.Errorf("%+v: %+v and %d tokens, want %d ms over one sample and 10 tokens", name, got, tokens, want)
		}
	}
}

func latencyFleetTells(t *testing.T, f LatencyFleet) {
	var told [3]int
	for i, l := range f.Replicas {
		l.OnChange(func() { told[i]++ })
	}
	observe(f.Replicas[0], 10, 100)
	f.Exchange()
	f.Exchange()
	if told[0] != 0 || told[1] == 0 || told[2] == 0 {
		t.Errorf("told %v times, want the second and third alone", told)
	}
	before := told
	f.Exchange()
	if told != before {
		t.Errorf("told %v times, %v of them without news", told, before)
	}
}

func latencyFleetOwn(t *testing.T, f LatencyFleet) {
	observe(f.Replicas[0], 10, 100)
	wantP95(t, "its own", f.Replicas[0], 10, 100)
	wantP95(t, "another's", f.Replicas[1], 0, 0)
}
