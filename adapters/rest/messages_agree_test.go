package rest_test

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/adapters/rest"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// sdk is Anthropic's own client of the server.
func sdk(w *world) anthropic.Client {
	return anthropic.NewClient(option.WithBaseURL("http://"+w.addr), option.WithAPIKey(aiKey), option.WithHTTPClient(w.client), option.WithMaxRetries(0))
}

func ask() anthropic.MessageNewParams {
	return anthropic.MessageNewParams{Model: "auto", MaxTokens: 9, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("hi"))}}
}

// drawResponse makes an answer of any parts. Of text that follows text there is none: a stream cannot tell the two apart from their joint without a mark.
func drawResponse(t *rapid.T) *chat.Response {
	words := rapid.SampledFrom([]string{"a", "é\n", "\"x\"\\", "👍", strings.Repeat("long ", 300)})
	signature := func() *chat.Signature {
		format := rapid.SampledFrom([]string{"", chat.FormatAnthropic, chat.FormatGemini, chat.FormatOpenAI}).Draw(t, "format")
		if format == "" {
			return nil
		}
		return &chat.Signature{Format: format, Data: rapid.SampledFrom([]string{"s1", "s2=="}).Draw(t, "data")}
	}
	c := chat.Choice{Finish: rapid.SampledFrom([]chat.Finish{chat.FinishStop, chat.FinishLength, chat.FinishToolCalls, chat.FinishContentFilter, chat.FinishPause}).Draw(t, "finish")}
	for i := range rapid.IntRange(0, 6).Draw(t, "parts") {
		p := chat.Part{Kind: rapid.SampledFrom([]chat.PartKind{chat.PartText, chat.PartThinking, chat.PartToolCall, chat.PartRefusal}).Draw(t, "kind")}
		switch p.Kind {
		case chat.PartToolCall:
			arguments := rapid.SampledFrom([]string{"{}", `{"a":"}{"}`, `{"b":[1,{"c":null}]}`, `{"t":"` + strings.Repeat("x", 1200) + `"}`}).Draw(t, "arguments")
			p.Call = &chat.ToolCall{ID: "call." + strconv.Itoa(i), Name: "f", Arguments: arguments}
			if p.Signature = signature(); p.Signature != nil && p.Signature.Format == chat.FormatAnthropic {
				p.Signature = nil // Anthropic signs no calls
			}
		case chat.PartThinking:
			p.Text, p.Signature = words.Draw(t, "thought"), signature()
			if p.Redacted = p.Signature != nil && rapid.Bool().Draw(t, "redacted"); p.Redacted {
				p.Text = ""
			}
		case chat.PartText:
			p.Text = words.Draw(t, "text")
			if rapid.IntRange(0, 3).Draw(t, "cited") == 0 {
				p.Citations = []chat.Citation{{URL: "https://x", Title: "t", Text: "c"}}
			}
			if rapid.IntRange(0, 3).Draw(t, "signed") == 0 {
				p.Signature = &chat.Signature{Format: chat.FormatGemini, Data: "g"}
			}
		default:
			p.Text = words.Draw(t, "refusal")
		}
		c.Parts = append(c.Parts, p)
	}
	return &chat.Response{Choices: []chat.Choice{c}, ServiceTier: "priority"}
}

// interleave moves pieces of later calls before those of earlier ones, as vendors of other dialects may send them.
func interleave(t *rapid.T, chunks []chat.Chunk) []chat.Chunk {
	for i := 1; i < len(chunks); i++ {
		a, b := chunks[i-1].Tool, chunks[i].Tool
		first := b != nil && b.ID != "" // the order of the calls is that of their first pieces
		if a != nil && b != nil && a.Index != b.Index && !first && rapid.Bool().Draw(t, "swap") {
			chunks[i-1], chunks[i] = chunks[i], chunks[i-1]
		}
	}
	return chunks
}

// TestWholeAndStreamSayTheSame has Anthropic's own client gather the stream of any answer: it is the whole answer, and when the client sends it back
// the neutral form has every part as it was.
func TestWholeAndStreamSayTheSame(t *testing.T) {
	w := start(t)
	client := sdk(w)
	rapid.Check(t, func(rt *rapid.T) {
		r := drawResponse(rt)
		final := messageReceipt()
		final.Finish = r.First().Finish
		w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
			return inbound.Answer{Receipt: final, Response: r}, nil
		}
		w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
			var pieces []inbound.Piece
			for _, c := range interleave(rt, r.Chunks()) {
				pieces = append(pieces, inbound.Piece{Chunk: c})
			}
			s := streamOf(false, pieces...)
			s.Receipt = func() inbound.Receipt { return final }
			return s, nil
		}
		whole, err := client.Messages.New(context.Background(), ask())
		if err != nil {
			rt.Fatal(err)
		}
		var gathered anthropic.Message
		stream := client.Messages.NewStreaming(context.Background(), ask())
		for stream.Next() {
			if err := gathered.Accumulate(stream.Current()); err != nil {
				rt.Fatal(err)
			}
		}
		if err := stream.Err(); err != nil {
			rt.Fatal(err)
		}
		if d := cmp.Diff(plain(rt, whole.RawJSON()), plain(rt, gathered.RawJSON())); d != "" {
			rt.Fatalf("whole (-) and stream (+) differ: %s", d)
		}
		sameParts(rt, r.First().Parts, sentBack(rt, whole))
	})
}

// plain reads a message's JSON, without citations that are empty.
func plain(t *rapid.T, text string) any {
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// sentBack has the client send an answer back, and gives the parts of the assistant's turn.
func sentBack(t *rapid.T, m *anthropic.Message) []chat.Part {
	p := ask()
	if len(m.Content) == 0 {
		return nil
	}
	p.Messages = append(p.Messages, m.ToParam())
	body, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := rest.ParseMessages(body, true)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if len(r.Untranslated) > 0 || len(r.Messages) != 2 {
		t.Fatalf("%s: got %+v", body, r)
	}
	return r.Messages[1].Parts
}

// sameParts compares parts; ids of calls are portable, and a refusal is text from then on.
func sameParts(t *rapid.T, said, got []chat.Part) {
	var want []chat.Part
	for _, p := range said {
		switch {
		case p.Kind == chat.PartRefusal:
			p.Kind = chat.PartText
		case p.Kind == chat.PartToolCall:
			call := *p.Call
			call.ID = chat.PortableID(call.ID)
			p.Call = &call
		}
		want = append(want, p)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("said (-) and sent back (+) differ: %s", d)
	}
}
