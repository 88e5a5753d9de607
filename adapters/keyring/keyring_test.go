package keyring_test

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/forge1/forge1/adapters/keyring"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

func TestConformance(t *testing.T) {
	conformance.Keyring(t, func(_ *testing.T, root secret.Text, previous ...secret.Text) outbound.Keyring {
		return keyring.New(keyring.Config{Root: root, Previous: previous})
	})
}

func TestKeysAreDerivedAsDocumented(t *testing.T) {
	root := secret.New("a root secret of more than 32 bytes")
	key, err := hkdf.Key(sha256.New, []byte(root.Reveal()), nil, "forge1/v1/refresh", 32)
	if err != nil {
		t.Fatal(err)
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte("data"))
	_, got := keyring.New(keyring.Config{Root: root}).MAC("refresh", []byte("data"))
	if want := h.Sum(nil); !hmac.Equal(got[:], want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestRootsOfOneNameAreBothTried(t *testing.T) {
	byName := map[byte]secret.Text{}
	for i := 0; ; i++ {
		root := secret.New(fmt.Sprintf("root secret number %d", i))
		name := keyring.New(keyring.Config{Root: root}).Root()
		twin, ok := byName[name]
		byName[name] = root
		if !ok {
			continue
		}
		old := keyring.New(keyring.Config{Root: twin})
		_, mac := old.MAC("label", []byte("data"))
		both := keyring.New(keyring.Config{Root: root, Previous: []secret.Text{twin}})
		if !both.CheckMAC("label", name, []byte("data"), mac) {
			t.Error("MAC of the namesake: refused")
		}
		if got, err := both.Open("label", old.Seal("label", []byte("data"), nil), nil); err != nil || string(got) != "data" {
			t.Errorf("text of the namesake: got %q, %v", got, err)
		}
		return
	}
}
