package conformance

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// Breaches is the suite of outbound.Breaches. makeBreaches makes one that knows some stolen passwords and no others; silent one that can tell nothing.
func Breaches(t *testing.T, makeBreaches func(t *testing.T, stolen ...string) outbound.Breaches, silent func(t *testing.T) outbound.Breaches) {
	t.Helper()
	t.Run("what is stolen is known, as it is written and no other way", func(t *testing.T) {
		b := makeBreaches(t, "password1234", "пароль 🦀", " blanks ", "")
		for password, want := range map[string]bool{
			"password1234": true, "пароль 🦀": true, " blanks ": true, "": true,
			"Password1234": false, "password1234 ": false, "password123": false, "password1234\n": false, "blanks": false, "correct horse battery staple": false,
		} {
			if got, err := b.Breached(t.Context(), secret.New(password)); got != want || err != nil {
				t.Errorf("%q: got %v, %v, want %v", password, got, err, want)
			}
		}
	})
	t.Run("where nothing is stolen nothing is known", func(t *testing.T) {
		if got, err := makeBreaches(t).Breached(t.Context(), secret.New("password1234")); got || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
	})
	t.Run("what cannot be told is an error, which says nothing of the password", func(t *testing.T) {
		const password = "password1234" // SHA-1: E6B6AFBD6D76BB5D2041542D7D2E3FAC5BB05593
		got, err := silent(t).Breached(t.Context(), secret.New(password))
		if got || err == nil {
			t.Fatalf("got %v, %v, want an error", got, err)
		}
		for _, part := range []string{password, "e6b6a", "fbd6d76bb5d2041542d7d2e3fac5bb05593"} {
			if strings.Contains(strings.ToLower(err.Error()), part) {
				t.Errorf("%v quotes %s", err, part)
			}
		}
	})
	t.Run("whoever has left gets no answer", func(t *testing.T) {
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if got, err := makeBreaches(t, "password1234").Breached(gone, secret.New("password1234")); got || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v, want %v", got, err, context.Canceled)
		}
	})
}
