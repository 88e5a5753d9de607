package record

import (
	"fmt"
	"testing"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

func TestADeskForgetsTheNamesOfWhatIsStored(t *testing.T) {
	d := newDesk(10)
	d.put(outbound.Decision{ID: "long"})
	for i := range 10_000 {
		x := outbound.Decision{ID: fmt.Sprint(i)}
		d.put(x)
		d.clear([]outbound.Call{{Decision: &x}, {}})
	}
	if len(d.arrived) > 21 || len(d.byID) != 1 {
		t.Errorf("%d names of %d decisions are held, want at most 21", len(d.arrived), len(d.byID))
	}
	d.clear([]outbound.Call{{Decision: &outbound.Decision{ID: "long"}}})
	if d.arrived != nil {
		t.Errorf("%d names are held of nothing", len(d.arrived))
	}
}

func TestAClockThatWasSetBackSendsASheetAgain(t *testing.T) {
	s, now := newShelf(), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	s.put(outbound.Sheet{ID: "a"}, now)
	s.put(outbound.Sheet{ID: "a"}, now.Add(-time.Hour))
	if got := s.take(); len(got) != 2 {
		t.Errorf("%d sheets wait, want both", len(got))
	}
}

func TestASheetThatCouldNotWaitIsSentWhenItIsHandedOverAgain(t *testing.T) {
	s, now := newShelf(), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range mostUnsent + 1 {
		s.put(outbound.Sheet{ID: fmt.Sprint(i)}, now)
		if i < mostUnsent {
			s.put(outbound.Sheet{ID: "0"}, now) // is in use all the time
		}
	}
	s.put(outbound.Sheet{ID: "0"}, now.Add(time.Second))
	s.put(outbound.Sheet{ID: fmt.Sprint(mostUnsent)}, now.Add(time.Second))
	got := s.take()
	if n := len(got); n != mostUnsent || got[n-1].ID != "0" || got[n-2].ID != fmt.Sprint(mostUnsent) {
		t.Errorf("%d sheets wait, the last %s; want %d and sheet 0", n, got[n-1].ID, mostUnsent)
	}
}
