package memory

import (
	"context"
	"sync"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

// DefaultMaxChallenges bounds what a Challenges keeps; one takes about 250 bytes.
const DefaultMaxChallenges = 100_000

// Challenges implements outbound.Challenges. When there is no room for another, those that have run out go; a live one never gives way: whoever logs in then is
// refused with fault.ErrBusy. It fails closed.
type Challenges struct {
	clock outbound.Clock
	max   int

	mu   sync.Mutex
	kept map[[32]byte]*challenge
}

var _ outbound.Challenges = (*Challenges)(nil)

type challenge struct {
	outbound.Challenge
	tries int
	spent bool // nobody is given it any more
	until time.Time
}

// NewChallenges keeps at most maxEntries; 0 is DefaultMaxChallenges.
func NewChallenges(clock outbound.Clock, maxEntries int) *Challenges {
	if maxEntries <= 0 {
		maxEntries = DefaultMaxChallenges
	}
	return &Challenges{clock: clock, max: maxEntries, kept: map[[32]byte]*challenge{}}
}

// Len counts the challenges, those that have run out included.
func (s *Challenges) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.kept)
}

// Put implements outbound.Challenges.
func (s *Challenges) Put(_ context.Context, hash [32]byte, c outbound.Challenge, ttl time.Duration) error {
	if ttl <= 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	if s.kept[hash] == nil && len(s.kept) >= s.max {
		for hash, c := range s.kept {
			if !now.Before(c.until) {
				delete(s.kept, hash)
			}
		}
		if len(s.kept) >= s.max {
			return fault.ErrBusy
		}
	}
	s.kept[hash] = &challenge{Challenge: c, until: now.Add(ttl)}
	return nil
}

// Try implements outbound.Challenges.
func (s *Challenges) Try(_ context.Context, hash [32]byte, most int) (outbound.Challenge, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.live(hash)
	if c == nil {
		return outbound.Challenge{}, false, nil
	}
	if c.tries++; c.spent || c.tries > most {
		c.spent = true
		return outbound.Challenge{}, false, nil
	}
	return c.Challenge, true, nil
}

// Claim implements outbound.Challenges.
func (s *Challenges) Claim(_ context.Context, hash [32]byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.live(hash)
	delete(s.kept, hash)
	return c != nil, nil
}

// live gives a challenge that has not run out, and forgets one that has.
func (s *Challenges) live(hash [32]byte) *challenge {
	c := s.kept[hash]
	if c != nil && !s.clock().Before(c.until) {
		delete(s.kept, hash)
		return nil
	}
	return c
}
