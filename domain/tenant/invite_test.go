package tenant_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
)

func invite() *tenant.Invite {
	return tenant.NewInvite("i-1", "t-1", user.RestoreEmail("Eve@Example.com", "eve@example.com"), tenant.Viewer, [32]byte{1, 2}, "u-1", now, now.Add(time.Hour))
}

func TestAnInvitationSaysWhomItAsksWhere(t *testing.T) {
	i := invite()
	want := tenant.InviteSnapshot{
		ID: "i-1", Tenant: "t-1", EmailDisplay: "Eve@Example.com", EmailCanon: "eve@example.com", Role: tenant.Viewer, TokenHash: [32]byte{1, 2}, By: "u-1",
		CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
	if diff := cmp.Diff(want, i.Snapshot()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	got := []any{i.ID(), i.Tenant(), i.Email().String(), i.Role()}
	if diff := cmp.Diff([]any{tenant.InviteID("i-1"), tenant.ID("t-1"), "Eve@Example.com", tenant.Viewer}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAnInvitationLastsUntilItExpires(t *testing.T) {
	for name, c := range map[string]struct {
		at   time.Duration
		want bool
	}{"at once": {0, true}, "at the last instant": {time.Hour - 1, true}, "expired at this moment": {time.Hour, false}, "long after": {1000 * time.Hour, false}} {
		if got := invite().Live(now.Add(c.at)); got != c.want {
			t.Errorf("%s: live %t, want %t", name, got, c.want)
		}
	}
}

func TestAnInvitationIsForOneAddressHoweverItIsSpelled(t *testing.T) {
	for name, c := range map[string]struct {
		email user.Email
		want  bool
	}{
		"the same":             {user.RestoreEmail("Eve@Example.com", "eve@example.com"), true},
		"spelled in capitals":  {user.RestoreEmail("EVE@EXAMPLE.COM", "eve@example.com"), true},
		"another":              {user.RestoreEmail("Eve@Example.com", "adam@example.com"), false},
		"another at that host": {user.RestoreEmail("eve@example.org", "eve@example.org"), false},
		"none":                 {user.Email{}, false},
	} {
		if got := invite().For(c.email); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}

func TestWhatBecomesOfAnInvitationIsTold(t *testing.T) {
	about := func(name string, at time.Time) event.Event {
		return event.Noted{Name: name, Subject: "i-1", Tenant: "t-1", Detail: map[string]string{"role": "viewer"}, At: at}
	}
	later := now.Add(time.Minute)
	for name, c := range map[string]struct {
		do   func(*tenant.Invite)
		want event.Event
	}{
		"revoked":  {func(i *tenant.Invite) { i.Revoke(later) }, about("invite_revoked", later)},
		"accepted": {func(i *tenant.Invite) { i.Accept("u-2", later) }, event.Noted{Name: "invite_accepted", Subject: "u-2", Tenant: "t-1", Detail: map[string]string{"invite": "i-1"}, At: later}},
	} {
		i := invite()
		c.do(i)
		if diff := cmp.Diff([]event.Event{about("invite_created", now), c.want}, i.Events()); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if len(i.Events()) != 0 {
			t.Errorf("%s: events are given twice", name)
		}
	}
}

func TestAnInvitationIsRestoredAsItWasKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		s := tenant.InviteSnapshot{
			ID: tenant.InviteID(text.Draw(t, "id")), Tenant: tenant.ID(text.Draw(t, "tenant")), EmailDisplay: text.Draw(t, "display"),
			EmailCanon: text.Draw(t, "canon"), Role: tenant.Role(text.Draw(t, "role")), By: user.ID(text.Draw(t, "by")), CreatedAt: now,
			ExpiresAt: now.Add(time.Duration(rapid.Int32().Draw(t, "lasts"))),
		}
		copy(s.TokenHash[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash"))
		i := tenant.RestoreInvite(s)
		if diff := cmp.Diff(s, i.Snapshot()); diff != "" || len(i.Events()) != 0 {
			t.Fatalf("-want +got:\n%s", diff)
		}
	})
}
