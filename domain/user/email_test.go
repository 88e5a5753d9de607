package user_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/user"
)

// asIs stands for IDNA where the domain is ASCII already.
func asIs(s string) (string, error) {
	if s == "refused.example.com" {
		return "", errors.New("refused")
	}
	return strings.ReplaceAll(s, "ä", "xn--a"), nil
}

func field(t *testing.T, err error) (pointer, code string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 {
		return "", ""
	}
	return f.Fields[0].Pointer, f.Fields[0].Code
}

func TestAddresses(t *testing.T) {
	for in, canon := range map[string]string{
		"ada@example.com":                        "ada@example.com",
		"Ada.Lovelace+x@EXAMPLE.Com":             "ada.lovelace+x@example.com",
		"!#$%&'*/=?^_`{|}~-@a.b":                 "!#$%&'*/=?^_`{|}~-@a.b",
		"a@localhost":                            "a@localhost",
		"a@x-y.z0":                               "a@x-y.z0",
		"a@ä.com":                                "a@xn--a.com",
		strings.Repeat("a", 64) + "@example.com": strings.Repeat("a", 64) + "@example.com",
		"a@" + strings.Repeat("a", 63) + ".example.com": "a@" + strings.Repeat("a", 63) + ".example.com",
	} {
		got, err := user.ParseEmail(in, asIs)
		if err != nil || got.Canon() != canon || got.String() != in {
			t.Errorf("%q: got %q, %v, want %q", in, got.Canon(), err, canon)
		}
		if local, _, _ := strings.Cut(canon, "@"); got.LocalPart() != local {
			t.Errorf("%q: local part %q", in, got.LocalPart())
		}
		if again := user.RestoreEmail(got.String(), got.Canon()); again != got {
			t.Errorf("%q: restored as %v", in, again)
		}
	}
}

func TestWhatIsNoPlainAddressIsRefused(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":                  "",
		"no at":                    "ada.example.com",
		"no local part":            "@example.com",
		"no domain":                "ada@",
		"two ats":                  "a@b@c.d",
		"blank before":             " ada@example.com",
		"blank after":              "ada@example.com ",
		"blank inside":             "a da@example.com",
		"a name":                   "Bob <a@b.c>",
		"angle brackets":           "<a@b.c>",
		"a comment":                "a@b.c (x)",
		"a comment in the domain":  "a@(x)b.c",
		"a quoted local part":      `"a b"@b.c`,
		"a quoted plain one":       `"ab"@b.c`,
		"an address literal":       "a@[127.0.0.1]",
		"a list":                   "a@b.c,d@e.f",
		"a group":                  "g:a@b.c;",
		"a line break":             "a@b.c\r\nBcc: x@y.z",
		"an escape":                "a%0d@b.c\x00",
		"a tab":                    "a\t@b.c",
		"delete":                   "a\x7f@b.c",
		"a dot first":              ".a@b.c",
		"two dots":                 "a..b@c.d",
		"a dot last":               "a.@b.c",
		"a Kelvin sign":            "\u212aing@example.com",
		"a dotted capital I":       "\u0130@example.com",
		"a long s":                 "pa\u017fcal@example.com",
		"full width":               "ａda@example.com",
		"Cyrillic":                 "аda@example.com",
		"zero width":               "a\u200bda@example.com",
		"invalid UTF-8":            "a\xff@example.com",
		"a single label":           "a@example",
		"an empty label":           "a@example..com",
		"a final dot":              "a@example.com.",
		"a hyphen first in domain": "a@-example.com",
		"a hyphen last in domain":  "a@example-.com",
		"an underscore in domain":  "a@exa_mple.com",
		"what IDNA refuses":        "a@refused.example.com",
		"a long label":             "a@" + strings.Repeat("a", 64) + ".com",
		"a local part of 65":       strings.Repeat("a", 65) + "@example.com",
		"255 bytes":                "a@" + strings.Repeat("a.", 125) + "com",
		"300000 parentheses":       strings.Repeat("(", 300_000),
	} {
		got, err := user.ParseEmail(in, asIs)
		if pointer, code := field(t, err); pointer != "/email" || code != "invalid_email" || got != (user.Email{}) {
			t.Errorf("%s: got %q, %v", name, got.Canon(), err)
		}
	}
	longer := func(string) (string, error) {
		return strings.Repeat("a", 60) + "." + strings.Repeat("b", 60) + ".example.com", nil
	}
	if _, err := user.ParseEmail(strings.Repeat("l", 64)+"@ä.com", longer); err != nil {
		t.Errorf("within 254 bytes as ASCII: got %v", err)
	}
	longer = func(string) (string, error) {
		return strings.Repeat("a", 63) + "." + strings.Repeat("b", 63) + "." + strings.Repeat("c", 60) + ".com", nil
	}
	if _, err := user.ParseEmail(strings.Repeat("l", 64)+"@ä.com", longer); err == nil {
		t.Error("beyond 254 bytes as ASCII: accepted")
	}
}

func TestUsernames(t *testing.T) {
	for in, want := range map[string]string{
		"ada": "ada", "ADA": "ada", "a.b": "a.b", "a_b-c.d": "a_b-c.d", "007": "007", strings.Repeat("a", 32): strings.Repeat("a", 32), "admin2": "admin2",
	} {
		got, err := user.ParseUsername(in)
		if err != nil || got.String() != want || got.Empty() || user.RestoreUsername(want) != got {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
	for name, in := range map[string]string{
		"nothing": "", "two": "ab", "33": strings.Repeat("a", 33), "a dot first": ".ab", "a hyphen last": "ab-", "an underscore first": "_ab",
		"an address": "admin@x.com", "a blank": "a b", "a blank after": "ab ", "full width": "ａdmin", "Cyrillic": "аdmin", "zero width": "admin\u200b",
		"composed": "caf\u00e9", "Kelvin": "\u212aing", "dotted I": "\u0130an", "a line break": "ab\nc", "a slash": "a/b", "an escape": "a%b",
		"invalid UTF-8": "ab\xffc",
	} {
		got, err := user.ParseUsername(in)
		if pointer, code := field(t, err); pointer != "/username" || code != "invalid_username" || !got.Empty() {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	for _, in := range []string{"admin", "Root", "SUPPORT", "api", "forge", "forge1"} {
		if _, err := user.ParseUsername(in); err == nil {
			t.Errorf("%s: accepted", in)
		} else if _, code := field(t, err); code != "reserved" {
			t.Errorf("%s: got %v", in, err)
		}
	}
}

func TestARegistrationLivesUntilItExpires(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	r := user.Registration{ExpiresAt: now}
	for at, want := range map[time.Time]bool{now.Add(-time.Microsecond): true, now: false, now.Add(time.Hour): false} {
		if got := r.Live(at); got != want {
			t.Errorf("at %v: got %v, want %v", at, got, want)
		}
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{"ada@example.com", "A.B+c@x-y.Z", `"a b"@b.c`, "a@[127.0.0.1]", "Bob <a@b.c>", "a@b.c\r\nBcc: x@y.z", "\u0130@b.c", "a@ä.com", "a@b.c (x)", "a@b.c,d@e.f", " a@b.c", "a@b.c ", "a@@b.c", "a@.b", "a@b..c", "a@-b.c", "a@b.c.", "a@localhost", "a\x00@b.c", "@", "a@", "(((((((((@b.c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := user.ParseEmail(s, asIs)
		if err != nil {
			if pointer, _ := field(t, err); pointer != "/email" {
				t.Errorf("%q: got %v", s, err)
			}
			return
		}
		if len(e.Canon()) > user.MaxEmailBytes || strings.Count(e.Canon(), "@") != 1 || strings.ContainsAny(e.Canon(), " \r\n\t<>()[],;:\\\"") {
			t.Errorf("%q: canonical form %q", s, e.Canon())
		}
		if again, err := user.ParseEmail(e.Canon(), asIs); err != nil || again.Canon() != e.Canon() {
			t.Errorf("%q: canonical form %q is read as %q, %v", s, e.Canon(), again.Canon(), err)
		}
	})
}

func FuzzParseUsername(f *testing.F) {
	for _, s := range []string{"ada", "A.b_c-9", "admin", "\u212aing", "-ab", "", "FORGE", "\uff41dmin", "\u0430dmin", "admin\u200b", "a@b.c", "a\x00b", "a..b", "0x7f.0.0.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := user.ParseUsername(s)
		if err != nil {
			if pointer, code := field(t, err); pointer != "/username" || code == "" || !u.Empty() {
				t.Errorf("%q: got %v, %v", s, u, err)
			}
			return
		}
		if len(u.String()) != len(s) || !strings.EqualFold(u.String(), s) || strings.ContainsAny(u.String(), "@/ABCXYZ") {
			t.Errorf("%q is read as %q", s, u)
		}
		if again, err := user.ParseUsername(u.String()); err != nil || again != u {
			t.Errorf("%q is read as %q, %v", u, again, err)
		}
	})
}
