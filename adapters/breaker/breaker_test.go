package breaker_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/adapters/breaker"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

func now() time.Time { return time.Now().UTC() }

func TestConformance(t *testing.T) {
	conformance.Circuits(t, func(t *testing.T, test func(*testing.T, conformance.CircuitWorld)) {
		synctest.Test(t, func(t *testing.T) {
			test(t, conformance.CircuitWorld{
				Circuits: breaker.New(breaker.Config{
					Threshold: conformance.CircuitThreshold, Cooldown: conformance.CircuitCooldown, Clock: now,
				}),
				Now: now, Pass: time.Sleep,
			})
		})
	})
}

func TestDefaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := breaker.New(breaker.Config{Clock: now})
		key := outbound.Circuit{Provider: "p"}
		fail(t, c, key, 3)
		if v := c.View(key); v.State != outbound.Open || v.OpenUntil.Sub(now()) != time.Minute {
			t.Errorf("after three failures %+v, want it open for a minute", v)
		}
	})
}

func TestIdleCircuitsMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const room = 50
		c := breaker.New(breaker.Config{Threshold: 1, MaxKeys: room, Clock: now})
		open := outbound.Circuit{Provider: "p", Model: "open"}
		rests := outbound.Circuit{Provider: "p", Model: "rests"}
		fail(t, c, open, 1)
		c.Rest(rests, now().Add(time.Hour))
		for i := range 10 * room {
			time.Sleep(time.Millisecond)
			c.Rest(outbound.Circuit{Model: fmt.Sprint(i)}, now().Add(time.Microsecond))
		}
		if v := c.View(open); v.State != outbound.Open {
			t.Errorf("the open circuit is %+v, want it remembered", v)
		}
		if v := c.View(rests); v.RestUntil.IsZero() {
			t.Errorf("the resting circuit is %+v, want it remembered", v)
		}
	})
}

func TestWhereNoneIsIdleTheOldestMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const room = 50
		c := breaker.New(breaker.Config{Threshold: 1, MaxKeys: room, Clock: now})
		for i := range 10 * room {
			time.Sleep(time.Millisecond)
			fail(t, c, outbound.Circuit{Model: fmt.Sprint(i)}, 1)
		}
		known := 0
		for i := range 10 * room {
			if c.View(outbound.Circuit{Model: fmt.Sprint(i)}).State == outbound.Open {
				known++
			}
		}
		if known != room {
			t.Errorf("%d circuits are known, want %d", known, room)
		}
		if v := c.View(outbound.Circuit{Model: fmt.Sprint(10*room - 1)}); v.State != outbound.Open {
			t.Error("the youngest circuit was forgotten")
		}
	})
}

func fail(t *testing.T, c *breaker.Circuits, key outbound.Circuit, times int) {
	t.Helper()
	for range times {
		report, ok := c.Allow(key)
		if !ok {
			t.Fatalf("an attempt at %+v was refused", key)
		}
		report(chat.Fail(chat.ClassServer, nil))
	}
}

func BenchmarkAllow(b *testing.B) {
	c := breaker.New(breaker.Config{Clock: now})
	key := outbound.Circuit{Provider: "openai", Model: "gpt-4o-mini", Credential: "openai-1"}
	b.ReportAllocs()
	for b.Loop() {
		if c.View(key).State == outbound.Open {
			b.Fatal("open")
		}
		report, _ := c.Allow(key)
		report(nil)
	}
}
