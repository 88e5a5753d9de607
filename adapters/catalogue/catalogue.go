// Package catalogue is the table of models: names, abilities, context windows and prices of each vendor. The bundled one is models.json, in a format
// of its own (see Entry). Its figures are those of two public lists, genai-prices (MIT, Pydantic Services Inc.) and, where that has no entry,
// LiteLLM's (MIT, Berri AI), as of August 2026; NOTICE names both. Generate makes it from them. An operator lays entries over it with Reload, as a
// whole or field by field.
package catalogue

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

var _ outbound.Catalogue = (*Catalogue)(nil)

//go:embed models.json
var bundled []byte

// Catalogue implements outbound.Catalogue. Prices are those in force at the time of the clock.
type Catalogue struct {
	clock      outbound.Clock
	bundled    []Entry
	now        atomic.Pointer[index]
	generation atomic.Uint64

	mu      sync.Mutex // one change at a time
	entries []Entry
	changed []func()
}

// New reads the bundled table. It fails when the table is wrong.
func New(clock outbound.Clock) (*Catalogue, error) {
	entries, err := Parse(bundled)
	if err != nil {
		return nil, err
	}
	c := &Catalogue{clock: clock, bundled: entries}
	return c, c.Reload(nil)
}

// Bundled is the bundled table, as it stands in models.json.
func Bundled() []byte { return bytes.Clone(bundled) }

// Check counts the entries of a table that is to be laid over the bundled one. It fails when something is wrong with it.
func Check(table []byte) (int, error) {
	entries, err := Parse(table)
	if err != nil {
		return 0, err
	}
	c, err := New(func() time.Time { return time.Time{} })
	if err != nil {
		return 0, err
	}
	return len(entries), c.Reload(entries)
}

// Reload lays entries over the bundled table, later ones over earlier ones, in the place of what was laid over it before. When they are wrong it
// fails, naming the model and the field, and nothing changes.
func (c *Catalogue) Reload(overrides []Entry) error {
	c.mu.Lock()
	entries := overlay(c.bundled, overrides)
	x, err := build(entries, c.clock())
	if err != nil {
		c.mu.Unlock()
		return err
	}
	c.entries = entries
	changed := c.swap(x)
	c.mu.Unlock()
	tell(changed)
	return nil
}

// OnChange has f called after every change: by Reload before it returns, and in a goroutine of its own when prices come into force by their date.
func (c *Catalogue) OnChange(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed = append(c.changed, f)
}

// Generation grows with every change.
func (c *Catalogue) Generation() uint64 {
	c.index()
	return c.generation.Load()
}

// swap takes an index into use and gives those who are to hear of it. The lock is held.
func (c *Catalogue) swap(x *index) []func() {
	c.now.Store(x)
	c.generation.Add(1)
	return slices.Clone(c.changed)
}

func tell(changed []func()) {
	for _, f := range changed {
		f()
	}
}

// index gives the index of now.
func (c *Catalogue) index() *index {
	x := c.now.Load()
	if x.until.IsZero() || c.clock().Before(x.until) {
		return x
	}
	if !c.mu.TryLock() {
		return x // somebody is at it
	}
	defer c.mu.Unlock()
	now := c.clock()
	if x = c.now.Load(); x.until.IsZero() || now.Before(x.until) {
		return x
	}
	next, err := build(c.entries, now)
	if err != nil {
		return x // no time makes a table wrong
	}
	go tell(c.swap(next)) // whoever asks may hold what the hearers wait for
	return next
}

// overlay gives the entries below with those above laid over them. A name that is given to one above is taken from whoever had it below.
func overlay(below, above []Entry) []Entry {
	taken := map[name]string{}
	for _, e := range above {
		for _, n := range append([]string{e.Name}, e.Also...) {
			taken[name{e.Vendor, n}] = e.Name
		}
	}
	out := make([]Entry, 0, len(below)+len(above))
	at := make(map[name]int, cap(out))
	for _, e := range below {
		lost := func(n string) bool {
			by, is := taken[name{e.Vendor, n}]
			return is && by != e.Name
		}
		if lost(e.Name) {
			continue
		}
		if slices.ContainsFunc(e.Also, lost) {
			e.Also = slices.DeleteFunc(slices.Clone(e.Also), lost)
		}
		at[name{e.Vendor, e.Name}] = len(out)
		out = append(out, e)
	}
	for _, e := range above {
		key := name{e.Vendor, e.Name}
		if i, known := at[key]; known {
			out[i] = e.over(out[i])
			continue
		}
		at[key] = len(out)
		out = append(out, e)
	}
	return out
}

// Model implements outbound.Catalogue.
func (c *Catalogue) Model(vendor, model string) (outbound.Model, bool) {
	return c.index().model(vendor, model)
}

// Vendors implements outbound.Catalogue.
func (c *Catalogue) Vendors(model string) []string {
	x := c.index()
	var out []string
	for _, v := range x.vendors {
		if _, ok := x.model(v, model); ok {
			out = append(out, v)
		}
	}
	return out
}

// Models implements outbound.Catalogue.
func (c *Catalogue) Models(vendor string) []outbound.Model {
	return slices.Clone(c.index().lists[vendor])
}

// Entries reads entries of plain values, such as a configuration file holds.
func Entries[T any](values []T) ([]Entry, error) {
	table, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("read the model catalogue: %w", err)
	}
	return Parse(table)
}
