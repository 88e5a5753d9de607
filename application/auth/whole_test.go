package auth_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

// scene is a world where something is about to happen.
type scene struct {
	w     *identity.World
	v     inbound.Verified
	mine  session.ID // "": of nobody
	other session.ID
	// do does it, as often as it is asked to: each time by a code that is fresh.
	do func() error
}

// state is what a use-case may change.
type state struct {
	MFA, Disabled, OtherEnded, MineEnded bool
	Epoch                                int64
	Password, Secret                     string
	Codes                                []user.RecoveryCode
	Sessions, Mails, Gen                 int
	Setup                                string
	Failures                             int
	AuthTime                             time.Time
}

func (s *scene) state(t *testing.T) (now state) {
	t.Helper()
	u, err := s.w.DB.View().Users.Find(t.Context(), s.v.UserID)
	if err != nil {
		t.Fatal(err)
	}
	f := factor(t, s.w, s.v.UserID)
	now.MFA, now.Disabled, now.Epoch, now.Password, now.Secret = u.MFA(), !u.MaySignIn(), u.Epoch(), u.PasswordHash(), string(f.Secret)
	if now.MFA != f.On {
		t.Errorf("the user says %v of its second factor, the factor %v", now.MFA, f.On)
	}
	now.Codes, now.Failures = f.Codes, f.Failures
	if f.Pending != nil {
		now.Setup = f.Pending.SetupID
	}
	for id, ended := range map[session.ID]*bool{s.mine: &now.MineEnded, s.other: &now.OtherEnded} {
		if id == "" {
			continue
		}
		on, err := s.w.DB.View().Sessions.Find(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		*ended = on.Revoked()
		if id == s.mine {
			now.AuthTime = on.AuthTime()
		}
		now.Gen += int(on.Generation())
	}
	open, err := s.w.DB.View().Sessions.OfUser(t.Context(), s.v.UserID, s.w.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	now.Sessions, now.Mails = len(open), len(s.w.Letters(t))
	return now
}

// plain is a scene of a user without a second factor, with two sessions.
func plain(t *testing.T) (*scene, inbound.Tokens) {
	t.Helper()
	s := &scene{w: identity.New(t)}
	s.v = s.w.User(t, ada, "")
	s.other = s.w.Login(t, ada).SessionID
	s.w.Clock.Advance(identity.Period)
	mine := s.w.Login(t, ada)
	s.mine = mine.SessionID
	return s, mine
}

// enrolled is a scene of a user with a second factor, and two sessions.
func enrolled(t *testing.T) (*scene, inbound.MFASetup, inbound.Tokens) {
	t.Helper()
	s := &scene{w: identity.New(t)}
	s.v = s.w.User(t, ada, "")
	setup, mine := s.w.Enrol(t, ada)
	s.mine, s.other = mine.SessionID, s.w.LoginWith(t, ada, setup.Secret).SessionID
	return s, setup, mine
}

// fresh gives a code that was not used yet.
func (s *scene) fresh(t *testing.T, setup inbound.MFASetup) string {
	t.Helper()
	s.w.Clock.Advance(identity.Period)
	return s.w.Code(t, setup.Secret, 0)
}

// complete signs in by both steps.
func (s *scene) complete(t *testing.T, code, recovery string) error {
	t.Helper()
	in, err := s.w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: right, Origin: identity.Somewhere()})
	if err != nil {
		return err
	}
	_, err = s.w.Auth.Complete(t.Context(), in.Challenge.Token, code, recovery)
	return err
}

// scenes are the use-cases that change something, each ready to go, and what comes of each when nothing is in its way.
var scenes = map[string]struct {
	set  func(t *testing.T) *scene
	want error
}{
	"login": {set: func(t *testing.T) *scene {
		s, _ := plain(t)
		s.do = func() error { return try(t, s.w, ada, right, "192.0.2.1") }
		return s
	}},
	"login that makes room": {set: func(t *testing.T) *scene {
		s, _ := plain(t)
		for range session.MaxPerUser - 2 {
			s.w.Login(t, ada)
		}
		s.do = func() error { return try(t, s.w, ada, right, "192.0.2.1") }
		return s
	}},
	"refused login": {set: func(t *testing.T) *scene {
		s, _ := plain(t)
		s.do = func() error { return try(t, s.w, ada, wrong, "192.0.2.1") }
		return s
	}, want: auth.ErrInvalidCredentials},
	"setup": {set: func(t *testing.T) *scene {
		s, mine := plain(t)
		caller := s.w.Caller(t, mine.Access)
		s.do = func() error { _, err := s.w.Auth.Setup(t.Context(), caller, identity.Proof); return err }
		return s
	}},
	"confirmation": {set: func(t *testing.T) *scene {
		s, mine := plain(t)
		caller := s.w.Caller(t, mine.Access)
		setup, err := s.w.Auth.Setup(t.Context(), caller, identity.Proof)
		if err != nil {
			t.Fatal(err)
		}
		s.do = func() error {
			_, err := s.w.Auth.Confirm(t.Context(), caller, setup.SetupID, s.fresh(t, setup))
			return err
		}
		return s
	}},
	"refused confirmation": {set: func(t *testing.T) *scene {
		s, mine := plain(t)
		caller := s.w.Caller(t, mine.Access)
		setup, err := s.w.Auth.Setup(t.Context(), caller, identity.Proof)
		if err != nil {
			t.Fatal(err)
		}
		s.do = func() error {
			_, err := s.w.Auth.Confirm(t.Context(), caller, setup.SetupID, s.w.WrongCode(t, setup.Secret))
			return err
		}
		return s
	}, want: auth.ErrMFACodeInvalid},
	"completion by code": {set: func(t *testing.T) *scene {
		s, setup, _ := enrolled(t)
		s.do = func() error { return s.complete(t, s.fresh(t, setup), "") }
		return s
	}},
	"completion by recovery code": {set: func(t *testing.T) *scene {
		s, setup, _ := enrolled(t)
		s.do = func() error { return s.complete(t, "", setup.RecoveryCodes[0]) }
		return s
	}},
	"refused completion": {set: func(t *testing.T) *scene {
		s, setup, _ := enrolled(t)
		s.do = func() error { return s.complete(t, s.w.WrongCode(t, setup.Secret), "") }
		return s
	}, want: auth.ErrMFACodeInvalid},
	"completion that locks": {set: func(t *testing.T) *scene {
		s, setup, _ := enrolled(t)
		err := s.w.DB.View().Factors.Update(t.Context(), s.v.UserID, func(f *user.Factor) error {
			for range user.MaxFactorFailures - 1 {
				f.Fail(s.w.Clock.Now())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		s.do = func() error { return s.complete(t, s.w.WrongCode(t, setup.Secret), "") }
		return s
	}, want: auth.ErrMFACodeInvalid},
	"step-up": {set: func(t *testing.T) *scene {
		s, setup, mine := enrolled(t)
		caller := s.w.Caller(t, mine.Access)
		s.do = func() error { _, err := s.w.Auth.StepUp(t.Context(), caller, s.fresh(t, setup)); return err }
		return s
	}},
	"disabling": {set: func(t *testing.T) *scene {
		s, setup, mine := enrolled(t)
		caller := s.w.Caller(t, mine.Access)
		s.do = func() error {
			return s.w.Auth.Disable(t.Context(), caller, inbound.Proof{Password: right, Code: s.fresh(t, setup)})
		}
		return s
	}},
	"refused disabling": {set: func(t *testing.T) *scene {
		s, setup, mine := enrolled(t)
		caller := s.w.Caller(t, mine.Access)
		s.do = func() error {
			return s.w.Auth.Disable(t.Context(), caller, inbound.Proof{Password: wrong, Code: s.fresh(t, setup)})
		}
		return s
	}, want: auth.ErrReauthFailed},
	"new recovery codes": {set: func(t *testing.T) *scene {
		s, setup, mine := enrolled(t)
		caller := s.w.Caller(t, mine.Access)
		s.do = func() error {
			_, err := s.w.Auth.RegenerateCodes(t.Context(), caller, inbound.Proof{Password: right, Code: s.fresh(t, setup)})
			return err
		}
		return s
	}},
	"logout": {set: func(t *testing.T) *scene {
		s, mine := plain(t)
		s.do = func() error { return s.w.Auth.Logout(t.Context(), inbound.Logout{RefreshToken: mine.Refresh}) }
		return s
	}},
	"logout of all": {set: func(t *testing.T) *scene {
		s, mine := plain(t)
		s.do = func() error { return s.w.Auth.Logout(t.Context(), inbound.Logout{Bearer: mine.Access, All: true}) }
		return s
	}},
	"refresh": {set: func(t *testing.T) *scene {
		s, mine := plain(t)
		s.do = func() error { _, err := s.w.Auth.Refresh(t.Context(), mine.Refresh, inbound.Origin{}); return err }
		return s
	}},
	"registration": {set: func(t *testing.T) *scene {
		s, _ := plain(t)
		s.do = func() error {
			_, err := s.w.Auth.Register(t.Context(), inbound.Register{Email: ada, Password: right, Origin: identity.Somewhere()})
			return err
		}
		return s
	}},
}

func TestWhateverOperationOfTheDatabaseFailsAllHappensOrNothing(t *testing.T) {
	for name, c := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				s := c.set(t)
				before := s.state(t)
				tripped := s.w.Faults.Trip(n, fault.ErrDependency)
				err := s.do()
				if !tripped() {
					if !errors.Is(err, c.want) {
						t.Errorf("nothing failed: got %v, want %v", err, c.want)
					}
					if after := s.state(t); c.want == nil && cmp.Equal(before, after) {
						t.Errorf("nothing changed: %+v", after)
					}
					return
				}
				if !errors.Is(err, fault.ErrDependency) {
					t.Errorf("operation %d failed: got %v, want %v", n, err, fault.ErrDependency)
				}
				if diff := cmp.Diff(before, s.state(t)); diff != "" {
					t.Errorf("operation %d failed: -before +after:\n%s", n, diff)
				}
				if err := s.do(); !errors.Is(err, c.want) {
					t.Errorf("again after operation %d failed: got %v, want %v", n, err, c.want)
				}
			}
		})
	}
}
