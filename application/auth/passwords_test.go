package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

const newPassword = "tin whistle over cold harbour"

// somewhere has a use-case be asked from an address that nobody else has.
func somewhere(ctx context.Context) context.Context {
	return inbound.WithOrigin(ctx, identity.Somewhere())
}

// resetToken asks for a link, and gives the token that was mailed.
func resetToken(t *testing.T, w *identity.World, email string) string {
	t.Helper()
	if err := w.Auth.RequestReset(somewhere(t.Context()), email); err != nil {
		t.Fatalf("request reset: %v", err)
	}
	letters := w.Letters(t)
	if len(letters) != 1 || letters[0].Subject != "Set a new password" {
		t.Fatalf("request reset: got %v", letters)
	}
	return identity.TokenIn(t, letters[0])
}

func reset(t *testing.T, w *identity.World, token, password string) error {
	t.Helper()
	return w.Auth.Reset(somewhere(t.Context()), inbound.ResetPassword{Token: token, NewPassword: secret.New(password)})
}

// loginWith signs in by a password, and says what came of it.
func loginWith(t *testing.T, w *identity.World, email, password string) (inbound.LoggedIn, error) {
	t.Helper()
	return w.Auth.Login(t.Context(), inbound.Login{Email: email, Password: secret.New(password), Origin: identity.Somewhere()})
}

// fails fails the test unless an error is the one wanted, nil for none.
func fails(t *testing.T, name string, got, want error) {
	t.Helper()
	if (want == nil) != (got == nil) || !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", name, got, want)
	}
}

// policyCode gives how a password breaks the policy, and where.
func policyCode(err error) (string, string) {
	if f, ok := errors.AsType[*fault.Error](err); ok && errors.Is(err, user.ErrPasswordPolicy) && len(f.Fields) == 1 {
		return f.Fields[0].Code, f.Fields[0].Pointer
	}
	return "", ""
}

// breaches knows one password, and fails when it is told to.
type breaches struct {
	known string
	err   error
	asked int
	stall bool
}

func (b *breaches) Breached(ctx context.Context, password secret.Text) (bool, error) {
	b.asked++
	if b.stall {
		<-ctx.Done()
		return false, ctx.Err()
	}
	return password.Reveal() == b.known, b.err
}

func TestStolenPasswordsAreRefusedWhenThatCanBeTold(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	known, failed := &breaches{known: "Ängström units of light"}, 0
	w.Auth.Breaches, w.Auth.BreachFailed = known, func() { failed++ }
	w.Auth.Config.Passwords.Normal = func(s string) string { return strings.ReplaceAll(s, "A\u0308", "Ä") }
	typed := "A\u0308ngström units of light"
	token, caller := resetToken(t, w, ada), w.Caller(t, w.Login(t, ada).Access)
	for name, c := range map[string]struct {
		do      func() error
		pointer string
	}{
		"register": {func() error {
			_, err := w.Auth.Register(t.Context(), inbound.Register{Email: "bob@example.com", Password: secret.New(typed), Origin: identity.Somewhere()})
			return err
		}, "/password"},
		"reset": {func() error { return reset(t, w, token, typed) }, "/new_password"},
		"change": {func() error {
			return w.Auth.Change(somewhere(t.Context()), caller, inbound.ChangePassword{Current: secret.New(identity.Password), New: secret.New(typed)})
		}, "/new_password"},
	} {
		known.err = nil
		if code, pointer := policyCode(c.do()); code != "breached" || pointer != c.pointer {
			t.Errorf("%s: got %s at %s", name, code, pointer)
		}
	}
	known.err = errors.New("away")
	fails(t, "without an answer", reset(t, w, token, typed), nil)
	if failed != 1 || known.asked != 4 {
		t.Errorf("failed %d of %d, want 1 of 4", failed, known.asked)
	}
	w.Auth.BreachFailed = nil
	fails(t, "without an answer that anyone counts", reset(t, w, resetTokenAfter(t, w), typed), nil)
	before := known.asked
	_, _ = loginWith(t, w, ada, typed)
	if known.asked != before {
		t.Error("asked at a login")
	}
}

// resetTokenAfter gives a token once the notice of a reset has been taken away.
func resetTokenAfter(t *testing.T, w *identity.World) string {
	t.Helper()
	w.Letters(t)
	return resetToken(t, w, ada)
}

func TestChangingAPasswordKeepsTheSessionThatDoesItAlone(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	w.Clock.Advance(time.Minute)
	mine, other := w.Login(t, ada), w.Login(t, ada)
	link := resetToken(t, w, ada)
	caller := w.Caller(t, mine.Access)
	change := func(current, wanted string) error {
		return w.Auth.Change(somewhere(t.Context()), caller, inbound.ChangePassword{Current: secret.New(current), New: secret.New(wanted)})
	}
	fails(t, "no proof", change("", newPassword), auth.ErrProofMissing)
	if f, ok := errors.AsType[*fault.Error](change("", newPassword)); !ok || f.Fields[0].Pointer != "/current_password" {
		t.Errorf("no proof: got %v", f)
	}
	fails(t, "a wrong proof", change("wrong", newPassword), auth.ErrReauthFailed)
	if code, pointer := policyCode(change(identity.Password, "short")); code != "too_short" || pointer != "/new_password" {
		t.Errorf("a short one: got %s at %s", code, pointer)
	}
	w.Caller(t, other.Access)
	w.Hasher.Fail(fault.ErrBusy)
	fails(t, "no room", change(identity.Password, newPassword), fault.ErrBusy)
	w.Hasher.Fail(nil)
	fails(t, "a good one", change(identity.Password, newPassword), nil)

	w.Caller(t, mine.Access)
	shut(t, w, "another session", other.Access)
	if _, err := w.Auth.Refresh(t.Context(), mine.Refresh, identity.Somewhere()); err != nil {
		t.Errorf("refresh: %v", err)
	}
	fails(t, "a link from before", reset(t, w, link, "another fine password"), auth.ErrTokenInvalid)
	letters := w.Letters(t)
	if len(letters) != 1 || letters[0].Subject != "Your password was changed" {
		t.Errorf("got mails %v", letters)
	}
	if _, err := loginWith(t, w, ada, newPassword); err != nil {
		t.Errorf("login: %v", err)
	}
	key := caller
	key.SessionID, key.KeyID = "", "k"
	fails(t, "by a key", w.Auth.Change(t.Context(), key, inbound.ChangePassword{New: secret.New(newPassword)}), auth.ErrSessionOnly)
}

func TestAChangeThatMeetsAnotherIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(*testing.T, *identity.World, inbound.Caller)
		want      error
	}{
		"the password changed": {func(t *testing.T, w *identity.World, _ inbound.Caller) {
			change(t, w, w.UserOf(t, ada).ID(), func(u *user.User) { u.ChangePassword("$argon2id$", w.Clock.Now()) })
		}, auth.ErrReauthFailed},
		"the user was disabled": {func(t *testing.T, w *identity.World, _ inbound.Caller) {
			change(t, w, w.UserOf(t, ada).ID(), func(u *user.User) { u.Disable(w.Clock.Now()) })
		}, auth.ErrReauthFailed},
		"the session ended": {func(t *testing.T, w *identity.World, c inbound.Caller) {
			if err := w.Auth.EndSession(t.Context(), c, c.SessionID); err != nil {
				t.Error(err)
			}
		}, auth.ErrUnauthenticated},
		"the user was deleted": {func(t *testing.T, w *identity.World, _ inbound.Caller) {
			if err := w.Ops.DeleteUser(t.Context(), ada); err != nil {
				t.Error(err)
			}
		}, auth.ErrUnauthenticated},
	} {
		w := identity.New(t)
		w.User(t, ada, "")
		caller := w.Caller(t, w.Login(t, ada).Access)
		// The one transaction of a change is its last step.
		w.Faults.Before(func() { c.meanwhile(t, w, caller) })
		err := w.Auth.Change(somewhere(t.Context()), caller, inbound.ChangePassword{Current: secret.New(identity.Password), New: secret.New(newPassword)})
		fails(t, name, err, c.want)
		if n := len(w.Letters(t)); n != 0 {
			t.Errorf("%s: %d mails", name, n)
		}
	}
}

func TestASecondFactorIsAskedForToChangeAPassword(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	setup, mine := w.Enrol(t, ada)
	caller := w.Caller(t, mine.Access)
	do := func(code string) error {
		return w.Auth.Change(somewhere(t.Context()), caller, inbound.ChangePassword{Current: secret.New(identity.Password), New: secret.New(newPassword), Code: code})
	}
	fails(t, "no code", do(""), auth.ErrProofMissing)
	fails(t, "a wrong code", do(w.WrongCode(t, setup.Secret)), auth.ErrReauthFailed)
	fails(t, "the code", do(w.Code(t, setup.Secret, 0)), nil)
	w.Caller(t, mine.Access)
}

func asFault(err error) (*fault.Error, bool) {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f, true
	}
	return &fault.Error{}, false
}

func TestNoTokenIsLookedAtUncounted(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	link := resetToken(t, w, ada)
	verify := w.Register(t, inbound.Register{Email: "bob@example.com"})
	invitation := w.Invite(t, w.Owner(t, "olga@example.com"), "carol@example.com", "member")
	register := func(email, token string) error {
		_, err := w.Auth.Register(t.Context(), inbound.Register{Email: email, Password: secret.New(identity.Password), InviteToken: token, Origin: identity.Somewhere()})
		return err
	}
	verifyEmail := func() error {
		_, err := w.Auth.VerifyEmail(t.Context(), verify, identity.Somewhere())
		return err
	}
	w.Throttle.Down(errors.New("away"))
	for name, err := range map[string]error{
		"reset": reset(t, w, link, newPassword), "a link that is none": reset(t, w, "none", newPassword), "verify": verifyEmail(),
		"register": register("dave@example.com", ""), "by invitation": register("carol@example.com", invitation),
		"request": w.Auth.RequestReset(somewhere(t.Context()), ada), "resend": w.Auth.ResendVerification(somewhere(t.Context()), "bob@example.com"),
	} {
		fails(t, name, err, fault.ErrDependency)
	}
	w.Throttle.Down(nil)
	if n := len(w.Mails(t)); n != 0 {
		t.Errorf("%d mails", n)
	}
	fails(t, "reset then", reset(t, w, link, newPassword), nil)
	fails(t, "verify then", verifyEmail(), nil)
	fails(t, "by invitation then", register("carol@example.com", invitation), nil)
}
