package conformance

import (
	"encoding/base32"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// rfc6238 is the SHA-1 secret of RFC 6238, appendix B.
var rfc6238 = secret.New(base32.StdEncoding.EncodeToString([]byte("12345678901234567890")))

// OTP is the suite of outbound.OTP.
func OTP(t *testing.T, makeOTP func(t *testing.T) outbound.OTP) {
	t.Helper()
	t.Run("codes are those of RFC 6238", func(t *testing.T) {
		o := makeOTP(t)
		for at, code := range map[int64]string{
			59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
		} {
			step, ok := o.Match(rfc6238, code, time.Unix(at, 0))
			if !ok || step != at/30 {
				t.Errorf("code %s at %d: got step %d, %v, want %d", code, at, step, ok, at/30)
			}
		}
	})
	t.Run("a code is good one step early and late, and no more", func(t *testing.T) {
		o := makeOTP(t)
		const own = 1111111109 / 30
		for shift, want := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
			step, ok := o.Match(rfc6238, "081804", time.Unix((own+shift)*30+15, 0))
			if ok != want || ok && step != own {
				t.Errorf("%+d steps: got step %d, %v, want %d, %v", shift, step, ok, int64(own), want)
			}
		}
	})
	t.Run("what is not six digits matches nothing", func(t *testing.T) {
		o := makeOTP(t)
		for _, code := range []string{"", "08180", "0818044", " 081804", "081804 ", "081 804", "-81804", "٠٨١٨٠٤", "０８１８０４", "08180a"} {
			if step, ok := o.Match(rfc6238, code, time.Unix(1111111109, 0)); ok {
				t.Errorf("code %q matched step %d", code, step)
			}
		}
	})
	t.Run("a secret that is no base32 matches nothing", func(t *testing.T) {
		if _, ok := makeOTP(t).Match(secret.New("not base32!"), "081804", time.Unix(1111111109, 0)); ok {
			t.Error("matched")
		}
	})
	t.Run("a new secret is fresh, long and in its address", func(t *testing.T) {
		o := makeOTP(t)
		a, uri, err := o.New("ada+x@example.com")
		b, _, err2 := o.New("ada+x@example.com")
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(a.Reveal())
		if err != nil || len(raw) != 20 {
			t.Errorf("secret: got %d bytes, %v, want 20", len(raw), err)
		}
		if a == b {
			t.Error("two secrets are one")
		}
		u, err := url.Parse(uri)
		if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Query().Get("secret") != a.Reveal() || !strings.Contains(u.Path, "ada+x@example.com") {
			t.Errorf("address: got %v, %v", u, err)
		}
		if p := u.Query(); p.Get("period") != "30" || p.Get("digits") != "6" || p.Get("algorithm") != "SHA1" {
			t.Errorf("parameters: got %v", p)
		}
	})
}
