package chatcompletions

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
)

func TestEncodeSendsWhatWasAskedForAndNothingElse(t *testing.T) {
	yes, n, half, seed := true, 7, 0.5, int64(3)
	long := strings.Repeat("x", 41)
	reasons := Flavour{
		CompletionTokens: func(string) bool { return true }, MaxToolID: 40,
		Refuses: func(_, effort string) []string {
			if effort == "high" {
				return []string{"reasoning_effort"}
			}
			return []string{"temperature", "top_p", "stop"}
		},
	}
	one := 1.0
	user := []chat.Message{chat.Text(chat.RoleUser, "hi")}
	tests := map[string]struct {
		flavour Flavour
		request chat.Request
		stream  bool
		want    string // but model and messages
		dropped []string
	}{
		"nothing more":                    {request: chat.Request{}, want: `{}`},
		"a stream":                        {request: chat.Request{}, stream: true, want: `{"stream":true,"stream_options":{"include_usage":true}}`},
		"numbers":                         {request: chat.Request{MaxTokens: &n, Temperature: &half, TopP: &half, Seed: &seed}, want: `{"max_tokens":7,"temperature":0.5,"top_p":0.5,"seed":3}`},
		"a reasoning model":               {flavour: reasons, request: chat.Request{MaxTokens: &n, Temperature: &half, Reasoning: "low"}, want: `{"max_completion_tokens":7,"reasoning_effort":"low"}`, dropped: []string{"temperature"}},
		"a stop it refuses":               {flavour: reasons, request: chat.Request{Stop: []string{"a"}}, want: `{}`, dropped: []string{"stop"}},
		"what changes nothing is no loss": {flavour: reasons, request: chat.Request{Temperature: &one, TopP: &one}, want: `{}`},
		"an effort it refuses":            {flavour: reasons, request: chat.Request{Reasoning: "high", TopP: &half}, want: `{"top_p":0.5}`, dropped: []string{"reasoning_effort"}},
		"stop and user":                   {request: chat.Request{Stop: []string{"a", "b"}, EndUser: "u"}, want: `{"stop":["a","b"],"user":"u"}`},
		"tools": {
			request: chat.Request{Tools: []chat.Tool{{Name: "f", Description: "d", Schema: []byte(`{"type":"object"}`), Strict: &yes}}, ParallelTools: &yes, ToolChoice: chat.ToolChoice{Mode: chat.ToolRequired}},
			want:    `{"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":true}}],"tool_choice":"required","parallel_tool_calls":true}`,
		},
		"a named tool":          {request: chat.Request{ToolChoice: chat.ToolChoice{Mode: chat.ToolNamed, Name: "f"}}, want: `{"tool_choice":{"type":"function","function":{"name":"f"}}}`},
		"JSON":                  {request: chat.Request{Format: chat.Format{Kind: chat.FormatJSON}}, want: `{"response_format":{"type":"json_object"}}`},
		"a schema":              {request: chat.Request{Format: chat.Format{Kind: chat.FormatSchema, Schema: []byte(`{}`), Strict: &yes}}, want: `{"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{},"strict":true}}}`},
		"fields it cannot hold": {request: chat.Request{Untranslated: []string{"logit_bias"}}, want: `{}`, dropped: []string{"logit_bias"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.request.Messages = user
			out, dropped, err := tc.flavour.encode("m", &tc.request, tc.stream)
			if err != nil {
				t.Fatal(err)
			}
			got := object(t, out)
			want := map[string]any{}
			if err := json.Unmarshal([]byte(tc.want), &want); err != nil {
				t.Fatal(err)
			}
			want["model"], want["messages"] = "m", []any{map[string]any{"role": "user", "content": "hi"}}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if d := cmp.Diff(tc.dropped, dropped); d != "" {
				t.Errorf("dropped (-want +got):\n%s", d)
			}
		})
	}
	t.Run("messages", func(t *testing.T) {
		r := chat.Request{Messages: []chat.Message{
			chat.Text(chat.RoleSystem, "s"),
			{Role: chat.RoleUser, Parts: []chat.Part{{Kind: chat.PartText, Text: "see"}, {Kind: chat.PartImage, Image: chat.Image{URL: "https://x/y.png", Detail: "low"}}, {Kind: chat.PartImage, Image: chat.Image{MediaType: "image/png", Data: "AAAA"}}}},
			{Role: chat.RoleAssistant, ToolCalls: []chat.ToolCall{{ID: long, Name: "f", Arguments: "{}"}}},
			{Role: chat.RoleTool, ToolCallID: long, Parts: []chat.Part{{Text: "r"}}},
		}}
		out, _, err := reasons.encode("m", &r, false)
		if err != nil {
			t.Fatal(err)
		}
		id := reasons.toolID(long)
		if len(id) > 40 || id == reasons.toolID(long+"x") {
			t.Errorf("got the id %q, want a short one of its own", id)
		}
		want := `[{"role":"system","content":"s"},
			{"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"https://x/y.png","detail":"low"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},
			{"role":"assistant","content":null,"tool_calls":[{"id":"` + id + `","type":"function","function":{"name":"f","arguments":"{}"}}]},
			{"role":"tool","content":"r","tool_call_id":"` + id + `"}]`
		var w any
		if err := json.Unmarshal([]byte(want), &w); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(w, object(t, out)["messages"]); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
	t.Run("a strict request refuses what would be dropped", func(t *testing.T) {
		_, _, err := reasons.encode("m", &chat.Request{Messages: user, Temperature: &half, Strict: true}, false)
		if f, ok := errors.AsType[*chat.Failure](err); !ok || f.Class != chat.ClassUnsupport || f.Param != "temperature" {
			t.Errorf("got %v, want unsupported naming temperature", err)
		}
	})
}

func object(t *testing.T, v any) map[string]any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestNanosReadsDollarsExactly(t *testing.T) {
	tests := map[string]struct {
		dollars string
		want    int64
	}{
		"plain": {"0.00014", 140_000}, "an exponent": {"6e-8", 60}, "half a nano goes up": {"0.0000000005", 1},
		"less than half goes down": {"0.00000000049", 0}, "whole dollars": {"2", 2_000_000_000}, "nothing": {"0", 0},
	}
	for name, tc := range tests {
		if got := nanos(tc.dollars); got == nil || *got != tc.want {
			t.Errorf("%s: got %v, want %d", name, got, tc.want)
		}
	}
	for _, bad := range []string{"", "-1", "NaN", "1e999999999", "abc", strings.Repeat("9", 41)} {
		if got := nanos(bad); got != nil {
			t.Errorf("%q: got %d, want none", bad, *got)
		}
	}
}
