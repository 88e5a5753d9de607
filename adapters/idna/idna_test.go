package idna_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/idna"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

var _ outbound.DomainToASCII = idna.ToASCII

func TestToASCII(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"plain":                      {"example.com", "example.com"},
		"upper case":                 {"EXAMPLE.com", "example.com"},
		"umlaut":                     {"exämple.com", "xn--exmple-cua.com"},
		"decomposed umlaut":          {"exa\u0308mple.com", "xn--exmple-cua.com"},
		"already ASCII":              {"xn--exmple-cua.com", "xn--exmple-cua.com"},
		"full-width dot and letters": {"ｅｘａｍｐｌｅ．com", "example.com"},
	} {
		if got, err := idna.ToASCII(c.in); err != nil || got != c.want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, c.want)
		}
	}
	for name, in := range map[string]string{
		"fake punycode":   "xn--a.com",
		"underscore":      "a_b.com",
		"leading hyphen":  "-a.com",
		"zero width":      "a\u200bb\u200d.com",
		"mixed direction": "a\u05d0.com",
		"blank":           "a b.com",
	} {
		if got, err := idna.ToASCII(in); err == nil {
			t.Errorf("%s: got %q, want an error", name, got)
		}
	}
}

func TestOneAccountPerInternationalAddress(t *testing.T) {
	a, err := user.ParseEmail("Ada@exämple.com", idna.ToASCII)
	b, err2 := user.ParseEmail("ada@XN--exmple-cua.com", idna.ToASCII)
	if err != nil || err2 != nil || a.Canon() != b.Canon() || a.Canon() != "ada@xn--exmple-cua.com" {
		t.Errorf("got %q, %v and %q, %v", a.Canon(), err, b.Canon(), err2)
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{"ada@example.com", "A.B+c@exämple.com", "\"a b\"@b.c", "a@[127.0.0.1]", "Bob <a@b.c>", "a@b.c\r\nBcc: x@y.z", "\u0130@b.c", "a@ß.de", "a@xn--0.com", "a@XN--EXMPLE-CUA.com", "a@\u3002com", "a@b\u3002c", "a@\uff41.com", "a@a\u200db.com", "a@\u05d0a.com", "a@xn--a.xn--b", "a@1.2.3.4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := user.ParseEmail(s, idna.ToASCII)
		if err != nil {
			if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Pointer != "/email" {
				t.Errorf("%q: got %v", s, err)
			}
			return
		}
		if len(e.Canon()) > user.MaxEmailBytes || strings.Count(e.Canon(), "@") != 1 || e.LocalPart()+e.Canon()[strings.IndexByte(e.Canon(), '@'):] != e.Canon() {
			t.Errorf("%q: canonical form %q", s, e.Canon())
		}
		if e.String() != s {
			t.Errorf("display: got %q, want %q", e.String(), s)
		}
		again, err := user.ParseEmail(e.Canon(), idna.ToASCII)
		if err != nil || again.Canon() != e.Canon() {
			t.Errorf("%q: canonical form %q is read as %q, %v", s, e.Canon(), again.Canon(), err)
		}
		for i := range len(e.Canon()) {
			if c := e.Canon()[i]; c <= ' ' || c >= 0x7f || c >= 'A' && c <= 'Z' {
				t.Errorf("%q: canonical form %q", s, e.Canon())
			}
		}
	})
}
