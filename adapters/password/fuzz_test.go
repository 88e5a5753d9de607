package password_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"testing"

	"github.com/forge1/forge1/adapters/password"
	"github.com/forge1/forge1/domain/secret"
)

// FuzzPHC holds that a kept hash is read only in our own spelling and within our bounds, and that whatever is read can be worked with.
func FuzzPHC(f *testing.F) {
	for _, s := range []string{
		"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "", "$$$$$", "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$",
		"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$AA",
		"$argon2id$v=19$m=+64,t=01,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=4294967296,t=1,p=257$c29tZXNhbHQ$AA",
		"$argon2id$v=19$m=0x40,t=1,p=1$c29tZXNhbHRzb21lc2FsdB$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
	} {
		f.Add(s)
	}
	h := password.New(password.Config{Params: cheap})
	f.Fuzz(func(t *testing.T, phc string) {
		p, salt, key, err := password.Parse(phc)
		if err != nil {
			if !errors.Is(err, password.ErrUnreadable) || salt != nil || key != nil {
				t.Fatalf("%q: got %v with %x, %x", phc, err, salt, key)
			}
			return
		}
		b64 := base64.RawStdEncoding
		if again := fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.Memory, p.Time, p.Threads, b64.EncodeToString(salt), b64.EncodeToString(key)); again != phc {
			t.Fatalf("%q is read as %q", phc, again)
		}
		if p.Memory < 1 || p.Memory > 64<<10 || p.Time < 1 || p.Time > 10 || p.Threads < 1 || p.Threads > 4 || len(salt) < 8 || len(salt) > 64 || len(key) != 32 {
			t.Fatalf("%q is read as %+v with a salt of %d bytes and a key of %d", phc, p, len(salt), len(key))
		}
		if p.Memory*p.Time > 256 {
			return // readable, but dear
		}
		if ok, _, err := h.Verify(t.Context(), phc, secret.New("correct horse")); ok || err != nil {
			t.Fatalf("%q: got %v, %v", phc, ok, err)
		}
	})
}
