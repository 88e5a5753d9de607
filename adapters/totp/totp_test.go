package totp_test

import (
	"testing"

	"github.com/forge1/forge1/adapters/totp"
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
	if _, _, err := totp.New(totp.Config{}).New("ada@example.com"); err == nil {
		t.Error("no issuer: got a secret")
	}
}
