package outbound

import (
	"context"
	"time"
)

// Bucket bounds how often something may happen. Its key names nobody: what is personal in it is a MAC.
type Bucket struct {
	Key    string        // policy and whom it is about, such as login-account:<MAC>
	Limit  int           // at least 1
	Window time.Duration // from the first that counts; when it is over the count begins anew
	// Every makes each admission count at once; else one counts when it is settled as failed.
	Every bool
	// Growth, when it is not zero, replaces the rest of the window as the wait of a full bucket: after Limit failures the next may come after Growth, after each failure
	// more twice as long as before, up to Window; the count ends a Window after the last failure. Nobody is shut out for good. With Growth one goes at a time once the
	// bucket is full.
	Growth time.Duration
}

// Verdict is what a throttle says.
type Verdict uint8

// The verdicts.
const (
	Admitted Verdict = iota
	Crowded          // only those under way fill it; one of them may end soon
	Full             // what counts already fills it; see RetryAfter
)

// BucketState is how a bucket stands after a verdict.
type BucketState struct {
	Remaining int           // how many may come yet, those under way taken off
	Reset     time.Duration // until the count begins anew; 0: nothing counts
}

// Admission is the answer of a throttle.
type Admission struct {
	Verdict    Verdict
	RetryAfter time.Duration // with Full: until the first that may be admitted
	States     []BucketState // of each bucket, in order
}

// Throttle counts failures and those that are under way, atomically, so that however many come at once no more than the limit are let through, and those that are
// right do not shut each other out. All nodes that share it count together. Implementations pass conformance.Throttle.
type Throttle interface {
	// Admit takes a lease, under a name made for this attempt, in every bucket, or in none of them when one is not free. A lease that is never settled ends by itself
	// after the ttl, and counts as nothing.
	Admit(ctx context.Context, lease string, ttl time.Duration, buckets []Bucket) (Admission, error)
	// Settle ends a lease. When the attempt failed it counts in every bucket that does not count every admission already. Settling what is not there, failed or not,
	// counts the failure all the same.
	Settle(ctx context.Context, lease string, failed bool, buckets []Bucket) error
	// Clear begins the counts of buckets anew.
	Clear(ctx context.Context, buckets []Bucket) error
}
