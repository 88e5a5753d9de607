// Package pgtest gives each test a Postgres database of its own, on the server
// that FORGE_TEST_POSTGRES_URL names. Without a server the test fails; it is
// never skipped.
//
// The databases of a test are dropped when it ends. Those of a process that was
// killed are dropped by the next process that asks for one.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Variable names the environment variable that says where Postgres is.
const Variable = "FORGE_TEST_POSTGRES_URL"

// prefix begins the name of every database made here.
const prefix = "forge_test_"

// URL returns the URL of a new, empty database that belongs to t alone and is
// dropped when t ends.
func URL(t testing.TB) string {
	t.Helper()
	return create(t, "template0")
}

// Template returns the URL of a new copy of a database that prepare has filled.
// prepare runs once per process and name; the copies are made by Postgres,
// which is faster than running the migrations again.
func Template(t testing.TB, name string, prepare func(url string) error) string {
	t.Helper()
	entry, _ := templates.LoadOrStore(name, &template{})
	database, err := entry.(*template).once(prepare)
	if err != nil {
		t.Fatalf("prepare the template database %q: %v", name, err)
	}
	return create(t, database)
}

// create makes a database for t from a template.
func create(t testing.TB, from string) string {
	t.Helper()
	p, err := join()
	if err != nil {
		t.Fatal(err)
	}
	name, err := p.create(from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.drop(name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return p.url(name)
}

// templates holds a *template for each name given to Template.
var templates sync.Map

// template is a database that is filled once and then copied.
type template struct {
	mu       sync.Mutex
	prepared bool
	database string
	err      error
}

// once makes and fills the database when it is called first, and returns the
// same name or failure ever after.
func (m *template) once(prepare func(url string) error) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.prepared {
		return m.database, m.err
	}
	m.prepared = true
	m.database, m.err = prepared(prepare)
	return m.database, m.err
}

// prepared makes a database, has it filled, and closes it to everyone, because
// Postgres copies only a database that nobody is connected to.
func prepared(prepare func(url string) error) (string, error) {
	p, err := join()
	if err != nil {
		return "", err
	}
	name, err := p.create("template0")
	if err != nil {
		return "", err
	}
	if err := prepare(p.url(name)); err != nil {
		return "", errors.Join(err, p.drop(name))
	}
	return name, p.exec(
		"ALTER DATABASE "+name+" ALLOW_CONNECTIONS false",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+name+"'")
}

// process is what this test binary holds on the server. Its token is in the
// name of each of its databases, and it holds a lock on the token for as long
// as it lives.
type process struct {
	server *url.URL
	token  string
	alive  *pgx.Conn // holds the lock; never used again, never closed
	made   atomic.Int64
}

// join connects this process to the server, once.
var join = sync.OnceValues(func() (*process, error) {
	raw := os.Getenv(Variable)
	if raw == "" {
		return nil, fmt.Errorf("%s is not set, and this test needs a real Postgres. Run all tests with\n"+
			"\tgo tool -modfile=.tools/task/go.mod task check\nor some of them with\n"+
			"\tgo run ./test/servers -- go test ./adapters/database", Variable)
	}
	server, err := url.Parse(raw)
	if err != nil || !strings.HasPrefix(server.Scheme, "postgres") {
		return nil, fmt.Errorf("%s must be a URL that begins with postgres://", Variable)
	}

	p := &process{server: server, token: strings.ToLower(rand.Text()[:12])}
	ctx := context.Background()
	if p.alive, err = pgx.Connect(ctx, raw); err != nil {
		return nil, fmt.Errorf("connect to the Postgres of %s: %w", Variable, err)
	}
	if _, err := p.alive.Exec(ctx, "SELECT pg_advisory_lock($1)", lockOf(p.token)); err != nil {
		return nil, fmt.Errorf("lock the token of this process: %w", err)
	}
	if err := p.sweep(ctx); err != nil {
		return nil, fmt.Errorf("drop the databases of dead test runs: %w", err)
	}
	return p, nil
})

// sweep drops the databases of processes that are gone: nobody holds the lock
// on their token any more.
func (p *process) sweep(ctx context.Context) error {
	rows, err := p.alive.Query(ctx, "SELECT datname FROM pg_database WHERE datname LIKE $1", prefix+"%")
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		token, _, _ := strings.Cut(strings.TrimPrefix(name, prefix), "_")
		if token == p.token {
			continue
		}
		var dead bool
		if err := p.alive.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", lockOf(token)).Scan(&dead); err != nil {
			return err
		}
		if !dead {
			continue
		}
		if err := p.drop(name); err != nil {
			return err
		}
		if _, err := p.alive.Exec(ctx, "SELECT pg_advisory_unlock($1)", lockOf(token)); err != nil {
			return err
		}
	}
	return nil
}

// create makes a database and returns its name.
func (p *process) create(from string) (string, error) {
	name := fmt.Sprintf("%s%s_%d", prefix, p.token, p.made.Add(1))
	if err := p.exec("CREATE DATABASE " + name + " TEMPLATE " + from); err != nil {
		return "", fmt.Errorf("create a database for the test: %w", err)
	}
	return name, nil
}

// drop removes a database, whoever is still connected to it.
func (p *process) drop(name string) error {
	err := p.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)")
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "3D000" {
		return nil // dropped by someone else between the look and the act
	}
	return err
}

// url returns the server's URL with another database in it.
func (p *process) url(database string) string {
	u := *p.server
	u.Path = "/" + database
	return u.String()
}

// exec runs statements on a connection of their own: tests run in parallel, and
// a connection does one thing at a time.
func (p *process) exec(statements ...string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, p.server.String())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // the statements have their own errors
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// lockOf is the number of the advisory lock for a token.
func lockOf(token string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(prefix + token)) // a hash does not fail
	return int64(h.Sum64() >> 1)
}
