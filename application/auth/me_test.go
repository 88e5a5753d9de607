package auth_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

func TestMeTellsWhatTheCallerMayKnow(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, "Ada@example.com", "ada")
	joined := w.Clock.Now()
	w.Clock.Advance(time.Hour)
	tokens := w.Login(t, ada)
	got, err := w.Auth.Me(t.Context(), w.Caller(t, tokens.Access))
	want := inbound.Profile{
		UserID: v.UserID, Email: "Ada@example.com", EmailVerified: true, Username: "ada", CreatedAt: joined, TenantID: v.TenantID, TenantSlug: "ada",
		Role: tenant.Owner, SessionID: tokens.SessionID, AuthTime: w.Clock.Now(), AMR: []string{"pwd"}, SessionUntil: w.Clock.Now().Add(30 * 24 * time.Hour),
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v; -want +got:\n%s", err, diff)
	}
	got, err = w.Auth.Me(t.Context(), inbound.Caller{UserID: v.UserID, TenantID: v.TenantID, Role: tenant.Owner, KeyID: "k"})
	if err != nil || got.SessionID != "" || !got.SessionUntil.IsZero() || got.Email != "Ada@example.com" {
		t.Errorf("by key: got %+v, %v", got, err)
	}
	for name, c := range map[string]inbound.Caller{
		"user":    {UserID: "gone", TenantID: v.TenantID},
		"tenant":  {UserID: v.UserID, TenantID: "gone"},
		"session": {UserID: v.UserID, TenantID: v.TenantID, SessionID: "gone"},
	} {
		if _, err := w.Auth.Me(t.Context(), c); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("%s gone: got %v", name, err)
		}
	}
	w.Faults.Down(fault.ErrDependency)
	if _, err := w.Auth.Me(t.Context(), inbound.Caller{UserID: v.UserID}); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("no database: got %v", err)
	}
}

func TestNothingTheUseCasesSayHoldsASecret(t *testing.T) {
	w := identity.New(t)
	token := w.Register(t, inbound.Register{Email: ada})
	verify(t, w, token)
	var said []string
	for _, f := range []func() error{
		func() error {
			_, err := w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: wrong})
			return err
		},
		func() error { _, err := w.Auth.VerifyEmail(t.Context(), token, inbound.Origin{}); return err },
		func() error { _, err := w.Gate.Authenticate(t.Context(), "f1_"+token); return err },
		func() error { _, err := w.Auth.Refresh(t.Context(), "fr1."+token, inbound.Origin{}); return err },
	} {
		err := f()
		if err == nil {
			t.Fatal("want a refusal")
		}
		said = append(said, err.Error())
	}
	if slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, token) || strings.Contains(s, wrong.Reveal()) }) {
		t.Errorf("got %v", said)
	}
}
