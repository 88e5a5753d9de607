// Package embedding is a request for vectors of texts, and its answer, in neutral form.
package embedding

import "github.com/forge1/forge1/domain/chat"

// Request asks for a vector of each input.
type Request struct {
	Inputs       []string // at least one; byte for byte
	Dimensions   *int     // of each vector; nil: the model's own
	EndUser      string
	Untranslated []string // names of fields that the neutral form cannot hold
	Strict       bool     // a field that the target cannot honour fails the call instead of being dropped
}

// Response holds one vector for each input, in their order.
type Response struct {
	Model   string // as the vendor names it
	Vectors [][]float64
	Usage   *chat.Usage // nil: the vendor did not say
	Dropped []string    // request fields that this vendor could not honour
}

// TextBytes counts the UTF-8 bytes of the inputs.
func (r *Request) TextBytes() int {
	n := 0
	for _, s := range r.Inputs {
		n += len(s)
	}
	return n
}
