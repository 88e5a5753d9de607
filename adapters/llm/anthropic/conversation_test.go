package anthropic_test

import (
	"bytes"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
)

func TestToolsOfAConversation(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		request *chat.Request
		want    string
	}{
		"results go into the user's turn, all of them before what the user says next": {
			talk(user("Hi"), calls(chat.ToolCall{ID: "toolu_a", Name: "f", Arguments: `{"x":1e2}`}, chat.ToolCall{ID: "toolu_b", Name: "f"}),
				result("toolu_a", "one"), result("toolu_b", ""), user("And?")),
			`[{"role":"user","content":[{"type":"text","text":"Hi"}]},
			{"role":"assistant","content":[{"type":"tool_use","id":"toolu_a","name":"f","input":{"x":100}},{"type":"tool_use","id":"toolu_b","name":"f","input":{}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_a","content":"one"},{"type":"tool_result","tool_use_id":"toolu_b"},
			{"type":"text","text":"And?"}]}]`,
		},
		"foreign ids are rewritten, the same way for call and result": {
			talk(user("Hi"), calls(chat.ToolCall{ID: "functions.f:0", Name: "f", Arguments: "{}"}), result("functions.f:0", "one")),
			`[{"role":"user","content":[{"type":"text","text":"Hi"}]},
			{"role":"assistant","content":[{"type":"tool_use","id":"call_d6bdd4de328a22edd610f954","name":"f","input":{}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_d6bdd4de328a22edd610f954","content":"one"}]}]`,
		},
		"an id that comes a second time is another call's": {
			talk(user("Hi"), calls(chat.ToolCall{ID: "call_0", Name: "f"}), result("call_0", "one"),
				calls(chat.ToolCall{ID: "call_0", Name: "f"}), result("call_0", "two")),
			`[{"role":"user","content":[{"type":"text","text":"Hi"}]},
			{"role":"assistant","content":[{"type":"tool_use","id":"call_0","name":"f","input":{}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_0","content":"one"}]},
			{"role":"assistant","content":[{"type":"tool_use","id":"call_801178adf4f55d2756ae10d7","name":"f","input":{}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_801178adf4f55d2756ae10d7","content":"two"}]}]`,
		},
		"a result with a picture": {
			talk(user("Hi"), calls(chat.ToolCall{ID: "a", Name: "f"}), results(chat.Part{Kind: chat.PartToolResult, Result: &chat.ToolResult{CallID: "a", Error: true, Parts: []chat.Part{
				{Text: "see", Cache: chat.Cache5m}, {Kind: chat.PartImage, Media: &chat.Media{Type: "image/webp", Data: "UklG"}},
			}}})),
			`[{"role":"user","content":[{"type":"text","text":"Hi"}]},
			{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","is_error":true,"cache_control":{"type":"ephemeral"},"content":[{"type":"text","text":"see"},
			{"type":"image","source":{"type":"base64","media_type":"image/webp","data":"UklG"}}]}]}]`,
		},
		"results that come behind what the user said are put in front": {
			talk(user("Hi"), calls(chat.ToolCall{ID: "a", Name: "f"}, chat.ToolCall{ID: "b", Name: "f"}), result("a", "one"), user("Wait."), result("b", "two")),
			`[{"role":"user","content":[{"type":"text","text":"Hi"}]},
			{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"b","name":"f","input":{}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"one"},{"type":"tool_result","tool_use_id":"b","content":"two"},
			{"type":"text","text":"Wait."}]}]`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _, err := sent(t, test.request)
			if err != nil {
				t.Fatalf("Complete: %v", err)
			}
			if diff := cmp.Diff(decoded(t, test.want), got["messages"]); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			// The vendor refuses a history of calls without declarations.
			wantTools := decoded(t, `[{"name":"f","input_schema":{"type":"object"}}]`)
			if diff := cmp.Diff([]any{wantTools, decoded(t, `{"type":"none"}`)}, []any{got["tools"], got["tool_choice"]}); diff != "" {
				t.Errorf("tools and choice (-want +got):\n%s", diff)
			}
		})
	}
}

func TestContentThatTheVendorCannotTakeIsRefusedBeforeTheCall(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		request *chat.Request
		param   string
	}{
		"nothing said":                                      {talk(), "messages"},
		"nothing but a system message":                      {talk(system("s")), "messages"},
		"nothing but white space":                           {talk(user(" ")), "messages"},
		"an image of another type":                          {talk(picture(chat.Media{Type: "image/tiff", Data: "AA"})), "messages[0].content[1]"},
		"an image in a system message":                      {talk(user("Hi"), chat.Message{Role: chat.RoleSystem, Parts: picture(chat.Media{URL: "https://a.test"}).Parts}), "messages[1].content[1]"},
		"an image by the assistant":                         {talk(user("Hi"), chat.Message{Role: chat.RoleAssistant, Parts: picture(chat.Media{URL: "https://a.test"}).Parts}), "messages[1].content[1]"},
		"an image that another vendor holds":                {talk(picture(chat.Media{FileID: "f1", Origin: chat.DialectResponses})), "messages[0].content[1]"},
		"an image at an address that only its vendor knows": {talk(picture(chat.Media{URL: "gs://b/o"})), "messages[0].content[1]"},
		"audio":                                        {talk(says(chat.RoleUser, chat.Part{Kind: chat.PartAudio, Media: &chat.Media{Type: "audio/wav", Data: "AA=="}})), "messages[0].content[0]"},
		"a document of a type that is not read":        {talk(file(chat.Media{Type: "application/zip", Data: "AA=="})), "messages[0].content[0]"},
		"a text that is none":                          {talk(file(chat.Media{Type: "text/csv", Data: "gA=="})), "messages[0].content[0]"},
		"a document by its address that is no PDF":     {talk(file(chat.Media{Type: "text/csv", URL: "https://a.test/x.csv"})), "messages[0].content[0]"},
		"a part of another dialect that the user sent": {talk(says(chat.RoleUser, chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectGemini, JSON: []byte("{}")}})), "messages[0].content[0]"},
		"a call that opens":                            {talk(calls(chat.ToolCall{ID: "a", Name: "f"}), result("a", "1")), "messages[0].role"},
		"arguments that are no object":                 {talk(user("Hi"), calls(chat.ToolCall{ID: "a", Name: "f"}, chat.ToolCall{ID: "b", Name: "f", Arguments: "[1]"})), "messages[1].tool_calls[1].function.arguments"},
		"arguments that are cut short":                 {talk(user("Hi"), calls(chat.ToolCall{ID: "a", Name: "f", Arguments: `{"x":`})), "messages[1].tool_calls[0].function.arguments"},
		"a tool's schema that is no schema":            {asks(func(r *chat.Request) { r.Tools = []chat.Tool{{Name: "a", Schema: []byte("7")}} }), "tools[0].function.parameters"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, _, err := sent(t, test.request)
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

func TestTheCallCarriesKeyAndVersionInItsHeaders(t *testing.T) {
	t.Parallel()
	var got *http.Request
	p := provider(func(r *http.Request) *http.Response {
		got = r
		return answer("application/json", bytes.NewReader([]byte(okBody)))
	})
	if _, err := p.Complete(t.Context(), target, talk(user("Hi"))); err != nil {
		t.Fatalf("Complete: %v", err)
	}
	if want := "https://vendor.test/v1/messages"; got.Method != http.MethodPost || got.URL.String() != want {
		t.Errorf("got %s %s, want POST %s", got.Method, got.URL, want)
	}
	for name, want := range map[string]string{"X-Api-Key": "sk-ant-test", "Anthropic-Version": "2023-06-01", "Content-Type": "application/json", "Authorization": ""} {
		if v := got.Header.Get(name); v != want {
			t.Errorf("%s: got %q, want %q", name, v, want)
		}
	}
}
