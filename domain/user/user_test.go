package user_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/user"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func ada(t testing.TB) *user.User {
	t.Helper()
	u, err := user.New("u-1", user.RestoreEmail("Ada@example.com", "ada@example.com"), user.RestoreUsername("ada"), "Ada", "$phc", now)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func names(events []event.Event) (out []string) {
	for _, e := range events {
		out = append(out, e.EventName())
	}
	return out
}

func TestANewUserIsActiveAndVerified(t *testing.T) {
	u := ada(t)
	want := user.Snapshot{
		ID: "u-1", EmailDisplay: "Ada@example.com", EmailCanon: "ada@example.com", Username: "ada", DisplayName: "Ada", Status: user.Active, Epoch: 1,
		PasswordHash: "$phc", PasswordSet: now, CreatedAt: now,
	}
	if diff := cmp.Diff(want, u.Snapshot()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]event.Event{user.Verified{ID: "u-1", At: now}}, u.Events()); diff != "" {
		t.Errorf("events: -want +got:\n%s", diff)
	}
	if len(u.Events()) != 0 {
		t.Error("events are given twice")
	}
	got := []any{u.ID(), u.Email().Canon(), u.Username().String(), u.DisplayName(), u.PasswordHash(), u.Epoch(), u.MFA(), u.CreatedAt(), u.LastTenant(), u.PlatformAdmin(), u.MaySignIn()}
	if diff := cmp.Diff([]any{user.ID("u-1"), "ada@example.com", "ada", "Ada", "$phc", int64(1), false, now, "", false, true}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDisplayNames(t *testing.T) {
	for name, c := range map[string]struct{ in, code string }{
		"nothing":             {"", ""},
		"100 code points":     {strings.Repeat("ü", 100), ""},
		"101 code points":     {strings.Repeat("ü", 101), "too_long"},
		"markup":              {"<script>{{.}}</script>", ""},
		"a line break":        {"a\r\nb", "invalid_character"},
		"NUL":                 {"a\x00b", "invalid_character"},
		"a right-to-left":     {"a\u202eb", "invalid_character"},
		"zero width":          {"a\u200bb", "invalid_character"},
		"a line separator":    {"a\u2028b", "invalid_character"},
		"a paragraph mark":    {"a\u2029b", "invalid_character"},
		"letters of any kind": {"Ада 愛 عادة", ""},
	} {
		_, err := user.New("u", user.Email{}, user.Username{}, c.in, "$phc", now)
		if pointer, code := field(t, err); code != c.code || (err != nil) != (c.code != "") || err != nil && pointer != "/display_name" {
			t.Errorf("%s: got %v, want %q", name, err, c.code)
		}
	}
}

func TestVerbsOfUser(t *testing.T) {
	later := now.Add(time.Hour)
	for name, c := range map[string]struct {
		do     func(*user.User)
		events []string
		epoch  int64
		check  func(*user.User) bool
	}{
		"disable":             {func(u *user.User) { u.Disable(later) }, []string{"user_disabled"}, 2, func(u *user.User) bool { return !u.MaySignIn() }},
		"disable twice":       {func(u *user.User) { u.Disable(later); u.Disable(later) }, []string{"user_disabled"}, 2, func(u *user.User) bool { return !u.MaySignIn() }},
		"enable":              {func(u *user.User) { u.Enable(later) }, nil, 1, (*user.User).MaySignIn},
		"disable and enable":  {func(u *user.User) { u.Disable(later); u.Enable(later) }, []string{"user_disabled", "user_active"}, 2, (*user.User).MaySignIn},
		"change the password": {func(u *user.User) { u.ChangePassword("$new", later) }, []string{"authn_password_change"}, 2, func(u *user.User) bool { return u.PasswordHash() == "$new" && u.Snapshot().PasswordSet.Equal(later) }},
		"rehash":              {func(u *user.User) { u.Rehash("$new") }, nil, 1, func(u *user.User) bool { return u.PasswordHash() == "$new" && u.Snapshot().PasswordSet.Equal(now) }},
		"sign in":             {func(u *user.User) { u.SignedIn("t-1") }, nil, 1, func(u *user.User) bool { return u.LastTenant() == "t-1" }},
		"end sessions":        {func(u *user.User) { u.EndSessions() }, nil, 2, (*user.User).MaySignIn},
		"a second factor":     {func(u *user.User) { u.EnableMFA() }, nil, 2, (*user.User).MFA},
		"none any more":       {func(u *user.User) { u.EnableMFA(); u.DisableMFA() }, nil, 3, func(u *user.User) bool { return !u.MFA() }},
		"delete":              {func(u *user.User) { u.Delete(later) }, []string{"user_deleted"}, 2, func(u *user.User) bool { return !u.MaySignIn() }},
		"platform admin":      {func(u *user.User) { u.MakePlatformAdmin(later); u.MakePlatformAdmin(later) }, []string{"user_platform_admin"}, 1, (*user.User).PlatformAdmin},
	} {
		u := ada(t)
		u.Events()
		c.do(u)
		if diff := cmp.Diff(c.events, names(u.Events())); diff != "" || u.Epoch() != c.epoch || !c.check(u) {
			t.Errorf("%s: epoch %d, want %d; %+v; events -want +got:\n%s", name, u.Epoch(), c.epoch, u.Snapshot(), diff)
		}
	}
}

func TestRename(t *testing.T) {
	later := now.Add(time.Hour)
	told := []event.Event{event.Noted{Name: "user_profile_changed", Subject: "u-1", At: later}}
	for name, c := range map[string]struct {
		username, display string
		events            []event.Event
		refused           bool
	}{
		"both":                       {"countess", "Ada Lovelace", told, false},
		"the username":               {"countess", "Ada", told, false},
		"the display name":           {"ada", "", told, false},
		"to what they are":           {"ada", "Ada", nil, false},
		"to a name that is too long": {"countess", strings.Repeat("a", user.MaxDisplayName+1), nil, true},
	} {
		u := ada(t)
		u.Events()
		want := u.Snapshot()
		err := u.Rename(user.RestoreUsername(c.username), c.display, later)
		if !c.refused {
			want.Username, want.DisplayName = c.username, c.display
		} else if pointer, code := field(t, err); pointer != "/display_name" || code != "too_long" {
			t.Errorf("%s: got %v", name, err)
		}
		if diff := cmp.Diff(want, u.Snapshot()); diff != "" || (err != nil) != c.refused {
			t.Errorf("%s: %v; -want +got:\n%s", name, err, diff)
		}
		if diff := cmp.Diff(c.events, u.Events()); diff != "" {
			t.Errorf("%s: events: -want +got:\n%s", name, diff)
		}
	}
}

func TestAUserIsRestoredAsItWasKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		s := user.Snapshot{
			ID: user.ID(text.Draw(t, "id")), EmailDisplay: text.Draw(t, "display"), EmailCanon: text.Draw(t, "canon"), Username: text.Draw(t, "username"),
			DisplayName: text.Draw(t, "name"), Status: user.Status(text.Draw(t, "status")), PlatformAdmin: rapid.Bool().Draw(t, "admin"),
			Epoch: rapid.Int64().Draw(t, "epoch"), PasswordHash: text.Draw(t, "hash"), PasswordSet: now, MFA: rapid.Bool().Draw(t, "mfa"), CreatedAt: now,
			LastTenant: text.Draw(t, "tenant"),
		}
		u := user.Restore(s)
		if diff := cmp.Diff(s, u.Snapshot()); diff != "" || len(u.Events()) != 0 {
			t.Fatalf("-want +got:\n%s", diff)
		}
	})
}

func TestTheEpochNeverFallsAndADisabledUserNeverSignsIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := user.Restore(user.Snapshot{Status: user.Active, Epoch: 1})
		enabled := true
		for _, verb := range rapid.SliceOf(rapid.IntRange(0, 7)).Draw(t, "verbs") {
			before := u.Epoch()
			switch verb {
			case 0:
				u.Disable(now)
				enabled = false
			case 1:
				u.Enable(now)
				enabled = true
			case 2:
				u.ChangePassword("$", now)
				if u.Epoch() == before {
					t.Fatal("a new password ended no session")
				}
			case 3:
				u.EndSessions()
			case 4:
				u.Rehash("$")
			case 5:
				u.SignedIn("t")
			case 6, 7:
				if verb == 6 {
					u.EnableMFA()
				} else {
					u.DisableMFA()
				}
				if u.Epoch() == before || u.MFA() != (verb == 6) {
					t.Fatal("a change of the second factor ended no session, or is none")
				}
			}
			if u.Epoch() < before || u.MaySignIn() != enabled {
				t.Fatalf("epoch %d after %d, may sign in %v", u.Epoch(), before, u.MaySignIn())
			}
		}
	})
}
