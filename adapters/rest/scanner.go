package rest

import (
	"strconv"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/fault"
)

// scanner walks over JSON without building anything. Every method does nothing once err is set.
type scanner struct {
	b   []byte
	i   int
	err error
	out envelope
}

// fail notes that the body is not JSON.
func (s *scanner) fail(what string) {
	if s.err == nil {
		what += ", at byte " + strconv.Itoa(s.i)
		s.err = fault.New(fault.Malformed, strictjson.CodeMalformed, "the body is not acceptable JSON: "+what).
			At(fault.Field{Code: strictjson.CodeMalformed, Message: what})
	}
}

// wrong notes that a field does not fit the schema.
func (s *scanner) wrong(pointer, msg string) {
	if s.err == nil {
		s.err = fault.New(fault.Malformed, strictjson.CodeType, "the body does not fit the schema").
			At(fault.Field{Pointer: pointer, Code: strictjson.CodeType, Message: msg})
	}
}

// clash notes that readers could take the body for different things.
func (s *scanner) clash(pointer, msg string) {
	if s.err == nil {
		s.err = fault.New(fault.Malformed, strictjson.CodeMalformed, "the body can be read in more than one way").
			At(fault.Field{Pointer: pointer, Code: strictjson.CodeMalformed, Message: msg})
	}
}

// breaks notes that a value breaks a rule.
func (s *scanner) breaks(pointer, code, msg string) {
	if s.err == nil {
		s.err = fault.ErrValidation.At(fault.Field{Pointer: pointer, Code: code, Message: msg})
	}
}

func (s *scanner) space() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\n' || s.b[s.i] == '\t' || s.b[s.i] == '\r') {
		s.i++
	}
}

// kind says what the value that begins here is, 0 for none.
func (s *scanner) kind() uint8 {
	if s.i == len(s.b) {
		return 0
	}
	switch c := s.b[s.i]; {
	case c == '"':
		return isString
	case c == '{':
		return isObject
	case c == '[':
		return isArray
	case c == 't', c == 'f':
		return isBool
	case c == 'n':
		return isNull
	case c == '-', c >= '0' && c <= '9':
		return isNumber
	}
	return 0
}

// skip goes past a value that lies in so many objects and arrays.
func (s *scanner) skip(depth int) {
	switch s.kind() {
	case isString:
		s.string()
	case isObject:
		s.object(depth+1, func([]byte) { s.skip(depth + 1) })
	case isArray:
		s.array(depth+1, func() { s.skip(depth + 1) })
	case isNumber:
		s.number()
	case isBool:
		if s.b[s.i] == 't' {
			s.word("true")
		} else {
			s.word("false")
		}
	case isNull:
		s.word("null")
	default:
		s.fail("a value is missing")
	}
}

// integer reads a number; ok says that it is written as a whole one.
func (s *scanner) integer() (n int, ok bool) {
	start := s.i
	if s.skip(1); s.err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(string(s.b[start:s.i]))
	return n, err == nil
}

// atLeast reads a member that is to be a whole number; ok says that it is one, and no less than it may be.
func (s *scanner) atLeast(least int, pointer string) (n int, ok bool) {
	n, ok = s.integer()
	switch {
	case s.err != nil:
	case !ok:
		s.wrong(pointer, "must be a whole number")
	case n < least:
		s.breaks(pointer, "out_of_range", "must be at least "+strconv.Itoa(least))
	}
	return n, ok && s.err == nil
}

// object walks over an object; member must go past the value of each key.
func (s *scanner) object(depth int, member func(key []byte)) {
	if depth > largeJSON.Depth {
		s.fail("the nesting is too deep")
		return
	}
	s.i++
	for first := true; s.err == nil; first = false {
		s.space()
		if first && s.is('}') {
			return
		}
		key := s.key()
		if s.space(); s.err == nil && !s.is(':') {
			s.fail("a colon is missing")
		}
		if s.space(); s.err == nil {
			member(key)
		}
		if s.space(); s.err != nil || s.is('}') {
			return
		}
		if !s.is(',') {
			s.fail("a comma or brace is missing")
		}
	}
}

// array walks over an array; item must go past each item.
func (s *scanner) array(depth int, item func()) {
	if depth > largeJSON.Depth {
		s.fail("the nesting is too deep")
		return
	}
	s.i++
	for first := true; s.err == nil; first = false {
		s.space()
		if first && s.is(']') {
			return
		}
		item()
		if s.space(); s.err != nil || s.is(']') {
			return
		}
		if !s.is(',') {
			s.fail("a comma or bracket is missing")
		}
	}
}

func (s *scanner) is(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) word(w string) {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		s.fail("a value is missing")
		return
	}
	s.i += len(w)
}

func (s *scanner) number() {
	s.is('-')
	ok := s.is('0') || s.digits()
	if s.is('.') {
		ok = s.digits() && ok
	}
	if s.is('e') || s.is('E') {
		if !s.is('+') {
			s.is('-')
		}
		ok = s.digits() && ok
	}
	if !ok {
		s.fail("a number is not one")
	}
}

func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > start
}

// key reads a key; one with escapes is decoded, so that no spelling hides it.
func (s *scanner) key() []byte {
	if s.kind() != isString {
		s.fail("a key is missing")
		return nil
	}
	start := s.i
	n := s.string()
	if s.err != nil {
		return nil
	}
	if raw := s.b[start+1 : s.i-1]; n == len(raw) {
		return raw
	}
	return []byte(s.unescape(start))
}

// text reads a string.
func (s *scanner) text() string {
	start := s.i
	n := s.string()
	if s.err != nil {
		return ""
	}
	if raw := s.b[start+1 : s.i-1]; n == len(raw) {
		return string(raw)
	}
	return s.unescape(start)
}

// unescape decodes the string that began at start and ended here.
func (s *scanner) unescape(start int) string {
	v, err := strictjson.Parse(s.b[start:s.i], strictjson.Limits{NUL: true})
	if err != nil {
		s.fail("an escape is not one")
	}
	return v.Text
}

// countText counts a string's bytes as text; another value is only passed.
func (s *scanner) countText(depth int) {
	if s.kind() == isString {
		s.out.textBytes += s.string()
		return
	}
	s.skip(depth)
}

// countRaw counts a schema as it was sent.
func (s *scanner) countRaw(depth int) {
	start, isSchema := s.i, s.kind() == isObject
	if s.skip(depth); isSchema {
		s.out.textBytes += s.i - start
	}
}

// texts walks over a list of functions, as tools and tool_calls hold them, and counts two of their strings and the schema as text.
func (s *scanner) texts(one, other string, depth int) {
	if s.kind() != isArray {
		s.skip(depth)
		return
	}
	s.array(depth+1, func() {
		if s.kind() != isObject {
			s.skip(depth + 1)
			return
		}
		s.object(depth+2, func(key []byte) {
			if string(key) != "function" || s.kind() != isObject {
				s.skip(depth + 2)
				return
			}
			s.object(depth+3, func(key []byte) {
				switch string(key) {
				case one, other:
					s.countText(depth + 3)
				case "parameters":
					s.countRaw(depth + 3)
				default:
					s.skip(depth + 3)
				}
			})
		})
	})
}
