package auth_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// reversed turns ten characters of the signature around; that they read alike both ways will not happen.
func reversed(token string) string {
	b := []byte(token)
	slices.Reverse(b[len(b)-20 : len(b)-10])
	return string(b)
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
		"a changed access token":    reversed(tokens.Access),
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
		"of another tenant":   {func(r *outbound.SessionRecord) { r.TenantID = "other" }, tenant.Owner},
		"four seconds ahead":  {func(r *outbound.SessionRecord) { r.ReadAt = now.Add(4 * time.Second) }, tenant.Viewer},
		"a minute ahead":      {func(r *outbound.SessionRecord) { r.ReadAt = now.Add(time.Minute) }, tenant.Owner},
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
