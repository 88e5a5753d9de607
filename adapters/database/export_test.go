package database

import (
	"database/sql"
	"io/fs"
)

// SQL gives the connections that write, for tests that look at what no port shows.
func (db *DB) SQL() *sql.DB { return db.writes.DB }

// WithFiles makes a migrator run other files.
func (m *Migrator) WithFiles(files fs.FS) *Migrator {
	m.files = files
	return m
}
