package database_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// fill makes tables of the size at which a plan matters. User n is u<n>, in tenant t<n % 50>, with session s<n>.
const fill = `
INSERT INTO users SELECT 'u' || n, 'u' || n || '@x.y', 'u' || n || '@x.y', 'name' || n, '', 'active', false, 1, 'h', w.at, n % 3 = 0, w.at, '' FROM n, w;
INSERT INTO tenants SELECT 't' || n, 't' || n, 't' || n, true, w.at FROM n, w;
INSERT INTO memberships SELECT 't' || (1 + n % 50), 'u' || n, 'member', w.at FROM n, w;
INSERT INTO auth_sessions SELECT 's' || n, 'u' || n, 't' || (1 + n % 50), 1, '\x00', 1, w.at, w.at, w.at + n * interval '1 minute', w.at + n * interval '1 hour',
	CASE WHEN n % 2 = 0 THEN w.at + n * interval '1 second' END, '', '[]', w.at, '', '' FROM n, w;
INSERT INTO api_keys SELECT 'k' || n, 't' || (1 + n % 50), 'u' || n, '', '\x00', '[]', w.at, NULL, NULL, NULL FROM n, w;
INSERT INTO user_totp SELECT 'u' || n, '\x00', 1, 0, w.at FROM n, w;
INSERT INTO user_totp_pending SELECT 'u' || n, 's', 's', '\x00', '[]', w.at FROM n, w WHERE n % 10 = 0;
INSERT INTO recovery_codes SELECT 'u' || n, m, 1, '\x00', NULL FROM n, generate_series(0, 9) AS m WHERE n % 10 = 0;
INSERT INTO one_time_tokens SELECT 'o' || n, 'reset', sha256(('o' || n)::bytea), 'u' || n, 1, w.at, w.at + n * interval '1 minute', NULL FROM n, w;
INSERT INTO invites SELECT 'i' || n, 't' || (1 + n % 50), 'e' || n, 'e' || n, 'member', sha256(('i' || n)::bytea), 'u', w.at, w.at + n * interval '1 minute' FROM n, w;
INSERT INTO registrations SELECT 'r' || n, 'e' || n, 'e' || n, '', '', '', sha256(('r' || n)::bytea), '', '', w.at, w.at + n * interval '1 minute' FROM n, w;
INSERT INTO outbox SELECT 'm' || n, 'd' || n, '\x00', w.at, w.at + n * interval '1 minute', 0, CASE WHEN n % 10 > 0 THEN w.at + n * interval '1 minute' END FROM n, w;
INSERT INTO audit_log SELECT 'a' || lpad(n::text, 9, '0'), w.at + n * interval '1 minute', 'e' || n % 7, 'u' || n % 100, '', 'u' || n % 100, 't' || (1 + n % 50), '', '', '', '', '', '', '{}' FROM n, w;
INSERT INTO ai_calls SELECT id, w.at + n * interval '1 minute', '', 't' || (1 + n % 50), 'u' || n % 100, 'k' || n % 100, '', '', '', 'general',
	'auto', 'p' || n % 4, 'm' || n % 9, '', CASE WHEN n % 20 = 0 THEN 'provider_error' ELSE 'ok' END, 1, 1, 0, 0, 0, '', n, 1, 1, '', false, '', '["a", "b"]', 'e' || n % 100 FROM i, w;
INSERT INTO ai_attempts SELECT id, m, w.at, '', '', '', '', '', 1, 1, 1, 1, 0, 0, 0, '', n FROM i, w, generate_series(1, 2) AS m;
INSERT INTO routing_decisions SELECT id, 't' || (1 + n % 50), w.at + n * interval '1 minute', 'general', 'p' || n % 4, 'm' || n % 9, 'ok', 1, 's' || n, '', '{}', '{}'
	FROM i, w;
INSERT INTO routing_sheets SELECT 's' || n, w.at + n * interval '1 minute', '{}' FROM n, w;
INSERT INTO kept_responses SELECT 't' || (1 + n % 50), 'resp_' || n, w.at, w.at + n * interval '1 minute', '\x00' FROM n, w`

// uuids gives to each n an id that grows with the time of its row.
const uuids = `i AS (SELECT n, substr(h, 1, 8) || '-' || substr(h, 9) || '-7000-8000-' || lpad(n::text, 12, '0') AS id
	FROM n, w, LATERAL (SELECT lpad(to_hex((extract(epoch FROM w.at + n * interval '1 minute') * 1000)::bigint), 12, '0') AS h) AS hex) `

// uuidOf gives that id.
func uuidOf(n int) string {
	ms := fmt.Sprintf("%012x", time.Date(2026, 1, 1, 0, n, 0, 0, time.UTC).UnixMilli())
	return fmt.Sprintf("%s-%s-7000-8000-%012d", ms[:8], ms[8:], n)
}

func TestHotQueriesUseIndexes(t *testing.T) {
	t.Parallel()
	db := migrate(t, postgres(t))
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, statement := range strings.Split(fill, ";\n") {
		statement = "WITH n AS (SELECT n FROM generate_series(1, 10000) AS s (n)), w AS (SELECT '2026-01-01Z'::timestamptz AS at), " + uuids + strings.TrimSpace(statement)
		if _, err := db.SQL().ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if _, err := db.SQL().ExecContext(t.Context(), "ANALYZE"); err != nil {
		t.Fatal(err)
	}
	soon := begin.Add(time.Hour)
	terms := session.Terms{Idle: time.Hour, Absolute: time.Hour}
	audit := func(f outbound.AuditFilter, before string) func(context.Context, outbound.Repos) error {
		return func(ctx context.Context, r outbound.Repos) error {
			return second(r.Audit.List(ctx, "t7", f, before, 50))
		}
	}
	var none [32]byte
	tests := map[string]func(ctx context.Context, r outbound.Repos) error{
		"a user":            func(ctx context.Context, r outbound.Repos) error { return second(r.Users.Find(ctx, "u77")) },
		"a user by address": func(ctx context.Context, r outbound.Repos) error { return second(r.Users.FindByEmail(ctx, "u77@x.y")) },
		"a user by name": func(ctx context.Context, r outbound.Repos) error {
			return second(r.Users.FindByUsername(ctx, "name77"))
		},
		"a tenant":          func(ctx context.Context, r outbound.Repos) error { return second(r.Tenants.Find(ctx, "t7")) },
		"a user's tenants":  func(ctx context.Context, r outbound.Repos) error { return second(r.Tenants.OfUser(ctx, "u77")) },
		"a session":         func(ctx context.Context, r outbound.Repos) error { return second(r.Sessions.Find(ctx, "s77")) },
		"a user's sessions": func(ctx context.Context, r outbound.Repos) error { return second(r.Sessions.OfUser(ctx, "u77", begin)) },
		"an API key":        func(ctx context.Context, r outbound.Repos) error { return second(r.APIKeys.Find(ctx, "k77")) },
		"a factor":          func(ctx context.Context, r outbound.Repos) error { return second(r.Factors.Find(ctx, "u70")) },
		"a step":            func(ctx context.Context, r outbound.Repos) error { return second(r.Factors.UseStep(ctx, "u70", 9)) },
		"looking at a token": func(ctx context.Context, r outbound.Repos) error {
			return second(r.OneTime.Peek(ctx, "reset", none, soon))
		},
		"taking a token": func(ctx context.Context, r outbound.Repos) error {
			return second(r.OneTime.Take(ctx, "reset", none, soon))
		},
		"ending tokens":        func(ctx context.Context, r outbound.Repos) error { return r.OneTime.Drop(ctx, "reset", "u77", soon) },
		"a tenant's invites":   func(ctx context.Context, r outbound.Repos) error { return second(r.Invites.List(ctx, "t7", soon)) },
		"looking at an invite": func(ctx context.Context, r outbound.Repos) error { return second(r.Invites.Peek(ctx, none, soon)) },
		"what is due":          func(ctx context.Context, r outbound.Repos) error { return second(r.Outbox.Claim(ctx, soon, soon, 10)) },
		"counting tokens": func(ctx context.Context, r outbound.Repos) error {
			_, _, err := r.OneTime.Since(ctx, "reset", "u77", begin, soon)
			return err
		},
		"counting registrations": func(ctx context.Context, r outbound.Repos) error {
			_, _, err := r.Registrations.Since(ctx, "e77", begin, soon)
			return err
		},
		"refresh": func(ctx context.Context, r outbound.Repos) error {
			return r.Sessions.Update(ctx, "s77", func(on *session.Session) error { on.Advance("", "", terms, soon); return nil })
		},
		"a factor's change": func(ctx context.Context, r outbound.Repos) error {
			return r.Factors.Update(ctx, "u70", func(f *user.Factor) error { f.Fail(soon); return nil })
		},
		"taking an invite": func(ctx context.Context, r outbound.Repos) error {
			return r.Invites.Take(ctx, none, soon, func(*tenant.Invite) error { return nil })
		},
		"the removal of a user": func(ctx context.Context, r outbound.Repos) error {
			return r.Users.Remove(ctx, "u77", func(*user.User) error { return nil })
		},
		"audit":                  audit(outbound.AuditFilter{}, ""),
		"audit, a later page":    audit(outbound.AuditFilter{}, "a000005000"),
		"audit, of an event":     audit(outbound.AuditFilter{Event: "e3"}, ""),
		"audit, of an actor":     audit(outbound.AuditFilter{Actor: "u57"}, ""),
		"audit, of a subject":    audit(outbound.AuditFilter{Subject: "u57"}, ""),
		"audit, of a time":       audit(outbound.AuditFilter{From: soon, To: soon.Add(time.Hour)}, ""),
		"sweep of sessions":      func(ctx context.Context, r outbound.Repos) error { return second(r.Sessions.Sweep(ctx, soon)) },
		"sweep of tokens":        func(ctx context.Context, r outbound.Repos) error { return second(r.OneTime.Sweep(ctx, soon)) },
		"sweep of invites":       func(ctx context.Context, r outbound.Repos) error { return second(r.Invites.Sweep(ctx, soon)) },
		"sweep of registrations": func(ctx context.Context, r outbound.Repos) error { return second(r.Registrations.Sweep(ctx, soon)) },
		"sweep of sent mail":     func(ctx context.Context, r outbound.Repos) error { return second(r.Outbox.Sweep(ctx, soon)) },
		"sweep of the audit log": func(ctx context.Context, r outbound.Repos) error { return second(r.Audit.Sweep(ctx, soon)) },
	}
	for name, run := range tests {
		planned(t, db, name, func(db *database.DB) {
			_ = db.Do(t.Context(), func(ctx context.Context, r outbound.Repos) error {
				_ = run(ctx, r) // that nothing is found is fine: the plan is the same
				return errUndo
			})
		})
	}
	for name, run := range callQueries(begin) {
		planned(t, db, name, func(db *database.DB) {
			if err := run(t.Context(), db); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// callQueries are those of calls and decisions.
func callQueries(begin time.Time) map[string]func(context.Context, *database.DB) error {
	calls := func(f outbound.UsageFilter, before string) func(context.Context, *database.DB) error {
		return func(ctx context.Context, db *database.DB) error {
			return second(database.NewUsage(db).Calls(ctx, "t7", outbound.CallFilter{UsageFilter: f, Before: before, Limit: 50}))
		}
	}
	sums := func(f outbound.UsageFilter, by ...outbound.UsageDimension) func(context.Context, *database.DB) error {
		return func(ctx context.Context, db *database.DB) error {
			return second(database.NewUsage(db).Summary(ctx, "t7", outbound.UsageQuery{UsageFilter: f, By: by, Limit: 50}))
		}
	}
	decisions := func(f outbound.DecisionFilter) func(context.Context, *database.DB) error {
		f.Limit = 50
		return func(ctx context.Context, db *database.DB) error {
			return second(database.NewDecisions(db).List(ctx, "t7", f))
		}
	}
	hour := outbound.UsageFilter{From: begin, To: begin.Add(time.Hour)}
	return map[string]func(context.Context, *database.DB) error{
		"calls":               calls(outbound.UsageFilter{}, ""),
		"calls, a later page": calls(outbound.UsageFilter{}, uuidOf(5006)),
		"calls that failed":   calls(outbound.UsageFilter{Outcome: "provider_error"}, ""),
		"calls of a member":   calls(outbound.UsageFilter{UserID: "u57"}, ""),
		"calls of a time":     calls(hour, ""),
		"calls with a tag":    calls(outbound.UsageFilter{Tag: "a"}, ""),
		"sums":                sums(outbound.UsageFilter{}, outbound.ByDay),
		"sums of a time":      sums(hour, outbound.ByModel, outbound.ByMember),
		"sums of tags":        sums(hour, outbound.ByTag),
		"decisions":           decisions(outbound.DecisionFilter{}),
		"decisions of a time": decisions(outbound.DecisionFilter{From: begin, To: begin.Add(time.Hour)}),
		"decisions, a page":   decisions(outbound.DecisionFilter{Before: uuidOf(5006), Provider: "p1"}),
		"a decision": func(ctx context.Context, db *database.DB) error {
			return second(database.NewDecisions(db).Find(ctx, "t8", uuidOf(9007)))
		},
		"a sheet": func(ctx context.Context, db *database.DB) error {
			return second(database.NewDecisions(db).Sheet(ctx, "s9007"))
		},
		"sweep of calls": func(ctx context.Context, db *database.DB) error {
			return second(database.NewCalls(db).Sweep(ctx, begin.Add(time.Hour)))
		},
		"a response": func(ctx context.Context, db *database.DB) error {
			return second(database.NewKeptResponses(db).Find(ctx, "t8", "resp_9007", begin))
		},
		"the removal of a response": func(ctx context.Context, db *database.DB) error {
			return database.NewKeptResponses(db).Remove(ctx, "t8", "resp_9057", begin)
		},
		"sweep of responses": func(ctx context.Context, db *database.DB) error {
			return second(database.NewKeptResponses(db).Sweep(ctx, begin.Add(time.Hour), 1000))
		},
		"sweep of decisions": func(ctx context.Context, db *database.DB) error {
			return second(database.NewDecisions(db).Sweep(ctx, begin.Add(3*time.Hour)))
		},
	}
}

// planned runs queries and looks at the plan of each.
func planned(t *testing.T, db *database.DB, name string, run func(db *database.DB)) {
	t.Helper()
	var statements []string
	run(db.Watched(func(s string) { statements = append(statements, s) }))
	planned := 0
	for _, s := range statements {
		if strings.HasPrefix(s, "BEGIN") || strings.HasPrefix(s, "ROLLBACK") || strings.HasPrefix(s, "COMMIT") {
			continue
		}
		plan := explain(t, db, s)
		planned++
		if strings.Contains(plan, "Seq Scan") {
			t.Errorf("%s: a whole table is read.\n%s\n%s", name, s, plan)
		}
	}
	if planned == 0 {
		t.Errorf("%s: no statement was seen", name)
	}
}

func second[T any](_ T, err error) error { return err }

func explain(t *testing.T, db *database.DB, statement string) string {
	t.Helper()
	rows, err := db.SQL().QueryContext(t.Context(), "EXPLAIN "+statement)
	if err != nil {
		t.Fatalf("explain %s: %v", statement, err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(fmt.Errorf("explain: %w", err))
	}
	return strings.Join(lines, "\n")
}
