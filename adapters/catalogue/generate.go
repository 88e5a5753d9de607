package catalogue

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Generate makes a table of two public price lists: genai-prices' data_slim.json, and LiteLLM's model_prices_and_context_window.json for models that
// the first has not, for windows, for what models can do, and for the price of what is cached for an hour. A third, OpenRouter's answer to
// GET /api/v1/models, may be left out: windows and abilities of what it sells. Figures carry over as the decimals that they are written as, to 12
// places. It fails, naming the model and the field, when a list says what it does not understand.
func Generate(first, second, third []byte) ([]byte, error) {
	entries, err := genai(first)
	if err != nil {
		return nil, err
	}
	drawn(entries)
	rest, err := litellm(second)
	if err != nil {
		return nil, err
	}
	if entries, err = merge(misplaced(entries), rest); err != nil {
		return nil, err
	}
	entries = misplaced(entries)
	shop, err := marketplace(third)
	if err != nil {
		return nil, err
	}
	describe(entries, shop)
	for i := range entries {
		entries[i].tidy()
	}
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.Vendor, b.Vendor), cmp.Compare(a.Name, b.Name)) })
	if _, err := build(entries, time.Time{}); err != nil {
		return nil, err
	}
	return Format(entries)
}

// Format writes a table, an entry a line.
func Format(entries []Entry) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for i, entry := range entries {
		b.WriteString([]string{"[\n", ","}[min(i, 1)])
		if err := e.Encode(entry); err != nil {
			return nil, fmt.Errorf("write the model catalogue: %s/%s: %w", entry.Vendor, entry.Name, err)
		}
	}
	if len(entries) == 0 {
		b.WriteString("[\n")
	}
	b.WriteString("]\n")
	return b.Bytes(), nil
}

// drawn gives Gemini's models that draw the price of their words: the first list has all of their output at the price of images, but the words that
// the marketplace sells of the same model at their own.
func drawn(entries []Entry) {
	words := map[string]*Amount{}
	for _, e := range entries {
		if maker, model, ok := strings.Cut(e.Name, "/"); ok && e.Vendor == "openrouter" && maker == "google" {
			words[model] = e.Output
		}
	}
	for i := range entries {
		e := &entries[i]
		if e.Vendor != "gemini" || !strings.Contains(e.Name, "-image") || e.Output == nil || e.ImageOutput != nil {
			continue
		}
		if w := words[e.Name]; w != nil && *w < *e.Output {
			e.ImageOutput, e.Output = e.Output, w
		}
	}
}

// merge adds what the second list knows.
func merge(entries []Entry, rest []litellmModel) ([]Entry, error) {
	known, err := build(entries, time.Time{})
	if err != nil {
		return nil, err
	}
	by := make(map[name]*litellmModel, len(rest))
	for i := range rest {
		by[name{rest[i].vendor, rest[i].name}] = &rest[i]
	}
	described := map[name]*litellmModel{} // by our entry's name: who of the second list goes by its patterns
	for i := range rest {
		if m, ok := known.named(rest[i].vendor, rest[i].name); ok && described[name{m.Vendor, m.Name}] == nil {
			described[name{m.Vendor, m.Name}] = &rest[i]
		}
	}
	for i := range entries {
		if m := cmp.Or(counterpart(&entries[i], by), described[name{entries[i].Vendor, entries[i].Name}]); m != nil {
			if err := entries[i].enrich(m); err != nil {
				return nil, err
			}
		}
	}
	for i := range rest {
		m := &rest[i]
		if _, named := known.named(m.vendor, m.name); named {
			continue
		}
		e := Entry{Vendor: m.vendor, Name: m.name}
		if e.Rates, e.Tiers, err = m.prices(); err != nil {
			return nil, err
		}
		if err := e.enrich(m); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// counterpart finds the entry of the second list that speaks of the same model: by any of its names, and for the marketplace's by the maker's name.
func counterpart(e *Entry, by map[name]*litellmModel) *litellmModel {
	names := append([]string{e.Name}, e.Also...)
	for _, n := range names {
		if m := by[name{e.Vendor, n}]; m != nil {
			return m
		}
	}
	if e.Vendor != "openrouter" {
		return nil
	}
	makers := map[string]string{"openai": "openai", "anthropic": "anthropic", "google": "gemini"}
	for _, n := range names {
		maker, model, _ := strings.Cut(n, "/")
		model, _, _ = strings.Cut(model, ":")
		for _, spelt := range []string{model, strings.ReplaceAll(model, ".", "-")} {
			if m := by[name{makers[maker], spelt}]; m != nil {
				return m
			}
		}
	}
	return nil
}

// enrich adds what the second list knows of a model besides the price, and the price of an hour in the cache where both agree on that of five minutes.
func (e *Entry) enrich(m *litellmModel) error {
	e.MaxOutput = m.count("max_output_tokens")
	whole := 0 // where the second list counts input and output apart, a window of both
	if c := m.count("max_input_tokens"); c != nil && e.MaxOutput != nil {
		whole = *c + *e.MaxOutput
	}
	if c := m.count("max_input_tokens"); c != nil && (e.Context == nil || *e.Context != whole) {
		e.Context = c
	}
	if e.Context == nil || e.MaxOutput != nil && *e.MaxOutput > *e.Context || m.text("mode") == "embedding" {
		e.MaxOutput = nil
	}
	e.Features = m.features()
	if e.ImageOutput != nil {
		e.Features = append(e.Features, "image_output")
	}
	if m.vendor != e.Vendor {
		return nil
	}
	r, tiers, err := m.prices()
	if err != nil {
		return err
	}
	e.hour(r, tiers)
	return nil
}

func (e *Entry) hour(r Rates, tiers []TierRates) {
	lay := func(to *Rates, steps []TierRates) {
		if r.CacheWrite1h == nil || to.CacheWrite == nil || r.CacheWrite == nil || *to.CacheWrite != *r.CacheWrite {
			return
		}
		to.CacheWrite1h = r.CacheWrite1h
		for i := range steps {
			for _, t := range tiers {
				if t.Above == steps[i].Above && t.CacheWrite1h != nil {
					steps[i].CacheWrite1h = t.CacheWrite1h
				}
			}
		}
	}
	lay(&e.Rates, e.Tiers)
	for i := range e.Then {
		lay(&e.Then[i].Rates, e.Then[i].Tiers)
	}
}

// tidy takes away what says nothing, and what would make free what is not: models that have a price of input alone, though they put out more than
// vectors, and routers, whose price is that of whatever they choose.
func (e *Entry) tidy() {
	router := e.Vendor == "openrouter" && strings.HasPrefix(e.Name, "openrouter/") && e.Name != "openrouter/free"
	free := e.Input != nil && e.Output != nil && *e.Input == 0 && *e.Output == 0
	half := e.Input != nil && *e.Input != 0 && *e.Output == 0 && !slices.Contains(e.Features, "embedding")
	if router && free || half {
		e.Rates, e.Tiers, e.Then = Rates{}, nil, nil
	}
	if free {
		e.Tiers = nil
	}
}

// also adds a name, once.
func (e *Entry) also(n string) {
	if n != e.Name && !slices.Contains(e.Also, n) {
		e.Also = append(e.Also, n)
	}
}

// match adds a pattern, once.
func (e *Entry) match(p string) {
	if !slices.Contains(e.Match, p) {
		e.Match = append(e.Match, p)
	}
}

// tier gives the tier above so many tokens, and keeps the list in order.
func tier(tiers *[]TierRates, above int) *Rates {
	i, found := slices.BinarySearchFunc(*tiers, above, func(t TierRates, above int) int { return cmp.Compare(t.Above, above) })
	if !found {
		*tiers = slices.Insert(*tiers, i, TierRates{Above: above})
	}
	return &(*tiers)[i].Rates
}

// set sets a price from the text of a list, ten to the power of so many times what stands there. What is finer than 12 places is rounded half up: the
// lists write a third out to 17.
func (r *Rates) set(field, text string, power int64) error {
	d, err := decimal(text)
	if err != nil {
		return err
	}
	d.Mul(d, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(power), nil)))
	d.Add(d, big.NewRat(1, 2))
	n := new(big.Int).Quo(d.Num(), d.Denom())
	if !n.IsInt64() || n.Int64() > maxAmount {
		return fmt.Errorf("%.40q %w", text, errAmount)
	}
	for _, f := range r.rates() {
		if f.name == field {
			a := Amount(n.Int64())
			*f.price = &a
		}
	}
	return nil
}
