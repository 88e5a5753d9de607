package bedrock_test

import (
	"testing"

	"github.com/forge1/forge1/domain/chat"
)

// declared is a request with a tool, and what else change makes of it.
func declared(change func(*chat.Request), messages ...chat.Message) *chat.Request {
	if messages == nil {
		messages = []chat.Message{user("Hi")}
	}
	r := talk(messages...)
	r.Tools = []chat.Tool{{Name: "f"}}
	if change != nil {
		change(r)
	}
	return r
}

func TestTools(t *testing.T) {
	const spec = `{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}`
	choice := func(mode chat.ToolMode) *chat.Request {
		return declared(func(r *chat.Request) { r.ToolChoice = chat.ToolChoice{Mode: mode, Name: "f"} })
	}
	loop := func() []chat.Message {
		return []chat.Message{user("Hi"), said(call("a", "f", "{}")), chat.Result("a", "1")}
	}
	const looped = `"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"f","input":{}}}]},
		{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"1"}]}}]}]`
	for name, c := range map[string]encoding{
		"a tool without a schema": {request: declared(nil), want: `{` + hi + `,"toolConfig":{"tools":[` + spec + `]}}`},
		"a schema without a type, strict, kept": {request: declared(func(r *chat.Request) {
			r.Tools[0] = chat.Tool{Name: "f", Description: "d", Schema: []byte(`{"properties":{"a":{}}}`), Strict: ptr(true), Cache: chat.Cache5m}
		}), want: `{` + hi + `,"toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object","properties":{"a":{}}}},"strict":true}},
			{"cachePoint":{"type":"default"}}]}}`},
		"a model that enforces nothing": {
			model: novaPro, request: declared(func(r *chat.Request) { r.Tools[0].Strict, r.Tools[0].Cache = ptr(true), "5m" }),
			want: `{` + hi + `,"toolConfig":{"tools":[` + spec + `]}}`, dropped: []string{"tools[].function.strict", "tools[].cache_control"},
		},
		"auto":     {request: choice(chat.ToolAuto), want: `{` + hi + `,"toolConfig":{"tools":[` + spec + `],"toolChoice":{"auto":{}}}}`},
		"required": {request: choice(chat.ToolRequired), want: `{` + hi + `,"toolConfig":{"tools":[` + spec + `],"toolChoice":{"any":{}}}}`},
		"named":    {request: choice(chat.ToolNamed), want: `{` + hi + `,"toolConfig":{"tools":[` + spec + `],"toolChoice":{"tool":{"name":"f"}}}}`},
		"none":     {request: choice(chat.ToolNone), want: `{` + hi + `}`},
		"required of a model that cannot be made to": {model: llama, request: choice(chat.ToolRequired), want: `{` + hi + `,"toolConfig":{"tools":[` + spec + `]}}`, dropped: []string{"tool_choice"}},
		"named, of one that knows some tool alone":   {model: mistral, request: choice(chat.ToolNamed), want: `{` + hi + `,"toolConfig":{"tools":[` + spec + `]}}`, dropped: []string{"tool_choice"}},
		"none, where calls were made": {
			request: declared(func(r *chat.Request) { r.ToolChoice.Mode = chat.ToolNone }, loop()...),
			want:    `{` + looped + `,"toolConfig":{"tools":[` + spec + `]}}`, dropped: []string{"tool_choice"},
		},
		"one at a time": {
			request: declared(func(r *chat.Request) { r.ParallelTools = ptr(false) }), want: `{` + hi + `,"toolConfig":{"tools":[` + spec + `]}}`,
			dropped: []string{"parallel_tool_calls"},
		},
		"calls without a declaration are declared": {request: talk(loop()...), want: `{` + looped + `,"toolConfig":{"tools":[` + spec + `]}}`},
		"a search is Nova's alone": {
			model: nova2, request: with(func(r *chat.Request) { r.Tools = []chat.Tool{{Name: "s", Server: chat.ServerWebSearch}} }),
			want: `{` + hi + `,"toolConfig":{"tools":[{"systemTool":{"name":"nova_grounding"}}]}}`,
		},
		"a search of Claude's": {request: with(func(r *chat.Request) { r.Tools = []chat.Tool{{Name: "s", Server: chat.ServerWebSearch}} }), want: `{` + hi + `}`, dropped: []string{"tools[0]"}},
	} {
		t.Run(name, c.check)
	}
}

func TestToolLoops(t *testing.T) {
	failed := chat.Message{Role: chat.RoleTool, Parts: []chat.Part{{Kind: chat.PartToolResult, Cache: chat.Cache5m, Result: &chat.ToolResult{
		CallID: "call:1", Error: true, Parts: []chat.Part{text("no"), media(chat.PartImage, chat.Media{Type: "image/png", Data: "QQ=="})},
	}}}}
	const spec = `"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}]}`
	portable := chat.PortableID("call:1")
	const hiTurn = `{"role":"user","content":[{"text":"Hi"}]}`
	for name, c := range map[string]encoding{
		"results come first, ids are made portable": {
			request: declared(nil, user("Hi"), said(call("call:1", "f", "")), user("Well?"), failed),
			want: `{"messages":[` + hiTurn + `,{"role":"assistant","content":[{"toolUse":{"toolUseId":"` + portable + `","name":"f","input":{}}}]},
				{"role":"user","content":[{"toolResult":{"toolUseId":"` + portable + `","status":"error","content":[{"text":"no"},{"image":{"format":"png","source":{"bytes":"QQ=="}}}]}},
				{"cachePoint":{"type":"default"}},{"text":"Well?"}]}],` + spec + `}`,
		},
		"a model without a status": {
			model: mistral, request: declared(nil, user("Hi"), said(call("a", "f", "")), chat.Message{Role: chat.RoleTool, Parts: []chat.Part{{Kind: chat.PartToolResult, Result: &chat.ToolResult{CallID: "a", Error: true}}}}),
			want: `{"messages":[` + hiTurn + `,{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"f","input":{}}}]},
				{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[]}}]}],` + spec + `}`, dropped: []string{"messages[].is_error"},
		},
		"an id that comes twice": {
			request: declared(nil, user("Hi"), said(call("a", "f", "")), chat.Result("a", "1"), said(call("a", "f", "")), chat.Result("a", "2")),
			want: `{"messages":[` + hiTurn + `,{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"f","input":{}}}]},
				{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"1"}]}}]},
				{"role":"assistant","content":[{"toolUse":{"toolUseId":"` + chat.PortableID("a#1") + `","name":"f","input":{}}}]},
				{"role":"user","content":[{"toolResult":{"toolUseId":"` + chat.PortableID("a#1") + `","content":[{"text":"2"}]}}]}],` + spec + `}`,
		},
		"Claude's thoughts go back to Claude, and foreign ones do not": {
			request: declared(nil, user("Hi"), said(thought("mine", chat.FormatAnthropic, "sig"), thought("strange", chat.FormatGemini, "sig"),
				chat.Part{Kind: chat.PartThinking, Redacted: true, Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: "QQ=="}}, call("a", "f", "")), chat.Result("a", "1")),
			want: `{"messages":[` + hiTurn + `,{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"mine","signature":"sig"}}},
				{"reasoningContent":{"redactedContent":"QQ=="}},{"toolUse":{"toolUseId":"a","name":"f","input":{}}}]},
				{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"1"}]}}]}],` + spec + `}`, dropped: []string{"messages[].reasoning"},
		},
		"without a thought before the calls Claude is not let think": {
			request: declared(func(r *chat.Request) { r.Thinking.Effort = "low" }, user("Hi"), said(thought("strange", chat.FormatGemini, "sig"), call("a", "f", "")), chat.Result("a", "1")),
			want: `{"messages":[` + hiTurn + `,{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"f","input":{}}}]},
				{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"1"}]}}]}],` + spec + `}`, dropped: []string{"messages[].reasoning", "reasoning_effort"},
		},
	} {
		t.Run(name, c.check)
	}
}
