package breaker_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/adapters/breaker"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

// probes has a replica make the probe that it must be let make, and gives its report.
func probes(t *testing.T, c outbound.Circuits) func(error) {
	t.Helper()
	report, ok := c.Allow(someKey)
	if !ok {
		t.Fatal("the probe was refused")
	}
	return report
}

func TestTheFleetIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := replicas(t, s)
		want := func(what string, state outbound.CircuitState) {
			t.Helper()
			synctest.Wait() // no time passes
			if known, err := (handle{s, "x"}).All(t.Context()); err != nil || len(known) != 1 || known[0].State != state {
				t.Errorf("%s the store knows %+v, %v; want state %d", what, known, err, state)
			}
		}
		time.Sleep(time.Second)
		fail(t, all[0], someKey, conformance.CircuitThreshold)
		want("opened", outbound.Open)
		time.Sleep(conformance.CircuitCooldown + time.Second)
		probes(t, all[1])(nil)
		want("closed", outbound.Closed)
		// Replica 2 has not looked since, and needs no probe: both attempts are let through.
		for i := range 2 {
			if _, ok := all[2].Allow(someKey); !ok {
				t.Errorf("attempt %d at what was just closed was refused", i+1)
			}
		}
	})
}

func TestWhatTheStoreLostItIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := replicas(t, s)
		fail(t, all[0], someKey, conformance.CircuitThreshold)
		all[1].Rest(someKey, now().Add(time.Minute))
		time.Sleep(10 * time.Second)
		s.flush()
		time.Sleep(time.Second)
		left := conformance.CircuitCooldown - 11*time.Second
		known, err := handle{s, "x"}.All(t.Context())
		if err != nil || len(known) != 1 || known[0].State != outbound.Open || known[0].Left > left || known[0].Left < left-time.Second || known[0].Rest > left {
			t.Errorf("the store knows %+v, %v; want it open and at rest for %v", known, err, left)
		}
		time.Sleep(conformance.CircuitCooldown)
		s.flush()
		time.Sleep(time.Second)
		if known, err := (handle{s, "x"}).All(t.Context()); err != nil || len(known) != 1 || known[0].State != outbound.HalfOpen {
			t.Errorf("the store knows %+v, %v; want it half open", known, err)
		}
	})
}

// Attempts that were let through before the fleet closed a circuit are reported to a breaker that is gone.
func TestReportsThatTheFleetHasOvertakenChangeNothing(t *testing.T) {
	for name, c := range map[string]struct {
		cut    bool // replica 0 has its own probe because it does not reach the store
		before func(t *testing.T, all outbound.Circuits) []func(error)
	}{
		"attempts at a closed one": {before: func(t *testing.T, c outbound.Circuits) (late []func(error)) {
			for range conformance.CircuitThreshold {
				late = append(late, probes(t, c))
			}
			return late
		}},
		"a probe of its own": {cut: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				all := replicas(t, s)
				var late []func(error)
				if c.before != nil {
					late = c.before(t, all[0])
				}
				fail(t, all[1], someKey, conformance.CircuitThreshold)
				time.Sleep(conformance.CircuitCooldown + time.Second)
				if c.cut {
					s.cutOff("0", true)
					time.Sleep(2 * time.Second)
					late = append(late, probes(t, all[0]))
				}
				probes(t, all[1])(nil)
				s.cutOff("0", false)
				time.Sleep(2 * time.Second)
				for _, report := range late {
					report(broken)
				}
				time.Sleep(time.Second)
				for i, r := range all {
					if v := r.View(someKey); v != (outbound.CircuitView{}) {
						t.Errorf("on replica %d %+v, want it closed", i, v)
					}
				}
				probes(t, all[0])(nil)
			})
		})
	}
}

// What the store said before something happened here does not undo it, whenever in its exchange with the store a replica is.
func TestWhatHappensDuringAnExchangeStands(t *testing.T) {
	for offset := range 20 {
		synctest.Test(t, func(t *testing.T) {
			s := newStore()
			all := replicas(t, s)
			s.delay(100 * time.Millisecond)
			fail(t, all[0], someKey, conformance.CircuitThreshold)
			time.Sleep(conformance.CircuitCooldown + time.Second)
			probes(t, all[0])(nil)
			time.Sleep(time.Duration(offset) * 25 * time.Millisecond)
			fail(t, all[0], someKey, conformance.CircuitThreshold)
			for range 200 {
				time.Sleep(10 * time.Millisecond)
				if v := all[0].View(someKey); v.State != outbound.Open {
					t.Fatalf("opened %v after it was closed, then %+v", time.Duration(offset)*25*time.Millisecond, v)
				}
			}
			for i, r := range all {
				if v := r.View(someKey); v.State != outbound.Open {
					t.Errorf("opened %v after it was closed, on replica %d %+v", time.Duration(offset)*25*time.Millisecond, i, v)
				}
			}
		})
	}
}

func TestAnEndThatIsToldAgainIsNoChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := [2]*breaker.Circuits{replica(s, 0, now), replica(s, 1, now)}
		var told atomic.Int32
		all[1].OnChange(func(outbound.Circuit, outbound.CircuitView) { told.Add(1) })
		run(t, all[0])
		run(t, all[1])
		fail(t, all[0], someKey, conformance.CircuitThreshold)
		all[0].Rest(someKey, now().Add(time.Minute))
		time.Sleep(time.Second)
		before := told.Load()
		for range 40 {
			s.delay(0)
			time.Sleep(500 * time.Millisecond)
			s.delay(100 * time.Millisecond)
			time.Sleep(500 * time.Millisecond)
		}
		if after := told.Load() - before; before == 0 || after != 0 {
			t.Errorf("told %d times at first and %d times after that, want once or twice and never", before, after)
		}
	})
}

func TestListenersAreToldOfTimeWhenTheStoreIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := [2]*breaker.Circuits{replica(s, 0, now), replica(s, 1, now)}
		var last atomic.Value
		all[1].OnChange(func(_ outbound.Circuit, v outbound.CircuitView) { last.Store(v) })
		run(t, all[0])
		run(t, all[1])
		fail(t, all[0], someKey, conformance.CircuitThreshold)
		time.Sleep(time.Second)
		s.silence(true)
		time.Sleep(conformance.CircuitCooldown + 5*time.Second)
		if v, _ := last.Load().(outbound.CircuitView); v.State != outbound.HalfOpen {
			t.Errorf("told %+v last, want it half open", v)
		}
	})
}

// A store that takes its time is not told so much at once that what others say is heard late.
func TestMuchToSayDoesNotKeepAReplicaFromListening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := replicas(t, s)
		s.delay(100 * time.Millisecond)
		for i := range 300 {
			all[0].Rest(outbound.Circuit{Model: fmt.Sprint(i)}, now().Add(time.Hour))
		}
		time.Sleep(100 * time.Millisecond)
		fail(t, all[1], someKey, conformance.CircuitThreshold)
		time.Sleep(2 * time.Second)
		if v := all[0].View(someKey); v.State != outbound.Open {
			t.Errorf("two seconds later %+v, want it open", v)
		}
		time.Sleep(3 * time.Minute)
		known, err := handle{s, "x"}.All(t.Context())
		if err != nil || len(known) != 301 {
			t.Errorf("the store knows of %d circuits, %v; want all 301", len(known), err)
		}
	})
}
