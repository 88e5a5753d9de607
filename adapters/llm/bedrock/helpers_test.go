package bedrock_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"github.com/forge1/forge1/adapters/llm/bedrock"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// wire plays the vendor without a network: a function from the request to the answer.
type wire func(*http.Request) *http.Response

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) { return w(r), nil }

// noon is when the tests' clocks stand.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// clocked is a wire with a clock, as the production's transport has one.
type clocked struct{ wire }

func (clocked) Clock() outbound.Clock { return func() time.Time { return noon } }

const framedType = "application/vnd.amazon.eventstream"

func answer(status int, contentType string, body io.Reader) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(body), ContentLength: -1}
}

func answers(contentType, body string) wire {
	return func(*http.Request) *http.Response { return answer(http.StatusOK, contentType, strings.NewReader(body)) }
}

func provider(w http.RoundTripper) outbound.Provider {
	return bedrock.Vendor.New(&http.Client{Transport: w}).Provider
}

// Models of the families that differ.
const (
	sonnet45 = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	opus46   = "anthropic.claude-opus-4-6-v1"
	opus47   = "anthropic.claude-opus-4-7"
	haiku3   = "anthropic.claude-3-haiku-20240307-v1:0"
	novaPro  = "amazon.nova-pro-v1:0"
	nova2    = "global.amazon.nova-2-lite-v1:0"
	llama    = "meta.llama3-3-70b-instruct-v1:0"
	mistral  = "mistral.mistral-large-2407-v1:0"
	gptOSS   = "openai.gpt-oss-120b-1:0"
	unnamed  = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc123"
)

var target = outbound.Target{Provider: "bedrock", Model: sonnet45, Secret: secret.New("ABSK-test-key"), BaseURL: "https://bedrock-runtime.eu-west-1.amazonaws.com"}

const okBody = `{"output":{"message":{"role":"assistant","content":[{"text":"ok"}]}},"stopReason":"end_turn"}`

// sent gives the body of the request that r becomes for a model, and the answer to it.
func sent(t *testing.T, model string, r *chat.Request) (map[string]any, *chat.Response, error) {
	t.Helper()
	to := target
	if model != "" {
		to.Model = model
	}
	var body map[string]any
	resp, err := provider(wire(func(q *http.Request) *http.Response {
		if err := json.NewDecoder(q.Body).Decode(&body); err != nil {
			t.Errorf("the request's body is not JSON: %v", err)
		}
		return answer(http.StatusOK, "application/json", strings.NewReader(okBody))
	})).Complete(t.Context(), to, r)
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

// frames writes events, each as its type and its payload, in the framing of Amazon's encoder.
func frames(t testing.TB, events ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	for i := 0; i < len(events); i += 2 {
		m := eventstream.Message{Payload: []byte(events[i+1])}
		kind, header := "event", ":event-type"
		name, exception := strings.CutPrefix(events[i], "!")
		if exception {
			kind, header = "exception", ":exception-type"
		} else if code, unmodelled := strings.CutPrefix(name, "?"); unmodelled {
			name, kind, header = code, "error", ":error-code"
		}
		m.Headers.Set(header, eventstream.StringValue(name))
		m.Headers.Set(":message-type", eventstream.StringValue(kind))
		if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// gathered reads a stream to its end.
func gathered(t testing.TB, p outbound.Provider, to outbound.Target) (*chat.Response, error) {
	t.Helper()
	stream, err := p.Stream(t.Context(), to, talk(user("Hi")))
	if err != nil {
		return nil, err
	}
	var g chat.Gatherer
	for c, err := range stream {
		if err != nil {
			return g.Response(), err
		}
		g.Add(c)
	}
	return g.Response(), nil
}

func failureOf(t *testing.T, err error) *chat.Failure {
	t.Helper()
	f, ok := errors.AsType[*chat.Failure](err)
	if !ok {
		t.Fatalf("got %v, want a *chat.Failure", err)
	}
	return f
}

func user(text string) chat.Message      { return chat.Text(chat.RoleUser, text) }
func assistant(text string) chat.Message { return chat.Text(chat.RoleAssistant, text) }

func talk(m ...chat.Message) *chat.Request { return &chat.Request{Messages: m} }

func with(change func(*chat.Request)) *chat.Request {
	r := talk(user("Hi"))
	change(r)
	return r
}

// said is a message of the assistant's, and asked one of a user's.
func said(parts ...chat.Part) chat.Message {
	return chat.Message{Role: chat.RoleAssistant, Parts: parts}
}

func asked(parts ...chat.Part) chat.Message { return chat.Message{Role: chat.RoleUser, Parts: parts} }

func text(s string) chat.Part { return chat.Part{Text: s} }

func kept(p chat.Part, c chat.CacheControl) chat.Part {
	p.Cache = c
	return p
}

func thought(s, format, data string) chat.Part {
	return chat.Part{Kind: chat.PartThinking, Text: s, Signature: &chat.Signature{Format: format, Data: data}}
}

func call(id, name, args string) chat.Part {
	return chat.Part{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: id, Name: name, Arguments: args}}
}

func media(kind chat.PartKind, m chat.Media) chat.Part { return chat.Part{Kind: kind, Media: &m} }

func ptr[T any](v T) *T { return &v }
