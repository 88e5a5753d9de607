package database_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/ports/outbound"
)

// callsBefore are calls as the version before the migration of usage kept them.
const callsBefore = `INSERT INTO calls VALUES
	('c1', %[1]s, 'eu', 't', 'u', 'k', 's', 'trace', 'execute', 'general', 'auto', 'claude', 'm', 'm-1', 'ok', 1, 2, 3, 4, 5, 'provider', 6, 7, 8, 'miss', true, 'd1',
		'{"b": 1,  "a":"é"}', '[{"Provider":"openai","Model":"x","Credential":"c","Outcome":"timeout","LatencyMs":9},{"Provider":"claude","Model":"m","Credential":"","Outcome":"ok","LatencyMs":7}]',
		'["a","b"]', 'e'),
	('c2', %[1]s, '', 't', 'u', '', '', '', 'execute', 'general', 'auto', 'claude', 'm', '', 'ok', 0, 0, 0, 0, 0, 'cache', NULL, 1, 0, 'hit', false, 'd1', '', '[]', '[]', ''),
	('c3', %[1]s, '', 'other', 'u', '', '', '', 'execute', 'general', 'auto', '', '', '', 'provider_error', 0, 0, 0, 0, 0, '', NULL, 1, 0, '', false, '', '', 'null', '[]', '')`

// rowsOf reads a whole table as text.
func rowsOf(t *testing.T, db *database.DB, query string) []string {
	t.Helper()
	rows, err := db.SQL().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
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
		out = append(out, fmt.Sprint(values))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCallsAreCarriedOver brings calls of the version before up and down by the migration of usage, twice.
func TestCallsAreCarriedOver(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, db *database.DB) {
		steps, err := migrator(db).Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range steps {
			names = append(names, s.Name)
		}
		n := slices.Index(names, "20261124000003_usage")
		if _, err := migrator(db).WithFiles(upTo(t, db, names, n)).Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		made := "1780000000123456"
		if db.Kind() == "postgres" {
			made = "'epoch'::timestamptz + " + made + " * interval '1 microsecond'"
		}
		text := fmt.Sprintf(callsBefore, made)
		if _, err := db.SQL().ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		scalars := "SELECT id, created_at, region, session_id, requested_model, served_model, outcome, input_tokens, reasoning, cost_nanos, first_byte_ms, stream, decision_id, tags, end_user FROM calls ORDER BY id"
		before := rowsOf(t, db, scalars)
		for _, way := range []string{"up", "up again"} {
			if _, err := migrator(db).WithFiles(upTo(t, db, names, n+1)).Up(t.Context()); err != nil {
				t.Fatalf("%s: %v", way, err)
			}
			wantCarriedOver(t, db, way)
			if _, err := migrator(db).WithFiles(upTo(t, db, names, n+1)).Down(t.Context(), 1); err != nil {
				t.Fatalf("down after %s: %v", way, err)
			}
			if d := cmp.Diff(before, rowsOf(t, db, scalars)); d != "" {
				t.Errorf("the calls after %s and down (-before +after):\n%s", way, d)
			}
			got := rowsOf(t, db, "SELECT decision FROM calls ORDER BY id")
			if want := `[{{"b": 1,  "a":"é"} true}]`; got[0] != want || got[2] != "[{ true}]" {
				t.Errorf("the decisions after %s and down are %q", way, got)
			}
		}
	})
}

func wantCarriedOver(t *testing.T, db *database.DB, way string) {
	t.Helper()
	cost := int64(6)
	at := time.UnixMicro(1780000000123456).UTC()
	got, err := database.NewUsage(db).Calls(t.Context(), "t", outbound.CallFilter{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	want := []outbound.Call{{
		ID: "c2", CreatedAt: at, TenantID: "t", UserID: "u", Surface: "execute", TaskType: "general", RequestedModel: "auto", Provider: "claude", Model: "m", Outcome: "ok",
		UsageSource: "cache", LatencyMs: 1, Cache: "hit", DecisionID: "d1", Tags: []string{},
	}, {
		ID: "c1", CreatedAt: at, Region: "eu", TenantID: "t", UserID: "u", KeyID: "k", SessionID: "s", TraceID: "trace", Surface: "execute", TaskType: "general",
		RequestedModel: "auto", Provider: "claude", Model: "m", ServedModel: "m-1", Outcome: "ok", InputTokens: 1, OutputTokens: 2, CachedTokens: 3, CacheWrite: 4,
		Reasoning: 5, UsageSource: "provider", CostNanos: &cost, LatencyMs: 7, FirstByteMs: 8, Cache: "miss", Stream: true, DecisionID: "d1",
		Attempts: []outbound.CallAttempt{
			{Provider: "openai", Model: "x", Credential: "c", Outcome: "timeout", LatencyMs: 9}, {Provider: "claude", Model: "m", Outcome: "ok", LatencyMs: 7},
		},
		Tags: []string{"a", "b"}, EndUser: "e",
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: the calls (-want +got):\n%s", way, d)
	}
	decision, err := database.NewDecisions(db).Find(t.Context(), "t", "d1")
	if err != nil {
		t.Fatal(err)
	}
	kept := outbound.Decision{
		ID: "d1", TenantID: "t", CreatedAt: at, TaskType: "general", Provider: "claude", Model: "m", Outcome: "ok", Shown: []byte(`{"b": 1,  "a":"é"}`), Inputs: []byte{},
	}
	if d := cmp.Diff(kept, decision); d != "" {
		t.Errorf("%s: the decision (-want +got):\n%s", way, d)
	}
	sums, err := database.NewUsage(db).Summary(t.Context(), "other", outbound.UsageQuery{By: []outbound.UsageDimension{outbound.ByTag}, Limit: 5})
	if err != nil || len(sums) != 1 || sums[0].Calls != 1 {
		t.Errorf("%s: the sums of a call without tags are %+v, %v", way, sums, err)
	}
}

// TestWhatTheVersionBeforeDoesNotKnowOfAnAttemptComesBack goes down and up with attempts that have tokens and cost of their own.
func TestWhatTheVersionBeforeDoesNotKnowOfAnAttemptComesBack(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, db *database.DB) {
		migrate(t, db)
		cost, id := int64(5_000_000_001), newID()
		want := []outbound.Call{{
			ID: id, CreatedAt: now().Truncate(time.Microsecond), TenantID: "t", Outcome: "ok", Tags: []string{}, Attempts: []outbound.CallAttempt{
				{StartedAt: now().Add(-time.Second).Truncate(time.Microsecond), Provider: "p", Outcome: "ok", InputTokens: 1, OutputTokens: 2, CachedTokens: 3, CacheWrite: 4, Reasoning: 5, CostNanos: &cost, FirstByteMs: 6, UsageSource: "x", ServedModel: "s"},
				{Provider: "q"},
			},
		}}
		if err := database.NewCalls(db).Append(t.Context(), outbound.Batch{Calls: want}); err != nil {
			t.Fatal(err)
		}
		steps := 0
		for ctx := context.WithoutCancel(t.Context()); ; steps++ {
			names, err := migrator(db).Down(ctx, 1)
			if err != nil {
				t.Fatal(err)
			}
			if names[0] == "20261124000003_usage" {
				break
			}
		}
		migrate(t, db)
		got, err := database.NewUsage(db).Calls(t.Context(), "t", outbound.CallFilter{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("after down by %d and up (-want +got):\n%s", steps+1, d)
		}
	})
}
