package rest

import (
	"encoding/binary"
	"math/bits"
	"strconv"
)

// Eight bytes at once: the low and the high bit of each.
const (
	lows  = 0x0101010101010101
	highs = 0x8080808080808080
)

// string goes past a string and gives the length of what it says.
func (s *scanner) string() (n int) {
	s.i++
	for start := s.i; ; {
		s.i = plainUntil(s.b, s.i)
		if s.i == len(s.b) {
			s.fail("a string does not end")
			return 0
		}
		switch s.b[s.i] {
		case '"':
			s.i++
			return n + s.i - 1 - start
		case '\\':
			n += s.i - start
			n += s.escape()
			if s.err != nil {
				return 0
			}
			start = s.i
		default:
			s.fail("a control character stands in a string")
			return 0
		}
	}
}

// plainUntil finds the next quote, backslash or control character.
func plainUntil(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, slash := w^(lows*'"'), w^(lows*'\\')
		hit := ((quote-lows)&^quote | (slash-lows)&^slash | (w-lows*' ')&^w) & highs
		if hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= ' ' {
		i++
	}
	return i
}

// escape goes past an escape and gives the length of what it says.
func (s *scanner) escape() int {
	if s.i+1 >= len(s.b) {
		s.fail("a string does not end")
		return 0
	}
	switch s.b[s.i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i += 2
		return 1
	case 'u':
	default:
		s.fail("an escape is not one")
		return 0
	}
	r, ok := hex4(s.b, s.i)
	if !ok {
		s.fail("an escape is not one")
		return 0
	}
	s.i += 6
	switch {
	case r < 0x80:
		return 1
	case r < 0x800:
		return 2
	case r < 0xD800 || r > 0xDFFF:
		return 3
	}
	if low, ok := hex4(s.b, s.i); r > 0xDBFF || !ok || low < 0xDC00 || low > 0xDFFF {
		s.fail("a surrogate stands alone")
		return 0
	}
	s.i += 6
	return 4
}

// hex4 reads \uXXXX at a place.
func hex4(b []byte, i int) (rune, bool) {
	if i+6 > len(b) || b[i] != '\\' || b[i+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[i+2:i+6]), 16, 16)
	return rune(n), err == nil
}
