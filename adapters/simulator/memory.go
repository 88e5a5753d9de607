package simulator

import (
	"encoding/hex"
	"sync"

	"github.com/forge1/forge1/domain/chat"
)

// maxKept bounds what a vendor remembers of prompts.
const maxKept = 10_000

// memory is what a vendor knows of earlier calls: the prompts that it was asked to keep.
type memory struct {
	mu   sync.Mutex
	kept map[string]int // tokens, by model and prompt
}

func newMemory() *memory { return &memory{kept: map[string]int{}} }

// count says how much of the prompt was kept before and how much is from now on. A directive says it better than what was really there.
func (m *memory) count(c *call, a *answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.kept) > maxKept {
		clear(m.kept)
	}
	for _, mark := range c.marks {
		key, tokens := c.model+"/"+hex.EncodeToString(mark.sum[:]), chat.EstimateTokens(mark.bytes)
		if m.kept[key] > 0 {
			a.cached = max(a.cached, min(tokens, a.in))
		} else if more := min(tokens, a.in) - a.cached - a.written; more > 0 {
			a.written += more
			if mark.hour {
				a.hour += more
			}
		}
		m.kept[key] = max(tokens, 1)
	}
	if c.cacheKey != "" {
		key := c.model + "/key/" + c.cacheKey
		a.cached = max(a.cached, min(m.kept[key], a.in))
		m.kept[key] = a.in
	}
	if c.asks.cached > 0 || c.asks.written > 0 {
		a.cached, a.written, a.hour = c.asks.cached, c.asks.written, 0
		a.in = max(a.in, a.cached+a.written+1)
	}
}
