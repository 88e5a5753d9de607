package user

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
)

// Limits of passwords. The least length is the operator's, within these bounds.
const (
	LeastMinPassword   = 8
	DefaultMinPassword = 12
	MostMinPassword    = 64
	MaxPassword        = 128             // code points
	MaxPasswordBytes   = 4 * MaxPassword // no code point takes more than four

	mostSaid            = "must have at most 128 characters and 512 bytes"
	mostTyped           = 3 * MaxPasswordBytes // a text is at most three times as long as its normal form
	shortestContextWord = 4                    // shorter words turn up in good passwords by chance
	shortestJoinedWord  = 6                    // as above, where blanks and marks are left out
	leastSurprises      = 6                    // characters that the one before does not foretell
)

// ErrPasswordPolicy is a password that breaks the policy; its field says how: too_short, too_long, contains_identity, common (a repetition, a sequence, or
// what many people use), breached (known to be stolen; PasswordBreached).
var ErrPasswordPolicy = fault.New(fault.Invalid, "password_policy", "the password does not meet the policy; see errors")

// PasswordBreached is ErrPasswordPolicy for a password that is known to be stolen. Whoever checks a policy asks last whether it is, as that may take a while.
func PasswordBreached(pointer string) error {
	return ErrPasswordPolicy.At(fault.Field{Pointer: pointer, Code: "breached", Message: "has been stolen from another service; whoever tries stolen passwords has it"})
}

// PasswordPolicy says which new passwords are taken. It looks at nothing but what it is given, so its answer tells nothing of who has an account. There are
// no character classes: length and surprise count.
type PasswordPolicy struct {
	MinLength int
	// Normal gives the form that is hashed (Unicode NFC), which is the one that is measured: an é is one character however it was typed. Nil: as given.
	Normal func(string) string
	// Common reports what many people use. Nil: nothing.
	Common func(string) bool
}

// Check refuses a password that is too short, too long, made of the words of its context (the address's local part, the username, the tenant's name) or of
// our own name, or common. It fails with ErrPasswordPolicy naming the pointer.
func (p PasswordPolicy) Check(pointer string, password secret.Text, context ...string) error {
	refuse := func(code, msg string) error {
		return ErrPasswordPolicy.At(fault.Field{Pointer: pointer, Code: code, Message: msg})
	}
	text := password.Reveal()
	if len(text) > mostTyped { // before anything is done with it
		return refuse("too_long", mostSaid)
	}
	text = p.normal(text)
	switch n := utf8.RuneCountInString(text); {
	case n > MaxPassword: // more than MaxPasswordBytes are more code points as well
		return refuse("too_long", mostSaid)
	case n < p.MinLength:
		return refuse("too_short", "must have at least "+strconv.Itoa(p.MinLength)+" characters; a few unrelated words make a good password")
	}
	if ours(text) || slices.ContainsFunc(context, func(w string) bool { return contains(text, p.normal(w)) }) {
		return refuse("contains_identity", "must not contain your username, your address, your organisation's name or the name of this service")
	}
	if surprises(lowerASCII(text)) < leastSurprises {
		return refuse("common", "must not be a repetition or a sequence")
	}
	if p.Common != nil && p.Common(text) {
		return refuse("common", "is one that many people use, or too close to one; a few unrelated words make a good password")
	}
	return nil
}

func (p PasswordPolicy) normal(text string) string {
	if p.Normal == nil {
		return text
	}
	return p.Normal(text)
}

// ours reports whether a text holds the name of the service: forge, forge1, Forge 1. Where it goes on into another word (forged, forget) it is none.
func ours(text string) bool {
	parts := strings.Split(lowerASCII(text), "forge")
	return slices.ContainsFunc(parts[1:], func(rest string) bool { return rest == "" || !strings.ContainsRune("drst", rune(rest[0])) })
}

func contains(text, word string) bool {
	text, word = strings.ToLower(text), strings.ToLower(word)
	if utf8.RuneCountInString(word) >= shortestContextWord && strings.Contains(text, word) {
		return true
	}
	joined := lettersAndDigits(word)
	return utf8.RuneCountInString(joined) >= shortestJoinedWord && strings.Contains(lettersAndDigits(text), joined)
}

func lettersAndDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (r < '0' || r > '9') && (r < 'a' || r > 'z') {
			return -1
		}
		return r
	}, s)
}

// rows are orders that people type along, in either direction.
var rows = []string{"abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm"}

// surprises counts the characters that do not follow from those before them, by repeating an earlier stretch or by going on along a row.
func surprises(s string) int {
	runes := []rune(s)
	if period := shortestPeriod(runes); period < len(runes) {
		runes = runes[:period]
	}
	n := 0
	for i, r := range runes {
		if i == 0 || r != runes[i-1] && !slices.ContainsFunc(rows, func(row string) bool { return adjacent(row, runes[i-1], r) }) {
			n++
		}
	}
	return n
}

func adjacent(row string, a, b rune) bool {
	return strings.Contains(row, string([]rune{a, b})) || strings.Contains(row, string([]rune{b, a}))
}

// shortestPeriod is the length of the shortest beginning that, said at least twice, makes the whole; the last time may be cut short.
func shortestPeriod(s []rune) int {
	border := make([]int, len(s)) // border[i]: the longest proper beginning of s[:i+1] that is also its end
	for i, k := 1, 0; i < len(s); i++ {
		for k > 0 && s[i] != s[k] {
			k = border[k-1]
		}
		if s[i] == s[k] {
			k++
		}
		border[i] = k
	}
	if len(s) == 0 {
		return 0
	}
	if period := len(s) - border[len(s)-1]; 2*period <= len(s) {
		return period
	}
	return len(s)
}
