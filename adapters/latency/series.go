package latency

import (
	"math"
	"sync"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"

	"github.com/forge1/forge1/domain/routing"
)

// series is the window of one key: its parts, and their sum, which is read. The sum is made anew only when a part falls out.
type series struct {
	mapping mapping.IndexMapping

	mu     sync.Mutex
	newest int64 // the part that samples came into last
	ring   [parts]sketch
	sum    sketch
}

// sketch is what is kept of samples. The zero value is empty.
type sketch struct {
	latencies *ddsketch.DDSketch
	count     int
	low, high float64
	tokens    int // of those answers whose length is known
	lengths   int
}

func (s *series) add(now int64, ms float64, tokens int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slide(now)
	s.ring[now%parts].add(s.mapping, ms, tokens)
	s.sum.add(s.mapping, ms, tokens)
}

func (s *series) p95(now int64) (routing.Latency, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slide(now)
	if s.sum.count == 0 {
		return routing.Latency{}, 0
	}
	length := 0
	if s.sum.lengths > 0 {
		length = (s.sum.tokens + s.sum.lengths/2) / s.sum.lengths
	}
	ms, err := s.sum.latencies.GetValueAtQuantile(0.95)
	if err != nil {
		return routing.Latency{}, length // it is empty, which was asked
	}
	ms = min(max(ms, s.sum.low), s.sum.high) // the sketch's error never goes past what was seen
	return routing.Latency{P95Ms: int(math.Round(ms)), Samples: s.sum.count}, length
}

// last is the part that samples came into last.
func (s *series) last() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest
}

// slide drops the parts that have left the window.
func (s *series) slide(now int64) {
	if now <= s.newest {
		return
	}
	dropped := false
	for part := max(s.newest+1, now-parts+1); part <= now; part++ {
		old := &s.ring[part%parts]
		dropped = dropped || old.count > 0
		old.clear()
	}
	s.newest = now
	if !dropped {
		return
	}
	s.sum.clear()
	for i := range s.ring {
		s.sum.merge(s.mapping, &s.ring[i])
	}
}

func (k *sketch) open(m mapping.IndexMapping) {
	if k.latencies == nil {
		k.latencies = ddsketch.NewDDSketch(m, store.NewBufferedPaginatedStore(), store.NewSparseStore())
	}
}

func (k *sketch) add(m mapping.IndexMapping, ms float64, tokens int) {
	k.open(m)
	if err := k.latencies.Add(ms); err != nil {
		return // no duration is out of the mapping's range
	}
	if k.count == 0 || ms < k.low {
		k.low = ms
	}
	k.high = max(k.high, ms)
	k.count++
	if tokens > 0 {
		k.tokens += tokens
		k.lengths++
	}
}

func (k *sketch) merge(m mapping.IndexMapping, o *sketch) {
	if o.count == 0 {
		return
	}
	k.open(m)
	if err := k.latencies.MergeWith(o.latencies); err != nil {
		return // all sketches share one mapping
	}
	if k.count == 0 || o.low < k.low {
		k.low = o.low
	}
	k.high = max(k.high, o.high)
	k.count += o.count
	k.tokens += o.tokens
	k.lengths += o.lengths
}

// clear empties the sketch and keeps its memory.
func (k *sketch) clear() {
	if k.latencies != nil {
		k.latencies.Clear()
	}
	*k = sketch{latencies: k.latencies}
}
