package identity

import (
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/inbound"
)

// Period is how long a step of a second factor lasts.
const Period = 30 * time.Second

// Proof proves a user of Password whose second factor is off.
var Proof = inbound.Proof{Password: secret.New(Password)}

// Code gives the code of a second factor so many steps from now, as an authenticator app shows it.
func (w *World) Code(t testing.TB, key secret.Text, steps int) string {
	t.Helper()
	code, err := totp.GenerateCode(key.Reveal(), w.Clock.Now().Add(time.Duration(steps)*Period))
	if err != nil {
		t.Fatalf("make code: %v", err)
	}
	return code
}

// WrongCode gives six digits that are none of the codes around now.
func (w *World) WrongCode(t testing.TB, key secret.Text) string {
	t.Helper()
	for _, guess := range []string{"000000", "111111", "222222", "333333", "444444", "555555"} {
		right := false
		for steps := -2; steps <= 2; steps++ {
			right = right || guess == w.Code(t, key, steps)
		}
		if !right {
			return guess
		}
	}
	t.Fatal("five codes are alike, each of one digit")
	return ""
}

// Enrol turns a second factor on for the user of an address, and gives it with the tokens of the session that did it. The clock stands two steps later after it.
func (w *World) Enrol(t testing.TB, email string) (inbound.MFASetup, inbound.Tokens) {
	t.Helper()
	caller := w.Caller(t, w.Login(t, email).Access)
	setup, err := w.Auth.Setup(t.Context(), caller, Proof)
	if err != nil {
		t.Fatalf("set up: %v", err)
	}
	tokens, err := w.Auth.Confirm(t.Context(), caller, setup.SetupID, w.Code(t, setup.Secret, 0))
	if err != nil {
		t.Fatalf("confirm: %v", err)
	}
	w.Letters(t)
	w.Clock.Advance(2 * Period)
	return setup, tokens
}

// Challenge signs a user in with Password, from Somewhere, up to its second factor.
func (w *World) Challenge(t testing.TB, email string) inbound.Challenge {
	t.Helper()
	in, err := w.Auth.Login(t.Context(), inbound.Login{Email: email, Password: secret.New(Password), Origin: Somewhere()})
	if err != nil || in.Challenge == nil || in.Tokens != nil {
		t.Fatalf("login %s: got %v, %v, want a challenge", email, in, err)
	}
	return *in.Challenge
}

// LoginWith signs a user in with Password and a code of now.
func (w *World) LoginWith(t testing.TB, email string, key secret.Text) inbound.Tokens {
	t.Helper()
	tokens, err := w.Auth.Complete(t.Context(), w.Challenge(t, email).Token, w.Code(t, key, 0), "")
	if err != nil {
		t.Fatalf("complete login of %s: %v", email, err)
	}
	return tokens
}
