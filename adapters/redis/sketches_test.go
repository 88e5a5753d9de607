package redis_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/redis"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
	"github.com/forge1/forge1/test/redistest"
)

// ageSketches takes time from what is left of every key of sketches, as if it had passed.
const ageSketches = `
for _, key in ipairs(redis.call('KEYS', 'forge1:sketch*')) do
	local left = redis.call('PTTL', key) - ARGV[1]
	if left <= 0 then redis.call('DEL', key) else redis.call('PEXPIRE', key, left) end
end
for _, name in ipairs(redis.call('ZRANGE', 'forge1:sketches', 0, -1)) do
	redis.call('ZINCRBY', 'forge1:sketches', -ARGV[1], name)
end
return 1`

func TestSketches(t *testing.T) {
	conformance.Sketches(t, func(t *testing.T) (outbound.Sketches, func(time.Duration)) {
		url := redistest.URL(t)
		rdb := inspect(t, url)
		client := open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, newWatch().read)
		return redis.NewSketches(client), func(d time.Duration) {
			if err := rdb.Eval(t.Context(), ageSketches, nil, d.Milliseconds()).Err(); err != nil {
				t.Fatalf("age: %v", err)
			}
		}
	})
}

func TestWhatIsNoBodyIsNotRead(t *testing.T) {
	url := redistest.URL(t)
	rdb := inspect(t, url)
	sketches := redis.NewSketches(open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, newWatch().read))
	for _, name := range []string{"good", "list", "large", "gone"} {
		if err := sketches.Publish(t.Context(), outbound.SharedSketch{Replica: name, Part: 1, Body: []byte(name)}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(
		rdb.Del(t.Context(), "forge1:sketch:list:1", "forge1:sketch:gone:1").Err(),
		rdb.RPush(t.Context(), "forge1:sketch:list:1", "x").Err(),
		rdb.Set(t.Context(), "forge1:sketch:large:1", bytes.Repeat([]byte("x"), outbound.MaxSketchBytes+1), time.Minute).Err(),
	)
	if err != nil {
		t.Fatal(err)
	}
	got, err := sketches.Others(t.Context(), "b", []int64{1})
	if err != nil || len(got) != 1 || string(got[0].Body) != "good" {
		t.Errorf("got %d sketches, %v; want the good one alone", len(got), err)
	}
}

func TestWhatIsReadAtOnceHasABound(t *testing.T) {
	url := redistest.URL(t)
	sketches := redis.NewSketches(open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, newWatch().read))
	body := bytes.Repeat([]byte("x"), outbound.MaxSketchBytes)
	parts := []int64{}
	for i := range 80 {
		if err := sketches.Publish(t.Context(), outbound.SharedSketch{Replica: fmt.Sprint(i / 11), Part: int64(i % 11), Body: body}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	for i := range int64(11) {
		parts = append(parts, i)
	}
	got, err := sketches.Others(t.Context(), "b", parts)
	if err != nil || len(got) == 0 || len(got) > 64 {
		t.Errorf("%d MiB are read, %v; want some, and 64 at most", len(got), err)
	}
}

func TestASilentRedisFailsSketchesSoonAndLeavesTheRestAlone(t *testing.T) {
	client := open(t, redis.Config{URL: secret.New("redis://127.0.0.1:1/0")}, newWatch().read)
	sketches := redis.NewSketches(client)
	if err := sketches.Publish(t.Context(), outbound.SharedSketch{Replica: "a", Part: 1}, time.Minute); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("publish: %v, want %v", err, fault.ErrDependency)
	}
	if _, err := sketches.Others(t.Context(), "a", []int64{1}); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("read: %v, want %v", err, fault.ErrDependency)
	}
	if !redis.Enter(client) {
		t.Error("the silence of sketches shuts the gate of others")
	}
}
