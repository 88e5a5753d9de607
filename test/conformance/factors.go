package conformance

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// Factors is the suite of outbound.Factors.
func Factors(t *testing.T, new func(t *testing.T) Store) {
	tests := map[string]func(t *testing.T, s Store){
		"a factor comes back as it was":                       factorsRoundTrip,
		"whoever has none has one that is off":                factorsOff,
		"each change is kept, with its events":                factorsUpdate,
		"a refused change is not":                             factorsRefused,
		"nobody's factor is not changed":                      factorsNobody,
		"a change leaves other users' factors":                factorsOthers,
		"a step is used once, and no older one after it":      factorsUseStep,
		"of many that use a step at once one does":            factorsStepRace,
		"of many that use a recovery code at once one does":   factorsCodeRace,
		"of many that confirm a setup at once one does":       factorsConfirmRace,
		"of many that begin a setup at once none is refused":  factorsBeginRace,
		"failures at once are all counted":                    factorsFailRace,
		"a step waits for a change that is under way":         factorsStepWaits,
		"a step that was used stays so beside other changes":  factorsStepMeetsFailures,
		"what was used is back when the rest fails":           factorsUndone,
		"text that cannot be kept is the caller's mistake":    factorsUnstorable,
		"a step is used, and a session begun, or neither was": factorsTogether,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

// recoveryCode makes the MAC of a code.
func recoveryCode(code string) user.RecoveryCode {
	return user.RecoveryCode{Root: 0xf1, MAC: sha256.Sum256([]byte(code))}
}

// is matches a recovery code.
func is(code string) func(user.RecoveryCode) bool {
	return func(c user.RecoveryCode) bool {
		return c.MAC == recoveryCode(code).MAC && c.Root == recoveryCode(code).Root
	}
}

// setup makes a pending factor with the recovery codes named.
func setup(id string, codes ...string) user.Pending {
	p := user.Pending{SetupID: id, SessionID: "session of " + hostile, Secret: user.Sealed("\x00\xff'" + id), ExpiresAt: storeEpoch.Add(10 * time.Minute)}
	for _, c := range codes {
		p.Codes = append(p.Codes, recoveryCode(c))
	}
	return p
}

func updateFactor(t *testing.T, s Store, u *user.User, change func(*user.Factor) error) {
	t.Helper()
	must(t, "update factor", s.View().Factors.Update(t.Context(), u.ID(), change))
}

func findFactor(t *testing.T, s Store, u *user.User) user.FactorSnapshot {
	t.Helper()
	f, err := s.View().Factors.Find(t.Context(), u.ID())
	must(t, "find factor", err)
	return f.Snapshot()
}

// enrolled adds a user whose factor is on since step 100, with these recovery codes.
func enrolled(t *testing.T, s Store, name string, codes ...string) *user.User {
	t.Helper()
	u := addUser(t, s, name)
	updateFactor(t, s, u, func(f *user.Factor) error {
		p := setup("setup of "+name, codes...)
		f.Begin(p, storeEpoch)
		return f.Confirm(p.SetupID, p.SessionID, 100, storeEpoch)
	})
	return u
}

func useStep(t *testing.T, s Store, u *user.User, step int64) bool {
	t.Helper()
	ok, err := s.View().Factors.UseStep(t.Context(), u.ID(), step)
	must(t, "use step", err)
	return ok
}

// putFactor puts a snapshot in place of a factor.
func putFactor(to user.FactorSnapshot) func(*user.Factor) error {
	return func(f *user.Factor) error {
		*f = *user.RestoreFactor(to)
		return nil
	}
}

func factorsRoundTrip(t *testing.T, s Store) {
	u := addUser(t, s, "ada")
	used := recoveryCode("b")
	used.Root, used.UsedAt = 0, storeEpoch.Add(time.Microsecond)
	pending := setup("setup "+hostile, "x", "y")
	whole := user.FactorSnapshot{
		User: u.ID(), On: true, Secret: user.Sealed("sealed \x00\xff' ?0"), LastStep: 1 << 40, Failures: 99, EnabledAt: storeEpoch.Add(time.Microsecond),
		Codes: []user.RecoveryCode{recoveryCode("z"), used, recoveryCode("a"), recoveryCode("a")}, Pending: &pending,
	}
	live, setupOnly := whole, user.FactorSnapshot{User: u.ID(), Pending: &pending}
	live.Pending = nil
	for _, want := range []user.FactorSnapshot{whole, live, setupOnly, whole, {User: u.ID()}} {
		updateFactor(t, s, u, putFactor(want))
		got := findFactor(t, s, u)
		same(t, "the factor", got, want)
		utc(t, "when it was enabled", got.EnabledAt)
		updateFactor(t, s, u, func(f *user.Factor) error {
			same(t, "what change is given", f.Snapshot(), want)
			return nil
		})
		same(t, "the factor after a change that changes nothing", findFactor(t, s, u), want)
	}
}

func factorsOff(t *testing.T, s Store) {
	enrolled(t, s, "ada", "a")
	bob := addUser(t, s, "bob")
	names := map[string]string{"a user without": string(bob.ID()), "another": nextID(), "a pattern": "%", "nothing": ""}
	for what, text := range unstorable {
		names[what] = text
	}
	for what, name := range names {
		f, err := s.View().Factors.Find(t.Context(), user.ID(name))
		must(t, "find, "+what, err)
		same(t, "the factor of "+what, f.Snapshot(), user.FactorSnapshot{User: user.ID(name)})
		ok, err := s.View().Factors.UseStep(t.Context(), user.ID(name), 1<<40)
		must(t, "use step, "+what, err)
		if ok {
			t.Errorf("a step of %s was used", what)
		}
	}
	updateFactor(t, s, bob, func(f *user.Factor) error {
		f.Begin(setup("s", "a"), storeEpoch)
		return nil
	})
	if useStep(t, s, bob, 1<<40) {
		t.Error("a step of a setup that nobody confirmed was used")
	}
}

func factorsUpdate(t *testing.T, s Store) {
	u := addUser(t, s, "ada")
	already := len(s.events(t))
	now := storeEpoch
	first, second := setup("one", "a", "b", "c"), setup("two", "d", "e")
	steps := []struct {
		event  string
		change func(*user.Factor) error
	}{
		{"mfa_setup", func(f *user.Factor) error { f.Begin(setup("none", "q"), now); return nil }},
		{"mfa_setup", func(f *user.Factor) error { f.Begin(first, now); return nil }},
		{"mfa_confirm", func(f *user.Factor) error { return f.Confirm(first.SetupID, first.SessionID, 7, now) }},
		{"mfa_verify_fail", func(f *user.Factor) error { f.Fail(now); return nil }},
		{"mfa_recovery_used", func(f *user.Factor) error { f.UseRecovery(is("b"), now); return nil }},
		{"mfa_recovery_used", func(f *user.Factor) error { f.UseRecovery(is("a"), now); return nil }},
		{"", func(f *user.Factor) error { f.UseRecovery(is("a"), now); return nil }},
		{"mfa_recovery_regenerated", func(f *user.Factor) error { return f.ReplaceCodes([]user.RecoveryCode{recoveryCode("f")}, now) }},
		{"mfa_setup", func(f *user.Factor) error { f.Begin(second, now); return nil }},
		{"mfa_confirm", func(f *user.Factor) error { return f.Confirm(second.SetupID, second.SessionID, 3, now) }},
		{"mfa_setup", func(f *user.Factor) error { f.Begin(first, now); return nil }},
		{"mfa_disable", func(f *user.Factor) error { f.Disable(now); return nil }},
		{"mfa_setup", func(f *user.Factor) error { f.Begin(second, now); return nil }},
		{"mfa_confirm", func(f *user.Factor) error { return f.Confirm(second.SetupID, second.SessionID, 1, now) }},
	}
	var events []string
	for _, step := range steps {
		now = now.Add(time.Second)
		var want user.FactorSnapshot
		updateFactor(t, s, u, func(f *user.Factor) error {
			err := step.change(f)
			want = f.Snapshot()
			return err
		})
		same(t, "the factor after "+step.event, findFactor(t, s, u), want)
		if step.event != "" {
			events = append(events, step.event)
		}
	}
	if s.Audit == nil {
		return
	}
	log := s.Audit(t)[already:]
	same(t, "the audit log", s.events(t)[already:], events)
	same(t, "whom it is about, and when", []any{log[0].Subject, log[0].At}, []any{string(u.ID()), storeEpoch.Add(time.Second)})
}

func factorsRefused(t *testing.T, s Store) {
	u := enrolled(t, s, "ada", "a")
	before, already := findFactor(t, s, u), s.events(t)
	s.refuse(t, errChange, func(ctx context.Context, repos outbound.Repos) error {
		return repos.Factors.Update(ctx, u.ID(), func(f *user.Factor) error {
			f.UseRecovery(is("a"), storeEpoch)
			f.Begin(setup("two", "b"), storeEpoch)
			return errChange
		})
	})
	same(t, "the factor", findFactor(t, s, u), before)
	s.wantEvents(t, already...)
}

func factorsNobody(t *testing.T, s Store) {
	names := map[string]string{"another": nextID(), "nothing": ""}
	for what, text := range unstorable {
		names[what] = text
	}
	for what, name := range names {
		err := s.View().Factors.Update(t.Context(), user.ID(name), func(f *user.Factor) error {
			t.Errorf("%s: change was called", what)
			return nil
		})
		wantErr(t, "update, "+what, err, user.ErrNotFound)
	}
}

func factorsOthers(t *testing.T, s Store) {
	ada, bob := enrolled(t, s, "ada", "a", "b"), enrolled(t, s, "bob", "a", "b")
	updateFactor(t, s, bob, func(f *user.Factor) error { f.Begin(setup("two", "c"), storeEpoch); return nil })
	before := findFactor(t, s, bob)
	updateFactor(t, s, ada, func(f *user.Factor) error {
		f.UseRecovery(is("a"), storeEpoch)
		return f.ReplaceCodes([]user.RecoveryCode{recoveryCode("c")}, storeEpoch)
	})
	useStep(t, s, ada, 1000)
	updateFactor(t, s, ada, func(f *user.Factor) error { f.Disable(storeEpoch); return nil })
	same(t, "bob's factor", findFactor(t, s, bob), before)
}

func factorsUseStep(t *testing.T, s Store) {
	u := enrolled(t, s, "ada")
	already := s.events(t)
	for _, c := range []struct {
		what string
		step int64
		want bool
	}{
		{"the step of the setup's own code", 100, false},
		{"one before it", 99, false},
		{"the next", 101, true},
		{"the next again", 101, false},
		{"a later one", 103, true},
		{"one that was passed over", 102, false},
		{"nonsense", -1, false},
		{"one after all that", 104, true},
	} {
		if got := useStep(t, s, u, c.step); got != c.want {
			t.Errorf("%s (step %d): used %t, want %t", c.what, c.step, got, c.want)
		}
	}
	s.wantEvents(t, already...)
	fail := func(times int) {
		updateFactor(t, s, u, func(f *user.Factor) error {
			for range times {
				f.Fail(storeEpoch)
			}
			return nil
		})
	}
	fail(user.MaxFactorFailures - 1)
	if got := useStep(t, s, u, 104); got || findFactor(t, s, u).Failures != user.MaxFactorFailures-1 {
		t.Error("a step that was used already forgot the failures")
	}
	if got := useStep(t, s, u, 105); !got || findFactor(t, s, u).Failures != 0 || findFactor(t, s, u).LastStep != 105 {
		t.Errorf("the last try before the lock: used %t, then %+v; want no failures and step 105", got, findFactor(t, s, u))
	}
	fail(user.MaxFactorFailures)
	if useStep(t, s, u, 106) || findFactor(t, s, u).LastStep != 105 {
		t.Error("a step of a locked factor was used")
	}
	updateFactor(t, s, u, func(f *user.Factor) error { f.Disable(storeEpoch); return nil })
	if useStep(t, s, u, 107) {
		t.Error("a step of a factor that is off was used")
	}
}

func factorsUnstorable(t *testing.T, s Store) {
	u := addUser(t, s, "ada")
	for what, text := range unstorable {
		for part, p := range map[string]user.Pending{"setup": {SetupID: text}, "session": {SetupID: "s", SessionID: text}} {
			p.ExpiresAt = storeEpoch.Add(time.Minute)
			err := s.View().Factors.Update(t.Context(), u.ID(), func(f *user.Factor) error { f.Begin(p, storeEpoch); return nil })
			wantInvalid(t, part+" with "+what, err)
		}
	}
	if findFactor(t, s, u).Pending != nil {
		t.Error("a setup with text that cannot be kept was kept")
	}
}
