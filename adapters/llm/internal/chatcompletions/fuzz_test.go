package chatcompletions

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

func FuzzDecoder(f *testing.F) {
	for _, s := range []string{
		`{"id":"x","model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}` + "\n" + `{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"cost":6e-8}}` + "\n[DONE]",
		`{"choices":[{"index":-1,"delta":{"tool_calls":[{"index":-9,"id":"a","function":{"arguments":{"a":1}}},{"id":"b"},{"index":99}]}}]}`,
		`{"choices":"x","error":{"code":"429","metadata":{"raw":7}},"usage":[]}`, `{"choices":[null,{"delta":null,"error":{}}]}`, `{"error":[]}`,
		`{"id":"x","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning":"r","tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{"}}]},"finish_reason":null,"logprobs":null}],"usage":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, lines []byte) {
		d, slow := New(nil, Flavour{}).newDecoder(somewhere), New(nil, Flavour{}).newDecoder(somewhere)
		r := &passing{to: somewhere}
		begun, finishes := map[int]int{}, map[int]int{}
		for line := range bytes.SplitSeq(lines, []byte{'\n'}) {
			chunks, done, err := d.Event(line)
			if _, isFailure := err.(*chat.Failure); err != nil && !isFailure { //nolint:errorlint // the contract is the type itself
				t.Fatalf("%q: got %T", line, err)
			}
			if !isDone(line) {
				slowlyAlike(t, slow, line, chunks, err)
			}
			for _, c := range chunks {
				if c.Choice < 0 || c.Choice >= maxChoices {
					t.Fatalf("%q: the choice %d", line, c.Choice)
				}
				if c.Finish != "" {
					finishes[c.Choice]++
				}
				if c.Tool == nil {
					continue
				}
				if c.Tool.Index < 0 || c.Tool.Index > begun[c.Choice] || (c.Tool.Index == begun[c.Choice]) != (c.Tool.ID != "") {
					t.Fatalf("%q: the piece %+v, of %d calls so far", line, *c.Tool, begun[c.Choice])
				}
				begun[c.Choice] = max(begun[c.Choice], c.Tool.Index+1)
			}
			for choice, n := range finishes {
				if n > 1 {
					t.Fatalf("%q: a second finish of %d", lines, choice)
				}
			}
			if done || err != nil {
				return
			}
			relaysAlike(t, r, d, line)
		}
	})
}

// slowlyAlike fails the test unless encoding/json reads the same.
func slowlyAlike(t *testing.T, slow *decoder, line []byte, chunks []chat.Chunk, err error) {
	t.Helper()
	var a answer
	unread := json.Unmarshal(line, &a)
	want, failed := slow.chunks(&a, unread)
	if chat.ClassOf(err) != chat.ClassOf(failed) {
		t.Fatalf("%q: got %v, by encoding/json %v", line, err, failed)
	}
	if d := cmp.Diff(want, chunks, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%q (-encoding/json +got):\n%s", line, d)
	}
}

// relaysAlike fails the test unless the relay takes what the translation took, and counts the same.
func relaysAlike(t *testing.T, r *passing, d *decoder, line []byte) {
	t.Helper()
	if !json.Valid(line) || bytes.Equal(bytes.TrimSpace(line), []byte("null")) {
		return
	}
	f, _, err := r.Event(nil, line)
	if err != nil {
		t.Fatalf("%q: translated, but not relayed: %v", line, err)
	}
	if f.UsageOnly && (f.Content || f.Usage == nil) {
		t.Fatalf("%q: got %+v", line, f)
	}
	if f.Usage != nil && d.usage == nil {
		t.Fatalf("%q: the relay counts %+v, the translation nothing", line, *f.Usage)
	}
}

func FuzzRelayEvent(f *testing.F) {
	for _, s := range []string{pieceA + pieceEnd + "data: [DONE]\n\n", ": c\n\n" + pieceA + `{"error":1}`, "data:\n\n" + pieceEnd + pieceA, "\xEF\xBB\xBF" + pieceA + `data: {"choices":[{"index":70}],"usage":{"prompt_tokens":1},"error":{}}` + "\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		p, body := answering(eventStream, string(answer))
		frames, err := p.RelayStream(t.Context(), benchTarget, outbound.Passage{Body: []byte(`{"stream":true}`)})
		var passed []byte
		last := outbound.Frame{}
		if err == nil {
			for frame, e := range frames {
				if err != nil {
					t.Fatalf("%q: a frame follows %v", answer, err)
				}
				passed, last, err = append(passed, frame.Raw...), frame, e
			}
		}
		if _, isFailure := err.(*chat.Failure); err != nil && !isFailure { //nolint:errorlint // the contract is the type itself
			t.Fatalf("%q: got %T", answer, err)
		}
		if body.closed == 0 {
			t.Fatalf("%q: the body is open", answer)
		}
		if !bytes.HasPrefix(answer, passed) {
			t.Fatalf("%q was passed on as %q, %+v", answer, passed, last)
		}
	})
}
