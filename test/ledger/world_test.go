package ledger_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib" // registers pgx, for reading past the program
	_ "modernc.org/sqlite"

	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/pgtest"
)

var _ = stdlib.GetDefaultDriver

// The stores of the program.
var stores = map[string]func(t *testing.T) string{
	"SQLite":   func(*testing.T) string { return "" },
	"Postgres": func(t *testing.T) string { return pgtest.URL(t) },
}

// world is a Forge in front of metered vendors.
type world struct {
	*process
	meter  *meter
	env    map[string]string
	key    string
	user   string
	tenant string
}

// prepare makes a database with a user and a key; nothing serves yet.
func prepare(t *testing.T, store string, vars map[string]string) *world {
	t.Helper()
	m := newMeter(t)
	w := &world{meter: m, env: map[string]string{
		"DATA_DIR": t.TempDir(), "PORT": "0", "METRICS_ADDR": "off", "SHUTDOWN_GRACE": "20s", "JWT_SECRET": strings.Repeat("ledger-secret-", 3),
		"DATABASE_URL": stores[store](t), "REGION": "here",
		"OPENAI_BASE_URL": m.vendors.URL + "/openai/v1", "ANTHROPIC_BASE_URL": m.vendors.URL + "/anthropic",
		"GOOGLE_AI_BASE_URL": m.vendors.URL + "/gemini", "OPENROUTER_BASE_URL": m.vendors.URL + "/openrouter/api/v1",
		"CIRCUIT_BREAKER_THRESHOLD": "1000", "CIRCUIT_BREAKER_COOLDOWN_SECS": "1", // every vendor stays in the race
	}}
	for _, name := range []string{"OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_AI_API_KEY", "OPENROUTER_API_KEY"} {
		w.env[name] = "simulated-" + strings.ToLower(name)
	}
	for k, v := range vars {
		w.env[k] = v
	}
	run(t, w.env, nil, "", "migrate", "up")
	var made struct {
		UserID   string `json:"user_id"`
		TenantID string `json:"tenant_id"`
		Key      string
	}
	run(t, w.env, &made, "nanoseconds of copper wire", "user", "create", "--email", "grace@example.com", "--password-stdin", "--json")
	w.user, w.tenant = made.UserID, made.TenantID
	run(t, w.env, &made, "", "key", "create", "--email", "grace@example.com", "--scope", "ai,router", "--json")
	w.key = made.Key
	return w
}

func start(t *testing.T, store string, vars map[string]string) *world {
	t.Helper()
	w := prepare(t, store, vars)
	w.process = serve(t, w.env)
	return w
}

// rows reads all calls, past the program, which has ended.
func (w *world) rows(t *testing.T) []outbound.Call {
	t.Helper()
	db, err := database.Open(t.Context(), database.Config{URL: secret.New(w.env["DATABASE_URL"]), DataDir: w.env["DATA_DIR"], Timeout: patience}, time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var out []outbound.Call
	before := ""
	for {
		page, err := database.NewUsage(db).Calls(t.Context(), w.tenant, outbound.CallFilter{Before: before, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return out
		}
		out = append(out, page...)
		before = page[len(page)-1].ID
	}
}

// holding looks for a text in every column of every table, past the program, and gives the tables that hold it.
func (w *world) holding(t *testing.T, text string) (tables []string, looked int) {
	t.Helper()
	driver, source, list := "sqlite", "file:"+w.env["DATA_DIR"]+"/"+database.DefaultFile+"?mode=ro", "SELECT name FROM sqlite_master WHERE type = 'table'"
	whole := func(table string) string { return fmt.Sprintf("SELECT * FROM %q", table) }
	if url := w.env["DATABASE_URL"]; url != "" {
		driver, source, list = "pgx", url, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
		whole = func(table string) string { return fmt.Sprintf("SELECT x::text FROM %q AS x", table) }
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, table := range texts(t, db, list) {
		looked++
		if strings.Contains(strings.Join(texts(t, db, whole(table)), "\n"), text) {
			tables = append(tables, table)
		}
	}
	return tables, looked
}

// texts gives the rows of a query, each as text.
func texts(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(context.WithoutCancel(t.Context()), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var line []string
		for _, v := range values {
			line = append(line, v.String)
		}
		out = append(out, strings.Join(line, "\x1f"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
