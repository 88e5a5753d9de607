package rest

import (
	"cmp"
	"slices"
)

// Items of a conversation are kept and put together as the bytes that they came in.

// edit is a piece of a text that becomes another.
type edit struct {
	span
	with []byte
}

// edited makes the edits, which do not overlap, of a text.
func edited(b []byte, edits []edit) []byte {
	if len(edits) == 0 {
		return b
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Or(a.from-b.from, a.to-b.to) })
	n := len(b)
	for _, e := range edits {
		n += len(e.with) - (e.to - e.from)
	}
	out, from := make([]byte, 0, n), 0
	for _, e := range edits {
		out = append(append(out, b[from:e.from]...), e.with...)
		from = e.to
	}
	return append(out, b[from:]...)
}

// membersOf finds the values of an object's members, by their places in the text. It is false for what is no object, and what has a key twice.
func membersOf(b []byte, from int) (map[string]span, bool) {
	s := &scanner{b: b, i: from}
	s.space()
	if s.kind() != isObject {
		return nil, false
	}
	out, twice := map[string]span{}, false
	s.object(1, func(key []byte) {
		start := s.i
		s.skip(1)
		if _, there := out[string(key)]; there {
			twice = true
		}
		out[string(key)] = span{start, s.i}
	})
	return out, s.err == nil && !twice
}

// itemsOf gives the items of an array as they stand in the text; none for anything else.
func itemsOf(b []byte) [][]byte {
	s := &scanner{b: b}
	s.space()
	if s.kind() != isArray {
		return nil
	}
	var out [][]byte
	s.array(1, func() {
		start := s.i
		s.skip(1)
		out = append(out, b[start:s.i:s.i])
	})
	if s.err != nil {
		return nil
	}
	return out
}

// arrayOfItems writes an array of items.
func arrayOfItems(items [][]byte) []byte {
	n := 2
	for _, item := range items {
		n += len(item) + 1
	}
	b := append(make([]byte, 0, n), '[')
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, item...)
	}
	return append(b, ']')
}

// itemHead is what tells items apart.
type itemHead struct {
	kind, id string
	sealed   bool // it has the encrypted content of a thought
	role     bool
	members  map[string]span
}

func headOfItem(item []byte) (h itemHead) {
	members, ok := membersOf(item, 0)
	if !ok {
		return h
	}
	h.members = members
	h.kind, h.id = h.text(item, "type"), h.text(item, "id")
	h.sealed = h.text(item, "encrypted_content") != ""
	_, h.role = members["role"]
	return h
}

// text reads a member that is a string; "" for anything else.
func (h *itemHead) text(item []byte, key string) string { return textAt(item, h.members, key) }

// textAt reads a member that is a string; "" for anything else.
func textAt(b []byte, members map[string]span, key string) string {
	at, there := members[key]
	if !there || b[at.from] != '"' {
		return ""
	}
	s := &scanner{b: b[:at.to], i: at.from}
	return s.text()
}

func (h *itemHead) refers() bool { return refersTo(h.kind, h.id != "", h.sealed, h.role) }

// lasting gives the items of an answer that can be sent back: a thought without what the vendor wants back cannot.
func lasting(items [][]byte) [][]byte {
	return slices.DeleteFunc(slices.Clone(items), func(item []byte) bool {
		h := headOfItem(item)
		return h.kind == "reasoning" && !h.sealed
	})
}
