package auth_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

func TestWhatEndsIsRefusedAtOnceHereAndWithinFiveSecondsElsewhere(t *testing.T) {
	type scene struct {
		here, there *identity.World
		v           inbound.Verified
		tokens      inbound.Tokens
		key         inbound.CreatedKey
	}
	for name, c := range map[string]struct {
		end   func(*testing.T, scene)
		token bool // the access token ends
		key   bool // the key ends
		local bool // this node is told, and knows at once
	}{
		"logout": {func(t *testing.T, s scene) { logout(t, s.here, inbound.Logout{Bearer: s.tokens.Access}) }, true, false, true},
		"logout of all": {func(t *testing.T, s scene) {
			logout(t, s.here, inbound.Logout{Bearer: s.tokens.Access, All: true})
		}, true, false, true},
		"key revoked": {func(t *testing.T, s scene) {
			if err := s.here.APIKey.Revoke(t.Context(), s.here.Caller(t, s.tokens.Access), s.key.View.ID); err != nil {
				t.Fatal(err)
			}
		}, false, true, true},
		"key rotated without grace": {func(t *testing.T, s scene) {
			if _, err := s.here.APIKey.Rotate(t.Context(), s.here.Caller(t, s.tokens.Access), s.key.View.ID, 0); err != nil {
				t.Fatal(err)
			}
		}, false, true, true},
		"user disabled by another process": {func(t *testing.T, s scene) {
			change(t, s.here, s.v.UserID, func(u *user.User) { u.Disable(s.here.Clock.Now()) })
		}, true, true, false},
		"member removed by another process": {func(t *testing.T, s scene) { leave(t, s.here, s.v.UserID, s.v.TenantID) }, true, true, false},
		"password changed by another process": {func(t *testing.T, s scene) {
			change(t, s.here, s.v.UserID, func(u *user.User) { u.ChangePassword("$argon2id$", s.here.Clock.Now()) })
		}, true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := scene{here: identity.New(t)}
			s.there = s.here.Node(t)
			s.v = s.here.User(t, ada, "")
			s.tokens = s.here.Login(t, ada)
			s.key = key(t, s.here, s.tokens, inbound.CreateKey{})
			for _, w := range []*identity.World{s.here, s.there} {
				w.Caller(t, s.tokens.Access)
				w.Caller(t, s.key.Key)
			}
			c.end(t, s)
			check := func(where string, w *identity.World) {
				for what, x := range map[string]struct {
					credential string
					ends       bool
				}{"access token": {s.tokens.Access, c.token}, "key": {s.key.Key, c.key}} {
					_, err := w.Gate.Authenticate(t.Context(), x.credential)
					if x.ends != (fault.KindOf(err) == fault.Unauthenticated && err != nil) {
						t.Errorf("%s, %s: got %v, want ended %v", what, where, err, x.ends)
					}
				}
			}
			if c.local {
				check("here", s.here)
			}
			s.here.Clock.Advance(5 * time.Second)
			check("here, 5 s later", s.here)
			check("there, 5 s later", s.there)
		})
	}
}

func TestThisNodeCanBeToldToForgetAUser(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	k := key(t, w, w.Login(t, ada), inbound.CreateKey{})
	w.Caller(t, k.Key)
	change(t, w, v.UserID, func(u *user.User) { u.Disable(w.Clock.Now()) })
	w.Gate.ForgetUser(v.UserID)
	shut(t, w, "key", k.Key)
}

func TestASessionEndsHereThoughTheCacheDoesNotLearnOfIt(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	w.Caller(t, tokens.Access)
	w.Cache = unwritten{w.Cache}
	logout(t, w, inbound.Logout{RefreshToken: tokens.Refresh})
	shut(t, w, "at once", tokens.Access)
	w.Clock.Advance(5 * time.Second)
	shut(t, w, "later", tokens.Access)
	shut(t, w.Node(t), "later, elsewhere", tokens.Access)
}

// unwritten is a cache that learns nothing of what ends.
type unwritten struct{ outbound.SessionCache }

func (unwritten) Bury(context.Context, session.ID, time.Duration) error { return fault.ErrDependency }

// slow lets a test act between what the gatekeeper read and what it makes of it.
type slow struct {
	outbound.SessionCache
	during func()
}

func (s *slow) Keep(ctx context.Context, r outbound.SessionRecord, ttl time.Duration) error {
	if s.during != nil {
		during := s.during
		s.during = nil
		during()
	}
	return s.SessionCache.Keep(ctx, r, ttl)
}

func TestAnAnswerFromBeforeTheEndIsNotRemembered(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	var joined error
	w.Cache = &slow{SessionCache: w.Cache, during: func() { // the database was read, nothing is remembered yet
		logout(t, w, inbound.Logout{RefreshToken: tokens.Refresh})
		_, joined = w.Gate.Authenticate(t.Context(), tokens.Access) // a request after the end, while the first still waits
	}}
	if _, err := w.Gate.Authenticate(t.Context(), tokens.Access); err != nil {
		t.Errorf("the request that was there before: %v", err)
	}
	if !errors.Is(joined, auth.ErrUnauthenticated) {
		t.Errorf("a request after the end: got %v", joined)
	}
	shut(t, w, "the next request", tokens.Access)
}

func TestAClockThatStepsBackLengthensNoBelief(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	k := key(t, w, tokens, inbound.CreateKey{})
	w.Caller(t, tokens.Access)
	w.Caller(t, k.Key)
	w.Clock.Advance(-time.Hour)
	w.Faults.Down(fault.ErrDependency)
	if _, err := w.Gate.Authenticate(t.Context(), k.Key); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("an API key: got %v, want it to be asked for anew", err)
	}
	shut(t, w, "an access token of an hour later", tokens.Access)
}
