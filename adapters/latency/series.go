package latency

import (
	"math"
	"sync"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"

	"github.com/forge1/forge1/domain/routing"
)

// series is the window of one key: its own parts, those of other replicas, and what was read of them last.
type series struct {
	mapping mapping.IndexMapping

	mu      sync.Mutex
	newest  int64 // the part that samples came into last
	ring    [parts]sketch
	shared  map[remote]*sketch // of other replicas, never changed once they are here
	read    int64              // the part in which figures was read
	dirty   bool
	figures figures
	merged  *ddsketch.DDSketch // scratch
}

// remote names a sketch of another replica.
type remote struct {
	replica string
	part    int64
}

// quantile is the one that routing goes by.
const quantile = 0.95

// figures is what is read of a window.
type figures struct {
	latency routing.Latency
	tokens  int
}

// sketch is what is kept of the samples of one part. The zero value is empty.
type sketch struct {
	latencies *ddsketch.DDSketch
	count     int
	low, high float64
	tokens    int // of those answers whose length is known
	lengths   int
	news      bool // it has samples that were not published
}

func (s *series) add(now int64, ms float64, tokens int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slide(now)
	s.ring[now%parts].add(s.mapping, ms, tokens)
	s.dirty = true
}

// p95 gives the figures of the window that ends with now. They are made anew when there is news.
func (s *series) p95(now int64) (routing.Latency, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dirty || s.read != now {
		s.slide(now)
		s.read, s.dirty = now, false
		s.figures = s.weigh(now)
	}
	return s.figures.latency, s.figures.tokens
}

// weigh merges every part of the window, the younger the heavier.
func (s *series) weigh(now int64) figures {
	if s.merged == nil {
		s.merged = newSketch(s.mapping)
	}
	s.merged.Clear()
	w := weighing{into: s.merged, mapping: s.mapping, low: math.Inf(1)}
	for back := range int64(parts) {
		if part := now - back; part >= 0 && part <= s.newest {
			w.add(&s.ring[part%parts], back)
		}
	}
	for name, sk := range s.shared {
		if back := max(now-name.part, 0); back < parts { // a clock that is ahead has begun the next part
			w.add(sk, back)
		}
	}
	return w.figures()
}

// last is the part that samples came into last, here or elsewhere.
func (s *series) last() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.newest
	for name := range s.shared {
		last = max(last, name.part)
	}
	return last
}

// slide drops the parts that have left the window.
func (s *series) slide(now int64) {
	if now <= s.newest {
		return
	}
	for part := max(s.newest+1, now-parts+1); part <= now; part++ {
		s.ring[part%parts].clear()
	}
	s.newest, s.dirty = now, true
	for name := range s.shared {
		if now-name.part >= parts {
			delete(s.shared, name)
		}
	}
}

// weighing is a merge of parts under way.
type weighing struct {
	into    *ddsketch.DDSketch
	mapping mapping.IndexMapping
	count   int
	low     float64
	high    float64
	tokens  float64
	lengths float64
}

func (w *weighing) add(sk *sketch, back int64) {
	if sk.count == 0 {
		return
	}
	weight := weightOf(back)
	w.count += sk.count
	w.low, w.high = min(w.low, sk.low), max(w.high, sk.high)
	w.tokens += weight * float64(sk.tokens)
	w.lengths += weight * float64(sk.lengths)
	sk.latencies.GetPositiveValueStore().ForEach(func(index int, count float64) bool {
		_ = w.into.AddWithCount(w.mapping.Value(index), weight*count) // the mapping made the value
		return false
	})
	if zero := sk.latencies.GetZeroCount(); zero > 0 {
		_ = w.into.AddWithCount(0, weight*zero)
	}
}

// weightOf is what a sample counts whose part is so many parts old.
func weightOf(back int64) float64 { return math.Exp2(-float64(back) / halfLife) }

func (w *weighing) figures() figures {
	var f figures
	if w.count == 0 {
		return f
	}
	if w.lengths > 0 {
		f.tokens = int(math.Round(w.tokens / w.lengths))
	}
	// The rank is that of as many samples as there are, in units of their mean weight: ages that are all the same change nothing.
	rank := quantile * float64(w.count-1) * w.into.GetCount() / float64(w.count)
	ms := 0.0
	if zero := w.into.GetZeroCount(); rank >= zero {
		ms = w.mapping.Value(w.into.GetPositiveValueStore().KeyAtRank(rank - zero))
	}
	ms = min(max(ms, w.low), w.high) // the sketch's error never goes past what was seen
	f.latency = routing.Latency{P95Ms: int(math.Round(ms)), Samples: w.count}
	return f
}

func newSketch(m mapping.IndexMapping) *ddsketch.DDSketch {
	return ddsketch.NewDDSketch(m, store.NewBufferedPaginatedStore(), store.NewSparseStore())
}

func (k *sketch) add(m mapping.IndexMapping, ms float64, tokens int) {
	if k.latencies == nil {
		k.latencies = newSketch(m)
	}
	if err := k.latencies.Add(ms); err != nil {
		return // no duration is out of the mapping's range
	}
	if k.count == 0 || ms < k.low {
		k.low = ms
	}
	k.high = max(k.high, ms)
	k.count++
	k.news = true
	if tokens > 0 {
		k.tokens += tokens
		k.lengths++
	}
}

// clear empties the sketch and keeps its memory.
func (k *sketch) clear() {
	if k.latencies != nil {
		k.latencies.Clear()
	}
	*k = sketch{latencies: k.latencies}
}
