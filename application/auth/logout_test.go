package auth_test

import (
	"errors"
	"testing"
	"time"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

func logout(t *testing.T, w *identity.World, c inbound.Logout) {
	t.Helper()
	if err := w.Auth.Logout(t.Context(), c); err != nil {
		t.Fatalf("logout: %v", err)
	}
}

// ended checks that neither token of a session is good any more; live that both are.
func ended(t *testing.T, w *identity.World, name string, tokens inbound.Tokens) {
	t.Helper()
	if _, err := w.Gate.Authenticate(t.Context(), tokens.Access); !errors.Is(err, auth.ErrUnauthenticated) {
		t.Errorf("%s: access token: got %v", name, err)
	}
	refused(t, w, name+": refresh token", tokens.Refresh)
}

func live(t *testing.T, w *identity.World, name string, tokens inbound.Tokens) inbound.Tokens {
	t.Helper()
	if _, err := w.Gate.Authenticate(t.Context(), tokens.Access); err != nil {
		t.Errorf("%s: access token: got %v", name, err)
	}
	return refresh(t, w, tokens.Refresh)
}

func TestLogoutEndsTheSessionAtOnce(t *testing.T) {
	for name, with := range map[string]func(inbound.Tokens) inbound.Logout{
		"by refresh token": func(x inbound.Tokens) inbound.Logout { return inbound.Logout{RefreshToken: x.Refresh} },
		"by bearer":        func(x inbound.Tokens) inbound.Logout { return inbound.Logout{Bearer: x.Access} },
		"by both": func(x inbound.Tokens) inbound.Logout {
			return inbound.Logout{RefreshToken: x.Refresh, Bearer: x.Access}
		},
	} {
		w := identity.New(t)
		w.User(t, ada, "")
		tokens, other := w.Login(t, ada), w.Login(t, ada)
		w.Caller(t, tokens.Access) // remembered now
		for range 2 {
			logout(t, w, with(tokens))
		}
		ended(t, w, name, tokens)
		live(t, w, name+": the other session", other)
	}
}

func TestLogoutOfAllEndsEverySessionOfTheUserAlone(t *testing.T) {
	for name, with := range map[string]func(inbound.Tokens) inbound.Logout{
		"by refresh token": func(x inbound.Tokens) inbound.Logout { return inbound.Logout{RefreshToken: x.Refresh, All: true} },
		"by bearer":        func(x inbound.Tokens) inbound.Logout { return inbound.Logout{Bearer: x.Access, All: true} },
	} {
		w := identity.New(t)
		w.User(t, ada, "")
		w.User(t, "bob@example.com", "")
		one, two, bob := w.Login(t, ada), w.Login(t, ada), w.Login(t, "bob@example.com")
		for _, x := range []inbound.Tokens{one, two, bob} {
			w.Caller(t, x.Access)
		}
		logout(t, w, with(one))
		ended(t, w, name+": this session", one)
		ended(t, w, name+": the other session", two)
		live(t, w, name+": another's session", bob)
		live(t, w, name+": a new session", w.Login(t, ada))
		if err := w.Auth.Logout(t.Context(), with(one)); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("%s: again, with a dead token: got %v", name, err)
		}
	}
}

func TestLogoutOfAllNeedsALiveToken(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	old := w.Login(t, ada)
	now := refresh(t, w, old.Refresh)
	expired := w.Login(t, ada)
	for name, c := range map[string]inbound.Logout{
		"none": {}, "an old refresh token": {RefreshToken: old.Refresh}, "garbage": {RefreshToken: "fr1.x", Bearer: "x"},
	} {
		c.All = true
		if err := w.Auth.Logout(t.Context(), c); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	now = live(t, w, "after refusals", now)
	w.Clock.Advance(time.Hour)
	if err := w.Auth.Logout(t.Context(), inbound.Logout{Bearer: expired.Access, All: true}); !errors.Is(err, auth.ErrUnauthenticated) {
		t.Errorf("an expired bearer: got %v", err)
	}
	change(t, w, v.UserID, func(u *user.User) { u.Disable(w.Clock.Now()) })
	if err := w.Auth.Logout(t.Context(), inbound.Logout{RefreshToken: now.Refresh, All: true}); !errors.Is(err, auth.ErrUnauthenticated) {
		t.Errorf("a disabled user: got %v", err)
	}
}

func TestLogoutPassesOverWhatIsNotGood(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	w.User(t, "bob@example.com", "")
	mine, bobs := w.Login(t, ada), w.Login(t, "bob@example.com")
	key, err := w.APIKey.Create(t.Context(), w.Caller(t, mine.Access), inbound.CreateKey{Name: "k"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]inbound.Logout{
		"nothing": {}, "garbage": {RefreshToken: "x", Bearer: "y"}, "an API key": {Bearer: key.Key},
		"an unknown session": {RefreshToken: session.RefreshToken{ID: session.ID(identity.NewID()), Gen: 1}.String()},
	} {
		if err := w.Auth.Logout(t.Context(), c); err != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
	mine = live(t, w, "mine", mine)
	logout(t, w, inbound.Logout{Bearer: mine.Access, RefreshToken: bobs.Refresh})
	ended(t, w, "mine", mine)
	live(t, w, "another's, beside my bearer", bobs)
}

func TestLogoutFailsWithTheDatabase(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	for name, c := range map[string]inbound.Logout{
		"by refresh token": {RefreshToken: tokens.Refresh}, "by bearer": {Bearer: tokens.Access},
	} {
		w.Faults.Down(fault.ErrDependency)
		if err := w.Auth.Logout(t.Context(), c); !errors.Is(err, fault.ErrDependency) {
			t.Errorf("%s: got %v", name, err)
		}
		w.Faults.Down(nil)
	}
	w.Caller(t, tokens.Access)
	w.Faults.Down(fault.ErrDependency)
	if err := w.Auth.Logout(t.Context(), inbound.Logout{Bearer: tokens.Access, All: true}); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("remembered bearer: got %v", err)
	}
	w.Faults.Down(nil)
	live(t, w, "after failures", tokens)
}

func TestARefreshDuringALogoutDoesNotOutliveIt(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	w.Faults.Before(func() { logout(t, w, inbound.Logout{RefreshToken: tokens.Refresh}) })
	refused(t, w, "logged out while it waited", tokens.Refresh)
}

func TestALoginDuringALogoutOfAllIsEndedToo(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	w.Faults.Before(func() { logout(t, w, inbound.Logout{RefreshToken: tokens.Refresh, All: true}) })
	if _, err := w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: right}); !errors.Is(err, auth.ErrInvalidCredentials) {
		t.Errorf("got %v, want %v", err, auth.ErrInvalidCredentials)
	}
}
