package conformance

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

func oneTimeRace(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	addOneTime(t, s, oneTime(ada, "a", storeEpoch))
	errs := race(50, func(int) error {
		return s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
			if _, err := repos.OneTime.Take(ctx, reset, oneTimeHash("a"), storeEpoch); err != nil {
				return err
			}
			return repos.Users.Update(ctx, ada.ID(), func(u *user.User) error { u.ChangePassword("$new", storeEpoch); return nil })
		})
	})
	if n := winners(t, errs, fault.ErrNotFound); n != 1 {
		t.Errorf("%d of 50 got the token, want 1", n)
	}
}

// oneTimeEpochRace raises the epoch while a token of the old one is taken: whoever took it must still be of its epoch until its transaction ends.
func oneTimeEpochRace(t *testing.T, s Store) {
	for i := range 10 {
		ada := addUser(t, s, "ada"+string(rune('a'+i)))
		addOneTime(t, s, oneTime(ada, string(ada.ID()), storeEpoch))
		errs := race(4, func(i int) error {
			return s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
				if i > 0 {
					err := repos.Users.Update(ctx, ada.ID(), func(u *user.User) error { u.EndSessions(); return nil })
					for range 5 { // time for the other to come in
						_, _ = repos.Users.FindByUsername(ctx, "nobody")
					}
					return err
				}
				token, err := repos.OneTime.Take(ctx, reset, oneTimeHash(string(ada.ID())), storeEpoch)
				if err != nil {
					return err
				}
				for range 5 {
					now, err := repos.Users.Find(ctx, ada.ID())
					if err != nil {
						return err
					}
					if now.Epoch() != token.Epoch {
						t.Errorf("a token of epoch %d was taken from a user of epoch %d", token.Epoch, now.Epoch())
					}
				}
				return nil
			})
		})
		if errs[0] != nil {
			wantErr(t, "take", errs[0], fault.ErrNotFound)
		}
		none(t, errs[1:])
	}
}

// oneTimeTakeMeetsDrop has resets meet that each take another token of one user and end the rest.
func oneTimeTakeMeetsDrop(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	names := []string{"a", "b", "c", "d", "e"}
	for _, name := range names {
		addOneTime(t, s, oneTime(ada, name, storeEpoch))
	}
	errs := race(50, func(i int) error {
		return s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
			if _, err := repos.OneTime.Take(ctx, reset, oneTimeHash(names[i%len(names)]), storeEpoch); err != nil {
				return err
			}
			return repos.OneTime.Drop(ctx, reset, ada.ID(), storeEpoch)
		})
	})
	if n := winners(t, errs, fault.ErrNotFound); n != 1 {
		t.Errorf("%d of 50 got a token, want 1", n)
	}
}

func oneTimeUndone(t *testing.T, s Store) {
	addOneTime(t, s, oneTime(addUser(t, s, "ada"), "a", storeEpoch))
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		must(t, "take", second(repos.OneTime.Take(ctx, reset, oneTimeHash("a"), storeEpoch)))
		return errChange
	})
	wantErr(t, "do", err, errChange)
	must(t, "take after that", second(s.View().OneTime.Take(t.Context(), reset, oneTimeHash("a"), storeEpoch)))
}

// oneTimeSinceLocks has many count and then add, each as long as fewer than three are there.
func oneTimeSinceLocks(t *testing.T, s Store) {
	const limit = 3
	ada := addUser(t, s, "ada")
	var together, clashes atomic.Int64
	none(t, race(50, func(i int) error {
		return s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
			made, _, err := repos.OneTime.Since(ctx, reset, ada.ID(), storeEpoch.Add(-time.Hour), storeEpoch)
			if err != nil {
				return err
			}
			if together.Add(1) > 1 {
				clashes.Add(1)
			}
			defer together.Add(-1)
			for range 3 { // time for others to come in
				_, _ = repos.Users.FindByUsername(ctx, "nobody")
			}
			if made >= limit {
				return nil
			}
			return repos.OneTime.Add(ctx, oneTime(ada, nextID(), storeEpoch))
		})
	}))
	if n := clashes.Load(); n > 0 {
		t.Errorf("%d times a transaction counted before another that had counted ended", n)
	}
	made, _, err := s.View().OneTime.Since(t.Context(), reset, ada.ID(), storeEpoch.Add(-time.Hour), storeEpoch)
	must(t, "since", err)
	if made != limit {
		t.Errorf("50 at once that stop at %d made %d", limit, made)
	}
}
