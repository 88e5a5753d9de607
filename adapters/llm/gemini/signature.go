package gemini

import "github.com/forge1/forge1/domain/chat"

// reasoning is the name of thoughts that are left out.
const reasoning = "messages[].reasoning"

// noSignature stands where models from the third generation on demand the signature of a call and nobody has it: it got lost, or the call is another
// vendor's. The vendor documents this value for that.
const noSignature = "skip_thought_signature_validator"

// signature gives the vendor's own signature of a part, "" when it has none. Another vendor's is left out.
func (e *encoder) signature(p *chat.Part) string {
	switch {
	case p.Signature == nil:
		return ""
	case p.Signature.Format != chat.FormatGemini:
		e.drops.Note(reasoning)
		return ""
	default:
		return p.Signature.Data
	}
}

// signed reports whether a message was said by this vendor's model, as far as its signatures tell.
func signed(m *chat.Message) bool {
	for i := range m.Parts {
		if s := m.Parts[i].Signature; s != nil && s.Format == chat.FormatGemini {
			return true
		}
	}
	return false
}

// thought gives a thought of the vendor's own; nil for any other, which is left out. own says that the message is this vendor's, so that a thought
// without a signature is so too.
func (e *encoder) thought(p *chat.Part, own bool) *part {
	e.uncached(p)
	if p.Text == "" && p.Signature == nil {
		return nil
	}
	signature := e.signature(p)
	if signature == "" && (!own || p.Signature != nil) || p.Redacted {
		e.drops.Note(reasoning)
		return nil
	}
	return &part{Text: &p.Text, Thought: p.Text != "", ThoughtSignature: signature}
}
