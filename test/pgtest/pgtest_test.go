package pgtest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/forge1/forge1/test/pgtest"
)

// value runs a query that answers with one value.
func value[T any](t *testing.T, url, sql string, args ...any) (v T) {
	t.Helper()
	conn := connect(t, url)
	defer func() { _ = conn.Close(context.Background()) }()
	if err := conn.QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestURLGivesAnEmptyDatabaseOfItsOwn(t *testing.T) {
	one, two := pgtest.URL(t), pgtest.URL(t)
	if one == two {
		t.Fatalf("both tests got %s", one)
	}
	conn := connect(t, one)
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), "CREATE TABLE mine ()"); err != nil {
		t.Fatal(err)
	}
	const tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
	if got := value[int](t, one, tables); got != 1 {
		t.Errorf("the first database has %d tables, want 1", got)
	}
	if got := value[int](t, two, tables); got != 0 {
		t.Errorf("the second database has %d tables, want 0", got)
	}
}

func TestADatabaseIsDroppedWithItsTestEvenWhenItIsInUse(t *testing.T) {
	var name string
	t.Run("a test that leaves a connection open", func(t *testing.T) {
		url := pgtest.URL(t)
		name = value[string](t, url, "SELECT current_database()")
		conn := connect(t, url)
		t.Cleanup(func() { _ = conn.PgConn().Conn().Close() }) // runs before the drop; so keep another one
		_ = connect(t, url)
	})
	if value[bool](t, os.Getenv(pgtest.Variable), "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name) {
		t.Errorf("%s is still there", name)
	}
}

func TestTemplateIsPreparedOnceAndCopied(t *testing.T) {
	var prepared atomic.Int32
	prepare := func(url string) error {
		prepared.Add(1)
		conn, err := pgx.Connect(context.Background(), url)
		if err != nil {
			return err
		}
		// The connection stays open: Template has to cope with that.
		_, err = conn.Exec(context.Background(), "CREATE TABLE counter AS SELECT 41 AS n")
		return err
	}
	for _, name := range []string{"first", "second", "third"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Template(t, t.Name()[:strings.Index(t.Name(), "/")], prepare)
			if got := value[int](t, url, "UPDATE counter SET n = n + 1 RETURNING n"); got != 42 {
				t.Errorf("counter is %d after one step, want 42: the copy is shared", got)
			}
			if got := prepared.Load(); got != 1 {
				t.Errorf("prepared %d times, want once", got)
			}
		})
	}
}

func TestTheDatabasesOfADeadProcessAreSwept(t *testing.T) {
	if os.Getenv("PGTEST_CHILD") != "" { // the child: leave a database behind
		pgtest.Template(t, "left behind", func(string) error { return nil })
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), "PGTEST_CHILD=1")
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sweeper := exec.Command(os.Args[0], "-test.run=^TestURLGivesAnEmptyDatabaseOfItsOwn$")
	if out, err := sweeper.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// Only databases whose process lives may be left, and each of those holds a lock.
	left := value[int](t, os.Getenv(pgtest.Variable), `
		SELECT count(DISTINCT split_part(datname, '_', 3)) FROM pg_database WHERE datname LIKE 'forge\_test\_%'`)
	locks := value[int](t, os.Getenv(pgtest.Variable), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
	if left > locks {
		t.Errorf("databases of %d processes are left, but only %d live", left, locks)
	}
}

func TestWithoutAServerTheTestFails(t *testing.T) {
	if os.Getenv("PGTEST_CHILD") != "" {
		pgtest.URL(t)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), "PGTEST_CHILD=1", pgtest.Variable+"=")
	out, err := child.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); !failed {
		t.Fatalf("without %s the test must fail, got %v\n%s", pgtest.Variable, err, out)
	}
	if want := "task check"; !strings.Contains(string(out), want) {
		t.Errorf("the message does not name %q:\n%s", want, out)
	}
}
