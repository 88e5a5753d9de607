package chatcompletions

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
)

var (
	picture  = chat.Part{Kind: chat.PartImage, Media: &chat.Media{Data: "AAAA", Type: "image/png"}}
	document = chat.Part{Kind: chat.PartFile, Media: &chat.Media{Data: "JVBE", Type: "application/pdf"}}
	long     = strings.Repeat("x", 41)
)

func calling(id, name string, s *chat.Signature) chat.Part {
	return chat.Part{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: id, Name: name, Arguments: "{}"}, Signature: s}
}

func thinking(text, format, data, id string) chat.Part {
	return chat.Part{Kind: chat.PartThinking, Text: text, Signature: &chat.Signature{Format: format, Data: data, ID: id}}
}

func TestMessagesAreSent(t *testing.T) {
	short := Flavour{RefusesID: func(_, id string) bool { return len(id) > 40 }}
	router, own := Flavour{Kind: OpenRouter}, Flavour{Kind: Compatible}
	portable := chat.PortableID(long)
	const aCall = `"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]`
	tests := map[string]struct {
		flavour  Flavour
		model    string
		messages []chat.Message
		want     string
		dropped  []string
	}{
		"one text": {messages: []chat.Message{chat.Text(chat.RoleSystem, "s")}, want: `[{"role":"system","content":"s"}]`},
		"no part":  {messages: []chat.Message{{Role: chat.RoleUser}}, want: `[{"role":"user","content":""}]`},
		"parts in their order": {
			messages: []chat.Message{{Role: chat.RoleUser, Name: "ada", Parts: []chat.Part{
				{Text: "see"}, {Kind: chat.PartImage, Media: &chat.Media{URL: "https://x/y.png", Detail: "low"}}, picture, {Text: "?"},
			}}},
			want: `[{"role":"user","name":"ada","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"https://x/y.png","detail":"low"}},` +
				`{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"text","text":"?"}]}]`,
		},
		"a sound and documents": {
			messages: []chat.Message{{Role: chat.RoleUser, Parts: []chat.Part{
				{Kind: chat.PartAudio, Media: &chat.Media{Data: "UklG", Type: "audio/mpeg"}},
				document,
				{Kind: chat.PartFile, Media: &chat.Media{FileID: "file-1", Origin: chat.DialectResponses}},
			}}},
			want: `[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"UklG","format":"mp3"}},` +
				`{"type":"file","file":{"filename":"file.pdf","file_data":"data:application/pdf;base64,JVBE"}},{"type":"file","file":{"file_id":"file-1"}}]}]`,
		},
		"a document by its address": {
			flavour:  router,
			messages: []chat.Message{{Role: chat.RoleUser, Parts: []chat.Part{{Kind: chat.PartFile, Media: &chat.Media{URL: "https://x/y.pdf", Name: "y.pdf"}}}}},
			want:     `[{"role":"user","content":[{"type":"file","file":{"filename":"y.pdf","file_data":"https://x/y.pdf"}}]}]`,
		},
		"a part of the dialect": {
			messages: []chat.Message{{Role: chat.RoleUser, Parts: []chat.Part{{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectOpenAIChat, JSON: []byte(`{"type":"new"}`)}}}}},
			want:     `[{"role":"user","content":[{"type":"new"}]}]`,
		},
		"marks of a cache": {
			flavour: router,
			messages: []chat.Message{
				{Role: chat.RoleSystem, Parts: []chat.Part{{Text: "s", Cache: chat.Cache5m}}},
				{Role: chat.RoleUser, Parts: []chat.Part{{Text: "a", Cache: chat.Cache1h}, {Text: "b"}}},
				{Role: chat.RoleTool, Parts: []chat.Part{{Kind: chat.PartToolResult, Cache: chat.Cache5m, Result: &chat.ToolResult{CallID: "c", Parts: []chat.Part{{Text: "r"}}}}}},
			},
			want: `[{"role":"system","content":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}]},` +
				`{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"text","text":"b"}]},` +
				`{"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"r","cache_control":{"type":"ephemeral"}}]}]`,
		},
		"a mark that OpenAI keeps anyhow": {messages: []chat.Message{{Role: chat.RoleUser, Parts: []chat.Part{{Text: "a", Cache: chat.Cache5m}}}}, want: `[{"role":"user","content":"a"}]`},
		"a mark for longer":               {messages: []chat.Message{{Role: chat.RoleUser, Parts: []chat.Part{{Text: "a", Cache: chat.Cache1h}}}}, want: `[{"role":"user","content":"a"}]`, dropped: []string{"messages[].cache_control"}},
		"a refusal, and a turn of nothing": {
			messages: []chat.Message{{Role: chat.RoleAssistant, Parts: []chat.Part{{Kind: chat.PartRefusal, Text: "no"}}}, {Role: chat.RoleAssistant}},
			want:     `[{"role":"assistant","content":null,"refusal":"no"},{"role":"assistant","content":""}]`,
		},
		"a call and its result, by an id that is too long": {
			flavour:  short,
			messages: []chat.Message{{Role: chat.RoleAssistant, Parts: []chat.Part{{Text: "t"}, calling(long, "f", nil)}}, chat.Result(long, "r")},
			want: `[{"role":"assistant","content":"t","tool_calls":[{"id":"` + portable + `","type":"function","function":{"name":"f","arguments":"{}"}}]},` +
				`{"role":"tool","content":"r","tool_call_id":"` + portable + `"}]`,
		},
		"results in one message, with pictures": {
			messages: []chat.Message{
				{Role: chat.RoleTool, Parts: []chat.Part{
					{Kind: chat.PartToolResult, Result: &chat.ToolResult{CallID: "a", Parts: []chat.Part{{Text: "1"}, picture}}},
					{Kind: chat.PartToolResult, Result: &chat.ToolResult{CallID: "b", Error: true, Parts: []chat.Part{{Text: "2"}, {Text: "3"}}}},
				}},
				chat.Result("c", "4"), chat.Text(chat.RoleUser, "go on"),
			},
			want: `[{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"2"},{"type":"text","text":"3"}]},` +
				`{"role":"tool","tool_call_id":"c","content":"4"},{"role":"user","content":[{"type":"text","text":"Result of the tool call a:"},` +
				`{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},{"role":"user","content":"go on"}]`,
			dropped: []string{"messages[].is_error"},
		},
		"thoughts that OpenAI has no field for": {
			messages: []chat.Message{{Role: chat.RoleAssistant, Parts: []chat.Part{thinking("hm", chat.FormatAnthropic, "s", ""), {Text: "a", Signature: &chat.Signature{Format: chat.FormatGemini, Data: "g"}}}}},
			want:     `[{"role":"assistant","content":"a"}]`, dropped: []string{"messages[].reasoning"},
		},
		"thoughts for the model that made them": {
			flavour: router, model: "anthropic/claude-sonnet-4.5",
			messages: []chat.Message{{Role: chat.RoleAssistant, Parts: []chat.Part{
				thinking("hm", chat.FormatAnthropic, "s", ""),
				{Kind: chat.PartThinking, Redacted: true, Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: "d"}},
				thinking("g", chat.FormatGemini, "x", ""),
				{Text: "a"},
				calling("c", "f", nil),
			}}},
			want: `[{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"s","format":"anthropic-claude-v1","index":0},` +
				`{"type":"reasoning.encrypted","data":"d","format":"anthropic-claude-v1","index":1}],` + aCall + `}]`,
			dropped: []string{"messages[].reasoning"},
		},
		"a summary with what is encrypted": {
			flavour: router, model: "openai/gpt-5.1",
			messages: []chat.Message{{Role: chat.RoleAssistant, Parts: []chat.Part{thinking("sum", chat.FormatOpenAIResold, "e", "rs_1"), {Text: "a"}}}},
			want: `[{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.summary","summary":"sum","format":"openai-responses-v1","index":0},` +
				`{"type":"reasoning.encrypted","data":"e","id":"rs_1","format":"openai-responses-v1","index":0}]}]`,
		},
		"the signature of a call": {
			flavour: router, model: "google/gemini-3-pro",
			messages: []chat.Message{{Role: chat.RoleAssistant, Parts: []chat.Part{calling("c", "f", &chat.Signature{Format: chat.FormatGemini, Data: "g"})}}},
			want:     `[{"role":"assistant","content":null,"reasoning_details":[{"type":"reasoning.encrypted","data":"g","id":"c","format":"google-gemini-v1","index":0}],` + aCall + `}]`,
		},
		"thoughts that nobody signed": {
			flavour: router, model: "z-ai/glm-5",
			messages: []chat.Message{{Role: chat.RoleAssistant, Parts: []chat.Part{thinking("hm", "unknown", "", ""), {Text: "a"}}}},
			want:     `[{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.text","text":"hm","format":"unknown","index":0}]}]`,
		},
		"thoughts for a server of one's own while tools are at work": {
			flavour: own,
			messages: []chat.Message{
				{Role: chat.RoleAssistant, Parts: []chat.Part{thinking("hm", FormatPlain, "", ""), calling("c", "f", nil)}},
				{Role: chat.RoleAssistant, Parts: []chat.Part{thinking("old", FormatPlain, "", ""), {Text: "a"}}},
			},
			want: `[{"role":"assistant","content":null,"reasoning_content":"hm",` + aCall + `},{"role":"assistant","content":"a"}]`,
		},
		"what another vendor did by itself": {
			messages: []chat.Message{{Role: chat.RoleAssistant, Parts: []chat.Part{{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte(`{}`)}}, {Text: "a"}}}},
			want:     `[{"role":"assistant","content":"a"}]`, dropped: []string{"messages[0].content[0]"},
		},
		"what the model said aloud": {
			messages: []chat.Message{{Role: chat.RoleAssistant, Parts: []chat.Part{{Kind: chat.PartAudio, Media: &chat.Media{FileID: "audio_1", Origin: chat.DialectOpenAIChat}}}}},
			want:     `[{"role":"assistant","content":null,"audio":{"id":"audio_1"}}]`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := &chat.Request{Messages: tt.messages, Strict: !slices.ContainsFunc(tt.dropped, asked)}
			out, dropped, err := tt.flavour.encode(tt.model, r, false)
			if err != nil {
				t.Fatalf("what is another vendor's fails a strict request: %v", err)
			}
			var want any
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, object(t, out)["messages"]); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.dropped, dropped); d != "" {
				t.Errorf("dropped (-want +got):\n%s", d)
			}
		})
	}
}

func TestWhatCannotBeLeftOutFails(t *testing.T) {
	tests := map[string]struct {
		flavour Flavour
		role    chat.Role
		part    chat.Part
	}{
		"a document by its address":      {Flavour{}, chat.RoleUser, chat.Part{Kind: chat.PartFile, Media: &chat.Media{URL: "https://x/y.pdf"}}},
		"an upload of another vendor":    {Flavour{}, chat.RoleUser, chat.Part{Kind: chat.PartFile, Media: &chat.Media{FileID: "f", Origin: chat.DialectAnthropic}}},
		"a picture that is an upload":    {Flavour{}, chat.RoleUser, chat.Part{Kind: chat.PartImage, Media: &chat.Media{FileID: "f"}}},
		"a sound by its address":         {Flavour{}, chat.RoleUser, chat.Part{Kind: chat.PartAudio, Media: &chat.Media{URL: "https://x/y.wav"}}},
		"a part of another dialect":      {Flavour{}, chat.RoleUser, chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectGemini, JSON: []byte(`{}`)}}},
		"what another model said aloud":  {Flavour{Kind: OpenRouter}, chat.RoleAssistant, chat.Part{Kind: chat.PartAudio, Media: &chat.Media{FileID: "a", Origin: chat.DialectOpenAIChat}}},
		"a text where a result belongs":  {Flavour{}, chat.RoleTool, chat.Part{Text: "r"}},
		"an upload at OpenAI, elsewhere": {Flavour{Kind: Compatible}, chat.RoleUser, chat.Part{Kind: chat.PartFile, Media: &chat.Media{FileID: "f", Origin: chat.DialectOpenAIChat}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := &chat.Request{Messages: []chat.Message{chat.Text(chat.RoleUser, "hi"), {Role: tt.role, Parts: []chat.Part{tt.part}}}}
			_, _, err := tt.flavour.encode("m", r, false)
			if f, ok := errors.AsType[*chat.Failure](err); !ok || f.Class != chat.ClassUnsupport || f.Param != "messages[1].content[0]" {
				t.Errorf("got %v, want unsupported naming the part", err)
			}
		})
	}
}

// asked reports whether a field that is dropped is one that the client asked for, so that a strict request fails.
func asked(field string) bool {
	return field == "messages[].cache_control" || field == "messages[].is_error"
}
