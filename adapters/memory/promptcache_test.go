package memory_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/memory"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

func TestPromptCache(t *testing.T) {
	conformance.PromptCache(t, func(*testing.T) (outbound.PromptCache, func(time.Duration)) {
		w := newWatch()
		return memory.NewPromptCache(w.read, conformance.PromptCacheBound), w.pass
	})
}

func TestAllTenantsTogetherAreBoundedToo(t *testing.T) {
	const bound = 10_000
	w := newWatch()
	c := memory.NewPromptCache(w.read, bound)
	keep := func(tenant, n int) {
		t.Helper()
		if err := c.Keep(t.Context(), fmt.Sprint(tenant), outbound.PromptKey{byte(n)}, make([]byte, 1000), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	for tenant := range 500 {
		for n := range 3 {
			keep(tenant, n)
		}
	}
	if n := c.Bytes(); n > 2*bound || n < 2*bound-2000 {
		t.Errorf("%d bytes are kept, want at most %d and not much less", n, 2*bound)
	}
	if b, err := c.Find(t.Context(), "499", outbound.PromptKey{2}); err != nil || b == nil {
		t.Errorf("what was kept last is not there: %v", err)
	}
	w.pass(time.Minute)
	keep(1, 1)
	if n := c.Bytes(); n > 2000 {
		t.Errorf("%d bytes are kept after all but one entry expired", n)
	}
}
