package anthropic

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
)

// foreignBlock puts a block that the vendor alone knows together again: what it began with and what came after, so that it can be sent back as if it
// had come whole.
type foreignBlock struct {
	start  []byte
	names  []string // of the members that grew, in the order in which they did
	grown  map[string]*strings.Builder
	fields map[string][]byte // members that were set
	lists  map[string][][]byte
}

func newForeignBlock(start []byte) *foreignBlock {
	return &foreignBlock{
		start: bytes.Clone(start), grown: map[string]*strings.Builder{}, fields: map[string][]byte{}, lists: map[string][][]byte{},
	}
}

// The members of a delta that go by another name in the block.
const (
	memberPartial  = "partial_json"
	memberInput    = "input"
	memberCitation = "citation"
	memberList     = "citations"
)

// add takes a content_block_delta event: text grows the block's member of the same name, partial_json its input, a citation its list, and anything else
// takes the member's place.
func (f *foreignBlock) add(event []byte) {
	w := jsonscan.Walk(event, 0)
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		if string(key) != "delta" {
			w.Skip()
			continue
		}
		d := w.Inner()
		for key, ok := d.Next(); ok; key, ok = d.Next() {
			name := string(key)
			if value := d.Skip(); value != nil && name != "type" && !jsonscan.IsNull(value) {
				f.member(name, value)
			}
		}
		w.Leave(&d)
	}
}

func (f *foreignBlock) member(name string, value []byte) {
	switch {
	case name == memberPartial:
		f.grow(memberInput, jsonscan.Unquote(value))
	case name == memberCitation:
		f.note(memberList)
		f.lists[memberList] = append(f.lists[memberList], bytes.Clone(value))
	case value[0] == '"':
		f.grow(name, jsonscan.Unquote(value))
	default:
		f.note(name)
		f.fields[name] = bytes.Clone(value)
	}
}

func (f *foreignBlock) note(name string) {
	for _, n := range f.names {
		if n == name {
			return
		}
	}
	f.names = append(f.names, name)
}

func (f *foreignBlock) grow(name, piece string) {
	f.note(name)
	if f.grown[name] == nil {
		f.grown[name] = &strings.Builder{}
	}
	f.grown[name].WriteString(piece)
}

// bytes gives the whole block.
func (f *foreignBlock) bytes() []byte {
	if len(f.names) == 0 {
		return f.start
	}
	at := make([]jsonscan.Span, len(f.names))
	if jsonscan.Find(f.start, at, f.names...) != nil {
		return f.start
	}
	var edits []jsonscan.Edit
	var more [][]byte
	for i, name := range f.names {
		var before []byte
		if at[i].Found() {
			before = at[i].Of(f.start)
		}
		value := f.value(name, before)
		switch {
		case value == nil:
		case at[i].Found():
			edits = append(edits, jsonscan.Edit{From: at[i].Value, To: at[i].To, Text: value})
		default:
			more = append(more, append(quote(name), append([]byte{':'}, value...)...))
		}
	}
	out := jsonscan.Apply(f.start, edits)
	if len(more) > 0 {
		end := bytes.LastIndexByte(out, '}')
		out = append(append(append(bytes.TrimRight(out[:end], " \t\r\n"), ','), bytes.Join(more, []byte{','})...), '}')
	}
	return out
}

// value gives what a member came to; nil leaves it as it began.
func (f *foreignBlock) value(name string, before []byte) []byte {
	switch {
	case f.fields[name] != nil:
		return f.fields[name]
	case f.lists[name] != nil:
		return append(append([]byte{'['}, bytes.Join(f.lists[name], []byte{','})...), ']')
	case name == memberInput:
		input := f.grown[name].String()
		if input == "" || !json.Valid([]byte(input)) {
			return nil
		}
		return []byte(input)
	default:
		return quote(jsonscan.Unquote(before) + f.grown[name].String())
	}
}

// quote gives a text as JSON.
func quote(s string) []byte {
	if strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r == '"' || r == '\\' || r > 0x7E }) < 0 {
		return []byte(`"` + s + `"`)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a text can always be written
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}
