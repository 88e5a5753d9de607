package database

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/uptrace/bun/migrate"

	"github.com/forge1/forge1/migrations"
)

// models are the rows that a draft compares with the schema.
func models() []any {
	return []any{
		(*userRow)(nil), (*registrationRow)(nil), (*tenantRow)(nil), (*memberRow)(nil), (*sessionRow)(nil), (*apiKeyRow)(nil), (*messageRow)(nil),
		(*auditRow)(nil), (*policyRow)(nil), (*callRow)(nil), (*totpRow)(nil), (*pendingRow)(nil), (*codeRow)(nil), (*oneTimeRow)(nil), (*inviteRow)(nil),
		(*keyRow)(nil), (*attemptRow)(nil), (*decisionRow)(nil), (*sheetRow)(nil), (*responseRow)(nil),
	}
}

var stepName = regexp.MustCompile(`^[a-z0-9_]+$`)

// Create makes the files of a new migration in dir, up and down for every dialect, and gives their paths. With auto, those of Postgres hold what
// Bun finds to differ between the rows of this package and the migrated database at hand: a draft, to be read, mended and carried over to SQLite.
// Bun sees neither checks nor partial indexes, and may take a new column for a renamed one.
func (m *Migrator) Create(ctx context.Context, dir, name string, auto bool) (files []string, err error) {
	if !stepName.MatchString(name) {
		return nil, errors.New("create migration: the name must be of a-z, 0-9 and _")
	}
	text := map[string]string{}
	if auto {
		if text, err = m.draft(ctx); err != nil {
			return nil, fmt.Errorf("create migration: %w", err)
		}
	}
	id := m.db.clock().UTC().Format("20060102150405")
	for _, kind := range migrations.Dialects {
		for _, direction := range []string{"up", "down"} {
			path := filepath.Join(dir, kind, id+"_"+name+".tx."+direction+".sql")
			if err := writeNew(path, header(kind, direction)+text[kind+"."+direction]); err != nil {
				return files, fmt.Errorf("create migration: %w", err)
			}
			files = append(files, path)
		}
	}
	return files, nil
}

func header(kind, direction string) string {
	if direction == "down" {
		return "-- Undoes all that the up file of this id does, on " + kind + ".\n"
	}
	return "-- What this changes and why, on " + kind + ". The file runs in one transaction.\n"
}

// writeNew writes a file that is not there yet.
func writeNew(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// draft asks Bun for the difference. It changes nothing in the database.
func (m *Migrator) draft(ctx context.Context) (map[string]string, error) {
	if m.db.Kind() != "postgres" {
		return nil, errors.New("a draft needs DATABASE_URL to name a migrated Postgres: Bun cannot inspect SQLite")
	}
	dir, err := os.MkdirTemp("", "forge1-draft-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a leftover in the temporary folder harms nobody
	am, err := migrate.NewAutoMigrator(m.db.writes,
		migrate.WithModel(models()...),
		migrate.WithExcludeTable("schema_migrations"),
		migrate.WithMigrationsDirectoryAuto(dir))
	if err != nil {
		return nil, err
	}
	files, err := am.CreateTxSQLMigrations(ctx)
	if err != nil {
		return nil, m.db.classify(ctx, err)
	}
	text := map[string]string{}
	for _, f := range files {
		direction := "up"
		if strings.HasSuffix(f.Name, ".down.sql") {
			direction = "down"
		}
		text["postgres."+direction] = strings.TrimPrefix(f.Content, "SET statement_timeout = 0;")
	}
	return text, nil
}
