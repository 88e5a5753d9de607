// Package totp makes and checks time-based one-time passwords (RFC 6238) with github.com/pquerna/otp. It keeps nothing; that a code is good only once is for the
// store of the secret to see to.
package totp

import (
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

const (
	period      = 30 // seconds
	secretBytes = 20 // 160 bits, as RFC 4226 recommends
	leastSecret = 16 // 128 bits, which RFC 4226 requires; the code of no secret at all is known to everybody
	codeLength  = 6
)

// Config says how apps name the account.
type Config struct{ Issuer string }

// OTP implements outbound.OTP.
type OTP struct{ config Config }

var _ outbound.OTP = (*OTP)(nil)

// New makes an OTP.
func New(c Config) *OTP { return &OTP{c} }

// New implements outbound.OTP.
func (o *OTP) New(account string) (secret.Text, string, error) {
	if strings.ContainsRune(o.config.Issuer, ':') {
		return secret.Text{}, "", fmt.Errorf("make one-time password secret: %w", errIssuer)
	}
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: o.config.Issuer, AccountName: account, Period: period, SecretSize: secretBytes, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
	})
	if err != nil {
		return secret.Text{}, "", fmt.Errorf("make one-time password secret: %w", err)
	}
	uri, err := url.Parse(key.URL())
	if err != nil {
		return secret.Text{}, "", fmt.Errorf("make one-time password address: %w", err)
	}
	uri.RawPath = "/" + url.PathEscape(o.config.Issuer) + ":" + strings.ReplaceAll(url.PathEscape(account), ":", "%3A")
	return secret.New(key.Secret()), uri.String(), nil
}

// errIssuer keeps the label readable: apps take what is before the first colon for the issuer, and an address has no other.
var errIssuer = errors.New("the issuer must not have a colon")

// Match implements outbound.OTP. All three steps are computed and compared whatever the first says.
func (o *OTP) Match(key secret.Text, code string, now time.Time) (int64, bool) {
	if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key.Reveal()); err != nil || len(raw) < leastSecret || !sixDigits(code) {
		return 0, false
	}
	this := now.Unix() / period
	found := -1
	steps := []int64{this, this - 1, this + 1}
	for i, step := range steps {
		want, err := hotp.GenerateCodeCustom(key.Reveal(), uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}) //nolint:gosec // steps are positive
		if err != nil {
			return 0, false
		}
		same := subtle.ConstantTimeCompare([]byte(want), []byte(code))
		// found = i when it is the first that is the same
		first := subtle.ConstantTimeEq(int32(found), -1) //nolint:gosec // -1 to 2
		found = subtle.ConstantTimeSelect(same&first, i, found)
	}
	if found < 0 {
		return 0, false
	}
	return steps[found], true
}

func sixDigits(s string) bool {
	if len(s) != codeLength {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
