package housekeeping_test

import (
	"bytes"
	"context"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/application/housekeeping"
	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

const (
	ada   = "ada@example.com"
	day   = 24 * time.Hour
	round = 11 * time.Minute
)

// running runs a worker in the bubble until the function returned is called.
func running(t *testing.T, w *identity.World, log *bytes.Buffer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	worker := housekeeping.New(housekeeping.Deps{
		Tx: w.Faults, Calls: database.NewCalls(w.DB), Decisions: database.NewDecisions(w.DB), Responses: database.NewKeptResponses(w.DB), Clock: w.Clock.Now, Log: slog.New(slog.NewTextHandler(log, nil)),
		Config: housekeeping.Config{AuditRetention: 400 * day, CallsRetention: 300 * day, DecisionRetention: 35 * day},
	})
	go func() { ended <- worker.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	}
}

func TestRegistrationsThatNobodyCompletedAreSweptWhenTheyCountNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := identity.New(t)
		defer running(t, w, &bytes.Buffer{})()
		w.Register(t, inbound.Register{Email: ada})
		w.User(t, "bob@example.com", "")
		// A row that only counts the mail.
		_, err := w.Auth.Register(t.Context(), inbound.Register{Email: "bob@example.com", Password: secret.New(identity.Password), Origin: identity.Somewhere()})
		if err != nil {
			t.Fatal(err)
		}
		long := w.Clock.Now().Add(-time.Hour)
		rows := func(email string) int {
			made, _, err := w.DB.View().Registrations.Since(t.Context(), email, long, w.Clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			return made
		}
		for _, step := range []struct {
			after    time.Duration
			ada, bob int
		}{{time.Hour, 1, 1}, {time.Minute, 1, 0}, {23 * time.Hour, 1, 0}, {time.Hour, 0, 0}} {
			w.Clock.Advance(step.after)
			time.Sleep(round)
			if a, b := rows(ada), rows("bob@example.com"); a != step.ada || b != step.bob {
				t.Errorf("%v later: %d and %d rows, want %d and %d", step.after, a, b, step.ada, step.bob)
			}
		}
	})
}

// counts are how many rows each table has.
func counts(t *testing.T, w *identity.World) map[string]int {
	t.Helper()
	out := map[string]int{}
	for table, n := range w.Rows(t, "one_time_tokens", "invites", "auth_sessions", "api_keys", "outbox", "audit_log", "ai_calls", "ai_attempts",
		"routing_decisions", "routing_sheets", "kept_responses") {
		out[table] = n
	}
	return out
}

func TestEveryTableIsBoundedByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := identity.New(t)
		owner := w.Owner(t, ada) // the session of it expires
		ended := w.Login(t, ada)
		if err := w.Auth.EndSession(t.Context(), owner, ended.SessionID); err != nil {
			t.Fatal(err)
		}
		if err := w.Auth.RequestReset(inbound.WithOrigin(t.Context(), identity.Somewhere()), ada); err != nil {
			t.Fatal(err)
		}
		w.Letters(t)
		w.Invite(t, owner, "guest@example.com", "member") // all letters are taken away
		if _, err := w.APIKey.Create(t.Context(), owner, inbound.CreateKey{Name: "k", ExpiresAt: w.Clock.Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		err := w.DB.View().Audit.Append(outbound.WithActor(t.Context(), outbound.Actor{TenantID: "x"}), event.Noted{Name: "something", At: w.Clock.Now()})
		if err != nil {
			t.Fatal(err)
		}
		call := outbound.Call{ID: "01935a00-0000-7000-8000-000000000001", CreatedAt: w.Clock.Now(), Attempts: make([]outbound.CallAttempt, 2), Decision: &outbound.Decision{ID: "01935a00-0000-7000-8000-000000000001", CreatedAt: w.Clock.Now()}}
		sheets := []outbound.Sheet{{ID: "s", CreatedAt: w.Clock.Now()}}
		if err := database.NewCalls(w.DB).Append(t.Context(), outbound.Batch{Calls: []outbound.Call{call}, Sheets: sheets}); err != nil {
			t.Fatal(err)
		}
		const more = 1001 // than are taken at once
		for i := range more {
			r := outbound.SealedResponse{TenantID: "x", ID: strconv.Itoa(i), CreatedAt: w.Clock.Now(), ExpiresAt: w.Clock.Now().Add(2 * day), Sealed: []byte("x")}
			if err := database.NewKeptResponses(w.DB).Add(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		var log bytes.Buffer
		defer running(t, w, &log)()
		synctest.Wait()
		first := counts(t, w)
		for _, c := range []struct {
			name  string
			after time.Duration
			gone  map[string]int // how many rows of a table have gone since the beginning
		}{
			{"an hour and a half", 90 * time.Minute, map[string]int{}},
			{"a minute more", time.Minute, map[string]int{"one_time_tokens": 1}},
			{"three days", 3 * day, map[string]int{"kept_responses": more, "one_time_tokens": 1, "invites": 1}},
			{"a month after what ended", 27 * day, map[string]int{"kept_responses": more, "one_time_tokens": 1, "invites": 1, "auth_sessions": 1, "api_keys": 1, "outbox": first["outbox"]}},
			{"a month after what expired", 7 * day, map[string]int{"kept_responses": more, "one_time_tokens": 1, "invites": 1, "auth_sessions": 2, "api_keys": 1, "outbox": first["outbox"], "routing_decisions": 1, "routing_sheets": 1}},
			{"400 days", 363 * day, map[string]int{
				"kept_responses": more, "one_time_tokens": 1, "invites": 1, "auth_sessions": 2, "api_keys": 1, "outbox": first["outbox"], "audit_log": first["audit_log"],
				"routing_decisions": 1, "routing_sheets": 1, "ai_calls": 1, "ai_attempts": 2,
			}},
		} {
			w.Clock.Advance(c.after)
			time.Sleep(round)
			for table, n := range counts(t, w) {
				if got := first[table] - n; got != c.gone[table] {
					t.Errorf("%s: %d rows of %s have gone, want %d", c.name, got, table, c.gone[table])
				}
			}
		}
		synctest.Wait()
		for _, want := range []string{"what=sessions rows=1", `what="audit log"`, "what=calls rows=1", "what=decisions rows=2", "what=invitations rows=1", "what=responses rows=1001"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("no %q in the log", want)
			}
		}
	})
}

func TestWhatCannotBeSweptIsLeftForTheNextRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := identity.New(t)
		w.Register(t, inbound.Register{Email: ada})
		w.Clock.Advance(25*time.Hour + time.Minute)
		tripped := w.Faults.Trip(1, context.DeadlineExceeded)
		var log bytes.Buffer
		stop := running(t, w, &log)
		synctest.Wait()
		if !tripped() || !strings.Contains(log.String(), "cannot be swept") || w.Rows(t, "registrations")["registrations"] != 1 {
			t.Errorf("the log says %s", log.String())
		}
		time.Sleep(round)
		stop()
		if n := w.Rows(t, "registrations")["registrations"]; n != 0 {
			t.Errorf("%d registrations after the next round", n)
		}
	})
}

func TestAWorkerThatEndsSweepsNoMore(t *testing.T) {
	w := identity.New(t)
	w.Register(t, inbound.Register{Email: ada})
	w.Clock.Advance(48 * time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var log bytes.Buffer
	worker := housekeeping.New(housekeeping.Deps{Tx: w.DB, Calls: database.NewCalls(w.DB), Decisions: database.NewDecisions(w.DB), Responses: database.NewKeptResponses(w.DB), Clock: w.Clock.Now, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err := worker.Run(ctx); err != nil || log.Len() != 0 || w.Rows(t, "registrations")["registrations"] != 1 {
		t.Errorf("got %v, and the log says %s", err, log.String())
	}
}
