// Package strictjson reads JSON the way a sign-in service must: valid UTF-8 only, no lone surrogates, no key twice, keys to the letter,
// nothing after the value, and bounds on depth, keys and values. What encoding/json lets through and others read differently is an error
// here, and errors name places, never values.
package strictjson

import (
	"strconv"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/fault"
)

// Limits bound what is read.
type Limits struct {
	Depth  int  // of nesting
	Keys   int  // of one object
	Values int  // in all
	NUL    bool // \u0000 may stand in strings
}

// Kind is what a value is.
type Kind uint8

// The kinds of value.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// Value is a parsed value.
type Value struct {
	Kind    Kind
	True    bool   // of a Bool
	Text    string // of a String, decoded; of a Number, the literal
	Raw     []byte // the value as it was sent; part of the body
	Items   []Value
	Members []Member
}

// Member is a key and its value.
type Member struct {
	Key   string
	Value Value
}

// Member finds a member of an object.
func (v Value) Member(key string) (Value, bool) {
	for i := range v.Members {
		if v.Members[i].Key == key {
			return v.Members[i].Value, true
		}
	}
	return Value{}, false
}

// manyKeys is where a map beats looking through the keys.
const manyKeys = 16

type parser struct {
	b      []byte
	i      int
	limits Limits
	values int
	path   []step // to the value that is read
	err    *fault.Error
}

// step is one key of the path, or one index when item is set.
type step struct {
	key   string
	index int
	item  bool
}

// Parse reads one value that fills the body. It fails with a fault of kind Malformed.
func Parse(body []byte, limits Limits) (Value, error) {
	p := &parser{b: body, limits: limits}
	if !utf8.Valid(body) {
		return Value{}, malformed("the body is not valid UTF-8")
	}
	p.space()
	if p.i == len(body) {
		return Value{}, malformed("the body is empty")
	}
	v, ok := p.value(0)
	if ok {
		if p.space(); p.i < len(body) {
			p.fail("something follows the value")
		}
	}
	if p.err != nil {
		return Value{}, p.err
	}
	return v, nil
}

func malformed(msg string) *fault.Error {
	return fault.New(fault.Malformed, CodeMalformed, "the body is not acceptable JSON: "+msg).
		At(fault.Field{Code: CodeMalformed, Message: msg})
}

func (p *parser) fail(what string) bool {
	if p.err == nil {
		p.err = malformed(what + ", at byte " + strconv.Itoa(p.i))
	}
	return false
}

// twice refuses a key that its object has already, and names it by JSON pointer.
func (p *parser) twice(key string) bool {
	var at Reader
	for _, s := range p.path {
		if s.item {
			at.EnterItem(s.index)
		} else {
			at.Enter(s.key)
		}
	}
	at.Enter(key)
	p.fail("a key stands twice")
	p.err.Fields[0].Pointer = at.Pointer()
	return false
}

func (p *parser) space() {
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

func (p *parser) value(depth int) (v Value, ok bool) {
	if p.values++; p.limits.Values > 0 && p.values > p.limits.Values {
		return v, p.fail("there are too many values")
	}
	if p.i == len(p.b) {
		return v, p.fail("a value is missing")
	}
	start := p.i
	switch c := p.b[p.i]; {
	case c == '{':
		v.Kind = Object
		v.Members, ok = p.object(depth + 1)
	case c == '[':
		v.Kind = Array
		v.Items, ok = p.array(depth + 1)
	case c == '"':
		v.Kind = String
		v.Text, ok = p.string()
	case c == 't':
		v.Kind, v.True, ok = Bool, true, p.word("true")
	case c == 'f':
		v.Kind, ok = Bool, p.word("false")
	case c == 'n':
		v.Kind, ok = Null, p.word("null")
	case c == '-' || c >= '0' && c <= '9':
		v.Kind, ok = Number, p.number()
		v.Text = string(p.b[start:p.i])
	default:
		return v, p.fail("a value is missing")
	}
	v.Raw = p.b[start:p.i]
	return v, ok
}

func (p *parser) word(w string) bool {
	if len(p.b)-p.i < len(w) || string(p.b[p.i:p.i+len(w)]) != w {
		return p.fail("a value is missing")
	}
	p.i += len(w)
	return true
}

func (p *parser) object(depth int) (out []Member, ok bool) {
	if depth > p.limits.Depth {
		return nil, p.fail("the nesting is too deep")
	}
	p.i++
	if p.space(); p.is('}') {
		return nil, true
	}
	var seen map[string]bool
	for {
		if p.i == len(p.b) || p.b[p.i] != '"' {
			return nil, p.fail("a key is missing")
		}
		key, ok := p.string()
		if !ok {
			return nil, false
		}
		if len(out) >= p.limits.Keys {
			return nil, p.fail("an object has too many keys")
		}
		if len(out) == manyKeys {
			seen = keysOf(out)
		}
		if seen[key] || seen == nil && has(out, key) {
			return nil, p.twice(key)
		}
		if seen != nil {
			seen[key] = true
		}
		if p.space(); !p.is(':') {
			return nil, p.fail("a colon is missing")
		}
		p.space()
		p.path = append(p.path, step{key: key})
		v, ok := p.value(depth)
		if !ok {
			return nil, false
		}
		p.path = p.path[:len(p.path)-1]
		out = append(out, Member{key, v})
		if p.space(); p.is('}') {
			return out, true
		}
		if !p.is(',') {
			return nil, p.fail("a comma or brace is missing")
		}
		p.space()
	}
}

// keysOf makes a set of the keys, for objects that have many.
func keysOf(members []Member) map[string]bool {
	seen := make(map[string]bool, 2*manyKeys)
	for i := range members {
		seen[members[i].Key] = true
	}
	return seen
}

func has(out []Member, key string) bool {
	for i := range out {
		if out[i].Key == key {
			return true
		}
	}
	return false
}

func (p *parser) array(depth int) (out []Value, ok bool) {
	if depth > p.limits.Depth {
		return nil, p.fail("the nesting is too deep")
	}
	p.i++
	if p.space(); p.is(']') {
		return nil, true
	}
	for {
		p.path = append(p.path, step{index: len(out), item: true})
		v, ok := p.value(depth)
		if !ok {
			return nil, false
		}
		p.path = p.path[:len(p.path)-1]
		out = append(out, v)
		if p.space(); p.is(']') {
			return out, true
		}
		if !p.is(',') {
			return nil, p.fail("a comma or bracket is missing")
		}
		p.space()
	}
}

// is takes one byte if it is c.
func (p *parser) is(c byte) bool {
	if p.i < len(p.b) && p.b[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) number() bool {
	p.is('-')
	switch {
	case p.is('0'):
	case !p.digits():
		return p.fail("a number is not one")
	}
	if p.is('.') && !p.digits() {
		return p.fail("a number is not one")
	}
	if p.is('e') || p.is('E') {
		if !p.is('+') {
			p.is('-')
		}
		if !p.digits() {
			return p.fail("a number is not one")
		}
	}
	return true
}

func (p *parser) digits() bool {
	start := p.i
	for p.i < len(p.b) && p.b[p.i] >= '0' && p.b[p.i] <= '9' {
		p.i++
	}
	return p.i > start
}
