package rest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"

	"github.com/forge1/forge1/adapters/rest"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
)

// FuzzMessages holds that any body is read, or refused as the sender's mistake; that what is translated was scanned; and that the text which routing
// counts is there in the neutral form.
func FuzzMessages(f *testing.F) {
	for _, more := range []string{
		"", `,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}]`, `,"tools":[{"name":"f","input_schema":{}},{"type":"web_search_20250305","name":"web_search"}],"tool_choice":{"type":"tool","name":"f"}`,
		`,"thinking":{"type":"enabled","budget_tokens":1024},"output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object"}}}`, `,"stop_sequences":["a"],"top_k":1,"top_p":0.1,"temperature":1e0`,
		`,"\u006dodel":"x"`, `,"metadata":{"user_id":"\ud83d\udc4d"}`, `,"cache_control":{"type":"ephemeral"},"x":[[[]]]`,
	} {
		f.Add([]byte(messagesBody(more)))
	}
	f.Add([]byte(`{"model":"a","max_tokens":1,"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"` + unsigned + `"},{"type":"tool_use","id":"c","name":"f","input":{}}]},` +
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"image","source":{"type":"url","url":"https://x"}}]},{"type":"document","source":{"type":"content","content":"x"}}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		textBytes, _, vision, _, _, scanned := rest.ScanMessages(body)
		r, name, parsed := rest.ParseMessages(body, false)
		for _, err := range []error{scanned, parsed} {
			if fe, ok := errors.AsType[*fault.Error](err); err != nil && (!ok || fe.Kind != fault.Malformed && fe.Kind != fault.Invalid) {
				t.Fatalf("%q: got %v, which is no mistake of the sender", body, err)
			}
		}
		if scanned != nil || parsed != nil {
			return
		}
		if r.HasImages() && !vision {
			t.Errorf("%q: a picture was not seen", body)
		}
		said := 0
		for _, m := range r.Messages {
			said += len(m.Text())
		}
		if said > textBytes+2*len(r.Messages)*64+len(body) {
			t.Errorf("%q: %d bytes were scanned, %d are said", body, textBytes, said)
		}
		for _, field := range append(r.Untranslated, "messages[0].content[0]", "messages[", "tools[1]") {
			name(field)
		}
	})
}

// FuzzMessageStream holds that whatever chunks come, in whatever order, the stream is one that Anthropic's client gathers: blocks come one after the
// other, and none is lost.
func FuzzMessageStream(f *testing.F) {
	f.Add([]byte("taTAcbBgp"))
	f.Add([]byte("0{1{0}1}t"))
	f.Add([]byte("0{t1{s}r0}hg"))
	f.Fuzz(func(t *testing.T, script []byte) {
		checkStream(t, chunksOf(script))
	})
}

// chunksOf makes chunks of a script.
func chunksOf(script []byte) (out []chat.Chunk) {
	call := 0
	for _, b := range script {
		var c chat.Chunk
		switch b {
		case 't', 'T':
			c.Text, c.New = "text", b == 'T'
		case 'h', 'H':
			c.Thinking, c.New = "thought", b == 'H'
		case 'r':
			c.Refusal = "no"
		case 's', 'g':
			c.Signature = &chat.Signature{Format: map[byte]string{'s': chat.FormatAnthropic, 'g': chat.FormatGemini}[b], Data: "x"}
		case 'c':
			c.Citations = []chat.Citation{{URL: "u"}}
		case 'p':
			c.Part = &chat.Part{Kind: chat.PartThinking, Redacted: true, Signature: &chat.Signature{Format: "x", Data: "y"}}
		case '0', '1', '2', '3':
			call = int(b - '0')
			c.Tool = &chat.ToolDelta{Index: call, ID: "c" + string(b), Name: "f"}
		case 'o':
			c.Choice, c.Text = 1, "other"
		case 'f':
			c.Finish = chat.FinishLength
		default:
			c.Tool = &chat.ToolDelta{Index: call, Arguments: string(rune(b))}
		}
		out = append(out, c)
	}
	return out
}

// checkStream has Anthropic's client gather a stream, and holds its order against what the API promises.
func checkStream(t *testing.T, chunks []chat.Chunk) {
	t.Helper()
	var m anthropic.Message
	open, last, said := -1, "", 0
	for frame := range strings.SplitSeq(strings.TrimSuffix(streamed(messageReceipt(), chunks), "\n\n"), "\n\n") {
		head, data, _ := strings.Cut(frame, "\n")
		data = strings.TrimPrefix(data, "data: ")
		var e anthropic.MessageStreamEventUnion
		if !json.Valid([]byte(data)) || bytes.ContainsRune([]byte(data), '\n') || json.Unmarshal([]byte(data), &e) != nil || head != "event: "+e.Type {
			t.Fatalf("got the frame %q", frame)
		}
		switch {
		case (last == "") != (e.Type == "message_start"), last == "message_stop":
			t.Fatalf("%s follows %q", e.Type, last)
		case e.Type == "content_block_start" && open >= 0, strings.HasPrefix(e.Type, "content_block_") && e.Type != "content_block_start" && int(e.Index) != open:
			t.Fatalf("%s of %d while %d is open", e.Type, e.Index, open)
		case e.Type == "content_block_start":
			open = int(e.Index)
		case e.Type == "content_block_stop":
			open = -1
		}
		said += len(e.Delta.Text) + len(e.Delta.Thinking)
		if last = e.Type; e.Type == "ping" {
			continue
		}
		if err := m.Accumulate(e); err != nil {
			t.Fatal(err)
		}
	}
	want := 0
	for i := range chunks {
		if c := &chunks[i]; c.Choice == 0 {
			want += len(c.Text) + len(c.Refusal) + len(c.Thinking)
		}
	}
	if last != "message_stop" || open >= 0 || said != want {
		t.Fatalf("the stream ends with %s, %d is open, and %d bytes of %d were said", last, open, said, want)
	}
}
