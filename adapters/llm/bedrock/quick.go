package bedrock

import (
	"bytes"
	"unicode/utf8"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
)

// deltaMark is what an event begins with that is a piece of a block, as unframe writes it.
var deltaMark = []byte(`{"contentBlockDelta":`)

// quick reads a piece of a text, a thought or an input, which nearly all events of a stream are, without encoding/json. ok is false for anything else, and
// for anything odd: that is to be read the long way.
func (b *blockDelta) quick(data []byte) (ok bool) {
	if !bytes.HasPrefix(data, deltaMark) || !utf8.Valid(data) {
		return false
	}
	whole := jsonscan.Walk(data, 0)
	if _, ok := whole.Next(); !ok {
		return false
	}
	w := whole.Inner()
	if !w.Object() {
		return false
	}
	for key, more := w.Next(); more; key, more = w.Next() {
		switch string(key) {
		case "contentBlockIndex":
			n := w.Skip()
			if len(n) > 9 || len(bytes.Trim(n, "0123456789")) > 0 {
				return false
			}
			b.Index = jsonscan.Number(n)
		case "delta":
			d := w.Inner()
			if !d.Object() || !b.member(&d) {
				return false
			}
			w.Leave(&d)
		case "p": // padding
			w.Skip()
		default:
			return false
		}
	}
	whole.Leave(&w)
	_, more := whole.Next()
	return !more && whole.Whole()
}

// member reads the one member of a delta.
func (b *blockDelta) member(d *jsonscan.Walker) bool {
	key, ok := d.Next()
	switch {
	case !ok:
		return false
	case string(key) == "text":
		b.Delta.Text, ok = textOf(d)
	case string(key) == "toolUse":
		b.Delta.ToolUse = &inputDelta{}
		ok = only(d, "input", &b.Delta.ToolUse.Input)
	case string(key) == "reasoningContent":
		b.Delta.Reasoning = &reasoningDelta{}
		ok = only(d, "text", &b.Delta.Reasoning.Text)
	default:
		return false
	}
	if !ok {
		return false
	}
	_, more := d.Next()
	return !more
}

// only reads an object whose one member is a text of a name.
func only(d *jsonscan.Walker, name string, to *string) (ok bool) {
	o := d.Inner()
	if !o.Object() {
		return false
	}
	key, ok := o.Next()
	if !ok || string(key) != name {
		return false
	}
	if *to, ok = textOf(&o); !ok {
		return false
	}
	if _, more := o.Next(); more {
		return false
	}
	d.Leave(&o)
	return true
}

// textOf reads a value that is a text.
func textOf(w *jsonscan.Walker) (string, bool) {
	if w.At() != '"' {
		return "", false
	}
	v := w.Skip()
	return jsonscan.Unquote(v), v != nil
}
