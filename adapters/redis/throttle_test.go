package redis_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/redis"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/redistest"
)

var (
	counting = outbound.Bucket{Key: "login-account:a", Limit: 3, Window: 15 * time.Minute}
	every    = outbound.Bucket{Key: "refresh-session:b", Limit: 60, Window: time.Minute, Every: true}
	both     = []outbound.Bucket{counting, every}
)

// admitted fails the test unless a throttle admits.
func admitted(t testing.TB, throttle outbound.Throttle, lease string, buckets ...outbound.Bucket) {
	t.Helper()
	if a, err := throttle.Admit(t.Context(), lease, 5*time.Second, buckets); err != nil || a.Verdict != outbound.Admitted {
		t.Fatalf("admit: got %+v, %v", a, err)
	}
}

func TestKeysOfThrottleAndChallengesAreBoundedInRealTime(t *testing.T) {
	url := redistest.URL(t)
	rdb, client := inspect(t, url), open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, newWatch().read)
	throttle, challenges := redis.NewThrottle(client), redis.NewChallenges(client)
	want := func(what string, bounds map[string]time.Duration) {
		t.Helper()
		keys, err := rdb.Keys(t.Context(), "*").Result()
		if err != nil || len(keys) != len(bounds) {
			t.Fatalf("%s: got keys %q, %v; want %d", what, keys, err, len(bounds))
		}
		for key, bound := range bounds {
			left, err := rdb.PTTL(t.Context(), key).Result()
			if err != nil || left > bound+time.Minute || left < bound+time.Minute/2 {
				t.Errorf("%s: key %s lives for %v, %v; want %v and a minute", what, key, left, err, bound)
			}
		}
	}
	admitted(t, throttle, "one", both...)
	want("admitted", map[string]time.Duration{"forge1:rl:login-account:a": 5 * time.Second, "forge1:rl:refresh-session:b": time.Minute})
	if err := throttle.Settle(t.Context(), "one", true, both); err != nil {
		t.Fatal(err)
	}
	admitted(t, throttle, "two", both...)
	want("failed", map[string]time.Duration{"forge1:rl:login-account:a": counting.Window, "forge1:rl:refresh-session:b": time.Minute})
	if err := throttle.Clear(t.Context(), both); err != nil {
		t.Fatal(err)
	}
	want("cleared", map[string]time.Duration{"forge1:rl:login-account:a": counting.Window})
	if err := throttle.Settle(t.Context(), "two", false, both); err != nil {
		t.Fatal(err)
	}
	want("settled", nil)
	hash := [32]byte{0xab, 31: 0x01}
	if err := challenges.Put(t.Context(), hash, outbound.Challenge{User: "u", Tenant: "t"}, 5*time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := challenges.Try(t.Context(), hash, 5); !ok || err != nil {
		t.Fatalf("try: %t, %v", ok, err)
	}
	want("a challenge", map[string]time.Duration{"forge1:mfa:" + fmt.Sprintf("%x", hash): 5 * time.Minute})
}

func TestLeasesThatEndedLeaveNothing(t *testing.T) {
	url, w := redistest.URL(t), newWatch()
	rdb := inspect(t, url)
	throttle := redis.NewThrottle(open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, w.read))
	for i := range 20 {
		admitted(t, throttle, fmt.Sprint(i), counting)
		w.pass(5 * time.Second)
	}
	if n, err := rdb.HLen(t.Context(), "forge1:rl:login-account:a").Result(); n != 1 || err != nil {
		t.Errorf("after 20 that crashed the bucket has %d fields, %v; want 1", n, err)
	}
}

func TestAnEmptiedRedisCountsAnewAndLosesChallenges(t *testing.T) {
	url := redistest.URL(t)
	rdb, client := inspect(t, url), open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, newWatch().read)
	throttle, challenges := redis.NewThrottle(client), redis.NewChallenges(client)
	hash := [32]byte{1}
	use := func() {
		t.Helper()
		for i := range 3 {
			lease := fmt.Sprint(i)
			admitted(t, throttle, lease, counting)
			if err := throttle.Settle(t.Context(), lease, true, []outbound.Bucket{counting}); err != nil {
				t.Fatal(err)
			}
		}
		if a, err := throttle.Admit(t.Context(), "x", time.Second, both); err != nil || a.Verdict != outbound.Full {
			t.Fatalf("when full: got %+v, %v", a, err)
		}
		if err := challenges.Put(t.Context(), hash, outbound.Challenge{User: "u"}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	use()
	// A server that was restarted knows no script either.
	if err := errors.Join(rdb.FlushDB(t.Context()).Err(), rdb.ScriptFlush(t.Context()).Err()); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := challenges.Try(t.Context(), hash, 5); ok || err != nil {
		t.Errorf("a challenge that is lost: %t, %v", ok, err)
	}
	if ok, err := challenges.Claim(t.Context(), hash); ok || err != nil {
		t.Errorf("claim a challenge that is lost: %t, %v", ok, err)
	}
	if err := throttle.Settle(t.Context(), "lost", false, both); err != nil {
		t.Errorf("settle a lease that is lost: %v", err)
	}
	use()
	if _, ok, err := challenges.Try(t.Context(), hash, 5); !ok || err != nil {
		t.Errorf("a new challenge: %t, %v", ok, err)
	}
}

func TestASilentRedisAdmitsNobody(t *testing.T) {
	client := open(t, redis.Config{URL: secret.New("redis://" + newMute(t).Addr().String()), Patience: 20 * time.Millisecond}, newWatch().read)
	throttle, challenges := redis.NewThrottle(client), redis.NewChallenges(client)
	for name, use := range map[string]func(context.Context) error{
		"admit":  func(ctx context.Context) error { _, err := throttle.Admit(ctx, "x", time.Second, both); return err },
		"settle": func(ctx context.Context) error { return throttle.Settle(ctx, "x", true, both) },
		"clear":  func(ctx context.Context) error { return throttle.Clear(ctx, both) },
		"put": func(ctx context.Context) error {
			return challenges.Put(ctx, [32]byte{}, outbound.Challenge{}, time.Minute)
		},
		"try": func(ctx context.Context) error {
			_, ok, err := challenges.Try(ctx, [32]byte{}, 5)
			if ok {
				t.Error("a silent Redis gave a challenge")
			}
			return err
		},
		"claim": func(ctx context.Context) error {
			ok, err := challenges.Claim(ctx, [32]byte{})
			if ok {
				t.Error("a silent Redis let a challenge be claimed")
			}
			return err
		},
	} {
		for range 2 { // the second while it is left alone
			if err := use(t.Context()); !errors.Is(err, fault.ErrDependency) {
				t.Errorf("%s: got %v, want %v", name, err, fault.ErrDependency)
			}
		}
	}
}

func TestASlowCacheRefusesNoSignIn(t *testing.T) {
	url := redistest.URL(t)
	client := open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, newWatch().read)
	throttle, cache := redis.NewThrottle(client), redis.NewSessions(client)
	redis.Shut(client)
	admitted(t, throttle, "x", counting)
	if _, _, _, err := cache.Record(t.Context(), "x"); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("what the throttle was answered let the cache ask again: %v", err)
	}
	redis.ShutPatient(client)
	if _, err := throttle.Admit(t.Context(), "y", time.Second, both); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("while it is left alone: got %v, want %v", err, fault.ErrDependency)
	}
	if err := cache.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	admitted(t, throttle, "y", counting)
}

func TestWhatAnotherVersionWroteIsAnErrorAndAdmitsNobody(t *testing.T) {
	url := redistest.URL(t)
	rdb, client := inspect(t, url), open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, newWatch().read)
	throttle, challenges := redis.NewThrottle(client), redis.NewChallenges(client)
	if err := rdb.Set(t.Context(), "forge1:rl:login-account:a", "of the wrong type", time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	if a, err := throttle.Admit(t.Context(), "x", time.Second, both); !errors.Is(err, fault.ErrDependency) || a.States != nil {
		t.Errorf("a bucket of the wrong type: got %+v, %v", a, err)
	}
	if n, err := rdb.Exists(t.Context(), "forge1:rl:refresh-session:b").Result(); n != 0 || err != nil {
		t.Errorf("the other bucket was counted in: %d, %v", n, err)
	}
	for name, fields := range map[string][]any{
		"an epoch that is no number": {"x", "99999999999999999", "u", "u", "t", "t", "e", "soon"},
	} {
		hash := [32]byte{2}
		if err := rdb.HSet(t.Context(), "forge1:mfa:"+fmt.Sprintf("%x", hash), fields...).Err(); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := challenges.Try(t.Context(), hash, 5); ok || !errors.Is(err, fault.ErrDependency) {
			t.Errorf("%s: %t, %v", name, ok, err)
		}
	}
	for name, fields := range map[string][]any{"no end": {"u", "u", "t", "t", "e", "1"}, "no tenant": {"x", "99999999999999999", "u", "u", "e", "1"}} {
		hash := [32]byte{3}
		key := "forge1:mfa:" + fmt.Sprintf("%x", hash)
		if err := errors.Join(rdb.Del(t.Context(), key).Err(), rdb.HSet(t.Context(), key, fields...).Err()); err != nil {
			t.Fatal(err)
		}
		if _, ok, _ := challenges.Try(t.Context(), hash, 5); ok {
			t.Errorf("%s: given", name)
		}
	}
}

// TestTwoNodesCountTogether has two nodes whose clocks are apart.
func TestTwoNodesCountTogether(t *testing.T) {
	url := redistest.URL(t)
	ahead := newWatch()
	ahead.pass(4 * time.Second)
	one := redis.NewThrottle(open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, newWatch().read))
	two := redis.NewThrottle(open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, ahead.read))
	let := 0
	for i := range 100 {
		node := []*redis.Throttle{one, two}[i%2]
		a, err := node.Admit(t.Context(), fmt.Sprint(i), 5*time.Second, []outbound.Bucket{counting})
		if err != nil {
			t.Fatal(err)
		}
		if a.RetryAfter > counting.Window {
			t.Errorf("the wait is %v, longer than the window", a.RetryAfter)
		}
		if a.Verdict == outbound.Admitted {
			let++
			if err := node.Settle(t.Context(), fmt.Sprint(i), true, []outbound.Bucket{counting}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if let != counting.Limit {
		t.Errorf("%d were let through, want %d", let, counting.Limit)
	}
}

func TestNothingPersonalIsKeptWithAChallenge(t *testing.T) {
	url := redistest.URL(t)
	rdb := inspect(t, url)
	challenges := redis.NewChallenges(open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, newWatch().read))
	c := outbound.Challenge{User: "01935a00-0000-7000-8000-000000000001", Tenant: "01935a00-0000-7000-8000-000000000002", Epoch: 3}
	if err := challenges.Put(t.Context(), [32]byte{9}, c, time.Minute); err != nil {
		t.Fatal(err)
	}
	key := "forge1:mfa:09" + fmt.Sprintf("%062x", 0)
	fields, err := rdb.HGetAll(t.Context(), key).Result()
	if err != nil || len(fields) != 4 {
		t.Fatalf("got %v, %v; want four fields", fields, err)
	}
	form := regexp.MustCompile(`^([0-9]+|[0-9a-f-]{36})$`)
	for name, value := range fields {
		if !form.MatchString(value) {
			t.Errorf("field %s holds %q, neither an id nor a number", name, value)
		}
	}
}

func BenchmarkThrottle(b *testing.B) {
	throttle := redis.NewThrottle(open(b, redis.Config{URL: secret.New(redistest.URL(b)), Timeout: 10 * time.Second, Patience: 10 * time.Second}, newWatch().read))
	b.ReportAllocs()
	for b.Loop() {
		admitted(b, throttle, "x", counting)
		if err := throttle.Settle(b.Context(), "x", false, []outbound.Bucket{counting}); err != nil {
			b.Fatal(err)
		}
	}
}
