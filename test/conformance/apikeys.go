package conformance

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// APIKeys is the suite of outbound.APIKeys.
func APIKeys(t *testing.T, new func(t *testing.T) Store) {
	tests := map[string]func(t *testing.T, s Store){
		"a key comes back as it was":                       keysRoundTrip,
		"no key is not found":                              keysNotFound,
		"a list is of one creator in one tenant":           keysList,
		"a change is kept, with its events":                keysUpdate,
		"a refused change is not":                          keysRefused,
		"of many rotations at once one counts":             keysRotateRace,
		"the last use only moves forward":                  keysTouch,
		"a use that is noted survives changes at once":     keysTouchRace,
		"sweeping deletes what has ended, nothing else":    keysSweep,
		"text that cannot be kept is the caller's mistake": keysUnstorable,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

func newKey(t *testing.T, id string, in *tenant.Tenant, u *user.User, now time.Time) *tenant.APIKey {
	t.Helper()
	k, err := tenant.NewAPIKey(tenant.KeyMaterial{ID: tenant.KeyID(id), Secret: "secret of " + id}, in.ID(), u.ID(), hostile,
		[]tenant.Scope{tenant.ScopeRouter, tenant.ScopeAI}, now.Add(time.Hour), now)
	must(t, "make key", err)
	return k
}

func addKey(t *testing.T, s Store, id string, in *tenant.Tenant, u *user.User, now time.Time) *tenant.APIKey {
	t.Helper()
	k := newKey(t, id, in, u, now)
	must(t, "add key", s.View().APIKeys.Add(t.Context(), k))
	return k
}

func findKey(t *testing.T, s Store, id tenant.KeyID) *tenant.APIKey {
	t.Helper()
	got, err := s.View().APIKeys.Find(t.Context(), id)
	must(t, "find key", err)
	return got
}

func keysRoundTrip(t *testing.T, s Store) {
	ada, in, _ := signedIn(t, s)
	k := addKey(t, s, "aaaa", in, ada, storeEpoch)
	got := findKey(t, s, k.ID())
	same(t, "a fresh key", got.Snapshot(), k.Snapshot())
	utc(t, "a fresh key", got.Snapshot().CreatedAt)
	if !got.Accepts("secret of aaaa", storeEpoch) {
		t.Error("the key that came back does not accept its secret")
	}
	snap := k.Snapshot()
	snap.ID, snap.ExpiresAt, snap.EndsAt, snap.LastUsed = "bbbb", time.Time{}, storeEpoch.Add(time.Microsecond), storeEpoch.Add(time.Second)
	must(t, "add", s.View().APIKeys.Add(t.Context(), tenant.RestoreKey(snap)))
	same(t, "an ended key", findKey(t, s, "bbbb").Snapshot(), snap)
	if err := s.View().APIKeys.Add(t.Context(), newKey(t, "aaaa", in, ada, storeEpoch)); err == nil {
		t.Error("a second key of the same id was taken")
	}
	same(t, "the first key of that id", findKey(t, s, k.ID()).Snapshot(), k.Snapshot())
}

func keysNotFound(t *testing.T, s Store) {
	ada, in, _ := signedIn(t, s)
	addKey(t, s, "aaaa", in, ada, storeEpoch)
	names := map[string]string{"another": "bbbb", "upper case": "AAAA", "a pattern": "a%", "nothing": ""}
	for what, text := range unstorable {
		names[what] = text
	}
	for what, name := range names {
		_, err := s.View().APIKeys.Find(t.Context(), tenant.KeyID(name))
		wantErr(t, "find, "+what, err, tenant.ErrKeyNotFound)
		err = s.View().APIKeys.Update(t.Context(), tenant.KeyID(name), func(*tenant.APIKey) error { return nil })
		wantErr(t, "update, "+what, err, tenant.ErrKeyNotFound)
	}
}

func keysList(t *testing.T, s Store) {
	ada, in, _ := signedIn(t, s)
	bob := addUser(t, s, "bob")
	elsewhere := addTenant(t, s, "elsewhere", ada)
	addKey(t, s, "zzzz", in, ada, storeEpoch)
	addKey(t, s, "aaaa", in, ada, storeEpoch.Add(time.Microsecond))
	addKey(t, s, "bobs", in, bob, storeEpoch)
	addKey(t, s, "away", elsewhere, ada, storeEpoch)
	tests := map[string]struct {
		in   tenant.ID
		of   user.ID
		want []tenant.KeyID
	}{
		"hers here, newest first": {in.ID(), ada.ID(), []tenant.KeyID{"aaaa", "zzzz"}},
		"hers elsewhere":          {elsewhere.ID(), ada.ID(), []tenant.KeyID{"away"}},
		"his here":                {in.ID(), bob.ID(), []tenant.KeyID{"bobs"}},
		"his elsewhere":           {elsewhere.ID(), bob.ID(), nil},
		"of nobody":               {in.ID(), "", nil},
		"of a NUL":                {in.ID(), "\x00", nil},
	}
	for name, tc := range tests {
		list, err := s.View().APIKeys.List(t.Context(), tc.in, tc.of)
		must(t, name, err)
		var got []tenant.KeyID
		for _, k := range list {
			got = append(got, k.ID())
		}
		same(t, name, got, tc.want)
	}
}

func keysUpdate(t *testing.T, s Store) {
	ada, in, _ := signedIn(t, s)
	k, other := addKey(t, s, "aaaa", in, ada, storeEpoch), addKey(t, s, "bbbb", in, ada, storeEpoch)
	already := s.events(t)
	var want tenant.KeySnapshot
	must(t, "update", s.View().APIKeys.Update(t.Context(), k.ID(), func(k *tenant.APIKey) error {
		k.Revoke(storeEpoch.Add(time.Minute))
		want = k.Snapshot()
		return nil
	}))
	same(t, "the revoked key", findKey(t, s, k.ID()).Snapshot(), want)
	same(t, "the other key", findKey(t, s, other.ID()).Snapshot(), other.Snapshot())
	s.wantEvents(t, append(already, "api_key_revoked")...)
	if s.Audit != nil {
		last := s.Audit(t)[len(already)]
		same(t, "the last row", []string{last.Tenant, last.Subject}, []string{string(in.ID()), string(k.ID())})
	}
}

func keysRefused(t *testing.T, s Store) {
	ada, in, _ := signedIn(t, s)
	k := addKey(t, s, "aaaa", in, ada, storeEpoch)
	already := s.events(t)
	s.refuse(t, errChange, func(ctx context.Context, repos outbound.Repos) error {
		return repos.APIKeys.Update(ctx, k.ID(), func(k *tenant.APIKey) error {
			k.Revoke(storeEpoch)
			return errChange
		})
	})
	same(t, "the key", findKey(t, s, k.ID()).Snapshot(), k.Snapshot())
	s.wantEvents(t, already...)
}

// keysRotateRace rotates with ever shorter graces at once: who comes first has the only successor.
func keysRotateRace(t *testing.T, s Store) {
	ada, in, _ := signedIn(t, s)
	k := addKey(t, s, "aaaa", in, ada, storeEpoch)
	grace := func(i int) time.Duration { return time.Duration(i+1) * time.Minute }
	first := -1
	for i, err := range race(20, func(i int) error {
		return s.View().APIKeys.Update(t.Context(), k.ID(), func(k *tenant.APIKey) error {
			_, err := k.Rotate(tenant.KeyMaterial{ID: tenant.KeyID(fmt.Sprint("next", i))}, ada.ID(), grace(i), storeEpoch)
			return err
		})
	}) {
		switch {
		case err == nil && first < 0:
			first = i
		case !errors.Is(err, tenant.ErrKeyEnded):
			t.Errorf("rotation %d after %d: got %v, want %v", i, first, err, tenant.ErrKeyEnded)
		}
	}
	if got := findKey(t, s, k.ID()).Snapshot().EndsAt; !got.Equal(storeEpoch.Add(grace(first))) {
		t.Errorf("the key ends at %v, want %v", got, storeEpoch.Add(grace(first)))
	}
}

func keysTouch(t *testing.T, s Store) {
	ada, in, _ := signedIn(t, s)
	addKey(t, s, "aaaa", in, ada, storeEpoch)
	addKey(t, s, "bbbb", in, ada, storeEpoch)
	addKey(t, s, "cccc", in, ada, storeEpoch)
	later := storeEpoch.Add(time.Minute)
	touch := func(used map[tenant.KeyID]time.Time) {
		t.Helper()
		must(t, "touch", s.View().APIKeys.Touch(t.Context(), used))
	}
	touch(nil)
	touch(map[tenant.KeyID]time.Time{"aaaa": later, "bbbb": storeEpoch, "gone": later, "\x00": later})
	touch(map[tenant.KeyID]time.Time{"aaaa": storeEpoch, "bbbb": later.Add(time.Microsecond)})
	for id, want := range map[tenant.KeyID]time.Time{"aaaa": later, "bbbb": later.Add(time.Microsecond), "cccc": {}} {
		if got := findKey(t, s, id).Snapshot().LastUsed; !got.Equal(want) {
			t.Errorf("%s was last used %v, want %v", id, got, want)
		}
	}
}

func keysTouchRace(t *testing.T, s Store) {
	ada, in, _ := signedIn(t, s)
	ids := []tenant.KeyID{"aaaa", "bbbb", "cccc"}
	for _, id := range ids {
		addKey(t, s, string(id), in, ada, storeEpoch)
	}
	none(t, race(20, func(i int) error {
		if i%2 == 0 {
			used := map[tenant.KeyID]time.Time{}
			for _, id := range ids {
				used[id] = storeEpoch.Add(time.Duration(i) * time.Second)
			}
			return s.View().APIKeys.Touch(t.Context(), used)
		}
		return s.View().APIKeys.Update(t.Context(), ids[i%3], func(k *tenant.APIKey) error {
			_, err := k.Rotate(tenant.KeyMaterial{ID: "next"}, ada.ID(), time.Hour, storeEpoch)
			if errors.Is(err, tenant.ErrKeyEnded) { // another of these was first
				return nil
			}
			return err
		})
	}))
	for _, id := range ids {
		got := findKey(t, s, id).Snapshot()
		if want := storeEpoch.Add(18 * time.Second); !got.LastUsed.Equal(want) || got.EndsAt.IsZero() {
			t.Errorf("%s: last used %v, ends %v; want %v and an end", id, got.LastUsed, got.EndsAt, want)
		}
	}
}

func keysUnstorable(t *testing.T, s Store) {
	ada, in, _ := signedIn(t, s)
	for what, text := range unstorable {
		snap := newKey(t, "aaaa", in, ada, storeEpoch).Snapshot()
		snap.Name = text
		wantInvalid(t, what, s.View().APIKeys.Add(t.Context(), tenant.RestoreKey(snap)))
	}
}

func keysSweep(t *testing.T, s Store) {
	ada, in, _ := signedIn(t, s)
	bound := storeEpoch.Add(time.Hour)
	for id, made := range map[string]time.Time{"before": storeEpoch.Add(-time.Microsecond), "at": storeEpoch, "after": storeEpoch.Add(time.Microsecond), "grace": storeEpoch.Add(time.Minute)} {
		addKey(t, s, id, in, ada, made)
	}
	for id, ends := range map[string]time.Time{"revoked": bound.Add(-time.Microsecond), "revoked-late": bound} {
		k, err := tenant.NewAPIKey(tenant.KeyMaterial{ID: tenant.KeyID(id), Secret: "s"}, in.ID(), ada.ID(), "k", nil, time.Time{}, storeEpoch)
		must(t, "make key", err)
		must(t, "add key", s.View().APIKeys.Add(t.Context(), k))
		must(t, "revoke", s.View().APIKeys.Update(t.Context(), k.ID(), func(k *tenant.APIKey) error { k.Revoke(ends); return nil }))
	}
	endless, err := tenant.NewAPIKey(tenant.KeyMaterial{ID: "endless", Secret: "s"}, in.ID(), ada.ID(), "k", nil, time.Time{}, storeEpoch.Add(-time.Hour))
	must(t, "make key", err)
	must(t, "add key", s.View().APIKeys.Add(t.Context(), endless))
	already := s.events(t)
	for _, want := range []int{2, 0} {
		n, err := s.View().APIKeys.Sweep(t.Context(), bound)
		must(t, "sweep", err)
		if n != want {
			t.Errorf("swept %d, want %d", n, want)
		}
	}
	left, err := s.View().APIKeys.List(t.Context(), in.ID(), ada.ID())
	must(t, "list", err)
	ids := map[tenant.KeyID]bool{}
	for _, k := range left {
		ids[k.ID()] = true
	}
	same(t, "what is left", ids, map[tenant.KeyID]bool{"at": true, "after": true, "grace": true, "revoked-late": true, "endless": true})
	s.wantEvents(t, already...)
}
