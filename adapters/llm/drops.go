package llm

import (
	"fmt"
	"slices"

	"github.com/forge1/forge1/domain/chat"
)

// Drops collects the fields of a request that a target cannot honour, so that none is lost in silence.
type Drops struct{ fields []string }

// Add names a field, by its name in the caller's request.
func (d *Drops) Add(field string) {
	if !slices.Contains(d.fields, field) {
		d.fields = append(d.fields, field)
	}
}

// Fields gives what was dropped, the fields that the neutral form could not hold among them. For a strict request it fails with
// ClassUnsupport, naming the first, unless nothing was dropped.
func (d *Drops) Fields(r *chat.Request) ([]string, error) {
	for _, f := range r.Untranslated {
		d.Add(f)
	}
	if r.Strict && len(d.fields) > 0 {
		f := chat.Fail(chat.ClassUnsupport, fmt.Errorf("%q cannot be honoured", d.fields[0]))
		f.Param, f.Message = d.fields[0], "this model or provider cannot honour "+d.fields[0]
		return nil, f
	}
	return d.fields, nil
}
