package catalogue

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// genaiVendors are the providers of the first list by our names of vendors.
var genaiVendors = map[string]string{"openai": "openai", "anthropic": "anthropic", "google": "gemini", "openrouter": "openrouter"}

type genaiProvider struct {
	ID     string       `json:"id"`
	Models []genaiModel `json:"models"`
}

type genaiModel struct {
	ID      string          `json:"id"`
	Match   json.RawMessage `json:"match"`
	Context *int            `json:"context_window"`
	Prices  json.RawMessage `json:"prices"`
}

type genaiDated struct {
	Constraint map[string]json.RawMessage `json:"constraint"`
	Prices     genaiPrices                `json:"prices"`
}

type genaiPrices map[string]json.RawMessage

// genai reads the first list.
func genai(list []byte) ([]Entry, error) {
	var providers []genaiProvider
	if err := json.Unmarshal(list, &providers); err != nil {
		return nil, fmt.Errorf("read the first list: %w", err)
	}
	var out []Entry
	for _, p := range providers {
		vendor, ours := genaiVendors[p.ID]
		if !ours {
			continue
		}
		for _, m := range p.Models {
			e := Entry{Vendor: vendor, Name: m.ID, Context: m.Context}
			if err := e.genai(m); err != nil {
				return nil, fmt.Errorf("read the first list: %s/%s: %w", p.ID, m.ID, err)
			}
			out = append(out, e)
		}
	}
	return out, nil
}

func (e *Entry) genai(m genaiModel) error {
	if err := e.matched(m.Match); err != nil {
		return fmt.Errorf("match: %w", err)
	}
	if len(m.Prices) == 0 {
		return nil
	}
	if m.Prices[0] == '{' {
		var p genaiPrices
		if err := json.Unmarshal(m.Prices, &p); err != nil {
			return fmt.Errorf("prices: %w", err)
		}
		return p.into(&e.Rates, &e.Tiers)
	}
	var list []genaiDated
	if err := json.Unmarshal(m.Prices, &list); err != nil {
		return fmt.Errorf("prices: %w", err)
	}
	for i, d := range list {
		if i == 0 && d.Constraint == nil {
			if err := d.Prices.into(&e.Rates, &e.Tiers); err != nil {
				return err
			}
			continue
		}
		var next DatedRates
		from, dated := d.Constraint["start_date"]
		if !dated || len(d.Constraint) > 1 {
			return fmt.Errorf("prices: constraint: no day alone, the only one that is understood")
		}
		if err := json.Unmarshal(from, &next.From); err != nil {
			return fmt.Errorf("prices: constraint: start_date: %w", err)
		}
		if err := d.Prices.into(&next.Rates, &next.Tiers); err != nil {
			return err
		}
		e.Then = append(e.Then, next)
	}
	return nil
}

// genaiFields are the prices of the first list by the names of ours.
var genaiFields = map[string]string{
	"input_mtok": "input", "output_mtok": "output", "cache_read_mtok": "cache_read", "cache_write_mtok": "cache_write",
	"cache_write_1h_mtok": "cache_write_1h", "input_audio_mtok": "audio_input", "cache_audio_read_mtok": "audio_cache_read",
	"output_audio_mtok": "audio_output", "output_image_mtok": "image_output", "output_reasoning_mtok": "reasoning",
}

func (p genaiPrices) into(r *Rates, tiers *[]TierRates) error {
	for key, value := range p {
		field, known := genaiFields[key]
		if !known {
			return fmt.Errorf("prices: %s: nobody knows what that is", key)
		}
		var steps struct {
			Base  json.Number `json:"base"`
			Tiers []struct {
				Start int         `json:"start"`
				Price json.Number `json:"price"`
			} `json:"tiers"`
		}
		if len(value) == 0 || value[0] != '{' {
			steps.Base = json.Number(value)
		} else if err := json.Unmarshal(value, &steps); err != nil {
			return fmt.Errorf("prices: %s: %w", key, err)
		}
		if err := r.set(field, steps.Base.String(), 0); err != nil {
			return fmt.Errorf("prices: %s: %w", key, err)
		}
		for _, s := range steps.Tiers {
			if err := tier(tiers, s.Start).set(field, s.Price.String(), 0); err != nil {
				return fmt.Errorf("prices: %s: tiers: %w", key, err)
			}
		}
	}
	if r.Input != nil && r.Output == nil {
		r.Output = new(Amount) // a model that makes vectors puts nothing out
	}
	return nil
}

// matched reads a rule of names.
func (e *Entry) matched(rule json.RawMessage) error {
	var kinds map[string]json.RawMessage
	if err := json.Unmarshal(rule, &kinds); err != nil {
		return err
	}
	for kind, value := range kinds {
		if kind == "or" {
			var rules []json.RawMessage
			if err := json.Unmarshal(value, &rules); err != nil {
				return err
			}
			for _, r := range rules {
				if err := e.matched(r); err != nil {
					return err
				}
			}
			continue
		}
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		switch kind {
		case "equals":
			e.also(text)
		case "starts_with":
			e.match(text + "*")
		case "ends_with":
			e.match("*" + text)
		case "contains":
			e.match("*" + text + "*")
		case "regex":
			p, ok := plain(text)
			if !ok {
				return fmt.Errorf("regex: %q says more than a pattern can", text)
			}
			e.match(p)
		default:
			return fmt.Errorf("%s: nobody knows what that is", kind)
		}
	}
	return nil
}

var digits = regexp.MustCompile(`\\d(?:\{(\d)\})?`)

// plain makes a pattern of a regular expression that has no more than literals and digits.
func plain(expression string) (string, bool) {
	body, fromStart := strings.CutPrefix(expression, "^")
	body, toEnd := strings.CutSuffix(body, "$")
	body = digits.ReplaceAllStringFunc(body, func(d string) string {
		n := 1
		if m := digits.FindStringSubmatch(d); m[1] != "" {
			n = int(m[1][0] - '0')
		}
		return strings.Repeat("#", n)
	})
	whole := !strings.ContainsAny(body, `^$|()[]{}+?*`)
	body = strings.ReplaceAll(body, `\.`, ".")
	whole = whole && !strings.Contains(body, `\`)
	if !fromStart {
		body = "*" + body
	}
	if !toEnd {
		body += "*"
	}
	return body, whole
}
