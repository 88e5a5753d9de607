package rest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
)

// ledger is a fake of what tenants used.
type ledger struct{ house *house }

func (l *ledger) Summary(ctx context.Context, caller inbound.Caller, q inbound.UsageQuery) ([]inbound.UsageGroup, error) {
	l.house.note(ctx, caller, q)
	var out []inbound.UsageGroup
	for _, first := range []string{"", "a", "b"} {
		values := make([]string, len(q.By))
		values[0] = first
		if (q.After == nil || first > q.After[0]) && len(out) < q.Limit {
			out = append(out, inbound.UsageGroup{Values: values, Calls: 3, InputTokens: 10, OutputTokens: 20, CachedTokens: 4, CostNanos: 1_500_000_001, Unpriced: 1})
		}
	}
	return out, nil
}

func (l *ledger) Calls(ctx context.Context, caller inbound.Caller, q inbound.CallQuery) ([]inbound.CallRecord, error) {
	l.house.note(ctx, caller, q)
	cost := int64(120)
	full := inbound.CallRecord{
		ID: "c3", CreatedAt: epoch, Member: "u1", Key: "k1", Surface: "execute", TaskType: "general", RequestedModel: "auto", Provider: "claude", Model: "m",
		ServedModel: "m-1", Outcome: "ok", Region: "eu", Cache: "miss", Stream: true, DecisionID: "d1", TraceID: "tr", Tags: []string{"a"}, EndUser: "e",
		Latency: 1500 * time.Millisecond, FirstByte: 90 * time.Millisecond,
		Used: inbound.Used{InputTokens: 7, OutputTokens: 5, CachedTokens: 1, CacheWrite: 2, Reasoning: 3, UsageSource: "provider", CostNanos: &cost},
		Attempts: []inbound.AttemptRecord{
			{StartedAt: epoch, Provider: "openai", Model: "gpt-x", Outcome: "overloaded", Latency: 12 * time.Millisecond},
			{Provider: "claude", Model: "m", ServedModel: "m-1", Outcome: "ok", Latency: time.Second, FirstByte: time.Millisecond, Used: inbound.Used{InputTokens: 7, OutputTokens: 5, UsageSource: "provider", CostNanos: &cost}},
		},
	}
	var out []inbound.CallRecord
	for _, c := range []inbound.CallRecord{full, {ID: "c2", CreatedAt: epoch, Member: "u1", Surface: "execute", TaskType: "general", Outcome: "busy"}, {ID: "c1"}} {
		if (q.Before == "" || c.ID < q.Before) && len(out) < q.Limit {
			out = append(out, c)
		}
	}
	return out, nil
}

const asAdmin = kindToken + "admin"

func TestUsageIsSummedUp(t *testing.T) {
	w := start(t)
	const sums = `"calls":3,"input_tokens":10,"output_tokens":20,"cached_tokens":4,"cost_usd":"1.500000001","unpriced_calls":1}`
	for query, want := range map[string]string{
		"":                             `{"items":[{"day":"",` + sums + `,{"day":"a",` + sums + `,{"day":"b",` + sums + `],"next_cursor":null}`,
		"?group_by=model,key&limit=1":  `{"items":[{"model":"","key":"",` + sums + `],"next_cursor":"WyIiLCIiXQ"}`,
		"?group_by=tag&cursor=WyJhIl0": `{"items":[{"tag":"b",` + sums + `],"next_cursor":null}`,
		"?group_by=member,provider,task_type&cursor=WyJhIiwiIiwiIl0": `{"items":[{"provider":"","task_type":"","member":"b",` + sums + `],"next_cursor":null}`,
	} {
		if got := w.get("/api/v1/usage"+query, asAdmin); got.status != 200 || string(got.body) != want {
			t.Errorf("%s\ngot  %s\nwant %s", query, got, want)
		}
	}
	day := func(d int) time.Time { return time.Date(2030, 1, d, 0, 0, 0, 0, time.UTC) }
	for query, want := range map[string]inbound.UsageQuery{
		"": {By: []inbound.UsageDimension{inbound.UsageDay}, Limit: 51},
		"?from=2030-01-01&to=2030-01-31&group_by=day,tag&limit=7": {
			UsageFilter: inbound.UsageFilter{From: day(1), To: day(32)}, By: []inbound.UsageDimension{inbound.UsageDay, inbound.UsageTag}, Limit: 8,
		},
		"?from=2030-01-01&to=2030-01-01": {UsageFilter: inbound.UsageFilter{From: day(1), To: day(2)}, By: []inbound.UsageDimension{inbound.UsageDay}, Limit: 51},
		"?from=2030-01-31T12:00:00%2B01:00&to=2030-01-31T12:00:00.5Z": {
			UsageFilter: inbound.UsageFilter{From: epoch.Add(-time.Hour), To: epoch.Add(500 * time.Millisecond)}, By: []inbound.UsageDimension{inbound.UsageDay}, Limit: 51,
		},
	} {
		w.get("/api/v1/usage"+query, asAdmin)
		if d := cmp.Diff(want, w.house.last().asked); d != "" {
			t.Errorf("%s: the query (-want +got):\n%s", query, d)
		}
	}
}

func TestCallsAreListed(t *testing.T) {
	w := start(t)
	const (
		none  = `"input_tokens":0,"output_tokens":0,"cached_tokens":0,"cache_write_tokens":0,"reasoning_tokens":0,"tokens_used":0,"usage_source":null,"cost_nanos":null,"cost_usd":null`
		cost  = `"usage_source":"provider","cost_nanos":120,"cost_usd":"0.00000012"`
		first = `{"call_id":"c3","created_at":"2030-01-31T12:00:00Z","outcome":"ok","provider":"claude","model":"m","served_model":"m-1","requested_model":"auto",` +
			`"task_type":"general","surface":"execute","input_tokens":7,"output_tokens":5,"cached_tokens":1,"cache_write_tokens":2,"reasoning_tokens":3,"tokens_used":12,` + cost +
			`,"latency_ms":1500,"first_byte_ms":90,"cache":"miss","decision_id":"d1","trace_id":"tr","tags":["a"],"end_user":"e","stream":true,"region":"eu","member":"u1",` +
			`"key":"k1","attempts":[{"started_at":"2030-01-31T12:00:00Z","provider":"openai","model":"gpt-x","served_model":null,"outcome":"overloaded","latency_ms":12,` +
			`"first_byte_ms":null,` + none + `},{"started_at":null,"provider":"claude","model":"m","served_model":"m-1","outcome":"ok","latency_ms":1000,"first_byte_ms":1,` +
			`"input_tokens":7,"output_tokens":5,"cached_tokens":0,"cache_write_tokens":0,"reasoning_tokens":0,"tokens_used":12,` + cost + `}]}`
		second = `{"call_id":"c2","created_at":"2030-01-31T12:00:00Z","outcome":"busy","provider":null,"model":null,"served_model":null,"requested_model":"",` +
			`"task_type":"general","surface":"execute",` + none + `,"latency_ms":0,"first_byte_ms":null,"cache":null,"decision_id":null,"trace_id":null,"tags":[],` +
			`"end_user":null,"stream":false,"region":null,"member":"u1","key":null,"attempts":[]}`
	)
	for query, want := range map[string]string{
		"?limit=2":                `{"items":[` + first + `,` + second + `],"next_cursor":"YzI"}`,
		"?limit=1&cursor=YzM":     `{"items":[` + second + `],"next_cursor":"YzI"}`,
		"?limit=1&cursor=MDAwMDA": `{"items":[],"next_cursor":null}`,
	} {
		if got := w.get("/api/v1/usage/calls"+query, asAdmin); got.status != 200 || string(got.body) != want {
			t.Errorf("%s\ngot  %s\nwant %s", query, got, want)
		}
	}
	w.get("/api/v1/usage/calls?from=2030-01-01&to=2030-01-01&outcome=ok&provider=claude&model=a%2Fb:free&task_type=review&member=u1&key=k1&tag=two%20words&end_user=%C3%A9&limit=7", asAdmin)
	want := inbound.CallQuery{Limit: 8, UsageFilter: inbound.UsageFilter{
		From: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC), Outcome: "ok", Provider: "claude", Model: "a/b:free",
		TaskType: "review", Member: "u1", Key: "k1", Tag: "two words", EndUser: "é",
	}}
	if d := cmp.Diff(want, w.house.last().asked); d != "" {
		t.Errorf("the query (-want +got):\n%s", d)
	}
}

func TestUsageSaysWhichParameterIsWrong(t *testing.T) {
	w := start(t)
	for query, want := range map[string]string{
		"usage?from=yesterday":                          "from",
		"usage?from=2030-02-30":                         "from",
		"usage?to=2030-13-01":                           "to",
		"usage?to=0001-01-01":                           "to",
		"usage?from=2030-01-02&to=2030-01-01":           "to",
		"usage?from=2030-01-02&to=2030-01-02T00:00:00Z": "to",
		"usage?group_by=":                               "group_by",
		"usage?group_by=hour":                           "group_by",
		"usage?group_by=day,day":                        "group_by",
		"usage?group_by=day,,tag":                       "group_by",
		"usage?group_by=Day":                            "group_by",
		"usage?group_by=day,tag,key,model":              "group_by",
		"usage?limit=0":                                 "limit",
		"usage?limit=201":                               "limit",
		"usage?cursor=!":                                "cursor",
		"usage?cursor=WyJhIiwiYiJd":                     "cursor", // two values for one dimension
		"usage?cursor=bnVsbA":                           "cursor",
		"usage?cursor=WzFd":                             "cursor",
		"usage/calls?from=1":                            "from",
		"usage/calls?to=x":                              "to",
		"usage/calls?outcome=not%20well":                "outcome",
		"usage/calls?provider=%00":                      "provider",
		"usage/calls?model=%0a":                         "model",
		"usage/calls?task_type=poetry":                  "task_type",
		"usage/calls?member=%27%20OR%201":               "member",
		"usage/calls?key=%0a":                           "key",
		"usage/calls?tag=" + strings.Repeat("x", 257):   "tag",
		"usage/calls?end_user=%0a":                      "end_user",
		"usage/calls?limit=many":                        "limit",
		"usage/calls?cursor=AAAA":                       "cursor",
	} {
		before := len(w.house.calls)
		got := w.get("/api/v1/"+query, asAdmin)
		var p struct{ Errors []struct{ Field string } }
		got.into(t, &p)
		if got.status != 422 || len(p.Errors) != 1 || p.Errors[0].Field != want || len(w.house.calls) > before {
			t.Errorf("%s: got %s, want 422 naming %s", query, got, want)
		}
	}
}

func TestAPlatformAdministratorAsksWhatAnyTenantUsed(t *testing.T) {
	w := start(t)
	for _, path := range []string{"usage", "usage/calls"} {
		got := w.get("/api/v1/admin/tenants/t2/"+path, kindToken+"platform")
		if asked := w.house.last(); got.status != 200 || asked.caller.TenantID != tenant.ID("t2") {
			t.Errorf("%s: got %s of tenant %q", path, got, asked.caller.TenantID)
		}
	}
}
