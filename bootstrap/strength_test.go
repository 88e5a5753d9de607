package bootstrap

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

func TestWhatIsMadeByHandIsGuessable(t *testing.T) {
	for _, s := range []string{
		"", strings.Repeat("a", 32), strings.Repeat("a", 4096), strings.Repeat("ab", 16), strings.Repeat("Aq7#", 12), strings.Repeat("0123456789", 4),
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", "abcedfghijklmnopqrstuvwxyz1234567890", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
		"zyxwvutsrqponmlkjihgfedcba9876543210", "qwertyuiopasdfghjklzxcvbnm1234567890", "0123456789abcdef0123456789abcdef", "00112233445566778899aabbccddeeff",
		"change-me-change-me-change-me-change-me", "change-me-please-this-is-not-a-secret", "CHANGE_ME_TO_A_LONG_RANDOM_STRING_1234",
		"passwordpasswordpasswordpassword", "supersecretkeythatisatleast32byteslong", "your-256-bit-secret-your-256-bit-secret", "my-super-secret-jwt-signing-key-for-forge1-prod",
		"replace-this-with-at-least-32-random-bytes", "deadbeefdeadbeefdeadbeefdeadbeef", "harness-secret-harness-secret-harness-secret-", strings.Repeat("äöü", 20),
		"11111111112222222222333333333344444444445555555555",
	} {
		if !guessable(s) {
			t.Errorf("%q counts as random", s)
		}
	}
}

func TestWhatAGeneratorMakesIsNotGuessable(t *testing.T) {
	encodings := map[string]func([]byte) string{
		"hex": hex.EncodeToString, "base64": base64.StdEncoding.EncodeToString, "base64url": base64.RawURLEncoding.EncodeToString, "bytes": func(b []byte) string { return string(b) },
		"digits": func(b []byte) string {
			for i := range b {
				b[i] = '0' + b[i]%10
			}
			return string(b)
		},
	}
	for name, encode := range encodings {
		for _, n := range []int{16, 24, 32, 64} {
			for range 5000 {
				b := make([]byte, n)
				_, _ = rand.Read(b)
				if s := encode(b); len(s) >= 32 && guessable(s) {
					t.Fatalf("%s of %d bytes: %q counts as guessable", name, n, s)
				}
			}
		}
	}
}
