package llm

import (
	"fmt"
	"slices"

	"github.com/forge1/forge1/domain/chat"
)

// Drops collects the fields of a request that a target cannot honour, so that none is lost in silence. Its zero value is ready.
type Drops struct {
	fields []string
	noted  []string // of fields: those that fail no strict request
}

// Add names a field, by its name in the caller's request.
func (d *Drops) Add(field string) {
	if i := slices.Index(d.noted, field); i >= 0 {
		d.noted = slices.Delete(d.noted, i, i+1)
	}
	if !slices.Contains(d.fields, field) {
		d.fields = append(d.fields, field)
	}
}

// AddAsked names those of some fields that a request asks something by; what only says the default asks nothing.
func (d *Drops) AddAsked(r *chat.Request, fields ...string) {
	for _, field := range fields {
		if asks(r, field) {
			d.Add(field)
		}
	}
}

func asks(r *chat.Request, field string) bool {
	switch field {
	case "n":
		return r.Choices > 1
	case "seed":
		return r.Seed != nil
	case "stop":
		return len(r.Stop) > 0
	case "top_k":
		return r.TopK != nil
	case "logprobs":
		return r.Logprobs
	case "top_logprobs":
		return r.TopLogprobs > 0
	case "frequency_penalty":
		return r.FrequencyPenalty != nil && *r.FrequencyPenalty != 0
	case "presence_penalty":
		return r.PresencePenalty != nil && *r.PresencePenalty != 0
	case "prompt_cache_key":
		return r.CacheKey != ""
	}
	return false
}

// Note names what was left out without being what the client asked for, such as thoughts of another vendor: it fails no strict request.
func (d *Drops) Note(field string) {
	if !slices.Contains(d.fields, field) {
		d.fields, d.noted = append(d.fields, field), append(d.noted, field)
	}
}

// Fields gives what was dropped, the fields that the neutral form could not hold among them. For a strict request it fails with
// ClassUnsupport, naming the first, unless nothing was dropped.
func (d *Drops) Fields(r *chat.Request) ([]string, error) { return d.Settle(r.Untranslated, r.Strict) }

// Settle is Fields for requests that are no chats.
func (d *Drops) Settle(untranslated []string, strict bool) ([]string, error) {
	for _, f := range untranslated {
		d.Add(f)
	}
	if !strict {
		return d.fields, nil
	}
	for _, f := range d.fields {
		if !slices.Contains(d.noted, f) {
			return nil, Unsupported(f)
		}
	}
	return d.fields, nil
}

// Unsupported is the failure of a request that cannot be sent without a field, by its name in the caller's request.
func Unsupported(field string) *chat.Failure {
	f := chat.Fail(chat.ClassUnsupport, fmt.Errorf("%q cannot be honoured", field))
	f.Param, f.Message = field, "this model or provider cannot honour "+field
	return f
}
