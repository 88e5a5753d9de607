package gateway

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forge1/forge1/application/decisions"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// maxCachedPolicies bounds the cache: above it, entries that have grown old are swept.
const maxCachedPolicies = 10_000

// policyCache holds tenants' policies for a moment, so that a call costs no query. The policies in it are shared and never changed.
type policyCache struct {
	store outbound.Policies
	clock outbound.Clock
	ttl   time.Duration

	mu      sync.RWMutex
	entries map[string]*policyEntry
}

type policyEntry struct {
	load    chan struct{} // holds a token while somebody loads
	current atomic.Pointer[loadedPolicy]
	changes atomic.Int64 // counts invalidations, so that a load which began before one is not kept
	paper   atomic.Pointer[paper]
}

type loadedPolicy struct {
	policy *routing.Policy
	until  time.Time
	entry  *policyEntry
	once   sync.Once
	sheet  *paper // see paper
}

// paper is the policy as it is kept. As long as a policy reads the same it is the same paper.
func (l *loadedPolicy) paper() *paper {
	l.once.Do(func() {
		id, body := decisions.EncodePolicy(l.policy)
		if l.sheet = l.entry.paper.Load(); l.sheet == nil || l.sheet.id != id {
			l.sheet = &paper{id: id, body: func() []byte { return body }}
			l.entry.paper.Store(l.sheet)
		}
	})
	return l.sheet
}

func newPolicyCache(store outbound.Policies, clock outbound.Clock, ttl time.Duration) *policyCache {
	return &policyCache{store: store, clock: clock, ttl: ttl, entries: map[string]*policyEntry{}}
}

// find gives the tenant's policy, at most ttl old at the time of the call, which is now. A store that does not answer is fault.ErrDependency: an old policy might send a call to
// a provider that the tenant has switched off since.
func (c *policyCache) find(ctx context.Context, tenantID string, now time.Time) (*loadedPolicy, error) {
	e := c.entry(tenantID, now)
	if l := e.current.Load(); l != nil && now.Before(l.until) {
		return l, nil
	}
	select {
	case e.load <- struct{}{}:
		defer func() { <-e.load }()
	case <-ctx.Done():
		return nil, unread(ctx, ctx.Err())
	}
	if l := e.current.Load(); l != nil && now.Before(l.until) {
		return l, nil
	}
	changes, began := e.changes.Load(), c.clock() // a policy is as old as its reading, however long that takes
	p, err := c.store.Find(ctx, tenantID)
	if err != nil {
		return nil, unread(ctx, err)
	}
	l := &loadedPolicy{policy: p, until: began.Add(c.ttl), entry: e}
	if e.changes.Load() == changes {
		e.current.Store(l)
		if e.changes.Load() != changes {
			e.current.Store(nil)
		}
	}
	return l, nil
}

// unread says why there is no policy: the caller left, the store gave its own reason, or it does not answer.
func unread(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ErrCanceled.With(err)
	}
	if _, known := errors.AsType[*fault.Error](err); known {
		return err
	}
	return fault.ErrDependency.With(err)
}

func (c *policyCache) invalidate(tenantID string) {
	c.mu.RLock()
	e := c.entries[tenantID]
	c.mu.RUnlock()
	if e != nil {
		e.invalidate()
	}
}

// invalidateAll is for a change of what all policies stand on.
func (c *policyCache) invalidateAll() {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, e := range c.entries {
		e.invalidate()
	}
}

func (e *policyEntry) invalidate() {
	e.changes.Add(1)
	e.current.Store(nil)
}

func (c *policyCache) entry(tenantID string, now time.Time) *policyEntry {
	c.mu.RLock()
	e := c.entries[tenantID]
	c.mu.RUnlock()
	if e != nil {
		return e
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e = c.entries[tenantID]; e != nil {
		return e
	}
	if len(c.entries) >= maxCachedPolicies {
		for id, old := range c.entries {
			if l := old.current.Load(); l != nil && now.After(l.until) {
				delete(c.entries, id)
			}
		}
	}
	e = &policyEntry{load: make(chan struct{}, 1)}
	c.entries[tenantID] = e
	return e
}
