package chatcompletions

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
)

func TestEncodeSendsWhatWasAskedForAndNothingElse(t *testing.T) {
	yes, n, half, one, seed, zero := true, 7, 0.5, 1.0, int64(3), 0.0
	reasons := Flavour{
		CompletionTokens: func(string) bool { return true },
		Effort: func(_, effort string) (string, bool) {
			if effort == "max" {
				return "high", true
			}
			return effort, effort != "none"
		},
		Refuses: func(_, effort string) []string {
			if effort == "high" {
				return []string{"reasoning_effort"}
			}
			return []string{"temperature", "top_p", "stop", "logprobs", "presence_penalty", "frequency_penalty", "parallel_tool_calls"}
		},
	}
	router, own := Flavour{Kind: OpenRouter}, Flavour{Kind: Compatible}
	f := chat.Tool{Name: "f", Description: "d", Schema: []byte(`{"type":"object"}`), Strict: &yes}
	const sentF = `{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":true}}`
	search := chat.Tool{Server: chat.ServerWebSearch, Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte(`{"type":"web_search_20250305"}`)}}
	custom := chat.Tool{Server: chat.ServerOther, Foreign: &chat.Foreign{Dialect: chat.DialectOpenAIChat, JSON: []byte(`{"type":"custom","custom":{"name":"c"}}`)}}
	user := []chat.Message{chat.Text(chat.RoleUser, "hi")}
	tests := map[string]struct {
		flavour Flavour
		request chat.Request
		stream  bool
		want    string // but model and messages
		dropped []string
	}{
		"nothing more":                        {request: chat.Request{}, want: `{}`},
		"a stream":                            {request: chat.Request{}, stream: true, want: `{"stream":true,"stream_options":{"include_usage":true}}`},
		"numbers":                             {request: chat.Request{MaxTokens: &n, Temperature: &half, TopP: &half, Seed: &seed}, want: `{"max_tokens":7,"temperature":0.5,"top_p":0.5,"seed":3}`},
		"penalties":                           {request: chat.Request{FrequencyPenalty: &half, PresencePenalty: &one}, want: `{"frequency_penalty":0.5,"presence_penalty":1}`},
		"several answers":                     {request: chat.Request{Choices: 3}, want: `{"n":3}`},
		"one answer":                          {request: chat.Request{Choices: 1}, want: `{}`},
		"log probabilities":                   {request: chat.Request{Logprobs: true, TopLogprobs: 2}, want: `{"logprobs":true,"top_logprobs":2}`},
		"hints":                               {request: chat.Request{ServiceTier: "flex", CacheKey: "k"}, want: `{"service_tier":"flex","prompt_cache_key":"k"}`},
		"hints to a router":                   {flavour: router, request: chat.Request{ServiceTier: "flex", CacheKey: "k", Choices: 2}, want: `{"service_tier":"flex"}`, dropped: []string{"n", "prompt_cache_key"}},
		"hints to a server of one's own":      {flavour: own, request: chat.Request{ServiceTier: "flex", CacheKey: "k"}, want: `{}`, dropped: []string{"prompt_cache_key", "service_tier"}},
		"a tier that says nothing":            {flavour: own, request: chat.Request{ServiceTier: "auto"}, want: `{}`},
		"top k, which OpenAI has not":         {request: chat.Request{TopK: &n}, want: `{}`, dropped: []string{"top_k"}},
		"top k, which others have":            {flavour: own, request: chat.Request{TopK: &n}, want: `{"top_k":7}`},
		"a reasoning model":                   {flavour: reasons, request: chat.Request{MaxTokens: &n, Temperature: &half, Thinking: chat.Thinking{Effort: "low"}}, want: `{"max_completion_tokens":7,"reasoning_effort":"low"}`, dropped: []string{"temperature"}},
		"what a reasoning model refuses":      {flavour: reasons, request: chat.Request{Stop: []string{"a"}, Logprobs: true, PresencePenalty: &half, FrequencyPenalty: &half, ParallelTools: &yes}, want: `{}`, dropped: []string{"stop", "logprobs", "presence_penalty", "frequency_penalty"}},
		"what changes nothing is no loss":     {flavour: reasons, request: chat.Request{Temperature: &one, TopP: &one, FrequencyPenalty: &zero}, want: `{}`},
		"an effort it refuses":                {flavour: reasons, request: chat.Request{Thinking: chat.Thinking{Effort: "high"}, TopP: &half}, want: `{"top_p":0.5}`, dropped: []string{"reasoning_effort"}},
		"an effort it has not":                {flavour: reasons, request: chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingOff}}, want: `{"reasoning_effort":"none"}`, dropped: []string{"reasoning_effort"}},
		"a budget as an effort":               {request: chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingOn, Budget: 5000}}, want: `{"reasoning_effort":"medium"}`},
		"thinking and nothing more":           {request: chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingOn, Show: true}}, want: `{}`},
		"an effort for a server of one's own": {flavour: own, request: chat.Request{Thinking: chat.Thinking{Effort: "xhigh"}}, want: `{"reasoning_effort":"high"}`, dropped: []string{"reasoning_effort"}},
		"thinking off at one":                 {flavour: own, request: chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingOff}}, want: `{}`, dropped: []string{"reasoning_effort"}},
		"no effort, in so many words":         {flavour: own, request: chat.Request{Thinking: chat.Thinking{Effort: "none"}}, want: `{"reasoning_effort":"none"}`},
		"an effort for a router":              {flavour: router, request: chat.Request{Thinking: chat.Thinking{Effort: "high", Show: true}}, want: `{"reasoning":{"effort":"high"}}`},
		"more effort than a router knows":     {flavour: router, request: chat.Request{Thinking: chat.Thinking{Effort: "max", Show: true}}, want: `{"reasoning":{"effort":"xhigh"}}`, dropped: []string{"reasoning_effort"}},
		"a budget for a router":               {flavour: router, request: chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingOn, Budget: 2000, Show: true}}, want: `{"reasoning":{"max_tokens":2000}}`},
		"thinking for a router, unseen":       {flavour: router, request: chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingAdaptive}}, want: `{"reasoning":{"enabled":true,"exclude":true}}`},
		"no thinking for a router":            {flavour: router, request: chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingOff}}, want: `{"reasoning":{"effort":"none"}}`},
		"stop and user":                       {request: chat.Request{Stop: []string{"a", "b"}, EndUser: "u"}, want: `{"stop":["a","b"],"user":"u"}`},
		"more stops than there may be":        {request: chat.Request{Stop: []string{"a", "b", "c", "d", "e"}}, want: `{"stop":["a","b","c","d"]}`, dropped: []string{"stop"}},
		"tools": {
			request: chat.Request{Tools: []chat.Tool{f}, ParallelTools: &yes, ToolChoice: chat.ToolChoice{Mode: chat.ToolRequired}},
			want:    `{"tools":[` + sentF + `],"tool_choice":"required","parallel_tool_calls":true}`,
		},
		"a named tool":                  {request: chat.Request{ToolChoice: chat.ToolChoice{Mode: chat.ToolNamed, Name: "f"}}, want: `{"tool_choice":{"type":"function","function":{"name":"f"}}}`},
		"a tool of the dialect":         {request: chat.Request{Tools: []chat.Tool{custom}}, want: `{"tools":[{"type":"custom","custom":{"name":"c"}}]}`},
		"a vendor's own tool":           {request: chat.Request{Tools: []chat.Tool{f, search}}, want: `{"tools":[` + sentF + `]}`, dropped: []string{"tools[1]"}},
		"none but such":                 {request: chat.Request{Tools: []chat.Tool{search}, ToolChoice: chat.ToolChoice{Mode: chat.ToolRequired}, ParallelTools: &yes}, want: `{}`, dropped: []string{"tools[0]", "tool_choice"}},
		"a mark on a tool, for a day":   {flavour: Flavour{Retains: func(string) bool { return true }}, request: chat.Request{Tools: []chat.Tool{{Name: "g", Cache: chat.Cache1h}}}, want: `{"tools":[{"type":"function","function":{"name":"g"}}],"prompt_cache_retention":"24h"}`},
		"a mark on a tool, at a router": {flavour: router, request: chat.Request{Tools: []chat.Tool{{Name: "g", Cache: chat.Cache5m}}}, want: `{"tools":[{"type":"function","function":{"name":"g"}}]}`, dropped: []string{"tools[].cache_control"}},
		"a search by the router":        {flavour: router, request: chat.Request{Tools: []chat.Tool{search}}, want: `{"plugins":[{"id":"web"}]}`},
		"JSON":                          {request: chat.Request{Format: chat.Format{Kind: chat.FormatJSON}}, want: `{"response_format":{"type":"json_object"}}`},
		"a schema":                      {request: chat.Request{Format: chat.Format{Kind: chat.FormatSchema, Description: "d", Schema: []byte(`{}`), Strict: &yes}}, want: `{"response_format":{"type":"json_schema","json_schema":{"name":"answer","description":"d","schema":{},"strict":true}}}`},
		"fields it cannot hold":         {request: chat.Request{Untranslated: []string{"logit_bias"}}, want: `{}`, dropped: []string{"logit_bias"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.request.Messages = user
			out, dropped, err := tc.flavour.encode("m", &tc.request, tc.stream)
			if err != nil {
				t.Fatal(err)
			}
			got := object(t, out)
			want := map[string]any{}
			if err := json.Unmarshal([]byte(tc.want), &want); err != nil {
				t.Fatal(err)
			}
			want["model"], want["messages"] = "m", []any{map[string]any{"role": "user", "content": "hi"}}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if d := cmp.Diff(tc.dropped, dropped); d != "" {
				t.Errorf("dropped (-want +got):\n%s", d)
			}
		})
	}
	t.Run("a strict request refuses what would be dropped", func(t *testing.T) {
		_, _, err := reasons.encode("m", &chat.Request{Messages: user, Temperature: &half, Strict: true}, false)
		if f, ok := errors.AsType[*chat.Failure](err); !ok || f.Class != chat.ClassUnsupport || f.Param != "temperature" {
			t.Errorf("got %v, want unsupported naming temperature", err)
		}
	})
}

func object(t *testing.T, v any) map[string]any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}
