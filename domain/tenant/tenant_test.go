package tenant_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func acme(t testing.TB) *tenant.Tenant {
	t.Helper()
	made, err := tenant.Found("t-1", "Acme Ltd", "acme", false, "owner", now)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func field(t *testing.T, err error) (pointer, code string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 {
		return "", ""
	}
	return f.Fields[0].Pointer, f.Fields[0].Code
}

func names(events []event.Event) (out []string) {
	for _, e := range events {
		out = append(out, e.EventName())
	}
	return out
}

func TestATenantBeginsWithItsOwner(t *testing.T) {
	made := acme(t)
	want := tenant.Snapshot{ID: "t-1", Name: "Acme Ltd", Slug: "acme", CreatedAt: now, Members: []tenant.Member{{User: "owner", Role: tenant.Owner, Since: now}}}
	if diff := cmp.Diff(want, made.Snapshot()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]event.Event{tenant.Founded{ID: "t-1", Owner: "owner", At: now}}, made.Events()); diff != "" {
		t.Errorf("events: -want +got:\n%s", diff)
	}
	got := []any{made.ID(), made.Name(), made.Slug(), made.Personal(), made.Members()}
	if diff := cmp.Diff([]any{tenant.ID("t-1"), "Acme Ltd", "acme", false, want.Members}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	again := tenant.Restore(made.Snapshot())
	if diff := cmp.Diff(made.Snapshot(), again.Snapshot()); diff != "" || len(again.Events()) != 0 {
		t.Errorf("restored: -want +got:\n%s", diff)
	}
	made.Snapshot().Members[0].Role = tenant.Viewer
	made.Members()[0].Role = tenant.Viewer
	if role, _ := made.RoleOf("owner"); role != tenant.Owner {
		t.Error("the caller can change the members")
	}
}

func TestNamesAndSlugs(t *testing.T) {
	for name, c := range map[string]struct{ name, slug, pointer, code string }{
		"plain":                     {"Acme", "acme", "", ""},
		"100 code points":           {strings.Repeat("ü", 100), "abc", "", ""},
		"any script":                {"株式会社 <b>{{.}}", "a-0", "", ""},
		"a slug of 40":              {"Acme", strings.Repeat("a", 40), "", ""},
		"no name":                   {"", "acme", "/tenant/name", "too_short"},
		"a blank name":              {" \u2003", "acme", "/tenant/name", "too_short"},
		"101 code points":           {strings.Repeat("ü", 101), "acme", "/tenant/name", "too_long"},
		"a line break":              {"a\nb", "acme", "/tenant/name", "invalid_character"},
		"a right-to-left override":  {"a\u202eb", "acme", "/tenant/name", "invalid_character"},
		"a line separator":          {"a\u2028b", "acme", "/tenant/name", "invalid_character"},
		"a short slug":              {"Acme", "ab", "/tenant/slug", "invalid_slug"},
		"a slug of 41":              {"Acme", strings.Repeat("a", 41), "/tenant/slug", "invalid_slug"},
		"a slug in capitals":        {"Acme", "Acme", "/tenant/slug", "invalid_slug"},
		"a hyphen first":            {"Acme", "-acme", "/tenant/slug", "invalid_slug"},
		"a hyphen last":             {"Acme", "acme-", "/tenant/slug", "invalid_slug"},
		"an underscore in the slug": {"Acme", "ac_me", "/tenant/slug", "invalid_slug"},
		"a full-width slug":         {"Acme", "ａcme", "/tenant/slug", "invalid_slug"},
		"no slug":                   {"Acme", "", "/tenant/slug", "invalid_slug"},
	} {
		_, err := tenant.Found("t", c.name, c.slug, false, "u", now)
		if pointer, code := field(t, err); pointer != c.pointer || code != c.code || (err != nil) != (c.code != "") {
			t.Errorf("%s: got %v, want %s %s", name, err, c.pointer, c.code)
		}
	}
}

func TestSlugsFromNames(t *testing.T) {
	for in, want := range map[[2]string]string{
		{"Acme Ltd.", ""}:                 "acme-ltd",
		{"  Acme  &  Sons  ", ""}:         "acme-sons",
		{"Acme", "x1y2"}:                  "acme-x1y2",
		{"株式会社", ""}:                      "tenant",
		{"株式会社", "x1y2"}:                  "tenant-x1y2",
		{"é", "x1y2"}:                     "tenant-x1y2",
		{"a", ""}:                         "a00",
		{"ab", "x1y2"}:                    "ab-x1y2",
		{"---", ""}:                       "tenant",
		{strings.Repeat("a", 60), ""}:     strings.Repeat("a", 39),
		{strings.Repeat("ab ", 20), ""}:   strings.TrimSuffix(strings.Repeat("ab-", 13), "-"),
		{strings.Repeat("a", 60), "wxyz"}: strings.Repeat("a", 35) + "-wxyz",
	} {
		if got := tenant.SlugFrom(in[0], in[1]); got != want {
			t.Errorf("%q, %q: got %q, want %q", in[0], in[1], got, want)
		}
	}
}

func TestEverySlugOfANameIsGoodAndNoTwoAreAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		seed := byte(0)
		random := func(b []byte) {
			for i := range b {
				seed = seed*31 + 7
				b[i] = seed
			}
		}
		seen := map[string]bool{}
		for slug := range tenant.Slugs(name, random) {
			if err := tenant.CheckSlug(slug); err != nil {
				t.Fatalf("%q: slug %q: %v", name, slug, err)
			}
			if len(seen) == 0 && slug != tenant.SlugFrom(name, "") {
				t.Fatalf("%q: begins with %q", name, slug)
			}
			seen[slug] = true
		}
		if len(seen) < 2 {
			t.Fatalf("%q: got %v", name, seen)
		}
		for range tenant.Slugs(name, random) {
			break
		}
	})
}

func TestChoose(t *testing.T) {
	one, two := acme(t), tenant.Restore(tenant.Snapshot{ID: "t-2", Slug: "other"})
	for name, c := range map[string]struct {
		mine  []*tenant.Tenant
		named string
		last  tenant.ID
		want  *tenant.Tenant
	}{
		"none":                   {nil, "", "", nil},
		"the first":              {[]*tenant.Tenant{one, two}, "", "", one},
		"the last used":          {[]*tenant.Tenant{one, two}, "", "t-2", two},
		"the last used is gone":  {[]*tenant.Tenant{one, two}, "", "t-9", one},
		"by id":                  {[]*tenant.Tenant{one, two}, "t-2", "t-1", two},
		"by slug":                {[]*tenant.Tenant{one, two}, "other", "t-1", two},
		"not mine":               {[]*tenant.Tenant{one, two}, "theirs", "t-1", nil},
		"a slug in capitals":     {[]*tenant.Tenant{one, two}, "OTHER", "", nil},
		"no tenant has no slug":  {[]*tenant.Tenant{one, two}, " ", "", nil},
		"an id before a slug":    {[]*tenant.Tenant{tenant.Restore(tenant.Snapshot{ID: "x", Slug: "t-1"}), one}, "t-1", "", one},
		"named, member nowhere":  {nil, "acme", "t-1", nil},
		"last used, none named ": {[]*tenant.Tenant{one}, "", "t-1", one},
	} {
		got, ok := tenant.Choose(c.mine, c.named, c.last)
		if got != c.want || ok != (c.want != nil) {
			t.Errorf("%s: got %v, %v", name, got, ok)
		}
	}
}

func TestRoles(t *testing.T) {
	order := []tenant.Role{tenant.Viewer, tenant.Plain, tenant.Admin, tenant.Owner}
	for i, r := range order {
		if got, err := tenant.ParseRole(string(r)); got != r || err != nil {
			t.Errorf("%s: got %s, %v", r, got, err)
		}
		for j, other := range order {
			if got := r.AtLeast(other); got != (i >= j) {
				t.Errorf("%s at least %s: got %v", r, other, got)
			}
		}
		if got := r.Administers(); got != (i >= 2) {
			t.Errorf("%s administers: got %v", r, got)
		}
	}
	for _, in := range []string{"", "Owner", "root", "owner "} {
		_, err := tenant.ParseRole(in)
		if pointer, code := field(t, err); pointer != "/role" || code != "unknown_value" {
			t.Errorf("%q: got %v", in, err)
		}
		if r := tenant.Role(in); r.AtLeast(tenant.Viewer) || r.AtLeast(r) || r.Administers() {
			t.Errorf("%q may do something", in)
		}
	}
}

func TestMembersComeAndGo(t *testing.T) {
	made := acme(t)
	made.Events()
	later := now.Add(time.Hour)
	for _, step := range []struct {
		name   string
		do     func() error
		want   error
		events []string
	}{
		{"join", func() error { return made.Join("m", tenant.Plain, later) }, nil, []string{"tenant_member_joined"}},
		{"join twice", func() error { return made.Join("m", tenant.Owner, later) }, tenant.ErrIsMember, nil},
		{"promote", func() error { return made.ChangeRole("m", tenant.Admin, later) }, nil, []string{"tenant_role_changed"}},
		{"promote to the same", func() error { return made.ChangeRole("m", tenant.Admin, later) }, nil, nil},
		{"promote a stranger", func() error { return made.ChangeRole("x", tenant.Admin, later) }, tenant.ErrNotMember, nil},
		{"demote the last owner", func() error { return made.ChangeRole("owner", tenant.Admin, later) }, tenant.ErrLastOwner, nil},
		{"the last owner stays owner", func() error { return made.ChangeRole("owner", tenant.Owner, later) }, nil, nil},
		{"remove the last owner", func() error { return made.Remove("owner", later) }, tenant.ErrLastOwner, nil},
		{"remove a stranger", func() error { return made.Remove("x", later) }, tenant.ErrNotMember, nil},
		{"a second owner", func() error { return made.ChangeRole("m", tenant.Owner, later) }, nil, []string{"tenant_role_changed"}},
		{"demote one of two", func() error { return made.ChangeRole("owner", tenant.Viewer, later) }, nil, []string{"tenant_role_changed"}},
		{"remove a viewer", func() error { return made.Remove("owner", later) }, nil, []string{"tenant_member_left"}},
	} {
		before := made.Snapshot()
		err := step.do()
		if !errors.Is(err, step.want) || (err == nil) != (step.want == nil) {
			t.Errorf("%s: got %v, want %v", step.name, err, step.want)
		}
		if diff := cmp.Diff(before, made.Snapshot()); err != nil && diff != "" {
			t.Errorf("%s: refused, but changed:\n%s", step.name, diff)
		}
		if diff := cmp.Diff(step.events, names(made.Events())); diff != "" {
			t.Errorf("%s: events -want +got:\n%s", step.name, diff)
		}
	}
	if _, ok := made.RoleOf("owner"); ok {
		t.Error("who was removed has a role")
	}
}

func TestMembersAreListedOldestFirst(t *testing.T) {
	made := acme(t)
	for i, u := range []user.ID{"z", "b", "a"} {
		if err := made.Join(u, tenant.Plain, now.Add(time.Duration(i/2)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	var got []user.ID
	for _, m := range made.Members() {
		got = append(got, m.User)
	}
	if want := []user.ID{"b", "owner", "z", "a"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestATenantAlwaysHasAnOwnerAndEachMemberOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		made, err := tenant.Found("t", "T", "ttt", false, "u0", now)
		if err != nil {
			t.Fatal(err)
		}
		who := rapid.SampledFrom([]user.ID{"u0", "u1", "u2"})
		role := rapid.SampledFrom([]tenant.Role{tenant.Owner, tenant.Admin, tenant.Plain, tenant.Viewer})
		for range rapid.IntRange(0, 50).Draw(t, "steps") {
			u := who.Draw(t, "who")
			switch rapid.IntRange(0, 2).Draw(t, "verb") {
			case 0:
				_ = made.Join(u, role.Draw(t, "role"), now)
			case 1:
				_ = made.ChangeRole(u, role.Draw(t, "role"), now)
			case 2:
				_ = made.Remove(u, now)
			}
			owners, seen := 0, map[user.ID]bool{}
			for _, m := range made.Members() {
				if m.Role == tenant.Owner {
					owners++
				}
				if seen[m.User] {
					t.Fatalf("%s is a member twice", m.User)
				}
				seen[m.User] = true
			}
			if owners == 0 {
				t.Fatal("no owner is left")
			}
		}
	})
}

func TestATenantThatIsClosedSaysSo(t *testing.T) {
	made := acme(t)
	made.Events()
	made.Close(now)
	want := []event.Event{event.Noted{Name: "tenant_deleted", Subject: string(made.ID()), Tenant: string(made.ID()), At: now}}
	if diff := cmp.Diff(want, made.Events()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
