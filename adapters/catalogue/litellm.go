package catalogue

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// litellmModel is an entry of the second list.
type litellmModel struct {
	vendor, name string
	fields       map[string]json.RawMessage
}

// litellm reads the second list, in the order of its names.
func litellm(list []byte) ([]litellmModel, error) {
	var entries map[string]map[string]json.RawMessage
	if err := json.Unmarshal(list, &entries); err != nil {
		return nil, fmt.Errorf("read the second list: %w", err)
	}
	var out []litellmModel
	seen := map[name]bool{}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		m := litellmModel{name: key, fields: entries[key]}
		m.vendor = m.text("litellm_provider")
		if _, priced := m.fields["input_cost_per_token"]; !priced || !slices.Contains([]string{"chat", "responses", "embedding"}, m.text("mode")) {
			continue
		}
		switch m.vendor {
		case "openai", "anthropic":
		case "gemini", "openrouter":
			m.name = strings.TrimPrefix(m.name, m.vendor+"/")
		default:
			continue
		}
		if key := (name{m.vendor, m.name}); !seen[key] { // some stand there with and without their vendor before them
			seen[key] = true
			out = append(out, m)
		}
	}
	return out, nil
}

func (m *litellmModel) text(field string) string {
	var s string
	_ = json.Unmarshal(m.fields[field], &s) // "" is nobody's word
	return s
}

func (m *litellmModel) says(field string) bool { return string(m.fields[field]) == "true" }

func (m *litellmModel) count(field string) *int {
	n, err := strconv.ParseFloat(strings.Trim(string(m.fields[field]), `"`), 64)
	if err != nil || n < 1 || n > maxTokens {
		return nil
	}
	i := int(n)
	return &i
}

// features gives what the second list says a model can do. It says only what it can: where that is nothing, nobody knows.
func (m *litellmModel) features() []string {
	var out []string
	for i, field := range []string{
		"supports_vision", "supports_function_calling", "supports_response_schema", "supports_reasoning", "supports_audio_input",
		"supports_audio_output", "", "supports_pdf_input",
	} {
		if m.says(field) {
			out = append(out, Features[i])
		}
	}
	if m.text("mode") == "embedding" {
		out = append(out, "embedding")
	}
	return out
}

// litellmFields are the prices of the second list by the names of ours.
var litellmFields = map[string]string{ //nolint:gosec // names of fields
	"input_cost_per_token": "input", "output_cost_per_token": "output", "cache_read_input_token_cost": "cache_read",
	"input_cost_per_token_cache_hit": "cache_read", "cache_creation_input_token_cost": "cache_write",
	"cache_creation_input_token_cost_above_1hr": "cache_write_1h", "input_cost_per_audio_token": "audio_input",
	"output_cost_per_audio_token": "audio_output", "output_cost_per_reasoning_token": "reasoning", "output_cost_per_image_token": "image_output",
}

var tiered = regexp.MustCompile(`^(.+)_above_([0-9]{1,4})k_tokens$`)

// prices gives the prices of an entry of the second list. Those of batches and of other service tiers are not for calls such as ours.
func (m *litellmModel) prices() (Rates, []TierRates, error) {
	var r Rates
	var tiers []TierRates
	for _, key := range slices.Sorted(maps.Keys(m.fields)) {
		to, base := &r, key
		if t := tiered.FindStringSubmatch(key); t != nil {
			if _, ours := litellmFields[t[1]]; !ours {
				continue
			}
			thousands, _ := strconv.Atoi(t[2]) // digits
			to, base = tier(&tiers, thousands*1000), t[1]
		}
		field, ours := litellmFields[base]
		if !ours || string(m.fields[key]) == "null" {
			continue
		}
		if err := to.set(field, string(m.fields[key]), 6); err != nil {
			return r, nil, fmt.Errorf("read the second list: %s/%s: %s: %w", m.vendor, m.name, key, err)
		}
	}
	if r.Output == nil && m.text("mode") == "embedding" {
		r.Output = new(Amount)
	}
	if r.Reasoning != nil && r.Output != nil && *r.Reasoning == *r.Output {
		r.Reasoning = nil
	}
	return r, tiers, nil
}
