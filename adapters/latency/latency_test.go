package latency_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/latency"
	"github.com/forge1/forge1/adapters/redis"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
	"github.com/forge1/forge1/test/redistest"
)

// hand is a clock that is moved by hand.
type hand struct{ nanos atomic.Int64 }

func newHand() *hand {
	h := &hand{}
	h.nanos.Store(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC).UnixNano())
	return h
}

func (h *hand) now() time.Time           { return time.Unix(0, h.nanos.Load()).UTC() }
func (h *hand) pass(d time.Duration)     { h.nanos.Add(int64(d)) }
func target(model string) routing.Target { return routing.Target{Provider: "openai", Model: model} }

func TestConformance(t *testing.T) {
	conformance.Latencies(t, func(*testing.T) (outbound.Latencies, func(time.Duration)) {
		h := newHand()
		return latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: h.now}), h.pass
	})
}

func TestOneOfAFleetConforms(t *testing.T) {
	for name, err := range map[string]error{"the store answers": nil, "it does not": errors.New("down")} {
		t.Run(name, func(t *testing.T) {
			conformance.Latencies(t, func(t *testing.T) (outbound.Latencies, func(time.Duration)) {
				h, m := newHand(), newMeeting()
				m.fails(err)
				l := latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: h.now, Shared: m, Replica: "a"})
				return l, func(d time.Duration) {
					before := l.Exchange(t.Context())
					h.pass(d)
					if after := l.Exchange(t.Context()); !errors.Is(before, err) || !errors.Is(after, err) {
						t.Errorf("exchange: %v and %v, want %v", before, after, err)
					}
				}
			})
		})
	}
}

func TestAFleetConforms(t *testing.T) {
	for name, store := range map[string]func(t *testing.T) outbound.Sketches{
		"in a map": func(*testing.T) outbound.Sketches { return newMeeting() },
		"on Redis": func(t *testing.T) outbound.Sketches {
			client, err := redis.Open(redis.Config{URL: secret.New(redistest.URL(t)), Timeout: 10 * time.Second, Patience: 10 * time.Second}, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = client.Close() })
			return redis.NewSketches(client)
		},
	} {
		t.Run(name, func(t *testing.T) {
			conformance.LatenciesShared(t, func(t *testing.T) conformance.LatencyFleet {
				h, s := newHand(), store(t)
				start := func(name string) *latency.Latencies {
					return latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: h.now, Shared: s, Replica: name})
				}
				exchange := func(l *latency.Latencies) {
					t.Helper()
					if err := l.Exchange(t.Context()); err != nil {
						t.Fatalf("exchange: %v", err)
					}
				}
				all := []*latency.Latencies{start("a"), start("b"), start("c")}
				return conformance.LatencyFleet{
					Replicas: [3]outbound.Latencies{all[0], all[1], all[2]}, Pass: h.pass,
					Exchange: func() {
						for range 2 {
							for _, l := range all {
								exchange(l)
							}
						}
					},
					Join: func() outbound.Latencies {
						l := start("late")
						exchange(l)
						return l
					},
				}
			})
		})
	}
}

func TestDefaultWindow(t *testing.T) {
	h := newHand()
	l := latency.New(latency.Config{Clock: h.now})
	l.Observe(routing.General, target("m"), time.Second, 1)
	h.pass(8 * time.Minute)
	if got, _ := l.P95(routing.General, target("m")); got.Samples != 1 {
		t.Errorf("after 8 minutes %d samples, want 1", got.Samples)
	}
	h.pass(3 * time.Minute)
	if got, _ := l.P95(routing.General, target("m")); got.Samples != 0 {
		t.Errorf("after 11 minutes %d samples, want none", got.Samples)
	}
}

func TestTheLongestSilentMakesRoom(t *testing.T) {
	const room = 40
	h := newHand()
	l := latency.New(latency.Config{MaxKeys: room, Clock: h.now})
	for i := range room {
		l.Observe(routing.General, target(fmt.Sprint("old ", i)), time.Second, 1)
	}
	h.pass(5 * time.Minute)
	for i := range room / 2 {
		l.Observe(routing.General, target(fmt.Sprint("new ", i)), time.Second, 1)
	}
	count := func(kind string) (n int) {
		for i := range room {
			if got, _ := l.P95(routing.General, target(fmt.Sprint(kind, " ", i))); got.Samples > 0 {
				n++
			}
		}
		return n
	}
	if got := count("new"); got != room/2 {
		t.Errorf("%d new targets are known, want all %d", got, room/2)
	}
	if got := count("old"); got != room/2 {
		t.Errorf("%d old targets are known, want %d", got, room/2)
	}
}
