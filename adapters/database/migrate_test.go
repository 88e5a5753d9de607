package database_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/test/pgtest"
)

// everyStore runs a test on every kind of database, empty.
func everyStore(t *testing.T, test func(t *testing.T, db *database.DB)) {
	for name, s := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s.empty(t))
		})
	}
}

func migrator(db *database.DB) *database.Migrator {
	return database.NewMigrator(db, database.MigratorConfig{})
}

// schema describes everything that a migration can make, but the table of migrations.
func schema(t *testing.T, db *database.DB) []string {
	t.Helper()
	query := "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master WHERE tbl_name <> 'schema_migrations'"
	if db.Kind() == "postgres" {
		query = `SELECT * FROM (
			SELECT 'column ' || table_name || '.' || column_name || ' ' || ordinal_position || ' ' || data_type || ' ' || is_nullable || ' '
				|| coalesce(column_default, '') || ' ' || coalesce(collation_name, '') AS what, table_name AS of
				FROM information_schema.columns WHERE table_schema = 'public'
			UNION ALL SELECT 'index ' || indexdef, tablename FROM pg_indexes WHERE schemaname = 'public'
			UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid), conrelid::regclass::text FROM pg_constraint
				WHERE connamespace = 'public'::regnamespace
			UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid), tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal
			UNION ALL SELECT 'function ' || pg_get_functiondef(oid), '' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
			UNION ALL SELECT 'relation ' || relkind::text || ' ' || relname, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S')
			) AS everything WHERE of <> 'schema_migrations'`
		query = "SELECT what FROM (" + query + ") AS whats"
	}
	rows, err := db.SQL().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("read the schema: %v", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatalf("read the schema: %v", err)
		}
		out = append(out, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("read the schema: %v", err)
	}
	slices.Sort(out)
	return out
}

func TestUpDownUpLeavesTheSameSchema(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, db *database.DB) {
		m := migrator(db)
		names, err := m.Up(t.Context())
		if err != nil || len(names) == 0 {
			t.Fatalf("up: applied %v, %v", names, err)
		}
		first := schema(t, db)
		again, err := m.Up(t.Context())
		if err != nil || len(again) != 0 {
			t.Errorf("up again: applied %v, %v; want nothing", again, err)
		}
		last, err := m.Down(t.Context(), 1)
		if want := names[len(names)-1:]; err != nil || !slices.Equal(last, want) {
			t.Errorf("down by one: undid %v, %v; want %v", last, err, want)
		}
		rest, err := m.Down(t.Context(), 100)
		if err != nil || len(rest) != len(names)-1 {
			t.Errorf("down by a hundred: undid %v, %v; want the %d others", rest, err, len(names)-1)
		}
		if left := schema(t, db); len(left) != 0 {
			t.Errorf("after down there is left: %v", left)
		}
		if _, err := m.Up(t.Context()); err != nil {
			t.Fatalf("up after down: %v", err)
		}
		if d := cmp.Diff(first, schema(t, db)); d != "" {
			t.Errorf("the schema differs after up, down, up (-first +second):\n%s", d)
		}
	})
}

func TestDialectsHaveTheSameMigrations(t *testing.T) {
	t.Parallel()
	var names [][]string
	for _, db := range []*database.DB{lite(t), postgres(t)} {
		steps, err := migrator(db).Status(t.Context())
		if err != nil {
			t.Fatalf("status: %v", err)
		}
		var list []string
		for _, s := range steps {
			if s.Applied {
				t.Errorf("%s: %s is applied in an empty database", db.Kind(), s.Name)
			}
			list = append(list, s.Name)
		}
		names = append(names, list)
	}
	if d := cmp.Diff(names[0], names[1]); d != "" {
		t.Errorf("migrations differ (-sqlite +postgres):\n%s", d)
	}
}

func TestMigratorsThatRaceWaitForEachOther(t *testing.T) {
	t.Parallel()
	pg := secret.New(pgtest.URL(t))
	file := secret.New("sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "forge1.db")))
	for name, url := range map[string]secret.Text{"SQLite": file, "Postgres": pg} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var (
				wg      sync.WaitGroup
				mu      sync.Mutex
				applied []string
			)
			for range 4 {
				db := open(t, database.Config{URL: url})
				wg.Go(func() {
					names, err := migrator(db).Up(t.Context())
					if err != nil {
						t.Errorf("up: %v", err)
					}
					mu.Lock()
					defer mu.Unlock()
					applied = append(applied, names...)
				})
			}
			wg.Wait()
			steps, err := migrator(open(t, database.Config{URL: url})).Status(t.Context())
			if err != nil {
				t.Fatalf("status: %v", err)
			}
			if len(applied) != len(steps) {
				t.Errorf("4 racers applied %v, want each of the %d once", applied, len(steps))
			}
			for _, s := range steps {
				if !s.Applied || !s.AppliedAt.Equal(now()) {
					t.Errorf("%s: applied %t at %v, want true at %v", s.Name, s.Applied, s.AppliedAt, now())
				}
			}
		})
	}
}

func files(kind string, text map[string]string) fstest.MapFS {
	fs := fstest.MapFS{}
	for name, sql := range text {
		fs[kind+"/"+name] = &fstest.MapFile{Data: []byte(sql)}
	}
	return fs
}

func TestAMigrationThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, db *database.DB) {
		good := map[string]string{
			"20260101000000_a.tx.up.sql": "CREATE TABLE a (id int); CREATE TABLE a2 (id int);", "20260101000000_a.tx.down.sql": "DROP TABLE a2; DROP TABLE a;",
			"20260102000000_b.tx.up.sql": "CREATE TABLE b (id int); CREATE TABLE a (id int);", "20260102000000_b.tx.down.sql": "DROP TABLE nothing;",
		}
		m := migrator(db)
		m.WithFiles(files(db.Kind(), good))
		names, err := m.Up(t.Context())
		if err == nil || !strings.Contains(err.Error(), "20260102000000_b") {
			t.Errorf("up: got error %v, want one that names the file", err)
		}
		if d := cmp.Diff([]string{"20260101000000_a"}, names); d != "" {
			t.Errorf("applied (-want +got):\n%s", d)
		}
		if all := strings.Join(schema(t, db), "\n"); !strings.Contains(all, "a2") || strings.Contains(all, " b") {
			t.Errorf("the schema should have a2 and no b:\n%s", all)
		}
		good["20260102000000_b.tx.up.sql"] = "CREATE TABLE b (id int);"
		m.WithFiles(files(db.Kind(), good))
		if names, err := m.Up(t.Context()); err != nil || len(names) != 1 {
			t.Errorf("up with the file mended: applied %v, %v", names, err)
		}
		if names, err := m.Down(t.Context(), 1); err == nil || len(names) != 0 {
			t.Errorf("down with a broken file: undid %v, %v; want an error", names, err)
		}
		steps, err := m.Status(t.Context())
		if err != nil || !steps[1].Applied {
			t.Errorf("after a down that failed: %+v, %v; want it applied", steps, err)
		}
	})
}

func TestMigrationFilesAreChecked(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		"a misnamed file":   {"1_a.tx.up.sql", "1_a.tx.down.sql"},
		"outside of a tx":   {"20260101000000_a.up.sql", "20260101000000_a.down.sql"},
		"no way back":       {"20260101000000_a.tx.up.sql"},
		"two of the one id": {"20260101000000_a.tx.up.sql", "20260101000000_a.tx.down.sql", "20260101000000_b.tx.up.sql", "20260101000000_b.tx.down.sql"},
	}
	for name, list := range tests {
		t.Run(name, func(t *testing.T) {
			db, text := lite(t), map[string]string{}
			for _, f := range list {
				text[f] = "SELECT 1;"
			}
			if names, err := migrator(db).WithFiles(files("sqlite", text)).Up(t.Context()); err == nil {
				t.Errorf("up applied %v, want an error", names)
			}
		})
	}
}

func TestANewerSchemaIsLeftAlone(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, db *database.DB) {
		migrate(t, db)
		applied := "0"
		if db.Kind() == "postgres" {
			applied = "now()"
		}
		if _, err := db.SQL().ExecContext(t.Context(), "INSERT INTO schema_migrations (name, applied_at) VALUES ('29990101000000_future', "+applied+")"); err != nil {
			t.Fatalf("pretend: %v", err)
		}
		if n, err := db.Pending(t.Context()); err != nil || n != 0 {
			t.Errorf("pending: %d, %v; want none", n, err)
		}
		if names, err := migrator(db).Down(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "newer") {
			t.Errorf("down: undid %v, %v; want a refusal that says why", names, err)
		}
		steps, err := migrator(db).Status(t.Context())
		if last := steps[len(steps)-1]; err != nil || !last.Newer || !last.Applied {
			t.Errorf("status: the last is %+v, %v; want it newer", last, err)
		}
	})
}

func TestMigratingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, db *database.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if names, err := migrator(db).Up(ctx); !errors.Is(err, context.Canceled) || len(names) != 0 {
			t.Errorf("up: applied %v, %v; want %v", names, err, context.Canceled)
		}
		if n, err := db.Pending(t.Context()); err != nil || n == 0 {
			t.Errorf("pending: %s, want all", fmt.Sprint(n, err))
		}
	})
}

func TestPGVector(t *testing.T) {
	t.Parallel()
	up := func(db *database.DB) error {
		_, err := database.NewMigrator(db, database.MigratorConfig{PGVector: true}).Up(t.Context())
		return err
	}
	if err := up(lite(t)); err == nil || !strings.Contains(err.Error(), "PGVECTOR") {
		t.Errorf("on SQLite: got %v, want an error that names PGVECTOR", err)
	}
	db := postgres(t)
	var available int
	if err := db.SQL().QueryRowContext(t.Context(), "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'").Scan(&available); err != nil {
		t.Fatal(err)
	}
	err := up(db)
	switch {
	case available == 1 && err != nil:
		t.Errorf("with pgvector installed: %v", err)
	case available == 0 && (err == nil || !strings.Contains(err.Error(), "PGVECTOR") || !strings.Contains(err.Error(), "pgvector")):
		t.Errorf("without pgvector: got %v, want an error that says what to do", err)
	case available == 0:
		if left := schema(t, db); len(left) != 0 {
			t.Errorf("something was migrated before the extension was refused: %v", left)
		}
	}
}
