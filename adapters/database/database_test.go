package database_test

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
	"github.com/forge1/forge1/test/pgtest"
)

// now is a clock that stands still.
func now() time.Time { return time.Date(2026, time.November, 23, 12, 0, 0, 987654000, time.UTC) }

var ids atomic.Int64

func newID() string { return fmt.Sprintf("01935b00-0000-7000-8000-%012x", ids.Add(1)) }

// patience is long: the suites run many transactions at once on a machine that does other things too.
const patience = time.Minute

func open(t testing.TB, c database.Config) *database.DB {
	t.Helper()
	if c.Timeout == 0 {
		c.Timeout = patience
	}
	db, err := database.Open(t.Context(), c, now, newID)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func migrate(t testing.TB, db *database.DB) *database.DB {
	t.Helper()
	if _, err := database.NewMigrator(db, database.MigratorConfig{}).Up(context.WithoutCancel(t.Context())); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return db
}

// stores are the databases that every suite runs on. empty opens one without schema; migrated gives what opens empty ones with it, all tests of a
// suite one after the other.
var stores = map[string]struct {
	kind     string
	empty    func(t testing.TB) *database.DB
	migrated func(suite testing.TB) func(t testing.TB) *database.DB
}{
	"SQLite": {"sqlite", lite, func(testing.TB) func(testing.TB) *database.DB {
		return func(t testing.TB) *database.DB { return migrate(t, lite(t)) }
	}},
	"SQLite in a folder with an odd name": {"sqlite", oddlyNamed, func(testing.TB) func(testing.TB) *database.DB {
		return func(t testing.TB) *database.DB { return migrate(t, oddlyNamed(t)) }
	}},
	"Postgres": {"postgres", postgres, migratedPostgres},
}

func lite(t testing.TB) *database.DB { return open(t, database.Config{DataDir: t.TempDir()}) }

func postgres(t testing.TB) *database.DB {
	return open(t, database.Config{URL: secret.New(pgtest.URL(t))})
}

// migratedPostgres makes one database for a suite, and empties it for each test, which is much faster than making one for each.
func migratedPostgres(suite testing.TB) func(t testing.TB) *database.DB {
	url := secret.New(pgtest.URL(suite))
	migrate(suite, open(suite, database.Config{URL: url}))
	return func(t testing.TB) *database.DB {
		t.Helper()
		db := open(t, database.Config{URL: url})
		// The role of a replica passes by the trigger that keeps the audit log.
		_, err := db.SQL().ExecContext(t.Context(), `BEGIN; SET LOCAL session_replication_role = replica; TRUNCATE users, registrations, tenants,
			memberships, auth_sessions, api_keys, outbox, audit_log, routing_policies, ai_calls, ai_attempts, routing_decisions, routing_sheets, user_totp, user_totp_pending, recovery_codes, one_time_tokens,
			invites, signing_keys, kept_responses; COMMIT`)
		if err != nil {
			t.Fatalf("empty the database: %v", err)
		}
		return db
	}
}

// oddlyNamed opens a file whose path needs quoting in a URL and in SQLite's URI, and is allowed on every system.
func oddlyNamed(t testing.TB) *database.DB {
	path := filepath.ToSlash(filepath.Join(t.TempDir(), "my data #1 100% ü&=+;'", "forge 1.db"))
	u := url.URL{Scheme: "sqlite", Path: path}
	return open(t, database.Config{URL: secret.New(u.String())})
}

// each runs a suite on every database.
func each(t *testing.T, run func(t *testing.T, new func(t *testing.T) conformance.Store)) {
	for name, s := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			migrated := s.migrated(t)
			run(t, func(t *testing.T) conformance.Store {
				db := migrated(t)
				return conformance.Store{Tx: db, Audit: auditOf(db)}
			})
		})
	}
}

// auditOf reads the audit log past the ports.
func auditOf(db *database.DB) func(t *testing.T) []conformance.Audited {
	return func(t *testing.T) []conformance.Audited {
		t.Helper()
		rows, err := db.SQL().QueryContext(t.Context(), `SELECT at, event, actor_id, subject_id, tenant_id, session_id, key_id, reason, request_id, trace_id,
			ip, user_agent FROM audit_log ORDER BY id`)
		if err != nil {
			t.Fatalf("read the audit log: %v", err)
		}
		defer rows.Close()
		var out []conformance.Audited
		for rows.Next() {
			var (
				a  conformance.Audited
				at any
			)
			if err := rows.Scan(&at, &a.Event, &a.Actor, &a.Subject, &a.Tenant, &a.Session, &a.Key, &a.Reason, &a.RequestID, &a.TraceID, &a.IP, &a.UA); err != nil {
				t.Fatalf("read the audit log: %v", err)
			}
			switch at := at.(type) {
			case int64:
				a.At = time.UnixMicro(at).UTC()
			case time.Time:
				a.At = at.UTC()
			}
			out = append(out, a)
		}
		if err := rows.Err(); err != nil {
			t.Fatalf("read the audit log: %v", err)
		}
		return out
	}
}

func TestTx(t *testing.T)            { each(t, conformance.Tx) }
func TestUsers(t *testing.T)         { each(t, conformance.Users) }
func TestRegistrations(t *testing.T) { each(t, conformance.Registrations) }
func TestTenants(t *testing.T)       { each(t, conformance.Tenants) }
func TestSessions(t *testing.T)      { each(t, conformance.Sessions) }
func TestAPIKeys(t *testing.T)       { each(t, conformance.APIKeys) }
func TestOutbox(t *testing.T)        { each(t, conformance.Outbox) }
func TestFactors(t *testing.T)       { each(t, conformance.Factors) }
func TestOneTimeTokens(t *testing.T) { each(t, conformance.OneTimeTokens) }
func TestInvites(t *testing.T)       { each(t, conformance.Invites) }
func TestSigningKeys(t *testing.T)   { each(t, conformance.SigningKeys) }
func TestAuditLog(t *testing.T)      { each(t, conformance.AuditLog) }

func TestCalls(t *testing.T)     { eachCallStore(t, conformance.Calls) }
func TestUsage(t *testing.T)     { eachCallStore(t, conformance.Usage) }
func TestDecisions(t *testing.T) { eachCallStore(t, conformance.Decisions) }

// eachCallStore runs a suite on every database.
func eachCallStore(t *testing.T, run func(t *testing.T, new func(t *testing.T) conformance.CallStore)) {
	for name, s := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			migrated := s.migrated(t)
			run(t, func(t *testing.T) conformance.CallStore {
				db := migrated(t)
				return conformance.CallStore{Calls: database.NewCalls(db), Usage: database.NewUsage(db), Decisions: database.NewDecisions(db)}
			})
		})
	}
}

func TestKeptResponses(t *testing.T) {
	for name, s := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			migrated := s.migrated(t)
			conformance.KeptResponses(t, func(t *testing.T) outbound.KeptResponses { return database.NewKeptResponses(migrated(t)) })
		})
	}
}

func TestPolicies(t *testing.T) {
	for name, s := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			migrated := s.migrated(t)
			conformance.Policies(t, func(t *testing.T) conformance.PolicyStore {
				db := migrated(t)
				return conformance.PolicyStore{Policies: database.NewPolicies(db, routing.Defaults{Order: conformance.KnownProviders()}), Audit: auditOf(db)}
			})
		})
	}
}

func TestDatabase(t *testing.T) {
	for name, s := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conformance.Database(t, s.kind, func(t *testing.T) (outbound.Database, func(context.Context) error) {
				db := s.empty(t)
				return db, func(ctx context.Context) error {
					_, err := database.NewMigrator(db, database.MigratorConfig{}).Up(ctx)
					return err
				}
			})
		})
	}
}
