package strictjson

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

func (p *parser) string() (string, bool) {
	p.i++
	start := p.i
	for p.i < len(p.b) {
		switch c := p.b[p.i]; {
		case c == '"':
			p.i++
			return string(p.b[start : p.i-1]), true
		case c == '\\':
			return p.escaped(start)
		case c < ' ':
			return "", p.fail("a control character stands in a string")
		}
		p.i++
	}
	return "", p.fail("a string does not end")
}

// escaped reads a string on from its first backslash.
func (p *parser) escaped(start int) (string, bool) {
	out := append(make([]byte, 0, 2*(p.i-start)+16), p.b[start:p.i]...)
	for p.i < len(p.b) {
		switch c := p.b[p.i]; {
		case c == '"':
			p.i++
			return string(out), true
		case c < ' ':
			return "", p.fail("a control character stands in a string")
		case c != '\\':
			out = append(out, c)
			p.i++
		default:
			var ok bool
			if out, ok = p.escape(out); !ok {
				return "", false
			}
		}
	}
	return "", p.fail("a string does not end")
}

func (p *parser) escape(out []byte) ([]byte, bool) {
	if p.i+1 >= len(p.b) {
		return nil, p.fail("a string does not end")
	}
	c := p.b[p.i+1]
	if c == 'u' {
		return p.unicode(out)
	}
	const from, to = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	for k := range len(from) {
		if from[k] == c {
			p.i += 2
			return append(out, to[k]), true
		}
	}
	return nil, p.fail("an escape is not one")
}

func (p *parser) unicode(out []byte) ([]byte, bool) {
	r, ok := p.hex(p.i)
	if !ok {
		return nil, p.fail("an escape is not one")
	}
	if r == 0 && !p.limits.NUL {
		return nil, p.fail("a NUL stands in a string")
	}
	p.i += 6
	if utf16.IsSurrogate(r) {
		low, ok := p.hex(p.i)
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return nil, p.fail("a surrogate stands alone")
		}
		p.i += 6
	}
	return utf8.AppendRune(out, r), true
}

// hex reads \uXXXX at a place.
func (p *parser) hex(at int) (rune, bool) {
	if at+6 > len(p.b) || p.b[at] != '\\' || p.b[at+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(p.b[at+2:at+6]), 16, 16)
	return rune(n), err == nil
}
