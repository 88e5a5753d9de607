package conformance

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

func factorsStepRace(t *testing.T, s Store) {
	u := enrolled(t, s, "ada")
	for step := int64(101); step < 104; step++ {
		var won atomic.Int64
		none(t, race(50, func(i int) error {
			return s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
				ok, err := repos.Factors.UseStep(ctx, u.ID(), step)
				if ok && err == nil {
					won.Add(1)
				}
				return err
			})
		}))
		if n := won.Load(); n != 1 {
			t.Errorf("step %d was used by %d of 50, want 1", step, n)
		}
	}
}

func factorsCodeRace(t *testing.T, s Store) {
	u := enrolled(t, s, "ada", "a", "b", "c")
	var won atomic.Int64
	none(t, race(50, func(int) error {
		used := false
		err := s.View().Factors.Update(t.Context(), u.ID(), func(f *user.Factor) error {
			_, used = f.UseRecovery(is("b"), storeEpoch)
			return nil
		})
		if used && err == nil {
			won.Add(1)
		}
		return err
	}))
	if n := won.Load(); n != 1 {
		t.Errorf("the code was used by %d of 50, want 1", n)
	}
	if left := user.RestoreFactor(findFactor(t, s, u)).RecoveryLeft(); left != 2 {
		t.Errorf("%d codes are left of 3, want 2", left)
	}
}

func factorsConfirmRace(t *testing.T, s Store) {
	u, p := addUser(t, s, "ada"), setup("one", "a", "b")
	updateFactor(t, s, u, func(f *user.Factor) error { f.Begin(p, storeEpoch); return nil })
	errs := race(50, func(i int) error {
		return s.View().Factors.Update(t.Context(), u.ID(), func(f *user.Factor) error { return f.Confirm(p.SetupID, p.SessionID, 7, storeEpoch) })
	})
	if n := winners(t, errs, user.ErrMFANotPending); n != 1 {
		t.Errorf("%d of 50 confirmed the setup, want 1", n)
	}
}

func factorsBeginRace(t *testing.T, s Store) {
	u := addUser(t, s, "ada")
	ids := make([]string, 20)
	none(t, race(len(ids), func(i int) error {
		ids[i] = nextID()
		return s.View().Factors.Update(t.Context(), u.ID(), func(f *user.Factor) error { f.Begin(setup(ids[i], "a", ids[i]), storeEpoch); return nil })
	}))
	got := findFactor(t, s, u).Pending
	same(t, "the codes of the setup that stayed", got.Codes, setup(got.SetupID, "a", got.SetupID).Codes)
}

func factorsFailRace(t *testing.T, s Store) {
	u := enrolled(t, s, "ada")
	none(t, race(50, func(int) error {
		return s.View().Factors.Update(t.Context(), u.ID(), func(f *user.Factor) error { f.Fail(storeEpoch); return nil })
	}))
	if got := findFactor(t, s, u).Failures; got != 50 {
		t.Errorf("after 50 failures at once: %d, want 50", got)
	}
}

// factorsStepWaits tries to use a step while a change has the factor, for as long as it would take if nothing kept it.
func factorsStepWaits(t *testing.T, s Store) {
	u := enrolled(t, s, "ada")
	updateFactor(t, s, u, func(f *user.Factor) error {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if ok, err := s.View().Factors.UseStep(ctx, u.ID(), 101); ok || err == nil {
			t.Errorf("a step was used while the factor was being changed: %t, %v", ok, err)
		}
		f.Fail(storeEpoch)
		return nil
	})
	if got := findFactor(t, s, u); got.LastStep != 100 || got.Failures != 1 {
		t.Errorf("after the change: step %d, %d failures, want 100 and 1", got.LastStep, got.Failures)
	}
	if !useStep(t, s, u, 101) {
		t.Error("the step was not to be had after the change")
	}
}

// factorsStepMeetsFailures has wrong codes counted while right ones are used: whoever writes what it read before would bring an old step back.
func factorsStepMeetsFailures(t *testing.T, s Store) {
	u := enrolled(t, s, "ada")
	var last atomic.Int64
	none(t, race(50, func(i int) error {
		if i%2 == 0 {
			return s.View().Factors.Update(t.Context(), u.ID(), func(f *user.Factor) error { f.Fail(storeEpoch); return nil })
		}
		ok, err := s.View().Factors.UseStep(t.Context(), u.ID(), 200+int64(i))
		for ok && err == nil {
			if seen := last.Load(); seen >= 200+int64(i) || last.CompareAndSwap(seen, 200+int64(i)) {
				break
			}
		}
		return err
	}))
	if got := findFactor(t, s, u).LastStep; got != last.Load() {
		t.Errorf("the last step is %d, but %d was used", got, last.Load())
	}
}

func factorsUndone(t *testing.T, s Store) {
	u := enrolled(t, s, "ada", "a")
	before := findFactor(t, s, u)
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		ok, err := repos.Factors.UseStep(ctx, u.ID(), 101)
		must(t, "use step", err)
		if !ok {
			t.Error("the step was not used")
		}
		must(t, "use code", repos.Factors.Update(ctx, u.ID(), func(f *user.Factor) error { f.UseRecovery(is("a"), storeEpoch); return nil }))
		inside, err := repos.Factors.Find(ctx, u.ID())
		must(t, "find inside", err)
		if snap := inside.Snapshot(); snap.LastStep != 101 || inside.RecoveryLeft() != 0 {
			t.Errorf("inside of the transaction: %+v, want step 101 and no code", snap)
		}
		return errChange
	})
	wantErr(t, "do", err, errChange)
	same(t, "the factor", findFactor(t, s, u), before)
}

func factorsTogether(t *testing.T, s Store) {
	u := enrolled(t, s, "ada")
	in := addTenant(t, s, "engines", u)
	errs := race(50, func(int) error {
		return s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
			ok, err := repos.Factors.UseStep(ctx, u.ID(), 101)
			if err != nil {
				return err
			}
			if !ok {
				return errChange
			}
			if err := repos.Sessions.Add(ctx, newSession(u, in, storeEpoch)); err != nil {
				return err
			}
			return repos.Users.Update(ctx, u.ID(), func(u *user.User) error { u.SignedIn(string(in.ID())); return nil })
		})
	})
	list, err := s.View().Sessions.OfUser(t.Context(), u.ID(), storeEpoch)
	must(t, "of user", err)
	if n := winners(t, errs, errChange); n != 1 || len(list) != 1 {
		t.Errorf("%d of 50 signed in by one code, with %d sessions; want 1 and 1", n, len(list))
	}
}
