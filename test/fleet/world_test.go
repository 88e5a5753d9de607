package fleet_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/test/pgtest"
)

// What the replicas are made with.
const (
	threshold = 3
	cooldown  = 2 * time.Second
)

// vendorOf names the simulated vendor of each provider.
var vendorOf = map[string]string{"openai": "openai", "claude": "anthropic", "gemini": "gemini", "openrouter": "openrouter"}

// world is three replicas on one Postgres and one Redis, with four simulated vendors.
type world struct {
	redis   *ownRedis
	vendors string    // base URL
	nodes   [3]string // base URLs
	key     string
	http    *http.Client
	dir     string
	env     map[string]string // of a replica
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{redis: startRedis(t), dir: dir, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	t.Cleanup(w.http.CloseIdleConnections)
	line := serve(t, dir, nil, "simulated vendors on", "simulate", "--addr", "127.0.0.1:0")
	w.vendors = line[strings.Index(line, "http://"):]
	env := map[string]string{
		"DATA_DIR": dir, "PORT": "0", "METRICS_ADDR": "off", "SHUTDOWN_GRACE": "10s", "JWT_SECRET": strings.Repeat("fleet-secret-", 3),
		"DATABASE_URL": pgtest.Template(t, "fleet", migrated), "REDIS_URL": w.redis.url,
		"CIRCUIT_BREAKER_THRESHOLD": fmt.Sprint(threshold), "CIRCUIT_BREAKER_COOLDOWN_SECS": fmt.Sprint(int(cooldown.Seconds())),
		"OPENAI_BASE_URL": w.vendors + "/openai/v1", "ANTHROPIC_BASE_URL": w.vendors + "/anthropic",
		"GOOGLE_AI_BASE_URL": w.vendors + "/gemini", "OPENROUTER_BASE_URL": w.vendors + "/openrouter/api/v1",
	}
	for _, name := range []string{"OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_AI_API_KEY", "OPENROUTER_API_KEY"} {
		env[name] = "simulated-" + strings.ToLower(name)
	}
	run(t, dir, env, "nanoseconds of copper wire", "user", "create", "--email", "grace@example.com", "--password-stdin", "--json")
	var made struct{ Key string }
	if err := json.Unmarshal(run(t, dir, env, "", "key", "create", "--email", "grace@example.com", "--scope", "ai,router", "--json"), &made); err != nil || made.Key == "" {
		t.Fatalf("create a key: %v", err)
	}
	w.key = made.Key
	w.env = env
	for i := range w.nodes {
		w.nodes[i] = w.replica(t)
	}
	for provider := range vendorOf {
		w.behave(t, provider, well(40))
	}
	return w
}

// replica starts one more, and gives its base URL.
func (w *world) replica(t *testing.T) string {
	t.Helper()
	var said struct{ Address string }
	if err := json.Unmarshal([]byte(serve(t, w.dir, w.env, `"message":"serving"`, "serve")), &said); err != nil || said.Address == "" {
		t.Fatalf("a replica does not say where it serves: %v", err)
	}
	return "http://" + said.Address
}

// migrated brings an empty Postgres to the schema of today.
func migrated(url string) error {
	dir, err := os.MkdirTemp("", "forge1-fleet-migrate-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	out, err := command(dir, map[string]string{"DATABASE_URL": url, "DATA_DIR": dir, "JWT_SECRET": strings.Repeat("x", 40)}, "migrate", "up").CombinedOutput()
	if err != nil {
		return fmt.Errorf("migrate: %w: %s", err, out)
	}
	return nil
}

// dead is how a vendor behaves that answers nobody.
const dead = `{"latency_ms":10,"fail_rate":1,"fail_status":500}`

// well is how a vendor behaves that answers everybody.
func well(ms int) string { return fmt.Sprintf(`{"latency_ms":%d}`, ms) }

// behave tells the vendor of a provider how to behave.
func (w *world) behave(t *testing.T, provider, how string) {
	t.Helper()
	a, err := w.send(t.Context(), http.MethodPut, w.vendors+"/_sim/"+vendorOf[provider], how)
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("control the simulator: %d, %v", a.status, err)
	}
}

// stats gives what the vendor of a provider has counted.
func (w *world) stats(t *testing.T, provider string) simulator.Stats {
	t.Helper()
	a, err := w.send(t.Context(), http.MethodGet, w.vendors+"/_sim/stats", "")
	var all map[string]simulator.Stats
	if err == nil {
		err = json.Unmarshal(a.body, &all)
	}
	if err != nil {
		t.Fatalf("read the simulator's stats: %v", err)
	}
	return all[vendorOf[provider]]
}

// breaker says how a replica shows the breaker of a provider.
func (w *world) breaker(t *testing.T, node int, provider string) string {
	t.Helper()
	a, err := w.send(t.Context(), http.MethodGet, w.nodes[node]+"/api/v1/ai/health", "")
	var health struct {
		Providers []struct{ Name, Breaker string }
	}
	if err == nil {
		err = json.Unmarshal(a.body, &health)
	}
	if err != nil {
		t.Fatalf("read the health of replica %d: %v", node, err)
	}
	for _, p := range health.Providers {
		if p.Name == provider {
			return p.Breaker
		}
	}
	t.Fatalf("replica %d does not know %s: %s", node, provider, a.body)
	return ""
}

// on counts the replicas that show the breaker of a provider so.
func (w *world) on(t *testing.T, provider, state string) (n int) {
	t.Helper()
	for i := range w.nodes {
		if w.breaker(t, i, provider) == state {
			n++
		}
	}
	return n
}

// best waits for the provider that is asked now, but for some, and gives it. All others, which nobody knows yet, are made so much slower that it is
// preferred whenever it can be asked.
func (w *world) best(t *testing.T, ms int, but ...string) (name string) {
	t.Helper()
	before := map[string]int64{}
	for provider := range vendorOf {
		before[provider] = w.stats(t, provider).OK
	}
	eventually(t, "calls of a vendor", func() bool {
		for provider := range vendorOf {
			if !slices.Contains(but, provider) && w.stats(t, provider).OK > before[provider]+50 {
				name = provider
			}
		}
		return name != ""
	})
	for provider := range vendorOf {
		if provider != name && !slices.Contains(but, provider) {
			w.behave(t, provider, well(2*ms))
		}
	}
	return name
}

type answer struct {
	status int
	body   []byte
}

func (w *world) send(ctx context.Context, method, url, body string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewBufferString(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+w.key)
	res, err := w.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, text}, err
}

// bound is how long a call may take. It is far more than one takes on a busy machine, and far less than one that waits for a Redis that holds still.
const bound = 10 * time.Second

// load is calls that come in at the replicas, so many at a time each.
type load struct {
	world   *world
	started atomic.Int64
	flying  atomic.Int64
	answers atomic.Int64
	mu      sync.Mutex
	bad     []string
	stop    func()
}

// callers is how many calls a replica has at a time.
const callers = 5

// start begins a load on some of the replicas; with the test it ends.
func (w *world) start(t *testing.T, nodes ...string) *load {
	t.Helper()
	l := &load{world: w}
	ending := make(chan struct{})
	var all sync.WaitGroup
	for _, node := range nodes {
		for range callers {
			all.Go(func() {
				for {
					select {
					case <-ending:
						return
					default:
						l.call(node)
					}
				}
			})
		}
	}
	l.stop = sync.OnceFunc(func() { close(ending); all.Wait() })
	t.Cleanup(l.stop)
	return l
}

func (l *load) call(node string) {
	n := l.started.Add(1)
	l.flying.Add(1)
	defer l.flying.Add(-1)
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	a, err := l.world.send(ctx, http.MethodPost, node+"/api/v1/ai/execute", fmt.Sprintf(`{"task":"Say the number %d."}`, n))
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		l.note(fmt.Sprintf("call %d took longer than %v", n, bound))
	case err != nil:
		l.note(fmt.Sprintf("call %d: %v", n, err))
	case a.status != http.StatusOK:
		l.note(fmt.Sprintf("call %d: %d %.300s", n, a.status, a.body))
	default:
		l.answers.Add(1)
	}
}

func (l *load) note(bad string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bad = append(l.bad, bad)
}

// wantOnlyAnswers ends the load, and fails the test when a user has seen anything of what happened.
func (l *load) wantOnlyAnswers(t *testing.T) {
	t.Helper()
	l.stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.bad) > 0 {
		t.Errorf("%d of %d calls were not answered with 200, such as:\n%s", len(l.bad), l.started.Load(), strings.Join(l.bad[:min(5, len(l.bad))], "\n"))
	}
	t.Logf("%d calls were answered", l.answers.Load())
}
