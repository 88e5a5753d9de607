package rest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

func TestFailuresOfTheGatewayHaveTheirStatus(t *testing.T) {
	w := start(t)
	for kind, want := range map[fault.Kind]int{
		fault.Malformed: 400, fault.Invalid: 422, fault.Unauthenticated: 401, fault.Forbidden: 403, fault.NotFound: 404, fault.TooLarge: 413,
		fault.Payment: 402, fault.Exhausted: 429, fault.Upstream: 502, fault.Unavailable: 503, fault.Timeout: 504,
	} {
		w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
			r := receipt()
			r.Exhausted = kind == fault.Upstream
			return inbound.Answer{Receipt: r}, fmt.Errorf("execute: %w", fault.New(kind, "some_code", "said in public").With(fmt.Errorf("kept inside")))
		}
		got := w.post(execute, `{"task":"x"}`, aiKey)
		if got.status != want || got.code() != "some_code" || strings.Contains(string(got.body), "inside") {
			t.Errorf("kind %d: got %s, want %d", kind, got, want)
		}
		if retry := got.header.Get("X-Should-Retry"); (retry == "false") != (kind == fault.Upstream) {
			t.Errorf("kind %d: got X-Should-Retry %q", kind, retry)
		}
		if after := got.header.Get("Retry-After"); (after != "") != (want == 429 || want == 503) {
			t.Errorf("kind %d: got Retry-After %q", kind, after)
		}
		if id := got.header.Get("X-Forge-Decision-Id"); id != "d1" && want != 401 {
			t.Errorf("kind %d: got decision %q, want d1", kind, id)
		}
	}
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		return inbound.Answer{}, fmt.Errorf("nobody classified this")
	}
	if got := w.post(execute, `{"task":"x"}`, aiKey); got.status != 500 || got.code() != "internal" || strings.Contains(string(got.body), "classified") {
		t.Errorf("got %s, want 500 internal", got)
	}
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		return inbound.Answer{}, fault.New(fault.Internal, "store_broken", "table calls is gone").After(time.Hour)
	}
	got := w.post(execute, `{"task":"x"}`, aiKey)
	if got.status != 500 || got.code() != "internal" || strings.Contains(string(got.body), "table") || got.header.Get("Retry-After") != "" {
		t.Errorf("got %s, want 500 internal", got)
	}
	for _, cause := range []string{"nobody classified this", "table calls is gone"} {
		if !strings.Contains(w.log(), cause) {
			t.Errorf("the cause %q of a 500 is not in the log", cause)
		}
	}
}

func TestAVendorsWordIsPassedOn(t *testing.T) {
	w := start(t)
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		return inbound.Answer{}, &fault.Error{Kind: fault.Malformed, Code: "invalid/value", Msg: "Invalid temperature", Param: "temperature"}
	}
	got := w.post(execute, `{"task":"x"}`, aiKey)
	want := `{"type":"http://localhost:8000/problems/invalid%2Fvalue","title":"Bad Request","status":400,"detail":"Invalid temperature","code":"invalid/value","request_id":"` +
		got.header.Get("X-Request-Id") + `","errors":[{"field":"temperature","code":"invalid/value","message":"Invalid temperature"}]}`
	if string(got.body) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		return inbound.Answer{}, &fault.Error{Kind: fault.Malformed, Msg: "no"}
	}
	if got := w.post(execute, `{"task":"x"}`, aiKey); got.code() != "invalid_request" {
		t.Errorf("without a code: got %s", got)
	}
}
