package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// genSaid makes what an assistant says in the order that OpenAI's shape can hold: thoughts, text, pictures, calls.
func genSaid(t *rapid.T) []chat.Part {
	var out []chat.Part
	text := rapid.StringN(1, 20, -1)
	for range rapid.IntRange(0, 2).Draw(t, "thoughts") {
		switch rapid.IntRange(0, 6).Draw(t, "thought") {
		case 0:
			out = append(out, chat.Part{Kind: chat.PartThinking, Text: text.Draw(t, "thought"), Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: text.Draw(t, "signature")}})
		case 1:
			out = append(out, chat.Part{Kind: chat.PartThinking, Redacted: true, Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: text.Draw(t, "signature")}})
		case 2:
			out = append(out, chat.Part{Kind: chat.PartThinking, Text: text.Draw(t, "thought"), Signature: &chat.Signature{Format: chat.FormatOpenAI, Data: text.Draw(t, "signature"), ID: "rs_1"}})
		case 6:
			out = append(out, chat.Part{Kind: chat.PartThinking, Text: text.Draw(t, "thought"), Signature: &chat.Signature{Format: chat.FormatOpenAIResold, Data: text.Draw(t, "signature"), ID: "rs_3"}})
		case 3:
			out = append(out, chat.Part{Kind: chat.PartThinking, Text: text.Draw(t, "thought"), Signature: &chat.Signature{Format: "other-v1"}})
		case 4:
			out = append(out, chat.Part{Kind: chat.PartThinking, Text: text.Draw(t, "thought")})
		default:
			if n := len(out); n > 0 && out[n-1].Signature == nil {
				continue // in a stream it would be that of the thought
			}
			out = append(out, chat.Part{Kind: chat.PartThinking, Signature: &chat.Signature{Format: chat.FormatOpenAI, Data: text.Draw(t, "signature"), ID: "rs_2"}})
		}
	}
	signature := func() *chat.Signature {
		if rapid.Bool().Draw(t, "signed") {
			return &chat.Signature{Format: chat.FormatGemini, Data: text.Draw(t, "signature")}
		}
		return nil
	}
	if rapid.Bool().Draw(t, "text") {
		out = append(out, chat.Part{Text: text.Draw(t, "text"), Signature: signature()})
	}
	if rapid.Bool().Draw(t, "picture") {
		out = append(out, chat.Part{Kind: chat.PartImage, Media: &chat.Media{Type: "image/png", Data: "AAAA"}})
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "calls") {
		out = append(out, chat.Part{Kind: chat.PartToolCall, Signature: signature(), Call: &chat.ToolCall{
			ID: fmt.Sprint("call_", i), Name: rapid.SampledFrom([]string{"f", "custom"}).Draw(t, "name"), Arguments: string(customArguments(text.Draw(t, "input"))),
		}})
	}
	return out
}

// roundTripTools declares the tools that are called above, one of them a custom one.
const roundTripTools = `"tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"custom"}}]`

// sentBack gives the parts of an assistant's message that a client sends back.
func sentBack(t *rapid.T, message []byte) []chat.Part {
	req, _, err := translateChat([]byte(`{"model":"auto","messages":[`+string(message)+`]}`), false)
	if err != nil {
		t.Fatalf("%s: %v", message, err)
	}
	if len(req.Untranslated) > 0 {
		t.Fatalf("%s: got %q named as untranslated", message, req.Untranslated)
	}
	return req.Messages[0].Parts
}

// TestAnAnswerComesBackAsItWas holds that what an answer shows is enough to have all of it back with the next request.
func TestAnAnswerComesBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		said := genSaid(t)
		if len(said) == 0 {
			return
		}
		r := &chat.Response{Choices: []chat.Choice{{Parts: said}}}
		shown := completionOf(inbound.Answer{Response: r}, 0, &toolForms{body: []byte(`{` + roundTripTools + `}`)})
		message := encode(shown.Choices[0].Message)
		if d := cmp.Diff(said, sentBack(t, message), cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("%s\n%s", message, d)
		}
	})
}

// TestAStreamComesBackAsItWas holds the same of a stream whose deltas a client has put together as all clients do.
func TestAStreamComesBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first, second := genSaid(t), genSaid(t)
		if len(first) == 0 || len(second) == 0 {
			return
		}
		r := &chat.Response{Choices: []chat.Choice{{Parts: first, Finish: chat.FinishStop}, {Parts: second, Finish: chat.FinishLength}}}
		messages, finishes := gatherStream(t, interleaved(t, r.Chunks()))
		for i, want := range [][]chat.Part{first, second} {
			if d := cmp.Diff(want, sentBack(t, encode(messages[i])), cmpopts.EquateEmpty()); d != "" {
				t.Fatalf("choice %d: %s\n%s", i, encode(messages[i]), d)
			}
			if finishes[i] != string(r.Choices[i].Finish) {
				t.Fatalf("choice %d: got the finish %q", i, finishes[i])
			}
		}
	})
}

// interleaved mixes the chunks of two choices, each in its own order.
func interleaved(t *rapid.T, chunks []chat.Chunk) []chat.Chunk {
	var of [2][]chat.Chunk
	for _, c := range chunks {
		of[c.Choice] = append(of[c.Choice], c)
	}
	var out []chat.Chunk
	for len(of[0])+len(of[1]) > 0 {
		i := 0
		if len(of[0]) == 0 || len(of[1]) > 0 && rapid.Bool().Draw(t, "second") {
			i = 1
		}
		out, of[i] = append(out, of[i][0]), of[i][1:]
	}
	return out
}

// gatherStream encodes chunks and puts the deltas together: texts are joined, lists get longer, and calls belong together by index.
func gatherStream(t *rapid.T, chunks []chat.Chunk) (messages [2]map[string]any, finishes [2]string) {
	e := &chatEncoder{usage: true, forms: &toolForms{body: []byte(`{` + roundTripTools + `}`)}}
	e.begin(inbound.Receipt{CallID: "c", Model: "m"}, false)
	var all bytes.Buffer
	for _, c := range chunks {
		all.Write(e.piece(inbound.Piece{Chunk: c}))
	}
	all.Write(e.done(inbound.Receipt{}))
	frames := bytes.Split(bytes.TrimSuffix(all.Bytes(), []byte("\n\n")), []byte("\n\n"))
	if string(frames[len(frames)-1]) != "data: [DONE]" {
		t.Fatalf("the last frame is %s", frames[len(frames)-1])
	}
	for _, frame := range frames[:len(frames)-1] {
		var chunk struct {
			ID      string
			Choices []struct {
				Index  int
				Delta  map[string]any
				Finish string `json:"finish_reason"`
			}
		}
		if err := json.Unmarshal(bytes.TrimPrefix(frame, []byte("data: ")), &chunk); err != nil || chunk.ID != "chatcmpl-c" {
			t.Fatalf("%s: %v", frame, err)
		}
		for _, c := range chunk.Choices {
			if finishes[c.Index] != "" {
				t.Fatalf("%s comes after the finish", frame)
			}
			finishes[c.Index] = c.Finish
			if messages[c.Index] == nil {
				if c.Delta["role"] != "assistant" {
					t.Fatalf("%s begins a choice without its role", frame)
				}
				messages[c.Index] = map[string]any{}
			}
			join(messages[c.Index], c.Delta)
		}
	}
	return messages, finishes
}

// join adds a delta to what there is.
func join(to, delta map[string]any) {
	for key, v := range delta {
		switch v := v.(type) {
		case string:
			if old, ok := to[key].(string); ok && key != "role" && key != "id" && key != "type" {
				v = old + v
			}
			to[key] = v
		case map[string]any:
			if to[key] == nil {
				to[key] = map[string]any{}
			}
			join(to[key].(map[string]any), v)
		case []any:
			list, _ := to[key].([]any)
			for _, item := range v {
				call := item.(map[string]any)
				if index, ok := call["index"].(float64); ok && key == "tool_calls" && int(index) < len(list) {
					join(list[int(index)].(map[string]any), call)
					continue
				}
				list = append(list, item)
			}
			to[key] = list
		default:
			to[key] = v
		}
	}
}

// TestWhatOpenAIEncryptedIsWrapped holds that clients can tell it from what OpenAI encrypted for OpenRouter, which a relay to OpenRouter must not take out.
func TestWhatOpenAIEncryptedIsWrapped(t *testing.T) {
	for format, wrapped := range map[string]bool{chat.FormatOpenAI: true, chat.FormatOpenAIResold: false, chat.FormatGemini: false, chat.FormatAnthropic: false} {
		sig := &chat.Signature{Format: format, Data: "data", ID: "rs_1"}
		got := detailsOf([]chat.Part{{Kind: chat.PartThinking, Redacted: format == chat.FormatAnthropic, Signature: sig}})
		shown := map[bool]string{true: chat.FormatOpenAI, false: format}[format == chat.FormatOpenAIResold]
		if len(got) != 1 || strings.Contains(got[0].Data, chat.SignatureMark) != wrapped || got[0].Format != shown {
			t.Errorf("%s: got %+v", format, got)
		}
	}
}

// BenchmarkRenderedChunk measures one translated piece of text as a client's frame.
func BenchmarkRenderedChunk(b *testing.B) {
	e := &chatEncoder{forms: &toolForms{}}
	e.begin(inbound.Receipt{CallID: "c", Model: "m"}, false)
	p := inbound.Piece{Chunk: chat.Chunk{Text: " and then it said \"so\""}}
	b.ReportAllocs()
	for b.Loop() {
		if len(e.piece(p)) == 0 {
			b.Fatal("nothing was written")
		}
	}
}

// BenchmarkRelayedPiece measures one relayed frame.
func BenchmarkRelayedPiece(b *testing.B) {
	e := &chatEncoder{}
	e.begin(inbound.Receipt{CallID: "c", Model: "m"}, true)
	p := inbound.Piece{Raw: []byte("data: {}\n\n")}
	b.ReportAllocs()
	for b.Loop() {
		if len(e.piece(p)) == 0 {
			b.Fatal("nothing was written")
		}
	}
}
