package conformance

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// Tenants is the suite of outbound.Tenants.
func Tenants(t *testing.T, new func(t *testing.T) Store) {
	tests := map[string]func(t *testing.T, s Store){
		"a tenant comes back as it was, with its members":  tenantsRoundTrip,
		"nothing is not found":                             tenantsNotFound,
		"a slug has one owner":                             tenantsSlugTaken,
		"of many that claim a slug at once one gets it":    tenantsSlugRace,
		"a user's tenants come in the order of joining":    tenantsOfUser,
		"members come, change and go, with their events":   tenantsMembers,
		"a refused change is not kept":                     tenantsRefused,
		"members who join at once are all there":           tenantsJoinRace,
		"of two owners who leave at once one stays":        tenantsLastOwner,
		"a tenant goes with all that is its own":           tenantsRemove,
		"a change to a taken slug is refused, spoils none": tenantsUpdateTaken,
		"text that cannot be kept is the caller's mistake": tenantsUnstorable,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

func tenantsRoundTrip(t *testing.T, s Store) {
	ada, bob := addUser(t, s, "ada"), addUser(t, s, "bob")
	in := tenant.Restore(tenant.Snapshot{
		ID: tenant.ID(nextID()), Name: hostile, Slug: "engines", Personal: true, CreatedAt: storeEpoch,
		Members: []tenant.Member{
			{User: bob.ID(), Role: tenant.Owner, Since: storeEpoch.Add(time.Microsecond)}, {User: ada.ID(), Role: tenant.Viewer, Since: storeEpoch.Add(time.Hour)},
		},
	})
	must(t, "add", s.View().Tenants.Add(t.Context(), in))
	addTenant(t, s, "others", ada)
	byID, err := s.View().Tenants.Find(t.Context(), in.ID())
	must(t, "find", err)
	same(t, "by id", byID.Snapshot(), in.Snapshot())
	utc(t, "by id", byID.Snapshot().CreatedAt)
	utc(t, "by id, member", byID.Members()[0].Since)
	bySlug, err := s.View().Tenants.FindBySlug(t.Context(), "engines")
	must(t, "find by slug", err)
	same(t, "by slug", bySlug.Snapshot(), in.Snapshot())
	for u, want := range map[user.ID]tenant.Role{bob.ID(): tenant.Owner, ada.ID(): tenant.Viewer, addUser(t, s, "eve").ID(): ""} {
		role, err := s.View().Memberships.Role(t.Context(), in.ID(), u)
		must(t, "role", err)
		same(t, "the role of one", role, want)
	}
}

func tenantsNotFound(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	addTenant(t, s, "engines", ada)
	names := map[string]string{"another": "looms", "upper case": "ENGINES", "a pattern": "e%", "nothing": ""}
	for what, text := range unstorable {
		names[what] = text
	}
	for what, name := range names {
		_, err := s.View().Tenants.Find(t.Context(), tenant.ID(name))
		wantErr(t, "by id, "+what, err, tenant.ErrNotFound)
		_, err = s.View().Tenants.FindBySlug(t.Context(), name)
		wantErr(t, "by slug, "+what, err, tenant.ErrNotFound)
		for in, u := range map[tenant.ID]user.ID{tenant.ID(name): ada.ID(), "engines": user.ID(name)} {
			if role, err := s.View().Memberships.Role(t.Context(), in, u); role != "" || err != nil {
				t.Errorf("role, %s: got %q, %v", what, role, err)
			}
		}
		none, err := s.View().Tenants.OfUser(t.Context(), user.ID(name))
		must(t, "of user, "+what, err)
		if len(none) != 0 {
			t.Errorf("of user, %s: got %d tenants, want none", what, len(none))
		}
		err = s.View().Tenants.Update(t.Context(), tenant.ID(name), func(*tenant.Tenant) error { return nil })
		wantErr(t, "update, "+what, err, tenant.ErrNotFound)
	}
}

func tenantsSlugTaken(t *testing.T, s Store) {
	ada, bob := addUser(t, s, "ada"), addUser(t, s, "bob")
	first := addTenant(t, s, "engines", ada)
	wantErr(t, "add", s.View().Tenants.Add(t.Context(), newTenant(t, "engines", bob, storeEpoch)), tenant.ErrSlugTaken)
	got, err := s.View().Tenants.FindBySlug(t.Context(), "engines")
	must(t, "find", err)
	same(t, "the first owner", got.Snapshot(), first.Snapshot())
	s.wantEvents(t, "user_verified", "user_verified", "tenant_created")
}

func tenantsSlugRace(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	all := make([]*tenant.Tenant, 20)
	for i := range all {
		all[i] = newTenant(t, "engines", ada, storeEpoch)
	}
	errs := race(len(all), func(i int) error {
		return s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error { return repos.Tenants.Add(ctx, all[i]) })
	})
	if n := winners(t, errs, tenant.ErrSlugTaken); n != 1 {
		t.Errorf("%d of %d got the slug, want 1", n, len(all))
	}
	mine, err := s.View().Tenants.OfUser(t.Context(), ada.ID())
	must(t, "of user", err)
	if len(mine) != 1 {
		t.Errorf("the owner is in %d tenants, want 1", len(mine))
	}
}

func tenantsOfUser(t *testing.T, s Store) {
	ada, bob := addUser(t, s, "ada"), addUser(t, s, "bob")
	late := newTenant(t, "aaa", bob, storeEpoch)
	must(t, "join", late.Join(ada.ID(), tenant.Viewer, storeEpoch.Add(time.Hour)))
	must(t, "add", s.View().Tenants.Add(t.Context(), late))
	early := newTenant(t, "zzz", ada, storeEpoch.Add(time.Minute))
	must(t, "join", early.Join(bob.ID(), tenant.Plain, storeEpoch.Add(2*time.Minute)))
	must(t, "add", s.View().Tenants.Add(t.Context(), early))
	addTenant(t, s, "bobs-own", bob)
	mine, err := s.View().Tenants.OfUser(t.Context(), ada.ID())
	must(t, "of user", err)
	var got []tenant.Snapshot
	for _, in := range mine {
		got = append(got, in.Snapshot())
	}
	same(t, "ada's tenants", got, []tenant.Snapshot{early.Snapshot(), late.Snapshot()})
}

func tenantsMembers(t *testing.T, s Store) {
	ada, bob, eve := addUser(t, s, "ada"), addUser(t, s, "bob"), addUser(t, s, "eve")
	in, other := addTenant(t, s, "engines", ada), addTenant(t, s, "others", bob)
	already := len(s.events(t))
	later := storeEpoch.Add(time.Hour)
	var want tenant.Snapshot
	change := func(verb func(in *tenant.Tenant) error) {
		t.Helper()
		must(t, "update", s.View().Tenants.Update(t.Context(), in.ID(), func(in *tenant.Tenant) error {
			if err := verb(in); err != nil {
				return err
			}
			want = in.Snapshot()
			return nil
		}))
		got, err := s.View().Tenants.Find(t.Context(), in.ID())
		must(t, "find", err)
		same(t, "the tenant", got.Snapshot(), want)
	}
	change(func(in *tenant.Tenant) error { return in.Join(bob.ID(), tenant.Plain, later) })
	change(func(in *tenant.Tenant) error { return in.Join(eve.ID(), tenant.Viewer, later.Add(time.Second)) })
	change(func(in *tenant.Tenant) error { return in.ChangeRole(bob.ID(), tenant.Owner, later) })
	change(func(in *tenant.Tenant) error { return in.Remove(ada.ID(), later) })
	got, err := s.View().Tenants.Find(t.Context(), other.ID())
	must(t, "find the other tenant", err)
	same(t, "the other tenant", got.Snapshot(), other.Snapshot())
	if s.Audit != nil {
		same(t, "the audit log", s.events(t)[already:], []string{"tenant_member_joined", "tenant_member_joined", "tenant_role_changed", "tenant_member_left"})
		last := s.Audit(t)[already+3]
		same(t, "its last row", []string{last.Tenant, last.Subject}, []string{string(in.ID()), string(ada.ID())})
	}
}

func tenantsRefused(t *testing.T, s Store) {
	ada, bob := addUser(t, s, "ada"), addUser(t, s, "bob")
	in := addTenant(t, s, "engines", ada)
	already := s.events(t)
	s.refuse(t, tenant.ErrLastOwner, func(ctx context.Context, repos outbound.Repos) error {
		return repos.Tenants.Update(ctx, in.ID(), func(in *tenant.Tenant) error {
			must(t, "join", in.Join(bob.ID(), tenant.Plain, storeEpoch))
			return in.Remove(ada.ID(), storeEpoch)
		})
	})
	got, err := s.View().Tenants.Find(t.Context(), in.ID())
	must(t, "find", err)
	same(t, "the tenant", got.Snapshot(), in.Snapshot())
	s.wantEvents(t, already...)
}

func tenantsJoinRace(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	in := addTenant(t, s, "engines", ada)
	all := make([]*user.User, 20)
	for i := range all {
		all[i] = addUser(t, s, fmt.Sprint("member", i))
	}
	none(t, race(len(all), func(i int) error {
		return s.View().Tenants.Update(t.Context(), in.ID(), func(in *tenant.Tenant) error { return in.Join(all[i].ID(), tenant.Plain, storeEpoch) })
	}))
	got, err := s.View().Tenants.Find(t.Context(), in.ID())
	must(t, "find", err)
	if n := len(got.Members()); n != len(all)+1 {
		t.Errorf("%d members, want %d", n, len(all)+1)
	}
}

func tenantsLastOwner(t *testing.T, s Store) {
	ada, bob := addUser(t, s, "ada"), addUser(t, s, "bob")
	in := newTenant(t, "engines", ada, storeEpoch)
	must(t, "join", in.Join(bob.ID(), tenant.Owner, storeEpoch))
	must(t, "add", s.View().Tenants.Add(t.Context(), in))
	owners := []user.ID{ada.ID(), bob.ID()}
	errs := race(2, func(i int) error {
		return s.View().Tenants.Update(t.Context(), in.ID(), func(in *tenant.Tenant) error { return in.Remove(owners[i], storeEpoch) })
	})
	if n := winners(t, errs, tenant.ErrLastOwner); n != 1 {
		t.Errorf("%d of 2 owners left, want 1", n)
	}
}

func tenantsUpdateTaken(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	addTenant(t, s, "engines", ada)
	in := addTenant(t, s, "looms", ada)
	rename := func(slug string) func(*tenant.Tenant) error {
		return func(in *tenant.Tenant) error {
			snap := in.Snapshot()
			snap.Slug = slug
			*in = *tenant.Restore(snap)
			return nil
		}
	}
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		wantErr(t, "to a taken slug", repos.Tenants.Update(ctx, in.ID(), rename("engines")), tenant.ErrSlugTaken)
		return repos.Tenants.Update(ctx, in.ID(), rename("mills"))
	})
	must(t, "do", err)
	got, err := s.View().Tenants.FindBySlug(t.Context(), "mills")
	must(t, "find", err)
	same(t, "the renamed tenant", got.ID(), in.ID())
}

func tenantsUnstorable(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	for what, text := range unstorable {
		in := tenant.Restore(tenant.Snapshot{
			ID: tenant.ID(nextID()), Name: text, Slug: "engines", CreatedAt: storeEpoch,
			Members: []tenant.Member{{User: ada.ID(), Role: tenant.Owner, Since: storeEpoch}},
		})
		wantInvalid(t, what, s.View().Tenants.Add(t.Context(), in))
	}
}

func tenantsRemove(t *testing.T, s Store) {
	ada, in, on := signedIn(t, s)
	k := addKey(t, s, "aaaa", in, ada, storeEpoch)
	other := addTenant(t, s, "looms", ada)
	stays := addSession(t, s, ada, other, storeEpoch)
	already := s.events(t)
	refused := s.View().Tenants.Remove(t.Context(), in.ID(), func(in *tenant.Tenant) error {
		in.Close(storeEpoch)
		return errChange
	})
	if !errors.Is(refused, errChange) {
		t.Errorf("a refused removal: got %v", refused)
	}
	_, err := s.View().Tenants.Find(t.Context(), in.ID())
	must(t, "find after a refused removal", err)
	s.wantEvents(t, already...)

	must(t, "remove", s.View().Tenants.Remove(t.Context(), in.ID(), func(in *tenant.Tenant) error {
		if _, ok := in.RoleOf(ada.ID()); !ok {
			t.Error("the tenant comes without its members")
		}
		in.Close(storeEpoch)
		return nil
	}))
	s.wantEvents(t, append(already, "tenant_deleted")...)
	if _, err := s.View().Tenants.Find(t.Context(), in.ID()); !errors.Is(err, tenant.ErrNotFound) {
		t.Errorf("the tenant: got %v", err)
	}
	if _, err := s.View().Sessions.Find(t.Context(), on.ID()); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("its session: got %v", err)
	}
	if _, err := s.View().APIKeys.Find(t.Context(), k.ID()); !errors.Is(err, tenant.ErrKeyNotFound) {
		t.Errorf("its API key: got %v", err)
	}
	mine, err := s.View().Tenants.OfUser(t.Context(), ada.ID())
	must(t, "list", err)
	if len(mine) != 1 || mine[0].ID() != other.ID() || findSession(t, s, stays.ID()).Tenant() != string(other.ID()) {
		t.Errorf("of the member: got %d tenants", len(mine))
	}
	for what, id := range map[string]tenant.ID{"again": in.ID(), "another": "looms", "nothing": "", "no text": "\x00"} {
		err := s.View().Tenants.Remove(t.Context(), id, func(*tenant.Tenant) error {
			t.Errorf("%s: asked", what)
			return nil
		})
		if !errors.Is(err, tenant.ErrNotFound) {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
