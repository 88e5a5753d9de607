package rest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// everything is an answer that has something of each kind.
func everything() chat.Choice {
	return chat.Choice{
		Parts: []chat.Part{
			{Kind: chat.PartThinking, Text: "hm", Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: "S"}},
			{Kind: chat.PartThinking, Redacted: true, Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: "R"}},
			{Text: "é", Citations: []chat.Citation{{URL: "https://a", Title: "A", Start: 0, End: 1}}},
			{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte(`{}`)}},
			{Text: "bc", Citations: []chat.Citation{{URL: "https://b", Title: "B", Text: "b"}, {Title: "a document"}, {URL: "https://c", Start: 1, End: 2}}},
			{Kind: chat.PartImage, Media: &chat.Media{Type: "image/png", Data: "AA"}},
			{Kind: chat.PartAudio, Media: &chat.Media{Type: "audio/wav", Data: "BB"}},
			{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: "c1", Name: "f", Arguments: `{"a":1}`}, Signature: &chat.Signature{Format: chat.FormatGemini, Data: "G"}},
			{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: "c2", Name: "grep", Arguments: `{"input":"x \"y\""}`}},
		},
		Finish:   chat.FinishPause,
		Logprobs: []chat.TokenLogprob{{Token: "é", Bytes: []byte("é"), Logprob: -0.5, Top: []chat.TokenLogprob{{Token: "e", Logprob: -1}}}},
	}
}

// The request that everything answers: one of its tools is a custom one.
const customTools = `,"tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"grep"}}]`

// asUsed makes a receipt of what everything used.
func asUsed() inbound.Receipt {
	r := receipt()
	r.Usage = chat.Usage{Input: 10, Output: 9, CacheRead: 4, CacheWrite: 2, AudioInput: 1, Reasoning: 2, AudioOutput: 3, ImageOutput: 1}
	return r
}

const usedEverything = `"usage":{"prompt_tokens":10,"completion_tokens":9,"total_tokens":19,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":1,"cache_write_tokens":2},` +
	`"completion_tokens_details":{"reasoning_tokens":2,"audio_tokens":3,"image_tokens":1,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`

func TestARenderedAnswerOfEverything(t *testing.T) {
	w := start(t)
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		second := chat.Choice{Parts: []chat.Part{{Text: "again"}}, Finish: chat.FinishStop}
		return inbound.Answer{Receipt: asUsed(), Response: &chat.Response{ServiceTier: "flex", Choices: []chat.Choice{everything(), second}}}, nil
	}
	const want = `{"id":"chatcmpl-0190call","object":"chat.completion","created":1896091200,"model":"gpt-x-2026","choices":[{"index":0,"message":{"role":"assistant","content":"ébc","refusal":null,` +
		`"annotations":[{"type":"url_citation","url_citation":{"url":"https://a","title":"A","start_index":0,"end_index":1}},{"type":"url_citation","url_citation":{"url":"https://b","title":"B","start_index":1,"end_index":3,"content":"b"}},{"type":"url_citation","url_citation":{"url":"https://c","title":"","start_index":2,"end_index":3}}],` +
		`"reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"S","format":"anthropic-claude-v1","index":0},{"type":"reasoning.encrypted","data":"R","format":"anthropic-claude-v1","index":1},` +
		`{"type":"reasoning.encrypted","data":"G","id":"c1","format":"google-gemini-v1","index":2}],"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"},"index":0}],` +
		`"audio":{"id":"audio_forge1_0190call","data":"BB","expires_at":0,"transcript":""},` +
		`"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"c2","type":"custom","custom":{"name":"grep","input":"x \"y\""}}]},` +
		`"logprobs":{"content":[{"token":"é","logprob":-0.5,"bytes":[195,169],"top_logprobs":[{"token":"e","logprob":-1,"bytes":null}]}],"refusal":null},"finish_reason":"length"},` +
		`{"index":1,"message":{"role":"assistant","content":"again","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],` + usedEverything + `,"service_tier":"flex","system_fingerprint":null}`
	if got := w.post(chatPath, openAIBody(customTools), aiKey); string(got.body) != want {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
}

func TestARenderedStreamOfEverything(t *testing.T) {
	const head = `data: {"id":"chatcmpl-0190call","object":"chat.completion.chunk","created":1896091200,"model":"gpt-x-2026","system_fingerprint":null,"choices":[`
	frame := func(choice, delta, logprobs, finish, more string) string {
		return head + `{"index":` + choice + `,"delta":{` + delta + `},"logprobs":` + logprobs + `,"finish_reason":` + finish + `}]` + more + `,"usage":null}` + "\n\n"
	}
	delta := func(d string) string { return frame("0", d, "null", "null", "") }
	const role = `"role":"assistant","content":"","refusal":null`
	want := delta(role) +
		delta(`"reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","index":0}]`) +
		delta(`"reasoning_details":[{"type":"reasoning.text","signature":"S","format":"anthropic-claude-v1","index":0}]`) +
		delta(`"reasoning_details":[{"type":"reasoning.encrypted","data":"R","format":"anthropic-claude-v1","index":1}]`) +
		delta(`"content":"é"`) + delta(`"annotations":[{"type":"url_citation","url_citation":{"url":"https://a","title":"A","start_index":0,"end_index":1}}]`) +
		delta(`"content":"bc"`) + delta(`"annotations":[{"type":"url_citation","url_citation":{"url":"https://b","title":"B","start_index":1,"end_index":3,"content":"b"}},{"type":"url_citation","url_citation":{"url":"https://c","title":"","start_index":2,"end_index":3}}]`) +
		delta(`"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"},"index":0}]`) +
		delta(`"audio":{"id":"audio_forge1_0190call","data":"BB","expires_at":0,"transcript":""}`) +
		delta(`"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]`) +
		delta(`"reasoning_details":[{"type":"reasoning.encrypted","data":"G","id":"c1","format":"google-gemini-v1","index":2}]`) +
		delta(`"tool_calls":[{"index":1,"id":"c2","type":"custom","custom":{"name":"grep","input":""}}]`) +
		frame("0", "", `{"content":[{"token":"é","logprob":-0.5,"bytes":[195,169],"top_logprobs":[{"token":"e","logprob":-1,"bytes":null}]}],"refusal":null}`, "null", "") +
		delta(`"tool_calls":[{"index":1,"custom":{"input":"x \"y\""}}]`) +
		frame("0", "", "null", `"length"`, "") +
		frame("1", role, "null", "null", "") + frame("1", `"content":"again"`, "null", "null", "") +
		frame("1", "", "null", `"stop"`, `,"service_tier":"flex"`) +
		head + `],"service_tier":"flex",` + usedEverything + "}\n\ndata: [DONE]\n\n"
	w := start(t)
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		second := chat.Choice{Parts: []chat.Part{{Text: "again"}}, Finish: chat.FinishStop}
		r := &chat.Response{ServiceTier: "flex", Choices: []chat.Choice{everything(), second}}
		var pieces []inbound.Piece
		for _, c := range r.Chunks() {
			pieces = append(pieces, inbound.Piece{Chunk: c})
		}
		out := streamOf(false, pieces...)
		out.Receipt = asUsed
		return out, nil
	}
	got := string(w.post(chatPath, openAIBody(`,"n":2,"stream":true,"stream_options":{"include_usage":true}`+customTools), aiKey).body)
	if got != want {
		gots, wants := strings.Split(got, "\n\n"), strings.Split(want, "\n\n")
		for i := range min(len(gots), len(wants)) {
			if gots[i] != wants[i] {
				t.Errorf("frame %d\ngot  %s\nwant %s", i, gots[i], wants[i])
			}
		}
		t.Errorf("got %d frames, want %d", len(gots), len(wants))
	}
}

func TestChoicesOfAStreamEndEachForItself(t *testing.T) {
	w := start(t)
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		return streamOf(
			false, inbound.Piece{Chunk: chat.Chunk{Choice: 1, Text: "b"}}, inbound.Piece{Chunk: chat.Chunk{Text: "a"}}, inbound.Piece{Chunk: chat.Chunk{Choice: 1, Finish: chat.FinishLength}},
			inbound.Piece{Chunk: chat.Chunk{Text: "a"}}, inbound.Piece{Chunk: chat.Chunk{Choice: -1, Text: "no"}}, inbound.Piece{Chunk: chat.Chunk{Choice: 1 << 40, Text: "no"}},
			inbound.Piece{Chunk: chat.Chunk{Finish: chat.FinishContentFilter}},
		), nil
	}
	var got []string
	for frame := range strings.SplitSeq(string(w.post(chatPath, openAIBody(`,"stream":true`), aiKey).body), "\n\n") {
		if _, choice, ok := strings.Cut(frame, `"choices":[{`); ok {
			got = append(got, strings.TrimSuffix(strings.NewReplacer(`"logprobs":null,`, "", `"index":`, "", `"delta":`, "", `"finish_reason":`, "").Replace(choice), "}]}"))
		}
	}
	const role = `{"role":"assistant","content":"","refusal":null},null`
	want := []string{"1," + role, `1,{"content":"b"},null`, "0," + role, `0,{"content":"a"},null`, `1,{},"length"`, `0,{"content":"a"},null`, `0,{},"content_filter"`}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCallsOfFunctionsFromBeforeThereWereTools(t *testing.T) {
	w := start(t)
	const functions = `,"functions":[{"name":"f"}]`
	said := &chat.Response{Choices: []chat.Choice{{Parts: []chat.Part{calling("c", "f", `{"a":1}`)}, Finish: chat.FinishToolCalls}}}
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		return inbound.Answer{Receipt: receipt(), Response: said}, nil
	}
	const want = `"content":null,"refusal":null,"annotations":[],"function_call":{"name":"f","arguments":"{\"a\":1}"}},"logprobs":null,"finish_reason":"function_call"`
	if got := w.post(chatPath, openAIBody(functions), aiKey); !strings.Contains(string(got.body), want) {
		t.Errorf("got %s", got)
	}
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		return streamOf(
			false, inbound.Piece{Chunk: chat.Chunk{Tool: &chat.ToolDelta{ID: "c", Name: "f"}}}, inbound.Piece{Chunk: chat.Chunk{Tool: &chat.ToolDelta{Arguments: `{"a":1}`}}},
			inbound.Piece{Chunk: chat.Chunk{Finish: chat.FinishToolCalls}},
		), nil
	}
	got := string(w.post(chatPath, openAIBody(functions+`,"stream":true`), aiKey).body)
	for _, want := range []string{`"delta":{"function_call":{"name":"f","arguments":""}}`, `"delta":{"function_call":{"arguments":"{\"a\":1}"}}`, `"finish_reason":"function_call"`} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want %s in it", got, want)
		}
	}
}

func TestACustomToolTakesWhatWasNotAskedFor(t *testing.T) {
	w := start(t)
	for arguments, want := range map[string]string{`{"input":""}`: `""`, `{"other":1}`: `"{\"other\":1}"`, `plain`: `"plain"`, `{"input":"a`: `"{\"input\":\"a"`} {
		w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
			return inbound.Answer{Receipt: receipt(), Response: saying(calling("c", "grep", arguments))}, nil
		}
		if got := w.post(chatPath, openAIBody(customTools), aiKey); !strings.Contains(string(got.body), `"custom":{"name":"grep","input":`+want+`}`) {
			t.Errorf("%s: got %s", arguments, got)
		}
	}
}
