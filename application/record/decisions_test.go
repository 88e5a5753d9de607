package record_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/application/record"
	"github.com/forge1/forge1/ports/outbound"
)

func decision(id, tenantID, outcome string) outbound.Decision {
	return outbound.Decision{ID: id, TenantID: tenantID, Outcome: outcome}
}

func TestADecisionCanBeReadFromTheTimeItIsMadeUntilItIsStored(t *testing.T) {
	in(t, record.Settings{}, func(t *testing.T, h *house) {
		if err := h.Reserve(); err != nil {
			t.Fatal(err)
		}
		h.Decided(decision("d", "t", ""))
		if got, ok := h.Recent("t", "d"); !ok || got.Outcome != "" {
			t.Errorf("while the call is under way: %+v, %t", got, ok)
		}
		if _, ok := h.Recent("other", "d"); ok {
			t.Error("another tenant sees it")
		}
		if all := h.RecentOf("t"); len(all) != 1 || len(h.RecentOf("other")) != 0 {
			t.Errorf("the tenant's are %+v", all)
		}
		ended := decision("d", "t", "ok")
		h.store.set(func(s *store) { s.fail = func([]string) error { return errAway } })
		h.Keep(outbound.Call{ID: "1", Decision: &ended})
		time.Sleep(time.Minute)
		if got, ok := h.Recent("t", "d"); !ok || got.Outcome != "ok" {
			t.Errorf("while the store is away: %+v, %t", got, ok)
		}
		h.store.set(func(s *store) { s.fail = nil })
		time.Sleep(10 * time.Second)
		if _, ok := h.Recent("t", "d"); ok || h.store.kept() != 1 {
			t.Error("it is held although the store has it")
		}
	})
}

func TestDecisionsAreBoundedWhateverIsAnnounced(t *testing.T) {
	in(t, record.Settings{Capacity: 10}, func(t *testing.T, h *house) {
		for i := range 1000 {
			h.Decided(decision(fmt.Sprint(i), "t", ""))
		}
		if n := len(h.RecentOf("t")); n != 20 {
			t.Errorf("%d decisions are held, want twice as many as there are places", n)
		}
		if _, ok := h.Recent("t", "999"); !ok {
			t.Error("the last is not among them")
		}
	})
}

func TestDecisionsThatComeAndGoLeaveRoom(t *testing.T) {
	in(t, record.Settings{Capacity: 10}, func(t *testing.T, h *house) {
		h.Decided(decision("long", "t", "")) // its call outlasts all others
		for i := range 200 {
			d := decision(fmt.Sprint(i), "t", "")
			if err := h.Reserve(); err != nil {
				t.Fatal(err)
			}
			h.Decided(d)
			h.Keep(outbound.Call{ID: d.ID, Decision: &d})
			time.Sleep(time.Second)
		}
		if _, ok := h.Recent("t", "long"); !ok || len(h.RecentOf("t")) != 1 {
			t.Errorf("%+v are held, want the one of the long call", h.RecentOf("t"))
		}
	})
}

func sheet(id string, bytes int) outbound.Sheet {
	return outbound.Sheet{ID: id, Body: []byte(strings.Repeat("x", bytes))}
}

func TestASheetGoesWithABatchOnceAndAgainBeforeItIsForgotten(t *testing.T) {
	in(t, record.Settings{}, func(t *testing.T, h *house) {
		began := time.Now()
		for i := range 300 { // calls of five hours
			if i < 2 || i > 200 {
				h.Sheet(sheet("a", 3))
			}
			h.add(i)
			time.Sleep(time.Minute)
		}
		var after []time.Duration
		for _, s := range h.store.sheetsSeen() {
			after = append(after, s.CreatedAt.Sub(began))
		}
		if want := []time.Duration{0, 201 * time.Minute, 231 * time.Minute, 261 * time.Minute, 291 * time.Minute}; !slices.Equal(after, want) {
			t.Errorf("the sheet was sent after %v, want %v", after, want)
		}
		if got, ok := h.RecentSheet("a"); !ok || string(got.Body) != "xxx" {
			t.Errorf("the sheet here is %+v, %t", got, ok)
		}
		if _, ok := h.RecentSheet("b"); ok {
			t.Error("a sheet that never was is there")
		}
	})
}

func TestASheetTakesNoPlace(t *testing.T) {
	in(t, record.Settings{Capacity: 1}, func(t *testing.T, h *house) {
		for i := range 100 {
			h.Sheet(sheet(fmt.Sprint(i), 1))
		}
		h.add(1)
		time.Sleep(time.Second)
		if got := len(h.store.sheetsSeen()); got != 100 || h.store.tries() != 1 {
			t.Errorf("%d sheets in %d inserts, want all in the one of the row", got, h.store.tries())
		}
	})
}

func TestSheetsWaitForAStoreThatIsAway(t *testing.T) {
	in(t, record.Settings{}, func(t *testing.T, h *house) {
		h.store.set(func(s *store) { s.fail = func([]string) error { return errAway } })
		h.Sheet(sheet("a", 1))
		h.add(1)
		time.Sleep(10 * time.Second)
		h.Sheet(sheet("b", 1))
		time.Sleep(10 * time.Second)
		h.store.set(func(s *store) { s.fail, s.sheets = nil, nil })
		if err := h.stop(); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range h.store.sheetsSeen() {
			got = append(got, s.ID)
		}
		if !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("sheets %v are stored, want both", got)
		}
	})
}

func TestSheetsAndRowsDoNotHoldEachOtherUp(t *testing.T) {
	in(t, record.Settings{}, func(t *testing.T, h *house) {
		h.store.set(func(s *store) {
			s.refuse = func(b outbound.Batch) bool { return len(b.Sheets) > 0 }
		})
		h.Sheet(sheet("a", 1))
		h.add(upTo(40)...)
		time.Sleep(time.Minute)
		if got := h.store.kept(); got != 40 {
			t.Errorf("%d rows are kept while sheets are refused, want all", got)
		}
		h.store.set(func(s *store) { s.refuse = nil })
		h.add(100)
		time.Sleep(time.Minute)
		if got := h.store.sheetsSeen(); len(got) == 0 || got[len(got)-1].ID != "a" {
			t.Errorf("sheets %v are stored, want the one that was refused", got)
		}
	})
}

func TestSheetsAreBounded(t *testing.T) {
	in(t, record.Settings{}, func(t *testing.T, h *house) {
		for i := range 40 {
			h.Sheet(sheet(fmt.Sprint("big", i), 1<<20))
		}
		for i, want := range map[int]bool{0: false, 20: false, 30: true, 39: true} {
			if _, ok := h.RecentSheet(fmt.Sprint("big", i)); ok != want {
				t.Errorf("sheet %d of 40 of a mebibyte is held: %t, want %t", i, ok, want)
			}
		}
		h.add(0)
		time.Sleep(time.Second)
		h.store.set(func(s *store) { s.sheets = nil })
		for i := range 3000 {
			h.RecentSheet("big39") // is used all the time
			h.Sheet(sheet(fmt.Sprint(i), 1))
		}
		for id, want := range map[string]bool{"big39": true, "0": false, "2999": true} {
			if _, ok := h.RecentSheet(id); ok != want {
				t.Errorf("sheet %s of 3,000 is held: %t, want %t", id, ok, want)
			}
		}
		h.add(1)
		time.Sleep(time.Second)
		if n := len(h.store.sheetsSeen()); n != 1024 {
			t.Errorf("%d sheets that waited are stored, want the last 1,024", n)
		}
	})
}
