package attack_test

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"strconv"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	"github.com/redis/go-redis/v9"
	_ "modernc.org/sqlite" // the driver sqlite
)

func mapsKeys[V any, M ~map[string]V](m M) iter.Seq[string] { return maps.Keys(m) }

// open opens the database of the process, to read only unless writing.
func (w *world) open(t testing.TB, writing bool) *sql.DB {
	t.Helper()
	driver, dsn := "pgx", w.database
	if w.on == embedded {
		driver, dsn = "sqlite", "file:"+strings.TrimPrefix(w.database, "sqlite://")+"?_pragma=busy_timeout(20000)"
		if !writing {
			dsn += "&_pragma=query_only(1)"
		}
	} else if !writing {
		dsn += mark(dsn) + "default_transaction_read_only=on"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatalf("open the database: %v", err)
	}
	return db
}

// reader gives the connections that this world reads by.
func (w *world) reader(t testing.TB) *sql.DB {
	t.Helper()
	w.reading.Do(func() {
		w.readers = w.open(t, false)
		w.readers.SetMaxOpenConns(4)
	})
	return w.readers
}

func mark(url string) string {
	if strings.Contains(url, "?") {
		return "&"
	}
	return "?"
}

// bound writes ? the way of the store.
func (w *world) bound(query string) string {
	if w.on == embedded {
		return query
	}
	var b strings.Builder
	n := 0
	for _, c := range query {
		if c == '?' {
			n++
			b.WriteString("$" + strconv.Itoa(n))
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

// rows gives what a query reads, every value as text: times and truths as the store keeps them, bytes as they are, NULL as "NULL".
func (w *world) rows(t testing.TB, query string, args ...any) [][]string {
	t.Helper()
	out, err := everyRow(w.reader(t), w.bound(query), args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out
}

func everyRow(db *sql.DB, query string, args ...any) ([][]string, error) {
	rows, err := db.QueryContext(background, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var out [][]string
	for rows.Next() {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		line := make([]string, len(columns))
		for i, v := range values {
			switch v := v.(type) {
			case nil:
				line[i] = "NULL"
			case []byte:
				line[i] = string(v)
			default:
				line[i] = fmt.Sprint(v)
			}
		}
		out = append(out, line)
	}
	return out, rows.Err()
}

// text gives the one value that a query reads, "" when there is no row.
func (w *world) text(t testing.TB, query string, args ...any) string {
	t.Helper()
	rows := w.rows(t, query, args...)
	if len(rows) == 0 {
		return ""
	}
	return rows[0][0]
}

// count gives the one number that a query reads.
func (w *world) count(t testing.TB, query string, args ...any) int {
	t.Helper()
	text := w.text(t, query, args...)
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: got %q, want a number", query, text)
	}
	return n
}

// write tries to change something, as the process itself would be connected.
func (w *world) write(t testing.TB, statement string, args ...any) error {
	t.Helper()
	db := w.open(t, true)
	defer func() { _ = db.Close() }()
	_, err := db.ExecContext(background, w.bound(statement), args...)
	return err
}

// tables lists the tables.
func (w *world) tables(t testing.TB) []string {
	t.Helper()
	query := `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`
	if w.on == servers {
		query = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY table_name`
	}
	var out []string
	for _, r := range w.rows(t, query) {
		out = append(out, r[0])
	}
	return out
}

// dump gives all that the database holds as text, a line for each row; bytes as they are and in hex.
func (w *world) dump(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	for _, table := range w.tables(t) {
		for _, r := range w.rows(t, `SELECT * FROM `+table) {
			b.WriteString(table)
			for _, v := range r {
				b.WriteString("\t" + v)
				if strings.ContainsFunc(v, func(c rune) bool { return c < ' ' || c == '\uFFFD' }) {
					b.WriteString(" \\x" + hex.EncodeToString([]byte(v)))
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// redisDump gives all that Redis holds as text, "" when there is none.
func (w *world) redisDump(t testing.TB) string {
	t.Helper()
	if w.redis == "" {
		return ""
	}
	db := w.redisClient(t)
	defer func() { _ = db.Close() }()
	keys, err := db.Keys(background, "*").Result()
	if err != nil {
		t.Fatalf("list the keys of Redis: %v", err)
	}
	var b strings.Builder
	for _, k := range keys {
		raw, err := db.Dump(background, k).Result()
		if err != nil && err != redis.Nil {
			t.Fatalf("dump %q of Redis: %v", k, err)
		}
		text, _ := db.Get(background, k).Result() // only texts have one
		fmt.Fprintf(&b, "%s\t%s\t%s\n", k, raw, text)
	}
	return b.String()
}

// redisClient speaks to the Redis of the process.
func (w *world) redisClient(t testing.TB) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(w.redis)
	if err != nil {
		t.Fatalf("read the address of Redis: %v", err)
	}
	return redis.NewClient(o)
}
