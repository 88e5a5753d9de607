package record

import (
	"container/list"
	"sync"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// Bounds of what is known of sheets.
const (
	mostSheets     = 1024
	mostSheetBytes = 16 << 20
	mostUnsent     = 1024             // sheets that wait for the store
	resend         = 30 * time.Minute // how often a sheet that is handed over again is sent again; far less than outbound.SheetMargin
)

// shelf holds the sheets that were handed over last, bounded in number and bytes, the one that was longest not asked about out first.
type shelf struct {
	mu     sync.Mutex
	byID   map[string]*list.Element // of *leaf
	order  *list.List               // the last used in front
	bytes  int
	unsent []outbound.Sheet // in the order in which they came
}

// leaf is a sheet, and when it was last sent.
type leaf struct {
	sheet outbound.Sheet
	sent  time.Time
}

func newShelf() *shelf { return &shelf{byID: map[string]*list.Element{}, order: list.New()} }

// put takes a sheet. It is sent to the store unless that was done a short time ago.
func (s *shelf) put(x outbound.Sheet, now time.Time) {
	x.CreatedAt = now // which is when it was last sent
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, there := s.byID[x.ID]; there {
		s.order.MoveToFront(e)
		l := e.Value.(*leaf)
		if age := now.Sub(l.sent); age >= 0 && age < resend {
			return
		}
		l.sheet.CreatedAt, l.sent = now, now
		s.queue(l.sheet)
		return
	}
	s.byID[x.ID] = s.order.PushFront(&leaf{x, now})
	s.bytes += len(x.Body)
	s.queue(x)
	for s.order.Len() > mostSheets || s.bytes > mostSheetBytes && s.order.Len() > 1 {
		s.forget(s.order.Back())
	}
}

func (s *shelf) forget(e *list.Element) {
	l := s.order.Remove(e).(*leaf)
	delete(s.byID, l.sheet.ID)
	s.bytes -= len(l.sheet.Body)
}

// queue makes a sheet wait for the store. When too many do, which takes a store that has long been away, the oldest is forgotten, to be sent when it is
// handed over again.
func (s *shelf) queue(x outbound.Sheet) {
	if len(s.unsent) >= mostUnsent {
		if e, there := s.byID[s.unsent[0].ID]; there {
			s.forget(e)
		}
		s.unsent = s.unsent[1:]
	}
	s.unsent = append(s.unsent, x)
}

// take gives what waits for the store.
func (s *shelf) take() []outbound.Sheet {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.unsent
	s.unsent = nil
	return out
}

// giveBack makes sheets wait again.
func (s *shelf) giveBack(sheets []outbound.Sheet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	later := s.unsent
	s.unsent = nil
	for _, x := range append(sheets, later...) {
		s.queue(x)
	}
}

// Sheet takes what decisions refer to; it is in the store with the next batch. It takes no place in the queue, and does not block.
func (r *Recorder) Sheet(s outbound.Sheet) { r.shelf.put(s, r.clock()) }

// RecentSheet gives a sheet that was handed over here, and may not be in the store yet.
func (r *Recorder) RecentSheet(id string) (outbound.Sheet, bool) {
	r.shelf.mu.Lock()
	defer r.shelf.mu.Unlock()
	e, there := r.shelf.byID[id]
	if !there {
		return outbound.Sheet{}, false
	}
	r.shelf.order.MoveToFront(e)
	return e.Value.(*leaf).sheet, true
}
