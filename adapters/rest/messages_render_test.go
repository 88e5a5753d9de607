package rest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"

	"github.com/forge1/forge1/adapters/rest"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

func TestARenderedMessage(t *testing.T) {
	refused := `{"type":"refusal","category":null,"explanation":null}`
	tests := map[string]struct {
		parts   []chat.Part
		finish  chat.Finish
		stop    string
		content string
		reason  string
		details string
	}{
		"nothing":   {nil, chat.FinishStop, "", ``, `"end_turn","stop_sequence":null`, "null"},
		"text":      {[]chat.Part{{Text: "<hi>"}, {}, {Text: "b"}}, chat.FinishStop, "", `{"type":"text","text":"<hi>"},{"type":"text","text":"b"}`, `"end_turn","stop_sequence":null`, "null"},
		"a stop":    {[]chat.Part{{Text: "a"}}, chat.FinishStop, "END", `{"type":"text","text":"a"}`, `"stop_sequence","stop_sequence":"END"`, "null"},
		"cut":       {[]chat.Part{{Text: "a"}}, chat.FinishLength, "", `{"type":"text","text":"a"}`, `"max_tokens","stop_sequence":null`, "null"},
		"a pause":   {[]chat.Part{{Text: "a"}}, chat.FinishPause, "", `{"type":"text","text":"a"}`, `"pause_turn","stop_sequence":null`, "null"},
		"a refusal": {[]chat.Part{{Kind: chat.PartRefusal, Text: "no"}}, chat.FinishStop, "", `{"type":"text","text":"no"}`, `"refusal","stop_sequence":null`, refused},
		"filtered":  {nil, chat.FinishContentFilter, "", ``, `"refusal","stop_sequence":null`, refused},
		"calls": {
			[]chat.Part{
				{Kind: chat.PartThinking, Text: "h"},
				{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: "c1", Name: "f", Arguments: `{"a": 1}`}},
				{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: "functions.g:1", Name: "g", Arguments: `[1]`}, Signature: &chat.Signature{Format: chat.FormatGemini, Data: "s"}},
			},
			chat.FinishStop, "",
			`{"type":"thinking","thinking":"h","signature":"` + unsigned + `"},{"type":"tool_use","id":"c1","name":"f","input":{"a": 1}},` +
				`{"type":"thinking","thinking":"","signature":"` + wrapped(chat.FormatGemini, chat.PortableID("functions.g:1"), "s") + `"},{"type":"tool_use","id":"` + chat.PortableID("functions.g:1") + `","name":"g","input":{"_raw":"[1]"}}`,
			`"tool_use","stop_sequence":null`, "null",
		},
		"what is not shown": {
			[]chat.Part{{Kind: chat.PartImage, Media: &chat.Media{}}, {Kind: chat.PartThinking}, {Kind: chat.PartThinking, Redacted: true}, {Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectGemini, JSON: []byte("{}")}}},
			chat.FinishStop, "", ``, `"end_turn","stop_sequence":null`, "null",
		},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
				return inbound.Answer{Receipt: messageReceipt(), Response: &chat.Response{ServiceTier: "flex", Choices: []chat.Choice{{Parts: tc.parts, Finish: tc.finish, StopSequence: tc.stop}, {Parts: []chat.Part{{Text: "other"}}}}}}, nil
			}
			want := `{"model":"gpt-x-2026","id":"msg_0190call","type":"message","role":"assistant","content":[` + tc.content + `],"stop_reason":` + tc.reason + `,"stop_details":` + tc.details +
				`,"usage":` + messageUsage + `"flex"}}`
			if got := w.post(messagesPath, messagesBody(""), aiKey); string(got.body) != want || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("got  %s\nwant %s", got.body, want)
			}
		})
	}
}

// TestAnthropicsClientKnowsFailures has Anthropic's client fail: it reads the status, the type and the request's id, before the stream and within it.
func TestAnthropicsClientKnowsFailures(t *testing.T) {
	w := start(t)
	client := sdk(w)
	limited := fault.New(fault.Exhausted, "providers_rate_limited", "wait")
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) { return inbound.Answer{}, limited }
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		return streamFrom(false, func(yield func(inbound.Piece, error) bool) {
			_ = yield(inbound.Piece{Chunk: chat.Chunk{Text: "a"}}, nil) && yield(inbound.Piece{}, limited)
		}), nil
	}
	_, whole := client.Messages.New(context.Background(), ask())
	stream := client.Messages.NewStreaming(context.Background(), ask())
	said := ""
	for stream.Next() {
		said += stream.Current().Delta.Text
	}
	for name, err := range map[string]error{"whole": whole, "stream": stream.Err()} {
		failure, ok := errors.AsType[*anthropic.Error](err)
		if !ok || !strings.HasPrefix(failure.RequestID, "01940000-") || string(failure.Type()) != "rate_limit_error" || name == "whole" && failure.StatusCode != 429 {
			t.Errorf("%s: got %v, which Anthropic's client knows: %t", name, err, ok)
		}
	}
	if said != "a" {
		t.Errorf("got %q before the failure, want a", said)
	}
	count, err := client.Messages.CountTokens(context.Background(), anthropic.MessageCountTokensParams{Model: "auto", Messages: ask().Messages})
	if err != nil || count.InputTokens != 12 {
		t.Errorf("got the count %+v, %v", count, err)
	}
}

// BenchmarkMessageEvent measures a piece of another vendor's text as an event of Anthropic's stream.
func BenchmarkMessageEvent(b *testing.B) {
	piece, _ := rest.MessageStream(receipt())
	c := chat.Chunk{Text: "all work and no play makes a dull boy"}
	piece(c)
	b.ReportAllocs()
	for b.Loop() {
		piece(c)
	}
}

// BenchmarkMessageToolEvent measures a piece of a call, whose end is looked for.
func BenchmarkMessageToolEvent(b *testing.B) {
	piece, _ := rest.MessageStream(receipt())
	piece(chat.Chunk{Tool: &chat.ToolDelta{ID: "c", Name: "f", Arguments: "{"}})
	c := chat.Chunk{Tool: &chat.ToolDelta{Arguments: `"path":"a/b/c.go","text":"x",`}}
	b.ReportAllocs()
	for b.Loop() {
		piece(c)
	}
}

// BenchmarkScanMessages measures what a relayed call of 4 KB is read for.
func BenchmarkScanMessages(b *testing.B) {
	body := []byte(messagesBody(`,"system":"` + strings.Repeat("all work and no play ", 200) + `"`))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, _, _, err := rest.ScanMessages(body); err != nil {
			b.Fatal(err)
		}
	}
}
