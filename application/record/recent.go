package record

import (
	"sync"

	"github.com/forge1/forge1/ports/outbound"
)

// desk holds the decisions that the store does not have yet: of calls under way, and of rows that wait. It never holds many more than there are places,
// since every decision that is announced is one of a call that has a place.
type desk struct {
	mu      sync.Mutex
	most    int
	byID    map[string]outbound.Decision
	arrived []string // ids, oldest first; some are there no more
}

func newDesk(most int) *desk { return &desk{most: most, byID: map[string]outbound.Decision{}} }

// put adds a decision, or replaces the one of its id.
func (d *desk) put(x outbound.Decision) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, there := d.byID[x.ID]; !there {
		d.arrived = append(d.arrived, x.ID)
	}
	d.byID[x.ID] = x
	for len(d.byID) > d.most {
		delete(d.byID, d.arrived[0])
		d.arrived = d.arrived[1:]
	}
	if len(d.arrived) > 2*d.most {
		d.compact()
	}
}

// compact forgets the ids of decisions that are there no more.
func (d *desk) compact() {
	left := make([]string, 0, len(d.byID))
	for _, id := range d.arrived {
		if _, there := d.byID[id]; there {
			left = append(left, id)
		}
	}
	d.arrived = left
}

// clear takes away the decisions of rows that the store has.
func (d *desk) clear(rows []outbound.Call) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range rows {
		if x := rows[i].Decision; x != nil {
			delete(d.byID, x.ID)
		}
	}
	if len(d.byID) == 0 {
		d.arrived = nil
	}
}

// Decided announces a decision as it is made, so that Recent has it at once. Keep brings it again, with what became of the call. It does not block.
func (r *Recorder) Decided(d outbound.Decision) { r.desk.put(d) }

// Recent gives a tenant's decision that the store may not have yet.
func (r *Recorder) Recent(tenantID, id string) (outbound.Decision, bool) {
	r.desk.mu.Lock()
	defer r.desk.mu.Unlock()
	d, ok := r.desk.byID[id]
	if !ok || d.TenantID != tenantID {
		return outbound.Decision{}, false
	}
	return d, true
}

// RecentOf gives all decisions of a tenant that the store may not have yet, in no order.
func (r *Recorder) RecentOf(tenantID string) []outbound.Decision {
	r.desk.mu.Lock()
	defer r.desk.mu.Unlock()
	var out []outbound.Decision
	for _, d := range r.desk.byID {
		if d.TenantID == tenantID {
			out = append(out, d)
		}
	}
	return out
}
