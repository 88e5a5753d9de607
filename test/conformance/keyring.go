package conformance

import (
	"bytes"
	"testing"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// Keyring is the suite of outbound.Keyring.
func Keyring(t *testing.T, makeKeyring func(t *testing.T, root secret.Text, previous ...secret.Text) outbound.Keyring) {
	t.Helper()
	first, second := secret.New("the first root secret, long enough"), secret.New("the second root secret, long enough")
	data := []byte("what is signed")

	t.Run("a MAC is right for its label, root and data alone", func(t *testing.T) {
		k := makeKeyring(t, first)
		root, mac := k.MAC("one", data)
		again, same := k.MAC("one", data)
		if root != k.Root() || again != root || same != mac {
			t.Error("the same input gave another MAC")
		}
		if !k.CheckMAC("one", root, data, mac) {
			t.Error("its own MAC is refused")
		}
		flipped := mac
		flipped[31] ^= 1
		for name, ok := range map[string]bool{
			"another label": k.CheckMAC("two", root, data, mac),
			"another root":  k.CheckMAC("one", root+1, data, mac),
			"other data":    k.CheckMAC("one", root, []byte("what is signeD"), mac),
			"a changed MAC": k.CheckMAC("one", root, data, flipped),
		} {
			if ok {
				t.Errorf("%s: accepted", name)
			}
		}
	})
	t.Run("an older root verifies and opens, under its own name, and is not used", func(t *testing.T) {
		old := makeKeyring(t, first)
		root, mac := old.MAC("one", data)
		sealed := old.Seal("box", data, []byte("here"))
		both := makeKeyring(t, second, first)
		if !both.CheckMAC("one", root, data, mac) {
			t.Error("MAC of the previous root: refused")
		}
		if got, err := both.Open("box", sealed, []byte("here")); err != nil || !bytes.Equal(got, data) {
			t.Errorf("text of the previous root: got %q, %v", got, err)
		}
		if both.Root() != makeKeyring(t, second).Root() {
			t.Error("the name of a root depends on what else is there")
		}
		if _, now := both.MAC("one", data); now == mac {
			t.Error("the previous root still signs")
		}
		alone := makeKeyring(t, second)
		if alone.CheckMAC("one", root, data, mac) {
			t.Error("MAC of an unknown root: accepted")
		}
		if _, err := alone.Open("box", sealed, []byte("here")); err == nil {
			t.Error("text of an unknown root: opened")
		}
	})
	t.Run("a sealed text opens in its place alone", func(t *testing.T) {
		k := makeKeyring(t, first)
		sealed := k.Seal("box", data, []byte("here"))
		if bytes.Contains(sealed, data) {
			t.Error("the text can be read")
		}
		if bytes.Equal(sealed, k.Seal("box", data, []byte("here"))) {
			t.Error("two seals of one text are the same")
		}
		if got, err := k.Open("box", sealed, []byte("here")); err != nil || !bytes.Equal(got, data) {
			t.Errorf("got %q, %v, want %q", got, err, data)
		}
		if _, err := k.Open("other", sealed, []byte("here")); err == nil {
			t.Error("another label: opened")
		}
		if _, err := k.Open("box", sealed, []byte("there")); err == nil {
			t.Error("another context: opened")
		}
		for i := range sealed {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1
			if _, err := k.Open("box", bad, []byte("here")); err == nil {
				t.Fatalf("byte %d changed: opened", i)
			}
			if _, err := k.Open("box", sealed[:i], []byte("here")); err == nil {
				t.Fatalf("cut to %d bytes: opened", i)
			}
		}
	})
}
