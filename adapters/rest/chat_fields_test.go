package rest_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// translating gives what a chat body is in neutral form.
func translating(t *testing.T, w *world) func(body string) (*chat.Request, answer) {
	t.Helper()
	return func(body string) (*chat.Request, answer) {
		var got *chat.Request
		w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
			var err error
			got, err = c.Parse()
			return inbound.Answer{Receipt: receipt(), Response: chat.Said("x", "")}, err
		}
		a := w.post(chatPath, body, aiKey)
		return got, a
	}
}

func TestFieldsOfAChatRequest(t *testing.T) {
	const customSchema = `{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}`
	foreign := func(json string) *chat.Foreign {
		return &chat.Foreign{Dialect: chat.DialectOpenAIChat, JSON: []byte(json)}
	}
	half, forty, truth := 0.5, 40, true
	tests := map[string]struct {
		more string
		want chat.Request
	}{
		"penalties":                  {`"frequency_penalty":0.5,"presence_penalty":0.5`, chat.Request{FrequencyPenalty: &half, PresencePenalty: &half}},
		"top_k":                      {`"top_k":40`, chat.Request{TopK: &forty}},
		"several answers":            {`"n":3`, chat.Request{Choices: 3}},
		"log probabilities":          {`"logprobs":true,"top_logprobs":2`, chat.Request{Logprobs: true, TopLogprobs: 2}},
		"a service tier":             {`"service_tier":"flex"`, chat.Request{ServiceTier: "flex"}},
		"a cache key":                {`"prompt_cache_key":"k"`, chat.Request{CacheKey: "k"}},
		"who asks, newly named":      {`"safety_identifier":"s"`, chat.Request{EndUser: "s"}},
		"who asks, in both ways":     {`"safety_identifier":"s","user":"u"`, chat.Request{EndUser: "u"}},
		"an effort":                  {`"reasoning_effort":"xhigh"`, chat.Request{Thinking: chat.Thinking{Effort: "xhigh"}}},
		"no effort":                  {`"reasoning_effort":"none"`, chat.Request{Thinking: chat.Thinking{Effort: "none", Mode: chat.ThinkingOff}}},
		"OpenRouter's effort":        {`"reasoning":{"effort":"high"}`, chat.Request{Thinking: chat.Thinking{Effort: "high", Show: true}}},
		"OpenRouter's budget":        {`"reasoning":{"max_tokens":2000,"exclude":true}`, chat.Request{Thinking: chat.Thinking{Budget: 2000}}},
		"OpenRouter's thinking, on":  {`"reasoning":{"enabled":true}`, chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingOn, Show: true}}},
		"OpenRouter's thinking, off": {`"reasoning":{"enabled":false},"include_reasoning":false`, chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingOff}}},
		"thoughts to be shown":       {`"reasoning_effort":"low","include_reasoning":true`, chat.Request{Thinking: chat.Thinking{Effort: "low", Show: true}}},
		"a schema with all that it has": {
			`"response_format":{"type":"json_schema","json_schema":{"name":"n","description":"d","strict":true,"schema":{"a": 1}}}`,
			chat.Request{Format: chat.Format{Kind: chat.FormatSchema, Name: "n", Description: "d", Strict: &truth, Schema: []byte(`{"a": 1}`)}},
		},
		"a tool with all that it has": {
			`"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"b":1},"strict":true},"cache_control":{"type":"ephemeral","ttl":"1h"}}]`,
			chat.Request{Tools: []chat.Tool{{Name: "f", Description: "d", Schema: []byte(`{"b":1}`), Strict: &truth, Cache: chat.Cache1h}}},
		},
		"a custom tool": {
			`"tools":[{"type":"custom","custom":{"name":"c","description":"d","format":{"type":"text"}}}],"tool_choice":{"type":"custom","custom":{"name":"c"}}`,
			chat.Request{Tools: []chat.Tool{{Name: "c", Description: "d", Schema: []byte(customSchema)}}, ToolChoice: chat.ToolChoice{Mode: chat.ToolNamed, Name: "c"}},
		},
		"a custom tool with a grammar": {
			`"tools":[{"type":"custom","custom":{"name":"c","format":{"type":"grammar","grammar":{}}}}]`,
			chat.Request{Tools: []chat.Tool{{Name: "c", Schema: []byte(customSchema)}}, Untranslated: []string{"tools[].custom.format"}},
		},
		"tools that the vendor runs": {
			`"web_search_options":{"search_context_size":"low"},"tools":[{"type":"code_interpreter"},{"type":"mcp","x":1},{"type":"openrouter:web_search"}],"plugins":[{"id":"web","max_results":2}]`,
			chat.Request{Tools: []chat.Tool{
				{Name: "code_interpreter", Server: chat.ServerCodeExecution, Foreign: foreign(`{"type":"code_interpreter"}`)},
				{Name: "mcp", Server: chat.ServerOther, Foreign: foreign(`{"type":"mcp","x":1}`)},
				{Name: "openrouter:web_search", Server: chat.ServerWebSearch, Foreign: foreign(`{"type":"openrouter:web_search"}`)},
				{Name: "web_search", Server: chat.ServerWebSearch, Foreign: foreign(`{"type":"web_search","search_context_size":"low"}`)},
				{Name: "web", Server: chat.ServerWebSearch, Foreign: foreign(`{"id":"web","max_results":2}`)},
			}},
		},
		"some tools of all": {
			`"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}},{"type":"custom","custom":{"name":"c"}}],` +
				`"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}},{"type":"custom","custom":{"name":"c"}}]}}`,
			chat.Request{Tools: []chat.Tool{{Name: "g"}, {Name: "c", Schema: []byte(customSchema)}}, ToolChoice: chat.ToolChoice{Mode: chat.ToolRequired}},
		},
		"functions from before there were tools": {
			`"functions":[{"name":"f","parameters":{"b":1}}],"function_call":{"name":"f"}`,
			chat.Request{Tools: []chat.Tool{{Name: "f", Schema: []byte(`{"b":1}`)}}, ToolChoice: chat.ToolChoice{Mode: chat.ToolNamed, Name: "f"}},
		},
		"no function": {`"functions":[{"name":"f"}],"function_call":"none"`, chat.Request{Tools: []chat.Tool{{Name: "f"}}, ToolChoice: chat.ToolChoice{Mode: chat.ToolNone}}},
	}
	translate := translating(t, start(t))
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, a := translate(openAIBody("," + tc.more))
			tc.want.Messages = []chat.Message{chat.Text(chat.RoleUser, "hi")}
			if d := cmp.Diff(&tc.want, got); a.status != 200 || d != "" {
				t.Errorf("%s\n%s", a, d)
			}
		})
	}
}

func TestMessagesOfAChatRequest(t *testing.T) {
	sig := func(format, data, id string) *chat.Signature {
		return &chat.Signature{Format: format, Data: data, ID: id}
	}
	thought := func(text string, s *chat.Signature) chat.Part {
		return chat.Part{Kind: chat.PartThinking, Text: text, Signature: s}
	}
	assistant := func(parts ...chat.Part) chat.Message { return chat.Message{Role: chat.RoleAssistant, Parts: parts} }
	user := func(parts ...chat.Part) chat.Message { return chat.Message{Role: chat.RoleUser, Parts: parts} }
	media := func(kind chat.PartKind, m chat.Media) chat.Part { return chat.Part{Kind: kind, Media: &m} }
	call := `"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]`
	signedCall := calling("c1", "f", "{}")
	signedCall.Signature = sig(chat.FormatGemini, "G", "")
	keptCall := calling("c1", "f", "{}")
	keptCall.Cache = chat.Cache5m
	tests := map[string]struct {
		message string
		want    chat.Message
		dropped []string
	}{
		"a sound":            {`{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA","format":"mp3"}}]}`, user(media(chat.PartAudio, chat.Media{Type: "audio/mpeg", Data: "AA"})), nil},
		"a file by its data": {`{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA"}}]}`, user(media(chat.PartFile, chat.Media{Type: "application/pdf", Data: "AA", Name: "a.pdf"})), nil},
		"a file by its id":   {`{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}`, user(media(chat.PartFile, chat.Media{FileID: "file-1", Origin: chat.DialectOpenAIChat})), nil},
		"a file by its URL":  {`{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf","file_data":"https://x/a.pdf"}}]}`, user(media(chat.PartFile, chat.Media{URL: "https://x/a.pdf", Name: "a.pdf"})), nil},
		"a text to be kept": {
			`{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},{"type":"text","text":"b","cache_control":{"type":"ephemeral","ttl":"1h"}}]}`,
			user(chat.Part{Text: "a", Cache: chat.Cache5m}, chat.Part{Text: "b", Cache: chat.Cache1h}), nil,
		},
		"a message to be kept":   {`{"role":"user","content":"a","cache_control":{"type":"ephemeral"}}`, user(chat.Part{Text: "a", Cache: chat.Cache5m}), nil},
		"a keeping that is none": {`{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"forever"}}]}`, user(chat.Part{Text: "a"}), []string{"messages[].content[].cache_control"}},
		"a result of parts": {
			`{"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://x"}}]}`,
			chat.Message{Role: chat.RoleTool, Parts: []chat.Part{{Kind: chat.PartToolResult, Result: &chat.ToolResult{
				CallID: "c1", Parts: []chat.Part{{Text: "a"}, media(chat.PartImage, chat.Media{URL: "https://x"})},
			}}}},
			nil,
		},
		"a custom tool's call": {
			`{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"custom","custom":{"name":"f","input":"a \"b\""}}]}`, assistant(calling("c1", "f", `{"input":"a \"b\""}`)), nil,
		},
		"empty text beside a call": {`{"role":"assistant","content":"",` + call + `}`, assistant(calling("c1", "f", "{}")), nil},
		"what only answers have": {
			`{"role":"assistant","content":"a","annotations":[{"type":"url_citation"}],"audio":null,"x":1}`, assistant(chat.Part{Text: "a"}),
			[]string{"messages[].annotations", "messages[].x"},
		},
		"a sound that was made": {
			`{"role":"assistant","content":null,"audio":{"id":"audio_1","data":"AA","expires_at":1,"transcript":"t"}}`,
			assistant(media(chat.PartAudio, chat.Media{FileID: "audio_1", Origin: chat.DialectOpenAIChat})), nil,
		},
		"a sound of nobody's": {`{"role":"assistant","content":"a","audio":{"id":"audio_forge1_1"}}`, assistant(chat.Part{Text: "a"}), []string{"messages[].audio"}},
		"a call to be kept": {
			`{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"},"cache_control":{"type":"ephemeral"}}]}`, assistant(keptCall), nil,
		},
		"a picture that was made": {
			`{"role":"assistant","content":"","images":[{"type":"image_url","index":0,"image_url":{"url":"data:image/png;base64,AA"}}]}`, assistant(media(chat.PartImage, chat.Media{Type: "image/png", Data: "AA"})), nil,
		},
		"thinking as text alone":  {`{"role":"assistant","content":"a","reasoning_content":"t"}`, assistant(thought("t", nil), chat.Part{Text: "a"}), nil},
		"Anthropic's thinking":    {`{"role":"assistant","content":"a","reasoning":"t","reasoning_details":[{"type":"reasoning.text","text":"t","signature":"S","format":"anthropic-claude-v1","index":0}]}`, assistant(thought("t", sig(chat.FormatAnthropic, "S", "")), chat.Part{Text: "a"}), nil},
		"thinking of nobody":      {`{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.text","text":"t","signature":"S"}]}`, assistant(thought("t", sig(chat.FormatAnthropic, "S", "")), chat.Part{Text: "a"}), nil},
		"thinking without a word": {`{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.text","text":"","signature":"S"}]}`, assistant(thought("", sig(chat.FormatAnthropic, "S", "")), chat.Part{Text: "a"}), nil},
		"redacted thinking": {
			`{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.encrypted","data":"D","format":"anthropic-claude-v1","index":0}]}`,
			assistant(chat.Part{Kind: chat.PartThinking, Redacted: true, Signature: sig(chat.FormatAnthropic, "D", "")}, chat.Part{Text: "a"}), nil,
		},
		"thinking in the pieces of a stream": {
			`{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.text","text":"t","index":0},{"type":"reasoning.text","text":"u","index":0},{"type":"reasoning.text","signature":"S","format":"anthropic-claude-v1","index":0},{"type":"reasoning.text","text":"v","index":1}]}`,
			assistant(thought("tu", sig(chat.FormatAnthropic, "S", "")), thought("v", nil), chat.Part{Text: "a"}), nil,
		},
		"OpenAI's thinking, by OpenRouter": {
			`{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.summary","summary":"s","format":"openai-responses-v1","index":0},{"type":"reasoning.encrypted","data":"E","id":"rs_1","format":"openai-responses-v1","index":0}]}`,
			assistant(thought("s", sig(chat.FormatOpenAIResold, "E", "rs_1")), chat.Part{Text: "a"}), nil,
		},
		"OpenAI's thinking, unsaid": {
			`{"role":"assistant",` + call + `,"reasoning_details":[{"type":"reasoning.encrypted","data":"E","id":"rs_1","format":"openai-responses-v1","index":0}]}`,
			assistant(thought("", sig(chat.FormatOpenAIResold, "E", "rs_1")), calling("c1", "f", "{}")), nil,
		},
		"Gemini's signature of a call": {
			`{"role":"assistant",` + call + `,"reasoning_details":[{"type":"reasoning.text","text":"t","index":0},{"type":"reasoning.encrypted","data":"G","id":"c1","format":"google-gemini-v1","index":1}]}`,
			assistant(thought("t", nil), signedCall), nil,
		},
		"Gemini's signature of a text": {
			`{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.encrypted","data":"G","format":"google-gemini-v1","index":0}]}`,
			assistant(chat.Part{Text: "a", Signature: sig(chat.FormatGemini, "G", "")}), nil,
		},
		"thinking that nothing signs, and that is wanted back": {
			`{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.text","text":"t","format":"other-v1","index":0},{"type":"reasoning.text","text":"u","format":"other-v1","index":0}]}`,
			assistant(thought("tu", sig("other-v1", "", "")), chat.Part{Text: "a"}), nil,
		},
		"a wrapped signature": {
			`{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.text","text":"t","signature":"` + sig("x-1", "S", "i").Wrap() + `"}]}`, assistant(thought("t", sig("x-1", "S", "i")), chat.Part{Text: "a"}), nil,
		},
		"a detail that nobody knows": {`{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.dance"}]}`, assistant(chat.Part{Text: "a"}), []string{"messages[].reasoning_details"}},
	}
	translate := translating(t, start(t))
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, a := translate(`{"model":"auto","messages":[` + tc.message + `]}`)
			if d := cmp.Diff(&chat.Request{Messages: []chat.Message{tc.want}, Untranslated: tc.dropped}, got); a.status != 200 || d != "" {
				t.Errorf("%s\n%s", a, d)
			}
		})
	}
}

func TestACallOfAFunctionMeetsItsAnswer(t *testing.T) {
	got, a := translating(t, start(t))(`{"model":"auto","messages":[{"role":"user","content":"hi"},
		{"role":"assistant","content":null,"function_call":{"name":"f","arguments":""}},{"role":"function","name":"f","content":"1"},
		{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{\"a\":1}"}},{"role":"function","name":"f","content":"2"}]}`)
	result := func(id, text string) chat.Message {
		m := chat.Result(id, text)
		m.Parts[0].Result.Name = "f"
		return m
	}
	want := []chat.Message{
		chat.Text(chat.RoleUser, "hi"),
		{Role: chat.RoleAssistant, Parts: []chat.Part{calling("call_function_1", "f", "{}")}},
		result("call_function_1", "1"),
		{Role: chat.RoleAssistant, Parts: []chat.Part{calling("call_function_2", "f", `{"a":1}`)}},
		result("call_function_2", "2"),
	}
	if a.status != 200 {
		t.Fatal(a)
	}
	if d := cmp.Diff(want, got.Messages); d != "" {
		t.Error(d)
	}
}
