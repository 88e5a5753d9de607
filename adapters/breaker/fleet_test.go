package breaker_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/adapters/breaker"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

// run runs circuits until the test ends.
func run(t *testing.T, c *breaker.Circuits) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	stop = func() { cancel(); done.Wait() }
	t.Cleanup(stop)
	return stop
}

func replica(s *store, i int, clock outbound.Clock) *breaker.Circuits {
	return breaker.New(breaker.Config{
		Threshold: conformance.CircuitThreshold, Cooldown: conformance.CircuitCooldown, Clock: clock, States: handle{s, fmt.Sprint(i)},
	})
}

func replicas(t *testing.T, s *store) (all [3]*breaker.Circuits) {
	t.Helper()
	for i := range all {
		all[i] = replica(s, i, now)
		run(t, all[i])
	}
	return all
}

func TestOneOfAFleetConforms(t *testing.T) {
	for name, before := range map[string]func(*store){
		"the fleet answers": func(*store) {}, "it is silent": func(s *store) { s.silence(true) },
	} {
		t.Run(name, func(t *testing.T) {
			conformance.Circuits(t, func(t *testing.T, test func(*testing.T, conformance.CircuitWorld)) {
				synctest.Test(t, func(t *testing.T) {
					s := newStore()
					before(s)
					all := replicas(t, s)
					test(t, conformance.CircuitWorld{Circuits: all[0], Now: now, Pass: time.Sleep})
				})
			})
		})
	}
}

func TestAFleetConforms(t *testing.T) {
	for name, slow := range map[string]time.Duration{"an answer comes at once": 0, "an answer takes its time": 100 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			conformance.CircuitFleet(t, func(t *testing.T, test func(*testing.T, conformance.CircuitFleetWorld)) {
				synctest.Test(t, func(t *testing.T) {
					s := newStore()
					s.delay(slow)
					all := replicas(t, s)
					test(t, conformance.CircuitFleetWorld{
						Replicas: [3]outbound.Circuits{all[0], all[1], all[2]}, Now: now, Pass: time.Sleep,
						Stop: func() { s.silence(true) }, Start: func() { s.silence(false) }, Flush: s.flush,
					})
				})
			})
		})
	}
}

var someKey = outbound.Circuit{Provider: "p", Model: "m", Credential: "k"}

var broken = chat.Fail(chat.ClassServer, nil)

func TestOnlyTheProbeWaitsForAStoreAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		s.delay(20 * time.Second)
		took := func(what string, most time.Duration, f func()) {
			t.Helper()
			begun := time.Now()
			f()
			if d := time.Since(begun); d > most {
				t.Errorf("%s took %v, want %v at most", what, d, most)
			}
		}
		c := replica(s, 0, now)
		took("opening", 0, func() { fail(t, c, someKey, conformance.CircuitThreshold) })
		took("a rest", 0, func() { c.Rest(someKey, now().Add(time.Second)) })
		took("a look", 0, func() { c.View(someKey) })
		run(t, c)
		took("a look while the store is asked", 0, func() { c.View(someKey) })
		time.Sleep(conformance.CircuitCooldown + time.Second)
		took("a probe when the store is known to be silent", 0, func() { fail(t, c, someKey, 1) })
		if n := s.leases(); n != 0 {
			t.Errorf("the store was asked for %d leases, want none", n)
		}

		s.delay(0)
		other := outbound.Circuit{Provider: "other"}
		fail(t, c, other, conformance.CircuitThreshold)
		time.Sleep(conformance.CircuitCooldown + 5*time.Second)
		s.delay(20 * time.Second) // which nobody knows yet
		took("two probes that find out", 150*time.Millisecond, func() { fail(t, c, someKey, 1); fail(t, c, other, 1) })
		if n := s.leases(); n != 1 {
			t.Errorf("the store was asked for %d leases, want 1", n)
		}
	})
}

func TestTheFleetIsAskedOnceACooldown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := replicas(t, s)
		fail(t, all[0], someKey, conformance.CircuitThreshold)
		time.Sleep(conformance.CircuitCooldown + time.Second)
		if _, ok := all[1].Allow(someKey); !ok {
			t.Fatal("the probe was refused")
		}
		for range 200 {
			if _, ok := all[2].Allow(someKey); ok {
				t.Fatal("a second probe was let through")
			}
			time.Sleep(50 * time.Millisecond)
		}
		if n := s.leases(); n > 2+10_000/300 { // one that was granted, one that was refused, and the lease made longer
			t.Errorf("the store was asked for %d leases", n)
		}
	})
}

func TestALeaseOfAReplicaThatDiedEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		dying, living := replica(s, 0, now), replica(s, 1, now)
		stop := run(t, dying)
		run(t, living)
		fail(t, dying, someKey, conformance.CircuitThreshold)
		time.Sleep(conformance.CircuitCooldown + time.Second)
		if _, ok := dying.Allow(someKey); !ok {
			t.Fatal("the probe was refused")
		}
		stop()
		time.Sleep(10 * time.Second)
		if _, ok := living.Allow(someKey); ok {
			t.Error("the probe of a replica that may live is another's")
		}
		time.Sleep(6 * time.Second)
		if _, ok := living.Allow(someKey); !ok {
			t.Error("the probe of a replica that died is nobody's")
		}
	})
}

func TestALeaseWhoseAnswerGotLostIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := replicas(t, s)
		fail(t, all[0], someKey, conformance.CircuitThreshold)
		time.Sleep(conformance.CircuitCooldown + time.Second)
		if l, err := (handle{s, "1"}).Lease(t.Context(), someKey, time.Hour); err != nil || l != outbound.LeaseGranted {
			t.Fatalf("lease: answer %d, %v", l, err)
		}
		time.Sleep(2 * time.Second)
		if _, ok := all[2].Allow(someKey); !ok {
			t.Error("a probe was refused for a lease that nobody knows to have")
		}
	})
}

func TestAClockThatIsSetBackLeavesNothingShut(t *testing.T) {
	for name, states := range map[string]bool{"alone": false, "in a fleet": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var back time.Duration
				var mu sync.Mutex
				clock := func() time.Time {
					mu.Lock()
					defer mu.Unlock()
					return time.Now().UTC().Add(-back)
				}
				config := breaker.Config{Threshold: conformance.CircuitThreshold, Cooldown: conformance.CircuitCooldown, Clock: clock}
				if states {
					config.States = handle{newStore(), "0"}
				}
				c := breaker.New(config)
				var told outbound.CircuitView
				c.OnChange(func(_ outbound.Circuit, v outbound.CircuitView) { mu.Lock(); told = v; mu.Unlock() })
				run(t, c)
				fail(t, c, someKey, conformance.CircuitThreshold)
				c.Rest(someKey, clock().Add(30*time.Second))
				time.Sleep(time.Second)
				mu.Lock()
				back = time.Hour
				mu.Unlock()
				time.Sleep(time.Second) // within which a look tells the listeners, who may know the old end
				mu.Lock()
				v := told
				mu.Unlock()
				if left, rests := v.OpenUntil.Sub(clock()), v.RestUntil.Sub(clock()); left > conformance.CircuitCooldown || rests > 30*time.Second {
					t.Errorf("told that it is open for %v and rests for %v", left, rests)
				}
				time.Sleep(conformance.CircuitCooldown)
				mu.Lock()
				v = told
				mu.Unlock()
				if v.State != outbound.HalfOpen {
					t.Errorf("after the cooldown told %+v, want it half open", v)
				}
				if got := c.View(someKey); !got.RestUntil.IsZero() {
					t.Errorf("after its rest %+v, want it awake", got)
				}
				if _, ok := c.Allow(someKey); !ok {
					t.Error("the probe was refused")
				}
			})
		})
	}
}

func TestRunEndsWithALastWord(t *testing.T) {
	for range 30 { // the last word is needed when the end and what is to be said come at once
		synctest.Test(t, func(t *testing.T) {
			s := newStore()
			c := replica(s, 0, now)
			s.delay(10 * time.Millisecond)
			stop := run(t, c)
			time.Sleep(305 * time.Millisecond) // in the middle of an exchange
			fail(t, c, someKey, conformance.CircuitThreshold)
			stop()
			all, err := handle{s, "1"}.All(t.Context())
			if err != nil || len(all) != 1 || all[0].State != outbound.Open {
				t.Errorf("the store knows %+v, %v; want the open circuit", all, err)
			}
		})
	}
}
