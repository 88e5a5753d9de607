package rest_test

import (
	"context"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

// TestToolsAreNamedAsTheClientHasThem holds it of tools that stand elsewhere in the request, and of those behind one that may not be called.
func TestToolsAreNamedAsTheClientHasThem(t *testing.T) {
	const body = `,"tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}},{"type":"mcp"}],"functions":[{"name":"f"},{"name":"b"}],` +
		`"web_search_options":{},"plugins":[{"id":"web"}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"b"}}]}}`
	w := start(t)
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		if _, err := c.Parse(); err != nil {
			t.Error(err)
		}
		r := receipt()
		r.Dropped = []string{"tools[0]", "tools[1].x", "tools[2]", "tools[3]", "tools[4]", "tools[5]", "tools[x]", "seed"}
		return inbound.Answer{Receipt: r, Response: chat.Said("x", "")}, nil
	}
	const want = "tools[1], tools[2].x, functions[1], web_search_options, plugins, tools[5], tools[x], seed"
	if a := w.post(chatPath, openAIBody(body), aiKey); a.header.Get("X-Forge-Dropped") != want {
		t.Errorf("got %q, want %q", a.header.Get("X-Forge-Dropped"), want)
	}
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		_, _ = c.Parse()
		return inbound.Answer{}, &fault.Error{Kind: fault.Invalid, Code: "unsupported_by_provider", Msg: "no", Param: "tools[3]"}
	}
	if a := w.post(chatPath, openAIBody(body), aiKey); string(a.body) != `{"error":{"message":"no","type":"invalid_request_error","code":"unsupported_by_provider","param":"web_search_options"}}` {
		t.Errorf("got %s", a)
	}
}
