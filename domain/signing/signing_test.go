package signing_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/signing"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// keep is how long a retired key is of use.
const keep = time.Hour

func key(n int, state signing.State, since time.Time) signing.Key {
	return signing.Key{Number: n, State: state, Since: since}
}

func want(t *testing.T, what string, s *signing.Set, keys ...signing.Key) {
	t.Helper()
	if diff := cmp.Diff(keys, s.Keys()); diff != "" {
		t.Errorf("%s: -want +got:\n%s", what, diff)
	}
}

func told(s *signing.Set) (out []string) {
	for _, e := range s.Events() {
		n := e.(event.Noted) //nolint:forcetypeassert // the set has no other
		out = append(out, n.Name+" "+n.Subject)
	}
	return out
}

func TestASetBeginsWithOneKeyThatSignsAndOneThatIsNext(t *testing.T) {
	for name, s := range map[string]*signing.Set{"begun": signing.Begin(now), "restored from none": signing.Restore(nil, now)} {
		want(t, name, s, key(1, signing.Active, now), key(2, signing.Next, now))
		if s.Active() != 1 || len(s.Events()) != 0 {
			t.Errorf("%s: key %d signs, want 1 and no events", name, s.Active())
		}
	}
	s := signing.Begin(now)
	s.Keys()[0].State = signing.Retired
	if s.Active() != 1 {
		t.Error("the caller can change the set")
	}
}

func TestASetIsRestoredByNumber(t *testing.T) {
	kept := []signing.Key{key(9, signing.Next, now), key(4, signing.Retired, now), key(7, signing.Active, now)}
	s := signing.Restore(kept, now.Add(time.Hour))
	want(t, "restored", s, kept[1], kept[2], kept[0])
	if s.Active() != 7 || kept[0].Number != 9 {
		t.Errorf("key %d signs, want 7; the caller's list begins with %d, want 9", s.Active(), kept[0].Number)
	}
}

func TestRotationMovesEachKeyOneStepOn(t *testing.T) {
	s := signing.Begin(now)
	first, second := now.Add(time.Hour), now.Add(2*time.Hour)
	s.Rotate(first)
	want(t, "once", s, key(1, signing.Retired, first), key(2, signing.Active, first), key(3, signing.Next, first))
	s.Rotate(second)
	want(t, "twice", s, key(1, signing.Retired, first), key(2, signing.Retired, second), key(3, signing.Active, second), key(4, signing.Next, second))
	if diff := cmp.Diff([]event.Event{
		event.Noted{Name: "key_rotated", Subject: "signing-key-2", At: first}, event.Noted{Name: "key_rotated", Subject: "signing-key-3", At: second},
	}, s.Events()); diff != "" {
		t.Errorf("events: -want +got:\n%s", diff)
	}
}

func TestAKeyThatIsDroppedIsReplacedByWhatItWas(t *testing.T) {
	rotated, later := now.Add(time.Hour), now.Add(2*time.Hour)
	for name, c := range map[string]struct {
		drop   int
		want   []signing.Key
		events []string
	}{
		"a retired one": {1, []signing.Key{key(2, signing.Active, rotated), key(3, signing.Next, rotated)}, []string{"key_dropped signing-key-1"}},
		"the active one": {
			2,
			[]signing.Key{key(1, signing.Retired, rotated), key(3, signing.Active, later), key(4, signing.Next, later)},
			[]string{"key_rotated signing-key-3", "key_dropped signing-key-2"},
		},
		"the next one": {
			3,
			[]signing.Key{key(1, signing.Retired, rotated), key(2, signing.Active, rotated), key(4, signing.Next, later)},
			[]string{"key_dropped signing-key-3"},
		},
	} {
		s := signing.Begin(now)
		s.Rotate(rotated)
		s.Events()
		if err := s.Drop(c.drop, later); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want(t, name, s, c.want...)
		if got := told(s); !slices.Equal(got, c.events) {
			t.Errorf("%s: events %v, want %v", name, got, c.events)
		}
		if err := s.Drop(c.drop, later); !errors.Is(err, signing.ErrNoKey) {
			t.Errorf("%s, again: got %v, want %v", name, err, signing.ErrNoKey)
		}
	}
	s := signing.Begin(now)
	for _, n := range []int{0, -1, 3} {
		if err := s.Drop(n, now); !errors.Is(err, signing.ErrNoKey) || len(s.Events()) != 0 {
			t.Errorf("drop %d: got %v, want %v and nothing told", n, err, signing.ErrNoKey)
		}
	}
	want(t, "after that", s, key(1, signing.Active, now), key(2, signing.Next, now))
}

func TestTimeRotatesAndTakesAway(t *testing.T) {
	rotated := now.Add(signing.MaxAge)
	for name, c := range map[string]struct {
		at      time.Time
		changed bool
		want    []signing.Key
	}{
		"before its time": {rotated.Add(-1), false, []signing.Key{key(1, signing.Active, now), key(2, signing.Next, now)}},
		"when it is time": {rotated, true, []signing.Key{key(1, signing.Retired, rotated), key(2, signing.Active, rotated), key(3, signing.Next, rotated)}},
	} {
		s := signing.Begin(now)
		if got := s.Tend(keep, c.at); got != c.changed {
			t.Errorf("%s: changed %t, want %t", name, got, c.changed)
		}
		want(t, name, s, c.want...)
	}
	s := signing.Begin(now)
	s.Rotate(now)
	s.Events()
	if s.Tend(keep, now.Add(keep-1)) {
		t.Error("a retired key was taken away while something it signed may be good")
	}
	if !s.Tend(keep, now.Add(keep)) || s.Tend(keep, now.Add(keep)) {
		t.Error("a retired key is not taken away in its time, or twice")
	}
	want(t, "at the end", s, key(2, signing.Active, now), key(3, signing.Next, now))
	if got := told(s); got != nil {
		t.Errorf("events of a key that ended by itself: %v, want none", got)
	}
	if !s.Tend(0, now.Add(signing.MaxAge)) {
		t.Error("a rotation that takes the old key away at once is said to be no change")
	}
}

// TestASetAlwaysHasOneKeyThatSignsAndOneThatIsNext plays any order of verbs.
func TestASetAlwaysHasOneKeyThatSignsAndOneThatIsNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := signing.Begin(now)
		at, dropped, highest := now, map[int]bool{}, 2
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			at = at.Add(time.Duration(rapid.IntRange(0, 20*24).Draw(t, "wait")) * time.Hour)
			before := s.Keys()
			switch rapid.SampledFrom([]string{"rotate", "drop", "tend"}).Draw(t, "verb") {
			case "rotate":
				s.Rotate(at)
				if next := before[len(before)-1].Number; s.Active() != next {
					t.Fatalf("key %d signs after a rotation, want %d, which was next", s.Active(), next)
				}
			case "drop":
				n := before[rapid.IntRange(0, len(before)-1).Draw(t, "which")].Number
				if err := s.Drop(n, at); err != nil {
					t.Fatalf("drop %d of %v: %v", n, before, err)
				}
				dropped[n] = true
			case "tend":
				changed := s.Tend(keep, at)
				if same := slices.Equal(before, s.Keys()); changed == same {
					t.Fatalf("says changed %t: %v, then %v", changed, before, s.Keys())
				}
				for _, k := range s.Keys() {
					if age := at.Sub(k.Since); k.State == signing.Active && age >= signing.MaxAge || k.State == signing.Retired && age >= keep {
						t.Fatalf("%+v is still there at %v", k, at)
					}
				}
			}
			keys, count := s.Keys(), map[signing.State]int{}
			for i, k := range keys {
				count[k.State]++
				if i > 0 && keys[i-1].Number >= k.Number || dropped[k.Number] || k.Since.After(at) {
					t.Fatalf("%+v: numbers do not grow, one came back, or one is of the future", keys)
				}
			}
			last := keys[len(keys)-1]
			if count[signing.Active] != 1 || count[signing.Next] != 1 || last.State != signing.Next || last.Number < highest {
				t.Fatalf("%+v: want one active and one next, which is the newest, not under %d", keys, highest)
			}
			highest = last.Number
			s = signing.Restore(keys, at.Add(time.Hour))
			if diff := cmp.Diff(keys, s.Keys()); diff != "" {
				t.Fatalf("restored: -want +got:\n%s", diff)
			}
		}
	})
}
