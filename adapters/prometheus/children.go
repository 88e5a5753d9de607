package prometheus

import (
	"maps"
	"sync"
	"sync/atomic"
)

// children remembers what each label combination counts into, so that counting is a map look-up and an addition. The map is replaced, never
// changed; there are few combinations, because labels are names of this installation and not input.
type children[K comparable, V any] struct {
	find  func(K) V
	known atomic.Pointer[map[K]V]
	mu    sync.Mutex
}

func (c *children[K, V]) of(k K) V {
	if known := c.known.Load(); known != nil {
		if v, ok := (*known)[k]; ok {
			return v
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	next := map[K]V{}
	if known := c.known.Load(); known != nil {
		if v, ok := (*known)[k]; ok {
			return v
		}
		next = maps.Clone(*known)
	}
	v := c.find(k)
	next[k] = v
	c.known.Store(&next)
	return v
}
