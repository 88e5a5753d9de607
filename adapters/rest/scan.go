package rest

import (
	"strings"
	"unicode/utf8"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/fault"
)

// envelope is what routing must know of a body, whatever its dialect.
type envelope struct {
	model        string
	user         string // "" when absent, or not fit to be kept
	stream       bool
	includeUsage bool
	maxTokens    int
	tools        bool
	schema       bool
	vision       bool
	textBytes    int
	others       []string // models that a vendor may answer with in place of it
	tokens       bool     // of embeddings: the input is tokens, not text
	base64       bool     // of embeddings: so the client wants them
}

// bodyFields says which fields of a dialect's body decide something, and how they are read.
type bodyFields struct {
	// known says what is known of a field: its place in the set of those seen, less than 64, and which kinds it may have. -1: nothing.
	known func(key []byte) (place int, kinds uint8)
	// required are the fields that must be there.
	required []string
	// read goes past the value of a known field, whose kind has been checked.
	read func(s *scanner, place int, kind uint8)
}

// Kinds of value by their first byte, as a set.
const (
	isNull = 1 << iota
	isBool
	isNumber
	isString
	isArray
	isObject
)

// maxName bounds a model's name, and what is kept as the end user's.
const maxName = 256

// plainText reports whether a name may be kept and shown.
func plainText(s string) bool {
	return s != "" && len(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// kindNames say the kinds of a set.
func kindNames(kinds uint8) string {
	var names []string
	for i, name := range []string{"null", "true or false", "a number", "a string", "an array", "an object"} {
		if kinds&(1<<i) != 0 && i > 0 {
			names = append(names, name)
		}
	}
	return "must be " + strings.Join(names, " or ")
}

// scan reads a body once, proves that it is JSON, and takes from it what routing must know. A field that decides something is refused
// when it stands twice, or in another spelling that some reader takes for it.
func scan(body []byte, f *bodyFields) (envelope, error) {
	s := &scanner{b: body}
	if !utf8.Valid(body) {
		s.fail("it is not valid UTF-8")
	} else {
		s.top(f)
	}
	if s.err != nil {
		return envelope{}, s.err
	}
	return s.out, nil
}

// top reads the body's object.
func (s *scanner) top(f *bodyFields) {
	s.space()
	if k := s.kind(); k != isObject {
		if s.i < len(s.b) && k != 0 {
			s.wrong("", "must be an object")
		} else {
			s.fail("an object is missing")
		}
		return
	}
	var seen uint64
	missing := len(f.required)
	s.object(1, func(key []byte) {
		place, kinds := f.known(key)
		if place < 0 {
			s.lookalike(f, key)
			s.skip(1)
			return
		}
		if seen&(1<<place) != 0 {
			s.clash("/"+string(key), "stands twice")
			return
		}
		seen |= 1 << place
		for _, name := range f.required {
			if name == string(key) {
				missing--
			}
		}
		k := s.kind()
		if k&kinds == 0 {
			if k != 0 {
				s.wrong("/"+string(key), kindNames(kinds))
			} else {
				s.fail("a value is missing")
			}
			return
		}
		f.read(s, place, k)
	})
	if s.space(); s.err == nil && s.i < len(s.b) {
		s.fail("something follows the object")
	}
	if missing == 0 {
		return
	}
	for _, key := range f.required {
		if place, _ := f.known([]byte(key)); s.err == nil && seen&(1<<place) == 0 {
			s.err = fault.New(fault.Malformed, strictjson.CodeMissing, "the field is required").
				At(fault.Field{Pointer: "/" + key, Code: strictjson.CodeMissing, Message: "is required"})
		}
	}
}

// lookalike refuses a key that some JSON readers take for a field that decides something: MODEL for model.
func (s *scanner) lookalike(f *bodyFields, key []byte) {
	lower := strings.ToLower(string(key)) // folds the Kelvin sign and its like, as encoding/json does
	if lower == string(key) && !strings.Contains(lower, "ſ") {
		return
	}
	if place, _ := f.known([]byte(strings.ReplaceAll(lower, "ſ", "s"))); place >= 0 {
		s.clash("/"+string(key), "is another spelling of a field that exists")
	}
}
