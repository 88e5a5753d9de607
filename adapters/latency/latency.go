// Package latency keeps whole-answer latencies over a sliding window, in DataDog's sketches: a percentile to one per cent from a few hundred
// counters, however many answers there were. Younger answers weigh more, so that a vendor that has changed is seen soon: what came in weighs half
// as much two parts of the window later. How many answers there were is counted without weights. Replicas tell each other what they measured; see share.go.
package latency

import (
	"sync"
	"time"

	"github.com/DataDog/sketches-go/ddsketch/mapping"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

var _ outbound.Latencies = (*Latencies)(nil)

// Config sizes the window. A zero value stands for the default.
type Config struct {
	Window  time.Duration // 10 minutes
	MaxKeys int           // task types times targets, because pins can name any model; 2,000
	Clock   outbound.Clock

	Shared  outbound.Sketches // where replicas meet; nil: there is one alone
	Replica string            // this one's name, its own in the fleet and another each time that it starts
}

const (
	parts    = 10   // of a window; it slides by one part
	halfLife = 2.0  // parts in which the weight of a sample halves
	accuracy = 0.01 // of the percentile
)

// Latencies implements outbound.Latencies.
type Latencies struct {
	clock   outbound.Clock
	part    time.Duration
	maxKeys int
	mapping mapping.IndexMapping
	sharing

	mu   sync.RWMutex
	keys map[key]*series
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
	return &Latencies{
		clock: c.Clock, part: max(c.Window/parts, 1), maxKeys: c.MaxKeys, mapping: m, keys: map[key]*series{},
		sharing: sharing{store: c.Shared, replica: c.Replica, changed: func() {}},
	}
}

// OnChange implements outbound.Latencies.
func (l *Latencies) OnChange(f func()) { l.changed = f }

// Observe implements outbound.Latencies.
func (l *Latencies) Observe(task routing.TaskType, t routing.Target, took time.Duration, outputTokens int) {
	now := l.now()
	l.series(key{task, t}, now).add(now, float64(max(took, 0))/float64(time.Millisecond), max(outputTokens, 0))
}

// P95 implements outbound.Latencies.
func (l *Latencies) P95(task routing.TaskType, t routing.Target) (routing.Latency, int) {
	s := l.find(key{task, t})
	if s == nil {
		return routing.Latency{}, 0
	}
	return s.p95(l.now())
}

// now is the number of the part of the window that the clock is in.
func (l *Latencies) now() int64 { return max(l.clock().UnixNano()/int64(l.part), 0) }

func (l *Latencies) find(k key) *series {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.keys[k]
}

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
	s := &series{mapping: l.mapping, newest: now, read: -1}
	l.keys[k] = s
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
