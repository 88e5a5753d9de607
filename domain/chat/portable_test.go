package chat_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/chat"
)

func TestIDsThatEveryVendorTakes(t *testing.T) {
	for id, stays := range map[string]bool{
		"call_abc": true, "toolu_bdrk_01-x": true, strings.Repeat("x", 40): true,
		"": false, strings.Repeat("x", 41): false, "functions.weather:0": false, "ä": false, "a b": false,
	} {
		if got := chat.PortableID(id); (got == id) != stays {
			t.Errorf("%q became %q, want it to stay: %t", id, got, stays)
		}
	}
	taken := regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		pa := chat.PortableID(a)
		if !taken.MatchString(pa) || chat.PortableID(pa) != pa {
			t.Fatalf("%q became %q, which is not taken or does not stay", a, pa)
		}
		if (a == b) != (pa == chat.PortableID(b)) {
			t.Fatalf("%q and %q became one", a, b)
		}
	})
}

func TestSignaturesComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.StringMatching(`[ -~]*`)
		want := &chat.Signature{Format: line.Draw(t, "format"), ID: line.Draw(t, "id"), Data: rapid.String().Draw(t, "data")}
		got, ok := chat.Unwrap(want.Wrap())
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Fatalf("unwrapped: %t (-want +got):\n%s", ok, diff)
		}
		if own := rapid.String().Draw(t, "own"); !strings.HasPrefix(own, chat.SignatureMark) {
			if _, ok := chat.Unwrap(own); ok {
				t.Fatalf("%q was taken for one of ours", own)
			}
		}
	})
	for _, broken := range []string{chat.SignatureMark, chat.SignatureMark + "!", chat.SignatureMark + "YQ"} {
		if _, ok := chat.Unwrap(broken); ok {
			t.Errorf("%q was read", broken)
		}
	}
}
