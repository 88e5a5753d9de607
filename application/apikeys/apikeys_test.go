package apikeys_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/apikeys"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

// scene is a world with a signed-in owner.
func scene(t *testing.T) (*identity.World, inbound.Caller) {
	t.Helper()
	w := identity.New(t)
	w.User(t, "ada@example.com", "")
	return w, w.Caller(t, w.Login(t, "ada@example.com").Access)
}

func create(t *testing.T, w *identity.World, caller inbound.Caller, c inbound.CreateKey) inbound.CreatedKey {
	t.Helper()
	made, err := w.APIKey.Create(t.Context(), caller, c)
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	return made
}

func list(t *testing.T, w *identity.World, caller inbound.Caller) []inbound.KeyView {
	t.Helper()
	keys, err := w.APIKey.List(t.Context(), caller)
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	return keys
}

func TestAKeyIsShownOnceAndListedWithoutItsSecret(t *testing.T) {
	w, ada := scene(t)
	ends := w.Clock.Now().Add(time.Hour)
	first := create(t, w, ada, inbound.CreateKey{Name: "first"})
	w.Clock.Advance(time.Second)
	second := create(t, w, ada, inbound.CreateKey{Name: "second", Scopes: []string{"router", "admin"}, ExpiresAt: ends})
	want := []inbound.KeyView{
		{ID: second.View.ID, Name: "second", Scopes: []tenant.Scope{tenant.ScopeRouter, tenant.ScopeAdmin}, CreatedAt: w.Clock.Now(), ExpiresAt: ends},
		{ID: first.View.ID, Name: "first", Scopes: []tenant.Scope{tenant.ScopeAI}, CreatedAt: w.Clock.Now().Add(-time.Second)},
	}
	if diff := cmp.Diff(want, list(t, w, ada)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(want, []inbound.KeyView{second.View, first.View}); diff != "" {
		t.Errorf("as created: -want +got:\n%s", diff)
	}
	m, ok := tenant.ParseKey(first.Key)
	if !ok || m.ID != first.View.ID {
		t.Errorf("key of id %s: got %v", first.View.ID, ok)
	}
	kept, err := w.DB.View().APIKeys.Find(t.Context(), m.ID)
	if err != nil || !kept.Accepts(m.Secret, w.Clock.Now()) {
		t.Errorf("kept: %v, %v", kept, err)
	}
	if s := kept.Snapshot(); strings.Contains(string(s.SecretHash[:]), m.Secret[:8]) {
		t.Error("the secret is kept")
	}
}

func TestOnlyAPersonWhoMayDoes(t *testing.T) {
	w, ada := scene(t)
	mine := create(t, w, ada, inbound.CreateKey{Name: "mine"})
	viewer, machine := ada, ada
	viewer.Role = tenant.Viewer
	machine.SessionID, machine.KeyID, machine.Scopes = "", mine.View.ID, []tenant.Scope{tenant.ScopeAdmin}
	ops := map[string]func(inbound.Caller) error{
		"create": func(c inbound.Caller) error {
			_, err := w.APIKey.Create(t.Context(), c, inbound.CreateKey{Name: "k"})
			return err
		},
		"rotate": func(c inbound.Caller) error { _, err := w.APIKey.Rotate(t.Context(), c, mine.View.ID, 0); return err },
		"list":   func(c inbound.Caller) error { _, err := w.APIKey.List(t.Context(), c); return err },
		"revoke": func(c inbound.Caller) error { return w.APIKey.Revoke(t.Context(), c, mine.View.ID) },
	}
	for name, op := range ops {
		if err := op(machine); !errors.Is(err, apikeys.ErrSessionOnly) || fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s by a key: got %v", name, err)
		}
	}
	for i, name := range []string{"create", "rotate"} {
		if n := w.Audited(t, "authz_fail"); n != i {
			t.Errorf("%d refusals in the audit log, want %d", n, i)
		}
		if err := ops[name](viewer); !errors.Is(err, apikeys.ErrRole) || fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s by a viewer: got %v", name, err)
		}
	}
	for _, name := range []string{"list", "revoke"} {
		if err := ops[name](viewer); err != nil {
			t.Errorf("%s by a viewer: got %v", name, err)
		}
	}
	if len(list(t, w, ada)) != 1 {
		t.Error("something was made")
	}
}

func TestKeysOfOthersAreNotThere(t *testing.T) {
	w, ada := scene(t)
	w.User(t, "bob@example.com", "")
	bob := w.Caller(t, w.Login(t, "bob@example.com").Access)
	mine := create(t, w, ada, inbound.CreateKey{Name: "mine"})
	elsewhere, colleague := ada, bob
	elsewhere.TenantID, colleague.TenantID = bob.TenantID, ada.TenantID
	for name, c := range map[string]inbound.Caller{"another user": bob, "another tenant": elsewhere, "a colleague": colleague} {
		if keys := list(t, w, c); len(keys) != 0 {
			t.Errorf("%s: lists %v", name, keys)
		}
		if _, err := w.APIKey.Rotate(t.Context(), c, mine.View.ID, 0); !errors.Is(err, tenant.ErrKeyNotFound) {
			t.Errorf("%s: rotate: got %v", name, err)
		}
		if err := w.APIKey.Revoke(t.Context(), c, mine.View.ID); !errors.Is(err, tenant.ErrKeyNotFound) {
			t.Errorf("%s: revoke: got %v", name, err)
		}
	}
	if err := w.APIKey.Revoke(t.Context(), ada, "0000000000000000"); !errors.Is(err, tenant.ErrKeyNotFound) {
		t.Errorf("unknown: got %v", err)
	}
	w.Caller(t, mine.Key)
}

func TestARotatedKeyWorksForItsGrace(t *testing.T) {
	w, ada := scene(t)
	old := create(t, w, ada, inbound.CreateKey{Name: "k", Scopes: []string{"router"}, ExpiresAt: w.Clock.Now().Add(time.Hour)})
	w.Caller(t, old.Key)
	next, err := w.APIKey.Rotate(t.Context(), ada, old.View.ID, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if v := next.View; v.ID == old.View.ID || v.Name != "k" || !v.ExpiresAt.Equal(old.View.ExpiresAt) || cmp.Diff(v.Scopes, old.View.Scopes) != "" {
		t.Errorf("successor: got %+v of %+v", v, old.View)
	}
	w.Caller(t, old.Key)
	w.Caller(t, next.Key)
	_, err = w.APIKey.Rotate(t.Context(), ada, old.View.ID, time.Hour)
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != "key_ended" || f.Kind != fault.Conflict {
		t.Errorf("a key that has its successor: got %v", err)
	}
	w.Clock.Advance(time.Minute)
	if _, err := w.Gate.Authenticate(t.Context(), old.Key); err == nil {
		t.Error("after the grace: accepted")
	}
	w.Caller(t, next.Key)
	for name, c := range map[string]struct {
		id    tenant.KeyID
		grace time.Duration
		code  string
	}{
		"an ended key":         {old.View.ID, 0, "key_ended"},
		"too long a grace":     {next.View.ID, 24*time.Hour + time.Second, "validation_failed"},
		"a negative grace":     {next.View.ID, -time.Second, "validation_failed"},
		"a key that never was": {"0000000000000000", 0, "not_found"},
	} {
		_, err := w.APIKey.Rotate(t.Context(), ada, c.id, c.grace)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != c.code {
			t.Errorf("%s: got %v, want %s", name, err, c.code)
		}
	}
}

func TestARevokedKeyStaysEnded(t *testing.T) {
	w, ada := scene(t)
	k := create(t, w, ada, inbound.CreateKey{Name: "k"})
	w.Caller(t, k.Key)
	for range 2 {
		if err := w.APIKey.Revoke(t.Context(), ada, k.View.ID); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(time.Second)
	}
	if _, err := w.Gate.Authenticate(t.Context(), k.Key); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("got %v", err)
	}
	if v := list(t, w, ada)[0]; !v.EndsAt.Equal(w.Clock.Now().Add(-2 * time.Second)) {
		t.Errorf("ended at %v", v.EndsAt)
	}
}

func TestBadInputIsNamed(t *testing.T) {
	w, ada := scene(t)
	for pointer, c := range map[string]inbound.CreateKey{
		"/name":       {Name: "k\u202e"},
		"/scopes":     {Name: "k", Scopes: []string{"ai", "root"}},
		"/expires_at": {Name: "k", ExpiresAt: w.Clock.Now()},
	} {
		_, err := w.APIKey.Create(t.Context(), ada, c)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Pointer != pointer {
			t.Errorf("%s: got %v", pointer, err)
		}
	}
}

func TestNothingHappensWithoutTheDatabase(t *testing.T) {
	w, ada := scene(t)
	k := create(t, w, ada, inbound.CreateKey{Name: "k"})
	w.Faults.Down(fault.ErrDependency)
	ctx := t.Context()
	_, created := w.APIKey.Create(ctx, ada, inbound.CreateKey{Name: "k"})
	_, listed := w.APIKey.List(ctx, ada)
	_, rotated := w.APIKey.Rotate(ctx, ada, k.View.ID, 0)
	for name, err := range map[string]error{"create": created, "list": listed, "rotate": rotated, "revoke": w.APIKey.Revoke(ctx, ada, k.View.ID)} {
		if !errors.Is(err, fault.ErrDependency) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAFailedSuccessorLeavesTheOldKey(t *testing.T) {
	w, ada := scene(t)
	k := create(t, w, ada, inbound.CreateKey{Name: "k"})
	clash := apikeys.New(apikeys.Deps{Tx: w.DB, Gate: w.Gate, Clock: w.Clock.Now, Random: func(b []byte) { clear(b) }})
	if _, err := clash.Create(t.Context(), ada, inbound.CreateKey{Name: "the key of zeros"}); err != nil {
		t.Fatal(err)
	}
	if _, err := clash.Rotate(t.Context(), ada, k.View.ID, 0); err == nil {
		t.Fatal("two keys of one id")
	}
	w.Caller(t, k.Key)
}

func TestThereIsAnEndToKeys(t *testing.T) {
	w, ada := scene(t)
	made := create(t, w, ada, inbound.CreateKey{Name: "k"})
	for range tenant.MaxLiveKeys - 1 {
		create(t, w, ada, inbound.CreateKey{Name: "k"})
	}
	refused := func(name string, err error) {
		t.Helper()
		if !errors.Is(err, tenant.ErrManyKeys) || len(list(t, w, ada)) > tenant.MaxKeptKeys {
			t.Errorf("%s: got %v with %d keys", name, err, len(list(t, w, ada)))
		}
	}
	_, err := w.APIKey.Create(t.Context(), ada, inbound.CreateKey{Name: "k"})
	refused("one more", err)
	rotate := func() error {
		next, err := w.APIKey.Rotate(t.Context(), ada, made.View.ID, tenant.MaxGrace)
		if err == nil {
			made = next
		}
		return err
	}
	for range tenant.MaxLiveKeys {
		if err := rotate(); err != nil {
			t.Fatalf("rotate: %v", err)
		}
	}
	refused("one more rotation", rotate())
	w.Clock.Advance(tenant.MaxGrace)
	for range tenant.MaxLiveKeys {
		if err := rotate(); err != nil {
			t.Fatalf("rotate when others have ended: %v", err)
		}
	}
	w.User(t, "bob@example.com", "")
	create(t, w, w.Caller(t, w.Login(t, "bob@example.com").Access), inbound.CreateKey{Name: "another's"})
	for range tenant.MaxKeptKeys {
		if err = w.APIKey.Revoke(t.Context(), ada, made.View.ID); err != nil {
			t.Fatal(err)
		}
		if made, err = w.APIKey.Create(t.Context(), ada, inbound.CreateKey{Name: "k"}); err != nil {
			break
		}
	}
	refused("when as many have ended", err)
}

func TestAUserWhoWasShutOutAMomentAgoMakesNoKey(t *testing.T) {
	w, ada := scene(t)
	if err := w.Ops.DisableUser(t.Context(), "ada@example.com"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.APIKey.Create(t.Context(), ada, inbound.CreateKey{Name: "k"}); !errors.Is(err, apikeys.ErrSessionOnly) {
		t.Errorf("got %v", err)
	}
}

func TestAMemberWhoWasTakenOutAMomentAgoMakesNoKey(t *testing.T) {
	w, ada := scene(t)
	w.User(t, "bob@example.com", "")
	bob := w.Join(t, ada, "bob@example.com", "member")
	key := create(t, w, bob, inbound.CreateKey{Name: "k"})
	tries := func(name string) {
		t.Helper()
		_, err := w.APIKey.Create(t.Context(), bob, inbound.CreateKey{Name: "k"})
		_, turned := w.APIKey.Rotate(t.Context(), bob, key.View.ID, 0)
		if !errors.Is(err, apikeys.ErrRole) || !errors.Is(turned, apikeys.ErrRole) {
			t.Errorf("%s: got %v and %v", name, err, turned)
		}
	}
	if _, err := w.People.ChangeRole(t.Context(), ada, bob.UserID, "viewer"); err != nil {
		t.Fatal(err)
	}
	tries("demoted")
	if err := w.People.RemoveMember(t.Context(), ada, bob.UserID); err != nil {
		t.Fatal(err)
	}
	tries("taken out")
}
