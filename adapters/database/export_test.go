package database

import (
	"context"
	"database/sql"
	"io/fs"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/ports/outbound"
)

// SQL gives the connections that write, for tests that look at what no port shows.
func (db *DB) SQL() *sql.DB { return db.writes.DB }

// WithFiles makes a migrator run other files.
func (m *Migrator) WithFiles(files fs.FS) *Migrator {
	m.files = files
	return m
}

// SweepBatch is how many rows one statement of a sweep deletes.
const SweepBatch = sweepBatch

// DoSQL runs work in a transaction, with a way to run statements of its own in it.
func (db *DB) DoSQL(ctx context.Context, work func(ctx context.Context, repos outbound.Repos, exec func(statement string) error) error) error {
	return db.within(ctx, func(ctx context.Context, sc *scope) error {
		return work(ctx, store{db, sc}.repos(), func(statement string) error {
			_, err := sc.tx.Tx.ExecContext(ctx, statement)
			return err
		})
	})
}

// Watched gives the same database, which calls watch with the text of each statement.
func (db *DB) Watched(watch func(statement string)) *DB {
	other := *db
	other.writes = db.writes.WithQueryHook(hook(watch))
	other.reads = db.reads.WithQueryHook(hook(watch))
	return &other
}

type hook func(statement string)

func (h hook) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (h hook) AfterQuery(_ context.Context, e *bun.QueryEvent) { h(e.Query) }
