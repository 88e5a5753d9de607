package totp_test

import (
	"encoding/base32"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"

	"github.com/forge1/forge1/adapters/totp"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

func TestConformance(t *testing.T) {
	conformance.OTP(t, func(*testing.T) outbound.OTP { return totp.New(totp.Config{Issuer: "Forge 1"}) })
}

func TestASecretNeedsAnAccountAndAnIssuer(t *testing.T) {
	if _, _, err := totp.New(totp.Config{Issuer: "Forge 1"}).New(""); err == nil {
		t.Error("no account: got a secret")
	}
	for _, issuer := range []string{"", "Forge: 1"} {
		if _, _, err := totp.New(totp.Config{Issuer: issuer}).New("ada@example.com"); err == nil {
			t.Errorf("issuer %q: got a secret", issuer)
		}
	}
}

// The label of an address is issuer:account, each escaped, so that the colon between them is the only one.
func TestAnAppReadsIssuerAndAccountWhateverTheirSigns(t *testing.T) {
	for account, label := range map[string]string{
		"ada@example.com":   "ada@example.com",
		"ada+x@example.com": "ada+x@example.com",
		"a:b@example.com":   "a%3Ab@example.com",
		"a/b?c#d%e@x.org":   "a%2Fb%3Fc%23d%25e@x.org",
		"ада 🦀":             "%D0%B0%D0%B4%D0%B0%20%F0%9F%A6%80",
		"a&secret=x":        "a&secret=x",
	} {
		key, uri, err := totp.New(totp.Config{Issuer: "Forge 1"}).New(account)
		if err != nil {
			t.Fatal(err)
		}
		if want := "otpauth://totp/Forge%201:" + label + "?"; !strings.HasPrefix(uri, want) {
			t.Errorf("%s: got %s, want it to begin %s", account, uri, want)
		}
		if strings.Contains(uri, "+1") { // a blank; apps do not read the plus sign as one
			t.Errorf("%s: got %s", account, uri)
		}
		read, err := otp.NewKeyFromURL(uri)
		if err != nil || read.Issuer() != "Forge 1" || read.AccountName() != account || read.Secret() != key.Reveal() {
			t.Errorf("%s: read as %s of %s, %v", account, read.AccountName(), read.Issuer(), err)
		}
		parsed, err := url.Parse(uri)
		if q := parsed.Query(); err != nil || len(q) != 5 || len(q["secret"]) != 1 || q.Get("issuer") != "Forge 1" {
			t.Errorf("%s: parameters %v, %v", account, q, err)
		}
	}
}

func TestASecretThatIsTooShortMatchesNothing(t *testing.T) {
	o := totp.New(totp.Config{Issuer: "Forge 1"})
	for length, want := range map[int]bool{0: false, 1: false, 15: false, 16: true, 20: true, 64: true} {
		raw := []byte(strings.Repeat("k", length))
		key := secret.New(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))
		if _, ok := o.Match(key, code(raw, 2), time.Unix(60, 0)); ok != want {
			t.Errorf("%d bytes: got %v, want %v", length, ok, want)
		}
	}
}
