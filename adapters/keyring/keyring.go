// Package keyring derives every key from the root secret with HKDF-SHA256 (RFC 5869) and distinct labels, so that one secret is all an operator keeps and
// no two uses share a key. It has no library but the standard one.
package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

const (
	prefix   = "forge1/v1/"
	nameOf   = "root-name" // the label whose first byte names a root
	keyBytes = 32
)

// ErrSealed is a text that no known root opens with this label and context.
var ErrSealed = errors.New("sealed under another key, label or context, or damaged")

// Config names the roots.
type Config struct {
	Root     secret.Text
	Previous []secret.Text // verify and open only
}

// Keyring implements outbound.Keyring.
type Keyring struct{ roots []root } // the current one first

type root struct {
	name   byte
	secret secret.Text
}

var _ outbound.Keyring = (*Keyring)(nil)

// New makes a keyring.
func New(c Config) *Keyring {
	k := &Keyring{}
	for _, s := range append([]secret.Text{c.Root}, c.Previous...) {
		r := root{secret: s}
		r.name = r.key(nameOf)[0]
		k.roots = append(k.roots, r)
	}
	return k
}

// Root implements outbound.Keyring.
func (k *Keyring) Root() byte { return k.roots[0].name }

// MAC implements outbound.Keyring.
func (k *Keyring) MAC(label string, data []byte) (byte, [32]byte) {
	return k.roots[0].name, k.roots[0].mac(label, data)
}

// CheckMAC implements outbound.Keyring. Two roots may by chance have one name; then each is tried.
func (k *Keyring) CheckMAC(label string, name byte, data []byte, mac [32]byte) bool {
	good := false
	for _, r := range k.roots {
		if r.name != name {
			continue
		}
		want := r.mac(label, data)
		if hmac.Equal(want[:], mac[:]) {
			good = true
		}
	}
	return good
}

// Seal implements outbound.Keyring: the name of the root, then nonce and ciphertext.
func (k *Keyring) Seal(label string, plain, context []byte) []byte {
	r := k.roots[0]
	return r.gcm(label).Seal([]byte{r.name}, nil, plain, context)
}

// Open implements outbound.Keyring.
func (k *Keyring) Open(label string, sealed, context []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, ErrSealed
	}
	for _, r := range k.roots {
		if r.name != sealed[0] {
			continue
		}
		if plain, err := r.gcm(label).Open(nil, nil, sealed[1:], context); err == nil {
			return plain, nil
		}
	}
	return nil, ErrSealed
}

func (r root) key(label string) []byte {
	key, err := hkdf.Key(sha256.New, []byte(r.secret.Reveal()), nil, prefix+label, keyBytes)
	if err != nil { // only for lengths that SHA-256 cannot give
		panic(fmt.Sprintf("derive key %s: %v", label, err))
	}
	return key
}

func (r root) mac(label string, data []byte) (sum [32]byte) {
	h := hmac.New(sha256.New, r.key(label))
	h.Write(data)
	h.Sum(sum[:0])
	return sum
}

func (r root) gcm(label string) cipher.AEAD {
	block, err := aes.NewCipher(r.key(label))
	if err != nil { // only for key lengths that AES does not have
		panic(fmt.Sprintf("make cipher %s: %v", label, err))
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(fmt.Sprintf("make cipher %s: %v", label, err))
	}
	return aead
}
