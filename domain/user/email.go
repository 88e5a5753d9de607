// Package user holds User: a person with one verified e-mail address, a password, and membership elsewhere by id.
package user

import (
	"net/mail"
	"strings"

	"github.com/forge1/forge1/domain/fault"
)

// Limits of an address (RFC 5321, 4.5.3.1) in bytes.
const (
	MaxEmailBytes     = 254
	MaxEmailLocalPart = 64
)

// Email is an address: as given for display, and in the canonical form that is unique.
type Email struct{ display, canon string }

// ParseEmail reads an address. Nothing is trimmed and nothing folded but ASCII letters; the local part is ASCII; the domain goes through toASCII
// (IDNA lookup profile). It fails with a fault of kind Invalid naming /email.
func ParseEmail(s string, toASCII func(string) (string, error)) (Email, error) {
	bad := fault.ErrValidation.At(fault.Field{Pointer: "/email", Code: "invalid_email", Message: "must be a plain e-mail address such as ada@example.com"})
	if len(s) > MaxEmailBytes {
		return Email{}, bad
	}
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > MaxEmailLocalPart || at == len(s)-1 {
		return Email{}, bad
	}
	local, domain := s[:at], s[at+1:]
	if !plainASCII(local) || strings.ContainsAny(local, "\"(),:;<>[\\]@ ") || strings.ContainsAny(domain, "[]() ,:;<>\\\"@") {
		return Email{}, bad
	}
	if addr, err := mail.ParseAddress(s); err != nil || addr.Address != s || addr.Name != "" {
		return Email{}, bad
	}
	ascii, err := toASCII(domain)
	if err != nil || !hostname(ascii) || len(local)+1+len(ascii) > MaxEmailBytes {
		return Email{}, bad
	}
	return Email{display: s, canon: lowerASCII(local) + "@" + lowerASCII(ascii)}, nil
}

// RestoreEmail makes an address that was kept.
func RestoreEmail(display, canon string) Email { return Email{display, canon} }

// String gives the address as it was given.
func (e Email) String() string { return e.display }

// Canon gives the canonical form: unique, lower case, ASCII.
func (e Email) Canon() string { return e.canon }

// LocalPart gives what stands before the @, in canonical form.
func (e Email) LocalPart() string {
	local, _, _ := strings.Cut(e.canon, "@")
	return local
}

func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

func hostname(s string) bool {
	if len(s) == 0 || len(s) > 253 || !strings.Contains(s, ".") && s != "localhost" {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
				return false
			}
		}
	}
	return true
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
