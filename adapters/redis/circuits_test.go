package redis_test

import (
	"errors"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/forge1/forge1/adapters/redis"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
	"github.com/forge1/forge1/test/redistest"
)

// ageCircuits lets time pass for every field by moving its end, and for the key by shortening what it has left to live.
func ageCircuits(t testing.TB, rdb *goredis.Client) func(time.Duration) {
	pass := age(t, rdb)
	return func(d time.Duration) {
		t.Helper()
		moveCircuits(t, rdb, -d)
		pass(d)
	}
}

// moveCircuits has every field end later by a span, as if the server's clock had been set back by it.
func moveCircuits(t testing.TB, rdb *goredis.Client, by time.Duration) {
	t.Helper()
	err := rdb.Eval(t.Context(), `local all = redis.call('HGETALL', 'forge1:circuits')
		for i = 1, #all, 2 do
			local ends, more = string.match(all[i+1], '^(%d+) (.*)$')
			redis.call('HSET', 'forge1:circuits', all[i], string.format('%.0f', tonumber(ends) + ARGV[1]) .. ' ' .. more)
		end`, nil, by.Microseconds()).Err()
	if err != nil && !errors.Is(err, goredis.Nil) {
		t.Fatalf("move the ends of circuits: %v", err)
	}
}

func TestCircuitStates(t *testing.T) {
	conformance.CircuitStates(t, func(t *testing.T, test func(*testing.T, conformance.Fleet)) {
		url := redistest.URL(t)
		rdb := inspect(t, url)
		node := func(name string) outbound.CircuitStates {
			return redis.NewCircuits(open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, newWatch().read), name)
		}
		test(t, conformance.Fleet{A: node("a"), B: node("b"), C: node("c"), Pass: ageCircuits(t, rdb), Flush: func() {
			if err := rdb.FlushDB(t.Context()).Err(); err != nil {
				t.Fatalf("empty the database: %v", err)
			}
		}})
	})
}

func TestAServersClockThatIsSetBackMakesNoSpanLonger(t *testing.T) {
	url := redistest.URL(t)
	rdb := inspect(t, url)
	states := redis.NewCircuits(open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, newWatch().read), "a")
	c := outbound.Circuit{Provider: "p", Model: "m", Credential: "k"}
	if err := errors.Join(states.Open(t.Context(), c, time.Minute), states.Rest(t.Context(), c, 30*time.Second)); err != nil {
		t.Fatal(err)
	}
	moveCircuits(t, rdb, time.Hour)
	want := func(what string, left, rest time.Duration) {
		t.Helper()
		all, err := states.All(t.Context())
		if err != nil || len(all) != 1 {
			t.Fatalf("%s: got %+v, %v; want one circuit", what, all, err)
		}
		if s := all[0]; s.Left > left || s.Left < left-time.Second || s.Rest > rest || s.Rest < rest-time.Second {
			t.Errorf("%s: open for %v, rests for %v; want %v and %v", what, s.Left, s.Rest, left, rest)
		}
	}
	want("an hour back", time.Minute, 30*time.Second)
	ageCircuits(t, rdb)(10 * time.Second)
	want("ten seconds after that", 50*time.Second, 20*time.Second)
}

func TestACircuitOfAnotherVersionIsUnknown(t *testing.T) {
	url := redistest.URL(t)
	rdb := inspect(t, url)
	states := redis.NewCircuits(open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, newWatch().read), "a")
	for _, field := range []string{"", "o", "o:", "o:a/b", "o:a/b/c/d", "o:%zz/b/c", "x:a/b"} {
		for _, value := range []string{"", "open", "1 2", "-1 5 x", "99999999999999999 99999999999999999 "} {
			if err := rdb.HSet(t.Context(), "forge1:circuits", field, value).Err(); err != nil {
				t.Fatal(err)
			}
			if all, err := states.All(t.Context()); err != nil || len(all) != 0 {
				t.Errorf("for %q: %q got %+v, %v; want nothing", field, value, all, err)
			}
		}
	}
	if err := rdb.HSet(t.Context(), "forge1:circuits", "o:a/b/c", "open").Err(); err != nil {
		t.Fatal(err)
	}
	if l, err := states.Lease(t.Context(), outbound.Circuit{Provider: "a", Model: "b", Credential: "c"}, time.Second); err != nil || l != outbound.LeaseGranted {
		t.Errorf("a lease of what cannot be read: answer %d, %v; want it granted", l, err)
	}
}

func TestASilentRedisCostsALeaseOneTimeout(t *testing.T) {
	m, w := newMute(t), newWatch()
	const rest = time.Second
	client := open(t, redis.Config{
		URL: secret.New("redis://" + m.Addr().String()), Timeout: 20 * time.Millisecond, Patience: 20 * time.Millisecond, Rest: rest,
	}, w.read)
	states := redis.NewCircuits(client, "a")
	c := outbound.Circuit{Provider: "p"}
	for range 3 { // the first is given up, the others are not even sent
		if l, err := states.Lease(t.Context(), c, time.Second); l != outbound.LeaseRefused || !errors.Is(err, fault.ErrDependency) {
			t.Errorf("a lease: answer %d, %v; want %v", l, err, fault.ErrDependency)
		}
	}
	if got := m.seen(); got != 1 {
		t.Errorf("%d connections were made, want 1", got)
	}
	if !redis.Enter(client) {
		t.Error("what else is kept in Redis rests as well")
	}
	for what, err := range map[string]error{
		"open": states.Open(t.Context(), c, time.Second), "rest": states.Rest(t.Context(), c, time.Second),
		"close": states.Close(t.Context(), c), "free": states.Free(t.Context(), c),
	} {
		if !errors.Is(err, fault.ErrDependency) {
			t.Errorf("%s: %v, want %v", what, err, fault.ErrDependency)
		}
	}
	if got := m.seen(); got != 2 {
		t.Errorf("%d connections were made, want 2: what nobody waits for has a gate of its own", got)
	}
}
