package openai_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/openai"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// asked sends a request with every parameter and gives what arrived, and what was said to be dropped.
func asked(t *testing.T, model, effort, key string) (body map[string]any, header http.Header, dropped []string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		header = r.Header
		if err := json.Unmarshal(b, &body); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"ok"},"finish_reason":"stop"}]}`)
	}))
	defer server.Close()
	client := llm.NewClient(llm.ClientConfig{})
	defer client.CloseIdleConnections()
	p := openai.Vendor.New(client).Provider
	n, half := 7, 0.5
	r, err := p.Complete(t.Context(), outbound.Target{Model: model, BaseURL: server.URL + "/v1/", Secret: secret.New(key)}, &chat.Request{
		Messages: []chat.Message{chat.Text(chat.RoleUser, "hi")}, MaxTokens: &n, Temperature: &half, TopP: &half, Stop: []string{"x"}, Thinking: chat.Thinking{Effort: effort},
	})
	if err != nil {
		t.Fatalf("%s: %v", model, err)
	}
	return body, header, r.Dropped
}

func TestAModelGetsWhatItTakes(t *testing.T) {
	tests := map[string]struct {
		model, effort string
		limit         string
		dropped       []string
	}{
		"a model that does not think":        {"gpt-4o-mini", "low", "max_tokens", []string{"reasoning_effort"}},
		"a fine-tuned one":                   {"ft:gpt-4o-mini-2024-07-18:acme::abc", "", "max_tokens", nil},
		"the first that thinks":              {"o1-2024-12-17", "low", "max_completion_tokens", []string{"temperature", "top_p"}},
		"a later one":                        {"o4-mini", "", "max_completion_tokens", []string{"temperature", "top_p", "stop"}},
		"gpt-5":                              {"gpt-5-nano-2025-08-07", "minimal", "max_completion_tokens", []string{"temperature", "top_p", "stop"}},
		"gpt-5 for chat":                     {"gpt-5-chat-latest", "low", "max_completion_tokens", []string{"reasoning_effort"}},
		"a later gpt-5":                      {"gpt-5.1", "", "max_completion_tokens", nil},
		"a later gpt-5 that is to think":     {"gpt-5.1", "high", "max_completion_tokens", []string{"temperature", "top_p"}},
		"a model of another company":         {"llama3.2:3b", "low", "max_tokens", nil},
		"a model whose name begins with o":   {"olmo-2", "low", "max_tokens", nil},
		"a model that only looks like gpt-5": {"openai/gpt-oss-20b", "", "max_tokens", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body, _, dropped := asked(t, tt.model, tt.effort, "k")
			if !slices.Equal(dropped, tt.dropped) {
				t.Errorf("dropped %q, want %q", dropped, tt.dropped)
			}
			for _, field := range []string{"max_tokens", "max_completion_tokens"} {
				if _, sent := body[field]; sent != (field == tt.limit) {
					t.Errorf("%s was sent: %t", field, sent)
				}
			}
			for _, field := range []string{"temperature", "top_p", "stop", "reasoning_effort"} {
				want := !slices.Contains(tt.dropped, field) && (field != "reasoning_effort" || tt.effort != "")
				if _, sent := body[field]; sent != want {
					t.Errorf("%s was sent: %t, want %t", field, sent, want)
				}
			}
		})
	}
}

func TestAServerThatWantsNoKeyGetsNone(t *testing.T) {
	if _, h, _ := asked(t, "m", "", ""); h.Get("Authorization") != "" {
		t.Errorf("got the Authorization %q", h.Get("Authorization"))
	}
	if _, h, _ := asked(t, "m", "", "k1"); h.Get("Authorization") != "Bearer k1" {
		t.Errorf("got the Authorization %q, want the key", h.Get("Authorization"))
	}
}

func TestEffortsAreThoseOfTheModel(t *testing.T) {
	tests := map[string]struct {
		model, asked, sent string
		dropped            bool
	}{
		"the first gpt-5 cannot be still":     {"gpt-5", "none", "minimal", true},
		"it knows little":                     {"gpt-5-mini", "minimal", "minimal", false},
		"it knows no more than high":          {"gpt-5", "max", "high", true},
		"a later one can be still":            {"gpt-5.1", "none", "none", false},
		"it knows no minimal":                 {"gpt-5.1", "minimal", "low", false},
		"gpt-5.1 ends at high":                {"gpt-5.1", "xhigh", "high", true},
		"one of its kinds goes further":       {"gpt-5.1-codex-max", "xhigh", "xhigh", false},
		"gpt-5.2 goes further":                {"gpt-5.2", "max", "xhigh", true},
		"an o model cannot be still":          {"o3", "none", "low", true},
		"an o model knows three":              {"o4-mini", "minimal", "low", false},
		"a model that does not think":         {"gpt-4o", "high", "", true},
		"it is still anyhow":                  {"gpt-4o", "none", "", false},
		"gpt-5 for chat does not think":       {"gpt-5.1-chat-latest", "low", "", true},
		"of another company nothing is known": {"deepseek-r1", "minimal", "minimal", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body, _, dropped := asked(t, tt.model, tt.asked, "k")
			sent, _ := body["reasoning_effort"].(string)
			if sent != tt.sent || slices.Contains(dropped, "reasoning_effort") != tt.dropped {
				t.Errorf("%q is sent, dropped %q; want %q, dropped: %t", sent, dropped, tt.sent, tt.dropped)
			}
		})
	}
}
