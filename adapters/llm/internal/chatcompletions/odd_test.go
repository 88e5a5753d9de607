package chatcompletions

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// TestOddAnswersAreReadAlike holds that whole answers which servers number badly are read, and that the relay's tap sees the same finish.
func TestOddAnswersAreReadAlike(t *testing.T) {
	text := func(s string, finish chat.Finish) chat.Choice {
		return chat.Choice{Parts: []chat.Part{{Text: s}}, Finish: finish}
	}
	tests := map[string]struct {
		body  string
		want  []chat.Choice
		usage *chat.Usage
	}{
		"calls that all have one index and no id": {
			`{"id":"x","choices":[{"message":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":{"a":1}}},{"index":0,"function":{"name":"g","arguments":null}}]},"finish_reason":"stop"}]}`,
			[]chat.Choice{{Finish: chat.FinishToolCalls, Parts: []chat.Part{
				{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: callID("", "x", 0, 0), Name: "f", Arguments: `{"a":1}`}},
				{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: callID("", "x", 0, 1), Name: "g", Arguments: "{}"}},
			}}},
			nil,
		},
		"choices that all have one index": {
			`{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"length"},{"index":0,"message":{"content":"b"},"finish_reason":"stop"}]}`,
			[]chat.Choice{text("a", chat.FinishLength), text("b", chat.FinishStop)},
			nil,
		},
		"a choice with an index of its own": {
			`{"choices":[{"index":5,"message":{"content":"a"},"finish_reason":"length"}]}`, []chat.Choice{text("a", chat.FinishLength)}, nil,
		},
		"calls in another choice than the first": {
			`{"choices":[{"index":0,"message":{"content":"a"}},{"index":1,"message":{"tool_calls":[{"id":"c","function":{"name":"f"}}]},"finish_reason":"stop"}]}`,
			[]chat.Choice{text("a", chat.FinishStop), {Finish: chat.FinishToolCalls, Parts: []chat.Part{{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: "c", Name: "f", Arguments: "{}"}}}}},
			nil,
		},
		"the call of former days": {
			`{"id":"x","choices":[{"message":{"content":null,"function_call":{"name":"f","arguments":"{}"}},"finish_reason":"function_call"}]}`,
			[]chat.Choice{{Finish: chat.FinishToolCalls, Parts: []chat.Part{{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: callID("", "x", 0, 0), Name: "f", Arguments: "{}"}}}}},
			nil,
		},
		"numbers in quotes, and a cache told of in other words": {
			`{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":"12","completion_tokens":"3","prompt_cache_hit_tokens":4,"cost":"0.5","is_byok":true,"cost_details":{"upstream_inference_cost":0.25}}}`,
			[]chat.Choice{text("a", chat.FinishStop)},
			&chat.Usage{Input: 12, Output: 3, CacheRead: 4, CostNanos: nanosOf(750_000_000)},
		},
		"a message of null": {`{"choices":[{"message":null,"finish_reason":"stop"}]}`, []chat.Choice{{Finish: chat.FinishStop}}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := New(&http.Client{Transport: canned{"application/json", []byte(tt.body)}}, Flavour{})
			got, err := p.Complete(t.Context(), benchTarget, &chat.Request{})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got.Choices); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.usage, got.Usage); d != "" {
				t.Errorf("usage (-want +got):\n%s", d)
			}
			passed, err := p.RelayWhole(t.Context(), benchTarget, outbound.Passage{Body: []byte(`{}`)})
			if err != nil || string(passed.Body) != tt.body || !cmp.Equal(passed.Usage, got.Usage) {
				t.Fatalf("relayed: got %+v, %v", passed, err)
			}
			if first := got.First().Finish; passed.Finish != first {
				t.Errorf("relayed: got the finish %s, want %s", passed.Finish, first)
			}
		})
	}
}

func nanosOf(n int64) *int64 { return &n }

func TestLogprobsOfARefusalAreMoreThanTheFormHolds(t *testing.T) {
	const answer = `{"choices":[{"message":{"refusal":"no"},"finish_reason":"stop","logprobs":{"content":null,"refusal":[{"token":"no"}]}}]}`
	if r := reader().Read([]byte(answer)); r.Response != nil || !r.Complete {
		t.Errorf("got %+v, want no response", r)
	}
}

func TestCallsOfAnotherChoiceSayNothingOfTheFirst(t *testing.T) {
	got, _, err := relayed(t, eventStream, `data: {"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f"}}]},"finish_reason":"stop"},{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}`+"\n\n")
	if err != nil || len(got) != 1 || got[0].Finish != chat.FinishStop {
		t.Errorf("got %+v, %v; want the finish of the first choice", got, err)
	}
}

func TestErrorsOfServersInPython(t *testing.T) {
	for body, want := range map[string]string{
		`{"detail":[{"type":"missing","loc":["body"],"msg":"Field required"}]}`: "Field required", `{"detail":"Not Found"}`: "Not Found", `{"detail":{}}`: "", `{"detail":[]}`: "",
	} {
		r, ok := Flavour{Kind: Compatible}.Explain([]byte(body))
		if ok != (want != "") || r.Message != want {
			t.Errorf("%s: got %q, %t; want %q", body, r.Message, ok, want)
		}
		if _, ok := (Flavour{}).Explain([]byte(body)); ok {
			t.Errorf("%s is taken for an error of OpenAI's", body)
		}
	}
}
