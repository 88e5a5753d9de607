package bootstrap

import (
	"math"
	"strings"
)

// enoughBits is what a root secret must be worth by the estimate here. It errs on the low side: of 400,000 random texts of 32 hex digits the least was
// worth 70, of 32 decimal digits 52; samples found in manuals are worth up to 33.
const enoughBits = 48

// commonWords are what secrets made by hand are made of. Whoever guesses tries them first.
var commonWords = []string{
	"abcd", "admin", "auth", "backend", "change", "default", "demo", "development", "dummy", "example", "forge", "hello", "here", "insecure", "jwt",
	"key", "least", "letmein", "local", "long", "make", "must", "password", "passw0rd", "placeholder", "please", "private", "prod", "production",
	"qwerty", "random", "replace", "root", "sample", "secret", "secure", "sign", "signing", "string", "super", "test", "that", "this", "token", "very",
	"with", "your", "bytes", "char", "character", "characters", "should", "the", "not", "use", "bit", "dev", "value", "some",
}

// keyboard is the order of the keys that fingers run over.
const keyboard = "1234567890qwertyuiopasdfghjklzxcvbnm"

// guessable reports whether a secret is too regular to come from a generator of random bytes: samples, alphabets, repetitions and words. It is an
// estimate from one text, so it lets some bad ones pass; what a generator makes, it does not refuse.
func guessable(s string) bool { return worth(s) < enoughBits }

// worth estimates a secret in bits, by the characters that do not follow from what came before.
func worth(s string) float64 {
	text := lower(s)
	known := make([]bool, len(s))
	for _, w := range commonWords {
		for at := 0; ; at++ {
			i := strings.Index(text[at:], w)
			if i < 0 {
				break
			}
			at += i
			for k := range w {
				known[at+k] = true
			}
		}
	}
	seen := map[string]bool{}
	for i := 2; i < len(text); i++ {
		if three := text[i-2 : i+1]; seen[three] || runs(three) {
			known[i] = true
		} else {
			seen[three] = true
		}
	}
	return bits(s, known)
}

// runs reports whether three characters go on in the alphabet or on the keyboard, by nothing or by one, and do not turn back.
func runs(three string) bool {
	return goesOn(int(three[0]), int(three[1]), int(three[2])) ||
		goesOn(strings.IndexByte(keyboard, three[0]), strings.IndexByte(keyboard, three[1]), strings.IndexByte(keyboard, three[2]))
}

func goesOn(a, b, c int) bool {
	first, second := b-a, c-b
	return a >= 0 && b >= 0 && c >= 0 && -1 <= first && first <= 1 && -1 <= second && second <= 1 && first*second >= 0
}

// bits is what the characters that are not known are worth together, by how often each occurs (Shannon).
func bits(s string, known []bool) float64 {
	var count [256]float64
	var n float64
	for i := range len(s) {
		if !known[i] {
			count[s[i]]++
			n++
		}
	}
	var sum float64
	for _, c := range count {
		if c > 0 {
			sum -= c * math.Log2(c/n)
		}
	}
	return sum
}

// lower makes ASCII letters small and leaves every byte where it was.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
