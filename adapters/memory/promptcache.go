package memory

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// entryCost is what an entry takes beside its bytes.
const entryCost = 256

// PromptCache implements outbound.PromptCache within two bounds in bytes: one of each tenant, and twice that of all together. What was kept first goes
// first, of the tenant, or of all.
type PromptCache struct {
	clock       outbound.Clock
	most, total int

	mu      sync.Mutex
	tenants map[string]*promptShelf
	all     list.List // of *promptEntry, as they were kept
	bytes   int
}

var _ outbound.PromptCache = (*PromptCache)(nil)

// promptShelf is what one tenant has.
type promptShelf struct {
	entries map[outbound.PromptKey]*promptEntry
	order   list.List // of *promptEntry, as they were kept
	bytes   int
}

type promptEntry struct {
	tenant string
	key    outbound.PromptKey
	value  []byte
	until  time.Time
	among  *list.Element // of all
	own    *list.Element // of the tenant's
}

func (e *promptEntry) size() int { return len(e.value) + entryCost }

// NewPromptCache keeps at most so many bytes for each tenant.
func NewPromptCache(clock outbound.Clock, tenantBytes int) *PromptCache {
	return &PromptCache{clock: clock, most: tenantBytes, total: 2 * tenantBytes, tenants: map[string]*promptShelf{}}
}

// Find implements outbound.PromptCache.
func (c *PromptCache) Find(_ context.Context, tenantID string, key outbound.PromptKey) ([]byte, error) {
	now := c.clock()
	c.mu.Lock()
	defer c.mu.Unlock()
	shelf := c.tenants[tenantID]
	if shelf == nil {
		return nil, nil
	}
	e := shelf.entries[key]
	if e == nil {
		return nil, nil
	}
	if !now.Before(e.until) {
		c.drop(e)
		return nil, nil
	}
	return e.value, nil
}

// Keep implements outbound.PromptCache.
func (c *PromptCache) Keep(_ context.Context, tenantID string, key outbound.PromptKey, value []byte, ttl time.Duration) error {
	e := &promptEntry{tenant: tenantID, key: key, value: value}
	if ttl <= 0 || e.size() > c.most {
		return nil
	}
	now := c.clock()
	e.until = now.Add(ttl)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire(now)
	shelf := c.tenants[tenantID]
	if shelf != nil && shelf.entries[key] != nil {
		c.drop(shelf.entries[key])
	}
	for shelf = c.tenants[tenantID]; shelf != nil && shelf.bytes+e.size() > c.most; shelf = c.tenants[tenantID] {
		c.dropFirst(&shelf.order)
	}
	for c.bytes+e.size() > c.total {
		c.dropFirst(&c.all)
	}
	if shelf = c.tenants[tenantID]; shelf == nil {
		shelf = &promptShelf{entries: map[outbound.PromptKey]*promptEntry{}}
		c.tenants[tenantID] = shelf
	}
	shelf.entries[key] = e
	e.among, e.own = c.all.PushBack(e), shelf.order.PushBack(e)
	shelf.bytes += e.size()
	c.bytes += e.size()
	return nil
}

// Bytes is what all entries take, expired ones included.
func (c *PromptCache) Bytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// expire lets go of what was kept first and has expired. As all are kept for equally long, that is everything that has.
func (c *PromptCache) expire(now time.Time) {
	for first := c.all.Front(); first != nil; first = c.all.Front() {
		e := first.Value.(*promptEntry) //nolint:forcetypeassert // the only type in the list
		if now.Before(e.until) {
			return
		}
		c.drop(e)
	}
}

func (c *PromptCache) dropFirst(order *list.List) {
	c.drop(order.Front().Value.(*promptEntry)) //nolint:forcetypeassert // the only type in the lists
}

func (c *PromptCache) drop(e *promptEntry) {
	shelf := c.tenants[e.tenant]
	delete(shelf.entries, e.key)
	shelf.order.Remove(e.own)
	c.all.Remove(e.among)
	shelf.bytes -= e.size()
	c.bytes -= e.size()
	if len(shelf.entries) == 0 {
		delete(c.tenants, e.tenant)
	}
}
