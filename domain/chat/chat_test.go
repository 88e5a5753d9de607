package chat_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
)

func conversation() *chat.Request {
	image := chat.Part{Kind: chat.PartImage, Media: &chat.Media{URL: "https://example.com/cat.png"}}
	return &chat.Request{
		Messages: []chat.Message{
			chat.Text(chat.RoleSystem, "be brief"),
			{Role: chat.RoleUser, Parts: []chat.Part{{Text: "wh"}, image, {Text: "at?"}}},
			{Role: chat.RoleAssistant, Parts: []chat.Part{{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: "1", Name: "look", Arguments: `{"a":1}`}}}},
			chat.Result("1", "ä"),
			chat.Text(chat.RoleSystem, "be kind"),
		},
		Tools:  []chat.Tool{{Name: "look", Description: "sees", Schema: []byte(`{}`)}},
		Format: chat.Format{Kind: chat.FormatSchema, Schema: []byte(`{"x":0}`)},
	}
}

func TestSystemIsTakenOut(t *testing.T) {
	r := conversation()
	system, rest := r.System()
	if diff := cmp.Diff([]chat.Part{{Text: "be brief"}, {Text: "be kind"}}, system); diff != "" {
		t.Errorf("system (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(r.Messages[1:4], rest); diff != "" {
		t.Errorf("rest (-want +got):\n%s", diff)
	}
}

func TestWhatRoutingReadsOffARequest(t *testing.T) {
	r := conversation()
	if got, want := r.TextBytes(), len("be brief")+len("what?")+len("look")+len(`{"a":1}`)+len("ä")+len("be kind")+len("looksees{}")+len(`{"x":0}`); got != want {
		t.Errorf("%d bytes of text, want %d", got, want)
	}
	if got := r.LastUserText(); got != "what?" {
		t.Errorf("last user text %q, want the parts joined", got)
	}
	if !r.HasImages() {
		t.Error("the image was not seen")
	}
	empty := &chat.Request{Messages: []chat.Message{chat.Text(chat.RoleSystem, "only this")}}
	if got := empty.LastUserText(); got != "" || empty.HasImages() {
		t.Errorf("a request without user: last user text %q, images %t", got, empty.HasImages())
	}
}

func TestMessageText(t *testing.T) {
	tests := map[string]struct {
		parts []chat.Part
		want  string
	}{
		"no part":     {nil, ""},
		"one part":    {[]chat.Part{{Text: " as it is\n"}}, " as it is\n"},
		"many parts":  {[]chat.Part{{Text: "a"}, {Kind: chat.PartImage}, {Text: "b"}}, "ab"},
		"image alone": {[]chat.Part{{Kind: chat.PartImage, Media: &chat.Media{Data: "eA=="}}}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := (chat.Message{Parts: tt.parts}).Text(); got != tt.want {
				t.Errorf("text %q, want %q", got, tt.want)
			}
		})
	}
}

func TestChunksWithContent(t *testing.T) {
	tests := map[string]struct {
		chunk chat.Chunk
		want  bool
	}{
		"nothing":       {chat.Chunk{}, false},
		"names only":    {chat.Chunk{ID: "1", Model: "m", Dropped: []string{"seed"}}, false},
		"the finish":    {chat.Chunk{Finish: chat.FinishStop}, false},
		"usage":         {chat.Chunk{Usage: &chat.Usage{Input: 1}}, false},
		"text":          {chat.Chunk{Text: " "}, true},
		"a refusal":     {chat.Chunk{Refusal: "no"}, true},
		"a tool's call": {chat.Chunk{Tool: &chat.ToolDelta{}}, true},
		"a thought":     {chat.Chunk{Thinking: "hm"}, true},
		"a whole part":  {chat.Chunk{Part: &chat.Part{Kind: chat.PartImage}}, true},
		"a signature":   {chat.Chunk{Signature: &chat.Signature{}}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.chunk.Content(); got != tt.want {
				t.Errorf("content %t, want %t", got, tt.want)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	u := chat.Usage{Input: 10, Output: 5, CacheRead: 3, Reasoning: 2}
	if got := u.Total(); got != 15 {
		t.Errorf("total %d, want 15: cached and reasoning tokens are inside", got)
	}
	if u.Zero() || !(chat.Usage{}).Zero() {
		t.Error("only a usage without any count is zero")
	}
	for bytes, want := range map[int]int{0: 0, 1: 1, 4: 1, 5: 2, 1000: 250} {
		if got := chat.EstimateTokens(bytes); got != want {
			t.Errorf("%d bytes are taken for %d tokens, want %d", bytes, got, want)
		}
	}
}
