package catalogue

import (
	"errors"
	"strings"
)

// A pattern stands for names: * for any text without a slash, # for a digit, all else for itself.

var errPattern = errors.New("is no pattern: at most 200 of letters, digits, . _ : / @ ~ + - and * and #, with at most four * and six letters or more")

// checkPattern reports whether a pattern is one that says enough.
func checkPattern(pattern string) error {
	if len(pattern) > maxName || strings.Count(pattern, "*") > 4 || specific(pattern) < 6 {
		return errPattern
	}
	for i := range len(pattern) {
		if c := pattern[i]; c != '*' && c != '#' && !ordinary(c) {
			return errPattern
		}
	}
	return nil
}

// maxName bounds a name and a pattern, in bytes.
const maxName = 200

// ordinary reports whether a byte may stand in a name that a pattern is for.
func ordinary(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._:/@~+-", c) >= 0
}

func ordinaryName(name string) bool {
	for i := range len(name) {
		if !ordinary(name[i]) {
			return false
		}
	}
	return len(name) > 0 && len(name) <= maxName
}

// specific counts what a pattern says itself.
func specific(pattern string) int { return len(pattern) - strings.Count(pattern, "*") }

// matches reports whether the pattern stands for the whole name.
func matches(pattern, name string) bool {
	star, from := -1, 0 // the last *, and where the name was when it was met
	p, n := 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, n
			p++
		case p < len(pattern) && (pattern[p] == name[n] || pattern[p] == '#' && name[n] >= '0' && name[n] <= '9'):
			p++
			n++
		case star >= 0 && name[from] != '/':
			from++
			p, n = star+1, from
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// undated cuts the date off a snapshot's name: gpt-4o-2024-08-06, claude-haiku-4-5-20251001, gemini-2.5-flash-001.
func undated(model string) (string, bool) {
	for _, form := range []string{"-####-##-##", "-########", "-###"} {
		if cut := len(model) - len(form); cut > 0 && matches(form, model[cut:]) {
			return model[:cut], true
		}
	}
	return "", false
}
