package database_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/database"
)

func TestCreateMakesFilesForEveryDialect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got, err := migrator(lite(t)).Create(t.Context(), dir, "add_invites", false)
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	var want []string
	for _, kind := range []string{"postgres", "sqlite"} {
		for _, direction := range []string{"up", "down"} {
			want = append(want, filepath.Join(dir, kind, "20261123120000_add_invites.tx."+direction+".sql"))
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	db := lite(t)
	if names, err := migrator(db).WithFiles(os.DirFS(dir)).Up(t.Context()); err != nil || len(names) != 1 {
		t.Errorf("up with the files as they were made: applied %v, %v", names, err)
	}
	for what, name := range map[string]string{"there already": "add_invites", "a path": "../x", "nothing": "", "upper case": "X"} {
		if _, err := migrator(db).Create(t.Context(), dir, name, false); err == nil {
			t.Errorf("create of a name that is %s: want an error", what)
		}
	}
	if _, err := migrator(db).Create(t.Context(), dir, "auto", true); err == nil {
		t.Error("a draft on SQLite: want an error")
	}
}

// draft gives what Bun finds to differ between the rows and a database, without the comments.
func draft(t *testing.T, db *database.DB) string {
	t.Helper()
	paths, err := migrator(db).Create(t.Context(), t.TempDir(), "drift", true)
	if err != nil {
		t.Fatalf("draft: %v", err)
	}
	raw, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(slices.DeleteFunc(strings.Split(string(raw), "\n"), func(line string) bool {
		return strings.HasPrefix(line, "--") || strings.TrimSpace(line) == ""
	}), "\n")
}

func TestRowsAndMigrationsAgree(t *testing.T) {
	t.Parallel()
	db := migrate(t, postgres(t))
	if got := draft(t, db); got != "" {
		t.Errorf("the rows and the migrated schema differ; Bun would do:\n%s", got)
	}
	if _, err := db.SQL().ExecContext(t.Context(), "ALTER TABLE ai_calls DROP COLUMN region"); err != nil {
		t.Fatal(err)
	}
	if got := draft(t, db); !strings.Contains(got, "region") {
		t.Errorf("with a column gone, the draft does not bring it back: %q", got)
	}
}
