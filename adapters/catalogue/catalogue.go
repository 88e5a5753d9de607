// Package catalogue is the bundled table of models. The figures in models.json are dollars per million tokens as of 2026-11-23, each found alike in
// at least two public price lists; of models with steps for long prompts it is the first step. Operators correct routing costs by
// configuration.
package catalogue

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/forge1/forge1/ports/outbound"
)

var _ outbound.Catalogue = (*Catalogue)(nil)

//go:embed models.json
var bundled []byte

// ownVendors come before those that sell other vendors' models, where both know a name.
var ownVendors = []string{"openai", "anthropic", "gemini"}

// entry is a line of models.json. Prices are decimal texts, so that none is rounded.
type entry struct {
	Vendor     string   `json:"vendor"`
	Name       string   `json:"name"`
	Input      string   `json:"input"`
	Output     string   `json:"output"`
	CacheRead  string   `json:"cache_read"`  // "": as input
	CacheWrite string   `json:"cache_write"` // "": as input
	Context    int      `json:"context"`
	MaxOutput  int      `json:"max_output"`
	Features   []string `json:"features"`
}

// Catalogue implements outbound.Catalogue. It does not change once it is made.
type Catalogue struct {
	models  map[name]outbound.Model
	vendors map[string][]string         // by bare name
	lists   map[string][]outbound.Model // by vendor, sorted
}

type name struct{ vendor, model string }

// New reads the bundled table. It fails when the table is wrong.
func New() (*Catalogue, error) { return parse(bundled) }

func parse(table []byte) (*Catalogue, error) {
	var entries []entry
	if err := json.Unmarshal(table, &entries); err != nil {
		return nil, fmt.Errorf("read the model catalogue: %w", err)
	}
	c := &Catalogue{
		models: make(map[name]outbound.Model, len(entries)), vendors: map[string][]string{}, lists: map[string][]outbound.Model{},
	}
	for _, e := range entries {
		m, err := e.model()
		if err != nil {
			return nil, fmt.Errorf("read the model catalogue: %s/%s: %w", e.Vendor, e.Name, err)
		}
		key := name{m.Vendor, m.Name}
		if _, twice := c.models[key]; twice || m.Vendor == "" || m.Name == "" {
			return nil, fmt.Errorf("read the model catalogue: %s/%s stands twice, or has no name", m.Vendor, m.Name)
		}
		c.models[key] = m
		c.vendors[m.Name] = append(c.vendors[m.Name], m.Vendor)
		c.lists[m.Vendor] = append(c.lists[m.Vendor], m)
	}
	for _, list := range c.lists {
		slices.SortFunc(list, func(a, b outbound.Model) int { return strings.Compare(a.Name, b.Name) })
	}
	for _, vendors := range c.vendors {
		slices.SortStableFunc(vendors, func(a, b string) int { return precedence(a) - precedence(b) })
	}
	return c, nil
}

func precedence(vendor string) int {
	if i := slices.Index(ownVendors, vendor); i >= 0 {
		return i
	}
	return len(ownVendors)
}

// Model implements outbound.Catalogue.
func (c *Catalogue) Model(vendor, model string) (outbound.Model, bool) {
	if m, ok := c.models[name{vendor, model}]; ok {
		return m, true
	}
	base, ok := undated(model)
	if !ok {
		return outbound.Model{}, false
	}
	m, ok := c.models[name{vendor, base}]
	return m, ok
}

// Vendors implements outbound.Catalogue.
func (c *Catalogue) Vendors(model string) []string {
	if v := c.vendors[model]; len(v) > 0 {
		return slices.Clone(v)
	}
	base, ok := undated(model)
	if !ok {
		return nil
	}
	return slices.Clone(c.vendors[base])
}

// Models implements outbound.Catalogue.
func (c *Catalogue) Models(vendor string) []outbound.Model { return slices.Clone(c.lists[vendor]) }

// undated cuts the date off a snapshot's name: gpt-4o-2024-08-06, claude-haiku-4-5-20251001, gemini-2.5-flash-001.
func undated(model string) (string, bool) {
	for _, form := range []string{"-2000-00-00", "-20000000", "-000"} {
		cut := len(model) - len(form)
		if cut > 0 && shaped(model[cut:], form) {
			return model[:cut], true
		}
	}
	return "", false
}

// shaped reports whether s has the form: a 0 stands for any digit, all else for itself.
func shaped(s, form string) bool {
	for i := range len(form) {
		switch f := form[i]; {
		case f == '0' && (s[i] < '0' || s[i] > '9'):
			return false
		case f != '0' && s[i] != f:
			return false
		}
	}
	return true
}

func (e entry) model() (outbound.Model, error) {
	m := outbound.Model{
		Vendor: e.Vendor, Name: e.Name, Context: e.Context, Output: e.MaxOutput, Priced: e.Input != "" && e.Output != "",
		Vision: slices.Contains(e.Features, "vision"), Tools: slices.Contains(e.Features, "tools"),
		Schema: slices.Contains(e.Features, "json_schema"),
	}
	if !m.Priced {
		return m, nil
	}
	var err error
	if m.Price.Input, err = nanos(e.Input); err != nil {
		return m, err
	}
	if m.Price.Output, err = nanos(e.Output); err != nil {
		return m, err
	}
	m.Price.CacheRead, m.Price.CacheWrite = m.Price.Input, m.Price.Input
	if e.CacheRead != "" {
		if m.Price.CacheRead, err = nanos(e.CacheRead); err != nil {
			return m, err
		}
	}
	if e.CacheWrite != "" {
		if m.Price.CacheWrite, err = nanos(e.CacheWrite); err != nil {
			return m, err
		}
	}
	return m, nil
}

// nanos reads dollars per million tokens as atto-dollars per token, exactly.
func nanos(dollars string) (int64, error) {
	whole, fraction, _ := strings.Cut(dollars, ".")
	if len(fraction) > 12 {
		return 0, fmt.Errorf("the price %q has more than twelve decimals", dollars)
	}
	n, err := strconv.ParseUint(whole+fraction+strings.Repeat("0", 12-len(fraction)), 10, 62)
	if err != nil {
		return 0, fmt.Errorf("the price %q is no number", dollars)
	}
	return int64(n), nil //nolint:gosec // 62 bits
}
