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

func answered(id, model string, usage *chat.Usage, tier string, choices ...chat.Choice) *chat.Response {
	return &chat.Response{ID: id, Model: model, Usage: usage, ServiceTier: tier, Choices: choices}
}

func said1(text string, finish chat.Finish) chat.Choice {
	return chat.Choice{Parts: []chat.Part{{Text: text}}, Finish: finish}
}

// body is a whole answer of one choice.
func body(message, finish, more string) string {
	return `{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":` + message + `,"logprobs":null,"finish_reason":` + finish + `}],` +
		`"usage":{"prompt_tokens":2,"completion_tokens":3},"system_fingerprint":"fp","service_tier":"default"` + more + `}`
}

func TestReadingWholeAnswers(t *testing.T) {
	const plain = `{"role":"assistant","content":"hi","refusal":null,"annotations":[]}`
	usage := &chat.Usage{Input: 2, Output: 3}
	hi := answered("c1", "m", usage, "default", chat.Choice{Parts: []chat.Part{{Text: "hi"}}, Finish: chat.FinishStop})
	tests := map[string]struct {
		body string
		want outbound.Reading
	}{
		"text": {body(plain, `"stop"`, ""), outbound.Reading{Response: hi, Complete: true}},
		"tool calls": {
			body(`{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"f","arguments":"{}"}}]}`, `"tool_calls"`, ""),
			outbound.Reading{Complete: true, Response: answered("c1", "m", usage, "default", chat.Choice{Finish: chat.FinishToolCalls, Parts: []chat.Part{
				{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: "t1", Name: "f", Arguments: "{}"}},
			}})},
		},
		"what says nothing": {body(plain, `"stop"`, `,"x_groq":{},"citations":[],"error":null`), outbound.Reading{Response: hi, Complete: true}},
		"cut at a limit": {body(plain, `"length"`, ""), outbound.Reading{
			Response: answered("c1", "m", usage, "default", chat.Choice{Parts: []chat.Part{{Text: "hi"}}, Finish: chat.FinishLength}),
		}},
		"filtered": {body(plain, `"content_filter"`, ""), outbound.Reading{
			Response: answered("c1", "m", usage, "default", chat.Choice{Parts: []chat.Part{{Text: "hi"}}, Finish: chat.FinishContentFilter}),
		}},
		"not finished": {body(plain, `null`, ""), outbound.Reading{Response: hi}},
		"two choices, one cut": {
			`{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"},{"index":1,"message":{"content":"b"},"finish_reason":"length"}]}`,
			outbound.Reading{Response: answered("", "", nil, "", said1("a", chat.FinishStop), said1("b", chat.FinishLength))},
		},
		"two choices": {
			`{"choices":[{"index":1,"message":{"content":"b"},"finish_reason":"stop"},{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}`,
			outbound.Reading{Complete: true, Response: answered("", "", nil, "", said1("a", chat.FinishStop), said1("b", chat.FinishStop))},
		},
		"one choice, the second": {
			`{"choices":[{"index":1,"message":{"content":"b"},"finish_reason":"stop"}]}`,
			outbound.Reading{Complete: true, Response: answered("", "", nil, "", said1("b", chat.FinishStop))},
		},
		"log probabilities": {strings.Replace(body(plain, `"stop"`, ""), `"logprobs":null`, `"logprobs":{"content":[{"token":"hi","logprob":-0.5,"bytes":[104,105],"top_logprobs":[]}],"refusal":null}`, 1), outbound.Reading{
			Complete: true, Response: answered("c1", "m", usage, "default", chat.Choice{
				Parts: []chat.Part{{Text: "hi"}}, Finish: chat.FinishStop, Logprobs: []chat.TokenLogprob{{Token: "hi", Logprob: -0.5, Bytes: []byte("hi")}},
			}),
		}},
		"reasoning": {body(`{"content":"hi","reasoning_content":"hm"}`, `"stop"`, ""), outbound.Reading{
			Complete: true, Response: answered("c1", "m", usage, "default", chat.Choice{
				Parts: []chat.Part{{Kind: chat.PartThinking, Text: "hm"}, {Text: "hi"}}, Finish: chat.FinishStop,
			}),
		}},
		"reasoning of an unknown kind": {body(`{"content":"hi","reasoning_details":[{"type":"reasoning.new","x":1}]}`, `"stop"`, ""), outbound.Reading{Complete: true}},
		"a source": {body(`{"content":"hi","annotations":[{"type":"url_citation","url_citation":{"url":"https://e.com","title":"E","start_index":0,"end_index":2}}]}`, `"stop"`, ""), outbound.Reading{
			Complete: true, Response: answered("c1", "m", usage, "default", chat.Choice{
				Parts: []chat.Part{{Text: "hi", Citations: []chat.Citation{{URL: "https://e.com", Title: "E", End: 2}}}}, Finish: chat.FinishStop,
			}),
		}},
		"audio":                  {body(`{"content":null,"audio":{"id":"a"}}`, `"stop"`, ""), outbound.Reading{Complete: true}},
		"annotations":            {body(`{"content":"hi","annotations":[{"type":"file_citation"}]}`, `"stop"`, ""), outbound.Reading{Complete: true}},
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
			outbound.Reading{Complete: true, Response: answered("c1", "m", &chat.Usage{Input: 2, Output: 3}, "", said1("hi", chat.FinishStop))},
		},
		"a tool call in pieces": {
			frames(delta("0", `{"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"f","arguments":""}}]}`, "null"),
				delta("0", `{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}`, "null"), delta("0", `{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}`, "null"), delta("0", `{}`, `"tool_calls"`)),
			outbound.Reading{Complete: true, Response: answered("c1", "m", nil, "", chat.Choice{Finish: chat.FinishToolCalls, Parts: []chat.Part{
				{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: "t1", Name: "f", Arguments: `{"a":1}`}},
			}})},
		},
		"cut at a limit": {frames(delta("0", `{"content":"h"}`, `"length"`)), outbound.Reading{Response: answered("c1", "m", nil, "", said1("h", chat.FinishLength))}},
		"not finished":   {frames(delta("0", `{"content":"h"}`, `null`)), outbound.Reading{}},
		"two choices": {frames(delta("1", `{"content":"b"}`, `"stop"`), delta("0", `{"content":"a"}`, `"stop"`)), outbound.Reading{
			Complete: true, Response: answered("c1", "m", nil, "", said1("a", chat.FinishStop), said1("b", chat.FinishStop)),
		}},
		"one of two is cut": {frames(delta("0", `{"content":"a"}`, `"stop"`), delta("1", `{"content":"b"}`, `"length"`)), outbound.Reading{
			Response: answered("c1", "m", nil, "", said1("a", chat.FinishStop), said1("b", chat.FinishLength)),
		}},
		"one of two goes on": {frames(delta("0", `{"content":"h"}`, `"stop"`), delta("1", `{"content":"h"}`, `null`)), outbound.Reading{}},
		"reasoning": {frames(delta("0", `{"reasoning":"h"}`, `null`), delta("0", `{"reasoning":"m"}`, `null`), delta("0", `{"content":"a"}`, `"stop"`)), outbound.Reading{
			Complete: true, Response: answered("c1", "m", nil, "", chat.Choice{
				Parts: []chat.Part{{Kind: chat.PartThinking, Text: "hm"}, {Text: "a"}}, Finish: chat.FinishStop,
			}),
		}},
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
