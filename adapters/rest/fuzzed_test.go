package rest_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/forge1/forge1/ports/inbound"
)

// TestHostileBodiesFindNothingUndocumented sends bodies that are nearly right: every answer fits the document, and none is a 5xx.
func TestHostileBodiesFindNothingUndocumented(t *testing.T) {
	w := start(t)
	routes := map[string][]string{
		"/api/v1/auth/register":           {"email", "password", "username", "display_name", "tenant", "invite_token", "name", "slug"},
		"/api/v1/auth/verify-email":       {"token"},
		"/api/v1/auth/login":              {"email", "username", "password", "tenant"},
		"/api/v1/auth/refresh":            {"refresh_token"},
		"/api/v1/auth/logout":             {"refresh_token", "all"},
		"/api/v1/auth/api-keys":           {"name", "scopes", "expires_at"},
		"/api/v1/auth/api-keys/k1/rotate": {"grace_seconds"},
		"/api/v1/ai/execute":              {"task", "task_type", "context", "model_name", "stream", "messages", "tools", "tool_choice", "response_format", "tags", "max_tokens", "role", "content", "type", "function"},
		"/api/v1/router/explain":          {"task", "task_type", "context", "model_name", "messages", "role", "content"},
		"/v1/messages":                    {"model", "max_tokens", "messages", "stream", "system", "tools", "tool_choice", "thinking", "output_config", "metadata", "role", "content", "type", "source", "url", "input", "cache_control", "name"},
		"/v1/chat/completions":            {"model", "messages", "stream", "stream_options", "include_usage", "tools", "tool_choice", "response_format", "role", "content", "type", "image_url", "url", "max_tokens", "function"},
	}
	// What takes a body and is not above is filled from the names of its example and of what else it takes.
	for route := range w.server.Access() {
		method, pattern, _ := strings.Cut(route, " ")
		if path := fill(pattern); w.server.Example(route) != nil && w.server.Documented(route) && routes[path] == nil {
			routes[method+" "+path] = append(namesOf(t, w.server.Example(route)), "code", "recovery_code", "setup_id", "mfa_token", "role", "tenant_id")
		}
	}
	paths := slices.Sorted(maps.Keys(routes))
	rapid.Check(t, func(rt *rapid.T) {
		path := rapid.SampledFrom(paths).Draw(rt, "path")
		method, path, named := strings.Cut(path, " ")
		if !named {
			method, path = "POST", method
		}
		body, err := json.Marshal(value(rt, append(routes[path], routes[method+" "+path]...), 0))
		if err != nil {
			rt.Fatal(err)
		}
		if rapid.IntRange(0, 3).Draw(rt, "damage") == 0 && len(body) > 0 {
			body[rapid.IntRange(0, len(body)-1).Draw(rt, "at")] = byte(rapid.IntRange(0, 255).Draw(rt, "byte"))
		}
		w.t = reporter{t, rt}
		who := sessionToken
		if strings.HasPrefix(path, "/api/v1/admin/") {
			who = kindToken + "platform"
			if !strings.HasPrefix(path, otherPath) {
				who = kindToken + "owner"
			}
		}
		if got := w.do(method, path, string(body), "Content-Type: application/json", who); got.status >= 500 {
			rt.Fatalf("%s %s: got %s", path, body, got)
		}
	})
	w.t = t
}

func namesOf(t *testing.T, example any) []string {
	t.Helper()
	b, err := json.Marshal(example)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(fields))
}

// TestHostileQueriesFindNothingUndocumented does the same with the parameters of lists.
func TestHostileQueriesFindNothingUndocumented(t *testing.T) {
	w := start(t)
	w.account.sessions = []inbound.SessionView{{ID: "s1", CreatedAt: epoch}, {ID: "s2", CreatedAt: epoch}}
	rapid.Check(t, func(rt *rapid.T) {
		path := rapid.SampledFrom([]string{"auth/sessions", "auth/api-keys", "admin/members", "admin/invites", "admin/audit", "admin/tenants/t2/audit"}).Draw(rt, "path")
		query := url.Values{}
		for range rapid.IntRange(0, 4).Draw(rt, "parameters") {
			name := rapid.SampledFrom([]string{"limit", "cursor", "event", "actor", "subject", "from", "to", "tenant_id", "x"}).Draw(rt, "name")
			text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"1", "-1", "1e9", "9999999999999999999", "2030-01-31T12:00:00Z", "9999-12-31T23:59:59.999999999-23:59", "0001-01-01T00:00:00Z", "MTIgcw", "MSBzMQ", "\x00", "\xff"}))
			query.Add(name, text.Draw(rt, "value"))
		}
		w.t = reporter{t, rt}
		who := kindToken + "owner"
		if strings.Contains(path, "tenants") {
			who = kindToken + "platform"
		}
		if got := w.get("/api/v1/"+path+"?"+query.Encode(), who); got.status >= 500 {
			rt.Fatalf("%s?%s: got %s", path, query.Encode(), got)
		}
	})
	w.t = t
}

// reporter tells rapid of a failure, so that it looks for the smallest body.
type reporter struct {
	testing.TB
	rt *rapid.T
}

func (r reporter) Errorf(format string, args ...any) { r.rt.Errorf(format, args...) }
func (r reporter) Fatalf(format string, args ...any) { r.rt.Fatalf(format, args...) }

// value makes JSON of the names that mean something.
func value(t *rapid.T, names []string, depth int) any {
	kind := rapid.IntRange(0, 7).Draw(t, "kind")
	if depth == 0 && kind > 1 {
		kind = 7
	}
	switch kind {
	case 0:
		return nil
	case 1:
		return rapid.SampledFrom([]any{true, false, -1, 0, 1, 1.5, 1e308, 86400}).Draw(t, "scalar")
	case 2, 3:
		return rapid.SampledFrom([]string{"", "x", "\x00", "user", "assistant", "tool", "function", "text", "auto", "general", "image_url", "https://x", "ai", "2031-01-01T00:00:00Z", "json_schema"}).Draw(t, "word")
	case 4:
		return rapid.String().Draw(t, "string")
	case 5:
		out := []any{}
		for range rapid.IntRange(0, 2).Draw(t, "items") {
			out = append(out, value(t, names, depth+1))
		}
		return out
	}
	out := map[string]any{}
	if depth > 3 {
		return out
	}
	for range rapid.IntRange(0, 5).Draw(t, "members") {
		out[rapid.SampledFrom(names).Draw(t, "name")] = value(t, names, depth+1)
	}
	return out
}
