package attack_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func init() {
	row("DOS-1", "two hundred logins of unknown users at any time, for ten seconds", loginsFlood, alone)
}

var peakLine = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// peak gives the most memory that the process ever had, in bytes.
func (n *node) peak(t *testing.T) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.pid()))
	if err != nil {
		t.Fatalf("read the memory of forge1: %v", err)
	}
	m := peakLine.FindSubmatch(raw)
	if m == nil {
		t.Fatalf("the system does not tell the most memory of forge1:\n%s", raw)
	}
	kib, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatalf("read the memory of forge1: %v", err)
	}
	return kib << 10
}

const mebibyte = 1 << 20

func loginsFlood(t *testing.T, w *world) { w.flood(t, 10*time.Second) }

// flood keeps two hundred logins of unknown users under way, and probes meanwhile. Everyone is answered, nobody with more than a refusal; memory is bounded.
func (w *world) flood(t *testing.T, lasts time.Duration) map[string][]answer {
	t.Helper()
	probes := w.probes(t)
	until := time.Now().Add(lasts)
	var counts sync.Map // status and code → *atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			for time.Now().Before(until) {
				a := w.login(t, somebody(), "Velvet teapot of nobody", plain)
				n, _ := counts.LoadOrStore(fmt.Sprint(a.status, " ", a.str("code")), &atomic.Int64{})
				n.(*atomic.Int64).Add(1)
				switch a.status {
				case http.StatusServiceUnavailable, http.StatusTooManyRequests:
					if a.header.Get("Retry-After") == "" {
						t.Errorf("%s: no Retry-After", a)
					}
					time.Sleep(20 * time.Millisecond) // a hundred times as often as it was told to
				case http.StatusUnauthorized:
				default:
					t.Errorf("%s, want 401, 429 or 503", a)
				}
			}
		})
	}
	all.Wait()
	got := probes.end()
	counts.Range(func(what, n any) bool {
		t.Logf("%v: %d", what, n.(*atomic.Int64).Load())
		return true
	})
	if n, _ := counts.Load("401 invalid_credentials"); n == nil {
		t.Error("no login at all was looked at")
	}
	for what, answers := range got {
		for _, a := range answers {
			if a.status != http.StatusOK {
				t.Errorf("a probe under load: %s, want 200", a)
				break
			}
		}
		if len(answers) < 5 {
			t.Errorf("%s was answered %d times in %v", what, len(answers), lasts)
		}
	}
	peak := w.node.peak(t)
	t.Logf("the most memory: %d MiB", peak/mebibyte)
	if peak >= 300*mebibyte {
		t.Errorf("the process took up to %d MiB of memory, want less than 300", peak/mebibyte)
	}
	return got
}

// probes ask who they are, whether the process lives, and for new tokens, all the time and within their own limits.
func (w *world) probes(t *testing.T) *load {
	t.Helper()
	u := w.user(t)
	l := newLoad()
	asking := w.signIn(t, u)
	l.run("me", 110*time.Millisecond, func() answer { return w.me(t, asking.access) }) // 600 a minute are free
	l.run("live", 50*time.Millisecond, func() answer { return w.get(t, "/api/v1/health/live") })
	for range 5 {
		s := w.signIn(t, u)
		l.run("refresh", 1100*time.Millisecond, func() answer { // 60 a minute are free
			a := w.refresh(t, s.refresh)
			if a.status == http.StatusOK {
				s = w.session(t, a)
			}
			return a
		})
	}
	return l
}
