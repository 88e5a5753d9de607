package identity

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forge1/forge1/adapters/password"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/ports/outbound"
)

// Cheap is a cost that tests can bear.
var Cheap = password.Params{Memory: 64, Time: 1, Threads: 1}

// Clock stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is an outbound.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Hasher counts the work, and fails when it is told to.
type Hasher struct {
	outbound.Hasher
	Hashes, Verifies atomic.Int64

	mu      sync.Mutex
	failure error // of Hash
	refusal error // of Verify
	after   func()
	stale   bool
}

// Fail makes Hash fail from now on; nil ends it.
func (h *Hasher) Fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failure = err
}

// FailVerify makes Verify fail from now on; nil ends it.
func (h *Hasher) FailVerify(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refusal = err
}

// After runs after each verification; nil ends it.
func (h *Hasher) After(do func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.after = do
}

// CallStale makes Verify call every hash stale.
func (h *Hasher) CallStale() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stale = true
}

// Hash implements outbound.Hasher.
func (h *Hasher) Hash(ctx context.Context, p secret.Text) (string, error) {
	h.Hashes.Add(1)
	h.mu.Lock()
	err := h.failure
	h.mu.Unlock()
	if err != nil {
		return "", err
	}
	return h.Hasher.Hash(ctx, p)
}

// Verify implements outbound.Hasher.
func (h *Hasher) Verify(ctx context.Context, phc string, p secret.Text) (bool, bool, error) {
	h.Verifies.Add(1)
	ok, stale, err := h.Hasher.Verify(ctx, phc, p)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refusal != nil {
		return false, false, h.refusal
	}
	if h.after != nil {
		h.after()
	}
	return ok, stale || h.stale, err
}

// Postman counts how often it was woken.
type Postman struct{ Woken atomic.Int64 }

// Wake implements auth.Postman.
func (p *Postman) Wake() { p.Woken.Add(1) }

// Faults hands out the database, counts what is asked of it, and stands in its way when it is told to.
type Faults struct {
	outbound.Tx
	Dos, Views atomic.Int64

	mu     sync.Mutex
	down   error
	before func()
	wire   *wire
}

// Down makes every use fail from now on; nil ends it.
func (f *Faults) Down(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = err
}

// Before runs once, before the next transaction.
func (f *Faults) Before(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = do
}

// Do implements outbound.Tx.
func (f *Faults) Do(ctx context.Context, work func(context.Context, outbound.Repos) error) error {
	f.Dos.Add(1)
	f.mu.Lock()
	down, before, trip := f.down, f.before, f.wire
	f.before = nil
	f.mu.Unlock()
	if before != nil {
		before()
	}
	if down != nil {
		return down
	}
	return f.Tx.Do(ctx, func(ctx context.Context, r outbound.Repos) error { return work(ctx, trip.over(r)) })
}

// View implements outbound.Tx.
func (f *Faults) View() outbound.Repos {
	f.Views.Add(1)
	f.mu.Lock()
	down, trip := f.down, f.wire
	f.mu.Unlock()
	if down != nil {
		return downRepos(down)
	}
	return trip.over(f.Tx.View())
}

// cacheOf looks the cache up at each use, so that a test may replace it.
type cacheOf struct{ w *World }

func (c cacheOf) Record(ctx context.Context, id session.ID) (outbound.SessionRecord, bool, bool, error) {
	return c.w.Cache.Record(ctx, id)
}

func (c cacheOf) Keep(ctx context.Context, r outbound.SessionRecord, ttl time.Duration) error {
	return c.w.Cache.Keep(ctx, r, ttl)
}

func (c cacheOf) Bury(ctx context.Context, id session.ID, ttl time.Duration) error {
	return c.w.Cache.Bury(ctx, id, ttl)
}

func (c cacheOf) Ping(ctx context.Context) error { return c.w.Cache.Ping(ctx) }

// Throttle counts what it is asked, and fails when it is told to.
type Throttle struct {
	outbound.Throttle
	Asked atomic.Int64

	mu   sync.Mutex
	down error
}

// Down makes every use fail from now on; nil ends it.
func (t *Throttle) Down(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.down = err
}

func (t *Throttle) failure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.down
}

// Admit implements outbound.Throttle.
func (t *Throttle) Admit(ctx context.Context, lease string, ttl time.Duration, b []outbound.Bucket) (outbound.Admission, error) {
	t.Asked.Add(1)
	if err := t.failure(); err != nil {
		return outbound.Admission{}, err
	}
	return t.Throttle.Admit(ctx, lease, ttl, b)
}

// Settle implements outbound.Throttle.
func (t *Throttle) Settle(ctx context.Context, lease string, failed bool, b []outbound.Bucket) error {
	if err := t.failure(); err != nil {
		return err
	}
	return t.Throttle.Settle(ctx, lease, failed, b)
}

// Clear implements outbound.Throttle.
func (t *Throttle) Clear(ctx context.Context, b []outbound.Bucket) error {
	if err := t.failure(); err != nil {
		return err
	}
	return t.Throttle.Clear(ctx, b)
}

// Challenges counts tries, and fails when it is told to.
type Challenges struct {
	outbound.Challenges
	Tries atomic.Int64 // that were let through

	mu   sync.Mutex
	down error
}

// Down makes every use fail from now on; nil ends it.
func (c *Challenges) Down(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = err
}

func (c *Challenges) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.down
}

// Put implements outbound.Challenges.
func (c *Challenges) Put(ctx context.Context, hash [32]byte, kept outbound.Challenge, ttl time.Duration) error {
	if err := c.failure(); err != nil {
		return err
	}
	return c.Challenges.Put(ctx, hash, kept, ttl)
}

// Try implements outbound.Challenges.
func (c *Challenges) Try(ctx context.Context, hash [32]byte, most int) (outbound.Challenge, bool, error) {
	if err := c.failure(); err != nil {
		return outbound.Challenge{}, false, err
	}
	kept, ok, err := c.Challenges.Try(ctx, hash, most)
	if ok {
		c.Tries.Add(1)
	}
	return kept, ok, err
}

// Claim implements outbound.Challenges.
func (c *Challenges) Claim(ctx context.Context, hash [32]byte) (bool, error) {
	if err := c.failure(); err != nil {
		return false, err
	}
	return c.Challenges.Claim(ctx, hash)
}
