package gemini_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm/gemini"
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

func provider(w wire) outbound.Provider {
	p, _ := gemini.Vendor.New(&http.Client{Transport: w})
	return p
}

var target = outbound.Target{Provider: "gemini", Model: "gemini-2.5-flash", Secret: secret.New("AIza-test"), BaseURL: "https://vendor.test"}

const okBody = `{"candidates":[{"content":{"parts":[{"text":"ok"}],"role":"model"},"finishReason":"STOP"}],"responseId":"r","modelVersion":"m"}`

// sent gives the body of the request that r becomes for a model, and the answer to it.
func sent(t *testing.T, model string, r *chat.Request) (map[string]any, *chat.Response, error) {
	t.Helper()
	to := target
	if model != "" {
		to.Model = model
	}
	var body map[string]any
	resp, err := provider(func(q *http.Request) *http.Response {
		if err := json.NewDecoder(q.Body).Decode(&body); err != nil {
			t.Errorf("the request's body is not JSON: %v", err)
		}
		return answer("application/json; charset=UTF-8", strings.NewReader(okBody))
	}).Complete(t.Context(), to, r)
	return body, resp, err
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
	return chat.Message{Role: chat.RoleAssistant, ToolCalls: c}
}

func result(id, text string) chat.Message {
	return chat.Message{Role: chat.RoleTool, ToolCallID: id, Parts: []chat.Part{{Text: text}}}
}

func picture(img chat.Image) chat.Message {
	return chat.Message{Role: chat.RoleUser, Parts: []chat.Part{{Text: "What is this?"}, {Kind: chat.PartImage, Image: img}}}
}

func with(change func(*chat.Request)) *chat.Request {
	r := talk(user("Hi"))
	change(r)
	return r
}

// says is the contents field of a conversation that is one "Hi".
const says = `"contents":[{"role":"user","parts":[{"text":"Hi"}]}]`

type sentence struct {
	model   string // "": gemini-2.5-flash
	request *chat.Request
	want    string
	dropped []string
}

func TestARequestIsSentInTheVendorsWords(t *testing.T) {
	t.Parallel()
	weather := chat.Tool{Name: "weather", Description: "d", Schema: []byte(`{"type":"object","properties":{}}`)}
	const weatherJSON = `"tools":[{"functionDeclarations":[{"name":"weather","description":"d","parametersJsonSchema":{"type":"object","properties":{}}}]}]`
	asJSON, bySchema := chat.Format{Kind: chat.FormatJSON}, chat.Format{Kind: chat.FormatSchema, Schema: []byte(`{"type":"object"}`)}
	tests := map[string]sentence{
		"nothing is configured that was not asked for": {"", talk(user("Hi")), says, nil},
		"system messages become systemInstruction, in order": {
			"", talk(system("One."), user("Hi"), system("Two."), system("")), `"systemInstruction":{"parts":[{"text":"One."},{"text":"Two."}]},` + says, nil,
		},
		"roles, and text byte for byte": {
			"", talk(user("  <b>&\u2028 👩‍🔧 \n"), assistant(" "), user("c"), user("d")),
			`"contents":[{"role":"user","parts":[{"text":"  <b>&\u2028 👩‍🔧 \n"}]},{"role":"model","parts":[{"text":" "}]},
			{"role":"user","parts":[{"text":"c"}]},{"role":"user","parts":[{"text":"d"}]}]`, nil,
		},
		"a message without text is left out": {"", talk(user("Hi"), assistant(""), user("")), says, nil},
		"limits and sampling": {
			"", with(func(r *chat.Request) {
				r.MaxTokens, r.Temperature, r.TopP, r.Seed, r.Stop = new(7), new(0.0), new(0.5), new(int64(3)), []string{"END"}
			}),
			says + `,"generationConfig":{"maxOutputTokens":7,"temperature":0,"topP":0.5,"seed":3,"stopSequences":["END"]}`, nil,
		},
		"temperature up to two is the vendor's scale too": {
			"", with(func(r *chat.Request) { r.Temperature = new(2.0) }), says + `,"generationConfig":{"temperature":2}`, nil,
		},
		"more stop sequences than five": {
			"", with(func(r *chat.Request) { r.Stop = []string{"a", "b", "c", "d", "e", "f"} }),
			says + `,"generationConfig":{"stopSequences":["a","b","c","d","e"]}`,
			[]string{"stop"},
		},
		"a seed of more than 32 bits": {"", with(func(r *chat.Request) { r.Seed = new(int64(1) << 31) }), says, []string{"seed"}},
		"what the vendor does not know, and what the neutral form does not": {
			"", with(func(r *chat.Request) { r.EndUser, r.Untranslated = "u-1", []string{"n", "user"} }), says, []string{"user", "n"},
		},
		"a participant's name": {
			"", talk(chat.Message{Role: chat.RoleUser, Name: "Ann", Parts: []chat.Part{{Text: "Hi"}}}), says, []string{"messages[].name"},
		},
		"an answer in JSON": {
			"", with(func(r *chat.Request) { r.Format = asJSON }), says + `,"generationConfig":{"responseMimeType":"application/json"}`, nil,
		},
		"an answer by schema": {
			"", with(func(r *chat.Request) { r.Format = bySchema }),
			says + `,"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}}`, nil,
		},
		"an answer by a schema that is none": {
			"", with(func(r *chat.Request) { r.Format = chat.Format{Kind: chat.FormatSchema} }), says, []string{"response_format"},
		},
		"an answer in JSON beside tools, which older models refuse": {
			"", with(func(r *chat.Request) { r.Format, r.Tools = asJSON, []chat.Tool{weather} }), says + `,` + weatherJSON, []string{"response_format"},
		},
		"an answer in JSON beside tools": {
			"gemini-3-flash-preview", with(func(r *chat.Request) { r.Format, r.Tools = asJSON, []chat.Tool{weather} }),
			says + `,` + weatherJSON + `,"generationConfig":{"responseMimeType":"application/json"}`, nil,
		},
		"effort as a budget": {
			"", with(func(r *chat.Request) { r.Reasoning = "medium" }), says + `,"generationConfig":{"thinkingConfig":{"thinkingBudget":8192}}`, nil,
		},
		"effort as a level": {
			"gemini-3.1-flash", with(func(r *chat.Request) { r.Reasoning = "minimal" }), says + `,"generationConfig":{"thinkingConfig":{"thinkingLevel":"MINIMAL"}}`, nil,
		},
		"the least effort of a Pro model": {
			"gemini-3-pro-preview", with(func(r *chat.Request) { r.Reasoning = "minimal" }), says + `,"generationConfig":{"thinkingConfig":{"thinkingLevel":"LOW"}}`, nil,
		},
		"effort of a model to come, by an alias": {
			"gemini-flash-latest", with(func(r *chat.Request) { r.Reasoning = "high" }), says + `,"generationConfig":{"thinkingConfig":{"thinkingLevel":"HIGH"}}`, nil,
		},
		"effort of a model that takes none": {"gemini-2.0-flash", with(func(r *chat.Request) { r.Reasoning = "low" }), says, []string{"reasoning_effort"}},
		"effort of a word that is none":     {"", with(func(r *chat.Request) { r.Reasoning = "heroic" }), says, []string{"reasoning_effort"}},
		"tools, and nothing said of choice": {"", with(func(r *chat.Request) { r.Tools = []chat.Tool{weather} }), says + `,` + weatherJSON, nil},
		"a tool without schema, and one that is strict": {
			"", with(func(r *chat.Request) { r.Tools = []chat.Tool{{Name: "a"}, {Name: "b", Strict: new(true)}} }),
			says + `,"tools":[{"functionDeclarations":[{"name":"a"},{"name":"b"}]}]`,
			[]string{"tools[].function.strict"},
		},
		"parallel calls forbidden": {
			"", with(func(r *chat.Request) { r.Tools, r.ParallelTools = []chat.Tool{weather}, new(false) }), says + `,` + weatherJSON, []string{"parallel_tool_calls"},
		},
		"a choice without tools is nothing": {"", with(func(r *chat.Request) { r.ToolChoice.Mode, r.ParallelTools = chat.ToolNone, new(false) }), says, nil},
		"an image by its bytes": {
			"", talk(picture(chat.Image{MediaType: "image/png", Data: "iVBORw0K", Detail: "high"})),
			`"contents":[{"role":"user","parts":[{"text":"What is this?"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0K"}}]}]`,
			[]string{"image_url.detail"},
		},
		"an image by its address": {
			"", talk(picture(chat.Image{URL: "https://img.test/a.JPG?size=9"})),
			`"contents":[{"role":"user","parts":[{"text":"What is this?"},{"fileData":{"mimeType":"image/jpeg","fileUri":"https://img.test/a.JPG?size=9"}}]}]`, nil,
		},
		"an image by an address that does not tell its type": {
			"", talk(picture(chat.Image{URL: "https://img.test/a"})),
			`"contents":[{"role":"user","parts":[{"text":"What is this?"},{"fileData":{"fileUri":"https://img.test/a"}}]}]`, nil,
		},
	}
	for mode, want := range map[chat.ToolMode]string{
		chat.ToolAuto: `{"mode":"AUTO"}`, chat.ToolNone: `{"mode":"NONE"}`, chat.ToolRequired: `{"mode":"ANY"}`,
		chat.ToolNamed: `{"mode":"ANY","allowedFunctionNames":["weather"]}`,
	} {
		tests["tool choice "+string(mode)] = sentence{"", with(func(r *chat.Request) {
			r.Tools, r.ToolChoice = []chat.Tool{weather}, chat.ToolChoice{Mode: mode, Name: "weather"}
		}), says + `,` + weatherJSON + `,"toolConfig":{"functionCallingConfig":` + want + `}`, nil}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, resp, err := sent(t, test.model, test.request)
			if err != nil {
				t.Fatalf("Complete: %v", err)
			}
			if diff := cmp.Diff(decoded(t, `{`+test.want+`}`), any(got)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.dropped, resp.Dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
			strict := *test.request
			strict.Strict = true
			_, _, err = sent(t, test.model, &strict)
			if f, ok := errors.AsType[*chat.Failure](err); len(test.dropped) == 0 && err != nil ||
				len(test.dropped) > 0 && (!ok || f.Class != chat.ClassUnsupport || f.Param != test.dropped[0]) {
				t.Errorf("strict: got %v, want a refusal of %q", err, test.dropped)
			}
		})
	}
}

func TestToolsOfAConversation(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		model   string
		request *chat.Request
		want    string
	}{
		"results of parallel calls stand together, by their functions' names, apart from what the user says next": {
			"", talk(user("Hi"), calls(chat.ToolCall{ID: "a", Name: "f", Arguments: `{"x":1}`}, chat.ToolCall{ID: "functions.g:1", Name: "g"}),
				result("a", `{"n":1.0}`), result("functions.g:1", ""), user("And?")),
			`[{"role":"user","parts":[{"text":"Hi"}]},
			{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{"x":1}}},{"functionCall":{"id":"functions.g:1","name":"g","args":{}}}]},
			{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"result":"{\"n\":1.0}"}}},
			{"functionResponse":{"id":"functions.g:1","name":"g","response":{"result":""}}}]},
			{"role":"user","parts":[{"text":"And?"}]}]`,
		},
		"an id that comes a second time is the later call's": {
			"", talk(user("Hi"), calls(chat.ToolCall{ID: "a", Name: "f"}), result("a", "1"), calls(chat.ToolCall{ID: "a", Name: "g"}), result("a", "2")),
			`[{"role":"user","parts":[{"text":"Hi"}]},
			{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}}}]},
			{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"result":"1"}}}]},
			{"role":"model","parts":[{"functionCall":{"id":"a","name":"g","args":{}}}]},
			{"role":"user","parts":[{"functionResponse":{"id":"a","name":"g","response":{"result":"2"}}}]}]`,
		},
		"from the third generation on the first call of a turn has a signature": {
			"gemini-3-pro-preview", talk(user("Hi"), calls(chat.ToolCall{ID: "a", Name: "f"}, chat.ToolCall{ID: "b", Name: "g"}), result("a", "1"), result("b", "2")),
			`[{"role":"user","parts":[{"text":"Hi"}]},
			{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"},
			{"functionCall":{"id":"b","name":"g","args":{}}}]},
			{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"result":"1"}}},
			{"functionResponse":{"id":"b","name":"g","response":{"result":"2"}}}]}]`,
		},
		"a result without its call, but with a name": {
			"", talk(user("Hi"), chat.Message{Role: chat.RoleTool, ToolCallID: "a", Name: "f", Parts: []chat.Part{{Text: "1"}}}),
			`[{"role":"user","parts":[{"text":"Hi"}]},{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"result":"1"}}}]}]`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _, err := sent(t, test.model, test.request)
			if err != nil {
				t.Fatalf("Complete: %v", err)
			}
			if diff := cmp.Diff(decoded(t, test.want), got["contents"]); diff != "" {
				t.Errorf("contents (-want +got):\n%s", diff)
			}
		})
	}
}

func TestContentThatTheVendorCannotTakeIsRefusedBeforeTheCall(t *testing.T) {
	t.Parallel()
	image := picture(chat.Image{URL: "https://a.test"}).Parts
	tests := map[string]struct {
		request *chat.Request
		param   string
	}{
		"nothing said":                      {talk(), "messages"},
		"nothing but a system message":      {talk(system("s")), "messages"},
		"an image in a system message":      {talk(user("Hi"), chat.Message{Role: chat.RoleSystem, Parts: image}), "messages[1].content"},
		"an image by the assistant":         {talk(user("Hi"), chat.Message{Role: chat.RoleAssistant, Parts: image}), "messages[1].content"},
		"an image by a tool":                {talk(user("Hi"), calls(chat.ToolCall{ID: "a", Name: "f"}), chat.Message{Role: chat.RoleTool, ToolCallID: "a", Parts: image}), "messages[2].content"},
		"a result without its call":         {talk(user("Hi"), result("a", "1")), "messages[1].tool_call_id"},
		"arguments that are no object":      {talk(user("Hi"), calls(chat.ToolCall{ID: "a", Name: "f"}, chat.ToolCall{ID: "b", Name: "f", Arguments: "[1]"})), "messages[1].tool_calls[1].function.arguments"},
		"a tool's schema that is no schema": {with(func(r *chat.Request) { r.Tools = []chat.Tool{{Name: "a", Schema: []byte("7")}} }), "tools[0].function.parameters"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, _, err := sent(t, "", test.request)
			f, ok := errors.AsType[*chat.Failure](err)
			if !ok || f.Class != chat.ClassUnsupport || f.Param != test.param || f.Message == "" {
				t.Errorf("got %#v, want class %q and param %q with a message", err, chat.ClassUnsupport, test.param)
			}
			if body != nil {
				t.Errorf("the vendor was asked: %v", body)
			}
		})
	}
}

func TestTheKeyStandsInAHeaderAndTheModelInThePath(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]string{
		"gemini-2.5-flash":        "https://vendor.test/v1beta/models/gemini-2.5-flash:",
		"models/gemini-2.5-flash": "https://vendor.test/v1beta/models/gemini-2.5-flash:",
		"../x?key=1#é":            "https://vendor.test/v1beta/models/..%2Fx%3Fkey=1%23%C3%A9:",
	} {
		var got []*http.Request
		p := provider(func(r *http.Request) *http.Response {
			got = append(got, r)
			return answer("text/plain", strings.NewReader("data: "+okBody+"\r\n\r\n"))
		})
		to := target
		to.Model = model
		_, _ = p.Complete(t.Context(), to, talk(user("Hi"))) // the body is that of a stream; the request is what counts here
		if _, err := p.Stream(t.Context(), to, talk(user("Hi"))); err != nil {
			t.Fatalf("Stream: %v", err)
		}
		for i, method := range []string{"generateContent", "streamGenerateContent?alt=sse"} {
			r := got[i]
			if r.Method != http.MethodPost || r.URL.String() != want+method {
				t.Errorf("got %s %s, want POST %s", r.Method, r.URL, want+method)
			}
			if key := r.Header.Get("X-Goog-Api-Key"); key != "AIza-test" || strings.Contains(r.URL.String(), "AIza") {
				t.Errorf("got the key %q in the header and the URL %s", key, r.URL)
			}
		}
	}
}
