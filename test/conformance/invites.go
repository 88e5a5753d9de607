package conformance

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// Invites is the suite of outbound.Invites.
func Invites(t *testing.T, new func(t *testing.T) Store) {
	tests := map[string]func(t *testing.T, s Store){
		"an invitation comes back as it was":               invitesRoundTrip,
		"another one for the address replaces it":          invitesReplace,
		"of many for one address at once one stays":        invitesReplaceRace,
		"a tenant's live ones are listed, newest first":    invitesList,
		"what is not live, or not there, is not found":     invitesNotFound,
		"taking deletes it, with its event":                invitesTake,
		"revoking deletes it, with its event":              invitesRevoke,
		"another tenant's is not revoked":                  invitesForeign,
		"what change refuses stays":                        invitesRefused,
		"of many that show a token at once one gets it":    invitesTakeRace,
		"taking and revoking at once, one does":            invitesTakeMeetsRevoke,
		"what was taken is back when the rest fails":       invitesUndone,
		"sweeping deletes what has expired, nothing else":  invitesSweep,
		"an invitation to nowhere is not kept":             invitesNowhere,
		"text that cannot be kept is the caller's mistake": invitesUnstorable,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

func inviteHash(token string) [32]byte { return sha256.Sum256([]byte("invite " + token)) }

// newInvite makes an invitation of name@example.com by this token, good for three days.
func newInvite(in *tenant.Tenant, name, token string, now time.Time) *tenant.Invite {
	return tenant.NewInvite(tenant.InviteID(nextID()), in.ID(), email(name), tenant.Viewer, inviteHash(token), "who invited", now, now.Add(72*time.Hour))
}

func addInvite(t *testing.T, s Store, in *tenant.Tenant, name, token string, now time.Time) *tenant.Invite {
	t.Helper()
	i := newInvite(in, name, token, now)
	must(t, "add invitation", s.View().Invites.Add(t.Context(), i))
	return i
}

// openHouse adds a tenant with its owner.
func openHouse(t *testing.T, s Store) (*user.User, *tenant.Tenant) {
	t.Helper()
	ada := addUser(t, s, "ada")
	return ada, addTenant(t, s, "engines", ada)
}

func takeInvite(t *testing.T, s Store, token string, now time.Time) error {
	t.Helper()
	return s.View().Invites.Take(t.Context(), inviteHash(token), now, func(*tenant.Invite) error { return nil })
}

// wantInvites fails the test unless a tenant lists these.
func wantInvites(t *testing.T, s Store, in *tenant.Tenant, now time.Time, want ...*tenant.Invite) {
	t.Helper()
	list, err := s.View().Invites.List(t.Context(), in.ID(), now)
	must(t, "list", err)
	var gotIDs, wantIDs []tenant.InviteID
	for _, i := range list {
		gotIDs = append(gotIDs, i.ID())
	}
	for _, i := range want {
		wantIDs = append(wantIDs, i.ID())
	}
	same(t, "the list", gotIDs, wantIDs)
}

func invitesRoundTrip(t *testing.T, s Store) {
	ada, in := openHouse(t, s)
	i := tenant.NewInvite(tenant.InviteID(nextID()), in.ID(), user.RestoreEmail("Ada "+hostile, "canon "+hostile), tenant.Admin, inviteHash("a"), ada.ID(),
		storeEpoch.In(time.FixedZone("far", 3600)), storeEpoch.Add(time.Hour+time.Microsecond))
	want, already := i.Snapshot(), s.events(t)
	must(t, "add", s.View().Invites.Add(t.Context(), i))
	s.wantEvents(t, append(already, "invite_created")...)
	got, err := s.View().Invites.Peek(t.Context(), inviteHash("a"), storeEpoch)
	must(t, "peek", err)
	same(t, "the invitation", got.Snapshot(), want)
	utc(t, "the invitation", got.Snapshot().CreatedAt)
	list, err := s.View().Invites.List(t.Context(), in.ID(), storeEpoch)
	must(t, "list", err)
	same(t, "the one listed", list[0].Snapshot(), want)
	must(t, "take", s.View().Invites.Take(t.Context(), inviteHash("a"), storeEpoch, func(i *tenant.Invite) error {
		same(t, "what change is given", i.Snapshot(), want)
		return nil
	}))
}

func invitesReplace(t *testing.T, s Store) {
	ada, in := openHouse(t, s)
	elsewhere := addTenant(t, s, "elsewhere", ada)
	other := addInvite(t, s, elsewhere, "eve", "elsewhere", storeEpoch)
	bob := addInvite(t, s, in, "bob", "bob", storeEpoch)
	addInvite(t, s, in, "eve", "a", storeEpoch)
	eve := tenant.NewInvite(tenant.InviteID(nextID()), in.ID(), user.RestoreEmail("EVE@example.com", "eve@example.com"), tenant.Admin, inviteHash("b"), ada.ID(),
		storeEpoch.Add(time.Second), storeEpoch.Add(time.Hour))
	want := eve.Snapshot()
	must(t, "add another", s.View().Invites.Add(t.Context(), eve))
	wantErr(t, "take by the token until then", takeInvite(t, s, "a", storeEpoch), tenant.ErrInviteNotFound)
	got, err := s.View().Invites.Peek(t.Context(), inviteHash("b"), storeEpoch)
	must(t, "peek", err)
	same(t, "the invitation", got.Snapshot(), want)
	wantInvites(t, s, in, storeEpoch, eve, bob)
	wantInvites(t, s, elsewhere, storeEpoch, other)
	later := storeEpoch.Add(2 * time.Hour) // eve's has expired
	wantInvites(t, s, in, later, addInvite(t, s, in, "eve", "c", later), bob)
}

func invitesReplaceRace(t *testing.T, s Store) {
	_, in := openHouse(t, s)
	all := make([]*tenant.Invite, 20)
	for i := range all {
		all[i] = newInvite(in, "eve", nextID(), storeEpoch)
	}
	none(t, race(len(all), func(i int) error { return s.View().Invites.Add(t.Context(), all[i]) }))
	list, err := s.View().Invites.List(t.Context(), in.ID(), storeEpoch)
	must(t, "list", err)
	if len(list) != 1 {
		t.Errorf("%d invitations of one address, want 1", len(list))
	}
}

func invitesList(t *testing.T, s Store) {
	ada, in := openHouse(t, s)
	now := storeEpoch.Add(72 * time.Hour)
	addInvite(t, s, in, "expired-at-this-moment", "a", storeEpoch)
	last := addInvite(t, s, in, "expires-next", "b", storeEpoch.Add(time.Microsecond))
	first := addInvite(t, s, in, "newest", "c", now)
	twin := addInvite(t, s, in, "as-new", "d", now)
	addInvite(t, s, addTenant(t, s, "elsewhere", ada), "other", "e", now)
	wantInvites(t, s, in, now, twin, first, last)
	for what, text := range unstorable {
		none, err := s.View().Invites.List(t.Context(), tenant.ID(text), now)
		must(t, "list of "+what, err)
		if len(none) != 0 {
			t.Errorf("%s has %d invitations", what, len(none))
		}
	}
}

func invitesNotFound(t *testing.T, s Store) {
	_, in := openHouse(t, s)
	i := addInvite(t, s, in, "eve", "a", storeEpoch)
	end := storeEpoch.Add(72 * time.Hour)
	refuse := func(*tenant.Invite) error { t.Error("change was called"); return nil }
	for what, c := range map[string]struct {
		token string
		now   time.Time
	}{"another token": {"b", storeEpoch}, "expired at this moment": {"a", end}} {
		wantErr(t, "peek, "+what, second(s.View().Invites.Peek(t.Context(), inviteHash(c.token), c.now)), tenant.ErrInviteNotFound)
		wantErr(t, "take, "+what, s.View().Invites.Take(t.Context(), inviteHash(c.token), c.now, refuse), tenant.ErrInviteNotFound)
	}
	names := map[string]string{"another": nextID(), "a pattern": "%", "nothing": ""}
	for what, text := range unstorable {
		names[what] = text
	}
	for what, name := range names {
		wantErr(t, "revoke, "+what, s.View().Invites.Revoke(t.Context(), in.ID(), tenant.InviteID(name), refuse), tenant.ErrInviteNotFound)
		wantErr(t, "revoke of tenant, "+what, s.View().Invites.Revoke(t.Context(), tenant.ID(name), i.ID(), refuse), tenant.ErrInviteNotFound)
	}
	must(t, "take in time", takeInvite(t, s, "a", end.Add(-time.Microsecond)))
}

func invitesTake(t *testing.T, s Store) {
	ada, in := openHouse(t, s)
	i := addInvite(t, s, in, "eve", "a", storeEpoch)
	bob := addInvite(t, s, in, "bob", "b", storeEpoch)
	for range 2 {
		must(t, "peek leaves it", second(s.View().Invites.Peek(t.Context(), inviteHash("a"), storeEpoch)))
	}
	already := len(s.events(t))
	must(t, "take", s.View().Invites.Take(t.Context(), inviteHash("a"), storeEpoch, func(i *tenant.Invite) error {
		i.Accept(ada.ID(), storeEpoch.Add(time.Second))
		return nil
	}))
	wantErr(t, "take again", takeInvite(t, s, "a", storeEpoch), tenant.ErrInviteNotFound)
	wantErr(t, "peek at it", second(s.View().Invites.Peek(t.Context(), inviteHash("a"), storeEpoch)), tenant.ErrInviteNotFound)
	wantErr(t, "revoke it", s.View().Invites.Revoke(t.Context(), in.ID(), i.ID(), func(*tenant.Invite) error { return nil }), tenant.ErrInviteNotFound)
	wantInvites(t, s, in, storeEpoch, bob)
	if s.Audit != nil {
		log := s.Audit(t)[already:]
		same(t, "the audit log", []any{len(log), log[0].Event, log[0].Subject, log[0].Tenant, log[0].At},
			[]any{1, "invite_accepted", string(ada.ID()), string(in.ID()), storeEpoch.Add(time.Second)})
	}
}

func invitesRevoke(t *testing.T, s Store) {
	_, in := openHouse(t, s)
	i := addInvite(t, s, in, "eve", "a", storeEpoch)
	bob := addInvite(t, s, in, "bob", "b", storeEpoch)
	already := s.events(t)
	must(t, "revoke", s.View().Invites.Revoke(t.Context(), in.ID(), i.ID(), func(given *tenant.Invite) error {
		same(t, "what change is given", given.Snapshot(), i.Snapshot())
		given.Revoke(storeEpoch)
		return nil
	}))
	wantErr(t, "take it", takeInvite(t, s, "a", storeEpoch), tenant.ErrInviteNotFound)
	wantInvites(t, s, in, storeEpoch, bob)
	s.wantEvents(t, append(already, "invite_revoked")...)
}

func invitesForeign(t *testing.T, s Store) {
	ada, in := openHouse(t, s)
	i := addInvite(t, s, in, "eve", "a", storeEpoch)
	elsewhere := addTenant(t, s, "elsewhere", ada)
	already := s.events(t)
	err := s.View().Invites.Revoke(t.Context(), elsewhere.ID(), i.ID(), func(i *tenant.Invite) error { i.Revoke(storeEpoch); return nil })
	wantErr(t, "revoke", err, tenant.ErrInviteNotFound)
	wantInvites(t, s, in, storeEpoch, i)
	s.wantEvents(t, already...)
}

func invitesRefused(t *testing.T, s Store) {
	ada, in := openHouse(t, s)
	i := addInvite(t, s, in, "eve", "a", storeEpoch)
	already := s.events(t)
	s.refuse(t, errChange, func(ctx context.Context, repos outbound.Repos) error {
		return repos.Invites.Take(ctx, inviteHash("a"), storeEpoch, func(i *tenant.Invite) error { i.Accept(ada.ID(), storeEpoch); return errChange })
	})
	s.refuse(t, errChange, func(ctx context.Context, repos outbound.Repos) error {
		return repos.Invites.Revoke(ctx, in.ID(), i.ID(), func(i *tenant.Invite) error { i.Revoke(storeEpoch); return errChange })
	})
	wantInvites(t, s, in, storeEpoch, i)
	s.wantEvents(t, already...)
}

func invitesTakeRace(t *testing.T, s Store) {
	_, in := openHouse(t, s)
	addInvite(t, s, in, "eve", "a", storeEpoch)
	eve := addUser(t, s, "eve")
	errs := race(50, func(int) error {
		return s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
			err := repos.Invites.Take(ctx, inviteHash("a"), storeEpoch, func(i *tenant.Invite) error { i.Accept(eve.ID(), storeEpoch); return nil })
			if err != nil {
				return err
			}
			return repos.Tenants.Update(ctx, in.ID(), func(in *tenant.Tenant) error { return in.Join(eve.ID(), tenant.Viewer, storeEpoch) })
		})
	})
	if n := winners(t, errs, tenant.ErrInviteNotFound); n != 1 {
		t.Errorf("%d of 50 got the invitation, want 1", n)
	}
}

func invitesTakeMeetsRevoke(t *testing.T, s Store) {
	ada, in := openHouse(t, s)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		i := addInvite(t, s, in, name, name, storeEpoch)
		already := len(s.events(t))
		errs := race(8, func(n int) error {
			if n%2 == 0 {
				return s.View().Invites.Revoke(t.Context(), in.ID(), i.ID(), func(i *tenant.Invite) error { i.Revoke(storeEpoch); return nil })
			}
			return s.View().Invites.Take(t.Context(), inviteHash(name), storeEpoch, func(i *tenant.Invite) error { i.Accept(ada.ID(), storeEpoch); return nil })
		})
		if n := winners(t, errs, tenant.ErrInviteNotFound); n != 1 {
			t.Errorf("%d of 8 ended the invitation, want 1", n)
		}
		if n := len(s.events(t)) - already; s.Audit != nil && n != 1 {
			t.Errorf("the audit log grew by %d, want 1", n)
		}
	}
}

func invitesUndone(t *testing.T, s Store) {
	_, in := openHouse(t, s)
	i := addInvite(t, s, in, "eve", "a", storeEpoch)
	already := s.events(t)
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		must(t, "take", repos.Invites.Take(ctx, inviteHash("a"), storeEpoch, func(i *tenant.Invite) error { i.Accept("u", storeEpoch); return nil }))
		must(t, "add", repos.Invites.Add(ctx, newInvite(in, "bob", "b", storeEpoch)))
		return errChange
	})
	wantErr(t, "do", err, errChange)
	wantInvites(t, s, in, storeEpoch, i)
	s.wantEvents(t, already...)
}

func invitesSweep(t *testing.T, s Store) {
	_, in := openHouse(t, s)
	bound := storeEpoch.Add(72 * time.Hour)
	addInvite(t, s, in, "before", "a", storeEpoch.Add(-time.Microsecond))
	atBound := addInvite(t, s, in, "at-the-bound", "b", storeEpoch)
	after := addInvite(t, s, in, "after", "c", storeEpoch.Add(time.Microsecond))
	already := s.events(t)
	for _, want := range []int{1, 0} {
		n, err := s.View().Invites.Sweep(t.Context(), bound)
		must(t, "sweep", err)
		if n != want {
			t.Errorf("swept %d, want %d", n, want)
		}
	}
	wantInvites(t, s, in, storeEpoch.Add(-time.Hour), after, atBound)
	s.wantEvents(t, already...)
}

func invitesNowhere(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	nowhere := newTenant(t, "nowhere", ada, storeEpoch)
	wantErr(t, "add", s.View().Invites.Add(t.Context(), newInvite(nowhere, "eve", "a", storeEpoch)), fault.ErrNotFound)
	in := addTenant(t, s, "engines", ada)
	first := addInvite(t, s, in, "eve", "a", storeEpoch)
	if err := s.View().Invites.Add(t.Context(), newInvite(in, "bob", "a", storeEpoch)); err == nil {
		t.Error("a second invitation by the same token was kept")
	}
	wantInvites(t, s, in, storeEpoch, first)
}

func invitesUnstorable(t *testing.T, s Store) {
	_, in := openHouse(t, s)
	for what, text := range unstorable {
		i := tenant.NewInvite(tenant.InviteID(nextID()), in.ID(), user.RestoreEmail(text, "eve@example.com"), tenant.Viewer, inviteHash("a"), "u", storeEpoch, farFuture)
		wantInvalid(t, "address with "+what, s.View().Invites.Add(t.Context(), i))
	}
	wantInvites(t, s, in, storeEpoch)
}
