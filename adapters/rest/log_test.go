package rest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/rest"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

func TestOneLineIsLoggedForEachRequest(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	w := start(t)
	w.post(chatPath, openAIBody(""), aiKey, "Traceparent: 00-"+trace+"-00f067aa0ba902b7-01", "X-Request-ID: request-1")
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		return inbound.Answer{}, fault.New(fault.NotFound, "model_not_found", "no").With(context.Canceled)
	}
	w.post(chatPath, openAIBody(`,"stream":true`), aiKey)
	w.post(execute, `{"task":"x"}`, aiKey)
	w.do("DELETE", "/api/v1/auth/api-keys/k1", "", sessionToken)
	w.get("/secret/path?token=abc")
	var got []map[string]any
	for _, line := range w.lines()[1:] { // the first is the document's
		for _, own := range []string{"time", "span_id", "trace_id", "request_id"} {
			if line[own] == "" {
				t.Errorf("the line has no %s: %v", own, line)
			}
			if line["request_id"] != "request-1" || own == "time" || own == "span_id" {
				delete(line, own)
			}
		}
		got = append(got, line)
	}
	ai := map[string]any{"provider": "openai", "model": "gpt-x", "decision_id": "d1", "task_type": "general", "attempts": 1.0, "input_tokens": 10.0, "output_tokens": 5.0, "cache": "miss"}
	line := func(method, path string, status float64, more ...map[string]any) map[string]any {
		m := map[string]any{
			"level": "INFO", "msg": "request", "logger": "rest", "tenant_id": "t1", "user_id": "u1", "request_method": method, "request_path": path,
			"status": status, "duration_ms": 0.0,
		}
		for _, add := range more {
			for k, v := range add {
				m[k] = v
			}
		}
		return m
	}
	nobody := map[string]any{"tenant_id": "", "user_id": ""}
	want := []map[string]any{
		line("POST", chatPath, 200, ai, map[string]any{"trace_id": trace, "request_id": "request-1"}),
		line("POST", chatPath, 200, ai),
		line("POST", execute, 404, map[string]any{"code": "model_not_found"}),
		line("DELETE", "/api/v1/auth/api-keys/{id}", 204),
		line("GET", "(unmatched)", 404, nobody, map[string]any{"code": "not_found"}),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if strings.Contains(w.log(), "secret") || strings.Contains(w.log(), "abc") {
		t.Error("the log holds a raw path")
	}
	observed := []rest.Observation{
		{Route: "/openapi.json", Method: "GET", Status: 200},
		{Route: chatPath, Method: "POST", Status: 200},
		{Route: chatPath, Method: "POST", Status: 200},
		{Route: execute, Method: "POST", Status: 404},
		{Route: "/api/v1/auth/api-keys/{id}", Method: "DELETE", Status: 204},
		{Route: "(unmatched)", Method: "GET", Status: 404},
	}
	if d := cmp.Diff(observed, w.observed()); d != "" {
		t.Error(d)
	}
}

func TestTheLogHoldsNoSecretPromptOrAnswer(t *testing.T) {
	const secret = "swordfish"
	w := start(t)
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		return inbound.Answer{Receipt: receipt(), Response: chat.Said(secret, "")}, nil
	}
	w.post("/api/v1/auth/login", `{"email":"`+secret+`","password":"`+secret+`"}`)
	w.post("/api/v1/auth/login", `{"email":"`+secret+`","`+secret+`":1}`)
	w.post("/api/v1/auth/refresh", `{"refresh_token":"`+secret+`"}`, secret, "X-Request-ID: "+secret+"<>", "User-Agent: "+secret)
	w.post(execute, `{"task":"`+secret+`"}`, aiKey)
	w.post(chatPath, `{"model":"`+secret+`","messages":[{"role":"user","content":"`+secret+`"}]}`, aiKey, "Cookie: "+secret)
	w.get("/api/v1/auth/me?token="+secret, secret)
	w.do(secret, "/"+secret, "")
	if log := w.log(); strings.Contains(log, secret) {
		t.Errorf("the log holds it: %s", log)
	}
}
