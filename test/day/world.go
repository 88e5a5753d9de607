package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/forge1/forge1/domain/routing"
)

// The size of a day.
const (
	day     = 24 * time.Hour
	vendors = 4
	budget  = routing.DefaultMaxAttempts // attempts of a call

	slowest, fastest = 5000.0, 300.0 // medians, in milliseconds
	refused          = 20 * time.Millisecond
	stalled          = 5 * time.Second // as long as Forge waits for a connection
)

// names are what the vendors are called, in fallback order.
var names = []string{"north", "east", "south", "west"}

// startCents are what the vendors cost in the morning, in cents per 1,000 tokens: as in the table of default prices.
var startCents = []float64{10, 16, 8, 9}

// world is a day: what the vendors are like at each moment, and the calls. Every strategy lives through the same.
type world struct {
	vendors [vendors]vendor
	calls   []call
}

// vendor is one vendor's day.
type vendor struct {
	cents   []step // per 1,000 tokens
	medians []step // of the whole-answer latency, in milliseconds
	spread  float64
	outages []outage
}

// step is a value from a moment on.
type step struct {
	at    time.Duration
	value float64
}

// outage is when a vendor answers nobody. One that stalls does not even refuse.
type outage struct {
	from, to time.Duration
	stalls   bool
}

// call is one call and its luck: how it would fare at each vendor, in standard deviations of the logarithm of the latency.
type call struct {
	at            time.Duration
	input, output int
	sloMs         int // 0: none
	luck          [vendors]float64
	jitter        float64 // of a backoff
}

// size is what may be chosen of a day.
type size struct {
	calls      int   // on average
	objectives []int // latency objectives in milliseconds, of which each call has one; 0: none
}

// usual is a day of two calls a second: half of the calls have no objective, a quarter want an answer in a dialogue, a quarter a report.
func usual() size { return size{172_800, []int{0, 0, 3000, 10_000}} }

// newWorld draws a day.
func newWorld(seed uint64, z size) *world {
	w := &world{}
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a draw that can be repeated
	for i := range w.vendors {
		w.vendors[i] = newVendor(r, startCents[i])
	}
	stalls := r.IntN(2)
	for i, long := range []time.Duration{10 * time.Minute, 40 * time.Minute} {
		v := &w.vendors[r.IntN(vendors)]
		from := time.Duration(r.Float64() * float64(day-long))
		v.outages = append(v.outages, outage{from, from + long, i == stalls})
	}
	w.calls = newCalls(rand.New(rand.NewPCG(seed, 2)), z) //nolint:gosec // a draw that can be repeated
	return w
}

func newVendor(r *rand.Rand, cents float64) vendor {
	v := vendor{spread: 0.2 + 0.2*r.Float64(), cents: []step{{0, cents}}}
	for at := time.Duration(0); ; {
		at += time.Duration((1 + 4*r.Float64()) * float64(time.Hour))
		if at >= day {
			break
		}
		cents = min(max(cents*math.Exp2(2*r.Float64()-1), 2), 40)
		v.cents = append(v.cents, step{at, cents})
	}
	for at := -time.Duration(r.Float64() * float64(time.Hour)); at < day; at += time.Hour {
		v.medians = append(v.medians, step{at, fastest * math.Pow(slowest/fastest, r.Float64())})
	}
	return v
}

// newCalls draws calls that come independently of each other.
func newCalls(r *rand.Rand, z size) []call {
	gap := float64(day) / float64(z.calls)
	var calls []call
	for at := r.ExpFloat64() * gap; at < float64(day); at += r.ExpFloat64() * gap {
		c := call{
			at: time.Duration(at), input: tokens(r, 800), output: tokens(r, 400), sloMs: z.objectives[r.IntN(len(z.objectives))], jitter: r.Float64(),
		}
		for i := range c.luck {
			c.luck[i] = r.NormFloat64()
		}
		calls = append(calls, c)
	}
	return calls
}

func tokens(r *rand.Rand, median float64) int { return int(1 + median*math.Exp(0.6*r.NormFloat64())) }

// value gives what holds at a moment.
func value(steps []step, at time.Duration) float64 {
	i, found := slices.BinarySearchFunc(steps, at, func(s step, at time.Duration) int { return int(s.at - at) })
	if found {
		return steps[i].value
	}
	return steps[i-1].value
}

// out gives the outage of a moment, nil when there is none.
func (v *vendor) out(at time.Duration) *outage {
	for i := range v.outages {
		if o := &v.outages[i]; o.from <= at && at < o.to {
			return o
		}
	}
	return nil
}

// p95 is the true 95th percentile of the latency at a moment, in milliseconds.
func (v *vendor) p95(at time.Duration) float64 {
	return value(v.medians, at) * math.Exp(1.6448536269514722*v.spread)
}

// attempt says how a call that is made at a moment would fare at vendor i: how long it takes, and whether there is an answer.
func (w *world) attempt(c *call, i int, at time.Duration) (took time.Duration, ok bool) {
	v := &w.vendors[i]
	if o := v.out(at); o != nil {
		if o.stalls {
			return stalled, false
		}
		return refused, false
	}
	ms := value(v.medians, at) * math.Exp(v.spread*c.luck[i])
	return time.Duration(ms * float64(time.Millisecond)), true
}

// cost is what a call costs at vendor i, in cents.
func (w *world) cost(c *call, i int, at time.Duration) float64 {
	return value(w.vendors[i].cents, at) * float64(c.input+c.output) / 1000
}
