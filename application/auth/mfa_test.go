package auth_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
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
		if _, err := w.Auth.Complete(t.Context(), w.Challenge(t, ada).Token, "", setup.RecoveryCodes[i]); !errors.Is(err, auth.ErrMFACodeInvalid) {
			t.Errorf("code %d again: got %v", i, err)
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

func TestAHashOfOldCostIsReplacedBeforeTheSecondFactor(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	w.Enrol(t, ada)
	hash := func() string {
		u, err := w.DB.View().Users.Find(t.Context(), v.UserID)
		if err != nil {
			t.Fatal(err)
		}
		return u.PasswordHash()
	}
	old := hash()
	w.Hasher.CallStale()
	w.Challenge(t, ada)
	fresh := hash()
	if fresh == old {
		t.Error("the hash is the old one")
	}
	w.Hasher.Fail(fault.ErrBusy)
	w.Challenge(t, ada)
	w.Hasher.Fail(nil)
	if hash() != fresh {
		t.Error("a hash that could not be made was kept")
	}
	w.Faults.Before(func() { change(t, w, v.UserID, func(u *user.User) { u.ChangePassword("another", w.Clock.Now()) }) })
	w.Challenge(t, ada)
	if hash() != "another" {
		t.Error("a password set meanwhile is gone")
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
