package latency

import (
	"sync"
	"time"

	"github.com/DataDog/sketches-go/ddsketch/mapping"

	"github.com/forge1/forge1/domain/routing"
)

// series is the window of one key: what this replica measured in each part, what others did, and the weighted sum, which is read. A sample goes into
// its part and the sum; the sum is made anew only when the window slides or others have news.
type series struct {
	mapping mapping.IndexMapping

	mu       sync.Mutex
	newest   int64 // the part that the window ends with
	active   int64 // the part that the last sample of anybody came in
	own      [slots]slot
	others   [slots]slot
	informed bool // others holds all that is known of them

	sum     sketch
	figures figures // of the sum, when settled
	settled bool
}

// slots is a part more than a window has: of a replica whose clock is a little ahead, the next part is known already.
const slots = parts + 1

// slot is a part of the window. It is unused when its number is not of the window.
type slot struct {
	number int64
	sketch
	fresh bool // of this replica: it has samples that were not published
}

// figures are what is known of a key.
type figures struct {
	latency routing.Latency
	tokens  int
}

func newSeries(m mapping.IndexMapping, now int64) *series {
	return &series{mapping: m, newest: now, active: now}
}

func at(ring *[slots]slot, number int64) *slot { return &ring[uint64(number)%slots] } //nolint:gosec // a clock before 1970 finds its slot too

// take gives the slot of a part, emptied of an older one.
func take(ring *[slots]slot, number int64) *slot {
	p := at(ring, number)
	if p.number != number {
		p.clear()
		p.number, p.fresh = number, false
	}
	return p
}

// weight is what a sample of a part weighs, 0 when the part is not of the window.
func (s *series) weight(number int64) int64 {
	age := s.newest - number
	if age < -1 || age >= parts {
		return 0
	}
	return 1 << (parts - 1 - max(age, 0))
}

func (s *series) add(now int64, took time.Duration, tokens int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slide(now)
	p := take(&s.own, s.newest)
	p.add(s.mapping, took, tokens, 1)
	p.fresh = true
	s.sum.add(s.mapping, took, tokens, s.weight(s.newest))
	s.active, s.settled = s.newest, false
}

func (s *series) read(now int64) figures {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slide(now)
	return s.settle()
}

func (s *series) settle() figures {
	if s.settled {
		return s.figures
	}
	s.settled = true
	s.figures = figures{}
	if s.sum.samples > 0 {
		s.figures = figures{routing.Latency{P95Ms: s.sum.p95(s.mapping), Samples: s.sum.samples}, s.sum.length()}
	}
	return s.figures
}

// last is the part that the last sample came in.
func (s *series) last() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.active
}

// slide has the window end with a part. A clock that is set back a little holds it up; one that is set back by more than a window empties it.
func (s *series) slide(now int64) {
	if now == s.newest || now < s.newest && s.newest-now < parts {
		return
	}
	s.newest = now
	s.rebuild()
}

// rebuild makes the sum of the parts in the window.
func (s *series) rebuild() {
	s.settled = false
	s.sum.clear()
	for _, ring := range []*[slots]slot{&s.own, &s.others} {
		for i := range ring {
			if w := s.weight(ring[i].number); w > 0 {
				s.sum.merge(&ring[i].sketch, w)
			}
		}
	}
}

// hear puts what others measured in some parts in the place of what was known of them, and says whether that changed figures.
func (s *series) hear(now int64, news map[int64]*sketch) (changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slide(now)
	before := s.settle()
	for number, heard := range news {
		if s.weight(number) == 0 {
			continue
		}
		p := take(&s.others, number)
		p.sketch = *heard
		s.active = max(s.active, min(number, s.newest))
	}
	s.informed = true
	s.rebuild()
	return s.settle() != before
}

func (s *series) isInformed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.informed
}

// news gives the parts of this replica that have samples which were not published, and counts them as published; renew takes that back.
func (s *series) news(now int64) (out []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slide(now)
	for i := range s.own {
		if p := &s.own[i]; p.fresh && s.weight(p.number) > 0 {
			p.fresh = false
			out = append(out, p.number)
		}
	}
	return out
}

// renew has a part published again, as long as it is in the window.
func (s *series) renew(number int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := at(&s.own, number); p.number == number && p.samples > 0 {
		p.fresh = true
	}
}

// body gives a part of this replica as it is published, nil when there is nothing in it; and on how many samples it stands.
func (s *series) body(number int64) ([]byte, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := at(&s.own, number)
	if p.number != number || p.samples == 0 {
		return nil, 0
	}
	return encode(&p.sketch), p.samples
}
