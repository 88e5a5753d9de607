package chatcompletions

import (
	"net/http"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

var somewhere = outbound.Target{Provider: "p", Model: "m"}

func TestErrorsComeInManyShapes(t *testing.T) {
	tests := map[string]struct {
		body  string
		none  bool
		class chat.Class
		code  string
		text  string
	}{
		"the dialect's own":       {`{"error":{"message":"no such model","type":"invalid_request_error","param":null,"code":"model_not_found"}}`, false, chat.ClassNoModel, "model_not_found", "no such model"},
		"a number for a code":     {`{"error":{"message":"busy","code":503}}`, false, chat.ClassOverloaded, "", ""},
		"a number in quotes":      {`{"error":{"message":"slow down","code":"429"}}`, false, chat.ClassRateLimited, "", ""},
		"no code":                 {`{"error":{"message":"bad","type":"invalid_request_error","code":null}}`, false, chat.ClassInvalid, "invalid_request_error", "bad"},
		"a text":                  {`{"error":"out of order"}`, false, chat.ClassServer, "", ""},
		"without a wrapping":      {`{"object":"error","message":"The model x does not exist.","type":"NotFoundError","param":null,"code":404}`, false, chat.ClassNoModel, "NotFoundError", "The model x does not exist."},
		"a field of another type": {`{"error":{"message":"bad","param":7,"code":400}}`, false, chat.ClassInvalid, "", "bad"},
		"none":                    {`{"error":null,"choices":[]}`, true, "", "", ""},
		"no object":               {`[1]`, true, "", "", ""},
		"no JSON":                 {`<html>`, true, "", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, ok := Flavour{}.Explain([]byte(tt.body))
			if ok == tt.none {
				t.Fatalf("got an error: %t, want %t", ok, !tt.none)
			}
			if tt.none {
				return
			}
			if f := r.Failure(somewhere, nil); f.Class != tt.class || f.Code != tt.code || f.Message != tt.text {
				t.Errorf("got %s, %q, %q, want %s, %q, %q", f.Class, f.Code, f.Message, tt.class, tt.code, tt.text)
			}
		})
	}
}

func TestAChoiceMayFailByItself(t *testing.T) {
	const failed = `{"id":"x","model":"m","choices":[{"index":0,"error":{"code":429,"message":"upstream"},"finish_reason":"error",`
	p := New(nil, Flavour{})
	if _, err := p.decode([]byte(failed+`"message":{"content":"half"}}]}`), somewhere, http.Header{}); chat.ClassOf(err) != chat.ClassRateLimited {
		t.Errorf("whole: got %v, want rate_limited", err)
	}
	if _, _, err := p.newDecoder(somewhere).Event([]byte(failed + `"delta":{"content":"half"}}]}`)); chat.ClassOf(err) != chat.ClassRateLimited {
		t.Errorf("streamed: got %v, want rate_limited", err)
	}
	got, _ := tap([]byte(failed + `"delta":{}}]}`))
	if r, ok := p.flavour.refusal(got.failure); !ok || r.Status != 429 {
		t.Errorf("relayed: got %+v, %t, want the choice's 429", r, ok)
	}
	if got, ok := tap([]byte(`{"choices":[{"error":null,"delta":{}}],"error":null}`)); !ok || got.failure != nil {
		t.Errorf("relayed: got %s of an answer without an error", got.failure)
	}
}

func TestCallsWithoutIDsOrIndexes(t *testing.T) {
	p := New(nil, Flavour{})
	whole, err := p.decode([]byte(`{"id":"a1","choices":[{"message":{"tool_calls":[{"function":{"name":"f"}},{"function":{"name":"g","arguments":"{\"x\":1}"}}]},"finish_reason":"tool_calls"}]}`), somewhere, nil)
	if err != nil || len(whole.First().Calls()) != 2 {
		t.Fatalf("got %+v, %v, want two calls", whole, err)
	}
	if a, b := *whole.First().Calls()[0], *whole.First().Calls()[1]; a.ID == "" || a.ID == b.ID || a.Arguments != "{}" || b.Arguments != `{"x":1}` {
		t.Errorf("got %+v and %+v, want ids of their own and arguments", a, b)
	}
	d := p.newDecoder(somewhere)
	var got []chat.ToolDelta
	for _, calls := range []string{`{"id":"c1","function":{"name":"f","arguments":"{"}}`, `{"function":{"arguments":"}"}}`, `{"id":"c2","function":{"name":"g","arguments":"{}"}}`} {
		chunks, _, err := d.Event([]byte(`{"choices":[{"delta":{"tool_calls":[` + calls + `]}}]}`))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			if c.Tool != nil {
				got = append(got, *c.Tool)
			}
		}
	}
	want := []chat.ToolDelta{{Index: 0, ID: "c1", Name: "f", Arguments: "{"}, {Index: 0, Arguments: "}"}, {Index: 1, ID: "c2", Name: "g", Arguments: "{}"}}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	}
}

func TestContentMayBeAList(t *testing.T) {
	p := New(nil, Flavour{})
	r, err := p.decode([]byte(`{"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":-3,"completion_tokens":2}}`), somewhere, nil)
	if err != nil || r.First().Text() != "ab" {
		t.Fatalf("got %+v, %v, want ab", r, err)
	}
	if r.Usage == nil || r.Usage.Input != 0 || r.Usage.Output != 2 {
		t.Errorf("got the usage %+v, want nothing below 0", r.Usage)
	}
	if _, err := p.decode([]byte(`{"choices":[{"message":{"content":[7]}}]}`), somewhere, nil); chat.ClassOf(err) != chat.ClassBadResponse {
		t.Errorf("a list of something else: got %v, want bad_response", err)
	}
}
