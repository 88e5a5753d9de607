// Package memory keeps what is short-lived in the process itself: the twin of the Redis adapter for the embedded default. Both pass the same suites.
// What it keeps is bounded, and gone when the process ends.
package memory

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/ports/outbound"
)

// DefaultMaxSessions bounds what is kept of sessions, in entries; one takes about 300 bytes.
const DefaultMaxSessions = 100_000

const shards = 64

// Sessions implements outbound.SessionCache. When a part of it is full, what has expired goes first, then records, then tombstones: the database
// knows of each ended session, so a lost tombstone costs a look, and no more.
type Sessions struct {
	clock outbound.Clock
	seed  maphash.Seed
	parts [shards]part
}

var _ outbound.SessionCache = (*Sessions)(nil)

type part struct {
	mu      sync.Mutex
	max     int
	entries map[session.ID]entry
}

type entry struct {
	record outbound.SessionRecord
	dead   bool
	until  time.Time // when the entry ends
}

// NewSessions keeps at most about maxEntries; 0 is DefaultMaxSessions.
func NewSessions(clock outbound.Clock, maxEntries int) *Sessions {
	if maxEntries <= 0 {
		maxEntries = DefaultMaxSessions
	}
	c := &Sessions{clock: clock, seed: maphash.MakeSeed()}
	for i := range c.parts {
		c.parts[i] = part{max: max(1, maxEntries/shards), entries: map[session.ID]entry{}}
	}
	return c
}

// Record implements outbound.SessionCache.
func (c *Sessions) Record(_ context.Context, id session.ID) (r outbound.SessionRecord, known, dead bool, err error) {
	now, p := c.clock(), c.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.live(id, now)
	if !ok {
		return outbound.SessionRecord{}, false, false, nil
	}
	return e.record, !e.dead, e.dead, nil
}

// Keep implements outbound.SessionCache.
func (c *Sessions) Keep(_ context.Context, r outbound.SessionRecord, ttl time.Duration) error {
	if ttl <= 0 {
		return nil
	}
	now, p := c.clock(), c.part(r.ID)
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.live(r.ID, now); !ok {
		p.put(r.ID, entry{record: r, until: now.Add(ttl)}, now)
	}
	return nil
}

// Bury implements outbound.SessionCache.
func (c *Sessions) Bury(_ context.Context, id session.ID, ttl time.Duration) error {
	if ttl <= 0 {
		return nil
	}
	now, p := c.clock(), c.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.put(id, entry{dead: true, until: now.Add(ttl)}, now)
	return nil
}

// Ping implements outbound.SessionCache.
func (c *Sessions) Ping(context.Context) error { return nil }

// Len counts the entries, expired ones included.
func (c *Sessions) Len() int {
	n := 0
	for i := range c.parts {
		p := &c.parts[i]
		p.mu.Lock()
		n += len(p.entries)
		p.mu.Unlock()
	}
	return n
}

func (c *Sessions) part(id session.ID) *part {
	return &c.parts[maphash.String(c.seed, string(id))%shards]
}

// live gives an entry that has not expired, and forgets one that has.
func (p *part) live(id session.ID, now time.Time) (entry, bool) {
	e, ok := p.entries[id]
	if ok && !now.Before(e.until) {
		delete(p.entries, id)
		return entry{}, false
	}
	return e, ok
}

func (p *part) put(id session.ID, e entry, now time.Time) {
	if _, there := p.entries[id]; !there && len(p.entries) >= p.max {
		p.makeRoom(now)
	}
	p.entries[id] = e
}

// makeRoom forgets what has expired; if nothing has, one record; if there is none, one tombstone.
func (p *part) makeRoom(now time.Time) {
	var victim session.ID
	found, foundRecord := false, false
	for id, e := range p.entries {
		switch {
		case !now.Before(e.until):
			delete(p.entries, id)
		case !found, !foundRecord && !e.dead:
			victim, found, foundRecord = id, true, !e.dead
		}
	}
	if len(p.entries) >= p.max {
		delete(p.entries, victim)
	}
}
