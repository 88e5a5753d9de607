// Package record keeps one row of every AI call, off the request path: a bounded queue in front of batched inserts. A place in it is reserved before
// a vendor is asked, so that a full queue refuses calls rather than losing rows; only a process that is killed loses what it holds.
//
// With a call goes the decision that was made for it, which can be read here until the store has it; and before it the sheets that it refers to.
package record

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

// Deps is what the recorder needs.
type Deps struct {
	Calls    outbound.Calls
	Meter    outbound.LoadMeter
	Clock    outbound.Clock
	Settings Settings
}

// Settings bound the queue. A zero value stands for the default.
type Settings struct {
	Capacity int           // rows held, those of calls under way included; 8192
	Batch    int           // most rows of one insert; 256, and at most half of Capacity
	Every    time.Duration // longest that a row waits for company; 200 ms
	Retry    time.Duration // first pause after a failed insert, doubled up to 5 s; 100 ms
	Flush    time.Duration // how long Run goes on inserting once it is told to end; 10 s
}

const (
	queueName = "calls"
	maxPause  = 5 * time.Second
)

// Recorder is the queue. Reserve and Keep may be called at any time, Run once.
type Recorder struct {
	calls outbound.Calls
	meter outbound.LoadMeter
	clock outbound.Clock
	desk  *desk
	shelf *shelf
	set   Settings
	wake  chan struct{} // holds one token while there is news

	mu       sync.Mutex
	reserved int // places taken: calls under way, rows waiting, rows being inserted
	waiting  []outbound.Call
}

// New makes a recorder, which inserts nothing until Run.
func New(d Deps) *Recorder {
	s := d.Settings
	s.Capacity, s.Batch = orInt(s.Capacity, 8192), orInt(s.Batch, 256)
	s.Batch = min(s.Batch, (s.Capacity+1)/2) // a small queue is emptied before it is full
	s.Every, s.Retry, s.Flush = orTime(s.Every, 200*time.Millisecond), orTime(s.Retry, 100*time.Millisecond), orTime(s.Flush, 10*time.Second)
	return &Recorder{
		calls: d.Calls, meter: d.Meter, clock: d.Clock, desk: newDesk(2 * s.Capacity), shelf: newShelf(), set: s, wake: make(chan struct{}, 1),
	}
}

func orInt(v, otherwise int) int {
	if v <= 0 {
		return otherwise
	}
	return v
}

func orTime(v, otherwise time.Duration) time.Duration {
	if v <= 0 {
		return otherwise
	}
	return v
}

// Reserve takes a place for one row. It fails with fault.ErrBusy when there is none.
func (r *Recorder) Reserve() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reserved >= r.set.Capacity {
		return fault.ErrBusy
	}
	r.reserved++
	r.meter.Queue(queueName, r.reserved, r.set.Capacity)
	return nil
}

// Keep puts a row in the place that was reserved for it. It does not block.
func (r *Recorder) Keep(row outbound.Call) {
	clean(&row)
	if row.Decision != nil {
		r.desk.put(*row.Decision)
	}
	r.mu.Lock()
	r.waiting = append(r.waiting, row)
	n := len(r.waiting)
	r.mu.Unlock()
	if n == 1 || n >= r.set.Batch {
		r.signal()
	}
}

func (r *Recorder) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run inserts rows until ctx ends, then what is left and what calls under way still hand in, for as long as Settings.Flush allows. It fails
// when rows remain. Whoever calls it waits for it.
func (r *Recorder) Run(ctx context.Context) error {
	w := worker{Recorder: r, size: r.set.Batch, pause: r.set.Retry}
	for r.await(ctx) {
		w.drain(ctx, false)
	}
	final, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.set.Flush)
	defer cancel()
	for {
		w.drain(final, true)
		left := r.taken()
		if left == 0 {
			return nil
		}
		select {
		case <-r.wake:
		case <-final.Done():
			return fmt.Errorf("flush the call records: %d rows were not inserted", left)
		}
	}
}

// await waits until a batch is full or its first row has waited long enough. It reports false when ctx ended.
func (r *Recorder) await(ctx context.Context) bool {
	select {
	case <-r.wake:
	case <-ctx.Done():
		return false
	}
	timer := time.NewTimer(r.set.Every)
	defer timer.Stop()
	for r.length() < r.set.Batch {
		select {
		case <-r.wake:
		case <-timer.C:
			return true
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// taken is how many places are not free.
func (r *Recorder) taken() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reserved
}

// length is how many rows are waiting.
func (r *Recorder) length() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting)
}

// clean takes out of a row what a database refuses in a text, because a row that cannot be inserted would stay for ever.
func clean(row *outbound.Call) {
	row.RequestedModel, row.ServedModel = text(row.RequestedModel), text(row.ServedModel)
	row.EndUser, row.TraceID, row.Outcome = text(row.EndUser), text(row.TraceID), text(row.Outcome)
	for i, t := range row.Tags {
		if c := text(t); c != t {
			row.Tags = append([]string(nil), row.Tags...)
			row.Tags[i] = c
		}
	}
}

func text(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
