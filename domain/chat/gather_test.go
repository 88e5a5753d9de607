package chat_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/chat"
)

func TestAnAnswerIsTheSameAfterItWasCutAndGathered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 2000, 4000)
		want := &chat.Response{
			ID: text.Draw(t, "id"), Model: text.Draw(t, "model"), Text: text.Draw(t, "text"), Refusal: text.Draw(t, "refusal"),
			Finish: rapid.SampledFrom([]chat.Finish{chat.FinishStop, chat.FinishToolCalls}).Draw(t, "finish"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "calls") {
			want.ToolCalls = append(want.ToolCalls, chat.ToolCall{ID: text.Draw(t, "call"), Name: text.Draw(t, "name"), Arguments: "{" + text.Draw(t, "arguments")})
		}
		if rapid.Bool().Draw(t, "counted") {
			want.Usage = &chat.Usage{Input: rapid.IntRange(0, 100).Draw(t, "input")}
		}
		var g chat.Gatherer
		for _, c := range want.Chunks() {
			if !utf8.ValidString(c.Text) || len(c.Text) > 512 {
				t.Fatalf("a piece of %d bytes, cut within a code point or too long: %q", len(c.Text), c.Text)
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
		{Text: "on"},
		{Text: "e"},
		{Dropped: []string{"seed", "stop"}},
		{Tool: &chat.ToolDelta{Index: 7, ID: "c7", Name: "f"}},
		{Tool: &chat.ToolDelta{Index: 2, ID: "c2", Name: "g", Arguments: "{"}},
		{Tool: &chat.ToolDelta{Index: 2, Arguments: "}"}},
		{Finish: chat.FinishToolCalls},
		{Usage: usage},
	} {
		g.Add(c)
	}
	usage.Input = 99
	want := &chat.Response{
		ID: "a", Model: "m", Text: "one", Finish: chat.FinishToolCalls, Usage: &chat.Usage{Input: 1}, Dropped: []string{"seed", "stop"},
		ToolCalls: []chat.ToolCall{{ID: "c7", Name: "f", Arguments: "{}"}, {ID: "c2", Name: "g", Arguments: "{}"}},
	}
	if diff := cmp.Diff(want, g.Response()); diff != "" {
		t.Errorf("gathered (-want +got):\n%s", diff)
	}
}

func TestALongTextComesInPiecesOfSensibleSize(t *testing.T) {
	r := &chat.Response{Text: strings.Repeat("ü", 1000)}
	if got := len(r.Chunks()); got < 5 || got > 8 {
		t.Errorf("2,000 bytes came in %d chunks, want about six", got)
	}
}
