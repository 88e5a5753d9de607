package main

import (
	"cmp"
	"slices"
	"time"
)

// heedless is for strategies that learn nothing and ask whomever they like.
type heedless struct{}

func (heedless) allow(*call, int) (func(time.Duration, error), bool) {
	return func(time.Duration, error) {}, true
}

// cheapest asks the vendor that is cheapest now, then the next cheapest.
type cheapest struct {
	heedless
	world *world
}

func (s *cheapest) order(_ *call, now time.Duration) []int {
	return sorted(func(i int) float64 { return value(s.world.vendors[i].cents, now) })
}

// inTurn asks one vendor after the other.
type inTurn struct {
	heedless
	turn int
}

func (s *inTurn) order(*call, time.Duration) []int {
	s.turn++
	order := make([]int, vendors)
	for i := range order {
		order[i] = (s.turn + i) % vendors
	}
	return order
}

// What the quickest remembers of each vendor: so many answers, for so long.
const (
	remembered = 20
	memory     = time.Hour
)

// quickest asks the vendor whose last answers were the fastest on average; one of which it remembers none comes first.
type quickest struct {
	now     time.Duration
	answers [vendors][]answer
}

type answer struct{ at, took time.Duration }

func (s *quickest) order(_ *call, now time.Duration) []int {
	s.now = now
	return sorted(func(i int) float64 {
		s.answers[i] = slices.DeleteFunc(s.answers[i], func(a answer) bool { return a.at < now-memory })
		sum := 0.0
		for _, a := range s.answers[i] {
			sum += float64(a.took)
		}
		return sum / max(1, float64(len(s.answers[i])))
	})
}

func (s *quickest) allow(_ *call, vendor int) (func(time.Duration, error), bool) {
	began := s.now
	return func(took time.Duration, err error) {
		if err != nil {
			return
		}
		mine := append(s.answers[vendor], answer{began + took, took})
		s.answers[vendor] = mine[max(0, len(mine)-remembered):]
	}, true
}

// sorted gives the vendors by a key, the smallest first; of equals, the first first.
func sorted(key func(vendor int) float64) []int {
	order := make([]int, vendors)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(key(a), key(b)) })
	return order
}
