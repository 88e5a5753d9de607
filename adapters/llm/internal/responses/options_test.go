package responses_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm/internal/responses"
	"github.com/forge1/forge1/domain/chat"
)

func ptr[T any](v T) *T { return &v }

// only gives the members of a body that are not in every request.
func only(body map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range body {
		switch name {
		case "model", "input", "store":
		default:
			out[name] = v
		}
	}
	return out
}

func TestOptions(t *testing.T) {
	const sealed = `"include":["reasoning.encrypted_content"]`
	schema := []byte(`{"type":"object"}`)
	plain := responses.Flavour{Thoughtless: func(string) bool { return true }}
	picky := responses.Flavour{
		Refuses: func(_, effort string) []string {
			if effort == "" {
				return nil
			}
			return []string{"temperature", "top_p", "logprobs", "parallel_tool_calls", "service_tier"}
		},
		Effort: func(_, effort string) (string, bool) {
			send := map[string]string{"high": "high", "xhigh": "high"}[effort]
			return send, send == effort || effort == "none"
		},
		Retains: func(string) bool { return true },
	}
	tests := map[string]struct {
		flavour responses.Flavour
		ask     chat.Request
		sent    string
		dropped []string
	}{
		"nothing":                                    {ask: chat.Request{}, sent: `{` + sealed + `}`},
		"nothing of a model that thinks not":         {flavour: plain, sent: `{}`},
		"a limit":                                    {ask: chat.Request{MaxTokens: ptr(99)}, sent: `{` + sealed + `,"max_output_tokens":99}`},
		"a limit below what the API takes":           {ask: chat.Request{MaxTokens: ptr(3)}, sent: `{` + sealed + `,"max_output_tokens":16}`, dropped: []string{"max_tokens"}},
		"sampling":                                   {ask: chat.Request{Temperature: ptr(0.5), TopP: ptr(0.25)}, sent: `{` + sealed + `,"temperature":0.5,"top_p":0.25}`},
		"probabilities":                              {ask: chat.Request{Logprobs: true, TopLogprobs: 3}, sent: `{"include":["reasoning.encrypted_content","message.output_text.logprobs"],"top_logprobs":3}`},
		"tier, cache and user":                       {ask: chat.Request{ServiceTier: "flex", CacheKey: "k", EndUser: "u"}, sent: `{` + sealed + `,"service_tier":"flex","prompt_cache_key":"k","user":"u"}`},
		"what the API has no field for":              {ask: chat.Request{Stop: []string{"x"}, Seed: ptr(int64(1)), Choices: 2, TopK: ptr(3), FrequencyPenalty: ptr(0.5), PresencePenalty: ptr(0.5)}, sent: `{` + sealed + `}`, dropped: []string{"stop", "seed", "n", "top_k", "frequency_penalty", "presence_penalty"}},
		"defaults of what it has no field for":       {ask: chat.Request{Choices: 1, FrequencyPenalty: ptr(0.0), PresencePenalty: ptr(0.0)}, sent: `{` + sealed + `}`},
		"a function, strict":                         {ask: chat.Request{Tools: []chat.Tool{{Name: "f", Description: "d", Schema: schema, Strict: ptr(true)}}}, sent: `{` + sealed + `,"tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":true}]}`},
		"a function is not strict unless it says so": {ask: chat.Request{Tools: []chat.Tool{{Name: "f"}}}, sent: `{` + sealed + `,"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"strict":false}]}`},
		"tools that the vendor runs": {
			ask: chat.Request{Tools: []chat.Tool{
				{Server: chat.ServerWebSearch, Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte(`{"type":"web_search_20250305"}`)}},
				{Server: chat.ServerCodeExecution},
				{Server: chat.ServerOther, Foreign: &chat.Foreign{Dialect: chat.DialectResponses, JSON: []byte(`{"type":"file_search","vector_store_ids":["v"]}`)}},
				{Server: chat.ServerOther, Foreign: &chat.Foreign{Dialect: chat.DialectGemini, JSON: []byte(`{}`)}},
			}},
			sent:    `{` + sealed + `,"tools":[{"type":"web_search"},{"type":"code_interpreter","container":{"type":"auto"}},{"type":"file_search","vector_store_ids":["v"]}]}`,
			dropped: []string{"tools[3]"},
		},
		"a choice":         {ask: chat.Request{Tools: []chat.Tool{{Name: "f"}}, ToolChoice: chat.ToolChoice{Mode: chat.ToolRequired}, ParallelTools: ptr(false)}, sent: `{` + sealed + `,"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"strict":false}],"tool_choice":"required","parallel_tool_calls":false}`},
		"a named choice":   {ask: chat.Request{Tools: []chat.Tool{{Name: "f"}}, ToolChoice: chat.ToolChoice{Mode: chat.ToolNamed, Name: "f"}}, sent: `{` + sealed + `,"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"strict":false}],"tool_choice":{"type":"function","name":"f"}}`},
		"no tool is left":  {ask: chat.Request{Tools: []chat.Tool{{Server: chat.ServerOther}}, ToolChoice: chat.ToolChoice{Mode: chat.ToolRequired}}, sent: `{` + sealed + `}`, dropped: []string{"tools[0]", "tool_choice"}},
		"JSON":             {ask: chat.Request{Format: chat.Format{Kind: chat.FormatJSON}}, sent: `{` + sealed + `,"text":{"format":{"type":"json_object"}}}`},
		"a schema":         {ask: chat.Request{Format: chat.Format{Kind: chat.FormatSchema, Schema: schema, Strict: ptr(true)}}, sent: `{` + sealed + `,"text":{"format":{"type":"json_schema","name":"answer","schema":{"type":"object"},"strict":true}}}`},
		"an effort, shown": {ask: chat.Request{Thinking: chat.Thinking{Effort: "max", Show: true}}, sent: `{` + sealed + `,"reasoning":{"effort":"high","summary":"auto"}}`, dropped: []string{"reasoning_effort"}},
		"a budget":         {ask: chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingOn, Budget: 4000}}, sent: `{` + sealed + `,"reasoning":{"effort":"medium"}}`},
		"no thinking, where no word for it is known": {ask: chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingOff}}, sent: `{` + sealed + `}`, dropped: []string{"reasoning_effort"}},
		"no thinking of a model that thinks not":     {flavour: responses.Flavour{Thoughtless: plain.Thoughtless, Effort: picky.Effort}, ask: chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingOff, Show: true}}, sent: `{}`},
		"an effort that is not near to any":          {flavour: picky, ask: chat.Request{Thinking: chat.Thinking{Effort: "low"}}, sent: `{` + sealed + `}`, dropped: []string{"reasoning_effort"}},
		"an effort that is near to one":              {flavour: picky, ask: chat.Request{Thinking: chat.Thinking{Effort: "xhigh"}}, sent: `{` + sealed + `,"reasoning":{"effort":"high"}}`, dropped: []string{"reasoning_effort"}},
		"what a model refuses that thinks": {
			flavour: picky,
			ask: chat.Request{
				Thinking: chat.Thinking{Effort: "high"}, Temperature: ptr(0.5), TopP: ptr(1.0), Logprobs: true, TopLogprobs: 2, ServiceTier: "flex",
				Tools: []chat.Tool{{Name: "f"}}, ParallelTools: ptr(true),
			},
			sent:    `{` + sealed + `,"reasoning":{"effort":"high"},"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"strict":false}]}`,
			dropped: []string{"temperature", "logprobs", "service_tier"},
		},
		"what is kept for long": {flavour: picky, ask: chat.Request{Tools: []chat.Tool{{Name: "f", Cache: chat.Cache1h}}}, sent: `{` + sealed + `,"prompt_cache_retention":"24h","tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"strict":false}]}`},
		"what cannot be":        {ask: chat.Request{Tools: []chat.Tool{{Name: "f", Cache: chat.Cache1h}}}, sent: `{` + sealed + `,"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"strict":false}]}`, dropped: []string{"messages[].cache_control"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := tt.ask
			r.Messages = []chat.Message{chat.Text(chat.RoleUser, "hi")}
			body, dropped, err := asked(t, tt.flavour, "m", &r)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(value(t, tt.sent), any(only(body))); diff != "" {
				t.Errorf("(-want +sent):\n%s", diff)
			}
			if body["store"] != false || body["model"] != "m" {
				t.Errorf("got the model %v, store %v; want m, false", body["model"], body["store"])
			}
			if !slices.Equal(dropped, tt.dropped) {
				t.Errorf("got %q dropped, want %q", dropped, tt.dropped)
			}
			r.Strict = true
			if _, _, err := asked(t, tt.flavour, "m", &r); (chat.ClassOf(err) == chat.ClassUnsupport) != (len(tt.dropped) > 0) {
				t.Errorf("where it is strict: got %v", err)
			}
		})
	}
}
