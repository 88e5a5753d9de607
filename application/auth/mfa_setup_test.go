package auth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

// endedBy checks that the session list says of a session that it ended, and why, and that other nodes are told.
func endedBy(t *testing.T, w *identity.World, id session.ID, why session.Reason) {
	t.Helper()
	kept, err := w.DB.View().Sessions.Find(t.Context(), id)
	if err != nil || !kept.Revoked() || kept.Snapshot().Reason != why {
		t.Errorf("kept: got %+v, %v, want it ended by %s", kept.Snapshot(), err, why)
	}
	if _, _, buried, err := w.Cache.Record(t.Context(), id); err != nil || !buried {
		t.Errorf("tombstone: got %v, %v", buried, err)
	}
}

func TestASecondFactorIsOnOnceItsFirstCodeIsGiven(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	other := w.Login(t, ada)
	mine := w.Login(t, ada)
	w.Caller(t, other.Access)
	w.Clock.Advance(time.Minute)
	setup, err := w.Auth.Setup(t.Context(), w.Caller(t, mine.Access), identity.Proof)
	if err != nil {
		t.Fatal(err)
	}
	if setup.ExpiresIn != 10*time.Minute || len(setup.RecoveryCodes) != 10 || len(setup.Secret.Reveal()) != 32 || !strings.Contains(setup.URI.Reveal(), setup.Secret.Reveal()) {
		t.Errorf("got %+v", setup)
	}
	if f := factor(t, w, v.UserID); f.On || f.Pending == nil {
		t.Errorf("before the code: got %+v", f)
	}
	if in := w.Login(t, ada); in.MFAEnabled {
		t.Error("before the code a login says that a second factor is on")
	}
	tokens, err := w.Auth.Confirm(t.Context(), w.Caller(t, mine.Access), setup.SetupID, w.Code(t, setup.Secret, 0))
	if err != nil {
		t.Fatal(err)
	}
	if tokens.SessionID != mine.SessionID || tokens.Refresh == mine.Refresh || !tokens.MFAEnabled || !tokens.AuthTime.Equal(w.Clock.Now()) {
		t.Errorf("tokens: got %+v after %+v", tokens, mine)
	}
	if diff := cmp.Diff([]string{"pwd", "otp"}, tokens.AMR); diff != "" {
		t.Errorf("proof: -want +got:\n%s", diff)
	}
	w.Caller(t, tokens.Access)
	dead(t, w, "the other session", other.Access)
	refused(t, w, "the other session", other.Refresh)
	endedBy(t, w, other.SessionID, session.ByMFA)
	refresh(t, w, tokens.Refresh)
	if got := subjects(t, w); len(got) != 1 {
		t.Errorf("mails: got %v, want one notice", got)
	}
	if n := w.Audited(t, "mfa_confirm"); n != 1 {
		t.Errorf("%d lines of the confirmation, want 1", n)
	}
}

func TestTheCodeOfASetupDoesNotSignIn(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	caller := w.Caller(t, w.Login(t, ada).Access)
	setup, err := w.Auth.Setup(t.Context(), caller, identity.Proof)
	if err != nil {
		t.Fatal(err)
	}
	code := w.Code(t, setup.Secret, 0)
	if _, err := w.Auth.Confirm(t.Context(), caller, setup.SetupID, code); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Auth.Complete(t.Context(), w.Challenge(t, ada).Token, code, ""); !errors.Is(err, auth.ErrMFACodeInvalid) {
		t.Errorf("got %v", err)
	}
}

func TestOnlyTheLastSetupOfThisSessionCanBeConfirmed(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	caller, other := w.Caller(t, w.Login(t, ada).Access), w.Caller(t, w.Login(t, ada).Access)
	begin := func() inbound.MFASetup {
		setup, err := w.Auth.Setup(t.Context(), caller, identity.Proof)
		if err != nil {
			t.Fatal(err)
		}
		return setup
	}
	first := begin()
	second := begin()
	for name, c := range map[string]struct {
		caller inbound.Caller
		id     string
		code   string
		want   error
	}{
		"the first":       {caller, first.SetupID, w.Code(t, first.Secret, 0), user.ErrMFANotPending},
		"none":            {caller, "", w.Code(t, second.Secret, 0), user.ErrMFANotPending},
		"another session": {other, second.SetupID, w.Code(t, second.Secret, 0), user.ErrMFANotPending},
		"a wrong code":    {caller, second.SetupID, w.WrongCode(t, second.Secret), auth.ErrMFACodeInvalid},
		"no code":         {caller, second.SetupID, "", auth.ErrProofMissing},
	} {
		if _, err := w.Auth.Confirm(t.Context(), c.caller, c.id, c.code); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	w.Clock.Advance(10 * time.Minute)
	if _, err := w.Auth.Confirm(t.Context(), caller, second.SetupID, w.Code(t, second.Secret, 0)); !errors.Is(err, user.ErrMFANotPending) {
		t.Errorf("too late: got %v", err)
	}
	third := begin()
	w.Faults.Before(func() { w.Faults.Before(nil); begin() })
	if _, err := w.Auth.Confirm(t.Context(), caller, third.SetupID, w.Code(t, third.Secret, 0)); !errors.Is(err, user.ErrMFANotPending) {
		t.Errorf("replaced meanwhile: got %v", err)
	}
	if in := w.Login(t, ada); in.MFAEnabled {
		t.Error("a setup that was never confirmed asks for a code")
	}
}

func TestDisablingEndsEverySessionAndChallenge(t *testing.T) {
	for _, byRecovery := range []bool{false, true} {
		w := identity.New(t)
		v := w.User(t, ada, "")
		setup, tokens := w.Enrol(t, ada)
		other := w.LoginWith(t, ada, setup.Secret)
		w.Caller(t, other.Access)
		w.Clock.Advance(2 * identity.Period)
		c := w.Challenge(t, ada)
		p := inbound.Proof{Password: right, Code: w.Code(t, setup.Secret, 0)}
		if byRecovery {
			p = inbound.Proof{Password: right, RecoveryCode: setup.RecoveryCodes[9]}
		}
		if err := w.Auth.Disable(t.Context(), w.Caller(t, tokens.Access), p); err != nil {
			t.Fatal(err)
		}
		dead(t, w, "this session", tokens.Access)
		dead(t, w, "the other session", other.Access)
		refused(t, w, "this session", tokens.Refresh)
		refused(t, w, "the other session", other.Refresh)
		endedBy(t, w, tokens.SessionID, session.ByMFA)
		endedBy(t, w, other.SessionID, session.ByMFA)
		if _, err := w.Auth.Complete(t.Context(), c.Token, w.Code(t, setup.Secret, 1), ""); !errors.Is(err, auth.ErrMFAChallengeInvalid) {
			t.Errorf("the challenge: got %v", err)
		}
		if f := factor(t, w, v.UserID); f.On || len(f.Codes) != 0 || f.Pending != nil {
			t.Errorf("got %+v", f)
		}
		if got, want := len(subjects(t, w)), map[bool]int{false: 1, true: 2}[byRecovery]; got != want {
			t.Errorf("%d mails, want %d", got, want)
		}
		if in := w.Login(t, ada); in.MFAEnabled {
			t.Error("a login says that a second factor is on")
		}
		if err := w.Auth.Disable(t.Context(), w.Caller(t, w.Login(t, ada).Access), identity.Proof); !errors.Is(err, user.ErrFactorNone) {
			t.Errorf("again: got %v", err)
		}
	}
}

func TestAFactorIsReplacedWhole(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	old, tokens := w.Enrol(t, ada)
	caller := w.Caller(t, tokens.Access)
	fresh, err := w.Auth.Setup(t.Context(), caller, inbound.Proof{Password: right, RecoveryCode: old.RecoveryCodes[0]})
	if err != nil {
		t.Fatal(err)
	}
	w.LoginWith(t, ada, old.Secret) // until the new one is confirmed
	if _, err := w.Auth.Confirm(t.Context(), caller, fresh.SetupID, w.Code(t, fresh.Secret, 0)); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(2 * identity.Period)
	c := w.Challenge(t, ada)
	if _, err := w.Auth.Complete(t.Context(), c.Token, w.Code(t, old.Secret, 0), ""); !errors.Is(err, auth.ErrMFACodeInvalid) {
		t.Errorf("an old code: got %v", err)
	}
	if _, err := w.Auth.Complete(t.Context(), c.Token, "", old.RecoveryCodes[1]); !errors.Is(err, auth.ErrMFACodeInvalid) {
		t.Errorf("an old recovery code: got %v", err)
	}
	if _, err := w.Auth.Complete(t.Context(), c.Token, "", fresh.RecoveryCodes[0]); err != nil {
		t.Errorf("a new recovery code: %v", err)
	}
	w.LoginWith(t, ada, fresh.Secret)
}

func TestSecretsAndCodesAreKeptUnreadable(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	setup, _ := w.Enrol(t, ada)
	f := factor(t, w, v.UserID)
	if strings.Contains(string(f.Secret), setup.Secret.Reveal()) {
		t.Error("the secret is kept in clear")
	}
	if _, err := w.Keys.Open("totp-kek", f.Secret, []byte("another user")); err == nil {
		t.Error("the secret opens for another user")
	}
	if plain, err := w.Keys.Open("totp-kek", f.Secret, []byte(v.UserID)); err != nil || secret.New(string(plain)) != setup.Secret {
		t.Errorf("open: %v", err)
	}
}
