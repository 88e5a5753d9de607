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
	for name, c := range map[string]struct {
		proof func(good, bad, used string) inbound.Proof
		want  error
	}{
		"nothing":      {func(_, _, _ string) inbound.Proof { return inbound.Proof{} }, auth.ErrProofMissing},
		"a code alone": {func(good, _, _ string) inbound.Proof { return inbound.Proof{Code: good} }, auth.ErrProofMissing},
		"the password alone": {
			func(_, _, _ string) inbound.Proof { return inbound.Proof{Password: right} }, auth.ErrProofMissing,
		},
		"a wrong password with a right code": {
			func(good, _, _ string) inbound.Proof { return inbound.Proof{Password: wrong, Code: good} }, auth.ErrReauthFailed,
		},
		"the right password with a wrong code": {
			func(_, bad, _ string) inbound.Proof { return inbound.Proof{Password: right, Code: bad} }, auth.ErrReauthFailed,
		},
		"a used code": {
			func(_, _, used string) inbound.Proof { return inbound.Proof{Password: right, Code: used} }, auth.ErrReauthFailed,
		},
		"both wrong": {
			func(_, bad, _ string) inbound.Proof { return inbound.Proof{Password: wrong, Code: bad} }, auth.ErrReauthFailed,
		},
	} {
		w := identity.New(t)
		v := w.User(t, ada, "")
		setup, tokens := w.Enrol(t, ada)
		caller := w.Caller(t, tokens.Access)
		used, good := w.Code(t, setup.Secret, 0), w.Code(t, setup.Secret, 1)
		if _, err := w.Auth.Complete(t.Context(), w.Challenge(t, ada).Token, used, ""); err != nil {
			t.Fatal(err)
		}
		before, verifies, work := factor(t, w, v.UserID), w.Hasher.Verifies.Load(), w.Faults.Dos.Load()
		p, failed := c.proof(good, w.WrongCode(t, setup.Secret), used), errors.Is(c.want, auth.ErrReauthFailed)
		ctx := inbound.WithOrigin(t.Context(), identity.Somewhere())
		_, setupErr := w.Auth.Setup(ctx, caller, p)
		_, codesErr := w.Auth.RegenerateCodes(ctx, caller, p)
		for _, err := range []error{setupErr, codesErr, w.Auth.Disable(ctx, caller, p)} {
			if !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
			if failed && err != error(auth.ErrReauthFailed) {
				t.Errorf("%s: the refusal differs: %v", name, err)
			}
		}
		want := map[bool]int64{true: 3}[failed]
		if v, d := w.Hasher.Verifies.Load()-verifies, w.Faults.Dos.Load()-work; v != want || d != want {
			t.Errorf("%s: %d hashes and %d transactions, want %d of each", name, v, d, want)
		}
		after := factor(t, w, v.UserID)
		if counted := failed && p.Code != good; (after.Failures > before.Failures) != counted {
			t.Errorf("%s: %d failures of the factor were counted", name, after.Failures-before.Failures)
		}
		before.Failures = after.Failures
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%s: the factor changed: -before +after:\n%s", name, diff)
		}
		if len(w.Letters(t)) != 0 {
			t.Errorf("%s: there is mail", name)
		}
	}
}

func TestAFreshProofForgivesThePassword(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	caller := w.Caller(t, w.Login(t, ada).Access)
	ctx := inbound.WithOrigin(t.Context(), inbound.Origin{IP: "192.0.2.1"})
	for range 3 {
		for range 2 {
			if _, err := w.Auth.Setup(ctx, caller, inbound.Proof{Password: wrong}); !errors.Is(err, auth.ErrReauthFailed) {
				t.Fatal(err)
			}
			if err := try(t, w, ada, wrong, "192.0.2.1"); !errors.Is(err, auth.ErrInvalidCredentials) {
				t.Fatal(err)
			}
		}
		if _, err := w.Auth.Setup(ctx, caller, identity.Proof); err != nil {
			t.Fatal(err)
		}
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

// ends are the ways in which a session ends.
var ends = map[string]func(ctx context.Context, r outbound.Repos, id user.ID, on session.ID, now time.Time) error{
	"logout": func(ctx context.Context, r outbound.Repos, _ user.ID, on session.ID, now time.Time) error {
		return r.Sessions.Update(ctx, on, func(s *session.Session) error { s.Revoke(session.ByLogout, now); return nil })
	},
	"logout of all": func(ctx context.Context, r outbound.Repos, id user.ID, _ session.ID, _ time.Time) error {
		return r.Users.Update(ctx, id, func(u *user.User) error { u.EndSessions(); return nil })
	},
	"disabling of the user": func(ctx context.Context, r outbound.Repos, id user.ID, _ session.ID, now time.Time) error {
		return r.Users.Update(ctx, id, func(u *user.User) error { u.Disable(now); return nil })
	},
	"deletion": func(ctx context.Context, r outbound.Repos, id user.ID, _ session.ID, _ time.Time) error {
		return r.Users.Remove(ctx, id, func(*user.User) error { return nil })
	},
}

func TestASessionThatEndedMeanwhileChangesNothing(t *testing.T) {
	for _, step := range []string{"setup", "confirm", "step up", "disable", "regenerate"} {
		for name, how := range ends {
			for _, late := range []bool{false, true} { // before the proof, or after it
				w := identity.New(t)
				v := w.User(t, ada, "")
				setup, tokens := w.Enrol(t, ada)
				caller := w.Caller(t, tokens.Access)
				again, err := w.Auth.Setup(t.Context(), caller, inbound.Proof{Password: right, Code: w.Code(t, setup.Secret, 0)})
				if err != nil {
					t.Fatal(err)
				}
				code := w.Code(t, setup.Secret, 1)
				p := inbound.Proof{Password: right, RecoveryCode: setup.RecoveryCodes[0]}
				switch step {
				case "confirm":
					code = w.Code(t, again.Secret, 1)
				case "regenerate":
					p = inbound.Proof{Password: right, Code: code}
				}
				before := factor(t, w, v.UserID)
				end := func() {
					err := w.DB.Do(t.Context(), func(ctx context.Context, r outbound.Repos) error {
						return how(ctx, r, v.UserID, caller.SessionID, w.Clock.Now())
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				if late {
					w.Faults.Before(end)
				} else {
					end()
				}
				err = steps(t, w, caller, p, again.SetupID, code)[step]()
				if fault.KindOf(err) != fault.Unauthenticated && !errors.Is(err, user.ErrMFANotPending) {
					t.Errorf("%s after %s, late %v: got %v", step, name, late, err)
				}
				if name == "deletion" {
					continue
				}
				after := factor(t, w, v.UserID)
				if after.On != before.On || string(after.Secret) != string(before.Secret) || after.Pending == nil || after.Pending.SetupID != before.Pending.SetupID {
					t.Errorf("%s after %s, late %v: the factor changed: %+v", step, name, late, after)
				}
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
		if err := try(); !errors.Is(err, auth.ErrReauthFailed) && !errors.Is(err, auth.ErrMFACodeInvalid) {
			t.Errorf("%s: got %v, want the refusal of a wrong code", name, err)
		}
	}
	if _, err := w.Auth.Complete(t.Context(), c.Token, "", setup.RecoveryCodes[0]); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
}
