package database_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/ports/outbound"
)

// errUndo ends a transaction that is only looked at.
var errUndo = errors.New("undo")

// refused fails the test unless the audit log refused a statement. It runs in a transaction of its own, after what prepares it.
func refused(t *testing.T, db *database.DB, statement string, prepare ...string) {
	t.Helper()
	err := db.DoSQL(t.Context(), func(_ context.Context, _ outbound.Repos, exec func(string) error) error {
		for _, p := range prepare {
			if err := exec(p); err != nil {
				t.Errorf("%s: %v", p, err)
			}
		}
		if err := exec(statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s, after %q: got %v, want a refusal", statement, prepare, err)
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		t.Errorf("%s: %v", statement, err)
	}
}

// allow is what a sweep says before it deletes lines from before a time.
func allow(db *database.DB, before time.Time) string {
	if db.Kind() == "postgres" {
		return "SELECT set_config('forge1.audit_sweep', '" + before.Format(time.RFC3339Nano) + "', true)"
	}
	return fmt.Sprint("INSERT INTO audit_sweep (before) VALUES (", before.UnixMicro(), ")")
}

func noteAt(t *testing.T, db *database.DB, name string, at time.Time) {
	t.Helper()
	if err := db.View().Audit.Append(t.Context(), event.Noted{Name: name, Tenant: "t", At: at}); err != nil {
		t.Fatalf("append: %v", err)
	}
}

// changes are the statements that no one may run on the audit log.
func changes(db *database.DB) []string {
	statements := []string{
		"UPDATE audit_log SET event = 'x'", "UPDATE audit_log SET reason = '' WHERE event = 'old'",
		"INSERT INTO audit_log SELECT * FROM audit_log WHERE true ON CONFLICT (id) DO UPDATE SET event = 'x'",
	}
	if db.Kind() == "postgres" {
		return append(statements, "TRUNCATE audit_log", "TRUNCATE users, audit_log CASCADE")
	}
	return append(statements, "INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log", "REPLACE INTO audit_log SELECT * FROM audit_log",
		"UPDATE OR REPLACE audit_log SET id = (SELECT max(id) FROM audit_log)")
}

// deletes are those that a sweep may run, on what is old.
var deletes = []string{"DELETE FROM audit_log", "DELETE FROM audit_log WHERE event = 'new'", "DELETE FROM audit_log WHERE id = (SELECT max(id) FROM audit_log)"}

func TestTheAuditLogIsAppendOnly(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, db *database.DB) {
		migrate(t, db)
		noteAt(t, db, "old", now().Add(-time.Hour))
		noteAt(t, db, "new", now())
		for _, s := range append(changes(db), deletes...) {
			refused(t, db, s)
		}
		// Not even within a sweep may a line change, or a newer one go.
		for _, s := range append(changes(db), deletes...) {
			refused(t, db, s, allow(db, now()))
		}
		refused(t, db, "DELETE FROM audit_log WHERE event = 'old'", allow(db, now().Add(-time.Hour)))
		// What a sweep may do ends with it, in its own transaction and in those after.
		err := db.DoSQL(t.Context(), func(ctx context.Context, repos outbound.Repos, exec func(string) error) error {
			if n, err := repos.Audit.Sweep(ctx, now()); n != 1 || err != nil {
				t.Errorf("sweep: %d, %v; want the old line", n, err)
			}
			if err := exec("DELETE FROM audit_log"); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("a delete after a sweep in one transaction: got %v, want a refusal", err)
			}
			return errUndo
		})
		if !errors.Is(err, errUndo) {
			t.Errorf("do: %v", err)
		}
		if n, err := db.View().Audit.Sweep(t.Context(), now()); n != 1 || err != nil {
			t.Errorf("sweep: %d, %v; want the old line", n, err)
		}
		noteAt(t, db, "old", now().Add(-time.Hour))
		refused(t, db, "DELETE FROM audit_log WHERE event = 'old'")
		if n := len(auditOf(db)(t)); n != 2 {
			t.Errorf("%d lines in the audit log, want 2", n)
		}
	})
}

// TestTheRoleOfTheProgramCannotChangeTheAuditLog does the same as one who may do everything with the rows and nothing else.
func TestTheRoleOfTheProgramCannotChangeTheAuditLog(t *testing.T) {
	t.Parallel()
	db := migrate(t, postgres(t))
	noteAt(t, db, "old", now().Add(-time.Hour))
	noteAt(t, db, "new", now())
	role := "forge_test_app_" + strings.ToLower(rand.Text()) // roles are of the server, not of the database
	run := func(statement string) {
		t.Helper()
		if _, err := db.SQL().ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
	run("CREATE ROLE " + role + " NOSUPERUSER")
	t.Cleanup(func() { run("DROP OWNED BY " + role + "; DROP ROLE " + role) })
	run("GRANT ALL ON ALL TABLES IN SCHEMA public TO " + role)
	as := "SET LOCAL ROLE " + role
	for _, s := range append(changes(db), deletes...) {
		refused(t, db, s, as)
	}
	for _, s := range []string{
		"SET LOCAL session_replication_role = replica", "ALTER TABLE audit_log DISABLE TRIGGER ALL", "DROP TRIGGER audit_log_no_delete ON audit_log",
		"DROP TABLE audit_log", "CREATE OR REPLACE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
	} {
		err := db.DoSQL(t.Context(), func(_ context.Context, _ outbound.Repos, exec func(string) error) error {
			if err := exec(as); err != nil {
				t.Error(err)
			}
			if exec(s) == nil {
				t.Errorf("the role of the program may run %s", s)
			}
			return errUndo
		})
		if !errors.Is(err, errUndo) {
			t.Errorf("%s: %v", s, err)
		}
	}
	err := db.DoSQL(t.Context(), func(ctx context.Context, repos outbound.Repos, exec func(string) error) error {
		if err := exec(as); err != nil {
			return err
		}
		n, err := repos.Audit.Sweep(ctx, now())
		if n != 1 {
			t.Errorf("the role of the program swept %d, want 1", n)
		}
		return err
	})
	if err != nil {
		t.Errorf("sweep: %v", err)
	}
}

// TestASweepOfManyIsDoneInParts fills what is swept with more than one statement deletes.
func TestASweepOfManyIsDoneInParts(t *testing.T) {
	t.Parallel()
	const many = 2*database.SweepBatch + 1
	everyStore(t, func(t *testing.T, db *database.DB) {
		migrate(t, db)
		old, fresh := "'2020-01-01Z'", "'2026-01-01Z'"
		series, blob, detail := fmt.Sprint("generate_series(1, ", many+3, ") AS s (n)"), `'\x00'::bytea`, "'{}'::jsonb"
		if db.Kind() == "sqlite" {
			old, fresh = "1577836800000000", "1767225600000000"
			series, blob, detail = fmt.Sprint("(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ", many+3, ") SELECT n FROM s)"), "x'00'", "'{}'"
		}
		when := fmt.Sprintf("CASE WHEN n > %d THEN %s ELSE %s END", many, fresh, old)
		if db.Kind() == "postgres" {
			when = "(" + when + ")::timestamptz"
		}
		for _, s := range []string{
			"INSERT INTO audit_log SELECT 'id' || n, " + when + ", 'e', '', '', '', 't', '', '', '', '', '', '', " + detail + " FROM " + series,
			"INSERT INTO outbox SELECT 'id' || n, NULL, " + blob + ", " + when + ", " + when + ", 0, " + when + " FROM " + series,
		} {
			if _, err := db.SQL().ExecContext(t.Context(), s); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
		deleted := 0
		watched := db.Watched(func(statement string) {
			if strings.HasPrefix(statement, "DELETE FROM \"audit_log\"") || strings.HasPrefix(statement, "DELETE FROM \"outbox\"") {
				deleted++
			}
		})
		bound := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
		for what, sweep := range map[string]func(outbound.Repos) (int, error){
			"audit log": func(r outbound.Repos) (int, error) { return r.Audit.Sweep(t.Context(), bound) },
			"outbox":    func(r outbound.Repos) (int, error) { return r.Outbox.Sweep(t.Context(), bound) },
		} {
			deleted = 0
			if n, err := sweep(watched.View()); n != many || err != nil || deleted != 3 {
				t.Errorf("%s: swept %d by %d statements, %v; want %d by 3", what, n, deleted, err, many)
			}
			if n, err := sweep(watched.View()); n != 0 || err != nil {
				t.Errorf("%s, again: swept %d, %v; want none", what, n, err)
			}
		}
		if n := len(auditOf(db)(t)); n != 3 {
			t.Errorf("%d lines are left, want 3", n)
		}
	})
}
