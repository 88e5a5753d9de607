package password_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/adapters/password"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

var _ outbound.NormalText = password.Normal

// policy measures what the hasher hashes.
var policy = user.PasswordPolicy{MinLength: user.DefaultMinPassword, Normal: password.Normal}

func verdict(text string) string {
	e, ok := errors.AsType[*fault.Error](policy.Check("/password", secret.New(text), "françois"))
	if !ok {
		return ""
	}
	return e.Fields[0].Code
}

func TestAPasswordIsMeasuredAsItIsHashed(t *testing.T) {
	syllables := func(n int) string { // of Hangul, three bytes each; decomposed they are nine
		var b strings.Builder
		for i := range n {
			b.WriteRune(rune(0xac01 + (i*i*i*37+i*101)%11171))
		}
		return b.String()
	}
	for name, c := range map[string]struct{ text, want string }{
		"eleven letters, twenty-two typed": {norm.NFD.String("éàüôîçñåøéx"), "too_short"},
		"twelve letters":                   {norm.NFD.String("éàüôîçñåéàxz"), ""},
		"128 syllables":                    {norm.NFD.String(syllables(128)), ""},
		"129 syllables":                    {norm.NFD.String(syllables(129)), "too_long"},
		"a name, decomposed":               {"xx " + norm.NFD.String("françois") + " xx", "contains_identity"},
	} {
		if got := verdict(c.text); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestAPasswordMayBeTypedInAnyForm(t *testing.T) {
	h := password.New(password.Config{Params: cheap})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.OneOf(rapid.RuneFrom([]rune("éàüôîçñåxyz 𝄞ﬁſΐ각힣\u0301\u0323")), rapid.Rune()), 8, 40, -1).Draw(t, "text")
		composed, decomposed := norm.NFC.String(text), norm.NFD.String(text)
		if a, b, c := verdict(text), verdict(composed), verdict(decomposed); a != b || b != c {
			t.Fatalf("%+q: as typed %q, composed %q, decomposed %q", text, a, b, c)
		}
		phc, err := h.Hash(t.Context(), secret.New(composed))
		if err != nil {
			t.Fatal(err)
		}
		if ok, _, err := h.Verify(t.Context(), phc, secret.New(decomposed)); !ok || err != nil {
			t.Fatalf("%+q: decomposed: got %v, %v", text, ok, err)
		}
		if ok, _, err := h.Verify(t.Context(), phc, secret.New(norm.NFKC.String(text))); ok != (norm.NFKC.String(text) == composed) || err != nil {
			t.Fatalf("%+q: of compatible letters: got %v, %v", text, ok, err)
		}
	})
}
