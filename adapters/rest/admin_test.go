package rest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
)

// The paths of a tenant's administrators, and of platform administrators in a tenant.
const (
	adminPath = "/api/v1/admin/"
	otherPath = "/api/v1/admin/tenants/t2/"
)

func TestAdministrationAnswers(t *testing.T) {
	const (
		member = `{"user_id":"u1","email":"ada@example.com","username":null,"display_name":"","role":"admin","since":"2030-01-31T12:00:00Z","mfa_enabled":false,"active":true}`
		invite = `{"id":"i1","email":"b@example.com","role":"viewer","invited_by":"u1","created_at":"2030-01-31T12:00:00Z","expires_at":"2030-02-03T12:00:00Z"}`
	)
	tests := map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"no members":                    {"GET", "members", ``, 200, `{"items":[],"next_cursor":null}`},
		"a limit that is none":          {"GET", "members?limit=201", ``, 422, "validation_failed limit"},
		"a role":                        {"PATCH", "members/u1", `{"role":"admin"}`, 200, member},
		"a role that is none":           {"PATCH", "members/u1", `{"role":"root"}`, 422, "validation_failed /role"},
		"a role and more":               {"PATCH", "members/u1", `{"role":"admin","tenant_id":"t3"}`, 400, "unknown_field /tenant_id"},
		"a role of the last owner":      {"PATCH", "members/last", `{"role":"viewer"}`, 409, "last_owner"},
		"a role of another's":           {"PATCH", "members/u2", `{"role":"viewer"}`, 404, "not_found"},
		"remove":                        {"DELETE", "members/u1", ``, 204, ""},
		"remove the last owner":         {"DELETE", "members/last", ``, 409, "last_owner"},
		"no invitations":                {"GET", "invites", ``, 200, `{"items":[],"next_cursor":null}`},
		"invite":                        {"POST", "invites", `{"email":"b@example.com","role":"viewer"}`, 201, invite},
		"invite without role":           {"POST", "invites", `{"email":"b@example.com"}`, 400, "missing_field /role"},
		"invite a member":               {"POST", "invites", `{"email":"member@example.com","role":"viewer"}`, 409, "already_member"},
		"revoke an invitation":          {"DELETE", "invites/i1", ``, 204, ""},
		"revoke another's invitation":   {"DELETE", "invites/i2", ``, 404, "not_found"},
		"the audit log":                 {"GET", "audit", ``, 200, `{"items":[],"next_cursor":null}`},
		"an event that is none":         {"GET", "audit?event=a%20b", ``, 422, "validation_failed event"},
		"an actor that is none":         {"GET", "audit?actor=%00", ``, 422, "validation_failed actor"},
		"a subject that is none":        {"GET", "audit?subject=%ff", ``, 422, "validation_failed subject"},
		"a time that is none":           {"GET", "audit?from=yesterday", ``, 422, "validation_failed from"},
		"a time out of all time":        {"GET", "audit?to=0000-01-01T00:00:00Z", ``, 422, "validation_failed to"},
		"a cursor that is none":         {"GET", "audit?cursor=!", ``, 422, "validation_failed cursor"},
		"a cursor that hides something": {"GET", "audit?cursor=JyBPUiAxPTE", ``, 422, "validation_failed cursor"},
	}
	w := start(t)
	for name, tc := range tests {
		for who, prefix := range map[string]string{"admin": adminPath, "platform": otherPath} {
			t.Run(name+" as "+who, func(t *testing.T) {
				got := w.do(tc.method, prefix+tc.path, tc.body, kindToken+who)
				if said := said(t, got); got.status != tc.status || said != tc.want {
					t.Errorf("got  %s\nwant %d %s", got, tc.status, tc.want)
				}
				want := ofKind("admin")
				if who == "platform" {
					want = ofKind("platform")
					want.TenantID, want.Role = "t2", tenant.Owner
				}
				if d := cmp.Diff(want, w.house.last().caller); tc.status < 400 && d != "" {
					t.Errorf("acted as another: %s", d)
				}
			})
		}
	}
}

func TestAPlatformAdministratorsPaths(t *testing.T) {
	w := start(t)
	who := kindToken + "platform"
	tests := map[string]struct {
		method, path string
		options      []string
		status       int
		want         string
	}{
		"a tenant that is none":         {"GET", adminPath + "tenants/t9/members", []string{who}, 404, "not_found"},
		"a tenant of no text":           {"GET", adminPath + "tenants/t2%00/members", []string{who}, 404, "not_found"},
		"a tenant named in the header":  {"GET", otherPath + "members", []string{who, "X-Tenant-ID: t2"}, 200, `{"items":[],"next_cursor":null}`},
		"another named in the header":   {"GET", otherPath + "members", []string{who, "X-Tenant-ID: t1"}, 403, "tenant_mismatch"},
		"another named in the query":    {"GET", otherPath + "members?tenant_id=t1", []string{who}, 403, "tenant_mismatch"},
		"forget a user":                 {"DELETE", adminPath + "users/u1", []string{who}, 204, ""},
		"forget nobody":                 {"DELETE", adminPath + "users/u9", []string{who}, 404, "not_found"},
		"an owner in its own tenant":    {"GET", adminPath + "tenants/t1/members", []string{kindToken + "owner"}, 403, "role_insufficient"},
		"an owner forgets a user":       {"DELETE", adminPath + "users/u1", []string{kindToken + "owner"}, 403, "role_insufficient"},
		"a path that looks like a twin": {"GET", adminPath + "tenants//members", []string{who}, 404, "not_found"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.do(tc.method, tc.path, "", tc.options...)
			if said := said(t, got); got.status != tc.status || said != tc.want {
				t.Errorf("got %s, want %d %s", got, tc.status, tc.want)
			}
		})
	}
}

func TestARefusedRoleIsKept(t *testing.T) {
	w := start(t)
	for name, c := range map[string]struct{ path, who, want string }{
		"a member among administrators": {adminPath + "members", "member", "list-members"},
		"an owner of one tenant":        {otherPath + "members", "owner", "list-members-of-tenant"},
		"an administrator":              {adminPath + "members", "admin", ""},
		"a key without the scope":       {adminPath + "members", "key:ai", ""},
	} {
		w.house.doors = nil
		got, kept := w.get(c.path, kindToken+c.who), w.house.doors
		if c.want == "" && len(kept) != 0 || c.want != "" && len(kept) != 1 {
			t.Errorf("%s: kept %+v, want %q", name, kept, c.want)
			continue
		}
		if c.want != "" && (got.status != 403 || kept[0].asked != c.want || kept[0].caller.Role == "" || kept[0].origin.RequestID == "") {
			t.Errorf("%s: answer %d, and kept %+v, want %q", name, got.status, kept[0], c.want)
		}
	}
	w.house.refused = fault.ErrDependency
	if got := w.get(adminPath+"members", kindToken+"member"); got.status != 503 {
		t.Errorf("when it cannot be kept: got %d", got.status)
	}
}

func TestMembersAndInvitationsComeInPages(t *testing.T) {
	w := start(t)
	for i := range 5 {
		w.house.members = append(w.house.members, inbound.MemberView{UserID: user.ID(fmt.Sprintf("u%d", i)), Role: tenant.Plain, Since: epoch.Add(time.Duration(i) * time.Hour)})
		w.house.invites = append(w.house.invites, inbound.InviteView{ID: tenant.InviteID(fmt.Sprintf("i%d", i)), Role: tenant.Plain, CreatedAt: epoch})
	}
	for path, want := range map[string]string{"members": "u0 u1 u2 u3 u4 ", "invites": "i0 i1 i2 i3 i4 "} {
		got, cursor := "", ""
		for range 5 {
			ids, next := idsOf(t, w.get(adminPath+path+"?limit=2"+cursor, kindToken+"admin"))
			if got += ids; next == "" {
				break
			}
			cursor = "&cursor=" + next
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

// TestAPageGoesOnWhereItsLastItemHasGone looks for the place of an item that is not there any more, in both orders and among equal times.
func TestAPageGoesOnWhereItsLastItemHasGone(t *testing.T) {
	tests := map[string]struct {
		hours []int // of u0, u1, ...
		gone  int
		want  string
	}{
		"between others":       {[]int{0, 1, 2, 3}, 1, "u2 u3 "},
		"at one time":          {[]int{0, 0, 0, 0}, 1, "u2 u3 "},
		"at the end of a time": {[]int{0, 0, 1, 1}, 1, "u2 u3 "},
		"before all":           {[]int{1, 1, 1, 1}, 0, "u1 u2 u3 "},
		"with nothing behind":  {[]int{0, 1}, 1, ""},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w.house.members = nil
			for i, h := range append(tc.hours, 99) { // one more, so that there is a cursor
				w.house.members = append(w.house.members, inbound.MemberView{UserID: user.ID(fmt.Sprintf("u%d", i)), Role: tenant.Plain, Since: epoch.Add(time.Duration(h) * time.Hour)})
			}
			_, next := idsOf(t, w.get(fmt.Sprintf("%smembers?limit=%d", adminPath, tc.gone+1), kindToken+"admin"))
			all := w.house.members
			w.house.members = append(append([]inbound.MemberView{}, all[:tc.gone]...), all[tc.gone+1:len(all)-1]...)
			if got, _ := idsOf(t, w.get(adminPath+"members?cursor="+next, kindToken+"admin")); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestTheAuditLogInPages(t *testing.T) {
	w := start(t)
	var asked []inbound.AuditQuery
	w.house.audit = func(_ inbound.Caller, q inbound.AuditQuery) ([]inbound.AuditLine, error) {
		asked = append(asked, q)
		var out []inbound.AuditLine
		for i := 9; i > 0 && len(out) < q.Limit; i-- {
			if id := fmt.Sprintf("a%d", i); q.Before == "" || id < q.Before {
				out = append(out, inbound.AuditLine{ID: id, At: epoch, Event: "authn_login_success", ActorID: "u1", Detail: map[string]string{"k": "v"}})
			}
		}
		return out, nil
	}
	const query = "audit?event=authn_login_success&actor=u1&subject=s1&from=2030-01-01T00:00:00%2B01:00&to=2030-02-01T00:00:00Z&limit=4"
	first := w.get(adminPath+query, kindToken+"admin")
	const line = `{"items":[{"id":"a9","at":"2030-01-31T12:00:00Z","event":"authn_login_success","actor_id":"u1","key_id":null,"subject_id":null,"session_id":null,"detail":{"k":"v"}},`
	if got := string(first.body); len(got) < len(line) || got[:len(line)] != line {
		t.Errorf("got %s, want %s", got, line)
	}
	got, next := idsOf(t, first)
	for next != "" {
		var ids string
		ids, next = idsOf(t, w.get(adminPath+query+"&cursor="+next, kindToken+"admin"))
		got += "/ " + ids
	}
	if want := "a9 a8 a7 a6 / a5 a4 a3 a2 / a1 "; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	want := inbound.AuditQuery{
		Event: "authn_login_success", Actor: "u1", Subject: "s1", From: time.Date(2029, 12, 31, 23, 0, 0, 0, time.UTC), To: time.Date(2030, 2, 1, 0, 0, 0, 0, time.UTC),
		Before: "a6", Limit: 5,
	}
	if d := cmp.Diff(want, asked[1]); d != "" {
		t.Error(d)
	}
}
