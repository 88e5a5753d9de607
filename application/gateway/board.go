package gateway

import (
	"math"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forge1/forge1/application/decisions"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// How often the facts follow the latencies. Few samples move a p95 a lot, so each counts at once; of many, one in a hundred
// milliseconds is enough. Without samples a window still slides.
const (
	fewSamples     = 50
	refreshSamples = 100 * time.Millisecond
	refreshWindow  = 5 * time.Second
)

// relistEvery is how often prices are looked up again, which can change with the date.
const relistEvery = time.Minute

// sheetEvery is how often, at most, the facts are put down anew to be kept. What changes meanwhile goes with each decision.
const sheetEvery = time.Second

// board keeps the facts that decisions are made from: an immutable snapshot, swapped when a breaker, a rest or a p95 has changed. Reading
// it is a load; whoever finds it stale makes the next one. Beside it stands the sheet that is kept, which is swapped once a second at most.
type board struct {
	catalogue outbound.Catalogue
	circuits  outbound.Circuits
	latencies outbound.Latencies
	newID     outbound.NewID

	current atomic.Pointer[snapshot]
	stale   atomic.Bool
	reread  atomic.Bool  // every latency is due
	due     atomic.Int64 // when samples taken meanwhile are to show, in nanoseconds since 1970

	mu     sync.Mutex // over what follows, and the making of a snapshot
	rows   []boardRow
	index  map[routing.Target]*boardModel
	sheet  *sheet
	listed time.Time // when the catalogue was looked at last
}

// snapshot is the facts as they are. Their SnapshotID is that of the sheet.
type snapshot struct {
	facts routing.Facts
	sheet *sheet
	until time.Time // the window has slid by then, or the sheet may be swapped
}

// sheet is facts as they are kept, under their own id.
type sheet struct {
	paper
	facts routing.Facts
}

func newSheet(f routing.Facts) *sheet {
	return &sheet{facts: f, paper: paper{id: f.SnapshotID, at: f.At, body: func() []byte { return decisions.EncodeFacts(f) }}}
}

type boardRow struct {
	conn   *connection
	models []*boardModel // the default model first
}

type boardModel struct {
	facts routing.ModelFacts
	tasks map[routing.TaskType]*boardTask
}

type boardTask struct {
	read    time.Time // when the latency was read last
	samples int
	waiting bool // samples came in since
}

func newBoard(d *Deps, conns []*connection) *board {
	b := &board{
		catalogue: d.Catalogue, circuits: d.Circuits, latencies: d.Latencies, newID: d.NewID,
		index: map[routing.Target]*boardModel{},
	}
	b.due.Store(math.MaxInt64)
	b.stale.Store(true)
	for _, c := range conns {
		b.rows = append(b.rows, boardRow{conn: c})
		if c.DefaultModel != "" {
			b.add(len(b.rows)-1, c.DefaultModel)
		}
	}
	return b
}

// changed makes the next decision look at breakers and latencies anew. It does not block.
func (b *board) changed() { b.stale.Store(true) }

// measured makes the next decision look at every latency anew, which others have added to. It does not block.
func (b *board) measured() {
	b.reread.Store(true)
	b.stale.Store(true)
}

// observed makes decisions look at the target's latency again, at once while samples are few.
func (b *board) observed(task routing.TaskType, t routing.Target, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.index[t]
	if m == nil {
		return // read when it is asked for
	}
	bt := m.tasks[task]
	bt.waiting = true
	if at := bt.due(); at.After(now) {
		b.due.Store(min(b.due.Load(), at.UnixNano()))
	} else {
		b.stale.Store(true)
	}
}

func (t *boardTask) due() time.Time {
	switch {
	case !t.waiting:
		return t.read.Add(refreshWindow)
	case t.samples < fewSamples:
		return t.read
	default:
		return t.read.Add(refreshSamples)
	}
}

// facts gives the facts of now, and the sheet that is kept of them. They hold every provider with its default model, and the models named.
func (b *board) facts(now time.Time, named ...routing.Target) (routing.Facts, *sheet) {
	snap := b.snapshot(now)
	facts := snap.facts
	facts.At = now
	copied := false
	for _, t := range named {
		i := slices.IndexFunc(facts.Providers, func(p routing.ProviderFacts) bool { return p.Name == t.Provider })
		if i < 0 || hasModel(facts.Providers[i], t.Model) {
			continue
		}
		if !copied {
			facts.Providers, copied = slices.Clone(facts.Providers), true
		}
		p := &facts.Providers[i]
		p.Models = append(slices.Clip(p.Models), b.once(i, t, now))
	}
	return facts, snap.sheet
}

func hasModel(p routing.ProviderFacts, model string) bool {
	for i := range p.Models {
		if p.Models[i].Model == model {
			return true
		}
	}
	return false
}

func (b *board) snapshot(now time.Time) *snapshot {
	if s := b.current.Load(); s != nil && b.fresh(s, now) {
		return s
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.current.Load(); s != nil && b.fresh(s, now) {
		return s
	}
	s := b.make(now)
	b.current.Store(s)
	return s
}

func (b *board) fresh(s *snapshot, now time.Time) bool {
	return !b.stale.Load() && now.UnixNano() < b.due.Load() && now.Before(s.until)
}

// make reads what is due and puts a new snapshot together. A change that comes in meanwhile marks the board stale again.
func (b *board) make(now time.Time) *snapshot {
	b.stale.Store(false)
	b.due.Store(math.MaxInt64)
	all := b.reread.Swap(false)
	b.relist(now)
	s := &snapshot{facts: routing.Facts{At: now}, until: now.Add(refreshWindow)}
	s.facts.Providers = make([]routing.ProviderFacts, 0, len(b.rows))
	for _, row := range b.rows {
		p := routing.ProviderFacts{
			Name: row.conn.Name, Configured: len(row.conn.Credentials) > 0, DefaultModel: row.conn.DefaultModel,
			Price: assumed(&row.conn.Connection), Models: make([]routing.ModelFacts, 0, len(row.models)),
		}
		for _, m := range row.models {
			b.refresh(row.conn, m, now, all)
			p.Models = append(p.Models, m.facts)
		}
		s.facts.Providers = append(s.facts.Providers, p)
	}
	b.put(s, now)
	return s
}

// relist looks up again what the catalogue says of the models, now and then. What has changed goes on a sheet of its own.
func (b *board) relist(now time.Time) {
	if now.Before(b.listed.Add(relistEvery)) || b.sheet != nil && now.Before(b.sheet.facts.At.Add(sheetEvery)) {
		return
	}
	b.listed = now
	for _, row := range b.rows {
		for _, m := range row.models {
			entry, known := b.catalogue.Model(row.conn.Vendor, m.facts.Model)
			f := modelFacts(&row.conn.Connection, m.facts.Model, entry, known)
			f.State = m.facts.State
			if !reflect.DeepEqual(f, m.facts) {
				m.facts, b.sheet = f, nil
			}
		}
	}
}

// put gives a snapshot its sheet: the one there is, unless it says something else and is old enough to be swapped.
func (b *board) put(s *snapshot, now time.Time) {
	if b.sheet != nil && same(s.facts, b.sheet.facts) {
		s.sheet = b.sheet
		s.facts.SnapshotID = b.sheet.facts.SnapshotID
		return
	}
	if b.sheet == nil || !now.Before(b.sheet.facts.At.Add(sheetEvery)) {
		s.facts.SnapshotID = b.newID()
		b.sheet = newSheet(s.facts)
	} else if at := b.sheet.facts.At.Add(sheetEvery); at.Before(s.until) {
		s.until = at
	}
	s.sheet = b.sheet
	s.facts.SnapshotID = b.sheet.facts.SnapshotID
}

// same reports whether two snapshots of one board say the same: models come in the same order, and all but their state stands.
func same(a, b routing.Facts) bool {
	for i := range a.Providers {
		x, y := a.Providers[i].Models, b.Providers[i].Models
		if len(x) != len(y) {
			return false
		}
		for j := range x {
			if x[j].State != y[j].State {
				return false
			}
		}
	}
	return true
}

// once gives the facts of a model that the snapshot lacks.
func (b *board) once(row int, t routing.Target, now time.Time) routing.ModelFacts {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.index[t]
	if m == nil {
		m = b.add(row, t.Model)
	}
	if b.index[t] != nil {
		b.stale.Store(true) // from the next decision on it is in the snapshot
	}
	b.refresh(b.rows[row].conn, m, now, false)
	return m.facts
}

// peek gives the facts of a model but for its latencies, and keeps nothing.
func (b *board) peek(row int, t routing.Target, now time.Time) routing.ModelFacts {
	c := b.rows[row].conn
	entry, known := b.catalogue.Model(c.Vendor, t.Model)
	f := modelFacts(&c.Connection, t.Model, entry, known)
	f.State = stateOf(b.circuits, c, t, now)
	return f
}

// refresh reads what is due of a model, or all.
func (b *board) refresh(c *connection, m *boardModel, now time.Time, all bool) {
	t := routing.Target{Provider: c.Name, Model: m.facts.Model}
	state := stateOf(b.circuits, c, t, now)
	state.Figures = m.facts.Figures
	m.facts.State = state
	for task, bt := range m.tasks {
		if !all && bt.due().After(now) {
			if bt.waiting {
				b.due.Store(min(b.due.Load(), bt.due().UnixNano()))
			}
			continue
		}
		latency, tokens := b.latencies.P95(task, t)
		if latency.Samples < routing.MinSamples {
			tokens = 0 // a length is learned from as many answers as a latency
		}
		bt.read, bt.samples, bt.waiting = now, latency.Samples, false
		m.facts.Set(task, routing.Figures{P95Ms: latency.P95Ms, Samples: latency.Samples, OutputTokens: tokens})
	}
}

// add makes a model's facts, and puts it on the board if it is a default one or has its own entry in the catalogue. Of others nothing is
// kept: a pin can invent names without end, of some of which the catalogue knows at least a price.
func (b *board) add(row int, model string) *boardModel {
	c := b.rows[row].conn
	m := &boardModel{tasks: make(map[routing.TaskType]*boardTask)}
	for _, task := range routing.TaskTypes() {
		m.tasks[task] = &boardTask{}
	}
	entry, known := b.catalogue.Model(c.Vendor, model)
	m.facts = modelFacts(&c.Connection, model, entry, known)
	if model == c.DefaultModel || known && entry.Name == model && !entry.Unsure {
		b.rows[row].models = append(b.rows[row].models, m)
		b.index[routing.Target{Provider: c.Name, Model: model}] = m
	}
	return m
}

// modelFacts gives what does not change about a model. For routing a configured price wins, then the catalogue's, then the table's.
func modelFacts(c *outbound.Connection, model string, entry outbound.Model, known bool) routing.ModelFacts {
	f := routing.ModelFacts{Model: model, Price: assumed(c)}
	if known {
		f.Embeds = entry.Embedding
		f.Known, f.Vision, f.Tools, f.Schema, f.Context = !entry.Unsure, entry.Vision, entry.Tools, entry.Schema, entry.Context
	}
	if known && entry.Priced && c.CostCents == nil {
		f.Price = entry.Price
	}
	return f
}

// assumed is the price that routing goes by where the catalogue has none.
func assumed(c *outbound.Connection) routing.Price {
	if c.CostCents != nil {
		return routing.FlatCents(*c.CostCents)
	}
	return routing.FlatCents(c.TableCents)
}
