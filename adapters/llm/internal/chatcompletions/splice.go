package chatcompletions

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/forge1/forge1/domain/chat"
)

// The keys that the relay changes. Each may stand once: parsers disagree on which of two counts, and what one of them lets through another refuses.
const (
	keyModel   = "model"
	keyStream  = "stream"
	keyOptions = "stream_options"
	keyUsage   = "include_usage"
)

// span is where a value stands in a body.
type span struct {
	from, to int
	kind     byte // its first byte
}

func (s span) found() bool { return s.to > 0 }

// splice gives a copy of the body with the model replaced and, for a stream, stream_options.include_usage set. Every other byte stays: unknown
// fields, order, white space, escapes. It fails with ClassInvalid naming the field when the body is no JSON object or a routing key stands twice.
func splice(body []byte, model string, stream bool) ([]byte, error) {
	at, err := find(body, keyModel, keyStream, keyOptions)
	if err != nil {
		return nil, err
	}
	quoted, err := json.Marshal(model)
	if err != nil {
		return nil, invalid(keyModel, "the model's name is no text")
	}
	var edits []edit
	var members [][]byte // that the body lacks
	if at[0].found() {
		edits = append(edits, edit{at[0].from, at[0].to, quoted})
	} else {
		members = append(members, fmt.Appendf(nil, `"model":%s`, quoted))
	}
	if stream {
		e, member, err := withUsage(body, at[2])
		if err != nil {
			return nil, err
		}
		if member != nil {
			members = append(members, member)
		}
		if e.text != nil {
			edits = append(edits, e)
		}
	}
	if len(members) > 0 {
		edits = append(edits, insert(body, space(body, 0)+1, bytes.Join(members, []byte{','})))
	}
	return apply(body, edits), nil
}

// withUsage makes the vendor say what a stream used: by an edit, or by a member that the body lacks.
func withUsage(body []byte, options span) (_ edit, member []byte, _ error) {
	switch {
	case !options.found():
		return edit{}, []byte(`"stream_options":{"include_usage":true}`), nil
	case options.kind == 'n':
		return edit{options.from, options.to, []byte(`{"include_usage":true}`)}, nil, nil
	case options.kind != '{':
		return edit{}, nil, invalid(keyOptions, "must be an object")
	}
	at, err := find(body[options.from:options.to], keyUsage)
	if err != nil {
		return edit{}, nil, err
	}
	if !at[0].found() {
		return insert(body, options.from+1, []byte(`"include_usage":true`)), nil, nil
	}
	if body[options.from+at[0].from] == 't' {
		return edit{}, nil, nil
	}
	return edit{options.from + at[0].from, options.from + at[0].to, []byte("true")}, nil, nil
}

// find gives where the values of keys stand in an object, and checks all of it. Keys are compared unescaped.
func find(object []byte, keys ...string) (at [3]span, err error) {
	w := walk(object, 0)
	if w.end != '}' {
		return at, invalid("", "the body must be a JSON object")
	}
	for key, ok := w.next(); ok; key, ok = w.next() {
		from := w.i
		if w.skip() == nil {
			break
		}
		for i, k := range keys {
			if string(key) != k {
				continue
			}
			if at[i].found() {
				return at, invalid(k, "stands twice")
			}
			at[i] = span{from, w.i, object[from]}
		}
	}
	if !w.whole() {
		return at, invalid("", "the body is not valid JSON")
	}
	return at, nil
}

// edit replaces body[from:to] by text.
type edit struct {
	from, to int
	text     []byte
}

// insert puts a member first in the object whose content begins at open.
func insert(body []byte, open int, member []byte) edit {
	i := open
	for i < len(body) && (body[i] == ' ' || body[i] == '\t' || body[i] == '\n' || body[i] == '\r') {
		i++
	}
	if i < len(body) && body[i] != '}' {
		member = append(member, ',')
	}
	return edit{open, open, member}
}

// apply makes the edited copy. Edits do not overlap.
func apply(body []byte, edits []edit) []byte {
	size := len(body)
	for _, e := range edits {
		size += len(e.text) - (e.to - e.from)
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	out := make([]byte, 0, size)
	last := 0
	for _, e := range edits {
		out = append(append(out, body[last:e.from]...), e.text...)
		last = e.to
	}
	return append(out, body[last:]...)
}

func invalid(param, what string) *chat.Failure {
	name := param
	if name == "" {
		name = "body"
	}
	f := chat.Fail(chat.ClassInvalid, fmt.Errorf("%s: %s", name, what))
	f.Param, f.Code, f.Message = param, "malformed", name+": "+what
	return f
}
