package chatcompletions

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
)

// The keys that the relay changes. Each may stand once: parsers disagree on which of two counts, and what one of them lets through another refuses.
const (
	keyModel   = "model"
	keyStream  = "stream"
	keyOptions = "stream_options"
	keyUsage   = "include_usage"
)

// splice gives a copy of the body with the model replaced, for a stream stream_options.include_usage set, and what another vendor made taken out of
// the messages, which dropped names. Every other byte stays: unknown fields, order, white space, escapes. It fails with ClassInvalid naming the field
// when the body is no JSON object or a routing key stands twice.
func (f Flavour) splice(body []byte, model string, stream bool) (out []byte, dropped []string, err error) {
	var at [4]jsonscan.Span
	if err := jsonscan.Find(body, at[:], keyModel, keyStream, keyOptions, "messages"); err != nil {
		return nil, nil, jsonscan.Failure(err)
	}
	var room [192]byte
	quoted := quote(room[:0], model)
	texts := quoted
	var wish, change, added jsonscan.Edit
	var member string // that the body lacks
	if stream {
		if wish, member, err = withUsage(body, at[2]); err != nil {
			return nil, nil, err
		}
	}
	if at[0].Found() {
		change = jsonscan.Edit{From: at[0].Value, To: at[0].To, Text: quoted}
		if member != "" {
			texts = append(append(texts, member...), ',')
			added = jsonscan.Edit{From: at[0].From, To: at[0].From, Text: texts[len(quoted):]}
		}
	} else {
		texts = append(append(texts, `"model":`...), quoted...)
		if member != "" {
			texts = append(append(texts, ','), member...)
		}
		change = jsonscan.Insert(body, texts[len(quoted):])
	}
	if at[3].Found() && f.mayStrip(at[3].Of(body)) {
		var edits []jsonscan.Edit
		edits, dropped = f.strip(body, at[3], model)
		for _, e := range [...]jsonscan.Edit{wish, added, change} {
			if e.Text != nil {
				edits = append(edits, jsonscan.Edit{From: e.From, To: e.To, Text: bytes.Clone(e.Text)})
			}
		}
		return jsonscan.Apply(body, edits), dropped, nil
	}
	return woven(body, wish, added, change), nil, nil
}

// woven makes the edited copy of a body in the usual case, without a heap: the wish for usage stands before or behind the two others.
func woven(body []byte, wish, added, change jsonscan.Edit) []byte {
	order := [...]jsonscan.Edit{added, change, wish}
	if wish.From < change.From {
		order = [...]jsonscan.Edit{wish, added, change}
	}
	out := make([]byte, 0, len(body)+len(wish.Text)+len(added.Text)+len(change.Text))
	last := 0
	for i := range order {
		if e := &order[i]; e.Text != nil {
			out = append(append(out, body[last:e.From]...), e.Text...)
			last = e.To
		}
	}
	return append(out, body[last:]...)
}

// quote appends a name as a string of JSON.
func quote(to []byte, name string) []byte {
	for i := range len(name) {
		if c := name[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, _ := json.Marshal(name) // a string can always be
			return append(to, quoted...)
		}
	}
	return append(append(append(to, '"'), name...), '"')
}

// withUsage makes the vendor say what a stream used: by an edit, or by a member that the body lacks.
func withUsage(body []byte, options jsonscan.Span) (_ jsonscan.Edit, member string, _ error) {
	none := jsonscan.Edit{}
	if !options.Found() {
		return none, `"stream_options":{"include_usage":true}`, nil
	}
	switch body[options.Value] {
	case 'n':
		return jsonscan.Edit{From: options.Value, To: options.To, Text: []byte(`{"include_usage":true}`)}, "", nil
	case '{':
	default:
		return none, "", jsonscan.Malformed(keyOptions, "must be an object")
	}
	var at [1]jsonscan.Span
	object := options.Of(body)
	if err := jsonscan.Find(object, at[:], keyUsage); err != nil {
		return none, "", jsonscan.Failure(err)
	}
	switch {
	case !at[0].Found():
		e := jsonscan.Insert(object, []byte(`"include_usage":true`))
		e.From, e.To = e.From+options.Value, e.To+options.Value
		return e, "", nil
	case object[at[0].Value] == 't':
		return none, "", nil
	default:
		return jsonscan.Edit{From: options.Value + at[0].Value, To: options.Value + at[0].To, Text: []byte("true")}, "", nil
	}
}
