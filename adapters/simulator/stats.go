package simulator

import (
	"maps"
	"strconv"
	"sync"
)

// Stats is what a vendor has counted since it started or was reset. At any moment
// Requests = OK + Failed + Refused + Canceled + Cut + InFlight. A call is counted before its last byte is sent, so a client that has its
// answer finds it here.
type Stats struct {
	Requests int64            `json:"requests"`
	OK       int64            `json:"ok"`
	Failed   int64            `json:"failed"`   // deliberately: by fail_rate, or a named wire case of status 429 or 5xx
	Refused  int64            `json:"refused"`  // the caller's fault
	Canceled int64            `json:"canceled"` // the client left before the end
	Cut      int64            `json:"cut"`      // deliberately cut off
	InFlight int64            `json:"in_flight"`
	Streams  int64            `json:"streams"`   // calls for a stream that were not refused
	ByStatus map[string]int64 `json:"by_status"` // of the answers begun; "reset" for connections that were reset instead
	ByModel  map[string]int64 `json:"by_model"`  // calls that were not refused
}

// outcome is what became of a request.
type outcome uint8

const (
	pending outcome = iota
	ok
	failed
	refused
	canceled
	cut
)

// maxModels bounds the names in ByModel; what is beyond is counted as "other".
const maxModels = 1000

// counters count for one vendor. A reset puts new ones in place; calls under way finish in the old.
type counters struct {
	mu sync.Mutex
	s  Stats
}

func newCounters() *counters {
	return &counters{s: Stats{ByStatus: map[string]int64{}, ByModel: map[string]int64{}}}
}

// Stats gives a copy.
func (c *counters) stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.s
	s.ByStatus, s.ByModel = maps.Clone(s.ByStatus), maps.Clone(s.ByModel)
	return s
}

// entry is one request in the counters.
type entry struct {
	c       *counters
	outcome outcome
	begun   bool
}

func (c *counters) enter() *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.Requests++
	c.s.InFlight++
	return &entry{c: c}
}

// admitted counts a call that is not refused.
func (e *entry) admitted(model string, stream bool) {
	e.c.mu.Lock()
	defer e.c.mu.Unlock()
	if _, known := e.c.s.ByModel[model]; !known && len(e.c.s.ByModel) >= maxModels {
		model = "other"
	}
	e.c.s.ByModel[model]++
	if stream {
		e.c.s.Streams++
	}
}

// status counts the status that the answer begins with; 0 is a reset.
func (e *entry) status(status int) {
	e.c.mu.Lock()
	defer e.c.mu.Unlock()
	if e.begun {
		return
	}
	e.begun = true
	key := "reset"
	if status != 0 {
		key = strconv.Itoa(status)
	}
	e.c.s.ByStatus[key]++
}

// end settles what became of the request. A later word replaces an earlier one: an answer that could not be written after all was canceled.
func (e *entry) end(o outcome) {
	e.c.mu.Lock()
	defer e.c.mu.Unlock()
	if e.outcome == pending {
		e.c.s.InFlight--
	} else {
		*e.c.s.of(e.outcome)--
	}
	e.outcome = o
	*e.c.s.of(o)++
}

// close settles a request that nobody settled.
func (e *entry) close() {
	if e.outcome == pending {
		e.end(canceled)
	}
}

func (s *Stats) of(o outcome) *int64 {
	switch o {
	case ok:
		return &s.OK
	case failed:
		return &s.Failed
	case refused:
		return &s.Refused
	case cut:
		return &s.Cut
	default:
		return &s.Canceled
	}
}
