// Package signing holds Set: which of the numbered keys sign and verify access tokens. The keys themselves are derived from the root secret and
// kept nowhere.
package signing

import (
	"slices"
	"strconv"
	"time"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
)

// State says what a key is used for.
type State string

// The states, in the order in which a key passes through them.
const (
	Next    State = "next"    // published ahead; verifies
	Active  State = "active"  // signs and verifies
	Retired State = "retired" // verifies what it signed, until that has expired
)

// MaxAge is how long a key signs before the next one takes over by itself.
const MaxAge = 30 * 24 * time.Hour

// ErrNoKey is a number that no key of the set has.
var ErrNoKey = fault.New(fault.NotFound, "not_found", "there is no signing key of that number")

// Key is a numbered key and what it is used for.
type Key struct {
	Number int
	State  State
	Since  time.Time // when it came into this state
}

// Set is the keys in use: always one active and one next, published ahead so that everyone knows it before it signs.
type Set struct {
	keys   []Key // by number
	events event.Log
}

// Begin makes the first set: key 1 signs, key 2 is next.
func Begin(now time.Time) *Set {
	return &Set{keys: []Key{{1, Active, now}, {2, Next, now}}}
}

// Restore makes a kept set anew. No keys give the first set.
func Restore(keys []Key, now time.Time) *Set {
	if len(keys) == 0 {
		return Begin(now)
	}
	s := &Set{keys: slices.Clone(keys)}
	slices.SortFunc(s.keys, func(a, b Key) int { return a.Number - b.Number })
	return s
}

// Keys lists the keys by number.
func (s *Set) Keys() []Key { return slices.Clone(s.keys) }

// Active is the number of the key that signs.
func (s *Set) Active() int { return s.of(Active) }

// Rotate has the next key sign from now on; the one until now verifies what it signed, and a new next key is published.
func (s *Set) Rotate(now time.Time) {
	last := 0
	for i := range s.keys {
		k := &s.keys[i]
		switch k.State {
		case Active:
			k.State, k.Since = Retired, now
		case Next:
			k.State, k.Since = Active, now
		case Retired:
		}
		last = max(last, k.Number)
	}
	s.keys = append(s.keys, Key{last + 1, Next, now})
	s.note("key_rotated", s.Active(), now)
}

// Drop takes a key away at once: whatever it signed is good no longer. When it is the active one, the next takes over first; when it is the next, another
// becomes that. It fails with ErrNoKey.
func (s *Set) Drop(number int, now time.Time) error {
	i := slices.IndexFunc(s.keys, func(k Key) bool { return k.Number == number })
	if i < 0 {
		return ErrNoKey
	}
	switch s.keys[i].State {
	case Active:
		s.Rotate(now)
	case Next:
		s.keys = append(s.keys, Key{s.keys[len(s.keys)-1].Number + 1, Next, now})
	case Retired:
	}
	s.keys = slices.DeleteFunc(s.keys, func(k Key) bool { return k.Number == number })
	s.note("key_dropped", number, now)
	return nil
}

// Tend does what time asks for: rotates when the active key has signed for MaxAge, and takes away retired keys that nothing can need any more, keep
// after they signed last. It reports whether anything changed.
func (s *Set) Tend(keep time.Duration, now time.Time) bool {
	changed := false
	if i := slices.IndexFunc(s.keys, func(k Key) bool { return k.State == Active }); now.Sub(s.keys[i].Since) >= MaxAge {
		s.Rotate(now)
		changed = true
	}
	n := len(s.keys)
	s.keys = slices.DeleteFunc(s.keys, func(k Key) bool { return k.State == Retired && now.Sub(k.Since) >= keep })
	return changed || len(s.keys) != n
}

// Events drains what happened.
func (s *Set) Events() []event.Event { return s.events.Drain() }

func (s *Set) of(state State) int {
	if i := slices.IndexFunc(s.keys, func(k Key) bool { return k.State == state }); i >= 0 {
		return s.keys[i].Number
	}
	return 0
}

func (s *Set) note(name string, number int, now time.Time) {
	s.events.Record(event.Noted{Name: name, Subject: "signing-key-" + strconv.Itoa(number), At: now})
}
