package database_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/domain/signing"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/migrations"
	"github.com/forge1/forge1/ports/outbound"
)

// upTo makes the files of the first n migrations.
func upTo(t *testing.T, db *database.DB, names []string, n int) fstest.MapFS {
	t.Helper()
	text := map[string]string{}
	for _, name := range names[:n] {
		for _, end := range []string{".tx.up.sql", ".tx.down.sql"} {
			raw, err := migrations.Files.ReadFile(db.Kind() + "/" + name + end)
			if err != nil {
				t.Fatal(err)
			}
			text[name+end] = string(raw)
		}
	}
	return files(db.Kind(), text)
}

func TestEachMigrationUndoesWhatItDidAndNothingElse(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, db *database.DB) {
		names, err := migrator(db).Up(t.Context())
		if err != nil {
			t.Fatalf("up: %v", err)
		}
		down := make([][]string, len(names)+1)
		down[len(names)] = schema(t, db)
		for n := len(names) - 1; n >= 0; n-- {
			if _, err := migrator(db).Down(t.Context(), 1); err != nil {
				t.Fatalf("down to %d: %v", n, err)
			}
			down[n] = schema(t, db)
		}
		for n := range names {
			if _, err := migrator(db).WithFiles(upTo(t, db, names, n+1)).Up(t.Context()); err != nil {
				t.Fatalf("up to %d: %v", n+1, err)
			}
			if d := cmp.Diff(schema(t, db), down[n+1]); d != "" {
				t.Errorf("after %s, the schema on the way up differs from that on the way down (-up +down):\n%s", names[n], d)
			}
		}
	})
}

// TestMigrationsKeepWhatIsThere brings a database that is in use up and down by the migration of sign-in.
func TestMigrationsKeepWhatIsThere(t *testing.T) {
	t.Parallel()
	const signIn = "20261124000001_signin"
	everyStore(t, func(t *testing.T, db *database.DB) {
		steps, err := migrator(db).Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range steps {
			names = append(names, s.Name)
		}
		before := slices.Index(names, signIn)
		if _, err := migrator(db).WithFiles(upTo(t, db, names, before)).Up(t.Context()); err != nil {
			t.Fatalf("up to before %s: %v", signIn, err)
		}
		ada := addUser(t, db, "ada")
		for _, way := range []string{"up", "up again"} {
			if applied, err := migrator(db).WithFiles(upTo(t, db, names, before+1)).Up(t.Context()); err != nil || len(applied) != 1 {
				t.Fatalf("%s: applied %v, %v", way, applied, err)
			}
			if f, err := db.View().Factors.Find(t.Context(), ada.ID()); err != nil || f.On() {
				t.Errorf("%s: the factor of a user from before: on %t, %v", way, f.On(), err)
			}
			settle(t, db, ada)
			if _, err := migrator(db).WithFiles(upTo(t, db, names, before+1)).Down(t.Context(), 1); err != nil {
				t.Fatalf("down after %s: %v", way, err)
			}
			got, err := db.View().Users.Find(t.Context(), ada.ID())
			if err != nil {
				t.Fatalf("find after %s and down: %v", way, err)
			}
			if d := cmp.Diff(ada.Snapshot(), got.Snapshot()); d != "" {
				t.Errorf("the user after %s and down:\n%s", way, d)
			}
			if lines := auditOf(db)(t); lines[0].Event != "user_verified" || lines[0].Subject != string(ada.ID()) {
				t.Errorf("the first line of the audit log after %s and down: %+v", way, lines[0])
			}
			refused(t, db, "DELETE FROM audit_log")
			refused(t, db, "UPDATE audit_log SET event = 'x'")
		}
	})
}

// settle gives a user one of everything that the migration of sign-in makes room for.
func settle(t *testing.T, db *database.DB, u *user.User) {
	t.Helper()
	id := newID()
	in, err := tenant.Found(tenant.ID(id), id, "t-"+id, false, u.ID(), now())
	if err != nil {
		t.Fatal(err)
	}
	hash, until := sha256.Sum256([]byte(id)), now().Add(time.Hour)
	err = db.Do(t.Context(), func(ctx context.Context, r outbound.Repos) error {
		return errors.Join(
			r.Tenants.Add(ctx, in),
			r.Factors.Update(ctx, u.ID(), func(f *user.Factor) error {
				f.Begin(user.Pending{SetupID: "a", Secret: user.Sealed("x"), Codes: make([]user.RecoveryCode, 2), ExpiresAt: until}, now())
				if err := f.Confirm("a", "", 1, now()); err != nil {
					return err
				}
				f.Begin(user.Pending{SetupID: "b", Secret: user.Sealed("x"), ExpiresAt: until}, now())
				return nil
			}),
			r.OneTime.Add(ctx, outbound.OneTimeToken{ID: id, Kind: "reset", Hash: hash, User: u.ID(), Epoch: 1, CreatedAt: now(), ExpiresAt: until}),
			r.Invites.Add(ctx, tenant.NewInvite(tenant.InviteID(id), in.ID(), u.Email(), tenant.Viewer, hash, u.ID(), now(), until)),
			r.SigningKeys.Update(ctx, func(s *signing.Set) error { s.Rotate(now()); return nil }),
		)
	})
	if err != nil {
		t.Fatalf("settle: %v", err)
	}
}
