package redis_test

import (
	"errors"
	"net"
	"os/exec"
	"strconv"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/forge1/forge1/adapters/redis"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// small starts a Redis of little memory that throws nothing away, and gives its URL.
func small(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("find Redis: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	_ = l.Close()
	cmd := exec.Command(program, "--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--maxmemory", "6mb", "--maxmemory-policy", "noeviction")
	if err := cmd.Start(); err != nil {
		t.Fatalf("start Redis: %v", err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	rdb := goredis.NewClient(&goredis.Options{Addr: address, MaxRetries: -1})
	defer func() { _ = rdb.Close() }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if rdb.Ping(t.Context()).Err() == nil {
			return "redis://" + address + "/0"
		}
		<-tick.C
	}
	t.Fatal("Redis does not answer")
	return ""
}

func TestWhenMemoryIsShortCachingStopsAndSignInsGoOn(t *testing.T) {
	url, w := small(t), newWatch()
	client := open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, w.read)
	cache := redis.NewPromptCache(client, sealing, 64<<20)
	kept := 0
	var stopped error
	for n := 0; n < 100 && stopped == nil; n++ {
		if stopped = cache.Keep(t.Context(), "t", outbound.PromptKey{byte(n)}, make([]byte, 100_000), time.Hour); stopped == nil {
			kept++
		}
	}
	if !errors.Is(stopped, fault.ErrDependency) || kept < 10 {
		t.Fatalf("%d entries were kept, then %v; want some, and then %v", kept, stopped, fault.ErrDependency)
	}
	if b, err := cache.Find(t.Context(), "t", outbound.PromptKey{0}); err != nil || b == nil {
		t.Errorf("what is there is not found any more: %v", err)
	}
	rdb := inspect(t, url)
	for n := range 500 {
		if err := rdb.Set(t.Context(), "forge1:session:"+strconv.Itoa(n), make([]byte, 1000), time.Hour).Err(); err != nil {
			t.Fatalf("a sign-in after %d others: %v", n, err)
		}
	}
	w.pass(time.Minute)
	if err := cache.Keep(t.Context(), "t", outbound.PromptKey{200}, make([]byte, 100_000), time.Hour); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("a minute later, as full as before: %v, want %v", err, fault.ErrDependency)
	}
	if err := rdb.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	if err := cache.Keep(t.Context(), "t", outbound.PromptKey{201}, make([]byte, 100_000), time.Hour); err != nil {
		t.Errorf("when there is memory again: %v", err)
	}
}
