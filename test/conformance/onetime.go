package conformance

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// OneTimeTokens is the suite of outbound.OneTimeTokens.
func OneTimeTokens(t *testing.T, new func(t *testing.T) Store) {
	tests := map[string]func(t *testing.T, s Store){
		"a token comes back as it was":                     oneTimeRoundTrip,
		"looking at a token leaves it, taking uses it up":  oneTimeOnce,
		"what is not live is not found":                    oneTimeNotLive,
		"of many that show a token one gets it":            oneTimeRace,
		"a token does not outlive an epoch that is raised": oneTimeEpochRace,
		"taking and ending tokens at once ends":            oneTimeTakeMeetsDrop,
		"what was taken is back when the rest fails":       oneTimeUndone,
		"those made and those live are counted":            oneTimeSince,
		"counting in a transaction locks the user":         oneTimeSinceLocks,
		"dropping ends one user's tokens of one kind":      oneTimeDrop,
		"sweeping deletes what has expired, nothing else":  oneTimeSweep,
		"a token of nobody is not kept, nor a hash twice":  oneTimeRefused,
		"text that cannot be kept is the caller's mistake": oneTimeUnstorable,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

const reset = "reset"

// oneTime makes a token of this name, good for half an hour.
func oneTime(u *user.User, name string, made time.Time) outbound.OneTimeToken {
	return outbound.OneTimeToken{
		ID: nextID(), Kind: reset, Hash: oneTimeHash(name), User: u.ID(), Epoch: u.Epoch(), CreatedAt: made, ExpiresAt: made.Add(30 * time.Minute),
	}
}

func oneTimeHash(name string) [32]byte { return sha256.Sum256([]byte(name)) }

func addOneTime(t *testing.T, s Store, token outbound.OneTimeToken) outbound.OneTimeToken {
	t.Helper()
	must(t, "add token", s.View().OneTime.Add(t.Context(), token))
	return token
}

// liveOneTime reports whether a token can still be taken, and leaves it.
func liveOneTime(t *testing.T, s Store, name string, now time.Time) bool {
	t.Helper()
	_, err := s.View().OneTime.Peek(t.Context(), reset, oneTimeHash(name), now)
	if err != nil {
		wantErr(t, "peek", err, fault.ErrNotFound)
	}
	return err == nil
}

func oneTimeRoundTrip(t *testing.T, s Store) {
	want := oneTime(addUser(t, s, "ada"), "a", storeEpoch.In(time.FixedZone("far", 3600)))
	addOneTime(t, s, want)
	got, err := s.View().OneTime.Peek(t.Context(), reset, want.Hash, storeEpoch)
	must(t, "peek", err)
	same(t, "the token", got, want)
	utc(t, "the token", got.CreatedAt)
	got, err = s.View().OneTime.Take(t.Context(), reset, want.Hash, storeEpoch)
	must(t, "take", err)
	same(t, "the token taken", got, want)
	utc(t, "the token taken", got.ExpiresAt)
}

func oneTimeOnce(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	addOneTime(t, s, oneTime(ada, "a", storeEpoch))
	addOneTime(t, s, oneTime(ada, "b", storeEpoch))
	for range 3 {
		if !liveOneTime(t, s, "a", storeEpoch) {
			t.Fatal("looking at the token ended it")
		}
	}
	must(t, "take", second(s.View().OneTime.Take(t.Context(), reset, oneTimeHash("a"), storeEpoch)))
	wantErr(t, "take again", second(s.View().OneTime.Take(t.Context(), reset, oneTimeHash("a"), storeEpoch)), fault.ErrNotFound)
	if liveOneTime(t, s, "a", storeEpoch) {
		t.Error("a token that was taken is live")
	}
	if !liveOneTime(t, s, "b", storeEpoch) {
		t.Error("another token of the user went with it")
	}
}

func oneTimeNotLive(t *testing.T, s Store) {
	end := storeEpoch.Add(30 * time.Minute)
	tests := map[string]struct {
		before func(t *testing.T, u *user.User, token *outbound.OneTimeToken)
		kind   string
		hash   string // "": the token's own
		now    time.Time
	}{
		"as it should be":        {now: end.Add(-time.Microsecond)},
		"expired at this moment": {now: end},
		"another kind":           {kind: "verify", now: storeEpoch},
		"no kind":                {kind: "-", now: storeEpoch},
		"another hash":           {hash: "nobody's", now: storeEpoch},
		"an older epoch": {now: storeEpoch, before: func(t *testing.T, u *user.User, _ *outbound.OneTimeToken) {
			must(t, "update", s.View().Users.Update(t.Context(), u.ID(), func(u *user.User) error { u.EndSessions(); return nil }))
		}},
		"a newer epoch": {now: storeEpoch, before: func(_ *testing.T, _ *user.User, token *outbound.OneTimeToken) { token.Epoch++ }},
		"a disabled user, whose epoch it is of": {now: storeEpoch, before: func(t *testing.T, u *user.User, token *outbound.OneTimeToken) {
			must(t, "update", s.View().Users.Update(t.Context(), u.ID(), func(u *user.User) error { u.Disable(storeEpoch); return nil }))
			token.Epoch++
		}},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			id := nextID()
			u := addUser(t, s, "u"+id[len(id)-12:])
			token := oneTime(u, id, storeEpoch)
			if c.before != nil {
				c.before(t, u, &token)
			}
			addOneTime(t, s, token)
			kind, hash := reset, token.Hash
			if c.kind != "" {
				kind = c.kind
			}
			if c.hash != "" {
				hash = oneTimeHash(c.hash)
			}
			var want error
			if name != "as it should be" {
				want = fault.ErrNotFound
			}
			wantErr(t, "peek", second(s.View().OneTime.Peek(t.Context(), kind, hash, c.now)), want)
			wantErr(t, "take", second(s.View().OneTime.Take(t.Context(), kind, hash, c.now)), want)
			_, live, err := s.View().OneTime.Since(t.Context(), reset, u.ID(), storeEpoch, c.now)
			must(t, "since", err)
			if wantLive := map[bool]int{true: 1}[c.kind != "" || c.hash != ""]; live != wantLive {
				t.Errorf("%d live, want %d", live, wantLive)
			}
		})
	}
}

func oneTimeSince(t *testing.T, s Store) {
	ada, bob := addUser(t, s, "ada"), addUser(t, s, "bob")
	now := storeEpoch.Add(time.Hour)
	addOneTime(t, s, oneTime(ada, "made at the very bound, so not after it; dead", storeEpoch))
	addOneTime(t, s, oneTime(ada, "dead at this very moment", now.Add(-30*time.Minute)))
	addOneTime(t, s, oneTime(ada, "live", now.Add(-29*time.Minute)))
	addOneTime(t, s, oneTime(ada, "used", now.Add(-time.Minute)))
	must(t, "take", second(s.View().OneTime.Take(t.Context(), reset, oneTimeHash("used"), now)))
	older := oneTime(ada, "of an older epoch", now.Add(-time.Minute))
	older.Epoch--
	addOneTime(t, s, older)
	other := oneTime(ada, "of another kind", now.Add(-time.Minute))
	other.Kind = "verify"
	addOneTime(t, s, other)
	addOneTime(t, s, oneTime(bob, "bob's", now.Add(-time.Microsecond)))
	tests := map[string]struct {
		kind       string
		who        user.ID
		made, live int
	}{
		"ada":          {reset, ada.ID(), 4, 1},
		"another kind": {"verify", ada.ID(), 1, 1},
		"bob":          {reset, bob.ID(), 1, 1},
		"nobody":       {reset, "nobody", 0, 0},
		"a NUL":        {reset + "\x00", bob.ID() + "\x00", 0, 0},
	}
	for name, c := range tests {
		for how, since := range map[string]func() (int, int, error){
			"outside": func() (int, int, error) { return s.View().OneTime.Since(t.Context(), c.kind, c.who, storeEpoch, now) },
			"inside": func() (made, live int, err error) {
				err = s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
					made, live, err = repos.OneTime.Since(ctx, c.kind, c.who, storeEpoch, now)
					return err
				})
				return made, live, err
			},
		} {
			made, live, err := since()
			must(t, name, err)
			if made != c.made || live != c.live {
				t.Errorf("%s, %s of a transaction: %d made, %d live, want %d, %d", name, how, made, live, c.made, c.live)
			}
		}
	}
}

func oneTimeDrop(t *testing.T, s Store) {
	ada, bob := addUser(t, s, "ada"), addUser(t, s, "bob")
	addOneTime(t, s, oneTime(ada, "a", storeEpoch))
	addOneTime(t, s, oneTime(ada, "b", storeEpoch))
	addOneTime(t, s, oneTime(bob, "bob's", storeEpoch))
	other := oneTime(ada, "of another kind", storeEpoch)
	other.Kind = "verify"
	addOneTime(t, s, other)
	must(t, "drop", s.View().OneTime.Drop(t.Context(), reset, ada.ID(), storeEpoch))
	must(t, "drop again", s.View().OneTime.Drop(t.Context(), reset, ada.ID(), storeEpoch))
	for what, text := range unstorable {
		must(t, "drop of nobody's, "+what, s.View().OneTime.Drop(t.Context(), text, user.ID(text), storeEpoch))
	}
	for name, want := range map[string]bool{"a": false, "b": false, "bob's": true} {
		if got := liveOneTime(t, s, name, storeEpoch); got != want {
			t.Errorf("after the drop %q is live: %t, want %t", name, got, want)
		}
	}
	must(t, "peek at the other kind", second(s.View().OneTime.Peek(t.Context(), "verify", other.Hash, storeEpoch)))
	made, live, err := s.View().OneTime.Since(t.Context(), reset, ada.ID(), storeEpoch.Add(-time.Hour), storeEpoch)
	must(t, "since", err)
	if made != 2 || live != 0 {
		t.Errorf("after the drop: %d made, %d live, want 2, 0", made, live)
	}
}

func oneTimeSweep(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	end := storeEpoch.Add(30 * time.Minute)
	addOneTime(t, s, oneTime(ada, "expired before", storeEpoch.Add(-time.Microsecond)))
	addOneTime(t, s, oneTime(ada, "used and expired before", storeEpoch.Add(-time.Hour)))
	must(t, "take", second(s.View().OneTime.Take(t.Context(), reset, oneTimeHash("used and expired before"), storeEpoch.Add(-time.Hour))))
	addOneTime(t, s, oneTime(ada, "expires at the bound", storeEpoch))
	addOneTime(t, s, oneTime(ada, "used, expires later", storeEpoch.Add(time.Second)))
	must(t, "take", second(s.View().OneTime.Take(t.Context(), reset, oneTimeHash("used, expires later"), storeEpoch)))
	for _, want := range []int{2, 0} {
		n, err := s.View().OneTime.Sweep(t.Context(), end)
		must(t, "sweep", err)
		if n != want {
			t.Errorf("swept %d, want %d", n, want)
		}
	}
	made, live, err := s.View().OneTime.Since(t.Context(), reset, ada.ID(), storeEpoch.Add(-24*time.Hour), storeEpoch)
	must(t, "since", err)
	if made != 2 || live != 1 {
		t.Errorf("after the sweep: %d made, %d live, want 2, 1", made, live)
	}
}

func oneTimeRefused(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	wantErr(t, "a token of nobody", s.View().OneTime.Add(t.Context(), oneTime(newUser(t, "eve"), "a", storeEpoch)), fault.ErrNotFound)
	first := addOneTime(t, s, oneTime(ada, "a", storeEpoch))
	twin := oneTime(ada, "a", storeEpoch)
	twin.Kind = "verify"
	if err := s.View().OneTime.Add(t.Context(), twin); err == nil {
		t.Error("a second token of the same hash was taken")
	}
	got, err := s.View().OneTime.Take(t.Context(), reset, first.Hash, storeEpoch)
	must(t, "take", err)
	same(t, "the first token", got.ID, first.ID)
}

func oneTimeUnstorable(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	addOneTime(t, s, oneTime(ada, "a", storeEpoch))
	for what, text := range unstorable {
		token := oneTime(ada, what, storeEpoch)
		token.Kind = text
		wantInvalid(t, "kind with "+what, s.View().OneTime.Add(t.Context(), token))
		wantErr(t, "peek, kind with "+what, second(s.View().OneTime.Peek(t.Context(), text, oneTimeHash("a"), storeEpoch)), fault.ErrNotFound)
		wantErr(t, "take, kind with "+what, second(s.View().OneTime.Take(t.Context(), text, oneTimeHash("a"), storeEpoch)), fault.ErrNotFound)
	}
}
