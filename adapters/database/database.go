// Package database keeps everything durable, through Bun, on Postgres in production and on SQLite embedded. What differs between the two stands
// in dialect.go; every conformance suite runs on both.
//
// Each repository maps its row to a Snapshot and back in one file. Driver errors become faults in one place (errors.go), so that no text of a
// driver leaves as anything but a private cause.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// Defaults of Config.
const (
	DefaultMaxConns = 20
	DefaultTimeout  = 5 * time.Second
	DefaultFile     = "forge1.db"
)

// Config says which database and how patient to be.
type Config struct {
	// URL is postgresql://…, postgres://…, or sqlite:///path/to/file; empty is SQLite in DataDir.
	URL secret.Text
	// DataDir is where the embedded database lives when URL is empty. It is made when it is missing.
	DataDir string
	// MaxConns bounds the connections to Postgres, and the readers of SQLite; 0 is DefaultMaxConns.
	MaxConns int
	// Timeout bounds a read, and a transaction with all its tries; 0 is DefaultTimeout. Waiting for a row's lock is bounded by half of it.
	Timeout time.Duration
}

// DB is an open database. It implements outbound.Tx and outbound.Database; NewCalls and NewPolicies give the ports that need no transaction of
// the application's.
type DB struct {
	dialect dialect
	writes  *bun.DB
	reads   *bun.DB // the same as writes on Postgres
	clock   outbound.Clock
	newID   outbound.NewID
	timeout time.Duration
}

var (
	_ outbound.Tx       = (*DB)(nil)
	_ outbound.Database = (*DB)(nil)
)

// Open prepares the connections of a database. It does not fail because Postgres is away: the first use says so. It fails when the URL cannot
// be read or the file of SQLite cannot be used. Nothing of the URL is in the error.
func Open(ctx context.Context, c Config, clock outbound.Clock, newID outbound.NewID) (*DB, error) {
	if c.MaxConns <= 0 {
		c.MaxConns = DefaultMaxConns
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	d, err := dialectOf(c)
	if err != nil {
		return nil, err
	}
	writes, reads, err := d.open(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open the %s database: %w", d.kind(), err)
	}
	return &DB{dialect: d, writes: writes, reads: reads, clock: clock, newID: newID, timeout: c.Timeout}, nil
}

// Close ends every connection.
func (db *DB) Close() error {
	err := db.writes.Close()
	if db.reads != db.writes {
		err = errors.Join(db.reads.Close(), err)
	}
	return err
}

// Ping implements outbound.Database.
func (db *DB) Ping(ctx context.Context) error {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	var one int
	if err := db.reads.NewRaw("SELECT 1").Scan(ctx, &one); err != nil {
		return fmt.Errorf("ping the database: %w", db.classify(ctx, err))
	}
	return nil
}

// Now implements outbound.Database. No other statement asks the server for the time: that of every rule comes from the clock that Open is given.
func (db *DB) Now(ctx context.Context) (time.Time, error) {
	query := db.dialect.hostTime()
	if query == "" {
		return db.clock(), ctx.Err()
	}
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	var now time.Time
	if err := db.reads.NewRaw(query).Scan(ctx, &now); err != nil {
		return time.Time{}, fmt.Errorf("ask the database for the time: %w", db.classify(ctx, err))
	}
	return now.UTC(), nil
}

// Kind implements outbound.Database.
func (db *DB) Kind() string { return db.dialect.kind() }

// bounded gives a context that ends when the patience of the configuration does.
func (db *DB) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, db.timeout)
}

// sqlDBOf sizes a pool.
func sqlDBOf(db *sql.DB, conns int) *sql.DB {
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db
}
