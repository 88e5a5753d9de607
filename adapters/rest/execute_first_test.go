package rest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// several is an answer whose first choice is what a task gets: thoughts and the other choice are not shown.
func several() *chat.Response {
	return &chat.Response{Choices: []chat.Choice{
		{
			Parts:  []chat.Part{{Kind: chat.PartThinking, Text: "hidden"}, {Text: "one "}, {Text: "two"}, calling("c1", "f", `{"a":1}`), calling("c2", "g", "{}")},
			Finish: chat.FinishPause,
		},
		{Parts: []chat.Part{{Text: "other"}, calling("c3", "h", "{}")}, Finish: chat.FinishStop},
	}}
}

func TestATaskGetsTheFirstChoice(t *testing.T) {
	const want = `"output":"one two","finish_reason":"length","tool_calls":[{"id":"c1","name":"f","arguments":{"a":1}},{"id":"c2","name":"g","arguments":{}}]`
	paused := func() inbound.Receipt {
		r := receipt()
		r.Finish = chat.FinishPause
		return r
	}
	w := start(t)
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		return inbound.Answer{Receipt: paused(), Response: several()}, nil
	}
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		var pieces []inbound.Piece
		for _, c := range several().Chunks() {
			pieces = append(pieces, inbound.Piece{Chunk: c})
		}
		out := streamOf(false, pieces...)
		out.Receipt = paused
		return out, nil
	}
	for name, body := range map[string]string{"whole": `{"task":"x"}`, "streamed": `{"task":"x","stream":true}`} {
		got := string(w.post(execute, body, aiKey).body)
		if !strings.Contains(got, want) || strings.Contains(got, "hidden") || strings.Contains(got, "other") || strings.Contains(got, "c3") {
			t.Errorf("%s: got %s", name, got)
		}
	}
}
