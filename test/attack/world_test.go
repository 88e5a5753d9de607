package attack_test

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/test/pgtest"
	"github.com/forge1/forge1/test/redistest"
)

// world is a process of Forge 1 with its stores and its mail server, and everything a row does to it.
type world struct {
	on       stores
	env      map[string]string // of the process and of commands
	dir      string
	secret   string // JWT_SECRET
	database string // URL
	redis    string // URL, "" when embedded
	mail     *post
	log      *output
	node     *node
	http     *http.Client
	clock    *hand
	found    *findings
	secrets  *secrets
	reading  sync.Once
	readers  *sql.DB
}

// issuer is the PUBLIC_BASE_URL of every process; nobody serves it.
const issuer = "https://forge.attack.test"

// newWorld starts a process for a row, or for the first of several that share it. When t ends it is stopped, and what it left is searched for secrets.
func newWorld(t *testing.T, on stores, a *attack, found *findings) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{
		on: on, dir: dir, secret: "attack-" + rand.Text() + rand.Text(), mail: openPost(t), log: &output{}, found: found, secrets: newSecrets(),
		http: &http.Client{
			Timeout:       2 * time.Minute,
			Transport:     &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		clock: &hand{file: filepath.Join(dir, "offset")},
	}
	w.remember("JWT_SECRET", w.secret)
	w.clock.set(t, 0)
	w.env = map[string]string{
		"DATA_DIR": dir, "PORT": "0", "METRICS_ADDR": "127.0.0.1:0", "SHUTDOWN_GRACE": "10s", "LOG_LEVEL": "DEBUG", "JWT_SECRET": w.secret,
		"PUBLIC_BASE_URL": issuer, "TRUSTED_PROXIES": "127.0.0.1/32", "SMTP_URL": w.mail.url(), "FORGE_CLOCK_OFFSET_FILE": w.clock.file,
	}
	w.database = "sqlite://" + filepath.ToSlash(filepath.Join(dir, "forge1.db"))
	if on == servers {
		w.database, w.redis = pgtest.Template(t, "attack", migrated), redistest.URL(t)
		w.env["DATABASE_URL"], w.env["REDIS_URL"] = w.database, w.redis
	}
	if a.alone {
		maps.Copy(w.env, a.env)
	}
	if a.before != nil {
		a.before(t, w)
	}
	t.Cleanup(func() {
		if w.readers != nil {
			_ = w.readers.Close()
		}
	})
	t.Cleanup(func() { w.harvest(t) }) // after the process has ended, before its stores go
	t.Cleanup(w.http.CloseIdleConnections)
	w.node = start(t, dir, w.env, w.clock, w.log)
	return w
}

// migrated brings an empty Postgres to the schema of today.
func migrated(url string) error {
	dir, err := os.MkdirTemp("", "forge1-attack-migrate-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	out, err := command(background, dir, map[string]string{"DATABASE_URL": url, "DATA_DIR": dir, "JWT_SECRET": strings.Repeat("x", 40)}, "migrate", "up").CombinedOutput()
	if err != nil {
		return &commandError{string(out), err}
	}
	return nil
}

// survived checks what every row leaves behind: a process that answers, and no panic in what it has said since.
func (w *world) survived(t *testing.T, since int) {
	t.Helper()
	switch {
	case w.node.cmd == nil: // the row ended it
	case w.node.exited():
		t.Errorf("the process has ended by itself:\n%s", w.log.tail())
	default:
		if a := w.get(t, "/api/v1/health/live"); a.status != http.StatusOK {
			t.Errorf("the process does not answer any more: %s", a)
		} else {
			w.log.await(a.header.Get("X-Request-Id"), time.Second) // what the row caused is in the log before that
		}
	}
	var notable []string
	for _, line := range w.log.lines()[min(since, len(w.log.lines())):] {
		if strings.Contains(line, "panic") || strings.HasPrefix(line, "goroutine ") {
			t.Errorf("the process panicked: %.1500s", line)
			break
		}
		if !strings.Contains(line, `"level":"INFO"`) && !strings.Contains(line, `"level":"DEBUG"`) && !strings.Contains(line, `"code":"busy"`) {
			notable = append(notable, fmt.Sprintf("%.600s", line))
		}
	}
	if t.Failed() && len(notable) > 0 {
		t.Logf("the log said:\n%s", strings.Join(notable[max(0, len(notable)-4):], "\n"))
	}
}

// second starts another node on the same stores, with other variables: name, value, name, value. Requests go to it with on(node).
func (w *world) second(t *testing.T, pairs ...string) *node {
	t.Helper()
	env := maps.Clone(w.env)
	for i := 0; i+1 < len(pairs); i += 2 {
		env[pairs[i]] = pairs[i+1]
	}
	return start(t, w.dir, env, w.clock, w.log)
}

// cli runs a command of forge1 against the same stores; it must succeed.
func (w *world) cli(t *testing.T, stdin string, args ...string) ran {
	t.Helper()
	r := w.tryCLI(t, stdin, args...)
	if r.code != 0 {
		t.Fatalf("forge1 %s: exit code %d, %s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r
}

// tryCLI runs a command of forge1 against the same stores.
func (w *world) tryCLI(t *testing.T, stdin string, args ...string) ran {
	t.Helper()
	return run(t, w.dir, w.env, stdin, args...)
}

// hand moves the clock of the processes of a world.
type hand struct {
	file string
	by   time.Duration
}

// set has the clock be off by a duration from now on.
func (h *hand) set(t *testing.T, by time.Duration) {
	t.Helper()
	h.by = by
	if err := os.WriteFile(h.file+".new", []byte(by.String()), 0o600); err != nil {
		t.Fatalf("move the clock: %v", err)
	}
	if err := os.Rename(h.file+".new", h.file); err != nil {
		t.Fatalf("move the clock: %v", err)
	}
	if by != 0 {
		time.Sleep(60 * time.Millisecond) // within 50 ms the file is read again
	}
}

// move moves the clock on, or back.
func (h *hand) move(t *testing.T, by time.Duration) {
	t.Helper()
	h.set(t, h.by+by)
	time.Sleep(60 * time.Millisecond)
}

// now is the time as the processes have it.
func (h *hand) now() time.Time { return time.Now().Add(h.by) }

// serial makes names that differ.
var serial atomic.Int64

// eventually asks until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
