package conformance

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// Hasher is the suite of outbound.Hasher.
func Hasher(t *testing.T, makeHasher func(t *testing.T) outbound.Hasher) {
	t.Helper()
	ctx := t.Context()
	hash := func(t *testing.T, h outbound.Hasher, password string) string {
		t.Helper()
		phc, err := h.Hash(ctx, secret.New(password))
		if err != nil {
			t.Fatalf("hash: %v", err)
		}
		return phc
	}

	t.Run("a password matches its hash as it was given, and no other does", func(t *testing.T) {
		h := makeHasher(t)
		phc := hash(t, h, " Correct horse ")
		for password, want := range map[string]bool{
			" Correct horse ": true, "Correct horse": false, " correct horse ": false, " Correct horse  ": false, "": false, " Correct horse \x00": false,
		} {
			ok, stale, err := h.Verify(ctx, phc, secret.New(password))
			if ok != want || stale || err != nil {
				t.Errorf("%q: got %v, stale %v, %v, want %v", password, ok, stale, err, want)
			}
		}
	})
	t.Run("a password may be composed or decomposed", func(t *testing.T) {
		h := makeHasher(t)
		if ok, _, err := h.Verify(ctx, hash(t, h, "caf\u00e9 au lait"), secret.New("cafe\u0301 au lait")); !ok || err != nil {
			t.Errorf("got %v, %v", ok, err)
		}
	})
	t.Run("a long password counts to its end", func(t *testing.T) {
		h := makeHasher(t)
		long := strings.Repeat("x", 500)
		if ok, _, err := h.Verify(ctx, hash(t, h, long+"a"), secret.New(long+"b")); ok || err != nil {
			t.Errorf("got %v, %v", ok, err)
		}
	})
	t.Run("two hashes of one password differ", func(t *testing.T) {
		h := makeHasher(t)
		if hash(t, h, "same") == hash(t, h, "same") {
			t.Error("no salt")
		}
	})
	t.Run("no hash matches nothing", func(t *testing.T) {
		h := makeHasher(t)
		for _, password := range []string{"", "anything"} {
			if ok, _, err := h.Verify(ctx, "", secret.New(password)); ok || err != nil {
				t.Errorf("%q: got %v, %v", password, ok, err)
			}
		}
	})
	t.Run("a damaged hash is an error and never a match", func(t *testing.T) {
		h := makeHasher(t)
		phc := hash(t, h, "secret")
		for i := range len(phc) {
			if ok, _, err := h.Verify(ctx, phc[:i], secret.New("secret")); ok || i > 0 && err == nil {
				t.Errorf("cut to %d: got %v, %v", i, ok, err)
			}
		}
	})
	t.Run("whoever has left gets no hash", func(t *testing.T) {
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := makeHasher(t).Hash(gone, secret.New("secret")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	})
}
