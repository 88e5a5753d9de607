package rest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

// TestInputIsNamedAsTheClientHasIt holds it of items that are one message of the request, of those behind instructions, and of those behind what Forge
// keeps.
func TestInputIsNamedAsTheClientHasIt(t *testing.T) {
	const items = `[{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_text","text":"b"}]},{"role":"assistant","content":"c"},` +
		`{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},{"type":"function_call","call_id":"c2","name":"f","arguments":"{}"},` +
		`{"type":"function_call_output","call_id":"c1","output":"x"},{"type":"function_call_output","call_id":"c2","output":"y"},{"role":"user","content":"z"}]`
	w := start(t)
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		if _, err := c.Parse(); err != nil {
			t.Error(err)
		}
		r := receipt()
		r.Dropped = []string{
			"messages[0].content[0].x", "messages[1].content[1]", "messages[2].content[0]", "messages[2].tool_calls[1].function.arguments", "messages[3].content[1]",
			"messages[3].tool_call_id", "messages[4]", "messages[9].content", "messages[].name", "image_url.detail", "user",
		}
		return inbound.Answer{Receipt: r, Response: chat.Said("x", "")}, nil
	}
	want := []string{
		"instructions.x", "input[0].content[1]", "input[1].content[0]", "input[3].arguments", "input[5].output", "input[4].call_id", "input[6]", "input[9].content", "input[].name",
		"input.content.detail", "safety_identifier",
	}
	a := w.post(responsesPath, `{"model":"auto","instructions":"i","safety_identifier":"s","input":`+items+`}`, aiKey)
	if got := a.header.Get("X-Forge-Dropped"); got != strings.Join(want, ", ") {
		t.Errorf("got  %s\nwant %s", got, strings.Join(want, ", "))
	}

	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		if _, err := c.Parse(); err != nil {
			t.Error(err)
		}
		return inbound.Answer{}, &fault.Error{Kind: fault.Invalid, Code: "unsupported_by_provider", Msg: "cannot honour messages[0]", Param: "messages[0]"}
	}
	const text = `{"error":{"message":"cannot honour input","type":"invalid_request_error","code":"unsupported_by_provider","param":"input"}}`
	if a := w.post(responsesPath, `{"model":"auto","input":"hi"}`, aiKey); string(a.body) != text {
		t.Errorf("got %s, want %s", a, text)
	}
}
