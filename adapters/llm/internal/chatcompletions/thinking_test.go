package chatcompletions

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
)

func TestThoughtsAreRead(t *testing.T) {
	signed := func(format, data, id string) *chat.Signature {
		return &chat.Signature{Format: format, Data: data, ID: id}
	}
	thought := func(text string, s *chat.Signature) chat.Part {
		return chat.Part{Kind: chat.PartThinking, Text: text, Signature: s}
	}
	text := chat.Part{Text: "a"}
	tests := map[string]struct {
		kind   Kind
		deltas []string // of one choice; joined they are the message
		want   []chat.Part
	}{
		"plain":                           {OpenRouter, []string{`{"reasoning":"h"}`, `{"reasoning":"m"}`, `{"content":"a"}`}, []chat.Part{thought("hm", nil), text}},
		"by its other name":               {OpenAI, []string{`{"reasoning_content":"hm"}`, `{"content":"a"}`}, []chat.Part{thought("hm", nil), text}},
		"plain, of a server of one's own": {Compatible, []string{`{"reasoning_content":"h"}`, `{"reasoning":"m"}`, `{"content":"a"}`}, []chat.Part{thought("hm", signed(FormatPlain, "", "")), text}},
		"plain, and nothing after it":     {Compatible, []string{`{"reasoning":"hm"}`}, []chat.Part{thought("hm", signed(FormatPlain, "", ""))}},
		"said twice, once as details": {OpenRouter, []string{
			`{"reasoning":"h","reasoning_details":[{"type":"reasoning.text","text":"h","format":"anthropic-claude-v1","index":0}]}`,
			`{"reasoning":"m","reasoning_details":[{"type":"reasoning.text","text":"m","format":"anthropic-claude-v1","index":0}]}`,
			`{"reasoning_details":[{"type":"reasoning.text","signature":"s","format":"anthropic-claude-v1","index":0}]}`, `{"content":"a"}`,
		}, []chat.Part{thought("hm", signed(chat.FormatAnthropic, "s", "")), text}},
		"details that say nothing": {OpenRouter, []string{`{"reasoning":"hm","reasoning_details":[{"type":"reasoning.new"}]}`, `{"content":"a"}`}, []chat.Part{thought("hm", nil), text}},
		"two thoughts": {OpenRouter, []string{
			`{"reasoning_details":[{"type":"reasoning.text","text":"x","format":"anthropic-claude-v1","index":0}]}`,
			`{"reasoning_details":[{"type":"reasoning.text","text":"y","signature":"s","format":"anthropic-claude-v1","index":1}]}`,
		}, []chat.Part{thought("x", nil), thought("y", signed(chat.FormatAnthropic, "s", ""))}},
		"what nobody may see": {OpenRouter, []string{
			`{"reasoning_details":[{"type":"reasoning.encrypted","data":"d","format":"anthropic-claude-v1","index":0}]}`, `{"content":"a"}`,
		}, []chat.Part{{Kind: chat.PartThinking, Redacted: true, Signature: signed(chat.FormatAnthropic, "d", "")}, text}},
		"a summary, and what it sums up": {OpenRouter, []string{
			`{"reasoning_details":[{"type":"reasoning.summary","summary":"hm","format":"openai-responses-v1","index":0}]}`,
			`{"reasoning_details":[{"type":"reasoning.encrypted","data":"e","id":"rs_1","format":"openai-responses-v1","index":0}]}`, `{"content":"a"}`,
		}, []chat.Part{thought("hm", signed(chat.FormatOpenAIResold, "e", "rs_1")), text}},
		"what cannot be read alone": {OpenRouter, []string{
			`{"reasoning_details":[{"type":"reasoning.encrypted","data":"e","id":"rs_1","format":"openai-responses-v1","index":0}]}`, `{"content":"a"}`,
		}, []chat.Part{thought("", signed(chat.FormatOpenAIResold, "e", "rs_1")), text}},
		"text of a maker that signs nothing": {OpenRouter, []string{
			`{"reasoning_details":[{"type":"reasoning.text","text":"h","format":"unknown","index":0}]}`, `{"reasoning_details":[{"type":"reasoning.text","text":"m","format":"unknown","index":0}]}`, `{"content":"a"}`,
		}, []chat.Part{thought("hm", signed("unknown", "", "")), text}},
		"text without a format": {OpenRouter, []string{`{"reasoning_details":[{"type":"reasoning.text","text":"hm","format":null,"index":0}]}`, `{"content":"a"}`}, []chat.Part{thought("hm", nil), text}},
		"the signature of a call": {OpenRouter, []string{
			`{"reasoning_details":[{"type":"reasoning.encrypted","data":"g","id":"c1","format":"google-gemini-v1","index":0}]}`,
			`{"tool_calls":[{"index":0,"id":"c0","type":"function","function":{"name":"f","arguments":""}},{"index":1,"id":"c1","type":"function","function":{"name":"g","arguments":"{}"}}]}`,
		}, []chat.Part{calling("c0", "f", nil), calling("c1", "g", signed(chat.FormatGemini, "g", ""))}},
		"of a call that never comes": {OpenRouter, []string{
			`{"reasoning_details":[{"type":"reasoning.encrypted","data":"g","id":"c9","format":"google-gemini-v1","index":0}]}`, `{"content":"a"}`,
		}, []chat.Part{{Text: "a", Signature: signed(chat.FormatGemini, "g", "")}}},
		"the signature of a text": {OpenRouter, []string{
			`{"content":"a"}`, `{"reasoning_details":[{"type":"reasoning.encrypted","data":"g","format":"google-gemini-v1","index":0}]}`,
		}, []chat.Part{{Text: "a", Signature: signed(chat.FormatGemini, "g", "")}}},
		"a thought in a list":   {Compatible, []string{`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"a"}]}`}, []chat.Part{thought("hm", signed(FormatPlain, "", "")), text}},
		"details that are none": {OpenRouter, []string{`{"reasoning_details":"x","reasoning":"hm"}`, `{"content":"a"}`}, []chat.Part{thought("hm", nil), text}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := New(nil, Flavour{Kind: tt.kind}).newDecoder(somewhere)
			var g chat.Gatherer
			for i, delta := range tt.deltas {
				finish := "null"
				if i == len(tt.deltas)-1 {
					finish = `"stop"`
				}
				chunks, _, err := d.Event([]byte(`{"choices":[{"index":0,"delta":` + delta + `,"finish_reason":` + finish + `}]}`))
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range chunks {
					g.Add(c)
				}
			}
			if diff := cmp.Diff(tt.want, g.Response().First().Parts); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsShownAndHeard(t *testing.T) {
	p := New(nil, Flavour{Kind: OpenRouter})
	sound := chat.Part{Kind: chat.PartAudio, Text: "Hello", Media: &chat.Media{Data: "UklGRg==", FileID: "audio_1", Origin: chat.DialectOpenAIChat}}
	want := []chat.Part{
		{Text: "a", Citations: []chat.Citation{{URL: "https://e.com", Text: "c", Start: 1, End: 2}}},
		{Kind: chat.PartImage, Media: &chat.Media{Type: "image/png", Data: "AAAA"}},
		{Kind: chat.PartImage, Media: &chat.Media{URL: "https://e.com/x.png"}},
		sound,
	}
	const shown = `"annotations":[{"type":"url_citation","url_citation":{"url":"https://e.com","content":"c","start_index":1,"end_index":2}},{"type":"other"}],` +
		`"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"image_url","image_url":{"url":"https://e.com/x.png"}}]`
	whole, err := p.decode([]byte(`{"choices":[{"message":{"content":"a",`+shown+`,"audio":{"id":"audio_1","data":"UklGRg==","transcript":"Hello","expires_at":1}},"finish_reason":"stop"}]}`), somewhere, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, whole.First().Parts); diff != "" {
		t.Errorf("whole (-want +got):\n%s", diff)
	}
	var g chat.Gatherer
	d := p.newDecoder(somewhere)
	for _, delta := range []string{`{"content":"a"}`, `{` + shown + `}`, `{"audio":{"id":"audio_1","transcript":"Hel"}}`, `{"audio":{"data":"UklG"}}`, `{"audio":{"data":"Rg==","transcript":"lo"}},"finish_reason":"stop"`} {
		tail := `}]}`
		chunks, _, err := d.Event([]byte(`{"choices":[{"delta":` + delta + tail))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			g.Add(c)
		}
	}
	if diff := cmp.Diff(want, g.Response().First().Parts); diff != "" {
		t.Errorf("streamed (-want +got):\n%s", diff)
	}
}
