package record_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/application/record"
	"github.com/forge1/forge1/ports/outbound"
)

// store keeps batches, and fails as it is told.
type store struct {
	outbound.Calls
	mu      sync.Mutex
	batches [][]string
	rows    map[string]outbound.Call
	fail    func(ids []string) error
	hang    bool
	refuse  func(outbound.Batch) bool // whole batches
	sheets  []outbound.Sheet

	first, last time.Time // of the inserts that succeeded
}

func (s *store) Append(ctx context.Context, b outbound.Batch) error {
	rows := b.Calls
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	s.batches = append(s.batches, ids)
	if s.hang {
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return ctx.Err()
	}
	if s.fail != nil {
		if err := s.fail(ids); err != nil {
			return err
		}
	}
	if s.refuse != nil && s.refuse(b) {
		return errAway
	}
	s.sheets = append(s.sheets, b.Sheets...)
	if len(s.rows) == 0 {
		s.first = time.Now()
	}
	s.last = time.Now()
	for _, r := range rows {
		s.rows[r.ID] = r
	}
	return nil
}

func (s *store) kept() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rows)
}

// sheetsSeen gives the sheets that were stored, in their order.
func (s *store) sheetsSeen() []outbound.Sheet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sheets)
}

// seen gives the ids of every batch.
func (s *store) seen() [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.batches)
}

// between is the time from the first insert that succeeded to the last.
func (s *store) between() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last.Sub(s.first)
}

func (s *store) tries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.batches)
}

func (s *store) set(f func(*store)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// gauge remembers how full the queue was said to be.
type gauge struct {
	outbound.LoadMeter
	mu      sync.Mutex
	lengths []int
}

func (g *gauge) Queue(name string, length, capacity int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if name != "calls" || capacity <= 0 {
		panic(fmt.Sprintf("queue %s of %d", name, capacity))
	}
	g.lengths = append(g.lengths, length)
}

// house is a recorder that runs until it is stopped.
type house struct {
	*record.Recorder
	t     *testing.T
	store *store
	gauge *gauge
	stop  func() error
}

var errAway = errors.New("connection refused")

func in(t *testing.T, set record.Settings, test func(t *testing.T, h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, store: &store{rows: map[string]outbound.Call{}}, gauge: &gauge{}}
		h.Recorder = record.New(record.Deps{Calls: h.store, Meter: h.gauge, Clock: time.Now, Settings: set})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		h.stop = sync.OnceValue(func() error { cancel(); return <-ended })
		test(t, h)
		_ = h.stop() // in the bubble: a goroutine that stayed would fail the test
	})
}

func (h *house) add(ids ...int) {
	h.t.Helper()
	for _, id := range ids {
		if err := h.Reserve(); err != nil {
			h.t.Fatalf("row %d: %v", id, err)
		}
		h.Keep(outbound.Call{ID: fmt.Sprint(id)})
	}
}
