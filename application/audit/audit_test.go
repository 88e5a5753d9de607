package audit_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/audit"
	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

var origin = inbound.Origin{IP: "192.0.2.1", UserAgent: "curl/8", RequestID: "request-1", TraceID: "trace-1"}

func TestTheLogKnowsWhoActsAndFromWhere(t *testing.T) {
	caller := inbound.Caller{UserID: "u", TenantID: "t", SessionID: "s", KeyID: "k"}
	from := outbound.Actor{RequestID: "request-1", TraceID: "trace-1", IP: "192.0.2.1", Agent: "curl/8"}
	whole := from
	whole.UserID, whole.TenantID, whole.SessionID, whole.KeyID = "u", "t", "s", "k"
	for name, c := range map[string]struct {
		ctx  context.Context
		want outbound.Actor
	}{
		"a caller":                {audit.By(inbound.WithOrigin(t.Context(), origin), caller), whole},
		"a caller from nowhere":   {audit.By(t.Context(), caller), outbound.Actor{UserID: "u", TenantID: "t", SessionID: "s", KeyID: "k"}},
		"a stranger":              {audit.From(t.Context(), origin), from},
		"a stranger after others": {audit.From(audit.By(t.Context(), caller), origin), from},
	} {
		if diff := cmp.Diff(c.want, outbound.ActorOf(c.ctx)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

func TestWhatAClientSaysOfItselfIsShortenedAndOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "curl/8": "curl/8", "a\r\nb\tc\x00d": "abcd", "\xff\xfe": "", "ü": "ü", strings.Repeat("a", 257): strings.Repeat("a", 256),
		strings.Repeat("a", 255) + "ü": strings.Repeat("a", 255),
	} {
		if got := audit.Agent(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestAChangeOfAnAPIKeySaysFromWhere(t *testing.T) {
	w := identity.New(t)
	owner := w.Owner(t, "olga@example.com")
	ctx := inbound.WithOrigin(t.Context(), origin)
	made, err := w.APIKey.Create(ctx, owner, inbound.CreateKey{Name: "k"})
	if err != nil {
		t.Fatal(err)
	}
	next, err := w.APIKey.Rotate(ctx, owner, made.View.ID, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.APIKey.Revoke(ctx, owner, next.View.ID); err != nil {
		t.Fatal(err)
	}
	for _, event := range []string{"api_key_created", "api_key_rotated", "api_key_revoked"} {
		lines, err := w.Log.List(t.Context(), owner, inbound.AuditQuery{Event: event})
		if err != nil || len(lines) == 0 {
			t.Fatalf("%s: %v, %v", event, lines, err)
		}
		l := lines[0]
		if l.ActorID != string(owner.UserID) || l.SessionID != string(owner.SessionID) || l.IP != origin.IP || l.UserAgent != origin.UserAgent ||
			l.RequestID != origin.RequestID || l.TraceID != origin.TraceID || !l.At.Equal(w.Clock.Now()) || l.SubjectID == "" || l.ID == "" {
			t.Errorf("%s: got %+v", event, l)
		}
	}
}

func TestAdministratorsPageThroughTheirTenantsLogAlone(t *testing.T) {
	w := identity.New(t)
	owner, other := w.Owner(t, "olga@example.com"), w.Owner(t, "otto@example.com")
	for range 120 {
		err := w.DB.View().Audit.Append(audit.By(t.Context(), owner), event.Noted{
			Name: "something", Subject: "s", Reason: "why", Detail: map[string]string{"a": "b"}, At: w.Clock.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(time.Second)
	}
	list := func(q inbound.AuditQuery) []inbound.AuditLine {
		t.Helper()
		lines, err := w.Log.List(t.Context(), owner, q)
		if err != nil {
			t.Fatal(err)
		}
		return lines
	}
	first := list(inbound.AuditQuery{Event: "something"})
	if len(first) != audit.DefaultPage || !first[0].At.Equal(w.Clock.Now().Add(-time.Second)) || first[0].Reason != "why" || first[0].Detail["a"] != "b" {
		t.Fatalf("the first page: %d lines, %+v", len(first), first[0])
	}
	seen := map[string]bool{}
	q := inbound.AuditQuery{Event: "something", Limit: 50}
	for page := list(q); len(page) > 0; page = list(q) {
		for _, l := range page {
			if seen[l.ID] {
				t.Fatalf("line %s twice", l.ID)
			}
			seen[l.ID] = true
			q.Before = l.ID
		}
	}
	if len(seen) != 120 {
		t.Errorf("%d lines on all pages, want 120", len(seen))
	}
	begun := w.Clock.Now().Add(-120 * time.Second)
	for name, c := range map[string]struct {
		q    inbound.AuditQuery
		want int
	}{
		"all at once":  {inbound.AuditQuery{Event: "something", Limit: 1 << 30}, 120},
		"of an actor":  {inbound.AuditQuery{Event: "something", Actor: string(owner.UserID), Limit: 200}, 120},
		"of another":   {inbound.AuditQuery{Event: "something", Actor: string(other.UserID)}, 0},
		"of a subject": {inbound.AuditQuery{Subject: "s", Limit: 200}, 120},
		"of a time":    {inbound.AuditQuery{Event: "something", From: begun.Add(10 * time.Second), To: begun.Add(20 * time.Second)}, 10},
	} {
		if got := list(c.q); len(got) != c.want {
			t.Errorf("%s: %d lines, want %d", name, len(got), c.want)
		}
	}
	if lines, err := w.Log.List(t.Context(), other, inbound.AuditQuery{Event: "something"}); err != nil || len(lines) != 0 {
		t.Errorf("another tenant: %v, %v", lines, err)
	}
}

func TestRefusalsAreNoted(t *testing.T) {
	w := identity.New(t)
	viewer := w.Owner(t, "olga@example.com")
	viewer.Role = tenant.Viewer
	ctx := inbound.WithOrigin(t.Context(), origin)
	if _, err := w.Log.List(ctx, viewer, inbound.AuditQuery{}); !errors.Is(err, audit.ErrRole) || fault.KindOf(err) != fault.Forbidden {
		t.Errorf("list: got %v", err)
	}
	if err := w.Log.Refused(ctx, viewer, "something.else"); !errors.Is(err, audit.ErrRole) {
		t.Errorf("refused: got %v", err)
	}
	viewer.Role = tenant.Owner
	lines, err := w.Log.List(t.Context(), viewer, inbound.AuditQuery{Event: "authz_fail"})
	if err != nil || len(lines) != 2 {
		t.Fatalf("got %v, %v", lines, err)
	}
	for i, action := range []string{"something.else", "audit.list"} {
		l := lines[i]
		if l.ActorID != string(viewer.UserID) || l.Reason != "role_insufficient" || l.Detail["action"] != action || l.Detail["role"] != "viewer" || l.IP != origin.IP {
			t.Errorf("got %+v", l)
		}
	}
	w.Faults.Down(fault.ErrDependency)
	if err := w.Log.Refused(ctx, viewer, "x"); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("a refusal that cannot be noted: got %v", err)
	}
	w.Faults.Down(nil)
	tripped := w.Faults.Trip(1, fault.ErrDependency)
	if _, err := w.Log.List(ctx, viewer, inbound.AuditQuery{}); !errors.Is(err, fault.ErrDependency) || !tripped() {
		t.Errorf("a log that cannot be read: got %v", err)
	}
}
