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

	"go.uber.org/goleak"

	"github.com/forge1/forge1/application/record"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func upTo(n int) []int {
	var all []int
	for i := range n {
		all = append(all, i)
	}
	return all
}

func TestRowsWaitForCompanyButNotLong(t *testing.T) {
	in(t, record.Settings{}, func(t *testing.T, h *house) {
		h.add(1, 2, 3)
		time.Sleep(199 * time.Millisecond)
		if got := h.store.tries(); got != 0 {
			t.Errorf("%d inserts after 199 ms, want none yet", got)
		}
		time.Sleep(2 * time.Millisecond)
		if got := h.store.seen(); len(got) != 1 || !slices.Equal(got[0], []string{"1", "2", "3"}) {
			t.Errorf("inserts %v, want one of three rows", got)
		}
	})
}

func TestAFullBatchDoesNotWait(t *testing.T) {
	in(t, record.Settings{}, func(t *testing.T, h *house) {
		h.add(1000)
		synctest.Wait() // it waits for company now
		h.add(upTo(299)...)
		synctest.Wait()
		if got := h.store.kept(); got != 256 {
			t.Errorf("%d rows kept at once, want a batch of 256", got)
		}
		time.Sleep(201 * time.Millisecond)
		if got := h.store.kept(); got != 300 || h.store.tries() != 2 {
			t.Errorf("%d rows in %d inserts, want 300 in 2", got, h.store.tries())
		}
	})
}

func TestASmallQueueIsEmptiedBeforeItIsFull(t *testing.T) {
	in(t, record.Settings{Capacity: 10}, func(t *testing.T, h *house) {
		h.add(1000)
		synctest.Wait() // it waits for company now
		h.add(1, 2, 3, 4)
		synctest.Wait()
		if got := h.store.kept(); got != 5 {
			t.Errorf("%d rows kept at once, want half of what there is room for", got)
		}
	})
}

func TestBatchesAreBounded(t *testing.T) {
	in(t, record.Settings{Batch: 10}, func(t *testing.T, h *house) {
		h.add(upTo(95)...)
		time.Sleep(time.Second)
		for _, b := range h.store.seen() {
			if len(b) > 10 {
				t.Errorf("a batch of %d rows, want at most 10", len(b))
			}
		}
		if got := h.store.kept(); got != 95 {
			t.Errorf("%d rows kept, want 95", got)
		}
	})
}

func TestWithoutRoomCallsAreRefused(t *testing.T) {
	in(t, record.Settings{Capacity: 3}, func(t *testing.T, h *house) {
		h.add(1, 2)
		if err := h.Reserve(); err != nil {
			t.Fatal(err)
		}
		err := h.Reserve()
		if !errors.Is(err, fault.ErrBusy) || fault.KindOf(err) != fault.Unavailable {
			t.Errorf("error %v, want busy", err)
		}
		time.Sleep(time.Second)
		if err := errors.Join(h.Reserve(), h.Reserve()); err != nil {
			t.Errorf("after the insert there is no room: %v", err)
		}
		if err := h.Reserve(); !errors.Is(err, fault.ErrBusy) {
			t.Errorf("error %v, want busy: three calls are under way", err)
		}
		for id := range 3 {
			h.Keep(outbound.Call{ID: fmt.Sprint("late ", id)})
		}
		if err := h.stop(); err != nil || h.store.kept() != 5 {
			t.Errorf("%d rows kept, error %v; want 5", h.store.kept(), err)
		}
		if last := h.gauge.lengths[len(h.gauge.lengths)-1]; last != 0 || slices.Max(h.gauge.lengths) != 3 {
			t.Errorf("the meter was told %v, want at most 3 and 0 at the end", h.gauge.lengths)
		}
	})
}

func TestInsertsAreTriedUntilTheySucceed(t *testing.T) {
	in(t, record.Settings{Capacity: 50}, func(t *testing.T, h *house) {
		h.store.set(func(s *store) { s.fail = func([]string) error { return errAway } })
		h.add(upTo(50)...)
		time.Sleep(time.Minute)
		if tries := h.store.tries(); tries < 10 || tries > 30 {
			t.Errorf("%d inserts in a minute, want some, ever more rarely", tries)
		}
		if err := h.Reserve(); !errors.Is(err, fault.ErrBusy) {
			t.Errorf("error %v, want busy while nothing can be kept", err)
		}
		h.store.set(func(s *store) { s.fail = nil })
		time.Sleep(5 * time.Second)
		if got := h.store.kept(); got != 50 {
			t.Errorf("%d rows kept once the store is back, want all 50", got)
		}
		if took := h.store.between(); took > 0 {
			t.Errorf("the last row was kept %v after the first, want no more waiting for company", took)
		}
	})
}

func TestARowThatCannotBeKeptHoldsUpNoOther(t *testing.T) {
	in(t, record.Settings{}, func(t *testing.T, h *house) {
		h.store.set(func(s *store) {
			s.fail = func(ids []string) error {
				if slices.Contains(ids, "13") {
					return errAway
				}
				return nil
			}
		})
		h.add(upTo(40)...)
		time.Sleep(time.Minute)
		if got := h.store.kept(); got != 39 {
			t.Errorf("%d rows kept, want all but one", got)
		}
		h.add(100, 101)
		time.Sleep(20 * time.Second)
		if got := h.store.kept(); got != 41 {
			t.Errorf("%d rows kept, want those that came later too", got)
		}
		if err := h.stop(); err == nil {
			t.Error("the row that was lost is not told of")
		}
	})
}

func TestAStoreThatHangsIsAStoreThatFails(t *testing.T) {
	in(t, record.Settings{}, func(t *testing.T, h *house) {
		h.store.set(func(s *store) { s.hang = true })
		h.add(1)
		time.Sleep(time.Second)
		h.store.set(func(s *store) { s.hang = false })
		time.Sleep(31 * time.Second)
		if got := h.store.kept(); got != 1 {
			t.Errorf("%d rows kept after the insert that hung, want 1", got)
		}
	})
}

func TestTheEnd(t *testing.T) {
	tests := map[string]struct {
		before  func(h *house)
		kept    int
		took    time.Duration
		failing bool
	}{
		"nothing to do":   {func(*house) {}, 0, 0, false},
		"rows wait":       {func(h *house) { h.add(upTo(600)...) }, 600, 0, false},
		"an insert hangs": {func(h *house) { h.add(1); h.store.set(func(s *store) { s.hang = true }); time.Sleep(time.Second) }, 0, 10 * time.Second, true},
		"the store is away": {func(h *house) {
			h.add(1)
			h.store.set(func(s *store) { s.fail = func([]string) error { return errAway } })
		}, 0, 10 * time.Second, true},
		"a call is still under way": {func(h *house) {
			h.add(1)
			if err := h.Reserve(); err != nil {
				h.t.Fatal(err)
			}
			time.AfterFunc(3*time.Second, func() { h.Keep(outbound.Call{ID: "late"}) })
		}, 2, 3 * time.Second, false},
		"a call never ends": {func(h *house) {
			if err := h.Reserve(); err != nil {
				h.t.Fatal(err)
			}
		}, 0, 10 * time.Second, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, record.Settings{}, func(t *testing.T, h *house) {
				tt.before(h)
				began := time.Now()
				err := h.stop()
				if took := time.Since(began); took != tt.took {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
				if (err != nil) != tt.failing || h.store.kept() != tt.kept {
					t.Errorf("%d rows kept, error %v; want %d and failing %t", h.store.kept(), err, tt.kept, tt.failing)
				}
			})
		})
	}
}

func TestWhatADatabaseRefusesIsTakenOut(t *testing.T) {
	in(t, record.Settings{}, func(t *testing.T, h *house) {
		tags := []string{"good", "a\x00b"}
		if err := h.Reserve(); err != nil {
			t.Fatal(err)
		}
		h.Keep(outbound.Call{ID: "1", EndUser: "\xffx\x00", ServedModel: "m\x00", RequestedModel: "ok é", Tags: tags})
		if err := h.stop(); err != nil {
			t.Fatal(err)
		}
		got := h.store.rows["1"]
		if got.EndUser != "\uFFFDx" || got.ServedModel != "m" || got.RequestedModel != "ok é" || !slices.Equal(got.Tags, []string{"good", "ab"}) {
			t.Errorf("row %+v, want it clean", got)
		}
		if tags[1] != "a\x00b" {
			t.Error("the caller's tags were changed")
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	in(t, record.Settings{Capacity: 100}, func(t *testing.T, h *house) {
		var all sync.WaitGroup
		var mu sync.Mutex
		promised := 0
		for i := range 20 {
			all.Go(func() {
				for j := range 200 {
					if h.Reserve() != nil {
						time.Sleep(time.Millisecond)
						continue
					}
					mu.Lock()
					promised++
					mu.Unlock()
					h.Keep(outbound.Call{ID: fmt.Sprint(i, "-", j)})
				}
			})
		}
		all.Wait()
		if err := h.stop(); err != nil {
			t.Fatal(err)
		}
		if got := h.store.kept(); got != promised || promised == 0 {
			t.Errorf("%d rows kept, want the %d whose place was reserved", got, promised)
		}
	})
}

func BenchmarkKeep(b *testing.B) {
	s := &store{rows: map[string]outbound.Call{}}
	r := record.New(record.Deps{Calls: s, Meter: &gauge{}, Clock: time.Now, Settings: record.Settings{Capacity: 1 << 30}})
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Reserve()
		r.Keep(outbound.Call{ID: "one", Tags: []string{"a"}})
	}
	cancel()
	<-ended
}
