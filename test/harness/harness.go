// Package harness runs a whole Forge 1 on 127.0.0.1 with simulated vendors and gives a client of its HTTP surface, and no handle to the inside.
package harness

import (
	"bytes"
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/bootstrap"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/pgtest"
	"github.com/forge1/forge1/test/redistest"
)

// Stores says what a Forge keeps its state in.
type Stores string

// The two sets of stores that are supported.
const (
	Embedded Stores = "sqlite+memory"
	Servers  Stores = "postgres+redis"
)

// AllStores lists both sets.
func AllStores() []Stores { return []Stores{Embedded, Servers} }

// Options say what is run. The zero value is the embedded default with four simulated vendors.
type Options struct {
	Stores Stores
	Env    map[string]string // variables that replace the harness's own
	NoKeys bool              // no vendor is configured
	Beside *Forge            // another node of the same installation, on servers: stores, vendors and account are shared
}

// Forge is a running Forge 1.
type Forge struct {
	*Client
	URL      string
	Metrics  string // base URL of the metrics address
	Vendors  string // base URL of the simulator
	Mail     string // folder of the mails
	Key      string // API key of the account below
	Email    string
	Password string
	vars     map[string]string
	log      *buffer
	stop     func()
}

// Account of every harness.
const (
	email    = "grace@example.com"
	password = "nanoseconds of copper wire"
)

// New runs a Forge until the test ends. Every response that passes through its client is checked against /openapi.json.
func New(t testing.TB, o Options) *Forge {
	t.Helper()
	dir := t.TempDir()
	f := &Forge{Mail: filepath.Join(dir, "mail"), Email: email, Password: password, log: &buffer{}}
	if o.Beside != nil {
		f.Vendors = o.Beside.Vendors
	} else {
		f.Vendors = simulate(t)
	}
	f.vars = f.environment(t, o, dir)
	cfg, err := bootstrap.Load(f.vars)
	if err != nil {
		t.Fatalf("load the configuration: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	app, cleanup, err := bootstrap.New(ctx, cfg, bootstrap.LogTo(f.log))
	if err != nil {
		cancel()
		t.Fatalf("wire the application: %v", err)
	}
	if err := app.Migrate(ctx); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	if err := app.Listen(); err != nil {
		t.Fatalf("listen: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Run(ctx) }()
	f.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		cleanup()
	})
	t.Cleanup(f.stop)

	f.URL, f.Metrics = "http://"+app.Addr(), "http://"+app.MetricsAddr()
	if o.Beside != nil {
		f.Key = o.Beside.Key
	} else {
		f.account(t, app)
	}
	f.Client = newClient(t, f.URL, f.Key)
	return f
}

// simulate runs the four vendors until the test ends and gives their base URL.
func simulate(t testing.TB) string {
	t.Helper()
	sim, err := bootstrap.NewSimulator()
	if err != nil {
		t.Fatalf("make the simulator: %v", err)
	}
	vendors, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatalf("start the simulator: %v", err)
	}
	t.Cleanup(func() { _ = vendors.Close() })
	return "http://" + vendors.Addr()
}

// Database gives the URL of the database, "" for the embedded one.
func (f *Forge) Database() string { return f.vars["DATABASE_URL"] }

// Stop ends the Forge as SIGTERM would, and waits until it has.
func (f *Forge) Stop() { f.stop() }

// Log gives the JSON log so far.
func (f *Forge) Log() string { return f.log.String() }

func (f *Forge) account(t testing.TB, app *bootstrap.App) {
	t.Helper()
	op := app.Operator()
	ctx := context.Background()
	if _, _, err := op.CreateUser(ctx, inbound.NewUser{Email: email, Password: password, Username: "grace", Tenant: "Harness"}); err != nil {
		t.Fatalf("create the user: %v", err)
	}
	k, err := op.CreateKey(ctx, email, "", inbound.CreateKey{Name: "harness", Scopes: []string{"ai", "router"}})
	if err != nil {
		t.Fatalf("create the key: %v", err)
	}
	f.Key = k.Key
}

func (f *Forge) environment(t testing.TB, o Options, dir string) map[string]string {
	t.Helper()
	vars := map[string]string{
		"DATA_DIR": dir, "PORT": "0", "METRICS_ADDR": "127.0.0.1:0", "SHUTDOWN_GRACE": "20s", "JWT_SECRET": strings.Repeat("harness-secret-", 3),
		"PROMPT_CACHE_TTL_SECS": "0", // what is asked twice is meant to reach a vendor twice; tests of the cache turn it on
		"OPENAI_BASE_URL":       f.Vendors + "/openai/v1", "ANTHROPIC_BASE_URL": f.Vendors + "/anthropic",
		"GOOGLE_AI_BASE_URL": f.Vendors + "/gemini", "OPENROUTER_BASE_URL": f.Vendors + "/openrouter/api/v1",
	}
	if !o.NoKeys {
		for _, name := range []string{"OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_AI_API_KEY", "OPENROUTER_API_KEY"} {
			vars[name] = "simulated-" + strings.ToLower(name)
		}
	}
	switch {
	case o.Beside != nil:
		vars["DATABASE_URL"], vars["REDIS_URL"] = o.Beside.vars["DATABASE_URL"], o.Beside.vars["REDIS_URL"]
	case o.Stores == Servers:
		vars["DATABASE_URL"] = pgtest.URL(t)
		vars["REDIS_URL"] = redistest.URL(t)
	}
	for k, v := range o.Env {
		vars[k] = v
	}
	return vars
}

// Behave tells a simulated vendor how to behave: {openai,anthropic,gemini,openrouter} and the JSON of its control interface.
func (f *Forge) Behave(t testing.TB, vendor, how string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, f.Vendors+"/_sim/"+vendor, strings.NewReader(how))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("control the simulator: %v", err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("control the simulator: got %s, want 200", res.Status)
	}
}

// VendorStats gives what the simulator counted of a vendor.
func (f *Forge) VendorStats(t testing.TB, vendor string) simulator.Stats {
	t.Helper()
	var all map[string]simulator.Stats
	NewPlainClient(f.Vendors).JSON(t, http.MethodGet, "/_sim/stats", nil, &all)
	return all[vendor]
}

// buffer is a log that may be written and read at once.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Eventually asks until the condition holds, at most so many times, each after the event channel of a short ticker.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			t.Fatalf("waited in vain for: %s", what)
		case <-tick.C:
		}
	}
}
