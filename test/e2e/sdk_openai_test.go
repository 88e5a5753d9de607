package e2e_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/forge1/forge1/test/harness"
)

func sdk(f *harness.Forge, key string) *openai.Client {
	c := openai.NewClient(option.WithBaseURL(f.URL+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0))
	return &c
}

func ask(model, text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)}}
}

// models has one model of every dialect: two that are relayed and two that are translated.
var models = []string{"auto", "openai/gpt-4o-mini", "claude/claude-haiku-4-5", "gemini/gemini-2.5-flash", "openrouter/openai/gpt-4o-mini"}

func TestTheOfficialOpenAIClientCompletesAChat(t *testing.T) {
	f := harness.New(t, harness.Options{})
	for _, v := range []string{"openai", "anthropic", "gemini", "openrouter"} {
		f.Behave(t, v, `{"mode":"echo"}`)
	}
	client := sdk(f, f.Key)
	for _, model := range models {
		t.Run(model, func(t *testing.T) {
			const text = "Answer with my hash: héllo 🚲"
			got, err := client.Chat.Completions.New(t.Context(), ask(model, text))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Choices) != 1 || !strings.Contains(got.Choices[0].Message.Content, sha(text)) || got.Choices[0].FinishReason != "stop" {
				t.Errorf("got %+v, want the hash of the prompt and finish stop", got.Choices)
			}
			if got.Usage.PromptTokens == 0 || got.Usage.TotalTokens != got.Usage.PromptTokens+got.Usage.CompletionTokens {
				t.Errorf("got usage %+v, want tokens that add up", got.Usage)
			}
		})
	}
}

func TestTheOfficialOpenAIClientStreamsWithUsage(t *testing.T) {
	f := harness.New(t, harness.Options{})
	for _, v := range []string{"openai", "anthropic", "gemini", "openrouter"} {
		f.Behave(t, v, `{"mode":"echo"}`)
	}
	client := sdk(f, f.Key)
	for _, model := range models {
		for _, withUsage := range []bool{true, false} {
			t.Run(model, func(t *testing.T) {
				const text = "Stream my hash."
				p := ask(model, text)
				if withUsage {
					p.StreamOptions.IncludeUsage = openai.Bool(true)
				}
				stream := client.Chat.Completions.NewStreaming(t.Context(), p)
				var acc openai.ChatCompletionAccumulator
				sawUsage := false
				for stream.Next() {
					acc.AddChunk(stream.Current())
					sawUsage = sawUsage || stream.Current().Usage.TotalTokens > 0
				}
				if err := stream.Err(); err != nil {
					t.Fatal(err)
				}
				if len(acc.Choices) != 1 || !strings.Contains(acc.Choices[0].Message.Content, sha(text)) || acc.Choices[0].FinishReason != "stop" {
					t.Errorf("got %+v, want the hash of the prompt and finish stop", acc.Choices)
				}
				if sawUsage != withUsage {
					t.Errorf("usage was asked for: %v, was sent: %v", withUsage, sawUsage)
				}
			})
		}
	}
}

func TestTheOfficialOpenAIClientListsModels(t *testing.T) {
	f := harness.New(t, harness.Options{})
	page, err := sdk(f, f.Key).Models.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, m := range page.Data {
		names[m.ID] = true
	}
	for _, want := range []string{"auto", "auto:code_generation", "openai/gpt-4o-mini", "claude/claude-haiku-4-5", "gemini/gemini-2.5-flash"} {
		if !names[want] {
			t.Errorf("the list has no %s", want)
		}
	}
}

func TestTheOfficialOpenAIClientGetsTypedErrors(t *testing.T) {
	f := harness.New(t, harness.Options{})
	for _, v := range []string{"openai", "anthropic", "gemini", "openrouter"} {
		f.Behave(t, v, `{"fail_rate":1,"fail_status":429,"retry_after":7}`)
	}
	tests := map[string]struct {
		key, model string
		status     int
		code, typ  string
	}{
		"a key that is none":        {"f1_nope", "auto", http.StatusUnauthorized, "", "authentication_error"},
		"a model that nobody knows": {f.Key, "no-such-model", http.StatusNotFound, "model_not_found", "invalid_request_error"},
		"every vendor rate limits":  {f.Key, "auto", http.StatusTooManyRequests, "providers_rate_limited", "rate_limit_error"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := sdk(f, tc.key).Chat.Completions.New(t.Context(), ask(tc.model, "hello"))
			var apiErr *openai.Error
			if !errors.As(err, &apiErr) {
				t.Fatalf("got %v, want an *openai.Error", err)
			}
			if apiErr.StatusCode != tc.status || apiErr.Type != tc.typ || tc.code != "" && apiErr.Code != tc.code {
				t.Errorf("got %d %s %s, want %d %s %s", apiErr.StatusCode, apiErr.Type, apiErr.Code, tc.status, tc.typ, tc.code)
			}
			if tc.status == http.StatusTooManyRequests && apiErr.Response.Header.Get("Retry-After") == "" {
				t.Error("a 429 without Retry-After")
			}
		})
	}
}
