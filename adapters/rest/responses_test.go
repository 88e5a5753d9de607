package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

const responsesPath = "/v1/responses"

// respBody is a responses request with more fields.
func respBody(more string) string { return `{"model":"auto","input":"hi"` + more + `}` }

// upstream has the fake gateway answer every call by a vendor of OpenAI's own dialect, and notes the bodies that it would have got.
func (w *world) upstream(answers ...string) *[]string {
	var bodies []string
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		bodies = append(bodies, string(c.Body))
		return inbound.Answer{Receipt: receipt(), Body: []byte(answers[min(len(bodies), len(answers))-1])}, nil
	}
	return &bodies
}

// foreign has it answer by a vendor of another dialect, and notes the requests.
func (w *world) foreign(answer *chat.Response) *[]*chat.Request {
	var requests []*chat.Request
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		r, err := c.Parse()
		requests = append(requests, r)
		rec := receipt()
		rec.CallID = "0190-" + strconv.Itoa(len(requests))
		rec.Finish = answer.First().Finish
		return inbound.Answer{Receipt: rec, Response: answer}, err
	}
	return &requests
}

// vendorSaid is a response as a vendor gives it.
func vendorSaid(id, output string) string {
	return `{"id":"` + id + `","object":"response","status":"completed","error":null,"instructions":null,"output":[` + output + `],"previous_response_id":null,"store":false,"x_new":1,"metadata":{"a":"b"}}`
}

func TestABodyGoesToAVendorThatKeepsNothing(t *testing.T) {
	tests := map[string]struct{ body, want string }{
		"nothing is said of keeping": {`{"model":"auto","input":"hi"}`, `{"store":false,"model":"auto","input":"hi"}`},
		"to be kept":                 {`{"model":"auto","input":"hi","store":true,"x":1}`, `{"model":"auto","input":"hi","store":false,"x":1}`},
		"not to be kept":             {`{ "model":"auto", "input":"hi", "store" : false }`, `{ "model":"auto", "input":"hi", "store" : false }`},
		"null":                       {`{"model":"auto","input":"hi","store":null}`, `{"model":"auto","input":"hi","store":false}`},
		"to go on from nothing":      {`{"model":"auto","input":"hi","store":false,"previous_response_id":null}`, `{"model":"auto","input":"hi","store":false}`},
		"that, first":                {`{"previous_response_id": null , "model":"auto","input":"hi","store":false}`, `{ "model":"auto","input":"hi","store":false}`},
		"that, by escapes":           {`{"previous\u005fresponse_id":null,"model":"auto","input":"hi"}`, `{"store":false,"previous\u005fresponse_id":null,"model":"auto","input":"hi"}`},
		"from another": {
			`{"previous_response_id":"resp_1","model":"auto","input":"more","instructions":"be brief"}`,
			`{"store":false,"model":"auto","input":[{"role":"user","content":"hi"},{"type":"message","role":"user","content":"more"}],"instructions":"be brief"}`,
		},
		"from another, with nothing more": {`{"model":"auto","previous_response_id":"resp_1"}`, `{"input":[{"role":"user","content":"hi"}],"store":false,"model":"auto"}`},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			bodies := w.upstream(vendorSaid("resp_v", ""))
			if a := w.post(responsesPath, tc.body, aiKey); a.status != 200 {
				t.Fatal(a)
			}
			if (*bodies)[0] != tc.want {
				t.Errorf("got  %s\nwant %s", (*bodies)[0], tc.want)
			}
		})
	}
}

func TestARelayedResponseIsTheVendorsButForWhatForgeToldIt(t *testing.T) {
	w := start(t)
	w.upstream("\n\n " + vendorSaid("resp_v", `{"id":"rs_1","type":"reasoning","encrypted_content":"e","summary":[]}`))
	want := strings.NewReplacer(`"previous_response_id":null`, `"previous_response_id":"resp_1"`, `"store":false`, `"store":true`).
		Replace(vendorSaid("resp_v", `{"id":"rs_1","type":"reasoning","encrypted_content":"e","summary":[]}`))
	if got := w.post(responsesPath, respBody(`,"previous_response_id":"resp_1"`), aiKey); string(got.body) != want {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
	if got := w.get(responsesPath+"/resp_v", aiKey); string(got.body) != want {
		t.Errorf("later: got  %s\nwant %s", got.body, want)
	}
	// What is no response object, or did not come to its end, is given and not kept.
	for _, odd := range []string{
		`{"id":"resp_f","object":"response","status":"failed","output":[]}`, `{"id":"","object":"response","output":[],"status":"completed"}`,
		`{"id":"resp_f","id":"resp_f","object":"response","output":[],"status":"completed"}`, `{"id":"resp_f","object":"response","output":[]}`,
	} {
		w.upstream(odd)
		if got := w.post(responsesPath, respBody(``), aiKey); string(got.body) != odd {
			t.Errorf("got %s, want %s", got, odd)
		}
	}
	if len(w.shelf.of("t1")) != 2 {
		t.Errorf("kept: %v", w.shelf.of("t1"))
	}
}

func TestAConversationGoesOnOverVendors(t *testing.T) {
	w := start(t)
	w.upstream(vendorSaid("resp_a", `{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"enc"},{"id":"rs_2","type":"reasoning","summary":[]},`+
		`{"id":"fc_1","type":"function_call","call_id":"call_1","name":"add","arguments":"{\"a\":1}","status":"completed"}`))
	if a := w.post(responsesPath, `{"model":"auto","instructions":"first","input":"add one"}`, aiKey); a.status != 200 {
		t.Fatal(a)
	}
	requests := w.foreign(&chat.Response{Choices: []chat.Choice{{Finish: chat.FinishStop, Parts: []chat.Part{
		{Kind: chat.PartThinking, Text: "so", Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: "sig"}}, {Text: "It is two."},
	}}}})
	a := w.post(responsesPath, `{"model":"auto","instructions":"second","previous_response_id":"resp_a","input":[{"type":"function_call_output","call_id":"call_1","output":"2"}]}`, aiKey)
	if a.status != 200 {
		t.Fatal(a)
	}
	want := &chat.Request{Messages: []chat.Message{
		chat.Text(chat.RoleSystem, "second"), chat.Text(chat.RoleUser, "add one"),
		{Role: chat.RoleAssistant, Parts: []chat.Part{
			{Kind: chat.PartThinking, Signature: &chat.Signature{Format: chat.FormatOpenAI, Data: "enc", ID: "rs_1"}}, calling("call_1", "add", `{"a":1}`),
		}},
		{Role: chat.RoleTool, Parts: []chat.Part{{Kind: chat.PartToolResult, Result: &chat.ToolResult{CallID: "call_1", Name: "add", Parts: []chat.Part{{Text: "2"}}}}}},
	}}
	if d := cmp.Diff(want, (*requests)[0]); d != "" {
		t.Error(d)
	}
	// And once more, at another: what the second vendor signed is there again as it was.
	if a := w.post(responsesPath, `{"model":"auto","previous_response_id":"resp_01901","input":"thanks"}`, aiKey); a.status != 200 {
		t.Fatal(a)
	}
	last := (*requests)[1].Messages
	want = &chat.Request{Messages: append(want.Messages[1:], chat.Message{Role: chat.RoleAssistant, Parts: []chat.Part{
		{Kind: chat.PartThinking, Text: "so", Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: "sig"}}, {Text: "It is two."},
	}}, chat.Text(chat.RoleUser, "thanks"))}
	if d := cmp.Diff(want.Messages, last); d != "" {
		t.Error(d)
	}
	// Back at the first, it gets it all as bytes.
	bodies := w.upstream(vendorSaid("resp_c", ""))
	w.post(responsesPath, `{"model":"auto","previous_response_id":"resp_01902","input":"bye"}`, aiKey)
	for _, piece := range []string{`"encrypted_content":"enc"`, `"content":"add one"`, `"content":"thanks"`, `"content":"bye"`, `"store":false`} {
		if strings.Count((*bodies)[0], piece) != 1 {
			t.Errorf("%s stands in the body not once: %s", piece, (*bodies)[0])
		}
	}
	if strings.Count((*bodies)[0], "It is two.") != 2 || strings.Contains((*bodies)[0], "previous_response_id") || strings.Contains((*bodies)[0], "rs_2") {
		t.Errorf("got %s", (*bodies)[0])
	}
}

func TestWhatRoutingKnowsOfAConversation(t *testing.T) {
	w := start(t)
	var got inbound.Call
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		got = c
		return inbound.Answer{Receipt: receipt(), Body: []byte(vendorSaid("resp_a", `{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"output_text","text":"four"}]}`))}, nil
	}
	w.post(responsesPath, `{"model":"m","stream":false,"instructions":"12345","max_output_tokens":9,"safety_identifier":"s","text":{"format":{"type":"json_schema","schema":{"a":1}}},
		"tools":[{"type":"function","name":"f","description":"dd","parameters":{"b":1}}],"input":[{"role":"user","content":[{"type":"input_text","text":"abc"},{"type":"input_image","image_url":"https://x"}]},
		{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"out"}]}`, aiKey)
	if got.Model != "m" || got.MaxTokens != 9 || got.EndUser != "s" || !got.Schema || !got.Tools || !got.Vision || got.TextBytes != 5+7+1+2+7+3+2+3 ||
		got.Surface != inbound.SurfaceResponses || got.Dialect != chat.DialectResponses {
		t.Errorf("got %+v", got)
	}
	w.post(responsesPath, `{"model":"m","previous_response_id":"resp_a","input":"more"}`, aiKey)
	if got.TextBytes != 3+2+3+4+4 || !got.Vision || got.Tools || got.Schema {
		t.Errorf("going on: got %+v", got)
	}
}

func TestAResponseIsKeptAsTheClientSays(t *testing.T) {
	tests := map[string]struct {
		more   string
		finish chat.Finish
		want   bool
	}{
		"by itself":         {"", chat.FinishStop, true},
		"when it is asked":  {`,"store":true`, chat.FinishToolCalls, true},
		"not when it isn't": {`,"store":false`, chat.FinishStop, false},
		"also when cut":     {"", chat.FinishLength, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			w.foreign(chat.Said("x", tc.finish))
			a := w.post(responsesPath, respBody(tc.more), aiKey)
			if got := w.get(responsesPath+"/resp_01901", aiKey); (got.status == 200) != tc.want || tc.want && string(got.body) != string(a.body) {
				t.Errorf("got %s, want it kept: %t", got, tc.want)
			}
		})
	}
	t.Run("never when it failed", func(t *testing.T) {
		w := start(t)
		w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
			return inbound.Answer{Receipt: receipt()}, fault.New(fault.Upstream, "provider_error", "m")
		}
		if a := w.post(responsesPath, respBody(""), aiKey); a.status != 502 || len(w.shelf.of("t1")) != 0 {
			t.Errorf("got %s, kept %v", a, w.shelf.of("t1"))
		}
	})
	t.Run("the answer stands when the store is away", func(t *testing.T) {
		w := start(t)
		w.shelf.err = errors.New("secret cause")
		w.foreign(chat.Said("x", chat.FinishStop))
		if a := w.post(responsesPath, respBody(""), aiKey); a.status != 200 || !strings.Contains(w.log(), "response not kept") {
			t.Errorf("got %s, log %s", a, w.log())
		}
		if a := w.post(responsesPath, respBody(`,"previous_response_id":"resp_1"`), aiKey); a.status != 500 || strings.Contains(string(a.body), "secret") {
			t.Errorf("got %s", a)
		}
		if a := w.get(responsesPath+"/resp_1", aiKey); a.status != 500 {
			t.Errorf("got %s", a)
		}
	})
}

func TestAResponseIsItsTenantsAlone(t *testing.T) {
	w := start(t)
	w.foreign(chat.Said("x", chat.FinishStop))
	if err := w.shelf.Keep(context.Background(), inbound.Caller{TenantID: "t2"}, inbound.KeptResponse{ID: "resp_theirs", Input: []byte("[]"), Output: []byte("[]"), Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"resp_theirs", "resp_nobodys", "msg_019010", "%00", "a%2Fb"} {
		for _, a := range []answer{
			w.get(responsesPath+"/"+id, aiKey), w.do("DELETE", responsesPath+"/"+id, "", aiKey), w.get(responsesPath+"/"+id+"/input_items", aiKey),
		} {
			var e struct {
				Error struct{ Type, Code, Message string }
			}
			a.into(t, &e)
			if a.status != 404 || e.Error.Type != "invalid_request_error" || e.Error.Code != "not_found" {
				t.Errorf("%s: got %s", id, a)
			}
		}
	}
	a := w.post(responsesPath, respBody(`,"previous_response_id":"resp_theirs"`), aiKey)
	var e struct {
		Error struct{ Type, Code, Param string }
	}
	a.into(t, &e)
	if a.status != 404 || e.Error.Code != "previous_response_not_found" || e.Error.Param != "previous_response_id" {
		t.Errorf("got %s", a)
	}
}

func TestAResponseIsForgotten(t *testing.T) {
	w := start(t)
	w.foreign(chat.Said("x", chat.FinishStop))
	w.post(responsesPath, respBody(""), aiKey)
	if a := w.do("DELETE", responsesPath+"/resp_01901", "", aiKey); string(a.body) != `{"id":"resp_01901","object":"response","deleted":true}` {
		t.Errorf("got %s", a)
	}
	if a := w.get(responsesPath+"/resp_01901", aiKey); a.status != 404 || len(w.shelf.of("t1")) != 0 {
		t.Errorf("got %s, left %v", a, w.shelf.of("t1"))
	}
	if a := w.do("DELETE", responsesPath+"/resp_01901", "", aiKey); a.status != 404 {
		t.Errorf("again: got %s", a)
	}
}

func TestAConversationThatOutgrowsABodyIsRefused(t *testing.T) {
	w := start(t)
	w.foreign(chat.Said("x", chat.FinishStop))
	long := strings.Repeat("x", 600<<10)
	if a := w.post(responsesPath, `{"model":"auto","input":"`+long+`"}`, aiKey); a.status != 200 {
		t.Fatal(a)
	}
	a := w.post(responsesPath, `{"model":"auto","previous_response_id":"resp_01901","input":"`+long+`"}`, aiKey)
	if a.status != 413 || a.code() != "body_too_large" {
		t.Errorf("got %s", a)
	}
}

func TestARenderedResponseSaysBackWhatWasAsked(t *testing.T) {
	w := start(t)
	w.foreign(chat.Said("x", chat.FinishLength))
	a := w.post(responsesPath, `{"model":"auto","input":"hi","store":false,"previous_response_id":"resp_1","instructions":"be <brief>","max_output_tokens":5,"max_tool_calls":2,"parallel_tool_calls":false,
		"prompt_cache_key":"k","reasoning":{"effort":"low", "summary":"auto"},"safety_identifier":"s","service_tier":"flex","temperature":0.5,"text":{"format":{"type":"json_object"}},"tool_choice":"required",
		"tools":[{"type":"function", "name":"f","parameters":{}}],"top_logprobs":2,"top_p":0.25,"truncation":"auto","user":"u","metadata":{"a":"b"}}`, aiKey)
	want := `{"id":"resp_01901","object":"response","created_at":1896091200,"status":"incomplete","background":false,"completed_at":1896091200,"error":null,"incomplete_details":{"reason":"max_output_tokens"},` +
		`"instructions":"be <brief>","max_output_tokens":5,"max_tool_calls":2,"model":"gpt-x-2026","output":[{"id":"msg_0190100","type":"message","status":"incomplete","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"x"}],"role":"assistant"}],` +
		`"parallel_tool_calls":false,"previous_response_id":"resp_1","prompt_cache_key":"k","reasoning":{"effort":"low","summary":"auto"},"safety_identifier":"s","service_tier":"default","store":false,"temperature":0.5,` +
		`"text":{"format":{"type":"json_object"}},"tool_choice":"required","tools":[{"type":"function","name":"f","parameters":{}}],"top_logprobs":2,"top_p":0.25,"truncation":"auto",` +
		`"usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":15},"user":"u","metadata":{"a":"b"}}`
	if string(a.body) != want {
		t.Errorf("got  %s\nwant %s", a.body, want)
	}
	if !json.Valid(a.body) {
		t.Error("it is no JSON")
	}
}
