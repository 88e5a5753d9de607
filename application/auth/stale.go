package auth

import (
	"sync"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// stale knows which records of the shared cache are older than a change made on this node. They live for seconds, and so does what is noted. The zero value is ready.
type stale struct {
	mu    sync.RWMutex
	since map[string]time.Time
}

// note says that records of a user or session read until now are no good. What is older than keep, no record is.
func (s *stale) note(whom string, now time.Time, keep time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for other, at := range s.since {
		if now.Sub(at) > keep {
			delete(s.since, other)
		}
	}
	if s.since == nil {
		s.since = make(map[string]time.Time)
	}
	s.since[whom] = now
}

// is reports whether a record is older than a change of its user or session.
func (s *stale) is(r outbound.SessionRecord) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.since) == 0 {
		return false
	}
	for _, whom := range [...]string{"user " + string(r.UserID), "session " + string(r.ID)} {
		if at, ok := s.since[whom]; ok && !r.ReadAt.After(at) {
			return true
		}
	}
	return false
}
