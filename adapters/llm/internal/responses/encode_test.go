package responses_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/responses"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// answering answers everything with a body, and notes what it was sent.
type answering struct {
	*httptest.Server
	body   string
	sent   []byte
	header http.Header
}

func answer(t *testing.T, body string) *answering {
	t.Helper()
	a := &answering{body: body}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.sent, _ = io.ReadAll(r.Body)
		a.header = r.Header
		_, _ = io.WriteString(w, a.body)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *answering) target(model string) outbound.Target {
	return outbound.Target{Provider: "test", Model: model, BaseURL: a.URL + "/v1/", Secret: secret.New("k1")}
}

func client(t *testing.T) *http.Client {
	t.Helper()
	c := llm.NewClient(llm.ClientConfig{})
	t.Cleanup(c.CloseIdleConnections)
	return c
}

const said = `{"id":"resp_1","status":"completed","model":"m-1","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"ok"}]}]}`

// asked sends a request and gives what arrived, and what was said to be dropped.
func asked(t *testing.T, f responses.Flavour, model string, r *chat.Request) (body map[string]any, dropped []string, err error) {
	t.Helper()
	a := answer(t, said)
	out, err := responses.New(client(t), f).Complete(t.Context(), a.target(model), r)
	if err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(a.sent, &body); err != nil {
		t.Fatalf("what was sent is no JSON: %v", err)
	}
	return body, out.Dropped, nil
}

// value reads JSON for a comparison.
func value(t *testing.T, s string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return v
}

func turns(m ...chat.Message) *chat.Request { return &chat.Request{Messages: m} }

func parts(role chat.Role, p ...chat.Part) chat.Message { return chat.Message{Role: role, Parts: p} }

func own(text string) chat.Part {
	return chat.Part{Kind: chat.PartThinking, Text: text, Signature: &chat.Signature{Format: chat.FormatOpenAI, Data: "sealed", ID: "rs_1"}}
}

func callOf(id string) chat.Part {
	return chat.Part{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: id, Name: "f", Arguments: `{"a":1}`}}
}

const (
	user    = `{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}`
	thought = `{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"sealed"}`
)

func TestTheConversationAsItems(t *testing.T) {
	hi := chat.Text(chat.RoleUser, "hi")
	foreign := chat.Part{Kind: chat.PartThinking, Text: "secret", Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: "x"}}
	media := func(k chat.PartKind, m chat.Media) chat.Message {
		return parts(chat.RoleUser, chat.Part{Kind: k, Media: &m})
	}
	tests := map[string]struct {
		request      *chat.Request
		instructions string
		input        string
		dropped      []string
	}{
		"what the system says first instructs, what it says later stays": {
			turns(chat.Text(chat.RoleSystem, "a"), chat.Text(chat.RoleSystem, "b"), hi, chat.Text(chat.RoleSystem, "c")), "a\n\nb",
			user + `,{"type":"message","role":"system","content":[{"type":"input_text","text":"c"}]}`, nil,
		},
		"a system that is alone is the input": {
			turns(chat.Text(chat.RoleSystem, "a")), "", `{"type":"message","role":"system","content":[{"type":"input_text","text":"a"}]}`, nil,
		},
		"the model's text and refusal": {
			turns(hi, parts(chat.RoleAssistant, chat.Part{Text: "t"}, chat.Part{Kind: chat.PartRefusal, Text: "no"})), "",
			user + `,{"type":"message","role":"assistant","content":[{"type":"output_text","text":"t"},{"type":"refusal","refusal":"no"}]}`, nil,
		},
		"a call, and its output as text": {
			turns(hi, parts(chat.RoleAssistant, chat.Part{Text: "t"}, callOf("call_1"), chat.Part{Text: "u"}), chat.Result("call_1", "out")), "",
			user + `,{"type":"message","role":"assistant","content":[{"type":"output_text","text":"t"}]},{"type":"function_call","call_id":"call_1","name":"f","arguments":"{\"a\":1}"},
			{"type":"message","role":"assistant","content":[{"type":"output_text","text":"u"}]},{"type":"function_call_output","call_id":"call_1","output":"out"}`, nil,
		},
		"ids that the vendor would refuse, call and output alike": {
			turns(hi, parts(chat.RoleAssistant, callOf("functions.f:0")), chat.Result("functions.f:0", "")), "",
			user + `,{"type":"function_call","call_id":"` + chat.PortableID("functions.f:0") + `","name":"f","arguments":"{\"a\":1}"},
			{"type":"function_call_output","call_id":"` + chat.PortableID("functions.f:0") + `","output":""}`, nil,
		},
		"an output with a picture and a file": {
			turns(hi, parts(chat.RoleAssistant, callOf("c")), parts(chat.RoleTool, chat.Part{Kind: chat.PartToolResult, Result: &chat.ToolResult{CallID: "c", Parts: []chat.Part{
				{Text: "see"},
				{Kind: chat.PartImage, Media: &chat.Media{Type: "image/png", Data: "aa"}},
				{Kind: chat.PartFile, Media: &chat.Media{URL: "https://x/f.pdf"}},
			}, Error: true}})), "",
			user + `,{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"see"},
			{"type":"input_image","image_url":"data:image/png;base64,aa"},{"type":"input_file","file_url":"https://x/f.pdf"}]}`,
			[]string{"messages[].is_error"},
		},
		"pictures and files by address and by upload": {
			turns(
				media(chat.PartImage, chat.Media{URL: "https://x/p.png", Detail: "low"}), media(chat.PartImage, chat.Media{FileID: "file-1", Origin: chat.DialectOpenAIChat}),
				media(chat.PartFile, chat.Media{Type: "application/pdf", Data: "aa"}), media(chat.PartFile, chat.Media{Type: "text/plain", Data: "bb"}),
				media(chat.PartFile, chat.Media{Type: "text/csv", Data: "cc"}), media(chat.PartFile, chat.Media{Data: "dd", Name: "d.bin"}), media(chat.PartFile, chat.Media{FileID: "file-2", Origin: chat.DialectResponses}),
			), "",
			`{"type":"message","role":"user","content":[{"type":"input_image","image_url":"https://x/p.png","detail":"low"}]},
			{"type":"message","role":"user","content":[{"type":"input_image","file_id":"file-1"}]},
			{"type":"message","role":"user","content":[{"type":"input_file","filename":"file.pdf","file_data":"data:application/pdf;base64,aa"}]},
			{"type":"message","role":"user","content":[{"type":"input_file","filename":"file.txt","file_data":"data:text/plain;base64,bb"}]},
			{"type":"message","role":"user","content":[{"type":"input_file","filename":"file.csv","file_data":"data:text/csv;base64,cc"}]},
			{"type":"message","role":"user","content":[{"type":"input_file","filename":"d.bin","file_data":"data:application/octet-stream;base64,dd"}]},
			{"type":"message","role":"user","content":[{"type":"input_file","file_id":"file-2"}]}`, nil,
		},
		"a thought goes directly before what followed it": {
			turns(hi, parts(chat.RoleAssistant, chat.Part{Text: "t"}, own("hm"), callOf("c")), chat.Result("c", "out")), "",
			user + `,{"type":"message","role":"assistant","content":[{"type":"output_text","text":"t"}]},` + thought +
				`,{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"c","output":"out"}`, nil,
		},
		"a signature that stands alone": {
			turns(hi, parts(chat.RoleAssistant, own(""), chat.Part{Text: "t"})), "",
			user + `,{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"sealed"},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"t"}]}`, nil,
		},
		"what follows a thought may be in the next message": {
			turns(hi, parts(chat.RoleAssistant, own("hm")), parts(chat.RoleAssistant, callOf("c")), chat.Result("c", "out")), "",
			user + `,` + thought + `,{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"c","output":"out"}`, nil,
		},
		"a message of nothing": {
			turns(parts(chat.RoleUser), parts(chat.RoleAssistant, chat.Part{})), "", `{"type":"message","role":"user","content":[{"type":"input_text","text":""}]}`, nil,
		},
		"who speaks has no place": {
			turns(chat.Message{Role: chat.RoleUser, Name: "Ann", Parts: []chat.Part{{Text: "hi"}}}), "", user, []string{"messages[].name"},
		},
		"a thought that nothing follows is left out": {
			turns(hi, parts(chat.RoleAssistant, own("hm")), hi), "", user + "," + user, []string{"messages[].reasoning"},
		},
		"a thought at the end is left out": {
			turns(hi, parts(chat.RoleAssistant, chat.Part{Text: "t"}, own("hm"))), "",
			user + `,{"type":"message","role":"assistant","content":[{"type":"output_text","text":"t"}]}`,
			[]string{"messages[].reasoning"},
		},
		"another vendor's thoughts are left out": {
			turns(hi, parts(chat.RoleAssistant, foreign, chat.Part{Kind: chat.PartThinking, Text: "unsigned"}, chat.Part{Text: "t"})), "",
			user + `,{"type":"message","role":"assistant","content":[{"type":"output_text","text":"t"}]}`,
			[]string{"messages[].reasoning"},
		},
		"items of the dialect's own go back as they came, others are left out": {
			turns(hi, parts(chat.RoleAssistant, own("hm"), chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectResponses, JSON: []byte(`{"type":"web_search_call","id":"ws_1","x":1}`)}},
				chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte(`{}`)}})), "",
			user + "," + thought + `,{"type":"web_search_call","id":"ws_1","x":1}`,
			[]string{"messages[1].content[2]"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body, dropped, err := asked(t, responses.Flavour{}, "m", tt.request)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(value(t, "["+tt.input+"]"), body["input"]); diff != "" {
				t.Errorf("the input (-want +sent):\n%s", diff)
			}
			if got, _ := body["instructions"].(string); got != tt.instructions {
				t.Errorf("got the instructions %q, want %q", got, tt.instructions)
			}
			if !slices.Equal(dropped, tt.dropped) {
				t.Errorf("got %q dropped, want %q", dropped, tt.dropped)
			}
			strict := *tt.request
			strict.Strict = true
			wished := slices.Contains(dropped, "messages[].name") || slices.Contains(dropped, "messages[].is_error")
			if _, _, err := asked(t, responses.Flavour{}, "m", &strict); (err != nil) != wished {
				t.Errorf("a strict request: got %v, want a failure only where the client asked for what is dropped (%t)", err, wished)
			}
		})
	}
}

func TestWhatCannotBeSaidFails(t *testing.T) {
	for name, p := range map[string]chat.Part{
		"a sound":                       {Kind: chat.PartAudio, Media: &chat.Media{Data: "aa", Type: "audio/wav"}},
		"another vendor's upload":       {Kind: chat.PartFile, Media: &chat.Media{FileID: "f", Origin: chat.DialectAnthropic}},
		"another vendor's picture":      {Kind: chat.PartImage, Media: &chat.Media{FileID: "f", Origin: chat.DialectGemini}},
		"a picture of nothing":          {Kind: chat.PartImage},
		"a piece of another dialect":    {Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte(`{}`)}},
		"a piece that is not even JSON": {Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectResponses, JSON: []byte(`{`)}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := asked(t, responses.Flavour{}, "m", turns(parts(chat.RoleUser, chat.Part{Text: "hi"}, p)))
			f, ok := err.(*chat.Failure) //nolint:errorlint // the failure itself is promised
			if !ok || f.Class != chat.ClassUnsupport || f.Param != "messages[0].content[1]" {
				t.Errorf("got %v, want unsupported, naming messages[0].content[1]", err)
			}
		})
	}
	_, _, err := asked(t, responses.Flavour{}, "m", turns(parts(chat.RoleAssistant, chat.Part{Kind: chat.PartImage, Media: &chat.Media{URL: "https://x"}})))
	if chat.ClassOf(err) != chat.ClassUnsupport {
		t.Errorf("a picture that the model showed: got %v, want unsupported", err)
	}
}

func TestHeadersAndAddress(t *testing.T) {
	a := answer(t, said)
	p := responses.New(client(t), responses.Flavour{Headers: []string{"Openai-Beta"}})
	in := outbound.Passage{Body: []byte(`{"model":"x"}`), Header: map[string]string{"Openai-Beta": "b", "Cookie": "c"}}
	if _, err := p.RelayWhole(t.Context(), a.target("m"), in); err != nil {
		t.Fatal(err)
	}
	if a.header.Get("Authorization") != "Bearer k1" || a.header.Get("Openai-Beta") != "b" || a.header.Get("Cookie") != "" {
		t.Errorf("got the header %v, want the key and Openai-Beta alone", a.header)
	}
	to := a.target("m")
	to.Secret = secret.Text{}
	if _, err := p.Complete(t.Context(), to, turns(chat.Text(chat.RoleUser, "hi"))); err != nil {
		t.Fatal(err)
	}
	if _, there := a.header["Authorization"]; there {
		t.Error("a server without a key got an Authorization")
	}
	if !strings.Contains(string(a.sent), `"store":false`) {
		t.Errorf("got %s, want store:false", a.sent)
	}
}

func TestThoughtsGoBackToWhomeverReadsThem(t *testing.T) {
	other := chat.Part{Kind: chat.PartThinking, Text: "hm", Signature: &chat.Signature{Format: "xai-responses-v1", Data: "x"}}
	r := turns(chat.Text(chat.RoleUser, "hi"), parts(chat.RoleAssistant, own("hm"), other, chat.Part{Text: "t", Signature: &chat.Signature{Format: chat.FormatGemini, Data: "g"}}))
	for name, tt := range map[string]struct {
		flavour responses.Flavour
		sent    int
	}{
		"OpenAI's own":            {responses.Flavour{}, 1},
		"another maker's":         {responses.Flavour{Reads: func(model, format string) bool { return model == "m" && format == "xai-responses-v1" }}, 1},
		"any":                     {responses.Flavour{Reads: func(string, string) bool { return true }}, 2},
		"a model that thinks not": {responses.Flavour{Thoughtless: func(model string) bool { return model == "m" }}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			body, dropped, err := asked(t, tt.flavour, "m", r)
			if err != nil {
				t.Fatal(err)
			}
			if input, _ := body["input"].([]any); len(input) != 2+tt.sent || !slices.Equal(dropped, []string{"messages[].reasoning"}) {
				t.Errorf("got %d thoughts in %v, and %q dropped; want %d", len(input)-2, input, dropped, tt.sent)
			}
		})
	}
}
