package anthropic_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm/anthropic"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// wire plays the vendor without a network: a function from the request to the answer.
type wire func(*http.Request) *http.Response

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) { return w(r), nil }

func answer(contentType string, body io.Reader) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(body), ContentLength: -1}
}

func abilities(w wire) outbound.Abilities {
	return anthropic.Vendor.New(&http.Client{Transport: w})
}

func provider(w wire) outbound.Provider { return abilities(w).Provider }

var target = outbound.Target{Provider: "claude", Model: "claude-test", Secret: secret.New("sk-ant-test"), BaseURL: "https://vendor.test/"}

const okBody = `{"type":"message","id":"msg_1","model":"m","content":[{"type":"text","text":"ok"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`

// sent gives the body of the request that r becomes, and the answer to it.
func sent(t *testing.T, r *chat.Request) (map[string]any, *chat.Response, error) {
	t.Helper()
	return sentTo(t, target.Model, r)
}

func sentTo(t *testing.T, model string, r *chat.Request) (map[string]any, *chat.Response, error) {
	t.Helper()
	var body map[string]any
	to := target
	to.Model = model
	resp, err := provider(func(q *http.Request) *http.Response {
		if err := json.NewDecoder(q.Body).Decode(&body); err != nil {
			t.Errorf("the request's body is not JSON: %v", err)
		}
		return answer("application/json", strings.NewReader(okBody))
	}).Complete(t.Context(), to, r)
	return body, resp, err
}

// own is a piece of the vendor's own dialect.
func own(json string) *chat.Foreign {
	return &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte(json)}
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("the test's own JSON: %v in %s", err, text)
	}
	return v
}

func user(text string) chat.Message      { return chat.Text(chat.RoleUser, text) }
func assistant(text string) chat.Message { return chat.Text(chat.RoleAssistant, text) }
func system(text string) chat.Message    { return chat.Text(chat.RoleSystem, text) }

func talk(m ...chat.Message) *chat.Request { return &chat.Request{Messages: m} }

func calls(c ...chat.ToolCall) chat.Message {
	m := chat.Message{Role: chat.RoleAssistant}
	for i := range c {
		m.Parts = append(m.Parts, chat.Part{Kind: chat.PartToolCall, Call: &c[i]})
	}
	return m
}

func result(id, text string) chat.Message {
	if text == "" {
		return results(chat.Part{Kind: chat.PartToolResult, Result: &chat.ToolResult{CallID: id}})
	}
	return chat.Result(id, text)
}

func results(p ...chat.Part) chat.Message { return chat.Message{Role: chat.RoleTool, Parts: p} }

func says(role chat.Role, p ...chat.Part) chat.Message { return chat.Message{Role: role, Parts: p} }

func picture(img chat.Media) chat.Message {
	return says(chat.RoleUser, chat.Part{Text: "What is this?"}, chat.Part{Kind: chat.PartImage, Media: &img})
}

func file(m chat.Media) chat.Message {
	return says(chat.RoleUser, chat.Part{Kind: chat.PartFile, Media: &m})
}

func asks(change func(*chat.Request)) *chat.Request {
	r := talk(user("Hi"))
	change(r)
	return r
}

// hi is the messages field of a conversation that is one "Hi".
const hi = `"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]`

func TestARequestIsSentInTheVendorsWords(t *testing.T) {
	t.Parallel()
	weather := chat.Tool{Name: "weather", Description: "d", Schema: []byte(`{"type":"object","properties":{"city":{"type":"string"}}}`)}
	const weatherJSON = `"tools":[{"name":"weather","description":"d","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}]`
	tests := map[string]struct {
		request *chat.Request
		want    string // of the body; model and max_tokens 4096 are added where they are missing
		dropped []string
	}{
		"a limit is sent though none was given": {talk(user("Hi")), hi + `,"max_tokens":4096`, nil},
		"the caller's limit is sent":            {asks(func(r *chat.Request) { r.MaxTokens = new(7) }), hi + `,"max_tokens":7`, nil},
		"system messages become blocks of system, in order": {
			talk(system("One."), user("Hi"), system("Two."), system("")),
			`"system":[{"type":"text","text":"One."},{"type":"text","text":"Two."}],` + hi, nil,
		},
		"turns of one role in a row are merged": {
			talk(user("a"), user("b"), assistant("c"), assistant("d"), user("e")),
			`"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
			{"role":"assistant","content":[{"type":"text","text":"c"},{"type":"text","text":"d"}]},
			{"role":"user","content":[{"type":"text","text":"e"}]}]`, nil,
		},
		"text is carried byte for byte": {
			talk(user("  <b>&\u2028\tgrüß 👩‍🔧 \n")),
			`"messages":[{"role":"user","content":[{"type":"text","text":"  <b>&\u2028\tgrüß 👩‍🔧 \n"}]}]`, nil,
		},
		"a message without text is left out": {
			talk(user("Hi"), assistant(""), user("")), hi, nil,
		},
		"white space alone is left out and named": {
			talk(user("Hi"), assistant(" \n"), user("Hi")),
			`"messages":[{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"text","text":"Hi"}]}]`,
			[]string{"messages[].content"},
		},
		"an opening by the assistant is left out and named": {
			talk(system("s"), assistant("Welcome!"), user("Hi")), `"system":[{"type":"text","text":"s"}],` + hi, []string{"messages[1]"},
		},
		"white space at the very end of the assistant's turn is left out and named": {
			talk(user("Hi"), assistant("So: \n")),
			`"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]},{"role":"assistant","content":[{"type":"text","text":"So:"}]}]`,
			[]string{"messages[].content"},
		},
		"temperature within the scale": {asks(func(r *chat.Request) { r.Temperature = new(1.0) }), hi + `,"temperature":1`, nil},
		"temperature zero":             {asks(func(r *chat.Request) { r.Temperature = new(0.0) }), hi + `,"temperature":0`, nil},
		"temperature beyond the scale": {asks(func(r *chat.Request) { r.Temperature = new(1.5) }), hi, []string{"temperature"}},
		"top_p alone":                  {asks(func(r *chat.Request) { r.TopP = new(0.5) }), hi + `,"top_p":0.5`, nil},
		"top_p beside temperature": {
			asks(func(r *chat.Request) { r.TopP, r.Temperature = new(0.5), new(0.2) }), hi + `,"temperature":0.2`, []string{"top_p"},
		},
		"stop sequences, but none of white space": {
			asks(func(r *chat.Request) { r.Stop = []string{"END", "\n"} }), hi + `,"stop_sequences":["END"]`, []string{"stop"},
		},
		"the user's id": {asks(func(r *chat.Request) { r.EndUser = "u-1" }), hi + `,"metadata":{"user_id":"u-1"}`, nil},
		"a user's id that is too long": {
			asks(func(r *chat.Request) { r.EndUser = strings.Repeat("u", 257) }), hi, []string{"user"},
		},
		"what the vendor does not know, and what the neutral form does not": {
			asks(func(r *chat.Request) {
				r.Seed, r.Format, r.Untranslated = new(int64(1)), chat.Format{Kind: chat.FormatJSON}, []string{"audio", "seed"}
				r.Choices, r.Logprobs, r.TopLogprobs, r.CacheKey = 2, true, 3, "k"
				r.FrequencyPenalty, r.PresencePenalty, r.ServiceTier = new(0.5), new(-0.5), "flex"
			}), hi, []string{
				"response_format", "n", "seed", "logprobs", "top_logprobs", "frequency_penalty", "presence_penalty", "prompt_cache_key", "service_tier", "audio",
			},
		},
		"what only says the default is not missed": {
			asks(func(r *chat.Request) {
				r.Choices, r.FrequencyPenalty, r.PresencePenalty, r.Temperature, r.TopP = 1, new(0.0), new(0.0), new(1.0), new(0.5)
			}), hi + `,"top_p":0.5`, nil,
		},
		"top_k":             {asks(func(r *chat.Request) { r.TopK = new(5) }), hi + `,"top_k":5`, nil},
		"the tier auto":     {asks(func(r *chat.Request) { r.ServiceTier = "auto" }), hi + `,"service_tier":"auto"`, nil},
		"the tier default":  {asks(func(r *chat.Request) { r.ServiceTier = "default" }), hi + `,"service_tier":"standard_only"`, nil},
		"the tier priority": {asks(func(r *chat.Request) { r.ServiceTier = "priority" }), hi + `,"service_tier":"auto"`, nil},
		"bounds that the vendor does not enforce": {
			asks(func(r *chat.Request) {
				r.Format = chat.Format{Kind: chat.FormatSchema, Schema: []byte(`{"type":"object","minProperties":1,"properties":{"maxLength":{"maxLength":3,"type":"string"},
				"n":{"type":"array","minItems":1,"maxItems":2,"items":{"minimum":0}},"m":{"minItems":2,"enum":[{"minimum":1}]}},"additionalProperties":false}`)}
				r.Tools = []chat.Tool{
					{Name: "a", Schema: []byte(`{"type":"object","properties":{"x":{"minimum":1}}}`), Strict: new(true)},
					{Name: "b", Schema: []byte(`{"type":"object","properties":{"x":{"minimum":1}}}`)},
				}
			}),
			hi + `,"output_config":{"format":{"type":"json_schema","schema":{"type":"object","additionalProperties":false,"properties":{"maxLength":{"type":"string"},
			"n":{"type":"array","minItems":1,"items":{}},"m":{"enum":[{"minimum":1}]}}}}},
			"tools":[{"name":"a","strict":true,"input_schema":{"type":"object","additionalProperties":false,"properties":{"x":{}}}},
			{"name":"b","input_schema":{"type":"object","properties":{"x":{"minimum":1}}}}]`,
			[]string{"tools[0].function.parameters", "response_format.json_schema.schema"},
		},
		"a schema whose objects are open is closed": {
			asks(func(r *chat.Request) {
				r.Format = chat.Format{Kind: chat.FormatSchema, Schema: []byte(`{"type":"object","properties":{"a":{"anyOf":[{"type":"object","properties":{"b":{"type":"string"}}},{"type":"object"}]},
				"c":{"type":"array","items":{"type":"object","properties":{},"additionalProperties":true}}},"$defs":{"d":{"properties":{"e":{}}}},"enum":[{"properties":{}}]}`)}
			}),
			hi + `,"output_config":{"format":{"type":"json_schema","schema":{"type":"object","additionalProperties":false,"properties":{
			"a":{"anyOf":[{"type":"object","additionalProperties":false,"properties":{"b":{"type":"string"}}},{"type":"object"}]},
			"c":{"type":"array","items":{"type":"object","properties":{},"additionalProperties":true}}},
			"$defs":{"d":{"additionalProperties":false,"properties":{"e":{}}}},"enum":[{"properties":{}}]}}}`, nil,
		},
		"a participant's name": {
			talk(chat.Message{Role: chat.RoleUser, Name: "Ann", Parts: []chat.Part{{Text: "Hi"}}}), hi, []string{"messages[].name"},
		},
		"an answer by schema": {
			asks(func(r *chat.Request) {
				r.Format = chat.Format{Kind: chat.FormatSchema, Name: "x", Schema: []byte(`{"type":"object"}`)}
			}),
			hi + `,"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}`, nil,
		},
		"tools, and nothing said of choice": {asks(func(r *chat.Request) { r.Tools = []chat.Tool{weather} }), hi + `,` + weatherJSON, nil},
		"a tool without schema, one without type, one that is strict": {
			asks(func(r *chat.Request) {
				r.Tools = []chat.Tool{
					{Name: "a"},
					{Name: "b", Schema: []byte(`{"properties":{}}`)},
					{Name: "c", Schema: []byte(`{"type":"object"}`), Strict: new(true)},
					{Name: "d", Strict: new(false)},
				}
			}),
			hi + `,"tools":[{"name":"a","input_schema":{"type":"object"}},{"name":"b","input_schema":{"type":"object","properties":{}}},
			{"name":"c","input_schema":{"type":"object"},"strict":true},{"name":"d","input_schema":{"type":"object"}}]`, nil,
		},
		"a choice without tools is nothing": {
			asks(func(r *chat.Request) { r.ToolChoice.Mode, r.ParallelTools = chat.ToolNone, new(false) }), hi, nil,
		},
		"parallel calls forbidden, nothing else": {
			asks(func(r *chat.Request) { r.Tools, r.ParallelTools = []chat.Tool{weather}, new(false) }),
			hi + `,` + weatherJSON + `,"tool_choice":{"type":"auto","disable_parallel_tool_use":true}`, nil,
		},
		"parallel calls allowed is what the vendor does anyway": {
			asks(func(r *chat.Request) { r.Tools, r.ParallelTools = []chat.Tool{weather}, new(true) }), hi + `,` + weatherJSON, nil,
		},
		"an image by its bytes": {
			talk(picture(chat.Media{Type: "image/png", Data: "iVBORw0K", Detail: "auto"})),
			`"messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},
			{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0K"}}]}]`, nil,
		},
		"an image that the vendor holds": {
			talk(picture(chat.Media{FileID: "file_1", Origin: chat.DialectAnthropic})),
			`"messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image","source":{"type":"file","file_id":"file_1"}}]}]`, nil,
		},
		"a PDF by its bytes": {
			talk(file(chat.Media{Type: "application/pdf", Data: "JVBERi0=", Name: "a.pdf"})),
			`"messages":[{"role":"user","content":[{"type":"document","title":"a.pdf","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}}]}]`, nil,
		},
		"a PDF by its address": {
			talk(file(chat.Media{URL: "https://a.test/a.pdf"})),
			`"messages":[{"role":"user","content":[{"type":"document","source":{"type":"url","url":"https://a.test/a.pdf"}}]}]`, nil,
		},
		"a text file is sent as text": {
			talk(file(chat.Media{Type: "text/markdown", Data: "IyBIw6k=", Name: "a.md"})),
			`"messages":[{"role":"user","content":[{"type":"document","title":"a.md","source":{"type":"text","media_type":"text/plain","data":"# Hé"}}]}]`, nil,
		},
		"a picture that is sent as a file is seen": {
			talk(file(chat.Media{Type: "image/png", Data: "iVBORw0K", Name: "a.png"})),
			`"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0K"}}]}]`, nil,
		},
		"a part that the vendor alone knows is sent as it is": {
			talk(says(chat.RoleUser, chat.Part{Kind: chat.PartForeign, Foreign: own(`{"type":"search_result","source":"s","title":"t","content":[]}`)})),
			`"messages":[{"role":"user","content":[{"type":"search_result","source":"s","title":"t","content":[]}]}]`, nil,
		},
		"a refusal goes back as text": {
			talk(user("Hi"), says(chat.RoleAssistant, chat.Part{Kind: chat.PartRefusal, Text: "No."}), user("Why?")),
			`"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]},{"role":"assistant","content":[{"type":"text","text":"No."}]},
			{"role":"user","content":[{"type":"text","text":"Why?"}]}]`, nil,
		},
		"server tools: the vendor's own as they are, others' by what they do": {
			asks(func(r *chat.Request) {
				r.Tools = []chat.Tool{
					{Server: chat.ServerWebSearch, Foreign: own(`{"type":"web_search_20260209","name":"web_search","max_uses":3}`)},
					{Server: chat.ServerWebSearch, Foreign: &chat.Foreign{Dialect: chat.DialectResponses, JSON: []byte(`{"type":"web_search"}`)}},
					{Server: chat.ServerCodeExecution},
					{Server: chat.ServerOther, Foreign: &chat.Foreign{Dialect: chat.DialectGemini, JSON: []byte(`{"google_maps":{}}`)}},
					{Server: chat.ServerOther, Foreign: own(`{"type":"bash_20250124","name":"bash"}`)},
				}
			}),
			hi + `,"tools":[{"type":"web_search_20260209","name":"web_search","max_uses":3},{"type":"web_search_20250305","name":"web_search"},
			{"type":"code_execution_20250825","name":"code_execution"},{"type":"bash_20250124","name":"bash"}]`,
			[]string{"tools[3]"},
		},
		"an image by its address, with a detail that the vendor does not know": {
			talk(picture(chat.Media{URL: "https://img.test/a.png", Detail: "low"})),
			`"messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},
			{"type":"image","source":{"type":"url","url":"https://img.test/a.png"}}]}]`,
			[]string{"image_url.detail"},
		},
	}
	for mode, want := range map[chat.ToolMode]string{
		chat.ToolAuto: `{"type":"auto"}`, chat.ToolNone: `{"type":"none"}`, chat.ToolRequired: `{"type":"any"}`,
		chat.ToolNamed: `{"type":"tool","name":"weather"}`,
	} {
		r := asks(func(r *chat.Request) { r.Tools, r.ToolChoice.Mode = []chat.Tool{weather}, mode })
		if mode == chat.ToolNamed {
			r.ToolChoice.Name = "weather"
		}
		tests["tool choice "+string(mode)] = struct {
			request *chat.Request
			want    string
			dropped []string
		}{r, hi + `,` + weatherJSON + `,"tool_choice":` + want, nil}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, resp, err := sent(t, test.request)
			if err != nil {
				t.Fatalf("Complete: %v", err)
			}
			want := decoded(t, `{"max_tokens":4096,"model":"claude-test",`+test.want+`}`)
			if diff := cmp.Diff(want, any(got)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.dropped, resp.Dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
			strict := *test.request
			strict.Strict = true
			_, _, err = sent(t, &strict)
			if f, ok := errors.AsType[*chat.Failure](err); len(test.dropped) == 0 && err != nil ||
				len(test.dropped) > 0 && (!ok || f.Class != chat.ClassUnsupport || f.Param != test.dropped[0]) {
				t.Errorf("strict: got %v, want a refusal of %q", err, test.dropped)
			}
		})
	}
}
