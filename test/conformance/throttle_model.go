package conformance

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/forge1/forge1/ports/outbound"
)

// modelBucket is a bucket of the model: when each that counts came, and until when each lease lasts.
type modelBucket struct {
	counted []time.Duration
	leases  map[string]time.Duration
}

// look forgets what is over and gives how many may come, or how long to wait.
func (m *modelBucket) look(b outbound.Bucket, now time.Duration) (room int, wait time.Duration) {
	if len(m.counted) > 0 && now >= m.since(b)+b.Window {
		m.counted = nil
	}
	for lease, until := range m.leases {
		if now >= until {
			delete(m.leases, lease)
		}
	}
	over := len(m.counted) - b.Limit
	switch {
	case over < 0:
		return -over - len(m.leases), 0
	case b.Growth == 0:
		return 0, m.since(b) + b.Window - now
	}
	wait = b.Growth
	for range over {
		wait *= 2
	}
	if wait = m.since(b) + min(wait, b.Window) - now; wait > 0 {
		return 0, wait
	}
	return 1 - len(m.leases), 0
}

func (m *modelBucket) since(b outbound.Bucket) time.Duration {
	if b.Growth > 0 {
		return m.counted[len(m.counted)-1]
	}
	return m.counted[0]
}

func (m *modelBucket) state(b outbound.Bucket, now time.Duration) outbound.BucketState {
	room, _ := m.look(b, now)
	s := outbound.BucketState{Remaining: max(room, 0)}
	if len(m.counted) > 0 {
		s.Reset = m.since(b) + b.Window - now
	}
	return s
}

// throttleRun is one run of the model beside the throttle.
type throttleRun struct {
	throttleWorld
	all    []outbound.Bucket
	model  map[string]*modelBucket
	leases []string
	now    time.Duration
}

func (m *throttleRun) some(r *rapid.T) []outbound.Bucket {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(m.all), 1, len(m.all), func(b outbound.Bucket) string { return b.Key }).Draw(r, "buckets")
}

func (m *throttleRun) admit(t *testing.T, r *rapid.T) {
	buckets, ttl := m.some(r), time.Duration(rapid.IntRange(1, 20).Draw(r, "ttl"))*time.Second
	var want outbound.Admission
	for _, b := range buckets {
		room, wait := m.model[b.Key].look(b, m.now)
		if want.RetryAfter = max(want.RetryAfter, wait); wait > 0 {
			want.Verdict = outbound.Full
		} else if room <= 0 {
			want.Verdict = max(want.Verdict, outbound.Crowded)
		}
	}
	lease := nextID()
	m.leases = append(m.leases, lease)
	for _, b := range buckets {
		k := m.model[b.Key]
		if state := k.state(b, m.now); want.Verdict != outbound.Admitted {
			want.States = append(want.States, state)
			continue
		}
		if b.Every {
			k.counted = append(k.counted, m.now)
		} else {
			k.leases[lease] = m.now + ttl
		}
		want.States = append(want.States, k.state(b, m.now))
	}
	got, err := m.Admit(t.Context(), lease, ttl, buckets)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		r.Fatalf("got %+v, %v; want %+v", got, err, want)
	}
}

func (m *throttleRun) end(t *testing.T, r *rapid.T) {
	if len(m.leases) == 0 {
		r.Skip("nothing is under way")
	}
	buckets, failed, lease := m.some(r), rapid.Bool().Draw(r, "failed"), rapid.SampledFrom(m.leases).Draw(r, "lease")
	if err := m.Settle(t.Context(), lease, failed, buckets); err != nil {
		r.Fatalf("settle: %v", err)
	}
	for _, b := range buckets {
		k := m.model[b.Key]
		k.look(b, m.now)
		if b.Every {
			continue
		}
		delete(k.leases, lease)
		if failed {
			k.counted = append(k.counted, m.now)
		}
	}
}

func (m *throttleRun) clear(t *testing.T, r *rapid.T) {
	buckets := m.some(r)
	if err := m.Clear(t.Context(), buckets); err != nil {
		r.Fatalf("clear: %v", err)
	}
	for _, b := range buckets {
		m.model[b.Key].counted = nil
	}
}

func throttleModel(t *testing.T, w throttleWorld) {
	rapid.Check(t, func(r *rapid.T) {
		m := &throttleRun{throttleWorld: w, model: map[string]*modelBucket{}}
		for i := range 3 {
			b := outbound.Bucket{
				Key: "model:" + nextID(), Limit: rapid.IntRange(1, 4).Draw(r, "limit"), Every: rapid.Bool().Draw(r, "every"),
				Window: time.Duration(rapid.IntRange(10, 100).Draw(r, "window")) * time.Second,
			}
			if i > 0 {
				b.Growth = time.Duration(rapid.IntRange(0, 30).Draw(r, "growth")) * time.Second
			}
			m.all, m.model[b.Key] = append(m.all, b), &modelBucket{leases: map[string]time.Duration{}}
		}
		r.Repeat(map[string]func(*rapid.T){
			"admit":       func(r *rapid.T) { m.admit(t, r) },
			"admit again": func(r *rapid.T) { m.admit(t, r) },
			"settle":      func(r *rapid.T) { m.end(t, r) },
			"clear":       func(r *rapid.T) { m.clear(t, r) },
			"time": func(r *rapid.T) {
				d := time.Duration(rapid.IntRange(1, 40).Draw(r, "seconds")) * time.Second
				w.pass(d)
				m.now += d
			},
		})
	})
}
