package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// belongings is all that a user has.
type belongings struct {
	user  *user.User
	in    *tenant.Tenant
	on    *session.Session
	key   *tenant.APIKey
	token outbound.OneTimeToken
}

// settled adds a user with one of everything, in a tenant that another one owns too.
func settled(t *testing.T, s Store, name string, owner *user.User) belongings {
	t.Helper()
	b := belongings{user: enrolled(t, s, name, "a", "b")}
	updateFactor(t, s, b.user, func(f *user.Factor) error { f.Begin(setup("another", "c"), storeEpoch); return nil })
	b.in = addTenant(t, s, "of-"+name, owner)
	must(t, "join", s.View().Tenants.Update(t.Context(), b.in.ID(), func(in *tenant.Tenant) error {
		return in.Join(b.user.ID(), tenant.Admin, storeEpoch)
	}))
	b.on = addSession(t, s, b.user, b.in, storeEpoch)
	b.key = addKey(t, s, "key-"+name, b.in, b.user, storeEpoch)
	b.token = addOneTime(t, s, oneTime(b.user, name, storeEpoch))
	return b
}

// left names what is there of a user's belongings.
func (b belongings) left(t *testing.T, s Store) (out []string) {
	t.Helper()
	v, ctx := s.View(), t.Context()
	for _, c := range []struct {
		what string
		err  error
	}{
		{"user", second(v.Users.Find(ctx, b.user.ID()))},
		{"address", second(v.Users.FindByEmail(ctx, b.user.Email().Canon()))},
		{"username", second(v.Users.FindByUsername(ctx, b.user.Username().String()))},
		{"session", second(v.Sessions.Find(ctx, b.on.ID()))},
		{"key", second(v.APIKeys.Find(ctx, b.key.ID()))},
		{"token", second(v.OneTime.Peek(ctx, reset, b.token.Hash, storeEpoch))},
	} {
		if c.err == nil {
			out = append(out, c.what)
		} else {
			wantErr(t, "find "+c.what, c.err, fault.ErrNotFound)
		}
	}
	f, err := v.Factors.Find(ctx, b.user.ID())
	must(t, "find factor", err)
	if snap := f.Snapshot(); snap.On || snap.Pending != nil || len(snap.Codes) > 0 {
		out = append(out, "factor")
	}
	made, _, err := v.OneTime.Since(ctx, reset, b.user.ID(), storeEpoch.Add(-time.Hour), storeEpoch)
	must(t, "since", err)
	if made > 0 {
		out = append(out, "tokens made")
	}
	in, err := v.Tenants.Find(ctx, b.in.ID())
	must(t, "find tenant", err)
	if _, member := in.RoleOf(b.user.ID()); member {
		out = append(out, "membership")
	}
	return out
}

var allBelongings = []string{"user", "address", "username", "session", "key", "token", "factor", "tokens made", "membership"}

func remove(t *testing.T, s Store, u *user.User) error {
	t.Helper()
	return s.View().Users.Remove(t.Context(), u.ID(), func(u *user.User) error {
		u.Delete(storeEpoch.Add(time.Hour))
		return nil
	})
}

func usersRemove(t *testing.T, s Store) {
	owner := addUser(t, s, "owner")
	ada, bob := settled(t, s, "ada", owner), settled(t, s, "bob", owner)
	same(t, "ada's things", ada.left(t, s), allBelongings)
	invited := addInvite(t, s, ada.in, "eve", "a", storeEpoch) // by ada: the tenant's, not hers
	already := s.events(t)
	must(t, "remove", s.View().Users.Remove(t.Context(), ada.user.ID(), func(u *user.User) error {
		same(t, "what change is given", u.Snapshot(), ada.user.Snapshot())
		u.Delete(storeEpoch.Add(time.Hour))
		return nil
	}))
	same(t, "what is left of ada", ada.left(t, s), []string(nil))
	same(t, "what is left of bob", bob.left(t, s), allBelongings)
	must(t, "look at the invitation", second(s.View().Invites.Peek(t.Context(), invited.Snapshot().TokenHash, storeEpoch)))
	s.wantEvents(t, append(already, "user_deleted")...)
	again := newUser(t, "ada")
	must(t, "add a user of the same names", s.View().Users.Add(t.Context(), again))
	if s.Audit != nil {
		log := s.Audit(t)
		last := log[len(log)-2]
		same(t, "the last line about ada", []any{last.Event, last.Subject, last.At}, []any{"user_deleted", string(ada.user.ID()), storeEpoch.Add(time.Hour)})
	}
}

func usersRemoveRefused(t *testing.T, s Store) {
	ada := settled(t, s, "ada", addUser(t, s, "owner"))
	already := s.events(t)
	s.refuse(t, errChange, func(ctx context.Context, repos outbound.Repos) error {
		return repos.Users.Remove(ctx, ada.user.ID(), func(u *user.User) error {
			u.Delete(storeEpoch)
			return errChange
		})
	})
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		must(t, "remove", repos.Users.Remove(ctx, ada.user.ID(), func(u *user.User) error { u.Delete(storeEpoch); return nil }))
		wantErr(t, "find inside", second(repos.Users.Find(ctx, ada.user.ID())), user.ErrNotFound)
		return errChange
	})
	wantErr(t, "do", err, errChange)
	same(t, "what is left of ada", ada.left(t, s), allBelongings)
	got, err := s.View().Users.Find(t.Context(), ada.user.ID())
	must(t, "find", err)
	same(t, "ada", got.Snapshot(), ada.user.Snapshot())
	s.wantEvents(t, already...)
}

func usersRemoveNobody(t *testing.T, s Store) {
	addUser(t, s, "ada")
	names := map[string]string{"another": nextID(), "a pattern": "%", "nothing": ""}
	for what, text := range unstorable {
		names[what] = text
	}
	for what, name := range names {
		err := s.View().Users.Remove(t.Context(), user.ID(name), func(*user.User) error {
			t.Errorf("%s: change was called", what)
			return nil
		})
		wantErr(t, "remove, "+what, err, user.ErrNotFound)
	}
}

// usersRemoveRace has each removal take its time once it has loaded the user.
func usersRemoveRace(t *testing.T, s Store) {
	ada := settled(t, s, "ada", addUser(t, s, "owner"))
	already := s.events(t)
	errs := race(10, func(int) error {
		return s.View().Users.Remove(t.Context(), ada.user.ID(), func(u *user.User) error {
			for range 20 { // time for others to come in
				_, _ = s.View().Users.Find(t.Context(), "nobody")
			}
			u.Delete(storeEpoch)
			return nil
		})
	})
	if n := winners(t, errs, user.ErrNotFound); n != 1 {
		t.Errorf("%d of 10 removed the user, want 1", n)
	}
	same(t, "what is left of ada", ada.left(t, s), []string(nil))
	s.wantEvents(t, append(already, "user_deleted")...)
}

// usersRemoveMeetsSignIns has a user removed while it signs in, joins and asks for tokens: each of these comes before and goes with it, or finds nobody.
func usersRemoveMeetsSignIns(t *testing.T, s Store) {
	owner := addUser(t, s, "owner")
	for _, name := range []string{"ada", "bob", "eve"} {
		b := settled(t, s, name, owner)
		errs := race(12, func(i int) error {
			switch {
			case i == 5:
				return remove(t, s, b.user)
			case i%2 == 0:
				return s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
					if err := repos.Sessions.Add(ctx, newSession(b.user, b.in, storeEpoch)); err != nil {
						return err
					}
					return repos.Users.Update(ctx, b.user.ID(), func(u *user.User) error { u.SignedIn(string(b.in.ID())); return nil })
				})
			default:
				return s.View().OneTime.Add(t.Context(), oneTime(b.user, nextID(), storeEpoch))
			}
		})
		if errs[5] != nil {
			t.Errorf("remove: %v", errs[5])
		}
		winners(t, errs, fault.ErrNotFound)
		list, err := s.View().Sessions.OfUser(t.Context(), b.user.ID(), storeEpoch)
		must(t, "of user", err)
		if left := b.left(t, s); len(left) > 0 || len(list) > 0 {
			t.Errorf("of %s are left %v and %d sessions", name, left, len(list))
		}
	}
}
