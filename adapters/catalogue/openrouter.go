package catalogue

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// sold is what the marketplace says of a model that it sells: no prices, which are the other lists' matter.
type sold struct {
	ID           string `json:"id"`
	Slug         string `json:"canonical_slug"`
	Context      int    `json:"context_length"`
	Architecture struct {
		Input  []string `json:"input_modalities"`
		Output []string `json:"output_modalities"`
	} `json:"architecture"`
	Top struct {
		MaxOutput int `json:"max_completion_tokens"`
	} `json:"top_provider"`
	Parameters []string `json:"supported_parameters"`
}

// marketplace reads the marketplace's own list of models.
func marketplace(list []byte) (map[string]*sold, error) {
	if len(list) == 0 {
		return nil, nil
	}
	var answer struct {
		Data []sold `json:"data"`
	}
	if err := json.Unmarshal(list, &answer); err != nil {
		return nil, fmt.Errorf("read the marketplace's list: %w", err)
	}
	out := make(map[string]*sold, 2*len(answer.Data))
	for i := range answer.Data {
		m := &answer.Data[i]
		out[m.ID] = m
		if out[m.Slug] == nil {
			out[m.Slug] = m
		}
	}
	return out, nil
}

// describe lays what the marketplace says over what others say of its models.
func describe(entries []Entry, by map[string]*sold) {
	for i := range entries {
		e := &entries[i]
		if e.Vendor != "openrouter" {
			continue
		}
		for _, n := range append([]string{e.Name}, e.Also...) {
			m := by[n]
			if m == nil {
				continue
			}
			if m.Context > 0 && m.Context <= maxTokens {
				e.Context = &m.Context
			}
			if e.MaxOutput = nil; e.Context != nil && m.Top.MaxOutput > 0 && m.Top.MaxOutput <= *e.Context {
				e.MaxOutput = &m.Top.MaxOutput
			}
			e.Features = m.features()
			break
		}
	}
}

func (m *sold) features() []string {
	out := []string{}
	for _, f := range []struct {
		name string
		has  bool
	}{
		{"vision", slices.Contains(m.Architecture.Input, "image")},
		{"tools", slices.Contains(m.Parameters, "tools")},
		{"json_schema", slices.Contains(m.Parameters, "structured_outputs") || slices.Contains(m.Parameters, "response_format")},
		{"reasoning", slices.Contains(m.Parameters, "reasoning")},
		{"audio_input", slices.Contains(m.Architecture.Input, "audio")},
		{"audio_output", slices.Contains(m.Architecture.Output, "audio")},
		{"image_output", slices.Contains(m.Architecture.Output, "image")},
		{"pdf_input", slices.Contains(m.Architecture.Input, "file")},
	} {
		if f.has {
			out = append(out, f.name)
		}
	}
	return out
}

// misplaced takes away what cannot be asked for by the vendor's API: at the marketplace models without a maker before a slash, and those of others
// that Google sells elsewhere.
func misplaced(entries []Entry) []Entry {
	return slices.DeleteFunc(entries, func(e Entry) bool {
		return e.Vendor == "openrouter" && !strings.Contains(e.Name, "/") || e.Vendor == "gemini" && strings.HasPrefix(e.Name, "claude")
	})
}
