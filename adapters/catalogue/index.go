package catalogue

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// index is a table ready to be asked, with the prices of one time.
type index struct {
	exact    map[name]*outbound.Model
	patterns map[string][]pattern // by vendor, those that say most first
	vendors  []string             // in the order of precedence
	lists    map[string][]outbound.Model
	until    time.Time // when the next price comes into force; zero: none will
}

type name struct{ vendor, model string }

type pattern struct {
	text  string
	model *outbound.Model
}

// ownVendors come before those that sell other vendors' models, where both know a name.
var ownVendors = []string{"openai", "anthropic", "gemini"}

// build makes the index of a table at a time. It fails when the table is wrong.
func build(entries []Entry, now time.Time) (*index, error) {
	x := &index{exact: make(map[name]*outbound.Model, 2*len(entries)), patterns: map[string][]pattern{}, lists: map[string][]outbound.Model{}}
	for i := range entries {
		if err := x.add(&entries[i], now); err != nil {
			return nil, fmt.Errorf("read the model catalogue: %s/%s: %w", entries[i].Vendor, entries[i].Name, err)
		}
	}
	for vendor, list := range x.lists {
		slices.SortFunc(list, func(a, b outbound.Model) int { return strings.Compare(a.Name, b.Name) })
		x.vendors = append(x.vendors, vendor)
		slices.SortFunc(x.patterns[vendor], func(a, b pattern) int {
			return cmp.Or(cmp.Compare(specific(b.text), specific(a.text)), cmp.Compare(a.text, b.text), cmp.Compare(a.model.Name, b.model.Name))
		})
	}
	slices.SortFunc(x.vendors, func(a, b string) int { return cmp.Or(precedence(a)-precedence(b), cmp.Compare(a, b)) })
	return x, nil
}

func precedence(vendor string) int {
	if i := slices.Index(ownVendors, vendor); i >= 0 {
		return i
	}
	return len(ownVendors)
}

func (x *index) add(e *Entry, now time.Time) error {
	if err := e.check(); err != nil {
		return err
	}
	m := &outbound.Model{
		Vendor: e.Vendor, Name: e.Name, Vision: slices.Contains(e.Features, "vision"), Tools: slices.Contains(e.Features, "tools"),
		Schema: slices.Contains(e.Features, "json_schema"), Embedding: slices.Contains(e.Features, "embedding"), Unsure: e.Features == nil,
	}
	if e.Context != nil {
		m.Context = *e.Context
	}
	if e.MaxOutput != nil {
		m.Output = *e.MaxOutput
	}
	if err := x.price(m, e, now); err != nil {
		return err
	}
	for _, n := range append([]string{e.Name}, e.Also...) {
		key := name{e.Vendor, n}
		if _, twice := x.exact[key]; twice || n == "" {
			return fmt.Errorf("name, also: %.40q stands twice, or is none", n)
		}
		x.exact[key] = m
	}
	for _, p := range e.Match {
		x.patterns[e.Vendor] = append(x.patterns[e.Vendor], pattern{p, m})
	}
	x.lists[e.Vendor] = append(x.lists[e.Vendor], *m)
	return nil
}

// price gives the model the price that is in force, and checks those that are not.
func (x *index) price(m *outbound.Model, e *Entry, now time.Time) error {
	first, priced, err := price(e.Rates, e.Tiers)
	if err != nil {
		return err
	}
	m.Price, m.Priced = first, priced
	for _, d := range e.Then {
		p, priced, err := price(d.Rates, d.Tiers)
		if err == nil && !priced {
			err = errors.New("it has none")
		}
		if err != nil {
			return fmt.Errorf("then: the price from %s on: %w", d.From, err)
		}
		from, _ := time.Parse(time.DateOnly, d.From) // checked
		switch {
		case !now.Before(from):
			m.Price, m.Priced = p, true
		case x.until.IsZero() || from.Before(x.until):
			x.until = from
		}
	}
	if e.Unpriced {
		m.Price, m.Priced = routing.Price{}, false
	}
	return nil
}

// model finds a vendor's model: by a name of it, else by the pattern that says most of it, else by its name without the date. What no list names or
// describes has the abilities of the model that it is a snapshot of, but no price. OpenRouter's names that end in :free cost nothing.
func (x *index) model(vendor, model string) (outbound.Model, bool) {
	m, ok := x.named(vendor, model)
	if ok {
		return m, true
	}
	if full, free := strings.CutSuffix(model, ":free"); free && vendor == "openrouter" && strings.Trim(full, "/") == full && strings.Contains(full, "/") &&
		ordinaryName(model) {
		base, known := x.named(vendor, full)
		if !known {
			base = outbound.Model{Vendor: vendor, Name: full, Unsure: true}
		}
		base.Price, base.Priced = routing.Price{}, true
		return base, true
	}
	if base, dated := undated(model); dated {
		if m := x.exact[name{vendor, base}]; m != nil {
			snapshot := *m
			snapshot.Price, snapshot.Priced = routing.Price{}, false
			return snapshot, true
		}
	}
	return outbound.Model{}, false
}

func (x *index) named(vendor, model string) (outbound.Model, bool) {
	if m := x.exact[name{vendor, model}]; m != nil {
		return *m, true
	}
	patterns := x.patterns[vendor]
	if len(patterns) == 0 || !ordinaryName(model) {
		return outbound.Model{}, false
	}
	for _, p := range patterns {
		if matches(p.text, model) {
			return *p.model, true
		}
	}
	return outbound.Model{}, false
}
