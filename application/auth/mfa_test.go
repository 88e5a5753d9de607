package auth_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

// factor gives the kept factor of a user.
func factor(t *testing.T, w *identity.World, id user.ID) user.FactorSnapshot {
	t.Helper()
	f, err := w.DB.View().Factors.Find(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return f.Snapshot()
}

// subjects gives the subjects of the mails that wait.
func subjects(t *testing.T, w *identity.World) (all []string) {
	t.Helper()
	for _, l := range w.Letters(t) {
		all = append(all, l.Subject)
	}
	return all
}

// dead checks that an access token opens nothing.
func dead(t *testing.T, w *identity.World, name, access string) {
	t.Helper()
	if _, err := w.Gate.Authenticate(t.Context(), access); !errors.Is(err, auth.ErrUnauthenticated) {
		t.Errorf("%s: got %v, want %v", name, err, auth.ErrUnauthenticated)
	}
}

func TestALoginWithASecondFactorTakesTwoSteps(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	setup, _ := w.Enrol(t, ada)
	c := w.Challenge(t, ada)
	if c.ExpiresIn != 5*time.Minute || len(c.Token) != 43 || !slices.Equal(c.Methods, []string{"totp", "recovery_code"}) {
		t.Errorf("challenge: got %+v", c)
	}
	dead(t, w, "the challenge as a bearer", c.Token)
	refused(t, w, "the challenge as a refresh token", c.Token)
	ctx := inbound.WithOrigin(t.Context(), inbound.Origin{IP: "192.0.2.7", UserAgent: "phone"})
	tokens, err := w.Auth.Complete(ctx, c.Token, w.Code(t, setup.Secret, 0), "")
	if err != nil {
		t.Fatal(err)
	}
	if tokens.UserID != v.UserID || tokens.TenantID != v.TenantID || !slices.Equal(tokens.AMR, []string{"pwd", "otp"}) || !tokens.MFAEnabled {
		t.Errorf("tokens: got %+v", tokens)
	}
	if got := w.Caller(t, tokens.Access); got.SessionID != tokens.SessionID {
		t.Errorf("caller: got %+v", got)
	}
	kept, err := w.DB.View().Sessions.Find(t.Context(), tokens.SessionID)
	if err != nil || kept.Snapshot().IP != "192.0.2.7" || kept.Snapshot().Agent != "phone" {
		t.Errorf("kept: got %+v, %v", kept.Snapshot(), err)
	}
	if _, err := w.Auth.Complete(t.Context(), c.Token, w.Code(t, setup.Secret, 1), ""); !errors.Is(err, auth.ErrMFAChallengeInvalid) {
		t.Errorf("the challenge again: got %v", err)
	}
}

func TestACodeIsGoodOnceAndNeverAfterALaterOne(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	setup, _ := w.Enrol(t, ada)
	c := w.Challenge(t, ada)
	for _, step := range []struct {
		name  string
		steps int
		want  error
	}{{"the next", 1, nil}, {"the next again", 1, auth.ErrMFACodeInvalid}, {"the one before it", 0, auth.ErrMFACodeInvalid}} {
		_, err := w.Auth.Complete(t.Context(), c.Token, w.Code(t, setup.Secret, step.steps), "")
		if !errors.Is(err, step.want) {
			t.Errorf("%s: got %v, want %v", step.name, err, step.want)
		}
		if err == nil {
			c = w.Challenge(t, ada)
		}
	}
	w.Clock.Advance(identity.Period)
	if _, err := w.Auth.Complete(t.Context(), c.Token, w.Code(t, setup.Secret, 1), ""); err != nil {
		t.Errorf("the one after it, with the same challenge: got %v", err)
	}
}

func TestCodesOfNeighbouringStepsAreGood(t *testing.T) {
	for steps, want := range map[int]error{-2: auth.ErrMFACodeInvalid, -1: nil, 0: nil, 1: nil, 2: auth.ErrMFACodeInvalid} {
		w := identity.New(t)
		w.User(t, ada, "")
		setup, _ := w.Enrol(t, ada)
		w.Clock.Advance(10 * identity.Period)
		if _, err := w.Auth.Complete(t.Context(), w.Challenge(t, ada).Token, w.Code(t, setup.Secret, steps), ""); !errors.Is(err, want) {
			t.Errorf("%+d steps: got %v, want %v", steps, err, want)
		}
	}
}

func TestAChallengeDiesOfFiveTriesOrWithTime(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	setup, _ := w.Enrol(t, ada)
	c := w.Challenge(t, ada)
	bad := w.WrongCode(t, setup.Secret)
	for range 5 {
		if _, err := w.Auth.Complete(t.Context(), c.Token, bad, ""); !errors.Is(err, auth.ErrMFACodeInvalid) {
			t.Errorf("a wrong code: got %v", err)
		}
	}
	if _, err := w.Auth.Complete(t.Context(), c.Token, w.Code(t, setup.Secret, 0), ""); !errors.Is(err, auth.ErrMFAChallengeInvalid) {
		t.Errorf("a right code after five wrong ones: got %v", err)
	}
	c = w.Challenge(t, ada)
	w.Clock.Advance(5 * time.Minute)
	for name, token := range map[string]string{"too late": c.Token, "unknown": strings.Repeat("A", 43), "no token": "", "a longer one": c.Token + "A"} {
		if _, err := w.Auth.Complete(t.Context(), token, w.Code(t, setup.Secret, 0), ""); !errors.Is(err, auth.ErrMFAChallengeInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestWhatIsNoCodeCostsNoTry(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	setup, _ := w.Enrol(t, ada)
	c := w.Challenge(t, ada)
	good := w.Code(t, setup.Secret, 0)
	for name, in := range map[string]struct {
		code, recovery string
		kind           fault.Kind
		at             string
	}{
		"nothing":                      {"", "", fault.Malformed, "/code missing_field"},
		"both":                         {good, setup.RecoveryCodes[0], fault.Malformed, "/code exactly_one"},
		"a blank before":               {" " + good, "", fault.Invalid, "/code invalid_format"},
		"a blank within":               {good[:3] + " " + good[3:], "", fault.Invalid, "/code invalid_format"},
		"five digits":                  {good[:5], "", fault.Invalid, "/code invalid_format"},
		"seven digits":                 {good + "0", "", fault.Invalid, "/code invalid_format"},
		"a sign":                       {"-" + good[1:], "", fault.Invalid, "/code invalid_format"},
		"full-width digits":            {"\uff11\uff12\uff13\uff14\uff15\uff16", "", fault.Invalid, "/code invalid_format"},
		"six bytes of two digits":      {"\uff11\uff12", "", fault.Invalid, "/code invalid_format"},
		"a short recovery code":        {"", setup.RecoveryCodes[0][:28], fault.Invalid, "/recovery_code invalid_format"},
		"a long recovery code":         {"", setup.RecoveryCodes[0] + "0", fault.Invalid, "/recovery_code invalid_format"},
		"a recovery code of no letter": {"", "U" + setup.RecoveryCodes[0][1:], fault.Invalid, "/recovery_code invalid_format"},
		"very much":                    {"", strings.Repeat("-", 1000), fault.Invalid, "/recovery_code invalid_format"},
	} {
		_, err := w.Auth.Complete(t.Context(), c.Token, in.code, in.recovery)
		f, _ := errors.AsType[*fault.Error](err)
		if f == nil || f.Kind != in.kind || len(f.Fields) != 1 || f.Fields[0].Pointer+" "+f.Fields[0].Code != in.at {
			t.Errorf("%s: got %+v, want %s", name, f, in.at)
		}
	}
	if n := w.Challenges.Tries.Load(); n != 0 {
		t.Errorf("%d tries were counted", n)
	}
	if _, err := w.Auth.Complete(t.Context(), c.Token, good, ""); err != nil {
		t.Errorf("then the right code: %v", err)
	}
}

func TestGuessesOfCodesAreCountedTogether(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	setup, tokens := w.Enrol(t, ada)
	caller := w.Caller(t, tokens.Access)
	bad := w.WrongCode(t, setup.Secret)
	again, err := w.Auth.Setup(t.Context(), caller, inbound.Proof{Password: right, Code: w.Code(t, setup.Secret, 0)})
	if err != nil {
		t.Fatal(err)
	}
	guesses := []func() error{
		func() error { _, err := w.Auth.Complete(t.Context(), w.Challenge(t, ada).Token, bad, ""); return err },
		func() error { _, err := w.Auth.Confirm(t.Context(), caller, again.SetupID, bad); return err },
		func() error { _, err := w.Auth.StepUp(t.Context(), caller, bad); return err },
		func() error { return w.Auth.Disable(t.Context(), caller, inbound.Proof{Password: right, Code: bad}) },
		func() error {
			_, err := w.Auth.RegenerateCodes(t.Context(), caller, inbound.Proof{Password: right, Code: bad})
			return err
		},
	}
	for i := range 10 {
		if err := guesses[i%len(guesses)](); !errors.Is(err, auth.ErrMFACodeInvalid) && !errors.Is(err, auth.ErrReauthFailed) {
			t.Fatalf("guess %d: got %v", i, err)
		}
	}
	for i, guess := range guesses {
		err := guess()
		if f, _ := errors.AsType[*fault.Error](err); !errors.Is(err, auth.ErrTooMany) || f.RetryAfter <= 0 {
			t.Errorf("way %d: got %v, want %v", i, err, auth.ErrTooMany)
		}
	}
	if _, err := w.Auth.StepUp(t.Context(), caller, w.Code(t, setup.Secret, 1)); !errors.Is(err, auth.ErrTooMany) {
		t.Errorf("the right code: got %v", err)
	}
	w.Clock.Advance(15 * time.Minute)
	w.LoginWith(t, ada, setup.Secret)
	if w.Audited(t, "authn_login_lock") == 0 {
		t.Error("the audit log says nothing of the lock")
	}
}

func TestRecoveryCodesSignInOnceHoweverTheyAreWritten(t *testing.T) {
	w := identity.New(t)
	ada1 := w.User(t, ada, "")
	w.User(t, "eve@example.com", "")
	setup, _ := w.Enrol(t, ada)
	foreign, _ := w.Enrol(t, "eve@example.com")
	confuse := strings.NewReplacer("0", "O", "1", "I", "-", "")
	for i, code := range []string{setup.RecoveryCodes[0], strings.ToLower(setup.RecoveryCodes[1]), confuse.Replace(setup.RecoveryCodes[2]), strings.ReplaceAll(setup.RecoveryCodes[3], "1", "l")} {
		tokens, err := w.Auth.Complete(t.Context(), w.Challenge(t, ada).Token, "", code)
		if err != nil || !slices.Equal(tokens.AMR, []string{"pwd", "recovery"}) {
			t.Errorf("code %d: got %v, %v", i, tokens.AMR, err)
		}
		c := w.Challenge(t, ada)
		for range 2 { // a used code does not take the challenge away
			if _, err := w.Auth.Complete(t.Context(), c.Token, "", setup.RecoveryCodes[i]); !errors.Is(err, auth.ErrMFACodeInvalid) {
				t.Errorf("code %d again: got %v", i, err)
			}
		}
		mails := w.Letters(t)
		if len(mails) != 1 || mails[0].To != ada || !strings.Contains(mails[0].Text, []string{"9", "8", "7", "6"}[i]) {
			t.Errorf("code %d: got mails %v", i, mails)
		}
	}
	if _, err := w.Auth.Complete(t.Context(), w.Challenge(t, ada).Token, "", foreign.RecoveryCodes[0]); !errors.Is(err, auth.ErrMFACodeInvalid) {
		t.Errorf("another user's: got %v", err)
	}
	f := factor(t, w, ada1.UserID)
	if left := user.RestoreFactor(f).RecoveryLeft(); left != 6 || f.Failures != 0 {
		t.Errorf("%d left and %d failures, want 6 and 0", left, f.Failures)
	}
}

func TestMethodsAreThoseThatAreLeft(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	setup, _ := w.Enrol(t, ada)
	keep := func(change func(s *user.FactorSnapshot)) {
		err := w.DB.Do(t.Context(), func(ctx context.Context, r outbound.Repos) error {
			return r.Factors.Update(ctx, v.UserID, func(f *user.Factor) error {
				s := f.Snapshot()
				change(&s)
				*f = *user.RestoreFactor(s)
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	keep(func(s *user.FactorSnapshot) { s.Failures = user.MaxFactorFailures - 1 })
	c := w.Challenge(t, ada)
	if _, err := w.Auth.Complete(t.Context(), c.Token, w.WrongCode(t, setup.Secret), ""); !errors.Is(err, auth.ErrMFACodeInvalid) {
		t.Errorf("got %v", err)
	}
	if mails := w.Letters(t); len(mails) != 1 || mails[0].To != ada {
		t.Errorf("at the lock: got mails %v", mails)
	}
	if _, err := w.Auth.Complete(t.Context(), c.Token, w.Code(t, setup.Secret, 0), ""); !errors.Is(err, auth.ErrMFACodeInvalid) {
		t.Errorf("locked, a right code: got %v", err)
	}
	if mails := w.Letters(t); len(mails) != 0 {
		t.Errorf("after the lock: got mails %v", mails)
	}
	if c := w.Challenge(t, ada); !slices.Equal(c.Methods, []string{"recovery_code"}) {
		t.Errorf("locked: got %v", c.Methods)
	}
	if _, err := w.Auth.Complete(t.Context(), c.Token, "", setup.RecoveryCodes[0]); err != nil {
		t.Errorf("locked, a recovery code: %v", err)
	}
	w.LoginWith(t, ada, setup.Secret)
	keep(func(s *user.FactorSnapshot) {
		for i := range s.Codes {
			s.Codes[i].UsedAt = w.Clock.Now()
		}
	})
	if c := w.Challenge(t, ada); !slices.Equal(c.Methods, []string{"totp"}) {
		t.Errorf("no recovery code left: got %v", c.Methods)
	}
	keep(func(s *user.FactorSnapshot) { s.Failures = user.MaxFactorFailures })
	if _, err := w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: right}); !errors.Is(err, auth.ErrMFARequired) {
		t.Errorf("nothing left: got %v", err)
	}
}

func TestAChallengeDiesWithAChangeOfTheUser(t *testing.T) {
	for name, how := range map[string]func(w *identity.World, id user.ID) func(*user.User){
		"another password": func(w *identity.World, _ user.ID) func(*user.User) {
			return func(u *user.User) { u.ChangePassword("x", w.Clock.Now()) }
		},
		"disabled": func(w *identity.World, _ user.ID) func(*user.User) {
			return func(u *user.User) { u.Disable(w.Clock.Now()) }
		},
		"logout of all": func(*identity.World, user.ID) func(*user.User) { return (*user.User).EndSessions },
	} {
		for _, meanwhile := range []bool{false, true} {
			w := identity.New(t)
			v := w.User(t, ada, "")
			setup, _ := w.Enrol(t, ada)
			c := w.Challenge(t, ada)
			do := func() { change(t, w, v.UserID, how(w, v.UserID)) }
			if meanwhile {
				w.Faults.Before(do)
			} else {
				do()
			}
			if _, err := w.Auth.Complete(t.Context(), c.Token, w.Code(t, setup.Secret, 0), ""); !errors.Is(err, auth.ErrMFAChallengeInvalid) {
				t.Errorf("%s, meanwhile %v: got %v", name, meanwhile, err)
			}
			if f := factor(t, w, v.UserID); f.LastStep != w.Clock.Now().Unix()/30-2 {
				t.Errorf("%s, meanwhile %v: the code is used up", name, meanwhile)
			}
		}
	}
	w := identity.New(t)
	v := w.User(t, ada, "")
	setup, _ := w.Enrol(t, ada)
	c := w.Challenge(t, ada)
	leave(t, w, v.UserID, v.TenantID)
	if _, err := w.Auth.Complete(t.Context(), c.Token, w.Code(t, setup.Secret, 0), ""); !errors.Is(err, auth.ErrMFAChallengeInvalid) {
		t.Errorf("no member any more: got %v", err)
	}
}
