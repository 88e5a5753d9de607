package outbound

import (
	"context"
	"time"
)

// PromptKey names an entry of the prompt cache: a hash of everything that the answer depends on, the tenant included.
type PromptKey [32]byte

// PromptCache keeps answers for a while, each tenant's by themselves and within a bound of its own: when that is reached, what was kept first goes
// first. Nothing depends on it: what it loses is asked for again. Implementations pass conformance.PromptCache.
type PromptCache interface {
	// Find gives a tenant's entry, nil when there is none. It must not be changed. It fails with fault.ErrDependency when the cache does not answer.
	Find(ctx context.Context, tenantID string, key PromptKey) ([]byte, error)
	// Keep puts a tenant's entry in the place of any other of the key, for that long. An entry that is larger than the tenant's bound is not kept, nor one
	// that has no time to live; that is no error. The bytes must not be changed afterwards. It fails with fault.ErrDependency when the cache does not
	// answer, or has no memory left.
	Keep(ctx context.Context, tenantID string, key PromptKey, entry []byte, ttl time.Duration) error
}
