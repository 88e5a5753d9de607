package totp_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/totp"
	"github.com/forge1/forge1/domain/secret"
)

var sixDigits = regexp.MustCompile(`\A[0-9]{6}\z`)

// code computes RFC 4226 from its text.
func code(key []byte, step int64) string {
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, step)
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[19]&0xf:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

// FuzzMatch holds that a code matches exactly when it is six digits and the RFC makes it of one of the three steps.
func FuzzMatch(f *testing.F) {
	key := []byte("12345678901234567890")
	for _, c := range []string{"287082", "", " 287082", "287 082", "287082\n", "-28708", "２８７０８２", "2870820", "28708a", "000000", "\x00\x00\x00\x00\x00\x00", "٢٨٧٠٨٢"} {
		f.Add(key, c, int64(59))
	}
	for _, at := range []int64{0, 29, 30, 89, 90, 1111111109, 20000000000, -1, -31, 1 << 62, -1 << 63} {
		f.Add(key, code(key, at/30), at)
	}
	f.Add([]byte{}, "328482", int64(0))
	o := totp.New(totp.Config{Issuer: "Forge 1"})
	f.Fuzz(func(t *testing.T, key []byte, given string, at int64) {
		const end = 1 << 40 // the year 36812
		at = (at%end + end) % end
		text := secret.New(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key))
		this := at / 30
		if got, ok := o.Match(text, given, time.Unix(at, 0)); ok && len(key) < 16 {
			t.Fatalf("key %x at %d: %q matches step %d", key, at, given, got)
		}
		if len(key) < 16 {
			return
		}
		for _, step := range []int64{this - 2, this - 1, this, this + 1, this + 2} {
			if step < 0 || step == this-1 && code(key, step) == code(key, this) {
				continue
			}
			got, ok := o.Match(text, code(key, step), time.Unix(at, 0))
			near := step >= this-1 && step <= this+1
			if ok && code(key, got) != code(key, step) || near && !ok {
				t.Fatalf("key %x at %d: the code of step %d: got step %d, %v", key, at, step, got, ok)
			}
		}
		got, ok := o.Match(text, given, time.Unix(at, 0))
		if ok && (!sixDigits.MatchString(given) || got < this-1 || got > this+1 || code(key, got) != given) {
			t.Fatalf("key %x at %d: %q matches step %d", key, at, given, got)
		}
	})
}
