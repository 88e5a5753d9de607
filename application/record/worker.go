package record

import (
	"context"
	"slices"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// insertTimeout bounds one insert, so that a store that hangs is a store that fails.
const insertTimeout = 30 * time.Second

// worker is the inserting side of a recorder. After a failure it tries smaller batches, down to single rows, and what failed goes to the end of the
// queue: so a row that can never be inserted holds up no other.
type worker struct {
	*Recorder
	size  int
	pause time.Duration
}

// drain inserts batches: all that is waiting, or only while whole batches are waiting; the rest then waits for company. After a failure it goes
// on until nothing is left, because those rows have waited long enough.
func (w *worker) drain(ctx context.Context, all bool) {
	for ctx.Err() == nil {
		batch := w.take(w.size)
		if len(batch) == 0 {
			return
		}
		if w.insert(ctx, batch) != nil {
			all = true
			w.giveBack(batch)
			w.size = max(1, len(batch)/2)
			sleep(ctx, w.pause)
			w.pause = min(2*w.pause, maxPause)
			continue
		}
		w.release(len(batch))
		w.size, w.pause = min(2*w.size, w.set.Batch), w.set.Retry
		if left := w.length(); !all && left < w.set.Batch {
			if left > 0 {
				w.signal()
			}
			return
		}
	}
}

// insert keeps a batch, with the sheets that wait. Once single rows are tried after failures, sheets go alone, so that neither can hold up the other.
func (w *worker) insert(ctx context.Context, batch []outbound.Call) error {
	ctx, cancel := context.WithTimeout(ctx, insertTimeout)
	defer cancel()
	sheets := w.shelf.take()
	if w.size == 1 && w.pause > w.set.Retry && len(sheets) > 0 {
		if w.calls.Append(ctx, outbound.Batch{Sheets: sheets}) != nil {
			w.shelf.giveBack(sheets) // the rows may fare better; whether they do is what counts
		}
		sheets = nil
	}
	err := w.calls.Append(ctx, outbound.Batch{Calls: batch, Sheets: sheets})
	if err != nil {
		w.shelf.giveBack(sheets)
		return err
	}
	w.desk.clear(batch)
	return nil
}

// take gives up to n rows, the longest waiting first.
func (w *worker) take(n int) []outbound.Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	n = min(n, len(w.waiting))
	batch := slices.Clone(w.waiting[:n])
	if w.waiting = slices.Delete(w.waiting, 0, n); len(w.waiting) == 0 && cap(w.waiting) > 2*w.set.Batch {
		w.waiting = nil // what a backlog took is given back
	}
	return batch
}

// giveBack puts rows at the end of the queue; their places are still theirs.
func (w *worker) giveBack(batch []outbound.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = append(w.waiting, batch...)
}

// release frees the places of rows that are inserted.
func (w *worker) release(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reserved -= n
	w.meter.Queue(queueName, w.reserved, w.set.Capacity)
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
