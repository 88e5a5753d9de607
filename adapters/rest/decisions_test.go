package rest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
)

// archive is a fake of the decisions that are kept: three of every tenant's.
type archive struct{ house *house }

func record(id string) inbound.DecisionRecord {
	d := decision()
	d.ID = id
	d.Request = routing.Request{}
	d.Excluded = append(d.Excluded, routing.Exclusion{Target: routing.Target{Provider: "gemini", Model: "g"}, Reason: routing.NoCapability, Detail: "vision"})
	return inbound.DecisionRecord{
		Decision: d, Alias: "fast", Outcome: "provider_error",
		Attempts: []inbound.Attempt{{Provider: "openai", Model: "gpt-x", Outcome: "overloaded", Latency: 12 * time.Millisecond}},
	}
}

func (a *archive) Find(ctx context.Context, caller inbound.Caller, id string) (inbound.DecisionRecord, error) {
	a.house.note(ctx, caller, id)
	if id != "d1" {
		return inbound.DecisionRecord{}, fmt.Errorf("find decision: %w", fault.ErrNotFound)
	}
	return record(id), nil
}

func (a *archive) List(ctx context.Context, caller inbound.Caller, q inbound.DecisionQuery) ([]inbound.DecisionRecord, error) {
	a.house.note(ctx, caller, q)
	var out []inbound.DecisionRecord
	for _, id := range []string{"d3", "d2", "d1"} {
		if (q.Before == "" || id < q.Before) && len(out) < q.Limit {
			out = append(out, record(id))
		}
	}
	return out, nil
}

func (a *archive) Replay(ctx context.Context, caller inbound.Caller, id string) (inbound.Replay, error) {
	a.house.note(ctx, caller, id)
	if id == "old" {
		return inbound.Replay{}, fault.New(fault.NotFound, "facts_gone", "they are kept no longer")
	}
	r, err := a.Find(ctx, caller, id)
	r.Decision.Request.Alias = &routing.Alias{Name: r.Alias}
	return inbound.Replay{Same: true, Decision: r.Decision}, err
}

const (
	wantTargets = `"chosen":{"provider":"openai","model":"gpt-x"},"candidates":[{"provider":"openai","model":"gpt-x","rank":1,"score":12.5,` +
		`"cost_cents":2.5,"p95_ms":1000,"p95_known":false,"est_input_tokens":3,"est_output_tokens":256,"slo_penalty":0}],` +
		`"excluded":[{"provider":"claude","model":"sonnet","reason":"breaker_open","until":"2030-01-31T12:00:00Z"},` +
		`{"provider":"gemini","model":"g","reason":"capability","detail":"vision"}],`
	wantHead = `{"id":"d1","created_at":"2030-01-31T12:00:00Z","task_type":"general","policy_version":3,"snapshot_id":"f1","alias":"fast",`
)

func TestADecisionIsShown(t *testing.T) {
	w := start(t)
	const want = wantHead + wantTargets + `"attempts":[{"provider":"openai","model":"gpt-x","outcome":"overloaded","latency_ms":12}],"outcome":"provider_error"}`
	if got := w.get("/api/v1/router/decisions/d1", routerKey); got.status != 200 || string(got.body) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	const again = `{"same":true,"decision":` + wantHead + wantTargets + `"attempts":[],"outcome":null}}`
	if got := w.get("/api/v1/router/decisions/d1/replay", routerKey); got.status != 200 || string(got.body) != again {
		t.Errorf("got  %s\nwant %s", got, again)
	}
	for path, want := range map[string]string{
		"/api/v1/router/decisions/d2":         "not_found",
		"/api/v1/router/decisions/d2/replay":  "not_found",
		"/api/v1/router/decisions/old/replay": "facts_gone",
		"/api/v1/router/decisions/%00":        "not_found",
	} {
		if got := w.get(path, routerKey); got.status != 404 || got.code() != want {
			t.Errorf("%s: got %s, want 404 %s", path, got, want)
		}
	}
	if got := w.get("/problems/facts_gone"); got.status != 200 || !strings.Contains(string(got.body), "cannot be made again") {
		t.Errorf("the page of facts_gone: got %s", got)
	}
}

func TestDecisionsAreListed(t *testing.T) {
	w := start(t)
	ids := func(a answer) (ids string, next string) {
		t.Helper()
		var got struct {
			Items []struct{ ID string }
			Next  *string `json:"next_cursor"`
		}
		a.into(t, &got)
		for _, i := range got.Items {
			ids += i.ID + " "
		}
		if got.Next != nil {
			next = *got.Next
		}
		return ids, next
	}
	const path = "/api/v1/router/decisions"
	if got, next := ids(w.get(path, routerKey)); got != "d3 d2 d1 " || next != "" {
		t.Errorf("got %q, then %q", got, next)
	}
	got, next := ids(w.get(path+"?limit=2", routerKey))
	if got != "d3 d2 " || next == "" {
		t.Errorf("the first page: got %q, then %q", got, next)
	}
	if got, next = ids(w.get(path+"?limit=2&cursor="+next, routerKey)); got != "d1 " || next != "" {
		t.Errorf("the second page: got %q, then %q", got, next)
	}
	w.get(path+"?task_type=review&provider=openai&model=a%2Fb:free&outcome=ok&from=2030-01-31T12:00:00%2B01:00&to=2030-01-31T12:00:00.5Z&limit=7", routerKey)
	want := inbound.DecisionQuery{
		Limit: 8, TaskType: "review", Provider: "openai", Model: "a/b:free", Outcome: "ok", From: epoch.Add(-time.Hour), To: epoch.Add(500 * time.Millisecond),
	}
	if d := cmp.Diff(want, w.house.last().asked); d != "" {
		t.Errorf("the query (-want +got):\n%s", d)
	}
}

func TestAListOfDecisionsSaysWhichParameterIsWrong(t *testing.T) {
	w := start(t)
	for query, want := range map[string]string{
		"task_type=poetry":        "task_type",
		"provider=two%20words":    "provider",
		"provider=%00":            "provider",
		"model=%0a":               "model",
		"model=" + long(257):      "model",
		"outcome=not%20well":      "outcome",
		"from=yesterday":          "from",
		"to=2030-13-01T00:00:00Z": "to",
		"from=2030-01-31T12:00:00Z&to=2030-01-31T12:00:00Z": "to",
		"limit=0":           "limit",
		"limit=201":         "limit",
		"limit=many":        "limit",
		"cursor=!":          "cursor",
		"cursor=AAAA":       "cursor",
		"limit=1&cursor=x%": "cursor",
	} {
		before := len(w.house.calls)
		got := w.get("/api/v1/router/decisions?"+query, routerKey)
		var p struct{ Errors []struct{ Field string } }
		got.into(t, &p)
		if got.status != 422 || len(p.Errors) != 1 || p.Errors[0].Field != want || len(w.house.calls) > before {
			t.Errorf("%s: got %s, want 422 naming %s", query, got, want)
		}
	}
}

func long(n int) string { return strings.Repeat("x", n) }

func TestAPlatformAdministratorAsksOfAnyTenant(t *testing.T) {
	w := start(t)
	for _, path := range []string{"decisions", "decisions/d1", "decisions/d1/replay"} {
		got := w.get("/api/v1/admin/tenants/t2/router/"+path, kindToken+"platform")
		if asked := w.house.last(); got.status != 200 || asked.caller.TenantID != tenant.ID("t2") {
			t.Errorf("%s: got %s of tenant %q", path, got, asked.caller.TenantID)
		}
	}
}
