package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/forge1/forge1/test/harness"
)

func TestBadInputGetsAClearErrorThatNamesTheField(t *testing.T) {
	f := harness.New(t, harness.Options{})
	const execute, chat, register = "/api/v1/ai/execute", "/v1/chat/completions", "/api/v1/auth/register"
	tests := map[string]struct {
		path, body string
		status     int
		code, has  string
	}{
		"an unknown field":                 {execute, `{"task":"hi","tsk":1}`, 400, "unknown_field", "/tsk"},
		"an unknown key of context":        {execute, `{"task":"hi","context":{"colour":1}}`, 400, "unknown_field", "/context/colour"},
		"a missing field":                  {execute, `{}`, 400, "missing_field", "/task"},
		"a field of the wrong type":        {execute, `{"task":1}`, 400, "wrong_type", "/task"},
		"an empty task":                    {execute, `{"task":""}`, 422, "validation_failed", "/task"},
		"a task of more than a megabyte":   {execute, `{"task":"` + strings.Repeat("x", 1_000_001) + `"}`, 422, "validation_failed", "/task"},
		"an unknown task type":             {execute, `{"task":"hi","task_type":"cooking"}`, 422, "validation_failed", "/task_type"},
		"a temperature out of range":       {execute, `{"task":"hi","context":{"temperature":2.1}}`, 422, "validation_failed", "/context/temperature"},
		"no tokens at all":                 {execute, `{"task":"hi","context":{"max_tokens":0}}`, 422, "validation_failed", "/context/max_tokens"},
		"a role that is none":              {execute, `{"task":"hi","context":{"messages":[{"role":"wizard","content":"x"}]}}`, 422, "validation_failed", "/context/messages/0/role"},
		"a key that stands twice":          {execute, `{"task":"hi","task":"ho"}`, 400, "malformed", "task"},
		"no JSON":                          {execute, `{"task":`, 400, "malformed", ""},
		"an array":                         {execute, `[]`, 400, "", ""},
		"a model that nobody knows":        {execute, `{"task":"hi","model_name":"no-such-model"}`, 404, "model_not_found", ""},
		"an address that is none":          {register, `{"email":"ada","password":"correct horse battery staple"}`, 422, "validation_failed", "/email"},
		"a short password":                 {register, `{"email":"ada@example.com","password":"short"}`, 422, "", "/password"},
		"a field that would make an admin": {register, `{"email":"ada@example.com","password":"correct horse battery staple","role":"owner"}`, 400, "unknown_field", "/role"},
		"a sign-in body over 16 KiB":       {register, `{"email":"` + strings.Repeat("a", 17<<10) + `"}`, 413, "", ""},
		"a chat without messages":          {chat, `{"model":"auto"}`, 400, "missing_field", "messages"},
		"a chat whose model is a number":   {chat, `{"model":4,"messages":[]}`, 400, "wrong_type", "model"},
		"a chat with two models":           {chat, `{"model":"auto","mod\u0065l":"gpt-4o","messages":[{"role":"user","content":"x"}]}`, 400, "", "model"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			a := f.Do(t, http.MethodPost, tc.path, tc.body)
			if a.Status != tc.status {
				t.Fatalf("got %d %s, want %d", a.Status, a.Body, tc.status)
			}
			if !strings.Contains(string(a.Body), `"code":"`+tc.code) && tc.code != "" {
				t.Errorf("got %s, want code %s", a.Body, tc.code)
			}
			if !strings.Contains(string(a.Body), tc.has) {
				t.Errorf("got %s, want it to name %s", a.Body, tc.has)
			}
		})
	}
	t.Run("no key", func(t *testing.T) {
		for _, path := range []string{execute, chat} {
			a := f.As("").Do(t, http.MethodPost, path, `{"task":"hi"}`)
			if a.Status != http.StatusUnauthorized || a.Header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s: got %d with %q, want 401 with WWW-Authenticate: Bearer", path, a.Status, a.Header.Get("WWW-Authenticate"))
			}
		}
	})
	t.Run("a key that expired before it was made", func(t *testing.T) {
		var in tokens
		f.As("").JSON(t, http.MethodPost, "/api/v1/auth/login", map[string]string{"email": f.Email, "password": f.Password}, &in)
		for _, past := range []string{"0001-01-01T00:00:00Z", "2020-01-01T00:00:00Z"} {
			a := f.As(in.Access).Do(t, http.MethodPost, "/api/v1/auth/api-keys", map[string]string{"name": "eternal", "expires_at": past})
			if a.Status != http.StatusUnprocessableEntity || !strings.Contains(string(a.Body), "/expires_at") {
				t.Errorf("%s: got %d %s, want 422 naming /expires_at", past, a.Status, a.Body)
			}
		}
	})
	t.Run("a media type that is not JSON", func(t *testing.T) {
		a := f.Do(t, http.MethodPost, execute, "task=hi", "Content-Type", "application/x-www-form-urlencoded")
		if a.Status != http.StatusUnsupportedMediaType {
			t.Errorf("got %d %s, want 415", a.Status, a.Body)
		}
	})
	t.Run("a method that is not taken", func(t *testing.T) {
		a := f.Do(t, http.MethodGet, execute, nil)
		if a.Status != http.StatusMethodNotAllowed || !strings.Contains(a.Header.Get("Allow"), http.MethodPost) {
			t.Errorf("got %d with Allow %q, want 405 with POST", a.Status, a.Header.Get("Allow"))
		}
	})
}

func TestHealth(t *testing.T) {
	for _, stores := range harness.AllStores() {
		t.Run(string(stores), func(t *testing.T) {
			f := harness.New(t, harness.Options{Stores: stores})
			nobody := f.As("")
			if a := nobody.Do(t, http.MethodGet, "/api/v1/health/live", nil); strings.TrimSpace(string(a.Body)) != `{"status":"live"}` {
				t.Errorf("live: got %s", a.Body)
			}
			var ready struct {
				Status   string
				Database struct{ OK bool }
				Cache    struct{ OK bool }
			}
			nobody.JSON(t, http.MethodGet, "/api/v1/health/ready", nil, &ready)
			if ready.Status != "ready" || !ready.Database.OK || !ready.Cache.OK {
				t.Errorf("ready: got %+v", ready)
			}
			nobody.JSON(t, http.MethodGet, "/api/v1/health", nil, nil)
		})
	}
}

func TestMetricsCountWhatWasServed(t *testing.T) {
	f := harness.New(t, harness.Options{})
	f.JSON(t, http.MethodPost, "/api/v1/ai/execute", map[string]string{"task": "hello"}, nil)
	metrics := harness.NewPlainClient(f.Metrics)
	harness.Eventually(t, "the request to be counted", func() bool {
		return strings.Contains(string(metrics.Do(t, http.MethodGet, "/metrics", nil).Body), `forge1_request_total{method="POST",route="/api/v1/ai/execute",status="200"} 1`)
	})
	if a := f.As("").Do(t, http.MethodGet, "/metrics", nil); a.Status != http.StatusNotFound {
		t.Errorf("metrics on the public port: got %d, want 404", a.Status)
	}
}
