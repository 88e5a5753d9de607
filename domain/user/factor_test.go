package user_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/user"
)

// code is a recovery code whose MAC begins so.
func code(n byte) user.RecoveryCode { return user.RecoveryCode{Root: 7, MAC: [32]byte{n, 1}} }

func codes(ns ...byte) (out []user.RecoveryCode) {
	for _, n := range ns {
		out = append(out, code(n))
	}
	return out
}

func is(n byte) func(user.RecoveryCode) bool {
	return func(c user.RecoveryCode) bool { return c.MAC == code(n).MAC }
}

func pending(id string, ns ...byte) user.Pending {
	return user.Pending{SetupID: id, SessionID: "s-1", Secret: user.Sealed("sealed " + id), Codes: codes(ns...), ExpiresAt: now.Add(10 * time.Minute)}
}

// enrolled is a factor that is on since step 100, with codes 1 to 3, and its events told.
func enrolled(t testing.TB) *user.Factor {
	t.Helper()
	f := user.NoFactor("u-1")
	f.Begin(pending("one", 1, 2, 3), now)
	if err := f.Confirm("one", "s-1", 100, now); err != nil {
		t.Fatal(err)
	}
	f.Events()
	return f
}

func noted(name string, at time.Time) event.Event {
	return event.Noted{Name: name, Subject: "u-1", At: at}
}

func TestAFactorIsOffUntilItsSetupIsConfirmed(t *testing.T) {
	f := user.NoFactor("u-1")
	if diff := cmp.Diff(user.FactorSnapshot{User: "u-1"}, f.Snapshot()); diff != "" {
		t.Errorf("none: -want +got:\n%s", diff)
	}
	f.Begin(pending("one", 1, 2), now)
	if f.On() || f.Secret() != nil || f.RecoveryLeft() != 0 {
		t.Errorf("a setup is on before it is confirmed: %+v", f.Snapshot())
	}
	later := now.Add(time.Minute)
	if err := f.Confirm("one", "s-1", 100, later); err != nil {
		t.Fatal(err)
	}
	want := user.FactorSnapshot{User: "u-1", On: true, Secret: user.Sealed("sealed one"), LastStep: 100, Codes: codes(1, 2), EnabledAt: later}
	if diff := cmp.Diff(want, f.Snapshot()); diff != "" {
		t.Errorf("confirmed: -want +got:\n%s", diff)
	}
	if !f.On() || string(f.Secret()) != "sealed one" || f.RecoveryLeft() != 2 || f.Locked() {
		t.Errorf("confirmed: on %t, secret %q, %d codes, locked %t", f.On(), f.Secret(), f.RecoveryLeft(), f.Locked())
	}
	if diff := cmp.Diff([]event.Event{noted("mfa_setup", now), noted("mfa_confirm", later)}, f.Events()); diff != "" {
		t.Errorf("events: -want +got:\n%s", diff)
	}
}

func TestOnlyTheSetupOfThisSessionIsConfirmedInItsTime(t *testing.T) {
	for name, c := range map[string]struct {
		setup, session string
		after          time.Duration
		ok             bool
	}{
		"its own":                   {"two", "s-1", 0, true},
		"at the last instant":       {"two", "s-1", 10*time.Minute - 1, true},
		"expired at this moment":    {"two", "s-1", 10 * time.Minute, false},
		"one that was replaced":     {"one", "s-1", 0, false},
		"another session's":         {"two", "s-2", 0, false},
		"nothing":                   {"", "", 0, false},
		"the session in its place":  {"s-1", "two", 0, false},
		"after it was confirmed":    {"two", "s-1", 1, true},
		"no setup, but the session": {"", "s-1", 0, false},
	} {
		f := enrolled(t)
		f.Begin(pending("one", 8), now)
		f.Begin(pending("two", 9), now)
		f.Events()
		before := f.Snapshot()
		at := now.Add(c.after)
		p, err := f.Pending(c.setup, c.session, at)
		confirmed := f.Confirm(c.setup, c.session, 300, at)
		if !c.ok {
			if diff := cmp.Diff(before, f.Snapshot()); diff != "" || err == nil || confirmed == nil || len(f.Events()) != 0 {
				t.Errorf("%s: got %v, %v; changed: %s", name, err, confirmed, diff)
			}
			continue
		}
		if err != nil || confirmed != nil || string(p.Secret) != "sealed two" || string(f.Secret()) != "sealed two" {
			t.Errorf("%s: got %v, %v, secret %q", name, err, confirmed, f.Secret())
		}
		if diff := cmp.Diff(codes(9), f.Snapshot().Codes); diff != "" {
			t.Errorf("%s: the codes until now were not replaced: %s", name, diff)
		}
		if err := f.Confirm(c.setup, c.session, 301, at); err == nil {
			t.Errorf("%s: a setup was confirmed twice", name)
		}
	}
}

func TestTheLiveFactorStaysUntilAnotherIsConfirmed(t *testing.T) {
	f := enrolled(t)
	want := f.Snapshot()
	p := pending("two", 9)
	f.Begin(p, now)
	want.Pending = &p
	if diff := cmp.Diff(want, f.Snapshot()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, ok := f.UseRecovery(is(9), now); ok {
		t.Error("a code of a setup was taken")
	}
	if left, ok := f.UseRecovery(is(1), now); !ok || left != 2 {
		t.Errorf("a code of the live factor: %d left, %t", left, ok)
	}
}

func TestTooManyWrongCodesInARowLockAFactor(t *testing.T) {
	f := enrolled(t)
	for n := 1; n <= user.MaxFactorFailures+2; n++ {
		if locked := f.Fail(now); locked != (n == user.MaxFactorFailures) || f.Locked() != (n >= user.MaxFactorFailures) {
			t.Fatalf("failure %d: says locked %t, is locked %t", n, locked, f.Locked())
		}
	}
	events := names(f.Events())
	if n := len(events); n != user.MaxFactorFailures+1 || events[n-1] != "authn_login_lock" || events[n-2] != "mfa_verify_fail" {
		t.Errorf("got %d events, the last %v", n, events[n-1])
	}
	if f.Snapshot().Failures != user.MaxFactorFailures {
		t.Errorf("counted %d, want %d", f.Snapshot().Failures, user.MaxFactorFailures)
	}
	if _, ok := f.UseRecovery(is(9), now); ok || !f.Locked() {
		t.Error("a wrong recovery code unlocked the factor")
	}
	if _, ok := f.UseRecovery(is(1), now); !ok || f.Locked() || f.Snapshot().Failures != 0 {
		t.Error("a recovery code did not unlock the factor")
	}
	off := user.NoFactor("u-1")
	if off.Fail(now) || off.Snapshot().Failures != 0 || len(off.Events()) != 0 {
		t.Error("a factor that is off counts failures")
	}
}

func TestARecoveryCodeIsUsedOnce(t *testing.T) {
	f := enrolled(t)
	later := now.Add(time.Hour)
	if left, ok := f.UseRecovery(is(2), later); !ok || left != 2 {
		t.Errorf("got %d, %t", left, ok)
	}
	want := codes(1, 2, 3)
	want[1].UsedAt = later
	if diff := cmp.Diff(want, f.Snapshot().Codes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if left, ok := f.UseRecovery(is(2), later); ok || left != 2 {
		t.Errorf("again: got %d, %t", left, ok)
	}
	if diff := cmp.Diff([]event.Event{noted("mfa_recovery_used", later)}, f.Events()); diff != "" {
		t.Errorf("events: -want +got:\n%s", diff)
	}
	if left, ok := f.UseRecovery(func(user.RecoveryCode) bool { return true }, later); !ok || left != 1 {
		t.Errorf("one that fits all: got %d, %t; want one used", left, ok)
	}
	if left, ok := user.NoFactor("u").UseRecovery(func(user.RecoveryCode) bool { return true }, now); ok || left != 0 {
		t.Errorf("of none: got %d, %t", left, ok)
	}
}

func TestCodesAreReplacedAndAFactorIsTakenAway(t *testing.T) {
	f := enrolled(t)
	f.UseRecovery(is(1), now)
	f.Events()
	fresh := codes(4, 5)
	if err := f.ReplaceCodes(fresh, now); err != nil || f.RecoveryLeft() != 2 {
		t.Fatalf("got %v, %d left", err, f.RecoveryLeft())
	}
	fresh[0] = code(99) // the caller's slice is the caller's
	if _, ok := f.UseRecovery(is(2), now); ok {
		t.Error("a code that was replaced was taken")
	}
	if _, ok := f.UseRecovery(is(4), now); !ok {
		t.Error("a new code was not taken")
	}
	f.Begin(pending("two", 9), now)
	f.Fail(now)
	f.Disable(now)
	if diff := cmp.Diff(user.FactorSnapshot{User: "u-1"}, f.Snapshot()); diff != "" {
		t.Errorf("disabled: -want +got:\n%s", diff)
	}
	f.Disable(now)
	want := []string{"mfa_recovery_regenerated", "mfa_recovery_used", "mfa_setup", "mfa_verify_fail", "mfa_disable"}
	if got := names(f.Events()); !slices.Equal(got, want) {
		t.Errorf("events: got %v, want %v", got, want)
	}
	if err := f.ReplaceCodes(codes(1), now); err == nil || f.RecoveryLeft() != 0 {
		t.Errorf("codes for a factor that is off: %v", err)
	}
	f.Begin(pending("three", 9), now)
	f.Disable(now)
	if _, err := f.Pending("three", "s-1", now); err == nil {
		t.Error("a setup outlived the end of the factor")
	}
}

func TestAFactorIsRestoredAsItWasKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := user.FactorSnapshot{
			User: "u", On: rapid.Bool().Draw(t, "on"), Secret: rapid.SliceOf(rapid.Byte()).Draw(t, "secret"), LastStep: rapid.Int64().Draw(t, "step"),
			Failures: rapid.Int().Draw(t, "failures"), Codes: codes(rapid.SliceOf(rapid.Byte()).Draw(t, "codes")...), EnabledAt: now,
		}
		if rapid.Bool().Draw(t, "pending") {
			p := pending("p", 1)
			s.Pending = &p
		}
		f := user.RestoreFactor(s)
		if diff := cmp.Diff(s, f.Snapshot(), cmpopts.EquateEmpty()); diff != "" || len(f.Events()) != 0 {
			t.Fatalf("-want +got:\n%s", diff)
		}
		if len(s.Codes) > 0 {
			kept := f.Snapshot().Codes[0]
			s.Codes[0] = code(77)
			f.Snapshot().Codes[0] = code(78)
			if f.Snapshot().Codes[0] != kept {
				t.Fatal("what was restored from, or told, is what the factor holds")
			}
		}
	})
}

// TestWhateverHappensACodeIsAcceptedOnce plays any order of verbs against the rules told in another way: which codes are good is a set.
func TestWhateverHappensACodeIsAcceptedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := user.NoFactor("u-1")
		var next byte
		some := func() []byte {
			out := make([]byte, rapid.IntRange(0, 3).Draw(t, "how many"))
			for i := range out {
				next++
				out[i] = next
			}
			return out
		}
		on, good, waiting, setup, failures := false, map[byte]bool{}, []byte(nil), "", 0
		accepted := map[byte]int{}
		at := now
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			at = at.Add(time.Duration(rapid.IntRange(0, 240).Draw(t, "wait")) * time.Second)
			switch rapid.SampledFrom([]string{"begin", "confirm", "use", "use", "use", "fail", "replace", "disable"}).Draw(t, "verb") {
			case "begin":
				setup, waiting = fmt.Sprint(i), some()
				p := pending(setup, waiting...)
				p.ExpiresAt = at.Add(10 * time.Minute)
				f.Begin(p, at)
			case "confirm":
				p, err := f.Pending(setup, "s-1", at)
				if got := f.Confirm(setup, "s-1", 1, at); (got == nil) != (err == nil) {
					t.Fatalf("confirm: %v, but pending %v", got, err)
				}
				if err == nil {
					if !at.Before(p.ExpiresAt) || setup == "" {
						t.Fatal("confirmed what had expired, or never began")
					}
					on, good, failures, setup = true, set(waiting), 0, ""
				}
			case "use":
				n := rapid.ByteRange(0, next).Draw(t, "code")
				left, ok := f.UseRecovery(is(n), at)
				if want := on && good[n]; ok != want {
					t.Fatalf("code %d: accepted %t, want %t", n, ok, want)
				}
				if ok {
					delete(good, n)
					accepted[n]++
					failures = 0
				}
				if left != len(good) {
					t.Fatalf("says %d are left, want %d", left, len(good))
				}
			case "fail":
				for range rapid.SampledFrom([]int{1, 99, 100}).Draw(t, "times") {
					f.Fail(at)
					if on {
						failures = min(failures+1, user.MaxFactorFailures)
					}
				}
			case "replace":
				fresh := some()
				if err := f.ReplaceCodes(codes(fresh...), at); (err == nil) != on {
					t.Fatalf("replace: %v", err)
				}
				if on {
					good = set(fresh)
				}
			case "disable":
				f.Disable(at)
				on, good, failures, setup = false, map[byte]bool{}, 0, ""
			}
			if f.On() != on || f.RecoveryLeft() != len(good) || f.Locked() != (failures == user.MaxFactorFailures) {
				t.Fatalf("on %t, %d codes, locked %t; want %t, %d and %d failures", f.On(), f.RecoveryLeft(), f.Locked(), on, len(good), failures)
			}
			f = user.RestoreFactor(f.Snapshot()) // as between two requests
		}
		for n, times := range accepted {
			if times > 1 {
				t.Fatalf("code %d was accepted %d times", n, times)
			}
		}
	})
}

func set(ns []byte) map[byte]bool {
	out := map[byte]bool{}
	for _, n := range ns {
		out[n] = true
	}
	return out
}
