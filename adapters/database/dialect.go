package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// dialect is what differs between the databases.
type dialect interface {
	kind() string
	// open gives a pool for transactions and one for reads outside of them, which may be the same.
	open(ctx context.Context, c Config) (writes, reads *bun.DB, err error)
	// lock makes a select lock its rows until the end of the transaction.
	lock(q *bun.SelectQuery) *bun.SelectQuery
	// lockWhole is lock for rows that are going to be deleted.
	lockWhole(q *bun.SelectQuery) *bun.SelectQuery
	// lockName locks a name, whether or not there are rows of it, until the end of the transaction.
	lockName(ctx context.Context, tx bun.Tx, name string) error
	// allowSweep lets this transaction delete lines of the audit log that are older than before; forbidSweep ends that.
	allowSweep(ctx context.Context, tx bun.Tx, before time.Time) error
	forbidSweep(ctx context.Context, tx bun.Tx) error
	// skipLocked ends a subselect that takes rows nobody else has locked.
	skipLocked() string
	// among is the condition that a column is one of what a subselect gives, to be found by the column's index.
	among(column string) string
	// place names the column that says where a row lies, for one transaction.
	place() string
	// failure says what a driver's error means; other when it means nothing known here.
	failure(err error) failure
	// migrationLock makes other migrators wait until the transaction ends.
	migrationLock(ctx context.Context, tx bun.Tx) error
	// vector makes sure of the extension vector.
	vector(ctx context.Context, tx bun.Tx) error
	// hasTable counts the tables of a name that can be seen.
	hasTable() string
	// hostTime asks for the time of the server's host; "" when that is this one.
	hostTime() string
	// batch says how many of n rows go into one statement, prepares whether such a statement is worth keeping.
	batch(n int) int
	prepares() bool
	// placeholder is the i-th argument in a statement made by hand, timeArg a time given as one.
	placeholder(i int) string
	timeArg(t time.Time) any
	// The expressions of sums: see usage_dialect.go.
	utcDay(column string) string
	each(column, as string) string
	bytewise(text string) string
}

// failure is what a driver's error means.
type failure uint8

const (
	other    failure = iota
	contends         // another transaction was in the way: all of this one can be tried again
	occupied         // a lock was not had in time, or there is no connection left
	absent           // the server is not there, or going
	unique           // a row of this key is there already
	orphan           // the row refers to one that is not there
	badText          // bytes that are no text
)

// dialectOf reads the scheme of the URL.
func dialectOf(c Config) (dialect, error) {
	raw := c.URL.Reveal()
	scheme, _, _ := strings.Cut(raw, ":")
	switch scheme {
	case "":
		return lite{file: filepath.Join(c.DataDir, DefaultFile)}, nil
	case "sqlite":
		u, err := url.Parse(raw)
		if err != nil || u.Host != "" || u.RawQuery != "" || u.Path+u.Opaque == "" {
			return nil, errors.New("the database URL is not of the form sqlite:///path/to/file")
		}
		file := u.Path + u.Opaque
		if runtime.GOOS == "windows" && len(file) > 2 && file[0] == '/' && file[2] == ':' { // sqlite:///C:/dir/file
			file = file[1:]
		}
		return lite{file: filepath.FromSlash(file)}, nil
	case "postgres", "postgresql":
		pc, err := pgx.ParseConfig(raw)
		if err != nil { // its text may quote the URL
			return nil, errors.New("the database URL is not of the form postgresql://user:password@host:port/name")
		}
		return postgres{config: pc}, nil
	default:
		return nil, errors.New("the database URL must begin with postgresql://, postgres:// or sqlite:///")
	}
}

// postgres is PostgreSQL by pgx. Bun writes values into the text of the statement, so a cache of statements would never hit: the simple protocol is
// the fastest here and works through PgBouncer.
type postgres struct{ config *pgx.ConnConfig }

func (postgres) kind() string { return "postgres" }

func (p postgres) open(_ context.Context, c Config) (*bun.DB, *bun.DB, error) {
	pc := p.config.Copy()
	pc.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	if pc.ConnectTimeout == 0 || pc.ConnectTimeout > c.Timeout {
		pc.ConnectTimeout = c.Timeout
	}
	settings := fmt.Sprintf("SET standard_conforming_strings = on; SET lock_timeout = %d; SET idle_in_transaction_session_timeout = %d",
		(c.Timeout / 2).Milliseconds(), (2 * c.Timeout).Milliseconds())
	// Not parameters of the start-up message: PgBouncer refuses those.
	pool := sqlDBOf(stdlib.OpenDB(*pc, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, settings)
		return err
	})), c.MaxConns)
	pool.SetConnMaxLifetime(30 * time.Minute)
	db := bun.NewDB(pool, pgdialect.New())
	return db, db, nil
}

// lock takes the weakest lock that keeps other changes out, so that a new row which refers to this one need not wait for it.
func (postgres) lock(q *bun.SelectQuery) *bun.SelectQuery { return q.For("NO KEY UPDATE") }

// lockWhole keeps out new rows that would refer to this one too. To begin with lock and go on to that would be a deadlock with whoever has referred to the
// row, and then wants to change it.
func (postgres) lockWhole(q *bun.SelectQuery) *bun.SelectQuery { return q.For("UPDATE") }

func (postgres) lockName(ctx context.Context, tx bun.Tx, name string) error {
	_, err := tx.NewRaw("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", mended(name)).Exec(ctx)
	return err
}

func (postgres) allowSweep(ctx context.Context, tx bun.Tx, before time.Time) error {
	_, err := tx.NewRaw("SELECT set_config('forge1.audit_sweep', ?, true)", before.UTC().Format(time.RFC3339Nano)).Exec(ctx)
	return err
}

func (postgres) forbidSweep(ctx context.Context, tx bun.Tx) error {
	_, err := tx.NewRaw("SELECT set_config('forge1.audit_sweep', '', true)").Exec(ctx)
	return err
}

func (postgres) skipLocked() string { return "FOR UPDATE SKIP LOCKED" }

// among makes an array of the subselect, as Postgres would rather read a whole table than look up the few rows of a join.
func (postgres) among(column string) string { return column + " = ANY (ARRAY(?))" }

func (postgres) place() string { return "ctid" }

func (postgres) failure(err error) failure {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
			return absent
		}
		if _, ok := errors.AsType[net.Error](err); ok {
			return absent
		}
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err) {
			return absent
		}
		return other
	}
	switch pg.Code {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return contends
	case "55P03", "53300": // lock_not_available, too_many_connections
		return occupied
	case "57P01", "57P02", "57P03", "57014", "25P03": // shutdowns, cannot_connect_now, query_canceled, idle in transaction
		return absent
	case "23505":
		return unique
	case "23503":
		return orphan
	case "22021", "22P05": // character_not_in_repertoire, untranslatable_character
		return badText
	}
	if strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "53") || strings.HasPrefix(pg.Code, "58") {
		return absent
	}
	return other
}

// migrationLock waits without end: a migration takes as long as it takes. A table that somebody else holds is waited for less long, so that
// nothing queues up behind a migration that cannot begin.
func (postgres) migrationLock(ctx context.Context, tx bun.Tx) error {
	_, err := tx.ExecContext(ctx, "SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(7310579628119); SET LOCAL lock_timeout = '10s'")
	return err
}

func (postgres) vector(ctx context.Context, tx bun.Tx) error {
	if _, err := tx.ExecContext(ctx, "CREATE EXTENSION IF NOT EXISTS vector"); err != nil {
		if _, ok := errors.AsType[*pgconn.PgError](err); ok {
			return fmt.Errorf("%w (%w)", errNoVector, err)
		}
		return err
	}
	return nil
}

func (postgres) hasTable() string {
	return "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass(?)"
}

func (postgres) hostTime() string { return "SELECT clock_timestamp()" }

func (postgres) batch(n int) int { return min(n, 500) }

func (postgres) prepares() bool { return false } // the simple protocol does not

func (postgres) placeholder(i int) string { return "$" + strconv.Itoa(i) }

func (postgres) timeArg(t time.Time) any { return t.UTC() }

// lite is SQLite in a file, in pure Go. One connection writes, so that writers queue here, where waiting ends with the context, and not in SQLite; others
// read beside it from the write-ahead log.
type lite struct{ file string }

// idleReaders is how many connections that read stay open for the next query; each keeps a cache.
const idleReaders = 4

func (lite) kind() string { return "sqlite" }

func (l lite) open(ctx context.Context, c Config) (*bun.DB, *bun.DB, error) {
	file, err := filepath.Abs(l.file)
	if err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600) // SQLite alone would let others on the machine read it
	if err != nil {
		return nil, nil, err
	}
	if err := f.Close(); err != nil {
		return nil, nil, err
	}
	busy := "busy_timeout(" + strconv.FormatInt((c.Timeout/2).Milliseconds(), 10) + ")"
	// A call's row takes more than a quarter of a page of 4 KiB, which leaves a lot of each page empty; and the rows that are written are always the
	// last ones, so that a small cache serves. Each KiB of it takes two, because the allocator rounds up to powers of two.
	writer, err := openLite(file, 1, url.Values{
		"_pragma": {"page_size(8192)", busy, "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)", "cache_size(-1000)"}, "_txlock": {"immediate"},
	})
	if err != nil {
		return nil, nil, err
	}
	if err := writer.PingContext(ctx); err != nil { // turns the write-ahead log on before anyone reads
		return nil, nil, errors.Join(err, writer.Close())
	}
	reader, err := openLite(file, c.MaxConns, url.Values{"_pragma": {busy, "query_only(1)", "cache_size(-1000)"}})
	if err != nil {
		return nil, nil, errors.Join(err, writer.Close())
	}
	reader.SetMaxIdleConns(min(c.MaxConns, idleReaders))
	return bun.NewDB(writer, sqlitedialect.New()), bun.NewDB(reader, sqlitedialect.New()), nil
}

// openLite names the file by a URI (sqlite.org/uri.html), so that any character may stand in its path.
func openLite(file string, conns int, options url.Values) (*sql.DB, error) {
	path := filepath.ToSlash(file)
	if runtime.GOOS == "windows" {
		path = "/" + path
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: options.Encode(), OmitHost: true}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	return sqlDBOf(db, conns), nil
}

func (lite) lock(q *bun.SelectQuery) *bun.SelectQuery { return q } // the transaction is immediate

func (lite) lockWhole(q *bun.SelectQuery) *bun.SelectQuery { return q } // the same

func (lite) lockName(context.Context, bun.Tx, string) error { return nil } // the same

func (lite) allowSweep(ctx context.Context, tx bun.Tx, before time.Time) error {
	_, err := tx.NewRaw("INSERT INTO audit_sweep (before) VALUES (?)", at(before)).Exec(ctx)
	return err
}

func (lite) forbidSweep(ctx context.Context, tx bun.Tx) error {
	_, err := tx.NewRaw("DELETE FROM audit_sweep").Exec(ctx)
	return err
}

func (lite) skipLocked() string { return "" }

func (lite) among(column string) string { return column + " IN (?)" }

func (lite) place() string { return "rowid" }

func (lite) failure(err error) failure {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return other
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return unique
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return orphan
	}
	switch e.Code() & 0xff { // the primary code
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return contends
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT:
		return absent
	}
	return other
}

func (lite) migrationLock(context.Context, bun.Tx) error { return nil } // the transaction is immediate

func (lite) vector(context.Context, bun.Tx) error {
	return errors.New("PGVECTOR is set, but the database is SQLite: it needs Postgres")
}

func (lite) hasTable() string {
	return "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
}

func (lite) hostTime() string { return "" }

// batch has two sizes, so that two statements are kept: fifty rows in one cost a quarter less than one by one.
func (lite) batch(n int) int {
	if n >= 50 {
		return 50
	}
	return 1
}

func (lite) prepares() bool { return true }

func (lite) placeholder(int) string { return "?" }

func (lite) timeArg(t time.Time) any { return t.UnixMicro() }
