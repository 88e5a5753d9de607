package conformance

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// AuditLog is the suite of outbound.AuditLog.
func AuditLog(t *testing.T, new func(t *testing.T) Store) {
	tests := map[string]func(t *testing.T, s Store){
		"a line comes back as it was":                        auditRoundTrip,
		"what an event leaves open the actor says":           auditDefaults,
		"events of one call stay in order":                   auditOrder,
		"a tenant's lines are its own":                       auditTenants,
		"pages follow each other, of one moment too":         auditPages,
		"new lines do not move the pages that follow":        auditGrowing,
		"each filter leaves what it asks for":                auditFilters,
		"a line of a transaction that failed is not there":   auditUndone,
		"lines of an aggregate are listed as those appended": auditAggregates,
		"text from outside is mended, not refused":           auditMended,
		"sweeping deletes what is older, nothing else":       auditSweep,
		"sweeping and appending at once lose nothing":        auditSweepMeetsAppend,
		"lines appended at once are all kept":                auditAppendRace,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

// noted makes an event of a tenant.
func noted(name, tenantID string, now time.Time) event.Noted {
	return event.Noted{Name: name, Subject: "subject of " + name, Tenant: tenantID, At: now}
}

func appendEvents(t *testing.T, s Store, events ...event.Event) {
	t.Helper()
	must(t, "append", s.View().Audit.Append(t.Context(), events...))
}

func listAudit(t *testing.T, s Store, tenantID string, f outbound.AuditFilter, before string, limit int) []outbound.AuditEntry {
	t.Helper()
	list, err := s.View().Audit.List(t.Context(), tenantID, f, before, limit)
	must(t, "list", err)
	return list
}

// namesOf gives the names of lines in one word.
func namesOf(list []outbound.AuditEntry) string {
	var names []string
	for _, e := range list {
		names = append(names, e.Event)
	}
	return strings.Join(names, " ")
}

var auditActor = outbound.Actor{
	UserID: "user", TenantID: "the actor's tenant", SessionID: "the actor's session", KeyID: "key", RequestID: "request", TraceID: "trace", IP: "2001:db8::1",
	Agent: hostile,
}

func auditRoundTrip(t *testing.T, s Store) {
	e := event.Noted{
		Name: "mfa_disable", Subject: "subject", Tenant: "tenant", Session: "session", Reason: "reason " + hostile, Detail: map[string]string{"a": "1", hostile: hostile},
		At: storeEpoch.In(time.FixedZone("far", 3600)),
	}
	must(t, "append", s.View().Audit.Append(outbound.WithActor(t.Context(), auditActor), e))
	list := listAudit(t, s, "tenant", outbound.AuditFilter{}, "", 10)
	if len(list) != 1 || list[0].ID == "" {
		t.Fatalf("listed %+v, want one line with an id", list)
	}
	utc(t, "the line", list[0].At)
	same(t, "the line", list[0], outbound.AuditEntry{
		ID: list[0].ID, At: storeEpoch, Event: "mfa_disable", ActorID: "user", KeyID: "key", SubjectID: "subject", TenantID: "tenant", SessionID: "session",
		Reason: "reason " + hostile, RequestID: "request", TraceID: "trace", IP: "2001:db8::1", Agent: hostile,
		Detail: map[string]string{"a": "1", hostile: hostile},
	})
}

func auditDefaults(t *testing.T, s Store) {
	must(t, "append", s.View().Audit.Append(outbound.WithActor(t.Context(), auditActor), event.Noted{Name: "authz_fail"}))
	list := listAudit(t, s, auditActor.TenantID, outbound.AuditFilter{}, "", 10)
	if len(list) != 1 || list[0].At.IsZero() {
		t.Fatalf("listed %+v, want one line with a time", list)
	}
	list[0].ID, list[0].At = "", time.Time{}
	same(t, "the line", list[0], outbound.AuditEntry{
		Event: "authz_fail", ActorID: "user", KeyID: "key", TenantID: auditActor.TenantID, SessionID: auditActor.SessionID, RequestID: "request", TraceID: "trace",
		IP: "2001:db8::1", Agent: hostile,
	})
}

func auditOrder(t *testing.T, s Store) {
	appendEvents(t, s)
	appendEvents(t, s, noted("a", "t", storeEpoch), noted("b", "t", storeEpoch.Add(-time.Hour)), noted("c", "t", storeEpoch))
	appendEvents(t, s, noted("d", "t", storeEpoch.Add(-time.Minute)))
	same(t, "the lines", namesOf(listAudit(t, s, "t", outbound.AuditFilter{}, "", 10)), "d c b a")
}

func auditTenants(t *testing.T, s Store) {
	appendEvents(t, s, noted("one", "t1", storeEpoch), noted("none", "", storeEpoch), noted("two", "t2", storeEpoch), noted("one", "t1", storeEpoch),
		noted("upper", "T1", storeEpoch), noted("longer", "t11", storeEpoch))
	tests := map[string]string{"t1": "one one", "t2": "two", "t3": "", "": "", "%": "", "t1\x00": "", "t1' OR 1=1 --": "", "T1": "upper"}
	for id, want := range tests {
		list := listAudit(t, s, id, outbound.AuditFilter{}, "", 10)
		same(t, fmt.Sprintf("the lines of %q", id), namesOf(list), want)
	}
	own := listAudit(t, s, "t1", outbound.AuditFilter{}, "", 10)
	same(t, "t2's lines before one of t1's", namesOf(listAudit(t, s, "t2", outbound.AuditFilter{}, own[0].ID, 10)), "two")
	same(t, "t1's lines about t2's subject", namesOf(listAudit(t, s, "t1", outbound.AuditFilter{Subject: "subject of two"}, "", 10)), "")
}

func auditPages(t *testing.T, s Store) {
	var want []string
	for i := range 25 {
		at := storeEpoch // all of one moment, but the last ones
		if i > 20 {
			at = at.Add(time.Duration(i) * time.Second)
		}
		appendEvents(t, s, noted(fmt.Sprint("e", i), "t", at), noted("other", "u", at))
		want = append([]string{fmt.Sprint("e", i)}, want...)
	}
	for _, size := range []int{1, 7, 24, 25, 26} {
		var got []string
		before := ""
		for {
			page := listAudit(t, s, "t", outbound.AuditFilter{}, before, size)
			if len(page) > size || len(got) > len(want) {
				t.Fatalf("a page of %d has %d lines, after %d of %d", size, len(page), len(got), len(want))
			}
			for _, e := range page {
				got = append(got, e.Event)
			}
			if len(page) == 0 {
				break
			}
			before = page[len(page)-1].ID
		}
		same(t, fmt.Sprintf("the lines by pages of %d", size), got, want)
	}
	for _, limit := range []int{0, -1} {
		if list := listAudit(t, s, "t", outbound.AuditFilter{}, "", limit); len(list) != 0 {
			t.Errorf("with a limit of %d: %d lines, want none", limit, len(list))
		}
	}
	for what, text := range unstorable {
		if list := listAudit(t, s, "t", outbound.AuditFilter{}, text, 10); len(list) != 0 {
			t.Errorf("before a cursor with %s: %d lines, want none", what, len(list))
		}
	}
}

func auditGrowing(t *testing.T, s Store) {
	appendEvents(t, s, noted("a", "t", storeEpoch), noted("b", "t", storeEpoch), noted("c", "t", storeEpoch))
	page := listAudit(t, s, "t", outbound.AuditFilter{}, "", 2)
	appendEvents(t, s, noted("d", "t", storeEpoch.Add(-time.Hour)))
	same(t, "the next page", namesOf(listAudit(t, s, "t", outbound.AuditFilter{}, page[1].ID, 2)), "a")
	same(t, "the first page", namesOf(listAudit(t, s, "t", outbound.AuditFilter{}, "", 2)), "d c")
}

func auditFilters(t *testing.T, s Store) {
	by := func(actor string) context.Context {
		return outbound.WithActor(t.Context(), outbound.Actor{UserID: actor})
	}
	must(t, "append", s.View().Audit.Append(by("ada"), noted("a", "t", storeEpoch), noted("b", "t", storeEpoch.Add(time.Second))))
	must(t, "append", s.View().Audit.Append(by("bob"), noted("a", "t", storeEpoch.Add(2*time.Second)), noted("c", "t", storeEpoch.Add(3*time.Second))))
	must(t, "append", s.View().Audit.Append(by("ada"), noted("a", "elsewhere", storeEpoch)))
	sec := func(n int) time.Time { return storeEpoch.Add(time.Duration(n) * time.Second) }
	tests := map[string]struct {
		filter outbound.AuditFilter
		want   string
	}{
		"nothing":                          {outbound.AuditFilter{}, "c a b a"},
		"an event":                         {outbound.AuditFilter{Event: "a"}, "a a"},
		"an event that never was":          {outbound.AuditFilter{Event: "A"}, ""},
		"a pattern":                        {outbound.AuditFilter{Event: "%"}, ""},
		"an actor":                         {outbound.AuditFilter{Actor: "ada"}, "b a"},
		"a subject":                        {outbound.AuditFilter{Subject: "subject of c"}, "c"},
		"from then on, inclusive":          {outbound.AuditFilter{From: sec(1)}, "c a b"},
		"from just after":                  {outbound.AuditFilter{From: sec(1).Add(time.Microsecond)}, "c a"},
		"until then, exclusive":            {outbound.AuditFilter{To: sec(2)}, "b a"},
		"until just after":                 {outbound.AuditFilter{To: sec(2).Add(time.Microsecond)}, "a b a"},
		"between":                          {outbound.AuditFilter{From: sec(1), To: sec(3)}, "a b"},
		"an empty time":                    {outbound.AuditFilter{From: sec(3), To: sec(3)}, ""},
		"all at once":                      {outbound.AuditFilter{Event: "a", Actor: "bob", Subject: "subject of a", From: sec(2), To: sec(3)}, "a"},
		"all at once, one of them another": {outbound.AuditFilter{Event: "a", Actor: "bob", Subject: "subject of b", From: sec(2), To: sec(3)}, ""},
		"text that no line can hold":       {outbound.AuditFilter{Actor: "ada\x00"}, ""},
		"what ends a statement":            {outbound.AuditFilter{Actor: "' OR ''='"}, ""},
	}
	for name, c := range tests {
		same(t, name, namesOf(listAudit(t, s, "t", c.filter, "", 10)), c.want)
	}
	first := listAudit(t, s, "t", outbound.AuditFilter{Event: "a"}, "", 1)
	same(t, "the first page of a filter", namesOf(first), "a")
	same(t, "its second page", namesOf(listAudit(t, s, "t", outbound.AuditFilter{Event: "a", Actor: "ada"}, first[0].ID, 1)), "a")
}

func auditUndone(t *testing.T, s Store) {
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		must(t, "append", repos.Audit.Append(ctx, noted("a", "t", storeEpoch)))
		inside, err := repos.Audit.List(ctx, "t", outbound.AuditFilter{}, "", 10)
		must(t, "list inside", err)
		same(t, "the lines inside of the transaction", namesOf(inside), "a")
		return errChange
	})
	wantErr(t, "do", err, errChange)
	same(t, "the lines", namesOf(listAudit(t, s, "t", outbound.AuditFilter{}, "", 10)), "")
}

func auditAggregates(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	in := addTenant(t, s, "engines", ada)
	bob := addUser(t, s, "bob")
	must(t, "join", s.View().Tenants.Update(t.Context(), in.ID(), func(in *tenant.Tenant) error { return in.Join(bob.ID(), tenant.Viewer, storeEpoch) }))
	appendEvents(t, s, noted("authz_fail", string(in.ID()), storeEpoch))
	list := listAudit(t, s, string(in.ID()), outbound.AuditFilter{}, "", 10)
	same(t, "the lines of the tenant", namesOf(list), "authz_fail tenant_member_joined tenant_created")
	same(t, "what is said of the member", []any{list[1].SubjectID, list[1].Detail}, []any{string(bob.ID()), map[string]string{"role": "viewer"}})
}

func auditMended(t *testing.T, s Store) {
	for what, text := range unstorable {
		ctx := outbound.WithActor(t.Context(), outbound.Actor{UserID: text, SessionID: text, KeyID: text, RequestID: text, TraceID: text, IP: text, Agent: text})
		err := s.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
			return repos.Audit.Append(ctx, event.Noted{
				Name: "n" + text, Subject: text, Tenant: "t " + what, Reason: text, Detail: map[string]string{"k" + text: text}, At: storeEpoch,
			})
		})
		must(t, "append "+what, err)
		list := listAudit(t, s, "t "+what, outbound.AuditFilter{}, "", 10)
		if len(list) != 1 || !strings.HasPrefix(list[0].Reason, "a\ufffd") || len(list[0].Detail) != 1 {
			t.Errorf("%s: got %+v, want one line with U+FFFD where something was wrong", what, list)
		}
	}
}

func auditSweep(t *testing.T, s Store) {
	ada := addUser(t, s, "ada") // a line of no tenant
	appendEvents(t, s, noted("older", "t", storeEpoch.Add(-time.Microsecond)), noted("at-the-bound", "t", storeEpoch),
		noted("oldest", "u", storeEpoch.Add(-1000*time.Hour)), noted("later", "t", storeEpoch.Add(time.Microsecond)))
	for _, c := range []struct {
		before time.Time
		want   int
	}{{storeEpoch.Add(-2000 * time.Hour), 0}, {storeEpoch, 2}, {storeEpoch, 0}} {
		n, err := s.View().Audit.Sweep(t.Context(), c.before)
		must(t, "sweep", err)
		if n != c.want {
			t.Errorf("swept %d from before %v, want %d", n, c.before, c.want)
		}
	}
	same(t, "the lines of t", namesOf(listAudit(t, s, "t", outbound.AuditFilter{}, "", 10)), "later at-the-bound")
	same(t, "the lines of u", namesOf(listAudit(t, s, "u", outbound.AuditFilter{}, "", 10)), "")
	s.wantEvents(t, "user_verified", "at-the-bound", "later")
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		n, err := repos.Audit.Sweep(ctx, farFuture)
		if n != 3 {
			t.Errorf("swept %d inside of a transaction, want all 3", n)
		}
		must(t, "sweep", err)
		must(t, "change a user after that", repos.Users.Update(ctx, ada.ID(), func(u *user.User) error { u.Disable(storeEpoch); return nil }))
		return errChange
	})
	wantErr(t, "do", err, errChange)
	s.wantEvents(t, "user_verified", "at-the-bound", "later")
}

func auditSweepMeetsAppend(t *testing.T, s Store) {
	none(t, race(40, func(i int) error {
		if i%4 == 0 {
			return second(s.View().Audit.Sweep(t.Context(), storeEpoch))
		}
		at := storeEpoch.Add(-time.Second)
		if i%4 == 1 {
			at = storeEpoch
		}
		return s.View().Audit.Append(t.Context(), noted(fmt.Sprint(i), "t", at))
	}))
	must(t, "sweep", second(s.View().Audit.Sweep(t.Context(), storeEpoch)))
	if n := len(listAudit(t, s, "t", outbound.AuditFilter{}, "", 100)); n != 10 {
		t.Errorf("%d lines are left, want the 10 that are not older", n)
	}
}

func auditAppendRace(t *testing.T, s Store) {
	none(t, race(50, func(i int) error { return s.View().Audit.Append(t.Context(), noted(fmt.Sprint(i), "t", storeEpoch)) }))
	seen := map[string]bool{}
	for _, e := range listAudit(t, s, "t", outbound.AuditFilter{}, "", 100) {
		seen[e.Event] = true
	}
	if len(seen) != 50 {
		t.Errorf("%d lines of 50 are there", len(seen))
	}
}
