package main

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// few is a day of few calls, for what does not depend on how many there are.
func few() size { return size{5000, usual().objectives} }

// TestDayIsWonAndTheOracleIsNear is about fewer days of fewer calls than the program's table, so the oracle is a little further off.
func TestDayIsWonAndTheOracleIsNear(t *testing.T) {
	z := usual()
	z.calls /= 2
	var d days
	for seed := range uint64(3) {
		d = append(d, live24(t, seed+1, z))
	}
	for _, other := range []int{asCheapest, asFastest, asRoundRobin} {
		if d.won(other) != len(d) {
			t.Errorf("better than %s on %d of %d days\n%s", titles[other], d.won(other), len(d), d.table())
		}
	}
	if got := d.ratio(asForge); got < 1 || got > 1.15 {
		t.Errorf("forge scores %.3f times what the oracle does, want 1 to 1.15\n%s", got, d.table())
	}
	if got := d.sum(asForge); got.failed > 0 {
		t.Errorf("%d calls failed although a vendor was there", got.failed)
	}
}

func TestADayIsTheSameEachTime(t *testing.T) {
	first, second := days{live24(t, 7, few())}, days{live24(t, 7, few())}
	if diff := cmp.Diff(first.table(), second.table()); diff != "" {
		t.Errorf("(-first +second):\n%s", diff)
	}
	if other := (days{live24(t, 8, few())}).table(); other == first.table() {
		t.Error("another seed gives the same day")
	}
}

func TestDaysAreAsTheyAreSaidToBe(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(seed, few())
		lengths := map[time.Duration]int{}
		stalls := 0
		for i, v := range w.vendors {
			for n, s := range v.cents {
				if n > 0 && (s.value > 2.0001*v.cents[n-1].value || s.value < 0.4999*v.cents[n-1].value) {
					t.Errorf("seed %d, vendor %d: the price goes from %v to %v", seed, i, v.cents[n-1].value, s.value)
				}
			}
			for n, s := range v.medians {
				if s.value < 300 || s.value > 5000 || n > 0 && s.at-v.medians[n-1].at != time.Hour {
					t.Errorf("seed %d, vendor %d: a median of %v ms from %v on", seed, i, s.value, s.at)
				}
			}
			if v.medians[0].at > 0 || v.medians[len(v.medians)-1].at < day-time.Hour {
				t.Errorf("seed %d, vendor %d: medians from %v", seed, i, v.medians[0].at)
			}
			for _, o := range v.outages {
				lengths[o.to-o.from]++
				if o.stalls {
					stalls++
				}
			}
		}
		if lengths[10*time.Minute] != 1 || lengths[40*time.Minute] != 1 || len(lengths) != 2 || stalls != 1 {
			t.Errorf("seed %d: outages %v, of which %d stall", seed, lengths, stalls)
		}
		if n := float64(len(w.calls)); math.Abs(n-5000) > 5*math.Sqrt(5000) {
			t.Errorf("seed %d: %v calls, want about 5,000", seed, n)
		}
	}
}

// TestTheP95IsTrue holds the p95 that the oracle knows against the draws.
func TestTheP95IsTrue(t *testing.T) {
	w := newWorld(3, size{50_000, []int{0}})
	v := &w.vendors[0]
	v.outages = nil
	at, over := 6*time.Hour, 0
	for i := range w.calls {
		took, ok := w.attempt(&w.calls[i], 0, at)
		if !ok {
			t.Fatal("an attempt fails without an outage")
		}
		if float64(took)/float64(time.Millisecond) > v.p95(at) {
			over++
		}
	}
	if share := float64(over) / float64(len(w.calls)); math.Abs(share-0.05) > 0.005 {
		t.Errorf("%.4f of the latencies are over the p95, want 0.05", share)
	}
}

// TestTheScoreIsThatOfTheContract has golden figures.
func TestTheScoreIsThatOfTheContract(t *testing.T) {
	tests := map[string]struct {
		sloMs  int
		cents  float64
		took   time.Duration
		score  float64
		missed int
	}{
		"no objective":       {0, 18, 4 * time.Second, 58, 0},
		"within it":          {1000, 16, 900 * time.Millisecond, 25, 0},
		"at it":              {1000, 16, time.Second, 26, 0},
		"half a second over": {1000, 32, 1500 * time.Millisecond, 297, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got tally
			got.answered(&call{sloMs: tt.sloMs}, tt.cents, tt.took)
			if math.Abs(got.score-tt.score) > 1e-9 || got.missed != tt.missed || got.cents != tt.cents {
				t.Errorf("got %+v, want a score of %v", got, tt.score)
			}
		})
	}
}

// deaf has every vendor refuse: what is counted is what the calls make of it.
type deaf struct {
	heedless
	asked []int
}

func (s *deaf) order(*call, time.Duration) []int { return []int{2, 0, 1, 3} }

func (s *deaf) allow(c *call, vendor int) (func(time.Duration, error), bool) {
	s.asked = append(s.asked, vendor)
	return s.heedless.allow(c, vendor)
}

func TestACallHasThreeAttemptsAndTheTimeTheyTook(t *testing.T) {
	w := newWorld(1, size{1, []int{0}})
	w.calls = []call{{at: time.Hour, input: 500, output: 500}}
	for i := range w.vendors {
		w.vendors[i].outages = []outage{{0, day, i == 2}}
	}
	s := &deaf{}
	got := live(w, s, func(time.Duration) {})
	if diff := cmp.Diff([]int{2, 0, 1}, s.asked); diff != "" || got.failed != 1 || got.score != failedScore {
		t.Errorf("asked %v, %+v; want three vendors, and a failed call of 10,000", s.asked, got)
	}
	w.vendors[1].outages = nil
	got = live(w, &deaf{}, func(time.Duration) {})
	latency := stalled + refused + time.Duration(value(w.vendors[1].medians, time.Hour)*float64(time.Millisecond))
	cents := value(w.vendors[1].cents, time.Hour)
	if want := cents + 0.01*float64(latency)/float64(time.Millisecond); got.failed != 0 || math.Abs(got.score-want) > 0.01 {
		t.Errorf("%+v, want a score of %v: time lost at the vendors that were out counts", got, want)
	}
}

func TestObjectivesAreRead(t *testing.T) {
	if got, err := numbers("0,0,3000"); !cmp.Equal(got, []int{0, 0, 3000}) || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "1,", "-1", "x", "9999999999"} {
		if got, err := numbers(bad); err == nil {
			t.Errorf("%q is read as %v", bad, got)
		}
	}
}
