package chatcompletions

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/chat"
)

// piece is a part of a message: a member of a delta, whose text may come in pieces.
type piece struct {
	text  string
	delta func(text string, first, last bool) map[string]any
}

var words = rapid.SampledFrom([]string{"a", " ", "ü", "👋🏽", "\"", "\\n", "line\n", "{\"x\":1}", ""})

func drawText(t *rapid.T, name string) string {
	return strings.Join(rapid.SliceOfN(words, 1, 5).Draw(t, name), "")
}

// drawMessage gives the pieces that a message is made of, in the order in which vendors send them.
func drawMessage(t *rapid.T) (out []piece) {
	add := func(member string, draw bool) {
		if draw {
			out = append(out, piece{drawText(t, member), func(text string, _, _ bool) map[string]any { return map[string]any{member: text} }})
		}
	}
	switch rapid.SampledFrom([]string{"none", "plain", "signed", "summary"}).Draw(t, "thought") {
	case "plain":
		add("reasoning", true)
	case "signed":
		out = append(out, piece{drawText(t, "thought") + ".", func(text string, _, last bool) map[string]any {
			d := map[string]any{"type": detailText, "text": text, "format": chat.FormatAnthropic, "index": 0}
			if last {
				d["signature"] = "s"
			}
			return map[string]any{"reasoning": text, "reasoning_details": []any{d}}
		}})
	case "summary":
		out = append(out, piece{drawText(t, "summary") + ".", func(text string, _, _ bool) map[string]any {
			return map[string]any{"reasoning_details": []any{map[string]any{"type": detailSummary, "summary": text, "format": chat.FormatOpenAI, "index": 0}}}
		}}, piece{"", func(string, bool, bool) map[string]any {
			return map[string]any{"reasoning_details": []any{map[string]any{"type": detailEncrypted, "data": "e", "id": "rs", "format": chat.FormatOpenAI, "index": 0}}}
		}})
	}
	add("content", rapid.Bool().Draw(t, "says"))
	add("refusal", rapid.Bool().Draw(t, "refuses"))
	for i := range rapid.IntRange(0, 3).Draw(t, "calls") {
		out = append(out, piece{drawText(t, "arguments"), func(text string, first, _ bool) map[string]any {
			call := map[string]any{"index": i, "function": map[string]any{"arguments": text}}
			if first {
				call["id"], call["type"] = fmt.Sprintf("call_%d", i), "function"
				call["function"].(map[string]any)["name"] = "f"
			}
			return map[string]any{"tool_calls": []any{call}}
		}})
	}
	return out
}

// whole merges the pieces of a message into one.
func whole(pieces []piece) map[string]any {
	out := map[string]any{"role": "assistant", "content": nil}
	for _, p := range pieces {
		for k, v := range p.delta(p.text, true, true) {
			list, isList := v.([]any)
			before, _ := out[k].([]any)
			if isList {
				out[k] = append(before, list...)
			} else {
				out[k] = v
			}
		}
	}
	return out
}

// TestAnAnswerIsTheSameWholeAndInPieces draws answers and cuts them at random: what is gathered is what the whole says, relayed or translated.
func TestAnAnswerIsTheSameWholeAndInPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []any
		var deltas []map[string]any // as choices of chunks
		n := rapid.IntRange(1, 3).Draw(t, "choices")
		finish := rapid.SampledFrom([]string{"stop", "length", "content_filter"}).Draw(t, "finish")
		for i := range n {
			pieces := drawMessage(t)
			list = append(list, map[string]any{"index": i, "message": whole(pieces), "finish_reason": finish})
			for _, p := range pieces {
				runes := []rune(p.text)
				for from, first := 0, true; first || from < len(runes); first = false {
					to := from + rapid.IntRange(0, len(runes)-from).Draw(t, "cut")
					deltas = append(deltas, map[string]any{"index": i, "delta": p.delta(string(runes[from:to]), first, to == len(runes))})
					from = to
				}
			}
			deltas = append(deltas, map[string]any{"index": i, "delta": map[string]any{}, "finish_reason": finish})
		}
		usage := map[string]any{"prompt_tokens": 3, "completion_tokens": 4}
		body := encoded(t, map[string]any{"id": "x", "model": "m", "choices": list, "usage": usage})
		p := New(nil, Flavour{Kind: OpenRouter})
		want, err := p.decode(body, somewhere, nil)
		if err != nil {
			t.Fatal(err)
		}
		add, read := p.Gather()
		send := func(event map[string]any) { add(append(append([]byte("data: "), encoded(t, event)...), "\n\n"...)) }
		for _, d := range deltas {
			send(map[string]any{"id": "x", "model": "m", "choices": []any{d}})
		}
		send(map[string]any{"id": "x", "model": "m", "choices": []any{}, "usage": usage})
		add([]byte("data: [DONE]\n\n"))
		if d := cmp.Diff(want, read().Response); d != "" {
			t.Fatalf("(-whole +gathered):\n%s\nof %s", d, body)
		}
		if r := p.Read(body); !cmp.Equal(r.Response, want) || r.Complete != read().Complete {
			t.Fatalf("read %+v", r)
		}
	})
}

func encoded(t *rapid.T, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
