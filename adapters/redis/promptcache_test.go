package redis_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/forge1/forge1/adapters/keyring"
	"github.com/forge1/forge1/adapters/redis"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
	"github.com/forge1/forge1/test/redistest"
)

var sealing = keyring.New(keyring.Config{Root: secret.New(strings.Repeat("root", 10))})

func promptCache(t testing.TB, url string, w *watch) *redis.PromptCache {
	t.Helper()
	return redis.NewPromptCache(open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second}, w.read), sealing, conformance.PromptCacheBound)
}

func TestPromptCache(t *testing.T) {
	conformance.PromptCache(t, func(t *testing.T) (outbound.PromptCache, func(time.Duration)) {
		url := redistest.URL(t)
		return promptCache(t, url, newWatch()), age(t, inspect(t, url))
	})
}

// theOnly gives the name of the one key that holds an entry.
func theOnly(t *testing.T, rdb *goredis.Client) string {
	t.Helper()
	keys, err := rdb.Keys(t.Context(), "forge1:prompt:*").Result()
	if err != nil || len(keys) != 1 {
		t.Fatalf("entries %q, %v; want one", keys, err)
	}
	return keys[0]
}

func TestNobodyReadsAnswersInRedis(t *testing.T) {
	url := redistest.URL(t)
	rdb, cache := inspect(t, url), promptCache(t, url, newWatch())
	if err := cache.Keep(t.Context(), "t", outbound.PromptKey{1}, []byte("the answer is forty-two"), time.Minute); err != nil {
		t.Fatal(err)
	}
	raw, err := rdb.Get(t.Context(), theOnly(t, rdb)).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("answer")) || bytes.Contains(raw, []byte("forty")) {
		t.Errorf("the answer stands in Redis as it is: %q", raw)
	}
}

func TestAnEntryThatWasTamperedWithIsNone(t *testing.T) {
	url := redistest.URL(t)
	rdb, cache := inspect(t, url), promptCache(t, url, newWatch())
	own := []byte("the answer")
	if err := cache.Keep(t.Context(), "t", outbound.PromptKey{1}, own, time.Minute); err != nil {
		t.Fatal(err)
	}
	name := theOnly(t, rdb)
	good, err := rdb.Get(t.Context(), name).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	find := func(what, tenant string, k byte, value []byte, there bool) {
		t.Helper()
		got, err := cache.Find(t.Context(), tenant, outbound.PromptKey{k})
		if err != nil || (got != nil) != there {
			t.Errorf("%s: got %q, %v; want an entry: %t", what, got, err, there)
		}
	}
	for what, value := range map[string][]byte{"a bit flipped": flipped, "cut": good[:len(good)-1], "empty": {}, "plain": own} {
		if err := rdb.Set(t.Context(), name, value, time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		find(what, "t", 1, value, false)
	}
	for to, tenant := range map[string]string{"u": "u", "v": "v"} {
		if err := rdb.Set(t.Context(), strings.Replace(name, ":t:", ":"+to+":", 1), good, time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		find("another tenant's", tenant, 1, good, false)
	}
	if err := rdb.Set(t.Context(), name, good, time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	find("put back", "t", 1, good, true)
}

func TestTheOrderOfEntriesDoesNotGrowWithThoseThatExpired(t *testing.T) {
	url := redistest.URL(t)
	rdb, cache := inspect(t, url), promptCache(t, url, newWatch())
	pass := age(t, rdb)
	for n := range 200 {
		if err := cache.Keep(t.Context(), "t", outbound.PromptKey{byte(n)}, []byte("x"), time.Minute); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Second)
	}
	if n, err := rdb.ZCard(t.Context(), "forge1:prompts:t").Result(); err != nil || n > 12 {
		t.Errorf("%d entries are on the order, %v; want only the few that have not expired", n, err)
	}
	pass(time.Hour)
	if left, err := rdb.Keys(t.Context(), "*").Result(); err != nil || len(left) != 0 {
		t.Errorf("%q stay for ever, %v", left, err)
	}
}

func TestALostOrderIsBegunAnew(t *testing.T) {
	for _, lost := range []string{"forge1:prompts:t", "forge1:prompt-sizes:t"} {
		url := redistest.URL(t)
		rdb, cache := inspect(t, url), promptCache(t, url, newWatch())
		keep := func(n byte) {
			t.Helper()
			if err := cache.Keep(t.Context(), "t", outbound.PromptKey{n}, make([]byte, 20_000), time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		keep(1)
		if err := rdb.Del(t.Context(), lost).Err(); err != nil {
			t.Fatal(err)
		}
		for n := range byte(10) {
			keep(10 + n)
		}
		if sum, err := rdb.HGet(t.Context(), "forge1:prompt-sizes:t", "sum").Int(); err != nil || sum > conformance.PromptCacheBound || sum < 60_000 {
			t.Errorf("after %s was lost: %d bytes by the books, %v; want three entries", lost, sum, err)
		}
	}
}

func TestASilentRedisCostsOneTimeoutAndNothingElseIsSlowed(t *testing.T) {
	m, w := newMute(t), newWatch()
	client := open(t, redis.Config{URL: secret.New("redis://" + m.Addr().String()), Timeout: 20 * time.Millisecond, Rest: time.Second}, w.read)
	cache := redis.NewPromptCache(client, sealing, conformance.PromptCacheBound)
	for range 5 {
		if _, err := cache.Find(t.Context(), "t", outbound.PromptKey{1}); !errors.Is(err, fault.ErrDependency) {
			t.Errorf("find: %v, want %v", err, fault.ErrDependency)
		}
		if err := cache.Keep(t.Context(), "t", outbound.PromptKey{1}, []byte("x"), time.Minute); !errors.Is(err, fault.ErrDependency) {
			t.Errorf("keep: %v, want %v", err, fault.ErrDependency)
		}
	}
	if got := m.seen(); got != 1 {
		t.Errorf("%d connections were made, want 1: the first is given up, the others are not even sent", got)
	}
	if !redis.Enter(client) {
		t.Error("what else is kept in Redis rests as well")
	}
}

// stingy is a Redis that has no memory left: it refuses every script. It counts them.
type stingy struct {
	net.Listener
	asked atomic.Int64
}

func newStingy(t *testing.T) *stingy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &stingy{Listener: l}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return s
}

// serve reads commands, each an array of texts with their lengths.
func (s *stingy) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for {
		var parts, size int
		if _, err := fmt.Fscanf(in, "*%d\r\n", &parts); err != nil {
			return
		}
		name := ""
		for i := range parts {
			if _, err := fmt.Fscanf(in, "$%d\r\n", &size); err != nil {
				return
			}
			text := make([]byte, size+2)
			if _, err := io.ReadFull(in, text); err != nil {
				return
			}
			if i == 0 {
				name = strings.ToUpper(string(text[:size]))
			}
		}
		answer := "-ERR unknown command\r\n"
		if strings.HasPrefix(name, "EVAL") {
			s.asked.Add(1)
			answer = "-OOM command not allowed when used memory > 'maxmemory'. script: 5f1a, on @user_script:6.\r\n"
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return
		}
	}
}

func TestARedisWithoutMemoryStopsTheCacheForAWhile(t *testing.T) {
	s, w := newStingy(t), newWatch()
	cache := redis.NewPromptCache(open(t, redis.Config{URL: secret.New("redis://" + s.Addr().String()), Timeout: 5 * time.Second}, w.read), sealing, conformance.PromptCacheBound)
	keep := func(asks int) {
		t.Helper()
		before := s.asked.Load()
		if err := cache.Keep(t.Context(), "t", outbound.PromptKey{1}, []byte("x"), time.Minute); !errors.Is(err, fault.ErrDependency) {
			t.Errorf("keep: %v, want %v", err, fault.ErrDependency)
		}
		if got := int(s.asked.Load() - before); (got > 0) != (asks > 0) {
			t.Errorf("the server was asked %d times, want that it is asked: %t", got, asks > 0)
		}
	}
	keep(1)
	keep(0)
	w.pass(29 * time.Second)
	keep(0)
	w.pass(time.Second)
	keep(1)
	w.pass(-time.Hour)
	keep(1)
}
