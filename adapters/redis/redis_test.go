package redis_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/forge1/forge1/adapters/redis"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
	"github.com/forge1/forge1/test/redistest"
)

// watch is a clock that is moved by hand.
type watch struct {
	mu  sync.Mutex
	now time.Time
}

func newWatch() *watch { return &watch{now: time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)} }

func (w *watch) read() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *watch) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func open(t testing.TB, c redis.Config, clock outbound.Clock) *redis.Client {
	t.Helper()
	client, err := redis.Open(c, clock)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return client
}

// inspect opens a way to look into a Redis past the adapter.
func inspect(t testing.TB, url string) *goredis.Client {
	t.Helper()
	options, err := goredis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	rdb := goredis.NewClient(options)
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// age lets time pass for every key by shortening what it has left to live.
func age(t testing.TB, rdb *goredis.Client) func(time.Duration) {
	return func(d time.Duration) {
		t.Helper()
		err := rdb.Eval(t.Context(), `for _, k in ipairs(redis.call('KEYS', '*')) do
			local left = redis.call('PTTL', k)
			if left < 0 then return redis.error_reply('a key that lives for ever: ' .. k) end
			if left <= tonumber(ARGV[1]) then redis.call('DEL', k) else redis.call('PEXPIRE', k, left - tonumber(ARGV[1])) end
		end`, nil, d.Milliseconds()).Err()
		if err != nil && !errors.Is(err, goredis.Nil) {
			t.Fatalf("let time pass: %v", err)
		}
	}
}

func TestSessionCache(t *testing.T) {
	conformance.SessionCache(t, func(t *testing.T) (outbound.SessionCache, func(time.Duration)) {
		url := redistest.URL(t)
		client := open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second}, newWatch().read)
		return redis.NewSessions(client), age(t, inspect(t, url))
	})
}

func TestThrottle(t *testing.T) {
	conformance.Throttle(t, func(t *testing.T) (outbound.Throttle, func(time.Duration)) {
		w := newWatch()
		return redis.NewThrottle(open(t, redis.Config{URL: secret.New(redistest.URL(t)), Patience: 10 * time.Second}, w.read)), w.pass
	})
}

func TestChallenges(t *testing.T) {
	conformance.Challenges(t, func(t *testing.T) (outbound.Challenges, func(time.Duration)) {
		w := newWatch()
		return redis.NewChallenges(open(t, redis.Config{URL: secret.New(redistest.URL(t)), Patience: 10 * time.Second}, w.read)), w.pass
	})
}

func TestARecordOfAnotherVersionIsUnknown(t *testing.T) {
	url := redistest.URL(t)
	rdb := inspect(t, url)
	cache := redis.NewSessions(open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second}, newWatch().read))
	for _, value := range []string{"", "{", "[]", "{}", "r", `"R"`, `{"u":5}`} {
		if err := rdb.Set(t.Context(), "forge1:session:x", value, time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		if r, known, dead, err := cache.Record(t.Context(), "x"); known || dead || err != nil {
			t.Errorf("for %q: got %+v, known %t, dead %t, %v; want it unknown", value, r, known, dead, err)
		}
	}
}

func TestBadURLsAreRefusedWithoutBeingQuoted(t *testing.T) {
	for _, url := range []string{"", "http://:sesame@127.0.0.1", "redis://:sesame@127.0.0.1:port/0", "redis://:sesame@127.0.0.1/nodb"} {
		client, err := redis.Open(redis.Config{URL: secret.New(url)}, newWatch().read)
		if err == nil {
			_ = client.Close()
			t.Errorf("%q was taken", url)
			continue
		}
		if strings.Contains(err.Error(), "sesame") {
			t.Errorf("the error quotes the URL: %v", err)
		}
	}
}

// mute takes connections and never answers. It counts what it was sent.
type mute struct {
	net.Listener
	mu    sync.Mutex
	conns int
}

func newMute(t *testing.T) *mute {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mute{Listener: l}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			m.mu.Lock()
			m.conns++
			m.mu.Unlock()
			wg.Go(func() { _, _ = io.Copy(io.Discard, conn); _ = conn.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return m
}

func (m *mute) seen() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.conns
}

func TestASilentRedisIsGivenUpAndThenLeftAlone(t *testing.T) {
	m, w := newMute(t), newWatch()
	client := open(t, redis.Config{URL: secret.New("redis://:sesame@" + m.Addr().String()), Timeout: 20 * time.Millisecond}, w.read)
	cache := redis.NewSessions(client)
	away := func(what string) {
		t.Helper()
		for name, use := range map[string]func() error{
			"record": func() error { _, _, _, err := cache.Record(t.Context(), "x"); return err },
			"keep": func() error {
				return cache.Keep(t.Context(), outbound.SessionRecord{ID: "x", UserID: "u"}, time.Minute)
			},
			"bury": func() error { return cache.Bury(t.Context(), session.ID("x"), time.Minute) },
		} {
			err := use()
			if !errors.Is(err, fault.ErrDependency) || fault.KindOf(err) != fault.Unavailable {
				t.Errorf("%s, %s: got %v, want %v", what, name, err, fault.ErrDependency)
			}
		}
	}
	away("at first")
	first := m.seen()
	if first == 0 {
		t.Fatal("nobody asked the silent Redis")
	}
	for range 100 {
		away("while it is left alone")
	}
	if n := m.seen(); n != first {
		t.Errorf("it was connected to %d times while it should be left alone", n-first)
	}
	w.pass(redis.DefaultRest)
	away("after the rest")
	if m.seen() == first {
		t.Error("it was not asked again after the rest")
	}
}

func TestAfterTheRestOneGoesFirstAndAnAnswerOpensForAll(t *testing.T) {
	url := redistest.URL(t)
	w := newWatch()
	client := open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second}, w.read)
	cache := redis.NewSessions(client)
	redis.Shut(client)
	if err := cache.Bury(t.Context(), "x", time.Minute); !errors.Is(err, fault.ErrDependency) {
		t.Fatalf("while it is left alone: got %v, want %v", err, fault.ErrDependency)
	}
	w.pass(redis.DefaultRest)
	if first, second := redis.Enter(client), redis.Enter(client); !first || second {
		t.Errorf("after the rest: the first may go %t, the second %t; want true, false", first, second)
	}
	w.pass(redis.DefaultRest)
	if err := cache.Bury(t.Context(), "x", time.Minute); err != nil {
		t.Fatalf("the first after the rest: %v", err)
	}
	if first, second := redis.Enter(client), redis.Enter(client); !first || !second {
		t.Errorf("after an answer: %t, %t; want all to go", first, second)
	}
	redis.Shut(client)
	if err := cache.Ping(t.Context()); err != nil {
		t.Errorf("ping while it is left alone: %v", err)
	}
	if !redis.Enter(client) {
		t.Error("a ping that was answered did not end the rest")
	}
}

func TestACallerWhoLeavesSaysNothingOfRedis(t *testing.T) {
	m, w := newMute(t), newWatch()
	client := open(t, redis.Config{URL: secret.New("redis://" + m.Addr().String()), Timeout: time.Minute}, w.read)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { _, _, _, err := redis.NewSessions(client).Record(ctx, "x"); done <- err }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if !redis.Enter(client) {
		t.Error("Redis is left alone because a caller left")
	}
}

func TestAnErrorInAnAnswerIsAnAnswer(t *testing.T) {
	url := redistest.URL(t)
	client := open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second}, newWatch().read)
	if err := inspect(t, url).LPush(t.Context(), "forge1:session:x", "of the wrong type").Err(); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := redis.NewSessions(client).Record(t.Context(), "x"); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("got %v, want %v", err, fault.ErrDependency)
	}
	if !redis.Enter(client) {
		t.Error("Redis is left alone because of an error in an answer")
	}
}

func BenchmarkSessionRecord(b *testing.B) {
	client := open(b, redis.Config{URL: secret.New(redistest.URL(b)), Timeout: 10 * time.Second}, newWatch().read)
	cache := redis.NewSessions(client)
	r := outbound.SessionRecord{ID: "01935a00-0000-7000-8000-000000000001", UserID: "u", TenantID: "t", Role: "owner"}
	if err := cache.Keep(b.Context(), r, time.Hour); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, known, _, err := cache.Record(b.Context(), r.ID); !known || err != nil {
			b.Fatalf("known %t, %v", known, err)
		}
	}
}
