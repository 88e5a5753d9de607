package letters_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/test/identity"
)

func TestTokensAreRandomAndKeptAsAHash(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		token, hash := letters.NewToken(identity.Random)
		if len(token) != 43 || seen[token] {
			t.Fatalf("token of %d characters, or one of before", len(token))
		}
		seen[token] = true
		if kept, ok := letters.HashOf(token); !ok || kept != hash || hash != sha256.Sum256([]byte(token)) {
			t.Fatal("what is kept is not the token's SHA-256")
		}
	}
}

func TestWhatCannotBeATokenHasNoHash(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "too short": strings.Repeat("A", 42), "too long": strings.Repeat("A", 44), "padded": strings.Repeat("A", 43) + "=",
		"no canonical end": strings.Repeat("A", 42) + "B", "another alphabet": strings.Repeat("A", 42) + "+", "a line break": strings.Repeat("A", 43) + "\n", "no ASCII": strings.Repeat("ü", 43),
	} {
		if _, ok := letters.HashOf(text); ok {
			t.Errorf("%s: taken", name)
		}
	}
}
