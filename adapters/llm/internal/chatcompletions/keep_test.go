package chatcompletions

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

func reader() *Provider { return New(http.DefaultClient, Flavour{}) }

// body is a whole answer of one choice.
func body(message, finish, more string) string {
	return `{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":` + message + `,"logprobs":null,"finish_reason":` + finish + `}],` +
		`"usage":{"prompt_tokens":2,"completion_tokens":3},"system_fingerprint":"fp","service_tier":"default"` + more + `}`
}

func TestReadingWholeAnswers(t *testing.T) {
	const plain = `{"role":"assistant","content":"hi","refusal":null,"annotations":[]}`
	usage := &chat.Usage{Input: 2, Output: 3}
	hi := &chat.Response{ID: "c1", Model: "m", Text: "hi", Finish: chat.FinishStop, Usage: usage}
	tests := map[string]struct {
		body string
		want outbound.Reading
	}{
		"text": {body(plain, `"stop"`, ""), outbound.Reading{Response: hi, Complete: true}},
		"tool calls": {
			body(`{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"f","arguments":"{}"}}]}`, `"tool_calls"`, ""),
			outbound.Reading{Complete: true, Response: &chat.Response{
				ID: "c1", Model: "m", Finish: chat.FinishToolCalls, Usage: usage, ToolCalls: []chat.ToolCall{{ID: "t1", Name: "f", Arguments: "{}"}},
			}},
		},
		"what says nothing": {body(plain, `"stop"`, `,"x_groq":{},"citations":[],"error":null`), outbound.Reading{Response: hi, Complete: true}},
		"cut at a limit": {body(plain, `"length"`, ""), outbound.Reading{Response: &chat.Response{
			ID: "c1", Model: "m", Text: "hi", Finish: chat.FinishLength, Usage: usage,
		}}},
		"filtered": {body(plain, `"content_filter"`, ""), outbound.Reading{Response: &chat.Response{
			ID: "c1", Model: "m", Text: "hi", Finish: chat.FinishContentFilter, Usage: usage,
		}}},
		"not finished": {body(plain, `null`, ""), outbound.Reading{Response: hi}},
		"two choices, one cut": {
			`{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"},{"index":1,"message":{"content":"b"},"finish_reason":"length"}]}`, outbound.Reading{},
		},
		"two choices":            {`{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"},{"index":1,"message":{"content":"b"},"finish_reason":"stop"}]}`, outbound.Reading{Complete: true}},
		"one choice, the second": {`{"choices":[{"index":1,"message":{"content":"b"},"finish_reason":"stop"}]}`, outbound.Reading{Complete: true}},
		"log probabilities":      {strings.Replace(body(plain, `"stop"`, ""), `"logprobs":null`, `"logprobs":{"content":[{"token":"hi"}]}`, 1), outbound.Reading{Complete: true}},
		"reasoning":              {body(`{"content":"hi","reasoning_content":"hm"}`, `"stop"`, ""), outbound.Reading{Complete: true}},
		"audio":                  {body(`{"content":null,"audio":{"id":"a"}}`, `"stop"`, ""), outbound.Reading{Complete: true}},
		"annotations":            {body(`{"content":"hi","annotations":[{"type":"url_citation"}]}`, `"stop"`, ""), outbound.Reading{Complete: true}},
		"content in parts":       {body(`{"content":[{"type":"text","text":"hi"}]}`, `"stop"`, ""), outbound.Reading{Complete: true}},
		"a tool of another type": {body(`{"content":null,"tool_calls":[{"id":"t","type":"custom","custom":{"name":"f","input":"x"}}]}`, `"tool_calls"`, ""), outbound.Reading{Complete: true}},
		"sources beside it":      {body(plain, `"stop"`, `,"citations":["https://example.com"]`), outbound.Reading{Complete: true}},
		"no choices":             {`{"choices":[]}`, outbound.Reading{}},
		"no JSON":                {`{"choices":[`, outbound.Reading{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, reader().Read([]byte(tt.body))); diff != "" {
				t.Errorf("reading (-want +got):\n%s", diff)
			}
		})
	}
}

// frames makes frames of chunks.
func frames(chunks ...string) (out []string) {
	for _, c := range chunks {
		out = append(out, "data: "+c+"\n\n")
	}
	return out
}

func delta(index, delta, finish string) string {
	return `{"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":` + index + `,"delta":` + delta + `,"finish_reason":` + finish + `}],"obfuscation":"x"}`
}

func TestGatheringFrames(t *testing.T) {
	tests := map[string]struct {
		frames []string
		want   outbound.Reading
	}{
		"text with usage": {
			append(frames(delta("0", `{"role":"assistant","content":""}`, "null"), delta("0", `{"content":"h"}`, "null"), delta("0", `{"content":"i"}`, "null"), delta("0", `{}`, `"stop"`),
				`{"id":"c1","model":"m","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3}}`, "[DONE]"), ": a comment\n\n"),
			outbound.Reading{Complete: true, Response: &chat.Response{ID: "c1", Model: "m", Text: "hi", Finish: chat.FinishStop, Usage: &chat.Usage{Input: 2, Output: 3}}},
		},
		"a tool call in pieces": {
			frames(delta("0", `{"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"f","arguments":""}}]}`, "null"),
				delta("0", `{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}`, "null"), delta("0", `{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}`, "null"), delta("0", `{}`, `"tool_calls"`)),
			outbound.Reading{Complete: true, Response: &chat.Response{
				ID: "c1", Model: "m", Finish: chat.FinishToolCalls, ToolCalls: []chat.ToolCall{{ID: "t1", Name: "f", Arguments: `{"a":1}`}},
			}},
		},
		"cut at a limit":       {frames(delta("0", `{"content":"h"}`, `"length"`)), outbound.Reading{Response: &chat.Response{ID: "c1", Model: "m", Text: "h", Finish: chat.FinishLength}}},
		"not finished":         {frames(delta("0", `{"content":"h"}`, `null`)), outbound.Reading{}},
		"two choices":          {frames(delta("0", `{"content":"h"}`, `"stop"`), delta("1", `{"content":"h"}`, `"stop"`)), outbound.Reading{Complete: true}},
		"one of two is cut":    {frames(delta("0", `{"content":"h"}`, `"stop"`), delta("1", `{"content":"h"}`, `"length"`)), outbound.Reading{}},
		"one of two goes on":   {frames(delta("0", `{"content":"h"}`, `"stop"`), delta("1", `{"content":"h"}`, `null`)), outbound.Reading{}},
		"reasoning":            {frames(delta("0", `{"reasoning":"h"}`, `null`), delta("0", `{"content":"h"}`, `"stop"`)), outbound.Reading{Complete: true}},
		"an event of no chunk": {frames(delta("0", `{"content":"h"}`, `"stop"`), `"x"`), outbound.Reading{}},
		"nothing":              {nil, outbound.Reading{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			add, read := reader().Gather()
			for _, f := range tt.frames {
				raw := []byte(f)
				add(raw)
				clear(raw) // the frame is valid no longer
			}
			if diff := cmp.Diff(tt.want, read()); diff != "" {
				t.Errorf("reading (-want +got):\n%s", diff)
			}
		})
	}
}
