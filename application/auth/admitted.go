package auth

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/forge1/forge1/ports/inbound"
)

const (
	shards        = 16
	shardCapacity = 1024
	evictionTries = 8
)

// admission is a credential that was found good, and from when until when that may be believed: a clock that steps back does not lengthen it.
type admission struct {
	caller      inbound.Caller
	from, until time.Time
}

// admitted remembers admissions, in a bounded number. The zero value is ready.
type admitted struct {
	shards    [shards]shard
	forgotten atomic.Uint64 // counts what was forgotten; what was asked before must not be kept after
}

type shard struct {
	mu      sync.RWMutex
	entries map[fingerprint]admission
}

func (a *admitted) of(print fingerprint) *shard { return &a.shards[print[0]%shards] }

// find gives the caller of a credential that is remembered and still to be believed.
func (a *admitted) find(print fingerprint, now time.Time) (inbound.Caller, bool) {
	s := a.of(print)
	s.mu.RLock()
	e, ok := s.entries[print]
	s.mu.RUnlock()
	if !ok || now.Before(e.from) || !now.Before(e.until) {
		return inbound.Caller{}, false
	}
	return e.caller, true
}

// keep remembers an admission, unless something was forgotten since it was asked for. A full shard gives up an entry that is past, or any.
func (a *admitted) keep(print fingerprint, e admission, since uint64) {
	s := a.of(print)
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.forgotten.Load() != since {
		return
	}
	if s.entries == nil {
		s.entries = make(map[fingerprint]admission)
	}
	if _, there := s.entries[print]; !there && len(s.entries) >= shardCapacity {
		s.evict(e.until)
	}
	s.entries[print] = e
}

// evict removes the one of a few entries that ends first. The order of a map is random enough.
func (s *shard) evict(latest time.Time) {
	var (
		victim fingerprint
		tries  int
	)
	for print, e := range s.entries {
		if tries == 0 || e.until.Before(latest) {
			victim, latest = print, e.until
		}
		if tries++; tries == evictionTries {
			break
		}
	}
	delete(s.entries, victim)
}

// forget drops every entry of a caller that ended.
func (a *admitted) forget(ended func(*inbound.Caller) bool) {
	a.forgotten.Add(1) // first, so that no answer asked for before can be kept once we have looked
	for i := range a.shards {
		s := &a.shards[i]
		s.mu.Lock()
		for print, e := range s.entries {
			if ended(&e.caller) {
				delete(s.entries, print)
			}
		}
		s.mu.Unlock()
	}
}

// prune drops what is past.
func (a *admitted) prune(now time.Time) {
	for i := range a.shards {
		s := &a.shards[i]
		s.mu.Lock()
		for print, e := range s.entries {
			if !now.Before(e.until) {
				delete(s.entries, print)
			}
		}
		s.mu.Unlock()
	}
}
