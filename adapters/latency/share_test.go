package latency_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/forge1/forge1/adapters/latency"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// meeting is a store of sketches in a map.
type meeting struct {
	mu   sync.Mutex
	kept map[string]outbound.SharedSketch
	ttls []time.Duration
	err  error
	puts int
}

func newMeeting() *meeting { return &meeting{kept: map[string]outbound.SharedSketch{}} }

func (m *meeting) Publish(_ context.Context, s outbound.SharedSketch, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.puts++
	m.ttls = append(m.ttls, ttl)
	m.kept[fmt.Sprint(s.Replica, " ", s.Part)] = s
	return nil
}

func (m *meeting) Others(_ context.Context, replica string, parts []int64) (out []outbound.SharedSketch, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.kept {
		for _, p := range parts {
			if s.Part == p && s.Replica != replica {
				out = append(out, s)
			}
		}
	}
	return out, m.err
}

func (m *meeting) fails(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

func (m *meeting) flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.kept)
}

func (m *meeting) published() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.puts
}

// replica runs a replica until the test ends.
func replica(t *testing.T, name string, at outbound.Sketches, changed func()) *latency.Latencies {
	t.Helper()
	l := latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: time.Now, Shared: at, Replica: name})
	if changed != nil {
		l.OnChange(changed)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return l
}

func spread(l *latency.Latencies, from, to int) {
	for ms := from; ms <= to; ms++ {
		l.Observe(routing.General, target("m"), time.Duration(ms)*time.Millisecond, 100)
	}
}

func wantFigures(t *testing.T, what string, l *latency.Latencies, samples, ms, tokens int) {
	t.Helper()
	got, length := l.P95(routing.General, target("m"))
	if got.Samples != samples || math.Abs(float64(got.P95Ms-ms)) > 0.011*float64(ms)+0.5 || length != tokens {
		t.Errorf("%s: %d ms over %d samples, %d tokens; want %d ms over %d, %d tokens", what, got.P95Ms, got.Samples, length, ms, samples, tokens)
	}
}

func TestReplicasMeasureTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeeting()
		told := make(chan struct{}, 100)
		a, b := replica(t, "a", m, nil), replica(t, "b", m, func() { told <- struct{}{} })
		spread(a, 1, 1000)
		spread(b, 1001, 2000)
		time.Sleep(3 * time.Second)
		wantFigures(t, "a", a, 2000, 1900, 100)
		wantFigures(t, "b", b, 2000, 1900, 100)
		if len(told) == 0 {
			t.Error("nobody was told that the figures changed")
		}
		late := replica(t, "late", m, nil)
		time.Sleep(time.Second)
		wantFigures(t, "one that comes later", late, 2000, 1900, 100)

		quiet := m.published()
		time.Sleep(10 * time.Second)
		if n := m.published(); n != quiet {
			t.Errorf("%d publications without news, want none", n-quiet)
		}
		time.Sleep(conformance.LatencyWindow)
		wantFigures(t, "when all has left the window", late, 0, 0, 0)
	})
}

func TestWhatIsPublishedAgainIsNotCountedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeeting()
		a, b := replica(t, "a", m, nil), replica(t, "b", m, nil)
		for range 30 {
			spread(a, 100, 100)
			time.Sleep(7 * time.Second)
		}
		time.Sleep(2 * time.Second)
		wantFigures(t, "a", a, 30, 100, 100)
		wantFigures(t, "b", b, 30, 100, 100)
	})
}

func TestAReplicaAloneGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeeting()
		a, b := replica(t, "a", m, nil), replica(t, "b", m, nil)
		spread(a, 1, 10)
		time.Sleep(3 * time.Second)
		m.fails(errors.New("down"))
		spread(a, 11, 20)
		spread(b, 21, 30)
		time.Sleep(3 * time.Second)
		wantFigures(t, "a, alone", a, 20, 19, 100)
		wantFigures(t, "b, with what it heard before", b, 20, 29, 100)
		m.fails(nil)
		m.flush()
		time.Sleep(3 * time.Second)
		if got, _ := b.P95(routing.General, target("m")); got.Samples != 30 {
			t.Errorf("b, when the store is back: %d samples, want all 30", got.Samples)
		}
	})
}

func TestOneThatComesLateHearsOfTheWholeWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeeting()
		a := replica(t, "a", m, nil)
		for range 8 {
			spread(a, 50, 50)
			time.Sleep(conformance.LatencyWindow / 10)
		}
		late := replica(t, "late", m, nil)
		time.Sleep(2 * time.Second)
		wantFigures(t, "one that comes late", late, 8, 50, 100)
	})
}

func TestNonsenseFromOthersIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeeting()
		a := replica(t, "a", m, nil)
		spread(a, 1, 10)
		part := time.Now().UnixNano() / int64(conformance.LatencyWindow/10)
		for i, body := range []string{"", "\x01", "\x02", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x01\x07general\x06openai\x01m\x05\x00\x00"} {
			_ = m.Publish(t.Context(), outbound.SharedSketch{Replica: fmt.Sprint(i), Part: part, Body: []byte(body)}, time.Minute)
		}
		time.Sleep(3 * time.Second)
		wantFigures(t, "a", a, 10, 10, 100)
	})
}

func TestAStoreThatHangsHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := replica(t, "a", hangs{}, nil)
		for range 10 {
			before := time.Now()
			spread(a, 1, 10)
			a.P95(routing.General, target("m"))
			if took := time.Since(before); took != 0 {
				t.Fatalf("answers wait %v for the store", took)
			}
			time.Sleep(time.Second)
		}
		wantFigures(t, "a", a, 100, 10, 100)
	})
}

func FuzzShared(f *testing.F) {
	h := newHand()
	part := h.now().UnixNano() / int64(conformance.LatencyWindow/10)
	m := newMeeting()
	l := latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: h.now, Shared: m, Replica: "seed"})
	spread(l, 0, 40)
	if err := l.Exchange(f.Context()); err != nil {
		f.Fatal(err)
	}
	for _, s := range m.kept {
		f.Add(s.Body)
	}
	f.Add([]byte("\x01"))
	f.Fuzz(func(t *testing.T, body []byte) {
		m := newMeeting()
		_ = m.Publish(t.Context(), outbound.SharedSketch{Replica: "b", Part: part, Body: body}, time.Minute)
		l := latency.New(latency.Config{Window: conformance.LatencyWindow, Clock: h.now, Shared: m, Replica: "a"})
		if err := l.Exchange(t.Context()); err != nil {
			t.Fatal(err)
		}
		const day = 24 * 60 * 60 * 1000
		for _, task := range routing.TaskTypes() {
			got, tokens := l.P95(task, target("m"))
			if got.P95Ms < 0 || got.Samples < 0 || got.Samples > 1e9 || tokens < 0 || got.P95Ms > day || got.Samples == 0 && got.P95Ms+tokens > 0 {
				t.Errorf("figures out of all range: %+v, %d", got, tokens)
			}
		}
	})
}
