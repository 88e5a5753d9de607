package catalogue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Entry is a line of a table: a vendor's model. In a list that overrides another, what is left out stays as it was.
type Entry struct {
	Vendor    string   `json:"vendor"`
	Name      string   `json:"name"`
	Also      []string `json:"also,omitzero"`        // other names of it
	Match     []string `json:"match,omitzero"`       // patterns of other names: * for any text without a slash, # for a digit
	Context   *int     `json:"context,omitempty"`    // tokens; left out: unknown
	MaxOutput *int     `json:"max_output,omitempty"` // tokens; left out: unknown
	Features  []string `json:"features,omitzero"`    // see Features; left out: unknown, and nothing is denied
	Unpriced  bool     `json:"unpriced,omitempty"`   // it has no price, whatever a list that is overridden says
	Rates
	Tiers []TierRates  `json:"tiers,omitzero"` // ascending
	Then  []DatedRates `json:"then,omitzero"`  // prices from a day on, ascending
}

// Rates are prices in US dollars per million tokens, and of a request in US dollars. A model with neither input nor output has no price; one of 0 is
// free. What is left out of the rest costs what its kind of token costs.
type Rates struct {
	Input          *Amount `json:"input,omitempty"`
	Output         *Amount `json:"output,omitempty"`
	CacheRead      *Amount `json:"cache_read,omitempty"`
	CacheWrite     *Amount `json:"cache_write,omitempty"`
	CacheWrite1h   *Amount `json:"cache_write_1h,omitempty"`
	AudioInput     *Amount `json:"audio_input,omitempty"`
	AudioCacheRead *Amount `json:"audio_cache_read,omitempty"`
	AudioOutput    *Amount `json:"audio_output,omitempty"`
	ImageOutput    *Amount `json:"image_output,omitempty"`
	Reasoning      *Amount `json:"reasoning,omitempty"`
	Request        *Amount `json:"request,omitempty"`
}

// TierRates are the prices of calls with more input tokens than Above. What is left out is as below.
type TierRates struct {
	Above int `json:"above"`
	Rates
}

// DatedRates are the prices from a day on, UTC. Nothing is taken over from before.
type DatedRates struct {
	From string `json:"from"` // 2026-09-01
	Rates
	Tiers []TierRates `json:"tiers,omitzero"`
}

// Features are what a table may say that a model can do.
var Features = []string{"vision", "tools", "json_schema", "reasoning", "audio_input", "audio_output", "image_output", "pdf_input", "embedding"}

// Bounds of a table.
const (
	maxTable  = 16 << 20 // bytes
	maxTokens = 1 << 30
	maxTiers  = 8
)

// Parse reads a table: a JSON list of entries. It fails, naming the model and the field, when one of them is wrong.
func Parse(table []byte) ([]Entry, error) {
	if len(table) > maxTable {
		return nil, fmt.Errorf("read the model catalogue: it has more than %d bytes", maxTable)
	}
	var lines []json.RawMessage
	if err := strictly(table, &lines); err != nil {
		return nil, fmt.Errorf("read the model catalogue: %w", err)
	}
	entries := make([]Entry, len(lines))
	for i, line := range lines {
		if err := strictly(line, &entries[i]); err != nil {
			return nil, fmt.Errorf("read the model catalogue: entry %d: %w", i+1, blamed(line, err))
		}
	}
	return entries, nil
}

// blamed adds to what is wrong with a line which model it is and, for a price, which field.
func blamed(line json.RawMessage, wrong error) error {
	var fields map[string]json.RawMessage
	if json.Unmarshal(line, &fields) != nil {
		return wrong
	}
	var model struct{ Vendor, Name string }
	_ = json.Unmarshal(fields["vendor"], &model.Vendor) // "" when it is none
	_ = json.Unmarshal(fields["name"], &model.Name)
	for _, f := range new(Rates).rates() {
		if value, there := fields[f.name]; there && string(value) != "null" && new(Amount).UnmarshalJSON(value) != nil {
			wrong = fmt.Errorf("%s: %w", f.name, wrong)
			break
		}
	}
	return fmt.Errorf("%.80s/%.80s: %w", model.Vendor, model.Name, wrong)
}

func strictly(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more follows after its end")
	}
	return nil
}

// rates gives every price with the name of its field.
func (r *Rates) rates() []field {
	return []field{
		{"input", &r.Input},
		{"output", &r.Output},
		{"cache_read", &r.CacheRead},
		{"cache_write", &r.CacheWrite},
		{"cache_write_1h", &r.CacheWrite1h},
		{"audio_input", &r.AudioInput},
		{"audio_cache_read", &r.AudioCacheRead},
		{"audio_output", &r.AudioOutput},
		{"image_output", &r.ImageOutput},
		{"reasoning", &r.Reasoning},
		{"request", &r.Request},
	}
}

type field struct {
	name  string
	price **Amount
}

// over lays the prices that are given over those of below.
func (r Rates) over(below Rates) Rates {
	mine, out := r.rates(), below.rates()
	for i := range mine {
		if *mine[i].price != nil {
			*out[i].price = *mine[i].price
		}
	}
	return below
}

func (r *Rates) none() bool {
	return !slices.ContainsFunc(r.rates(), func(f field) bool { return *f.price != nil })
}

// over lays what is given over an entry of the same model. Prices that are given hold at any time.
func (e Entry) over(below Entry) Entry {
	out := below
	if e.Also != nil {
		out.Also = e.Also
	}
	if e.Match != nil {
		out.Match = e.Match
	}
	if e.Context != nil {
		out.Context = e.Context
	}
	if e.MaxOutput != nil {
		out.MaxOutput = e.MaxOutput
	}
	if e.Features != nil {
		out.Features = e.Features
	}
	if e.Tiers != nil {
		out.Tiers = e.Tiers
	}
	out.Unpriced = e.Unpriced || below.Unpriced && e.none()
	out.Rates = e.Rates.over(below.Rates)
	if e.Then != nil {
		out.Then = e.Then
		return out
	}
	out.Then = slices.Clone(below.Then)
	for i := range out.Then {
		out.Then[i].Rates = e.Rates.over(out.Then[i].Rates)
		if e.Tiers != nil {
			out.Then[i].Tiers = e.Tiers
		}
	}
	return out
}

// check looks for what an entry by itself can have wrong.
func (e *Entry) check() error {
	switch {
	case e.Vendor == "" || len(e.Vendor) > maxName:
		return errors.New("vendor: it has none")
	case e.Name == "" || len(e.Name) > maxName || strings.ContainsFunc(e.Name, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return errors.New("name: it has no name, or one with spaces")
	case e.Context != nil && (*e.Context <= 0 || *e.Context > maxTokens):
		return fmt.Errorf("context: %d is no number of tokens", *e.Context)
	case e.MaxOutput != nil && (*e.MaxOutput <= 0 || *e.MaxOutput > maxTokens):
		return fmt.Errorf("max_output: %d is no number of tokens", *e.MaxOutput)
	}
	for _, f := range e.Features {
		if !slices.Contains(Features, f) {
			return fmt.Errorf("features: %.40q is none of %s", f, strings.Join(Features, ", "))
		}
	}
	for _, p := range e.Match {
		if err := checkPattern(p); err != nil {
			return fmt.Errorf("match: %.40q %w", p, err)
		}
	}
	last := time.Time{}
	for _, d := range e.Then {
		at, err := time.Parse(time.DateOnly, d.From)
		if err != nil {
			return fmt.Errorf("then: from: %.40q is no day such as 2026-09-01", d.From)
		}
		if !at.After(last) {
			return fmt.Errorf("then: from: %s stands behind a later day", d.From)
		}
		last = at
	}
	return nil
}
