package responses

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/domain/chat"
)

// telling is one item on its way, in pieces or as one.
type telling struct {
	d      *decoder
	kind   string
	id     string
	callID string
	name   string
	call   int // number of the call
	begun  bool
	spoken bool // something of it was told
	noted  bool // a citation was told
	part   int  // that spoke last, by its kind and index; 0 for none
}

// know reads what kind of item it is.
func (t *telling) know(value []byte) {
	w := jsonscan.Walk(value, 0)
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		value := w.Skip()
		switch string(key) {
		case "type":
			t.kind = jsonscan.Unquote(value)
		case "id":
			t.id = jsonscan.Unquote(value)
		case "call_id":
			t.callID = jsonscan.Unquote(value)
		case "name":
			t.name = jsonscan.Unquote(value)
		}
	}
	if t.kind == "" {
		t.kind = "unknown"
	}
}

// clientsItems are the items that the client is to answer, beside calls of functions.
var clientsItems = map[string]bool{
	"custom_tool_call": true, "computer_call": true, "local_shell_call": true, "apply_patch_call": true, "mcp_approval_request": true,
}

// begin tells of an item that has begun: of a call, whose name and id come first.
func (t *telling) begin(out []chat.Chunk) []chat.Chunk {
	if t.kind != itemCall || t.begun {
		t.d.called = t.d.called || clientsItems[t.kind]
		return out
	}
	t.begun, t.d.called, t.call = true, true, t.d.calls
	t.d.calls++
	t.d.last, t.d.open = t, false
	return append(out, chat.Chunk{Tool: &chat.ToolDelta{Index: t.call, ID: t.idOfCall(), Name: t.name}})
}

// idOfCall keeps the vendor's id. Some servers give none: then one is made, of what tells this call from those of other answers.
func (t *telling) idOfCall() string {
	switch {
	case t.callID != "":
		return t.callID
	case t.id != "":
		return t.id
	}
	h := sha256.Sum256(fmt.Appendf(nil, "%s/%d", t.d.id, t.call))
	return "call_" + hex.EncodeToString(h[:12])
}

// piece tells a piece of a text, a refusal, a thought or a call.
func (t *telling) piece(out []chat.Chunk, e *event) []chat.Chunk {
	text := jsonscan.Unquote(e.delta)
	if text == "" {
		return out
	}
	if e.kind == kindArguments {
		if !t.begun { // of a call that never began nobody knows the name
			return out
		}
		t.spoken = true
		return append(out, chat.Chunk{Tool: &chat.ToolDelta{Index: t.call, Arguments: text}})
	}
	c := chat.Chunk{}
	if e.kind == kindText && !empty(e.logprobs) {
		c.Logprobs = logprobsOf(e.logprobs)
	}
	return append(out, t.speak(c, e.kind, e.content, text))
}

// speak makes a chunk of text. Each part of a message is one of the answer; those of a thought, which has one signature, are one thought.
func (t *telling) speak(c chat.Chunk, k kind, content int, text string) chat.Chunk {
	part := int(k)<<16 | content&0xFFFF + 1
	fresh := part != t.part
	thought := k == kindSummary || k == kindReasoning
	switch {
	case thought && fresh && t.part != 0:
		text = "\n\n" + text
	case fresh:
		c.New = true
	}
	switch {
	case thought:
		c.Thinking = text
	case k == kindRefusal:
		c.Refusal = text
	default:
		c.Text = text
	}
	t.part, t.spoken, t.d.last, t.d.open = part, true, t, true
	return c
}

// note tells where a text is from.
func (t *telling) note(out []chat.Chunk, annotation []byte) []chat.Chunk {
	c, ok := citationOf(annotation)
	if !ok {
		return out
	}
	t.noted, t.d.open = true, true
	return append(out, chat.Chunk{Citations: []chat.Citation{c}})
}

// end tells what of an item was not told in pieces.
func (t *telling) end(out []chat.Chunk, value []byte) []chat.Chunk {
	switch t.kind {
	case itemMessage:
		return t.endMessage(out, value)
	case itemThought:
		return t.endThought(out, value)
	case itemCall:
		out = t.begin(out)
		if arguments := jsonscan.Unquote(member(value, "arguments")); !t.spoken && arguments != "" {
			t.spoken = true
			out = append(out, chat.Chunk{Tool: &chat.ToolDelta{Index: t.call, Arguments: arguments}})
		}
		return out
	default:
		out = t.begin(out)
		t.d.last, t.d.open = t, false
		return append(out, chat.Chunk{Part: &chat.Part{
			Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectResponses, JSON: bytes.Clone(value)},
		}})
	}
}

func (t *telling) endMessage(out []chat.Chunk, value []byte) []chat.Chunk {
	whole, content := !t.spoken, 0
	each(member(value, "content"), func(part []byte) {
		var p struct {
			Text     string          `json:"text"`
			Refusal  string          `json:"refusal"`
			Logprobs json.RawMessage `json:"logprobs"`
			Notes    json.RawMessage `json:"annotations"`
		}
		_ = json.Unmarshal(part, &p) // a field of another type than ours is no reason to lose the others
		if whole {
			switch {
			case p.Text != "":
				out = append(out, t.speak(chat.Chunk{Logprobs: logprobsOf(p.Logprobs)}, kindText, content, p.Text))
			case p.Refusal != "":
				out = append(out, t.speak(chat.Chunk{}, kindRefusal, content, p.Refusal))
			}
		}
		if whole || !t.noted && content == 0 {
			each(p.Notes, func(note []byte) {
				if c, ok := citationOf(note); ok {
					out = append(out, chat.Chunk{Citations: []chat.Citation{c}})
				}
			})
		}
		content++
	})
	return out
}

// endThought tells what the vendor wants back.
func (t *telling) endThought(out []chat.Chunk, value []byte) []chat.Chunk {
	if !t.spoken {
		for _, of := range [...]struct {
			name string
			kind kind
		}{{"summary", kindSummary}, {"content", kindReasoning}} {
			n := 0
			each(member(value, of.name), func(part []byte) {
				if text := jsonscan.Unquote(member(part, "text")); text != "" {
					out = append(out, t.speak(chat.Chunk{}, of.kind, n, text))
				}
				n++
			})
		}
	}
	sealed := jsonscan.Unquote(member(value, "encrypted_content"))
	if sealed == "" {
		return out
	}
	s := &chat.Signature{Format: chat.FormatOpenAI, Data: sealed, ID: t.id}
	if f := jsonscan.Unquote(member(value, "format")); f != "" { // OpenRouter tells whose it is
		s.Format = f
	}
	alone := !t.spoken || t.d.last != t
	open := t.d.open
	t.d.last, t.d.open = t, false
	if !alone || !open {
		return append(out, chat.Chunk{Signature: s})
	}
	return append(out, chat.Chunk{Part: &chat.Part{Kind: chat.PartThinking, Signature: s}})
}
