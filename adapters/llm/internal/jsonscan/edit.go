package jsonscan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Failures of Find.
var (
	ErrNotObject = errors.New("the body must be a JSON object")
	ErrInvalid   = errors.New("the body is not valid JSON")
)

// TwiceError is a key that stands twice where it may stand once: parsers disagree on which of two counts, and what one of them lets through another
// refuses.
type TwiceError struct{ Key string }

// Error names the key.
func (e *TwiceError) Error() string { return fmt.Sprintf("%s: stands twice", e.Key) }

// Span is where a member of an object stands: From its key, Value its value, up to To.
type Span struct{ From, Value, To int }

// Found reports whether there is such a member.
func (s Span) Found() bool { return s.To > 0 }

// Of gives the value.
func (s Span) Of(b []byte) []byte { return b[s.Value:s.To] }

// Find gives, for each key, where its member stands in an object, and checks all of the object. at has room for a span of each key; keys are compared
// unescaped. It fails with ErrNotObject, ErrInvalid or a *TwiceError.
func Find(object []byte, at []Span, keys ...string) error {
	w := Walk(object, 0)
	if !w.Object() {
		return ErrNotObject
	}
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		value := w.Pos()
		if w.Skip() == nil {
			break
		}
		for i, k := range keys {
			if string(key) != k {
				continue
			}
			if at[i].Found() {
				return &TwiceError{Key: k}
			}
			at[i] = Span{From: w.Begin(), Value: value, To: w.Pos()}
		}
	}
	if !w.Whole() {
		return ErrInvalid
	}
	return nil
}

// Edit replaces body[From:To] by Text.
type Edit struct {
	From, To int
	Text     []byte
}

// Insert puts a member first into the object at the beginning of body, white space aside.
func Insert(body, member []byte) Edit {
	open := space(body, 0) + 1
	if i := space(body, open); i < len(body) && body[i] != '}' {
		member = append(slices.Clip(member), ',')
	}
	return Edit{From: open, To: open, Text: member}
}

// Cut makes the edits that take items out of an object or a list, with the commas that go with them. items are all that there are, in order.
func Cut(edits []Edit, items []Span, gone func(i int) bool) []Edit {
	for i := 0; i < len(items); i++ {
		if !gone(i) {
			continue
		}
		first := i
		for i+1 < len(items) && gone(i+1) {
			i++
		}
		switch {
		case i+1 < len(items):
			edits = append(edits, Edit{From: items[first].From, To: items[i+1].From})
		case first > 0:
			edits = append(edits, Edit{From: items[first-1].To, To: items[i].To})
		default:
			edits = append(edits, Edit{From: items[first].From, To: items[i].To})
		}
	}
	return edits
}

// Apply makes the edited copy of a body. An edit within what another takes out is left out; others do not overlap.
func Apply(body []byte, edits []Edit) []byte {
	size := len(body)
	for _, e := range edits {
		size += len(e.Text)
	}
	slices.SortStableFunc(edits, func(a, b Edit) int {
		switch c := cmp.Compare(a.From, b.From); {
		case c != 0:
			return c
		case a.From == a.To || b.From == b.To: // what is put in stands before what is taken out
			return cmp.Compare(a.To, b.To)
		default:
			return cmp.Compare(b.To, a.To)
		}
	})
	out := make([]byte, 0, size)
	last := 0
	for _, e := range edits {
		if e.From < last {
			continue
		}
		out = append(append(out, body[last:e.From]...), e.Text...)
		last = e.To
	}
	return append(out, body[last:]...)
}
