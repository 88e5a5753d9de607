//go:build timing

package attack_test

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"
)

// timed registers a row that goes by the clock, beside the row of the same id that asserts equal work.
func timed(id, what string, run func(*testing.T, *world), options ...option) {
	row(id, what, run, append(options, alone, func(a *attack) { a.timed = true })...)
}

// TestTiming runs the rows that go by the clock, one after the other, on a machine that has nothing else to do.
func TestTiming(t *testing.T) {
	results := &results{of: map[string]map[stores]string{}}
	t.Cleanup(func() { results.print(t) })
	for _, on := range []stores{embedded, servers} {
		t.Run(string(on), func(t *testing.T) {
			attackWith(t, on, &findings{}, results, sorted(func(a *attack) bool { return a.timed }))
		})
	}
}

// samples are durations of one class.
type samples []time.Duration

// median gives the middle one.
func (s samples) median() time.Duration { return s.quantile(0.5) }

// quantile gives the least duration that so large a part does not exceed.
func (s samples) quantile(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// separable applies the timing rule to two classes: medians that differ by 5 ms or 5 %, whichever is more, and ranks that chance explains with less
// than one in a hundred.
func separable(a, b samples) bool {
	apart := (a.median() - b.median()).Abs()
	return apart >= max(5*time.Millisecond, max(a.median(), b.median())/20) && mannWhitney(a, b) < 0.01
}

// mannWhitney gives the two-sided p of the rank sum test, by its normal approximation.
func mannWhitney(a, b samples) float64 {
	type ranked struct {
		d     time.Duration
		first bool
	}
	var all []ranked
	for _, d := range a {
		all = append(all, ranked{d, true})
	}
	for _, d := range b {
		all = append(all, ranked{d, false})
	}
	slices.SortFunc(all, func(x, y ranked) int { return cmp.Compare(x.d, y.d) })
	var sum, ties float64
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].d == all[i].d {
			j++
		}
		rank := float64(i+1+j) / 2 // those that are equal share it
		for _, r := range all[i:j] {
			if r.first {
				sum += rank
			}
		}
		n := float64(j - i)
		ties += n*n*n - n
		i = j
	}
	n, m := float64(len(a)), float64(len(b))
	u := sum - n*(n+1)/2
	spread := math.Sqrt(n * m / 12 * (n + m + 1 - ties/((n+m)*(n+m-1))))
	if spread == 0 {
		return 1
	}
	return math.Erfc(math.Abs(u-n*m/2) / spread / math.Sqrt2)
}

// alike takes samples of two classes in turn and fails when they are told apart in two of three runs.
func alike(t *testing.T, n int, first, second func(i int) time.Duration) {
	t.Helper()
	told := 0
	for run := range 3 {
		var a, b samples
		for i := range n {
			if i%2 == 0 {
				a = append(a, first(run*n+i))
				b = append(b, second(run*n+i))
			} else {
				b = append(b, second(run*n+i))
				a = append(a, first(run*n+i))
			}
		}
		t.Logf("run %d: medians %v and %v, p %.4f", run+1, a.median(), b.median(), mannWhitney(a, b))
		if separable(a, b) {
			told++
		}
	}
	if told >= 2 {
		t.Errorf("the two are told apart in %d of 3 runs", told)
	}
}
