package chat_test

import (
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/chat"
)

// drawnPart draws a part of an answer.
func drawnPart(t *rapid.T) chat.Part {
	some := rapid.StringN(1, 2000, 4000)
	p := chat.Part{Kind: rapid.SampledFrom([]chat.PartKind{
		chat.PartText, chat.PartRefusal, chat.PartThinking, chat.PartToolCall, chat.PartForeign, chat.PartImage,
	}).Draw(t, "kind")}
	signature := &chat.Signature{Format: "f", Data: some.Draw(t, "signature")}
	switch p.Kind {
	case chat.PartToolCall:
		p.Call = &chat.ToolCall{ID: some.Draw(t, "id"), Name: some.Draw(t, "name"), Arguments: "{" + some.Draw(t, "arguments")}
	case chat.PartForeign:
		p.Foreign = &chat.Foreign{Dialect: "d", JSON: []byte("{}")}
		return p
	case chat.PartImage:
		p.Media = &chat.Media{URL: "https://example.com"}
		return p
	case chat.PartThinking:
		if p.Redacted = rapid.Bool().Draw(t, "redacted"); p.Redacted {
			p.Signature = signature
			return p
		}
		if rapid.Bool().Draw(t, "alone") { // a signature that stands alone
			p.Signature = signature
			return p
		}
		p.Text = some.Draw(t, "text")
	default:
		p.Text = some.Draw(t, "text")
	}
	if p.Kind == chat.PartText && rapid.Bool().Draw(t, "cited") {
		p.Citations = []chat.Citation{{URL: some.Draw(t, "url")}}
	}
	if p.Kind != chat.PartRefusal && rapid.Bool().Draw(t, "signed") {
		p.Signature = signature
	}
	return p
}

func TestAnAnswerIsTheSameAfterItWasCutAndGathered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.StringN(0, 20, 40)
		want := &chat.Response{ID: some.Draw(t, "id"), Model: some.Draw(t, "model"), ServiceTier: some.Draw(t, "tier")}
		for range rapid.IntRange(1, 3).Draw(t, "choices") {
			c := chat.Choice{
				Finish:       rapid.SampledFrom([]chat.Finish{chat.FinishStop, chat.FinishToolCalls}).Draw(t, "finish"),
				StopSequence: some.Draw(t, "stop sequence"),
				Logprobs:     []chat.TokenLogprob{{Token: some.Draw(t, "token")}},
			}
			for range rapid.IntRange(0, 5).Draw(t, "parts") {
				c.Parts = append(c.Parts, drawnPart(t))
			}
			want.Choices = append(want.Choices, c)
		}
		if rapid.Bool().Draw(t, "counted") {
			want.Usage = &chat.Usage{Input: rapid.IntRange(0, 100).Draw(t, "input")}
		}
		var g chat.Gatherer
		for _, c := range want.Chunks() {
			if said := c.Text + c.Refusal + c.Thinking; !utf8.ValidString(said) || len(said) > 512 {
				t.Fatalf("a piece of %d bytes, cut within a code point or too long: %q", len(said), said)
			}
			g.Add(c)
		}
		if diff := cmp.Diff(want, g.Response(), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("gathered (-want +got):\n%s", diff)
		}
	})
}

func TestGatheringWhatVendorsSend(t *testing.T) {
	var g chat.Gatherer
	usage := &chat.Usage{Input: 1}
	for _, c := range []chat.Chunk{
		{ID: "a", Model: "m", Dropped: []string{"seed"}},
		{Signature: &chat.Signature{Data: "alone"}},
		{Thinking: "h"},
		{Thinking: "m"},
		{Signature: &chat.Signature{Data: "signed"}},
		{Text: "on"},
		{Text: "e"},
		{Citations: []chat.Citation{{URL: "u"}}},
		{Dropped: []string{"seed", "stop"}},
		{Tool: &chat.ToolDelta{Index: 7, ID: "c7", Name: "f", Signature: &chat.Signature{Data: "call"}}},
		{Tool: &chat.ToolDelta{Index: 2, ID: "c2", Name: "g"}},
		{Tool: &chat.ToolDelta{Index: 7, Arguments: `{"x":`}},
		{Tool: &chat.ToolDelta{Index: 7, Arguments: `1}`}},
		{Text: "more"},
		{Finish: chat.FinishToolCalls},
		{Choice: 1, Text: "the other", Finish: chat.FinishStop},
		{Choice: 128, Text: "nobody's"},
		{Choice: -1, Text: "nobody's"},
		{Model: "m-2", Usage: usage},
	} {
		g.Add(c)
	}
	want := &chat.Response{
		ID: "a", Model: "m-2", Usage: usage, Dropped: []string{"seed", "stop"},
		Choices: []chat.Choice{
			{Finish: chat.FinishToolCalls, Parts: []chat.Part{
				{Kind: chat.PartThinking, Signature: &chat.Signature{Data: "alone"}},
				{Kind: chat.PartThinking, Text: "hm", Signature: &chat.Signature{Data: "signed"}},
				{Text: "one", Citations: []chat.Citation{{URL: "u"}}},
				{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: "c7", Name: "f", Arguments: `{"x":1}`}, Signature: &chat.Signature{Data: "call"}},
				{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: "c2", Name: "g", Arguments: "{}"}},
				{Text: "more"},
			}},
			{Finish: chat.FinishStop, Parts: []chat.Part{{Text: "the other"}}},
		},
	}
	if diff := cmp.Diff(want, g.Response()); diff != "" {
		t.Errorf("gathered (-want +got):\n%s", diff)
	}
	if len((&chat.Gatherer{}).Response().Choices) != 1 {
		t.Error("nothing gathered makes no answer")
	}
}
