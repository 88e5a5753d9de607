package memory

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

// DefaultMaxBuckets bounds what a Throttle counts, in buckets; one takes about 300 bytes.
const DefaultMaxBuckets = 100_000

// Throttle implements outbound.Throttle. One lock makes an operation atomic over all of its buckets. When there is no room for another bucket, those that have run
// out go first, then those that are neither full nor in use, the emptiest before the fuller. A full bucket never gives way, nor one with an attempt under way: when
// there are only those, whoever needs another is refused with fault.ErrBusy until one has run out. It fails closed.
type Throttle struct {
	clock outbound.Clock
	max   int

	mu      sync.Mutex
	buckets map[string]*bucket
	looked  time.Time // when all was last looked through in vain
}

var _ outbound.Throttle = (*Throttle)(nil)

// NewThrottle counts in at most maxBuckets; 0 is DefaultMaxBuckets.
func NewThrottle(clock outbound.Clock, maxBuckets int) *Throttle {
	if maxBuckets <= 0 {
		maxBuckets = DefaultMaxBuckets
	}
	return &Throttle{clock: clock, max: maxBuckets, buckets: map[string]*bucket{}}
}

// Len counts the buckets, those that have run out included.
func (t *Throttle) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.buckets)
}

// Admit implements outbound.Throttle.
func (t *Throttle) Admit(_ context.Context, lease string, ttl time.Duration, asked []outbound.Bucket) (outbound.Admission, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock()
	var a outbound.Admission
	missing := 0
	for _, want := range asked {
		b := t.buckets[want.Key]
		if b == nil {
			missing++
		}
		room, wait := b.room(want, now)
		switch {
		case wait > 0:
			a.Verdict = outbound.Full
		case room <= 0:
			a.Verdict = max(a.Verdict, outbound.Crowded)
		}
		a.RetryAfter = max(a.RetryAfter, wait)
		a.States = append(a.States, outbound.BucketState{Remaining: max(room, 0), Reset: b.reset(want, now)})
	}
	if a.Verdict != outbound.Admitted {
		return a, nil
	}
	if !t.makeRoom(missing, asked, now) {
		return outbound.Admission{}, fault.ErrBusy
	}
	for i, want := range asked {
		b := t.bucket(want)
		if want.Every {
			b.add(want, now)
		} else {
			b.leases[lease] = now.Add(ttl)
		}
		a.States[i].Remaining = max(a.States[i].Remaining-1, 0)
		a.States[i].Reset = b.reset(want, now)
	}
	return a, nil
}

// Settle implements outbound.Throttle.
func (t *Throttle) Settle(_ context.Context, lease string, failed bool, asked []outbound.Bucket) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, missing := t.clock(), 0
	for _, want := range asked {
		if t.buckets[want.Key] == nil && failed && !want.Every {
			missing++
		}
	}
	if !t.makeRoom(missing, asked, now) {
		return fault.ErrBusy
	}
	for _, want := range asked {
		if want.Every {
			continue
		}
		if b := t.buckets[want.Key]; b != nil {
			delete(b.leases, lease)
		}
		if failed {
			t.bucket(want).add(want, now)
		}
		t.tidy(want.Key, now)
	}
	return nil
}

// Clear implements outbound.Throttle. What is under way still is.
func (t *Throttle) Clear(_ context.Context, asked []outbound.Bucket) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock()
	for _, want := range asked {
		if b := t.buckets[want.Key]; b != nil {
			b.n = 0
			t.tidy(want.Key, now)
		}
	}
	return nil
}

// bucket gives a bucket, and makes it when it is not there.
func (t *Throttle) bucket(want outbound.Bucket) *bucket {
	b := t.buckets[want.Key]
	if b == nil {
		b = &bucket{leases: map[string]time.Time{}}
		t.buckets[want.Key] = b
	}
	b.terms = want
	return b
}

// tidy forgets a bucket that holds nothing.
func (t *Throttle) tidy(key string, now time.Time) {
	t.looked = time.Time{}
	if b := t.buckets[key]; b != nil && b.empty(now) {
		delete(t.buckets, key)
	}
}

// lookAgain is how often all is looked through when nothing gave way, and share how much of the room is made at once.
const (
	lookAgain = 100 * time.Millisecond
	share     = 16
)

// makeRoom sees to it that n more buckets fit, and spares those that are asked for. It reports whether they do.
func (t *Throttle) makeRoom(n int, asked []outbound.Bucket, now time.Time) bool {
	if n == 0 || len(t.buckets)+n <= t.max {
		return true
	}
	if since := now.Sub(t.looked); since >= 0 && since < lookAgain {
		return false
	}
	type idle struct {
		key  string
		used float64
	}
	var idles []idle
	for key, b := range t.buckets {
		switch room, wait := b.room(b.terms, now); {
		case slices.ContainsFunc(asked, func(a outbound.Bucket) bool { return a.Key == key }):
		case b.empty(now):
			delete(t.buckets, key)
		case len(b.leases) == 0 && wait == 0 && b.n < b.terms.Limit:
			idles = append(idles, idle{key, 1 - float64(room)/float64(b.terms.Limit)})
		}
	}
	if over := len(t.buckets) + n - t.max; over > 0 {
		slices.SortFunc(idles, func(a, b idle) int { return cmp.Compare(a.used, b.used) })
		for _, i := range idles[:min(len(idles), over+t.max/share)] {
			delete(t.buckets, i.key)
		}
	}
	if len(t.buckets)+n <= t.max {
		return true
	}
	t.looked = now
	return false
}

// bucket is what counts and what is under way. The nil bucket holds nothing.
type bucket struct {
	terms  outbound.Bucket // as it was asked for last
	n      int
	at     time.Time // of the first that counts; with growth, of the last
	leases map[string]time.Time
}

// count gives what counts now and since when. A time to come, by a clock that was moved back, is now, so that no wait is longer than a whole window.
func (b *bucket) count(window time.Duration, now time.Time) (int, time.Time) {
	if b == nil || b.n == 0 || now.Sub(b.at) >= window {
		return 0, now
	}
	if b.at.After(now) {
		b.at = now
	}
	return b.n, b.at
}

// room says how many may come now, or how long to wait until one may.
func (b *bucket) room(terms outbound.Bucket, now time.Time) (room int, wait time.Duration) {
	n, at := b.count(terms.Window, now)
	underway := 0
	if b != nil {
		for lease, until := range b.leases {
			if !now.Before(until) {
				delete(b.leases, lease)
			}
		}
		underway = len(b.leases)
	}
	if n < terms.Limit {
		return terms.Limit - n - underway, 0
	}
	whole := terms.Window
	if terms.Growth > 0 {
		whole = doubled(terms.Growth, n-terms.Limit, terms.Window)
	}
	if wait = at.Add(whole).Sub(now); wait > 0 {
		return 0, wait
	}
	return 1 - underway, 0
}

// reset says when the count begins anew, 0 when nothing counts.
func (b *bucket) reset(terms outbound.Bucket, now time.Time) time.Duration {
	if n, at := b.count(terms.Window, now); n > 0 {
		return at.Add(terms.Window).Sub(now)
	}
	return 0
}

// add counts one more.
func (b *bucket) add(terms outbound.Bucket, now time.Time) {
	n, at := b.count(terms.Window, now)
	if n == 0 || terms.Growth > 0 {
		at = now
	}
	b.n, b.at = n+1, at
}

// empty reports whether the bucket holds nothing any more.
func (b *bucket) empty(now time.Time) bool {
	n, _ := b.count(b.terms.Window, now)
	for _, until := range b.leases {
		if now.Before(until) {
			return false
		}
	}
	return n == 0
}

// doubled doubles a span so many times, up to the most.
func doubled(d time.Duration, times int, most time.Duration) time.Duration {
	for range times {
		if d > most-d {
			return most
		}
		d *= 2
	}
	return min(d, most)
}
