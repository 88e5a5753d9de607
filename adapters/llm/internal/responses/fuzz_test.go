package responses

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// FuzzEvents reads events, one a line, as the translation and as the relay do: both must take them for the same.
func FuzzEvents(f *testing.F) {
	for _, s := range []string{
		`{"type":"response.created","response":{"id":"r","model":"m"}}` + "\n" + `{"type":"response.output_text.delta","output_index":0,"delta":"a","logprobs":[{"token":"a","bytes":[97]}]}` + "\n" +
			`{"type":"response.completed","response":{"status":"completed","output":[],"usage":{"input_tokens":1,"cost":6e-8}}}` + "\n[DONE]",
		`{"type":"response.output_item.added","output_index":-1,"item":{"type":"function_call"}}` + "\n" + `{"type":"response.function_call_arguments.delta","output_index":-1,"delta":"{"}`,
		`{"type":"response.output_item.done","item":{"type":"reasoning","summary":[1,{"text":2}],"encrypted_content":7}}`, `{"type":"error","error":[]}`,
		`{"type":"response.output_item.done","item":[]}` + "\n" + `{"type":"response.incomplete","response":{"output":{}}}`, `{"type":"response.failed","response":{"error":{"code":7}}}`,
		`{"type":"response.output_text.annotation.added","annotation":{"type":"url_citation","start_index":-1}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, lines []byte) {
		d, r := &decoder{}, &passing{}
		calls, finishes := 0, 0
		for line := range bytes.SplitSeq(lines, []byte{'\n'}) {
			chunks, done, err := d.Event(line)
			frame, _, relayed := r.Event(nil, line)
			if _, is := errors.AsType[*chat.Failure](err); err != nil && !is || chat.ClassOf(err) != chat.ClassOf(relayed) {
				t.Fatalf("%q: translated %v, relayed %v", line, err, relayed)
			}
			if err != nil {
				return
			}
			for _, c := range chunks {
				if c.Finish != "" {
					if finishes++; frame.Finish != c.Finish {
						t.Fatalf("%q: translated %s, relayed %s", line, c.Finish, frame.Finish)
					}
				}
				if (frame.Usage == nil) != (c.Usage == nil) && c.Finish != "" {
					t.Fatalf("%q: translated the usage %v, relayed %v", line, c.Usage, frame.Usage)
				}
				if c.Tool != nil {
					if c.Tool.Index > calls || (c.Tool.Index == calls) != (c.Tool.ID != "") {
						t.Fatalf("%q: the piece %+v, of %d calls so far", line, *c.Tool, calls)
					}
					calls = max(calls, c.Tool.Index+1)
				}
			}
			if finishes > 1 {
				t.Fatalf("%q: a second finish", lines)
			}
			if done {
				return
			}
		}
	})
}

// FuzzSplice changes bodies: what comes out is JSON that asks for the model and for nothing to be kept.
func FuzzSplice(f *testing.F) {
	for _, s := range []string{
		`{}`, ` { "model":1,"include":[1,"reasoning.encrypted_content" ],"store":{} } `, `{"input":[{"type":"reasoning"},{"type":"reasoning","encrypted_content":"forge1-sig-"}]}`,
		`{"input":[{"call_id":"a:b"},{"type":"reasoning","id":"x","encrypted_content":"forge1-sig-b3BlbmFpLXJlc3BvbnNlcy12MQpyc18xCnM"}],"conversation":"c"}`, `{"in\u0070ut":"x","model":"\u00e9"}`,
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, thinks bool) {
		flavour := Flavour{Thoughtless: func(string) bool { return !thinks }}
		out, _, err := flavour.splice(&outbound.Passage{Body: body}, "own")
		if err != nil {
			if chat.ClassOf(err) != chat.ClassInvalid {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		var sent struct {
			Model string `json:"model"`
			Store *bool  `json:"store"`
		}
		if err := json.Unmarshal(out, &sent); err != nil || sent.Store == nil || *sent.Store || sent.Model != "own" {
			t.Fatalf("%q became %q: %v", body, out, err)
		}
		if again, _, err := flavour.splice(&outbound.Passage{Body: out}, "own"); err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%q became %q, and that %q: %v", body, out, again, err)
		}
	})
}

// FuzzAnswer reads whole answers.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"id":"r","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"a","annotations":[{}]},{"type":"refusal","refusal":"b"}]},{"type":"function_call"},{"type":"x"},1]}`,
		`{"output":[{"type":"reasoning","content":[{"text":"t"}],"encrypted_content":"e"}],"usage":7}`, `{"error":"x"}`, `{"status":"incomplete","output":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := Flavour{}.decode(body, outbound.Target{}, nil)
		if err != nil {
			if _, is := errors.AsType[*chat.Failure](err); !is {
				t.Fatalf("%q: got %T", body, err)
			}
			return
		}
		if r.First().Finish == "" {
			t.Fatalf("%q: an answer without a finish", body)
		}
		if read := New(nil, Flavour{}).Read(body); read.Response != nil && len(read.Response.First().Parts) != len(r.First().Parts) {
			t.Fatalf("%q: read %+v, want %+v", body, read.Response, r)
		}
	})
}
