package gemini_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

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

// answers plays one body.
func answers(contentType, body string) wire {
	return func(*http.Request) *http.Response { return answer(contentType, strings.NewReader(body)) }
}

func abilities(w wire) outbound.Abilities {
	return gemini.Vendor.New(&http.Client{Transport: w})
}

func provider(w wire) outbound.Provider { return abilities(w).Provider }

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

// said is a message of the assistant's.
func said(parts ...chat.Part) chat.Message {
	return chat.Message{Role: chat.RoleAssistant, Parts: parts}
}

// asked is a message of a user's.
func asked(parts ...chat.Part) chat.Message { return chat.Message{Role: chat.RoleUser, Parts: parts} }

func text(s string) chat.Part { return chat.Part{Text: s} }

func thought(s string, signature *chat.Signature) chat.Part {
	return chat.Part{Kind: chat.PartThinking, Text: s, Signature: signature}
}

func call(id, name, args string) chat.Part {
	return chat.Part{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: id, Name: name, Arguments: args}}
}

// signed puts a signature of this vendor's onto a part.
func signed(p chat.Part, data string) chat.Part {
	p.Signature = sig(data)
	return p
}

func sig(data string) *chat.Signature { return &chat.Signature{Format: chat.FormatGemini, Data: data} }

func foreign(data string) *chat.Signature {
	return &chat.Signature{Format: chat.FormatAnthropic, Data: data}
}

func image(m chat.Media) chat.Part { return chat.Part{Kind: chat.PartImage, Media: &m} }

func file(m chat.Media) chat.Part { return chat.Part{Kind: chat.PartFile, Media: &m} }

func with(change func(*chat.Request)) *chat.Request {
	r := talk(user("Hi"))
	change(r)
	return r
}
