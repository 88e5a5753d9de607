package database_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/pgtest"
)

// short is the patience of tests in which it runs out; long enough for what must not run out on a busy machine.
const short = 2 * time.Second

func newUser(t testing.TB, name string) *user.User {
	t.Helper()
	u, err := user.New(user.ID(newID()), user.RestoreEmail(name+"@example.com", name+"@example.com"), user.RestoreUsername(name), "", "h", now())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func addUser(t testing.TB, db *database.DB, name string) *user.User {
	t.Helper()
	u := newUser(t, name)
	if err := db.View().Users.Add(t.Context(), u); err != nil {
		t.Fatalf("add user: %v", err)
	}
	return u
}

func endSessions(t testing.TB, db *database.DB, id user.ID) error {
	t.Helper()
	return db.View().Users.Update(t.Context(), id, func(u *user.User) error {
		u.EndSessions()
		return nil
	})
}

// wantFault fails the test unless an error is this fault and shows nothing of what lies behind it in its public part.
func wantFault(t *testing.T, what string, err error, want *fault.Error) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || !errors.Is(err, want) || f.Kind != want.Kind || f.Msg != want.Msg {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func TestAServerThatIsAwayIsADependency(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{"refuses": closedPort(t), "says nothing": silentServer(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t, database.Config{URL: secret.New("postgresql://ada:sesame@" + address + "/forge?sslmode=disable"), Timeout: 300 * time.Millisecond})
			ctx := t.Context()
			_, find := db.View().Users.Find(ctx, "x")
			_, pending := db.Pending(ctx)
			ran := false
			for what, err := range map[string]error{
				"ping": db.Ping(ctx), "pending": pending, "find": find,
				"do":     db.Do(ctx, func(context.Context, outbound.Repos) error { ran = true; return nil }),
				"append": database.NewCalls(db).Append(ctx, outbound.Batch{Calls: []outbound.Call{{ID: "x"}}}),
			} {
				wantFault(t, what, err, fault.ErrDependency)
				if strings.Contains(err.Error(), "sesame") {
					t.Errorf("%s: the error holds the password: %v", what, err)
				}
			}
			if ran {
				t.Error("do ran its work without a database")
			}
			caller, cancel := context.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			_, err := db.View().Users.Find(caller, "x")
			wantFault(t, "find by a caller with less patience", err, fault.ErrDependency)
		})
	}
}

func TestAServerThatStallsIsGivenUpAndUsedAgainLater(t *testing.T) {
	t.Parallel()
	direct := pgtest.URL(t)
	migrate(t, open(t, database.Config{URL: secret.New(direct)}))
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	proxy := newStallable(t, u.Host)
	u.Host = proxy.listener.Addr().String()
	db := open(t, database.Config{URL: secret.New(u.String()), Timeout: short, MaxConns: 1})
	ada := addUser(t, db, "ada")
	proxy.stall()
	_, err = db.View().Users.Find(t.Context(), ada.ID())
	wantFault(t, "find", err, fault.ErrDependency)
	if _, err := db.View().Users.Find(t.Context(), ada.ID()); err != nil {
		t.Errorf("find on a new connection: %v", err)
	}
	proxy.stall()
	wantFault(t, "update", endSessions(t, db, ada.ID()), fault.ErrDependency)
	if err := endSessions(t, db, ada.ID()); err != nil {
		t.Errorf("update on a new connection: %v", err)
	}
}

func TestAServerThatGoesIsADependencyUntilItIsBack(t *testing.T) {
	t.Parallel()
	db := migrate(t, postgres(t))
	ada := addUser(t, db, "ada")
	err := db.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		if err := repos.Users.Update(ctx, ada.ID(), func(u *user.User) error { u.EndSessions(); return nil }); err != nil {
			return err
		}
		// An administrator ends every connection of this database but the one that asks.
		if _, err := db.SQL().ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			return err
		}
		return repos.Users.Add(ctx, newUser(t, "bob"))
	})
	wantFault(t, "do", err, fault.ErrDependency)
	got, err := db.View().Users.Find(t.Context(), ada.ID())
	if err != nil {
		t.Fatalf("find once the server is back: %v", err)
	}
	if got.Epoch() != ada.Epoch() {
		t.Errorf("half of the transaction was kept: epoch %d, want %d", got.Epoch(), ada.Epoch())
	}
}

func TestALockThatIsHeldIsBusyAndNobodyElseWaits(t *testing.T) {
	t.Parallel()
	url := secret.New(pgtest.URL(t))
	db := migrate(t, open(t, database.Config{URL: url, Timeout: short}))
	ada, bob := addUser(t, db, "ada"), addUser(t, db, "bob")
	other, err := open(t, database.Config{URL: url}).SQL().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), "SELECT 1 FROM users WHERE id = '"+string(ada.ID())+"' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	wantFault(t, "update of the locked", endSessions(t, db, ada.ID()), fault.ErrBusy)
	if err := endSessions(t, db, bob.ID()); err != nil {
		t.Errorf("update of another: %v", err)
	}
	if _, err := db.View().Users.Find(t.Context(), ada.ID()); err != nil {
		t.Errorf("read of the locked: %v", err)
	}
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := endSessions(t, db, ada.ID()); err != nil {
		t.Errorf("update once the lock is gone: %v", err)
	}
}

func TestAWriterInAnotherProcessIsWaitedFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := migrate(t, open(t, database.Config{DataDir: dir, Timeout: short}))
	ada := addUser(t, db, "ada")
	other, err := open(t, database.Config{DataDir: dir}).SQL().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), "UPDATE users SET session_epoch = 7"); err != nil {
		t.Fatal(err)
	}
	wantFault(t, "update while another writes", endSessions(t, db, ada.ID()), fault.ErrBusy)
	got, err := db.View().Users.Find(t.Context(), ada.ID())
	if err != nil || got.Epoch() != ada.Epoch() {
		t.Errorf("read while another writes: %v; want epoch %d", err, ada.Epoch())
	}
	if err := other.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := endSessions(t, db, ada.ID()); err != nil {
		t.Errorf("update once the other is done: %v", err)
	}
	if got, err := db.View().Users.Find(t.Context(), ada.ID()); err != nil || got.Epoch() != 8 {
		t.Errorf("after both: %v; want epoch 8", err)
	}
}

// TestEventsSurviveASecondRun adds an aggregate that was made outside of the work, which hands out its events once, in work that is run again.
func TestEventsSurviveASecondRun(t *testing.T) {
	t.Parallel()
	db := migrate(t, postgres(t))
	ada, bob := newUser(t, "ada"), newUser(t, "bob")
	runs := 0
	err := db.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		runs++
		if err := repos.Users.Add(ctx, ada); err != nil {
			return err
		}
		if runs > 1 {
			return repos.Users.Add(ctx, bob)
		}
		return &pgconn.PgError{Code: "40001"} // serialization_failure
	})
	if err != nil || runs != 2 {
		t.Fatalf("do: %d runs, %v; want 2 and no error", runs, err)
	}
	var got []string
	for _, a := range auditOf(db)(t) {
		got = append(got, a.Event+" "+a.Subject)
	}
	want := []string{"user_verified " + string(ada.ID()), "user_verified " + string(bob.ID())}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("the audit log: got %v, want %v", got, want)
	}
}

func TestWorkThatAlwaysMeetsOthersIsBusy(t *testing.T) {
	t.Parallel()
	db := migrate(t, postgres(t))
	runs := 0
	err := db.Do(t.Context(), func(context.Context, outbound.Repos) error {
		runs++
		return &pgconn.PgError{Code: "40P01"} // deadlock_detected
	})
	wantFault(t, "do", err, fault.ErrBusy)
	if runs < 2 || runs > 20 {
		t.Errorf("%d runs, want a few", runs)
	}
}

// TestARowWithoutItsParentsIsNotKept stands for every foreign key: what a user or a tenant owns goes with it, and cannot come after it.
func TestARowWithoutItsParentsIsNotKept(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, db *database.DB) {
		ada, ghost := addUser(t, migrate(t, db), "ada"), newUser(t, "ghost")
		in, err := tenant.Found("t", "Engines", "engines", false, ada.ID(), now())
		if err != nil {
			t.Fatal(err)
		}
		if err := db.View().Tenants.Add(t.Context(), in); err != nil {
			t.Fatalf("add tenant: %v", err)
		}
		start := func(id session.ID, u *user.User, tenantID string) error {
			terms := session.Terms{Idle: time.Hour, Absolute: time.Hour}
			return db.View().Sessions.Add(t.Context(), session.Start(id, u.ID(), tenantID, [16]byte{}, 1, nil, "", "", terms, now()))
		}
		wantFault(t, "without user", start("s1", ghost, "t"), fault.ErrNotFound)
		wantFault(t, "without tenant", start("s2", ada, "nowhere"), fault.ErrNotFound)
		if err := start("s3", ada, "t"); err != nil {
			t.Errorf("with both: %v", err)
		}
		if _, err := db.SQL().ExecContext(t.Context(), "DELETE FROM users"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.View().Sessions.Find(t.Context(), "s3"); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("after its user went: got %v, want %v", err, session.ErrNotFound)
		}
	})
}
