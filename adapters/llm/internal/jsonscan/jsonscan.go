// Package jsonscan checks JSON and finds values in it in one pass, and copies nothing. Relays look into every body and every event that goes through
// them, and change bodies by edits that leave every other byte as it was. What it takes for JSON is what encoding/json takes.
package jsonscan

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"strconv"
)

// maxDepth is how deep values may be nested, as in encoding/json.
const maxDepth = 10_000

// Walker goes over the members of an object or the elements of a list. After each Next, the value that it found is either skipped or walked
// itself, and then left.
type Walker struct {
	b     []byte
	i     int // the value that Next found, or what follows it
	from  int // where the member or element begins that Next found
	end   byte
	begun bool
	done  bool // the closing bracket is behind it
}

// Walk begins a walk over the object or list that stands at b[i], white space in front of it aside. Of any other value it is over at once.
func Walk(b []byte, i int) Walker {
	if i = space(b, i); i >= len(b) || b[i] != '{' && b[i] != '[' {
		return Walker{b: b, i: len(b)}
	}
	return Walker{b: b, i: i + 1, end: b[i] + 2} // '{' and '}' are two apart, as are '[' and ']'
}

// Object reports whether the walk is over an object.
func (w *Walker) Object() bool { return w.end == '}' }

// List reports whether the walk is over a list.
func (w *Walker) List() bool { return w.end == ']' }

// Next finds a value, and its key, unescaped; nil for an element. ok is false at the end, and where the JSON breaks off or is none: then the walk is
// never Whole.
func (w *Walker) Next() (key []byte, ok bool) {
	i := space(w.b, w.i)
	if i >= len(w.b) || w.done {
		return nil, false
	}
	switch {
	case w.b[i] == w.end:
		w.i, w.done = i+1, true
		return nil, false
	case w.begun && w.b[i] != ',':
		return w.broken()
	case w.begun:
		i = space(w.b, i+1)
	}
	w.begun, w.from = true, i
	if w.end == '}' {
		after := skipString(w.b, i)
		if after < 0 {
			return w.broken()
		}
		key = w.b[i+1 : after-1]
		if bytes.IndexByte(key, '\\') >= 0 {
			key = []byte(Unquote(w.b[i:after]))
		}
		if i = space(w.b, after); i >= len(w.b) || w.b[i] != ':' {
			return w.broken()
		}
		i = space(w.b, i+1)
	}
	w.i = i
	return key, true
}

// broken ends a walk where there is no JSON: it does not go on from there.
func (w *Walker) broken() (key []byte, ok bool) {
	w.i = len(w.b)
	return nil, false
}

// Skip passes over the value that Next found, and gives it. It is nil when it is no JSON, and then the walk is over.
func (w *Walker) Skip() []byte {
	from := w.i
	to := skip(w.b, from, 1)
	if to < 0 {
		w.i = len(w.b)
		return nil
	}
	w.i = to
	return w.b[from:to]
}

// Leave goes on after a value that another walker went over.
func (w *Walker) Leave(inner *Walker) {
	for _, ok := inner.Next(); ok; _, ok = inner.Next() {
		inner.Skip()
	}
	if w.i = inner.i; !inner.done {
		w.i = len(w.b)
	}
}

// Inner begins a walk over the value that Next found.
func (w *Walker) Inner() Walker { return Walk(w.b, w.i) }

// Begin is where the member or the element begins that Next found: its key, or itself.
func (w *Walker) Begin() int { return w.from }

// Pos is where the value stands that Next found, or, after Skip and Leave, where it ends.
func (w *Walker) Pos() int { return w.i }

// At is the first byte of the value that Next found; 0 beyond the end.
func (w *Walker) At() byte {
	if w.i < len(w.b) {
		return w.b[w.i]
	}
	return 0
}

// Whole reports whether the walk came to its end, and nothing but white space follows.
func (w *Walker) Whole() bool { return w.done && space(w.b, w.i) == len(w.b) }

// space gives the first place from i on that holds no white space.
func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skip gives the place after the value that begins at i, or -1 when there is none.
func skip(b []byte, i, depth int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipNested(b, i, depth)
	case 't':
		return skipWord(b, i, "true")
	case 'f':
		return skipWord(b, i, "false")
	case 'n':
		return skipWord(b, i, "null")
	default:
		return skipNumber(b, i)
	}
}

func skipNested(b []byte, i, depth int) int {
	if depth >= maxDepth {
		return -1
	}
	end, object := b[i]+2, b[i] == '{'
	if i = space(b, i+1); i < len(b) && b[i] == end {
		return i + 1
	}
	for {
		if object {
			if i = skipString(b, i); i < 0 {
				return -1
			}
			if i = space(b, i); i >= len(b) || b[i] != ':' {
				return -1
			}
			i = space(b, i+1)
		}
		if i = skip(b, i, depth+1); i < 0 {
			return -1
		}
		if i = space(b, i); i >= len(b) {
			return -1
		}
		if b[i] == end {
			return i + 1
		}
		if b[i] != ',' {
			return -1
		}
		i = space(b, i+1)
	}
}

func skipWord(b []byte, i int, word string) int {
	if len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return -1
	}
	return i + len(word)
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// skipString gives the place after the string that begins at i. Eight bytes at once are passed over while none of them is a quote, a
// backslash or a control character.
func skipString(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	for i++; ; {
		for len(b)-i >= 8 {
			v := binary.LittleEndian.Uint64(b[i:])
			quote, slash := v^ones*'"', v^ones*'\\'
			if special := ((v-ones*0x20)&^v | (quote-ones)&^quote | (slash-ones)&^slash) & highs; special != 0 {
				i += bits.TrailingZeros64(special) / 8 // the lowest mark is never a false one
				break
			}
			i += 8
		}
		if i >= len(b) {
			return -1
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c < 0x20:
			return -1
		case c == '\\':
			if i = skipEscape(b, i); i < 0 {
				return -1
			}
		default:
			i++
		}
	}
}

func skipEscape(b []byte, i int) int {
	if i+1 >= len(b) {
		return -1
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if i+6 > len(b) {
			return -1
		}
		for _, c := range b[i+2 : i+6] {
			if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
				return -1
			}
		}
		return i + 6
	default:
		return -1
	}
}

func skipNumber(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if i = skipDigits(b, i); i < 0 {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		if i = skipDigits(b, i+1); i < 0 {
			return -1
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		return skipDigits(b, i)
	}
	return i
}

// skipDigits wants one at least.
func skipDigits(b []byte, i int) int {
	from := i
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	if i == from {
		return -1
	}
	return i
}

// Unquote reads a string of JSON that is known to be one; "" for any other value.
func Unquote(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1])
	}
	var s string
	_ = json.Unmarshal(value, &s)
	return s
}

// Number reads a number of JSON as a whole one; 0 for any other value.
func Number(value []byte) int {
	n, err := strconv.Atoi(string(value))
	if err == nil {
		return n
	}
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil || f < 0 || f > 1<<50 {
		return 0
	}
	return int(f)
}

// IsNull reports whether a value is null.
func IsNull(value []byte) bool { return len(value) > 0 && value[0] == 'n' }
