package auth_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

func TestAProofThatIsNotGoodChangesNothing(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	setup, tokens := w.Enrol(t, ada)
	caller := w.Caller(t, tokens.Access)
	used := w.Code(t, setup.Secret, 0)
	if _, err := w.Auth.Complete(t.Context(), w.Challenge(t, ada).Token, used, ""); err != nil {
		t.Fatal(err)
	}
	before := factor(t, w, v.UserID)
	good := w.Code(t, setup.Secret, 1)
	for name, c := range map[string]struct {
		proof inbound.Proof
		want  error
	}{
		"nothing":                              {inbound.Proof{}, auth.ErrProofMissing},
		"a code alone":                         {inbound.Proof{Code: good}, auth.ErrProofMissing},
		"the password alone":                   {inbound.Proof{Password: right}, auth.ErrProofMissing},
		"a wrong password with a right code":   {inbound.Proof{Password: wrong, Code: good}, auth.ErrReauthFailed},
		"the right password with a wrong code": {inbound.Proof{Password: right, Code: w.WrongCode(t, setup.Secret)}, auth.ErrReauthFailed},
		"a used code":                          {inbound.Proof{Password: right, Code: used}, auth.ErrReauthFailed},
		"both wrong":                           {inbound.Proof{Password: wrong, Code: w.WrongCode(t, setup.Secret)}, auth.ErrReauthFailed},
	} {
		ctx := inbound.WithOrigin(t.Context(), identity.Somewhere())
		verifies := w.Hasher.Verifies.Load()
		_, setupErr := w.Auth.Setup(ctx, caller, c.proof)
		_, codesErr := w.Auth.RegenerateCodes(ctx, caller, c.proof)
		disableErr := w.Auth.Disable(ctx, caller, c.proof)
		for _, err := range []error{setupErr, codesErr, disableErr} {
			if !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
			if errors.Is(c.want, auth.ErrReauthFailed) && err != error(auth.ErrReauthFailed) {
				t.Errorf("%s: the refusal differs: %v", name, err)
			}
		}
		if n := w.Hasher.Verifies.Load() - verifies; n != map[bool]int64{true: 3}[errors.Is(c.want, auth.ErrReauthFailed)] {
			t.Errorf("%s: %d hashes", name, n)
		}
		if errors.Is(c.want, auth.ErrReauthFailed) { // one user's limit of guesses begins anew
			w.Clock.Advance(15 * time.Minute)
			tokens = refresh(t, w, tokens.Refresh)
			good, used = w.Code(t, setup.Secret, 1), w.Code(t, setup.Secret, 0)
		}
	}
	after := factor(t, w, v.UserID)
	before.Failures = after.Failures
	if diff := cmp.Diff(before, after); diff != "" || after.Failures == 0 {
		t.Errorf("the factor changed, or no failure was counted: -before +after:\n%s", diff)
	}
	if len(w.Letters(t)) != 0 {
		t.Error("there is mail")
	}
}

func TestStepUpMakesTheProofFresh(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	w.User(t, "bob@example.com", "")
	if _, err := w.Auth.StepUp(t.Context(), w.Caller(t, w.Login(t, "bob@example.com").Access), "123456"); !errors.Is(err, auth.ErrMFARequired) {
		t.Errorf("no second factor: got %v", err)
	}
	setup, _ := w.Enrol(t, ada)
	tokens, err := w.Auth.Complete(t.Context(), w.Challenge(t, ada).Token, "", setup.RecoveryCodes[0])
	if err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(10 * time.Minute)
	caller := w.Caller(t, tokens.Access)
	if _, err := w.Auth.StepUp(t.Context(), caller, w.WrongCode(t, setup.Secret)); !errors.Is(err, auth.ErrMFACodeInvalid) {
		t.Errorf("a wrong code: got %v", err)
	}
	up, err := w.Auth.StepUp(t.Context(), caller, w.Code(t, setup.Secret, 0))
	if err != nil {
		t.Fatal(err)
	}
	if !up.AuthTime.Equal(w.Clock.Now()) || !slices.Equal(up.AMR, []string{"pwd", "recovery", "otp"}) || up.SessionID != tokens.SessionID || up.Refresh != "" {
		t.Errorf("got %+v", up)
	}
	w.Caller(t, up.Access)
	if _, err := w.Auth.StepUp(t.Context(), caller, w.Code(t, setup.Secret, 0)); !errors.Is(err, auth.ErrMFACodeInvalid) {
		t.Errorf("the code again: got %v", err)
	}
	if again := refresh(t, w, tokens.Refresh); !again.AuthTime.Equal(up.AuthTime) || !slices.Equal(again.AMR, up.AMR) {
		t.Errorf("refreshed: got %+v", again)
	}
}

func TestNewRecoveryCodesReplaceTheOld(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	setup, tokens := w.Enrol(t, ada)
	caller := w.Caller(t, tokens.Access)
	if _, err := w.Auth.RegenerateCodes(t.Context(), caller, inbound.Proof{Password: right, RecoveryCode: setup.RecoveryCodes[0]}); !errors.Is(err, auth.ErrProofMissing) {
		t.Errorf("by a recovery code: got %v", err)
	}
	codes, err := w.Auth.RegenerateCodes(t.Context(), caller, inbound.Proof{Password: right, Code: w.Code(t, setup.Secret, 0)})
	if err != nil || len(codes) != 10 {
		t.Fatalf("got %v, %v", codes, err)
	}
	c := w.Challenge(t, ada)
	if _, err := w.Auth.Complete(t.Context(), c.Token, "", setup.RecoveryCodes[0]); !errors.Is(err, auth.ErrMFACodeInvalid) {
		t.Errorf("an old one: got %v", err)
	}
	if _, err := w.Auth.Complete(t.Context(), c.Token, "", codes[0]); err != nil {
		t.Errorf("a new one: %v", err)
	}
	w.Letters(t)
	w.User(t, "bob@example.com", "")
	if _, err := w.Auth.RegenerateCodes(t.Context(), w.Caller(t, w.Login(t, "bob@example.com").Access), identity.Proof); !errors.Is(err, user.ErrFactorNone) {
		t.Errorf("no second factor: got %v", err)
	}
}

// steps are the use-cases of the second factor that a caller asks for, by a proof or code that is as good as can be.
func steps(t *testing.T, w *identity.World, c inbound.Caller, p inbound.Proof, setupID, code string) map[string]func() error {
	t.Helper()
	return map[string]func() error{
		"setup":      func() error { _, err := w.Auth.Setup(t.Context(), c, p); return err },
		"confirm":    func() error { _, err := w.Auth.Confirm(t.Context(), c, setupID, code); return err },
		"step up":    func() error { _, err := w.Auth.StepUp(t.Context(), c, code); return err },
		"disable":    func() error { return w.Auth.Disable(t.Context(), c, p) },
		"regenerate": func() error { _, err := w.Auth.RegenerateCodes(t.Context(), c, p); return err },
	}
}

func TestAKeyHasNoSecondFactor(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	k := w.Caller(t, key(t, w, w.Login(t, ada), inbound.CreateKey{}).Key)
	for name, step := range steps(t, w, k, identity.Proof, "x", "123456") {
		if err := step(); !errors.Is(err, auth.ErrSessionOnly) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestASessionThatEndedMeanwhileChangesNothing(t *testing.T) {
	for _, step := range []string{"setup", "confirm", "step up", "disable", "regenerate"} {
		for name, end := range map[string]func(w *identity.World, id user.ID, on session.ID) error{
			"logout": func(w *identity.World, _ user.ID, on session.ID) error {
				return w.DB.Do(context.Background(), func(ctx context.Context, r outbound.Repos) error {
					return r.Sessions.Update(ctx, on, func(s *session.Session) error { s.Revoke(session.ByLogout, w.Clock.Now()); return nil })
				})
			},
			"logout of all": func(w *identity.World, id user.ID, _ session.ID) error {
				return w.DB.Do(context.Background(), func(ctx context.Context, r outbound.Repos) error {
					return r.Users.Update(ctx, id, func(u *user.User) error { u.EndSessions(); return nil })
				})
			},
			"deletion": func(w *identity.World, id user.ID, _ session.ID) error {
				return w.DB.Do(context.Background(), func(ctx context.Context, r outbound.Repos) error {
					return r.Users.Remove(ctx, id, func(*user.User) error { return nil })
				})
			},
		} {
			w := identity.New(t)
			v := w.User(t, ada, "")
			setup, tokens := w.Enrol(t, ada)
			caller := w.Caller(t, tokens.Access)
			again, err := w.Auth.Setup(t.Context(), caller, inbound.Proof{Password: right, Code: w.Code(t, setup.Secret, 0)})
			if err != nil {
				t.Fatal(err)
			}
			code := w.Code(t, setup.Secret, 1)
			if step == "confirm" {
				code = w.Code(t, again.Secret, 1)
			}
			before := factor(t, w, v.UserID)
			if err := end(w, v.UserID, caller.SessionID); err != nil {
				t.Fatal(err)
			}
			err = steps(t, w, caller, inbound.Proof{Password: right, RecoveryCode: setup.RecoveryCodes[0], Code: ""}, again.SetupID, code)[step]()
			if step == "regenerate" {
				err = steps(t, w, caller, inbound.Proof{Password: right, Code: code}, again.SetupID, code)[step]()
			}
			if fault.KindOf(err) != fault.Unauthenticated && !errors.Is(err, user.ErrMFANotPending) {
				t.Errorf("%s after %s: got %v", step, name, err)
			}
			if name == "deletion" {
				continue
			}
			after := factor(t, w, v.UserID)
			if after.On != before.On || string(after.Secret) != string(before.Secret) || after.Pending == nil || after.Pending.SetupID != before.Pending.SetupID {
				t.Errorf("%s after %s: the factor changed: %+v", step, name, after)
			}
		}
	}
}

func TestAFactorThatCannotBeOpenedAdmitsNobody(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	setup, tokens := w.Enrol(t, ada)
	caller := w.Caller(t, tokens.Access)
	again, err := w.Auth.Setup(t.Context(), caller, inbound.Proof{Password: right, Code: w.Code(t, setup.Secret, 0)})
	if err != nil {
		t.Fatal(err)
	}
	c := w.Challenge(t, ada)
	err = w.DB.View().Factors.Update(t.Context(), v.UserID, func(f *user.Factor) error {
		s := f.Snapshot()
		pending := *s.Pending
		pending.Secret = user.Sealed("of a root that is gone")
		s.Secret, s.Pending = pending.Secret, &pending
		*f = *user.RestoreFactor(s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	code := w.Code(t, setup.Secret, 1)
	tries := steps(t, w, caller, inbound.Proof{Password: right, Code: code}, again.SetupID, code)
	tries["complete"] = func() error { _, err := w.Auth.Complete(t.Context(), c.Token, code, ""); return err }
	for name, try := range tries {
		if err := try(); err == nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := w.Auth.Complete(t.Context(), c.Token, "", setup.RecoveryCodes[0]); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
}
