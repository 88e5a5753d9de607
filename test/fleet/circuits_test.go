package fleet_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/forge1/forge1/adapters/breaker"
	"github.com/forge1/forge1/adapters/redis"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
	"github.com/forge1/forge1/test/redistest"
)

func now() time.Time { return time.Now().UTC() }

// trio is three replicas of circuits in a bubble that share a real Redis, whose time is made to pass with the bubble's.
type trio struct {
	t        *testing.T
	rdb      *goredis.Client
	silent   atomic.Bool
	replicas [3]outbound.Circuits
}

// inBubble runs a test with a trio.
func inBubble(t *testing.T, test func(*testing.T, *trio)) {
	url := redistest.URL(t)
	synctest.Test(t, func(t *testing.T) {
		options, err := goredis.ParseURL(url)
		if err != nil {
			t.Fatal(err)
		}
		r := &trio{t: t, rdb: goredis.NewClient(options)}
		t.Cleanup(func() { _ = r.rdb.Close() })
		for i := range r.replicas {
			client, err := redis.Open(redis.Config{URL: secret.New(url)}, now)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = client.Close() })
			r.replicas[i] = r.run(redis.NewCircuits(client, fmt.Sprint(i)))
		}
		test(t, r)
	})
}

// run makes a replica on its way to Redis, and runs it until the test ends.
func (r *trio) run(states outbound.CircuitStates) outbound.Circuits {
	c := breaker.New(breaker.Config{
		Threshold: conformance.CircuitThreshold, Cooldown: conformance.CircuitCooldown, Clock: now, States: &cable{states, &r.silent},
	})
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := c.Run(ctx); err != nil {
			r.t.Errorf("run: %v", err)
		}
	})
	r.t.Cleanup(func() { cancel(); done.Wait() })
	return c
}

// pass lets time pass in small steps, for what Redis keeps first.
func (r *trio) pass(d time.Duration) {
	const step = 100 * time.Millisecond // less than by which an end may be told differently without being another
	for ; d > 0; d -= step {
		synctest.Wait() // for what Redis is being told
		r.age(min(d, step))
		time.Sleep(min(d, step))
	}
}

// age moves the end of everything in Redis.
func (r *trio) age(d time.Duration) {
	err := r.rdb.Eval(r.t.Context(), `local all = redis.call('HGETALL', 'forge1:circuits')
		for i = 1, #all, 2 do
			local ends, more = string.match(all[i+1], '^(%d+) (.*)$')
			redis.call('HSET', 'forge1:circuits', all[i], string.format('%.0f', tonumber(ends) - ARGV[1]) .. ' ' .. more)
		end
		return 1`, nil, d.Microseconds()).Err()
	if err != nil {
		r.t.Errorf("let time pass in Redis: %v", err)
	}
}

func (r *trio) flush() {
	if err := r.rdb.FlushDB(r.t.Context()).Err(); err != nil {
		r.t.Errorf("empty Redis: %v", err)
	}
}

// cable is a replica's way to Redis, which can be cut. (In a bubble, a Redis that holds still would be waited for without end.)
type cable struct {
	outbound.CircuitStates
	cut *atomic.Bool
}

// Open implements outbound.CircuitStates.
func (c *cable) Open(ctx context.Context, key outbound.Circuit, d time.Duration) error {
	if c.cut.Load() {
		return fault.ErrDependency
	}
	return c.CircuitStates.Open(ctx, key, d)
}

// Close implements outbound.CircuitStates.
func (c *cable) Close(ctx context.Context, key outbound.Circuit) error {
	if c.cut.Load() {
		return fault.ErrDependency
	}
	return c.CircuitStates.Close(ctx, key)
}

// Lease implements outbound.CircuitStates.
func (c *cable) Lease(ctx context.Context, key outbound.Circuit, d time.Duration) (outbound.Lease, error) {
	if c.cut.Load() {
		return outbound.LeaseRefused, fault.ErrDependency
	}
	return c.CircuitStates.Lease(ctx, key, d)
}

// Free implements outbound.CircuitStates.
func (c *cable) Free(ctx context.Context, key outbound.Circuit) error {
	if c.cut.Load() {
		return fault.ErrDependency
	}
	return c.CircuitStates.Free(ctx, key)
}

// Rest implements outbound.CircuitStates.
func (c *cable) Rest(ctx context.Context, key outbound.Circuit, d time.Duration) error {
	if c.cut.Load() {
		return fault.ErrDependency
	}
	return c.CircuitStates.Rest(ctx, key, d)
}

// All implements outbound.CircuitStates.
func (c *cable) All(ctx context.Context) ([]outbound.SharedCircuit, error) {
	if c.cut.Load() {
		return nil, fault.ErrDependency
	}
	return c.CircuitStates.All(ctx)
}

func TestCircuitsThatShareARealRedisConform(t *testing.T) {
	conformance.Circuits(t, func(t *testing.T, test func(*testing.T, conformance.CircuitWorld)) {
		inBubble(t, func(t *testing.T, r *trio) {
			test(t, conformance.CircuitWorld{Circuits: r.replicas[0], Now: now, Pass: r.pass})
		})
	})
	conformance.CircuitFleet(t, func(t *testing.T, test func(*testing.T, conformance.CircuitFleetWorld)) {
		inBubble(t, func(t *testing.T, r *trio) {
			test(t, conformance.CircuitFleetWorld{
				Replicas: r.replicas, Now: now, Pass: r.pass, Flush: r.flush,
				Stop: func() { r.silent.Store(true) }, Start: func() { r.silent.Store(false) },
			})
		})
	})
}
