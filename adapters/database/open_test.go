package database_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/domain/secret"
)

func TestBadURLsAreRefusedWithoutBeingQuoted(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"another database":   "mysql://ada:sesame@127.0.0.1/forge",
		"a port that is not": "postgresql://ada:sesame@127.0.0.1:port/forge",
		"a bad escape":       "postgres://ada:sesame%zz@127.0.0.1/forge",
		"a host for SQLite":  "sqlite://sesame/forge.db",
		"no path for SQLite": "sqlite://",
		"options for SQLite": "sqlite:///tmp/forge.db?_pragma=sesame",
		"no URL":             "sesame",
	}
	for name, url := range tests {
		t.Run(name, func(t *testing.T) {
			db, err := database.Open(t.Context(), database.Config{URL: secret.New(url)}, now, newID)
			if err == nil {
				_ = db.Close()
				t.Fatal("it was taken")
			}
			if strings.Contains(err.Error(), "sesame") {
				t.Errorf("the error quotes the URL: %v", err)
			}
		})
	}
}

func TestAFolderThatCannotBeMadeIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	db := open(t, database.Config{URL: secret.New("sqlite://" + filepath.ToSlash(file))})
	addTable(t, db)
	if _, err := database.Open(t.Context(), database.Config{DataDir: filepath.Join(file, "data")}, now, newID); err == nil {
		t.Error("a folder inside of a file was taken")
	}
}

func TestTheFileIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // files there have no mode; the folder's list of owners is inherited
	}
	dir := t.TempDir()
	addUser(t, migrate(t, open(t, database.Config{DataDir: filepath.Join(dir, "data")})), "ada")
	entries, err := os.ReadDir(filepath.Join(dir, "data"))
	if err != nil || len(entries) == 0 {
		t.Fatalf("the folder holds %v, %v", entries, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			t.Errorf("%s has mode %v, want it closed to others", e.Name(), mode)
		}
	}
}

func addTable(t *testing.T, db *database.DB) {
	t.Helper()
	if _, err := db.SQL().ExecContext(t.Context(), "CREATE TABLE x (id int)"); err != nil {
		t.Fatal(err)
	}
}
