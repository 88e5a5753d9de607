// Package latency keeps latencies over a sliding window in DDSketches (DataDog/sketches-go), which give a p95 within one percent at a few
// kilobytes a series.
package latency

import (
	"sync"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

const (
	accuracy = 0.01
	slices   = 10     // the window slides by a tenth of itself
	maxKeys  = 10_000 // pins can name any model; the series longest unused goes first
)

// Config says how long a sample counts.
type Config struct {
	Window time.Duration // 0: 10 minutes
	Clock  outbound.Clock
}

// Latencies implements outbound.Latencies.
type Latencies struct {
	slice time.Duration
	clock outbound.Clock

	mu     sync.Mutex
	series map[key]*series
}

var _ outbound.Latencies = (*Latencies)(nil)

type key struct {
	task   routing.TaskType
	target routing.Target
}

// series is a ring of slices of the window.
type series struct {
	ring [slices]slice
	used int64 // the newest slice
}

type slice struct {
	number  int64 // which slice of time; another number's samples have slid out
	sketch  *ddsketch.DDSketch
	tokens  int64
	answers int64 // whose length is known
}

// New makes an empty window.
func New(c Config) *Latencies {
	if c.Window <= 0 {
		c.Window = 10 * time.Minute
	}
	return &Latencies{slice: max(1, c.Window/slices), clock: c.Clock, series: map[key]*series{}}
}

// Observe implements outbound.Latencies.
func (l *Latencies) Observe(task routing.TaskType, t routing.Target, took time.Duration, outputTokens int) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	k := key{task, t}
	s := l.series[k]
	if s == nil {
		l.makeRoom()
		s = &series{}
		l.series[k] = s
	}
	s.used = now
	at := &s.ring[now%slices]
	if at.number != now || at.sketch == nil {
		sketch, err := ddsketch.NewDefaultDDSketch(accuracy)
		if err != nil { // only an accuracy outside 0..1 is refused
			return
		}
		*at = slice{number: now, sketch: sketch}
	}
	if err := at.sketch.Add(max(0, float64(took)/float64(time.Millisecond))); err != nil {
		return // beyond what a sketch can index: no latency that a deadline lets pass
	}
	if outputTokens > 0 {
		at.tokens += int64(outputTokens)
		at.answers++
	}
}

// P95 implements outbound.Latencies.
func (l *Latencies) P95(task routing.TaskType, t routing.Target) (routing.Latency, int) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.series[key{task, t}]
	if s == nil {
		return routing.Latency{}, 0
	}
	var all *ddsketch.DDSketch
	var tokens, answers int64
	for i := range s.ring {
		at := &s.ring[i]
		if at.sketch == nil || now-at.number >= slices || at.number > now {
			continue
		}
		tokens, answers = tokens+at.tokens, answers+at.answers
		if all == nil {
			all = at.sketch.Copy()
		} else if err := all.MergeWith(at.sketch); err != nil { // sketches of one accuracy merge
			continue
		}
	}
	if all == nil {
		return routing.Latency{}, 0
	}
	p95, err := all.GetValueAtQuantile(0.95)
	if err != nil {
		return routing.Latency{}, 0
	}
	mean := 0
	if answers > 0 {
		mean = int((tokens + answers/2) / answers)
	}
	return routing.Latency{P95Ms: int(p95 + 0.5), Samples: int(all.GetCount())}, mean
}

func (l *Latencies) now() int64 { return l.clock().UnixNano() / int64(l.slice) }

// makeRoom forgets the series longest unused when there are too many.
func (l *Latencies) makeRoom() {
	if len(l.series) < maxKeys {
		return
	}
	var oldest key
	var used int64
	first := true
	for k, s := range l.series {
		if first || s.used < used {
			oldest, used, first = k, s.used, false
		}
	}
	delete(l.series, oldest)
}
