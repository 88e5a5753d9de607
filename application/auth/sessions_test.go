package auth_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

// aKey makes a caller an API key of its own.
func aKey(c inbound.Caller) inbound.Caller {
	c.SessionID, c.KeyID, c.Scopes = "", "k", []tenant.Scope{tenant.ScopeAdmin}
	return c
}

func TestAUserSeesItsSessions(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	w.User(t, "bob@example.com", "")
	w.Login(t, "bob@example.com")
	begun := w.Clock.Now()
	in, err := w.Auth.Login(t.Context(), inbound.Login{
		Email: ada, Password: secret.New(identity.Password), Origin: inbound.Origin{IP: "192.0.2.1", UserAgent: "curl\x07/8"},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Hour)
	mine, ended := w.Login(t, ada), w.Login(t, ada)
	logout(t, w, inbound.Logout{Bearer: ended.Access})
	if _, err := w.Auth.Refresh(t.Context(), in.Tokens.Refresh, inbound.Origin{IP: "192.0.2.2", UserAgent: "curl/9"}); err != nil {
		t.Fatal(err)
	}
	got, err := w.Auth.Sessions(t.Context(), w.Caller(t, mine.Access))
	if err != nil || len(got) != 2 {
		t.Fatalf("got %v, %v", got, err)
	}
	got[0].IP = "" // from somewhere
	want := []inbound.SessionView{
		{ID: mine.SessionID, TenantID: v.TenantID, CreatedAt: w.Clock.Now(), LastSeenAt: w.Clock.Now(), AMR: []string{"pwd"}, Current: true},
		{ID: in.Tokens.SessionID, TenantID: v.TenantID, CreatedAt: begun, LastSeenAt: w.Clock.Now(), IP: "192.0.2.2", UserAgent: "curl/9", AMR: []string{"pwd"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	caller := w.Caller(t, mine.Access)
	_, err = w.Auth.Sessions(t.Context(), aKey(caller))
	fails(t, "by a key", err, auth.ErrSessionOnly)
	change(t, w, v.UserID, func(u *user.User) { u.EndSessions() })
	if got, err := w.Auth.Sessions(t.Context(), caller); err != nil || len(got) != 0 {
		t.Errorf("of an older epoch: got %v, %v", got, err)
	}
}

func TestASessionIsEndedByItsOwnUserAlone(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	w.User(t, "bob@example.com", "")
	mine, other, third := w.Login(t, ada), w.Login(t, ada), w.Login(t, ada)
	caller, bob := w.Caller(t, mine.Access), w.Caller(t, w.Login(t, "bob@example.com").Access)
	end := func(c inbound.Caller, id session.ID) error { return w.Auth.EndSession(t.Context(), c, id) }
	for name, id := range map[string]session.ID{"another's": other.SessionID, "unknown": "0198c000-0000-7000-8000-000000000000", "text": "x' OR 1=1", "none": "", "a NUL": "\x00"} {
		fails(t, name, end(bob, id), session.ErrNotFound)
	}
	fails(t, "by a key", end(aKey(caller), other.SessionID), auth.ErrSessionOnly)
	w.Caller(t, other.Access)
	fails(t, "one's own", end(caller, other.SessionID), nil)
	shut(t, w, "ended", other.Access)
	fails(t, "again", end(caller, other.SessionID), session.ErrNotFound)
	w.Caller(t, third.Access)
	fails(t, "the one that asks", end(caller, mine.SessionID), nil)
	shut(t, w, "the one that asked", mine.Access)
	if on, _ := w.DB.View().Sessions.Find(t.Context(), other.SessionID); on.Snapshot().Reason != session.ByUser {
		t.Errorf("ended for %q", on.Snapshot().Reason)
	}
	w.Clock.Advance(7 * 24 * time.Hour)
	fails(t, "expired", end(caller, third.SessionID), session.ErrNotFound)
}

func TestASessionGoesOnInAnotherTenant(t *testing.T) {
	w := identity.New(t)
	owner := w.Owner(t, "olga@example.com")
	v := w.User(t, ada, "")
	w.Join(t, owner, ada, "viewer")
	w.Clock.Advance(time.Minute)
	first := w.LoginIn(t, ada, v.TenantID)
	there := w.Node(t)
	here := w.Caller(t, first.Access)
	there.Caller(t, first.Access)
	got, err := w.Auth.SwitchTenant(t.Context(), here, owner.TenantID)
	if err != nil || got.TenantID != owner.TenantID || got.SessionID != first.SessionID || got.Refresh == first.Refresh || !got.AuthTime.Equal(first.AuthTime) {
		t.Fatalf("got %+v, %v", got, err)
	}
	// The cache of all nodes has the record from before yet.
	for name, node := range map[string]*identity.World{"here": w, "there": there} {
		if c := node.Caller(t, got.Access); c.TenantID != owner.TenantID || c.Role != tenant.Viewer {
			t.Errorf("%s: acts in %s as %s", name, c.TenantID, c.Role)
		}
	}
	shut(t, w, "the token of the first tenant, here", first.Access)
	w.Clock.Advance(5 * time.Second)
	shut(t, there, "the token of the first tenant, there", first.Access)
	if c := w.Caller(t, got.Access); c.TenantID != owner.TenantID {
		t.Errorf("acts in %s", c.TenantID)
	}
	again, err := w.Auth.Refresh(t.Context(), first.Refresh, identity.Somewhere())
	if err != nil || again.Refresh != got.Refresh || again.TenantID != owner.TenantID {
		t.Errorf("the token before, within the grace: got %+v, %v", again, err)
	}
	if n := w.Audited(t, "authn_tenant_switched"); n != 1 {
		t.Errorf("the audit log has %d lines, want 1", n)
	}
	if in := w.Login(t, ada); in.TenantID != owner.TenantID {
		t.Errorf("the next sign-in is to %s", in.TenantID)
	}
}

func TestNobodySwitchesToATenantThatIsNotTheirs(t *testing.T) {
	w := identity.New(t)
	owner := w.Owner(t, "olga@example.com")
	mine := w.Owner(t, ada)
	for name, to := range map[string]tenant.ID{"another's": owner.TenantID, "none that exists": "0198c000-0000-7000-8000-000000000000", "nothing": "", "a NUL": "\x00"} {
		got, err := w.Auth.SwitchTenant(t.Context(), mine, to)
		fails(t, name, err, auth.ErrTenantDenied)
		if got.Access != "" {
			t.Errorf("%s: got tokens", name)
		}
	}
	if n := w.Audited(t, "authz_fail"); n != 4 {
		t.Errorf("the audit log has %d lines, want 4", n)
	}
	_, err := w.Auth.SwitchTenant(t.Context(), aKey(mine), mine.TenantID)
	fails(t, "by a key", err, auth.ErrSessionOnly)
	fails(t, "end", w.Auth.EndSession(t.Context(), mine, mine.SessionID), nil)
	_, err = w.Auth.SwitchTenant(t.Context(), mine, mine.TenantID)
	fails(t, "by a session that ended", err, auth.ErrUnauthenticated)
	change(t, w, mine.UserID, func(u *user.User) { u.Disable(w.Clock.Now()) })
	_, err = w.Auth.SwitchTenant(t.Context(), mine, mine.TenantID)
	fails(t, "by a disabled user", err, auth.ErrUnauthenticated)
	fails(t, "delete", w.Ops.DeleteUser(t.Context(), ada), nil)
	_, err = w.Auth.SwitchTenant(t.Context(), mine, owner.TenantID)
	fails(t, "by a deleted user", err, auth.ErrTenantDenied)
}

func TestAProfileChanges(t *testing.T) {
	w := identity.New(t)
	w.User(t, "bob@example.com", "bob")
	w.User(t, ada, "ada")
	caller := w.Caller(t, w.Login(t, ada).Access)
	text := func(s string) *string { return &s }
	for _, c := range []struct {
		name              string
		change            inbound.ProfileChange
		wantCode          string
		username, display string
	}{
		{"nothing", inbound.ProfileChange{}, "", "ada", ""},
		{"a display name", inbound.ProfileChange{DisplayName: text("Ada <b>")}, "", "ada", "Ada <b>"},
		{"a username", inbound.ProfileChange{Username: text("Ada.Lovelace")}, "", "ada.lovelace", "Ada <b>"},
		{"a taken username", inbound.ProfileChange{Username: text("BOB"), DisplayName: text("Bob")}, "username_taken", "ada.lovelace", "Ada <b>"},
		{"one's own", inbound.ProfileChange{Username: text("ada.lovelace")}, "", "ada.lovelace", "Ada <b>"},
		{"a reserved one", inbound.ProfileChange{Username: text("admin")}, "validation_failed", "ada.lovelace", "Ada <b>"},
		{"an address", inbound.ProfileChange{Username: text("a@b.c")}, "validation_failed", "ada.lovelace", "Ada <b>"},
		{"a display name in two lines", inbound.ProfileChange{DisplayName: text("a\nb"), Username: text("fine")}, "validation_failed", "ada.lovelace", "Ada <b>"},
		{"no names", inbound.ProfileChange{Username: text(""), DisplayName: text("")}, "", "", ""},
		{"the name that was given up", inbound.ProfileChange{Username: text("ada")}, "", "ada", ""},
	} {
		got, err := w.Auth.ChangeProfile(t.Context(), caller, c.change)
		if code(err) != c.wantCode {
			t.Errorf("%s: got %v, want %q", c.name, err, c.wantCode)
		}
		if err != nil {
			got, err = w.Auth.Me(t.Context(), caller)
		}
		if err != nil || got.Username != c.username || got.DisplayName != c.display {
			t.Errorf("%s: is %q, %q, %v, want %q, %q", c.name, got.Username, got.DisplayName, err, c.username, c.display)
		}
	}
	bad := inbound.ProfileChange{Username: text("!"), DisplayName: text("\x00")}
	if _, err := w.Auth.ChangeProfile(t.Context(), caller, bad); len(fields(err)) != 2 {
		t.Errorf("two mistakes: got %v", err)
	}
	_, err := w.Auth.ChangeProfile(t.Context(), aKey(caller), inbound.ProfileChange{})
	fails(t, "by a key", err, auth.ErrSessionOnly)
	fails(t, "delete", w.Ops.DeleteUser(t.Context(), ada), nil)
	_, err = w.Auth.ChangeProfile(t.Context(), caller, inbound.ProfileChange{})
	fails(t, "by a deleted user", err, auth.ErrUnauthenticated)
}

func code(err error) string {
	if f, ok := asFault(err); ok {
		return f.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func fields(err error) []fault.Field {
	f, _ := asFault(err)
	return f.Fields
}
