// Package latency keeps whole-answer latencies over a sliding window, in DataDog's sketches: a percentile to one per cent from a few hundred
// counters, however many answers there were. The replicas of a fleet lay their sketches out for each other, and each merges those of all.
//
// # The law
//
// The window has ten parts, and slides by one part. A sample weighs half as much with every part that has begun since: the half-life is a tenth of
// the window. The percentile is the smallest latency at or below which lie 95 per cent of the weight, and the mean length of an answer is weighted
// the same way; but a sample is one sample, however little it weighs, until its part leaves the window. With steady traffic a p95 shows that a vendor
// has become slow within a few seconds, and that it is fast again after four or five parts instead of nine and a half. How many samples are asked for before a
// figure counts is the reader's matter: a target that nobody asks is unknown after a window, and is tried again.
//
// Weights are whole numbers, 512 for the youngest part and 1 for the oldest, and so are their sums: no order of merging gives another figure.
package latency

import (
	"sync"
	"time"

	"github.com/DataDog/sketches-go/ddsketch/mapping"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

var _ outbound.Latencies = (*Latencies)(nil)

// Config sizes the window and names the fleet. A zero value stands for the default.
type Config struct {
	Window  time.Duration // 10 minutes; the same for the whole fleet
	MaxKeys int           // task types times targets, because pins can name any model; 2,000
	Clock   outbound.Clock

	Shared  outbound.Sketches // where replicas meet; nil: there is one alone
	Replica string            // this one's name, its own in the fleet and another each time that it starts
}

const (
	parts    = 10   // of a window; it slides by one part
	accuracy = 0.01 // of the percentile
)

// Latencies implements outbound.Latencies. With Config.Shared it takes part in a fleet while Run runs.
type Latencies struct {
	clock   outbound.Clock
	part    time.Duration
	maxKeys int
	mapping mapping.IndexMapping
	sharing *sharing // nil: alone

	mu   sync.RWMutex
	keys map[key]*series

	changed func()
}

type key struct {
	task   routing.TaskType
	target routing.Target
}

// New makes an empty window.
func New(c Config) *Latencies {
	if c.Window <= 0 {
		c.Window = 10 * time.Minute
	}
	if c.MaxKeys <= 0 {
		c.MaxKeys = 2000
	}
	m, err := mapping.NewLogarithmicMapping(accuracy)
	if err != nil {
		panic("latency: " + err.Error()) // only an accuracy outside 0 to 1 is refused
	}
	l := &Latencies{clock: c.Clock, part: max(c.Window/parts, 1), maxKeys: c.MaxKeys, mapping: m, keys: map[key]*series{}, changed: func() {}}
	if c.Shared != nil {
		l.sharing = newSharing(c.Shared, c.Replica)
	}
	return l
}

// Observe implements outbound.Latencies.
func (l *Latencies) Observe(task routing.TaskType, t routing.Target, took time.Duration, outputTokens int) {
	now := l.now()
	l.series(key{task, t}, now).add(now, took, outputTokens)
}

// P95 implements outbound.Latencies.
func (l *Latencies) P95(task routing.TaskType, t routing.Target) (routing.Latency, int) {
	s := l.find(key{task, t})
	if s == nil {
		return routing.Latency{}, 0
	}
	f := s.read(l.now())
	return f.latency, f.tokens
}

// OnChange implements outbound.Latencies.
func (l *Latencies) OnChange(f func()) { l.changed = f }

// now is the number of the part of the window that the clock is in.
func (l *Latencies) now() int64 { return l.clock().UnixNano() / int64(l.part) }

func (l *Latencies) find(k key) *series {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.keys[k]
}

// series finds or makes that of a key; another makes room for it.
func (l *Latencies) series(k key, now int64) *series {
	if s := l.find(k); s != nil {
		return s
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.keys[k]; s != nil {
		return s
	}
	if len(l.keys) >= l.maxKeys {
		l.evict()
	}
	s := newSeries(l.mapping, now)
	l.keys[k] = s
	return s
}

// spare finds or makes the series of a key that only others speak of, nil when there is no room.
func (l *Latencies) spare(k key, now int64) *series {
	if s := l.find(k); s != nil {
		return s
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.keys[k]
	if s == nil && len(l.keys) < l.maxKeys {
		s = newSeries(l.mapping, now)
		l.keys[k] = s
	}
	return s
}

// sampleSize is among how many series one is chosen to be forgotten.
const sampleSize = 64

// evict forgets, of a sample, the series that has been silent for longest.
func (l *Latencies) evict() {
	var victim key
	oldest, n := int64(0), 0
	for k, s := range l.keys {
		if n++; n > sampleSize {
			break
		}
		if last := s.last(); n == 1 || last < oldest {
			victim, oldest = k, last
		}
	}
	delete(l.keys, victim)
}
