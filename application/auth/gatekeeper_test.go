package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

func key(t *testing.T, w *identity.World, tokens inbound.Tokens, c inbound.CreateKey) inbound.CreatedKey {
	t.Helper()
	if c.Name == "" {
		c.Name = "a key"
	}
	made, err := w.APIKey.Create(t.Context(), w.Caller(t, tokens.Access), c)
	if err != nil {
		t.Fatalf("create key: %v", err)
	}
	return made
}

func shut(t *testing.T, w *identity.World, name, credential string) {
	t.Helper()
	if c, err := w.Gate.Authenticate(t.Context(), credential); !errors.Is(err, auth.ErrUnauthenticated) || c.UserID != "" {
		t.Errorf("%s: got %v, %v, want %v", name, c, err, auth.ErrUnauthenticated)
	}
}

func TestWhatIsRememberedIsNotAskedForAgain(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	k := key(t, w, tokens, inbound.CreateKey{})
	for name, credential := range map[string]string{"access token": tokens.Access, "API key": k.Key} {
		want := w.Caller(t, credential)
		w.Faults.Down(fault.ErrDependency)
		w.Clock.Advance(5*time.Second - time.Microsecond)
		if diff := cmp.Diff(want, w.Caller(t, credential)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		w.Clock.Advance(time.Microsecond)
		if _, err := w.Gate.Authenticate(t.Context(), credential); !errors.Is(err, fault.ErrDependency) {
			t.Errorf("%s: after 5 s without database: got %v", name, err)
		}
		w.Faults.Down(nil)
		w.Caller(t, credential)
	}
}

func TestKeysActWithTheirCreatorsRoleAndTheirScopes(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	tokens := w.Login(t, ada)
	plain, wide := key(t, w, tokens, inbound.CreateKey{}), key(t, w, tokens, inbound.CreateKey{Scopes: []string{"admin", "ai", "admin"}})
	want := inbound.Caller{UserID: v.UserID, TenantID: v.TenantID, Role: tenant.Owner, KeyID: plain.View.ID, Scopes: []tenant.Scope{tenant.ScopeAI}}
	if diff := cmp.Diff(want, w.Caller(t, plain.Key)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if c := w.Caller(t, wide.Key); !c.May(tenant.ScopeAdmin) || !c.May(tenant.ScopeAI) || c.May(tenant.ScopeRouter) {
		t.Errorf("scopes: got %v", c.Scopes)
	}
}

func TestBadCredentialsAreRefusedAlike(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	k := key(t, w, tokens, inbound.CreateKey{})
	good, _ := tenant.ParseKey(k.Key)
	for name, credential := range map[string]string{
		"nothing":                   "",
		"text":                      "secret",
		"a refresh token":           tokens.Refresh,
		"a changed access token":    tokens.Access[:len(tokens.Access)-2] + "AA",
		"a key cut short":           k.Key[:len(k.Key)-1],
		"a key with a typo":         strings.Replace(k.Key, good.Secret[:2], "!!", 1),
		"a key of another id":       tenant.KeyMaterial{ID: "0000000000000000", Secret: good.Secret}.String(),
		"a key of another secret":   tenant.KeyMaterial{ID: good.ID, Secret: strings.Repeat("0", 43)}.String(),
		"a key with blanks":         k.Key + " ",
		"a prefix":                  "f1_",
		"a very long key":           "f1_" + strings.Repeat("a", 1<<20),
		"a token beyond all bounds": strings.Repeat("a.", 1<<20),
	} {
		shut(t, w, name, credential)
	}
	w.Caller(t, k.Key)
}

func TestAnExpiredAccessTokenSaysSo(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	w.Caller(t, tokens.Access)
	w.Clock.Advance(15*time.Minute + 29*time.Second)
	w.Caller(t, tokens.Access)
	w.Clock.Advance(2 * time.Second)
	if _, err := w.Gate.Authenticate(t.Context(), tokens.Access); !errors.Is(err, session.ErrTokenExpired) {
		t.Errorf("got %v, want %v", err, session.ErrTokenExpired)
	}
}

func TestARememberedCredentialEndsAtItsOwnTime(t *testing.T) {
	w := identity.New(t, func(c *auth.Config) { c.Terms.Idle, c.Terms.Absolute = 1000*time.Second, 2000*time.Second })
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	k := key(t, w, tokens, inbound.CreateKey{ExpiresAt: w.Clock.Now().Add(3 * time.Second)})
	rotated := key(t, w, tokens, inbound.CreateKey{})
	if _, err := w.APIKey.Rotate(t.Context(), w.Caller(t, tokens.Access), rotated.View.ID, 3*time.Second); err != nil {
		t.Fatal(err)
	}
	w.Caller(t, k.Key)
	w.Caller(t, rotated.Key)
	w.Clock.Advance(3 * time.Second)
	shut(t, w, "a key past its expiry", k.Key)
	shut(t, w, "a rotated key past its grace", rotated.Key)

	w = identity.New(t, func(c *auth.Config) {
		c.AccessTTL, c.Terms.Idle, c.Terms.Absolute = time.Hour, 1000*time.Second, 2000*time.Second
	})
	w.User(t, ada, "")
	tokens = w.Login(t, ada)
	w.Clock.Advance(998 * time.Second)
	w.Caller(t, tokens.Access)
	w.Clock.Advance(2 * time.Second)
	shut(t, w, "a session past its idle end", tokens.Access)
}

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

// broken is a cache that does not answer.
type broken struct{ outbound.SessionCache }

var errBroken = errors.New("the cache does not answer")

func (broken) Record(context.Context, session.ID) (outbound.SessionRecord, bool, bool, error) {
	return outbound.SessionRecord{}, false, false, errBroken
}

func (broken) Keep(context.Context, outbound.SessionRecord, time.Duration) error { return errBroken }

func (broken) Bury(context.Context, session.ID, time.Duration) error { return errBroken }

func TestACacheThatDoesNotAnswerKeepsNobodyOutOrIn(t *testing.T) {
	w := identity.New(t)
	there := w.Node(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	w.Cache, there.Cache = broken{}, broken{}
	w.Caller(t, tokens.Access)
	there.Caller(t, tokens.Access)
	logout(t, w, inbound.Logout{Bearer: tokens.Access})
	shut(t, w, "here", tokens.Access)
	w.Clock.Advance(5 * time.Second)
	shut(t, there, "there", tokens.Access)
}

func TestATombstoneIsBelievedBeforeTheDatabase(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	if err := w.Cache.Bury(t.Context(), tokens.SessionID, time.Hour); err != nil {
		t.Fatal(err)
	}
	shut(t, w, "a session with a tombstone", tokens.Access)
}

// counted counts what the cache is asked and keeps what it likes.
type counted struct {
	outbound.SessionCache
	record *outbound.SessionRecord
	keeps  atomic.Int64
}

func (c *counted) Record(ctx context.Context, id session.ID) (outbound.SessionRecord, bool, bool, error) {
	if c.record != nil {
		return *c.record, true, false, nil
	}
	return c.SessionCache.Record(ctx, id)
}

func (c *counted) Keep(ctx context.Context, r outbound.SessionRecord, ttl time.Duration) error {
	c.keeps.Add(1)
	return c.SessionCache.Keep(ctx, r, ttl)
}

func TestARecordOfTheCacheIsBelievedWhileItIsFreshAndFits(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	tokens := w.Login(t, ada)
	now := w.Clock.Now()
	fresh := outbound.SessionRecord{
		ID: tokens.SessionID, UserID: v.UserID, TenantID: string(v.TenantID), Role: "viewer", Until: now.Add(time.Hour), ReadAt: now,
	}
	for name, c := range map[string]struct {
		change func(*outbound.SessionRecord)
		want   tenant.Role // "": refused
	}{
		"fresh":               {func(*outbound.SessionRecord) {}, tenant.Viewer},
		"too old":             {func(r *outbound.SessionRecord) { r.ReadAt = now.Add(-5 * time.Second) }, tenant.Owner},
		"of an unknown time":  {func(r *outbound.SessionRecord) { r.ReadAt = time.Time{} }, tenant.Owner},
		"past its end":        {func(r *outbound.SessionRecord) { r.Until = now }, tenant.Owner},
		"of another user":     {func(r *outbound.SessionRecord) { r.UserID = "other" }, ""},
		"of another tenant":   {func(r *outbound.SessionRecord) { r.TenantID = "other" }, ""},
		"four seconds old":    {func(r *outbound.SessionRecord) { r.ReadAt = now.Add(-4 * time.Second) }, tenant.Viewer},
		"of the last instant": {func(r *outbound.SessionRecord) { r.Until = now.Add(time.Microsecond) }, tenant.Viewer},
	} {
		node := w.Node(t)
		r := fresh
		c.change(&r)
		cache := &counted{SessionCache: w.Cache, record: &r}
		node.Cache = cache
		got, err := node.Gate.Authenticate(t.Context(), tokens.Access)
		if got.Role != c.want || (c.want == "") != errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("%s: got role %q, %v, want %q", name, got.Role, err, c.want)
		}
		if n := cache.keeps.Load(); n != 0 {
			t.Errorf("%s: kept over a record that is there", name)
		}
	}
	// What is left of a record's five seconds is all that it is remembered for.
	node := w.Node(t)
	r := fresh
	r.ReadAt = now.Add(-4 * time.Second)
	node.Cache = &counted{SessionCache: w.Cache, record: &r}
	node.Caller(t, tokens.Access)
	w.Clock.Advance(time.Second)
	if got := node.Caller(t, tokens.Access); got.Role != tenant.Owner {
		t.Errorf("a second later: got role %s, want that of the database", got.Role)
	}
}

func TestManyWhoAskAtOnceAreAnsweredByOneLook(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	k := key(t, w, w.Login(t, ada), inbound.CreateKey{})
	before := w.Faults.Views.Load()
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { w.Caller(t, k.Key) })
	}
	all.Wait()
	if n := w.Faults.Views.Load() - before; n > 10 {
		t.Errorf("%d looks for 100 requests", n)
	}
}

func TestLastUseIsKeptInBatchesAndWhenItEnds(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	k := key(t, w, tokens, inbound.CreateKey{})
	last := func() time.Time {
		keys, err := w.APIKey.List(t.Context(), w.Caller(t, tokens.Access))
		if err != nil || len(keys) != 1 {
			t.Fatalf("list: %v, %v", keys, err)
		}
		return keys[0].LastUsed
	}
	w.Clock.Advance(time.Minute)
	w.Caller(t, k.Key)
	used := w.Clock.Now()
	if got := last(); !got.IsZero() {
		t.Errorf("kept at once: %v", got)
	}
	run := func() {
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := w.Gate.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	}
	w.Faults.Down(fault.ErrDependency)
	run()
	w.Faults.Down(nil)
	if got := last(); !got.IsZero() {
		t.Errorf("kept without database: %v", got)
	}
	run()
	if got := last(); !got.Equal(used) {
		t.Errorf("got %v, want %v", got, used)
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	gate := auth.NewGatekeeper(auth.GateDeps{
		Tokens: anyToken{}, Cache: everyone{}, Clock: func() time.Time { return now }, Config: identity.Config,
	})
	for i := range 40_000 {
		if _, err := gate.Authenticate(t.Context(), fmt.Sprintf("token %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := auth.Remembered(gate); n > 16*1024 || n < 16*1000 {
		t.Errorf("remembers %d, want at most 16384 and nearly that", n)
	}
	gate.ForgetUser("u")
	if n := auth.Remembered(gate); n != 0 {
		t.Errorf("remembers %d of a user that was forgotten", n)
	}
}

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// anyToken takes every token for one of session s.
type anyToken struct{ outbound.Tokens }

func (anyToken) Verify(string, time.Time) (outbound.AccessClaims, error) {
	return outbound.AccessClaims{Subject: "u", SessionID: "s", TenantID: "t", Expires: now.Add(time.Hour)}, nil
}

// everyone has a record of session s.
type everyone struct{ outbound.SessionCache }

func (everyone) Record(context.Context, session.ID) (outbound.SessionRecord, bool, bool, error) {
	return outbound.SessionRecord{ID: "s", UserID: "u", TenantID: "t", Role: "member", Until: now.Add(time.Hour), ReadAt: now}, true, false, nil
}

func BenchmarkAuthenticateRemembered(b *testing.B) {
	w := identity.New(b)
	w.User(b, ada, "")
	tokens := w.Login(b, ada)
	made, err := w.APIKey.Create(b.Context(), w.Caller(b, tokens.Access), inbound.CreateKey{Name: "k"})
	if err != nil {
		b.Fatal(err)
	}
	for name, credential := range map[string]string{"token": tokens.Access, "key": made.Key} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if _, err := w.Gate.Authenticate(b.Context(), credential); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkAuthenticateAnew(b *testing.B) {
	w := identity.New(b)
	v := w.User(b, ada, "")
	tokens := w.Login(b, ada)
	b.ReportAllocs()
	for b.Loop() {
		w.Gate.ForgetUser(v.UserID)
		if _, err := w.Gate.Authenticate(b.Context(), tokens.Access); err != nil {
			b.Fatal(err)
		}
	}
}
