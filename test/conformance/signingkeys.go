package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/signing"
	"github.com/forge1/forge1/ports/outbound"
)

// SigningKeys is the suite of outbound.SigningKeys.
func SigningKeys(t *testing.T, new func(t *testing.T) Store) {
	tests := map[string]func(t *testing.T, s Store){
		"there are none before the first change":            keySetEmpty,
		"the first change begins the set, also one of none": keySetBegin,
		"of many that begin the set at once one does":       keySetBeginRace,
		"each change is kept, with its events":              keySetUpdate,
		"a refused change is not":                           keySetRefused,
		"rotations at once lose nothing":                    keySetRotateRace,
		"a change is undone when the rest fails":            keySetUndone,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

func listKeys(t *testing.T, s Store) []signing.Key {
	t.Helper()
	keys, err := s.View().SigningKeys.List(t.Context())
	must(t, "list keys", err)
	return keys
}

func updateKeys(t *testing.T, s Store, change func(*signing.Set) error) {
	t.Helper()
	must(t, "update keys", s.View().SigningKeys.Update(t.Context(), change))
}

func keySetEmpty(t *testing.T, s Store) {
	same(t, "the keys", listKeys(t, s), []signing.Key(nil))
}

func keySetBegin(t *testing.T, s Store) {
	var given []signing.Key
	updateKeys(t, s, func(set *signing.Set) error {
		given = set.Keys()
		return nil
	})
	if len(given) != 2 || given[0].Number != 1 || given[0].State != signing.Active || given[1].Number != 2 || given[1].State != signing.Next || given[0].Since.IsZero() {
		t.Fatalf("the first change is given %+v, want keys 1 active and 2 next", given)
	}
	got := listKeys(t, s)
	for i := range got {
		utc(t, "since when", got[i].Since)
		if d := given[i].Since.Sub(got[i].Since); d < 0 || d >= time.Microsecond {
			t.Errorf("key %d came into its state at %v, want %v", i+1, got[i].Since, given[i].Since)
		}
		got[i].Since, given[i].Since = time.Time{}, time.Time{}
	}
	same(t, "the keys", got, given)
}

func keySetBeginRace(t *testing.T, s Store) {
	given := make([][]signing.Key, 50)
	none(t, race(len(given), func(i int) error {
		return s.View().SigningKeys.Update(t.Context(), func(set *signing.Set) error {
			given[i] = set.Keys()
			return nil
		})
	}))
	kept := listKeys(t, s)
	for i, keys := range given {
		if len(keys) != 2 || keys[0].Number != kept[0].Number || keys[1].Number != kept[1].Number {
			t.Errorf("caller %d was given %+v, want those kept: %+v", i, keys, kept)
		}
	}
	if len(kept) != 2 {
		t.Errorf("50 that began at once left %+v, want 2 keys", kept)
	}
}

func keySetUpdate(t *testing.T, s Store) {
	now := storeEpoch
	updateKeys(t, s, func(set *signing.Set) error {
		*set = *signing.Begin(now)
		return nil
	})
	already := len(s.events(t))
	steps := []struct {
		events []string
		change func(*signing.Set) error
	}{
		{[]string{"key_rotated"}, func(set *signing.Set) error { set.Rotate(now); return nil }},
		{[]string{"key_rotated"}, func(set *signing.Set) error { set.Rotate(now); return nil }},
		{[]string{"key_dropped"}, func(set *signing.Set) error { return set.Drop(2, now) }},
		{[]string{"key_rotated", "key_dropped"}, func(set *signing.Set) error { return set.Drop(set.Active(), now) }},
		{[]string{"key_dropped"}, func(set *signing.Set) error { return set.Drop(5, now) }},
		{nil, func(set *signing.Set) error { set.Tend(time.Second, now); return nil }},
		{nil, func(set *signing.Set) error { return nil }},
	}
	var events []string
	for i, step := range steps {
		now = now.Add(time.Hour + time.Microsecond)
		before := listKeys(t, s)
		var want []signing.Key
		updateKeys(t, s, func(set *signing.Set) error {
			same(t, "what change is given", set.Keys(), before)
			err := step.change(set)
			want = set.Keys()
			return err
		})
		same(t, "the keys after step "+string(rune('0'+i)), listKeys(t, s), want)
		events = append(events, step.events...)
	}
	if s.Audit == nil {
		return
	}
	same(t, "the audit log", s.events(t)[already:], events)
	log := s.Audit(t)[already:]
	same(t, "what it is about, and when", []any{log[0].Subject, log[0].At}, []any{"signing-key-2", storeEpoch.Add(time.Hour + time.Microsecond)})
}

func keySetRefused(t *testing.T, s Store) {
	wantErr(t, "the refused first change", s.View().SigningKeys.Update(t.Context(), func(*signing.Set) error { return errChange }), errChange)
	same(t, "the keys", listKeys(t, s), []signing.Key(nil))
	updateKeys(t, s, func(*signing.Set) error { return nil })
	before, already := listKeys(t, s), s.events(t)
	s.refuse(t, errChange, func(ctx context.Context, repos outbound.Repos) error {
		return repos.SigningKeys.Update(ctx, func(set *signing.Set) error {
			set.Rotate(storeEpoch)
			return errChange
		})
	})
	same(t, "the keys", listKeys(t, s), before)
	s.wantEvents(t, already...)
}

func keySetRotateRace(t *testing.T, s Store) {
	none(t, race(20, func(int) error {
		return s.View().SigningKeys.Update(t.Context(), func(set *signing.Set) error { set.Rotate(storeEpoch); return nil })
	}))
	keys := listKeys(t, s)
	states := map[signing.State]int{}
	for i, k := range keys {
		states[k.State]++
		if k.Number != i+1 {
			t.Errorf("key %d of the list has number %d", i+1, k.Number)
		}
	}
	same(t, "the states after 20 rotations at once", states, map[signing.State]int{signing.Retired: 20, signing.Active: 1, signing.Next: 1})
}

func keySetUndone(t *testing.T, s Store) {
	updateKeys(t, s, func(*signing.Set) error { return nil })
	before := listKeys(t, s)
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		must(t, "update", repos.SigningKeys.Update(ctx, func(set *signing.Set) error { set.Rotate(storeEpoch); return nil }))
		inside, err := repos.SigningKeys.List(ctx)
		must(t, "list inside", err)
		if len(inside) != 3 {
			t.Errorf("inside of the transaction there are %d keys, want 3", len(inside))
		}
		return errChange
	})
	wantErr(t, "do", err, errChange)
	same(t, "the keys", listKeys(t, s), before)
}
