package usage_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/usage"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// books remember what was asked for, and give what they hold.
type books struct {
	tenant  string
	asked   []outbound.UsageFilter
	summary outbound.UsageQuery
	calls   outbound.CallFilter
	rows    []outbound.Call
	groups  []outbound.UsageGroup
	err     error
}

func (b *books) Summary(_ context.Context, tenantID string, q outbound.UsageQuery) ([]outbound.UsageGroup, error) {
	b.tenant, b.summary = tenantID, q
	b.asked = append(b.asked, q.UsageFilter)
	return b.groups, b.err
}

func (b *books) Calls(_ context.Context, tenantID string, f outbound.CallFilter) ([]outbound.Call, error) {
	b.tenant, b.calls = tenantID, f
	b.asked = append(b.asked, f.UsageFilter)
	return b.rows, b.err
}

var noon = time.Date(2026, 3, 5, 12, 30, 0, 0, time.FixedZone("west", -12*3600)) // the sixth in UTC

func service(b *books) *usage.Service {
	return usage.New(usage.Deps{Usage: b, Clock: func() time.Time { return noon }})
}

func day(month time.Month, d int) time.Time { return time.Date(2026, month, d, 0, 0, 0, 0, time.UTC) }

func TestWhoSeesWhat(t *testing.T) {
	session := func(r tenant.Role) inbound.Caller {
		return inbound.Caller{UserID: "ada", TenantID: "t", Role: r, SessionID: "s"}
	}
	key := func(r tenant.Role, scopes ...tenant.Scope) inbound.Caller {
		return inbound.Caller{UserID: "ada", TenantID: "t", Role: r, KeyID: "k", Scopes: scopes}
	}
	type filter = inbound.UsageFilter
	ofAda, ofKey := &outbound.UsageFilter{UserID: "ada"}, &outbound.UsageFilter{KeyID: "k"}
	tests := map[string]struct {
		caller inbound.Caller
		filter filter
		want   *outbound.UsageFilter // nil: nothing is looked for
	}{
		"an owner sees all":                                  {session(tenant.Owner), filter{}, &outbound.UsageFilter{}},
		"an admin sees all":                                  {session(tenant.Admin), filter{}, &outbound.UsageFilter{}},
		"an admin asks for a member":                         {session(tenant.Admin), filter{Member: "bob", Key: "x"}, &outbound.UsageFilter{UserID: "bob", KeyID: "x"}},
		"a member sees the own calls":                        {session(tenant.Plain), filter{}, ofAda},
		"a viewer sees the own calls":                        {session(tenant.Viewer), filter{}, ofAda},
		"a member asks for the own calls":                    {session(tenant.Plain), filter{Member: "ada"}, ofAda},
		"a member asks for another's":                        {session(tenant.Plain), filter{Member: "bob"}, nil},
		"a member asks for a key":                            {session(tenant.Plain), filter{Key: "k2"}, &outbound.UsageFilter{UserID: "ada", KeyID: "k2"}},
		"an admin's key without the scope sees its own":      {key(tenant.Admin, tenant.ScopeAI, tenant.ScopeRouter), filter{}, ofKey},
		"an admin's key with the scope sees all":             {key(tenant.Admin, tenant.ScopeAdmin), filter{}, &outbound.UsageFilter{}},
		"a member's key with the scope sees its own":         {key(tenant.Plain, tenant.ScopeAdmin), filter{}, ofKey},
		"a key asks for another":                             {key(tenant.Plain, tenant.ScopeAI), filter{Key: "k2"}, nil},
		"a key asks for a member":                            {key(tenant.Plain, tenant.ScopeAI), filter{Member: "bob"}, &outbound.UsageFilter{UserID: "bob", KeyID: "k"}},
		"somebody without a name sees nothing":               {inbound.Caller{TenantID: "t", Role: tenant.Plain, SessionID: "s"}, filter{}, nil},
		"somebody without a role sees no more than a viewer": {inbound.Caller{UserID: "ada", TenantID: "t", SessionID: "s"}, filter{}, ofAda},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := &books{rows: []outbound.Call{{ID: "c"}}, groups: []outbound.UsageGroup{{Calls: 1}}}
			tt.filter.From = day(1, 1)
			rows, err := service(b).Calls(t.Context(), tt.caller, inbound.CallQuery{UsageFilter: tt.filter, Before: "x", Limit: 7})
			if err != nil {
				t.Fatal(err)
			}
			groups, err := service(b).Summary(t.Context(), tt.caller, inbound.UsageQuery{UsageFilter: tt.filter, By: []inbound.UsageDimension{inbound.UsageTag}, Limit: 5})
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == nil {
				if len(b.asked)+len(rows)+len(groups) > 0 {
					t.Errorf("asked for %+v, got %d rows and %d groups; want nothing", b.asked, len(rows), len(groups))
				}
				return
			}
			tt.want.From = day(1, 1)
			if d := cmp.Diff([]outbound.UsageFilter{*tt.want, *tt.want}, b.asked); d != "" {
				t.Errorf("asked for (-want +got):\n%s", d)
			}
			if b.tenant != "t" || len(rows) != 1 || len(groups) != 1 || b.calls.Before != "x" || b.calls.Limit != 7 || b.summary.Limit != 5 {
				t.Errorf("tenant %q, %d rows, %d groups, %+v, %+v", b.tenant, len(rows), len(groups), b.calls, b.summary)
			}
		})
	}
}

func TestASummaryIsOfTheLastThirtyDays(t *testing.T) {
	for name, tt := range map[string]struct {
		from, to time.Time
		want     time.Time
	}{
		"when nothing is said":    {want: day(2, 5)},
		"from then on":            {from: day(1, 2), want: day(1, 2)},
		"until then":              {to: day(3, 1), want: day(1, 30)},
		"from then until another": {from: day(1, 2), to: day(3, 1), want: day(1, 2)},
	} {
		b := &books{}
		q := inbound.UsageQuery{UsageFilter: inbound.UsageFilter{From: tt.from, To: tt.to}, By: []inbound.UsageDimension{inbound.UsageDay, inbound.UsageKey}, After: []string{"a", "b"}, Limit: 3}
		if _, err := service(b).Summary(t.Context(), inbound.Caller{UserID: "ada", TenantID: "t", Role: tenant.Owner, SessionID: "s"}, q); err != nil {
			t.Fatal(err)
		}
		want := outbound.UsageQuery{
			UsageFilter: outbound.UsageFilter{From: tt.want, To: tt.to}, By: []outbound.UsageDimension{outbound.ByDay, outbound.ByKey}, After: []string{"a", "b"}, Limit: 3,
		}
		if d := cmp.Diff(want, b.summary); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestARowIsToldAsItIsKept(t *testing.T) {
	cost, part := int64(5), int64(3)
	b := &books{rows: []outbound.Call{{
		ID: "c", CreatedAt: noon, Region: "eu", TenantID: "t", UserID: "u", KeyID: "k", SessionID: "s", TraceID: "tr", Surface: "execute", TaskType: "general",
		RequestedModel: "auto", Provider: "p", Model: "m", ServedModel: "m1", Outcome: "ok", InputTokens: 1, OutputTokens: 2, CachedTokens: 3, CacheWrite: 4, Reasoning: 5,
		UsageSource: "provider", CostNanos: &cost, LatencyMs: 6, FirstByteMs: 7, Cache: "miss", Stream: true, DecisionID: "d", Tags: []string{"x"}, EndUser: "e",
		Attempts: []outbound.CallAttempt{{
			StartedAt: noon, Provider: "q", Model: "n", ServedModel: "n1", Credential: "secretly", Outcome: "timeout", LatencyMs: 8, FirstByteMs: 9, InputTokens: 10,
			OutputTokens: 11, CachedTokens: 12, CacheWrite: 13, Reasoning: 14, UsageSource: "estimated", CostNanos: &part,
		}},
	}}}
	got, err := service(b).Calls(t.Context(), inbound.Caller{UserID: "ada", TenantID: "t", Role: tenant.Owner, SessionID: "s"}, inbound.CallQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := []inbound.CallRecord{{
		ID: "c", CreatedAt: noon, Member: "u", Key: "k", Surface: "execute", TaskType: "general", RequestedModel: "auto", Provider: "p", Model: "m", ServedModel: "m1",
		Outcome: "ok", Region: "eu", Cache: "miss", Stream: true, DecisionID: "d", TraceID: "tr", Tags: []string{"x"}, EndUser: "e", Latency: 6 * time.Millisecond,
		FirstByte: 7 * time.Millisecond,
		Used:      inbound.Used{InputTokens: 1, OutputTokens: 2, CachedTokens: 3, CacheWrite: 4, Reasoning: 5, UsageSource: "provider", CostNanos: &cost},
		Attempts: []inbound.AttemptRecord{{
			StartedAt: noon, Provider: "q", Model: "n", ServedModel: "n1", Outcome: "timeout", Latency: 8 * time.Millisecond, FirstByte: 9 * time.Millisecond,
			Used: inbound.Used{InputTokens: 10, OutputTokens: 11, CachedTokens: 12, CacheWrite: 13, Reasoning: 14, UsageSource: "estimated", CostNanos: &part},
		}},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the row (-want +got):\n%s", d)
	}
}

func TestWhatFailsIsTold(t *testing.T) {
	b := &books{err: fault.ErrDependency}
	owner := inbound.Caller{UserID: "ada", TenantID: "t", Role: tenant.Owner, SessionID: "s"}
	_, summary := service(b).Summary(t.Context(), owner, inbound.UsageQuery{})
	_, calls := service(b).Calls(t.Context(), owner, inbound.CallQuery{})
	for _, err := range []error{summary, calls} {
		if !errors.Is(err, fault.ErrDependency) {
			t.Errorf("got %v, want that the store is away", err)
		}
	}
}

// TestTheDimensionsAreThoseOfTheStore compares two lists that must not part.
func TestTheDimensionsAreThoseOfTheStore(t *testing.T) {
	store := []outbound.UsageDimension{outbound.ByDay, outbound.ByModel, outbound.ByProvider, outbound.ByTaskType, outbound.ByMember, outbound.ByKey, outbound.ByTag}
	for i, d := range inbound.UsageDimensions() {
		if string(d) != string(store[i]) {
			t.Errorf("dimension %d is %s, want %s", i, d, store[i])
		}
	}
	if len(store) != len(inbound.UsageDimensions()) {
		t.Error("the lists differ in length")
	}
}
