package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

func TestALinkForANewPasswordIsAskedForAlikeByEverybody(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	w.User(t, "bob@example.com", "")
	w.Register(t, inbound.Register{Email: "carol@example.com"})
	change(t, w, w.UserOf(t, "bob@example.com").ID(), func(u *user.User) { u.Disable(w.Clock.Now()) })
	tokens := w.Login(t, ada)
	for name, c := range map[string]struct{ email, to string }{
		"known":    {"ADA@example.com", ada},
		"unknown":  {"nobody@example.com", ""},
		"disabled": {"bob@example.com", ""},
		"pending":  {"carol@example.com", ""},
	} {
		hashes, dos, views, woken, asked := w.Hasher.Hashes.Load(), w.Faults.Dos.Load(), w.Faults.Views.Load(), w.Post.Woken.Load(), w.Throttle.Asked.Load()
		if err := w.Auth.RequestReset(somewhere(t.Context()), c.email); err != nil {
			t.Errorf("%s: got %v", name, err)
		}
		if w.Hasher.Hashes.Load() != hashes || w.Faults.Dos.Load()-dos != 1 || w.Faults.Views.Load() != views || w.Post.Woken.Load()-woken != 1 || w.Throttle.Asked.Load()-asked != 1 {
			t.Errorf("%s: works otherwise", name)
		}
		mails := w.Mails(t)
		if len(mails) != 1 || mails[0].To != c.to {
			t.Errorf("%s: got mails %v, want one to %q", name, mails, c.to)
		}
	}
	w.Caller(t, tokens.Access) // nobody is signed out, nothing locked
	w.Login(t, ada)
	if n := w.Audited(t, "reset_requested"); n != 4 {
		t.Errorf("the audit log has %d requests, want 4", n)
	}
	for name, email := range map[string]string{"no address": "ada", "blanks": " " + ada} {
		if err := w.Auth.RequestReset(somewhere(t.Context()), email); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestResetsAreBounded(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	first := make([]string, 3)
	for i := range first {
		first[i] = resetToken(t, w, ada)
		w.Clock.Advance(time.Minute)
	}
	silent := func(name string) {
		t.Helper()
		if err := w.Auth.RequestReset(somewhere(t.Context()), ada); err != nil || len(w.Letters(t)) != 0 {
			t.Errorf("%s: got %v, or a mail", name, err)
		}
	}
	silent("the fourth in the hour")
	w.Clock.Advance(31 * time.Minute)
	silent("when the links have expired, but the hour is not over")
	fails(t, "an expired link", reset(t, w, first[2], newPassword), auth.ErrTokenInvalid)
	w.Clock.Advance(29 * time.Minute)
	second := resetToken(t, w, ada)
	fails(t, "a link of the next hour", reset(t, w, second, newPassword), nil)

	from := inbound.WithOrigin(t.Context(), inbound.Origin{IP: "192.0.2.1"})
	for i := range 11 {
		err := w.Auth.RequestReset(from, "nobody@example.com")
		if i < 10 {
			fails(t, "of one network", err, nil)
		} else {
			fails(t, "the eleventh of one network", err, auth.ErrTooMany)
		}
	}
}

func TestAResetByLinkDoesAllOfIt(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	mine, other := w.Login(t, ada), w.Login(t, ada)
	for _, tokens := range []inbound.Tokens{mine, other} {
		w.Caller(t, tokens.Access) // so that this node remembers it
	}
	earlier, token, later := resetToken(t, w, ada), resetToken(t, w, ada), resetToken(t, w, ada)
	from := identity.Somewhere()
	for range 5 { // as many as one network may guess wrong
		_, _ = w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: secret.New("wrong"), Origin: from})
	}
	before := w.UserOf(t, ada)
	err := w.Auth.Reset(inbound.WithOrigin(t.Context(), from), inbound.ResetPassword{Token: token, NewPassword: secret.New(newPassword)})
	fails(t, "reset", err, nil)

	if after := w.UserOf(t, ada); after.Epoch() != before.Epoch()+1 || after.PasswordHash() == before.PasswordHash() {
		t.Errorf("epoch %d after %d, or the hash is the old one", after.Epoch(), before.Epoch())
	}
	for name, tokens := range map[string]inbound.Tokens{"mine": mine, "other": other} {
		shut(t, w, name, tokens.Access)
		_, err := w.Auth.Refresh(t.Context(), tokens.Refresh, identity.Somewhere())
		fails(t, name, err, session.ErrRefreshInvalid)
		if on, _ := w.DB.View().Sessions.Find(t.Context(), tokens.SessionID); on.Snapshot().Reason != session.ByPassword {
			t.Errorf("%s: ended for %q", name, on.Snapshot().Reason)
		}
	}
	for name, used := range map[string]string{"the used link": token, "an earlier one": earlier, "a later one": later} {
		fails(t, name, reset(t, w, used, "another fine password"), auth.ErrTokenInvalid)
	}
	letters := w.Letters(t)
	if len(letters) != 1 || letters[0].To != ada || letters[0].Subject != "Your password was reset" {
		t.Errorf("got mails %v", letters)
	}
	_, err = loginWith(t, w, ada, identity.Password)
	fails(t, "the old password", err, auth.ErrInvalidCredentials)
	if _, err := w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: secret.New(newPassword), Origin: from}); err != nil {
		t.Errorf("the new password, where wrong ones were tried: got %v", err)
	}
	if n := w.Audited(t, "reset_used") + w.Audited(t, "authn_password_change"); n != 2 {
		t.Errorf("the audit log has %d lines of it, want 2", n)
	}
	for _, l := range w.Audit(t) {
		if l.Event == "reset_used" && (l.Actor != string(v.UserID) || l.Subject != string(v.UserID)) {
			t.Errorf("line %+v", l)
		}
	}
}

func TestASecondFactorOutlivesAReset(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	setup, _ := w.Enrol(t, ada)
	fails(t, "reset", reset(t, w, resetToken(t, w, ada), newPassword), nil)
	in, err := loginWith(t, w, ada, newPassword)
	if err != nil || in.Tokens != nil || in.Challenge == nil {
		t.Fatalf("login: got %v, %v", in, err)
	}
	if _, err := w.Auth.Complete(t.Context(), in.Challenge.Token, w.Code(t, setup.Secret, 0), ""); err != nil {
		t.Errorf("the code: got %v", err)
	}
}

func TestAResetEndsLoginsThatWaitForTheirSecondFactor(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	setup, _ := w.Enrol(t, ada)
	in, err := loginWith(t, w, ada, identity.Password)
	if err != nil {
		t.Fatal(err)
	}
	fails(t, "reset", reset(t, w, resetToken(t, w, ada), newPassword), nil)
	_, err = w.Auth.Complete(t.Context(), in.Challenge.Token, w.Code(t, setup.Secret, 0), "")
	fails(t, "the old challenge", err, auth.ErrMFAChallengeInvalid)
}

func TestBadLinksAreRefusedAlikeAndCounted(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	verify := w.Register(t, inbound.Register{Email: "bob@example.com"})
	admin := w.Owner(t, "carol@example.com")
	invite := w.Invite(t, admin, ada, "member")
	disabled := resetToken(t, w, ada)
	change(t, w, w.UserOf(t, ada).ID(), func(u *user.User) { u.Disable(w.Clock.Now()) })
	hashes := w.Hasher.Hashes.Load()
	for name, token := range map[string]string{
		"nothing": "", "text": "token", "unknown": strings.Repeat("A", 43), "padded": strings.Repeat("A", 43) + "=", "a link that verifies": verify,
		"an invitation": invite, "of a disabled user": disabled, "no canonical end": strings.Repeat("A", 42) + "B", "very long": strings.Repeat("A", 1<<20),
	} {
		fails(t, name, reset(t, w, token, newPassword), auth.ErrTokenInvalid)
	}
	if n := w.Hasher.Hashes.Load() - hashes; n != 0 {
		t.Errorf("%d hashes for bad links", n)
	}
	_, err := w.Auth.VerifyEmail(t.Context(), disabled, identity.Somewhere())
	fails(t, "a reset link at verification", err, auth.ErrTokenInvalid)
	from := inbound.WithOrigin(t.Context(), inbound.Origin{IP: "192.0.2.1"})
	for i := range 21 {
		err := w.Auth.Reset(from, inbound.ResetPassword{Token: "bad", NewPassword: secret.New(newPassword)})
		if i < 20 {
			fails(t, "a guess", err, auth.ErrTokenInvalid)
		} else {
			fails(t, "the 21st guess", err, auth.ErrTooMany)
		}
	}
	_, err = w.Auth.VerifyEmail(t.Context(), verify, inbound.OriginOf(from))
	fails(t, "guesses of one kind count for all", err, auth.ErrTooMany)
}

func TestAPasswordThatIsRefusedDoesNotUseTheLinkUp(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "lovelace")
	token := resetToken(t, w, ada)
	hashes := w.Hasher.Hashes.Load()
	for password, want := range map[string]string{
		"": "too_short", "short": "too_short", strings.Repeat("long enough ", 20): "too_long", "aaaaaaaaaaaaaaaaaaaa": "common",
		"my lovelace password": "contains_identity",
	} {
		if code, pointer := policyCode(reset(t, w, token, password)); code != want || pointer != "/new_password" {
			t.Errorf("%q: got %s at %s, want %s", password, code, pointer, want)
		}
	}
	w.Hasher.Fail(fault.ErrBusy)
	fails(t, "no room for a hash", reset(t, w, token, newPassword), fault.ErrBusy)
	w.Hasher.Fail(nil)
	if n := w.Hasher.Hashes.Load() - hashes; n != 1 {
		t.Errorf("%d hashes, want 1", n)
	}
	fails(t, "a good one", reset(t, w, token, newPassword), nil)
}

func TestATenantsNameIsNoPartOfAPassword(t *testing.T) {
	w := identity.New(t)
	token := w.Register(t, inbound.Register{Email: ada, HasTenant: true, TenantName: "Analytical"})
	if _, err := w.Auth.VerifyEmail(t.Context(), token, identity.Somewhere()); err != nil {
		t.Fatal(err)
	}
	w.Letters(t)
	if code, _ := policyCode(reset(t, w, resetToken(t, w, ada), "analytical engine 1837")); code != "contains_identity" {
		t.Errorf("got %q", code)
	}
}
