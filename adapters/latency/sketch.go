package latency

import (
	"math"
	"time"

	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"
)

// What a latency is taken to be at most, and below what it is taken as none: so that a sketch has a bounded number of counters.
const (
	longest  = 24 * time.Hour
	shortest = 10 * time.Microsecond
)

// mostTokens is what the length of one answer is taken to be at most.
const mostTokens = 10_000_000

// sketch is what is kept of samples: a DDSketch of their latencies, whose store and zero count are held apart so that the sums stay whole numbers
// and merging is weighted; and beside it what a mean length is made of. The zero value is empty.
type sketch struct {
	bins      *store.BufferedPaginatedStore // weights by the index of the latency; nil: never used
	zeros     int64                         // weight of the latencies too short for an index
	weight    int64                         // of all
	samples   int
	low, high time.Duration
	tokens    int64 // of those answers whose length is known, weighted
	lengths   int64 // how many those are, weighted
}

// add puts one sample in.
func (k *sketch) add(m mapping.IndexMapping, took time.Duration, tokens int, weight int64) {
	took = min(max(took, 0), longest)
	tokens = min(tokens, mostTokens)
	if took < shortest {
		took = 0
		k.zeros += weight
	} else {
		k.put(m.Index(ms(took)), weight)
	}
	k.weight += weight
	k.stretch(took, took)
	k.samples++
	if tokens > 0 {
		k.tokens += weight * int64(tokens)
		k.lengths += weight
	}
}

func (k *sketch) put(index int, weight int64) {
	if k.bins == nil {
		k.bins = store.NewBufferedPaginatedStore()
	}
	k.bins.AddWithCount(index, float64(weight))
}

// stretch notes how short and long the latencies are. It comes before samples are counted.
func (k *sketch) stretch(low, high time.Duration) {
	if k.samples == 0 || low < k.low {
		k.low = low
	}
	k.high = max(k.high, high)
}

// merge puts in all samples of another, each weighing so many times what it does there.
func (k *sketch) merge(o *sketch, times int64) {
	if o.samples == 0 {
		return
	}
	if o.bins != nil {
		o.bins.ForEach(func(index int, weight float64) bool {
			k.put(index, int64(weight)*times)
			return false
		})
	}
	k.stretch(o.low, o.high)
	k.zeros += o.zeros * times
	k.weight += o.weight * times
	k.samples += o.samples
	k.tokens += o.tokens * times
	k.lengths += o.lengths * times
}

// p95 gives the smallest latency at or below which lie 95 per cent of the weight, to one per cent, in milliseconds. The sketch is not empty.
func (k *sketch) p95(m mapping.IndexMapping) int {
	need := (19*k.weight + 19) / 20
	if need <= k.zeros {
		return 0
	}
	v := m.Value(k.bins.KeyAtRank(float64(need-k.zeros) - 0.5))
	return int(math.Round(min(max(v, ms(k.low)), ms(k.high)))) // the sketch's error never goes past what was seen
}

// length is the mean length of an answer in tokens, 0 when none is known.
func (k *sketch) length() int {
	if k.lengths == 0 {
		return 0
	}
	return int((k.tokens + k.lengths/2) / k.lengths)
}

// clear empties the sketch and keeps its memory.
func (k *sketch) clear() {
	if k.bins != nil {
		k.bins.Clear()
	}
	*k = sketch{bins: k.bins}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
