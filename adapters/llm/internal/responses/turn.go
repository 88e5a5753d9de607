package responses

import (
	"encoding/json"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// turn writes what the model said between others: messages, calls, and thoughts. The vendor refuses a thought that nothing of the model's follows, so
// a thought waits until something does.
type turn struct {
	*encoder
	spoken   item  // the message that is open
	thoughts []any // that wait for what follows them
}

// add writes a message of the model. Of its thoughts goes back what the model can read; the rest is left out, and never sent as text.
func (t *turn) add(m *chat.Message, i int) error {
	for j := range m.Parts {
		switch p := &m.Parts[j]; p.Kind {
		case chat.PartText:
			t.uncached(p.Cache)
			if p.Text != "" {
				t.say(contentPart{Type: partText, Text: &p.Text})
			}
		case chat.PartRefusal:
			t.say(contentPart{Type: partRefusal, Refusal: p.Text})
		case chat.PartThinking:
			t.think(p)
			continue
		case chat.PartToolCall:
			arguments := p.Call.Arguments
			if arguments == "" {
				arguments = "{}"
			}
			t.put(item{Type: itemCall, CallID: chat.PortableID(p.Call.ID), Name: p.Call.Name, Arguments: arguments})
		case chat.PartForeign:
			if p.Foreign == nil || p.Foreign.Dialect != chat.DialectResponses || !json.Valid(p.Foreign.JSON) {
				t.drops.Note(place(i, j)) // what another vendor did by itself: what it said of it remains
				break
			}
			t.put(json.RawMessage(p.Foreign.JSON))
		default: // what the model showed cannot be said to be its own
			return llm.Unsupported(place(i, j))
		}
		if m.Parts[j].Signature != nil { // of another vendor's: here thoughts alone have one
			t.drops.Note("messages[].reasoning")
		}
	}
	t.flush()
	return nil
}

// say goes on with the open message.
func (t *turn) say(p contentPart) {
	t.release()
	t.spoken.Content = append(t.spoken.Content, p)
}

// put writes an item that is no message.
func (t *turn) put(it any) {
	t.flush()
	t.release()
	t.out.Input = append(t.out.Input, it)
}

func (t *turn) think(p *chat.Part) {
	if !t.reads(t.model, p.Signature) {
		t.drops.Note("messages[].reasoning")
		return
	}
	t.flush()
	s := []summary{}
	if p.Text != "" && !p.Redacted {
		s = append(s, summary{partSummary, p.Text})
	}
	t.thoughts = append(t.thoughts, item{Type: itemThought, ID: p.Signature.ID, Summary: &s, Sealed: p.Signature.Data})
}

// release writes the thoughts that waited.
func (t *turn) release() {
	t.out.Input = append(t.out.Input, t.thoughts...)
	t.thoughts = nil
}

// flush ends the open message.
func (t *turn) flush() {
	if len(t.spoken.Content) > 0 {
		t.out.Input = append(t.out.Input, item{Type: itemMessage, Role: string(chat.RoleAssistant), Content: t.spoken.Content})
		t.spoken.Content = nil
	}
}

// end is called when somebody else has the word: thoughts that nothing followed are left out.
func (t *turn) end() {
	t.flush()
	if len(t.thoughts) > 0 {
		t.thoughts = nil
		t.drops.Note("messages[].reasoning")
	}
}
