package anthropic

import (
	"unicode/utf8"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
)

// read reads the delta of a content_block_delta event, which most events are, without what decoding any event costs. It reports false for every other
// event, and for what is better decoded with care.
func (d *delta) read(event []byte) (index int, ok bool) {
	var inner []byte
	known := false
	w := jsonscan.Walk(event, 0)
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		value := w.Skip()
		switch string(key) {
		case "type":
			if known = kindOf(value) == eventDelta; !known {
				return 0, false
			}
		case "index":
			index = jsonscan.Number(value)
		case "delta":
			inner = value
		}
	}
	if !known || !w.Whole() || !utf8.Valid(event) {
		return 0, false
	}
	w = jsonscan.Walk(inner, 0)
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		value := w.Skip()
		switch string(key) {
		case "type":
			d.Type = deltaKind(value)
		case "text":
			d.Text = jsonscan.Unquote(value)
		case "thinking":
			d.Thinking = jsonscan.Unquote(value)
		case "signature":
			d.Signature = jsonscan.Unquote(value)
		case "partial_json":
			d.PartialJSON = jsonscan.Unquote(value)
		case "citation":
			d.Citation = value
		}
	}
	return index, w.Whole()
}

// The types of deltas.
const (
	deltaText      = "text_delta"
	deltaThinking  = "thinking_delta"
	deltaSignature = "signature_delta"
	deltaInput     = "input_json_delta"
	deltaCitations = "citations_delta"
)

// deltaKind reads a type; one that is known costs no memory.
func deltaKind(value []byte) string {
	switch string(value) {
	case `"` + deltaText + `"`:
		return deltaText
	case `"` + deltaThinking + `"`:
		return deltaThinking
	case `"` + deltaInput + `"`:
		return deltaInput
	default:
		return jsonscan.Unquote(value)
	}
}
