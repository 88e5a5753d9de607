package chatcompletions

import (
	"cmp"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// FormatPlain is the format of thoughts that came without a signature from a server of one's own, and that it wants back while its tools are at work.
const FormatPlain = "reasoning-content-v1"

// assistant writes a turn of the model's own. Of its thoughts goes back what the model can read; the rest is left out, and never sent as text.
func (e *encoder) assistant(m *chat.Message, i int) error {
	out := message{Role: "assistant", Name: m.Name}
	var texts []any
	for j := range m.Parts {
		switch p := &m.Parts[j]; p.Kind {
		case chat.PartText:
			t, err := e.part(p, place(i, j))
			if err != nil {
				return err
			}
			texts = append(texts, t)
			e.signed(&out, p, "")
		case chat.PartRefusal:
			out.Refusal += p.Text
		case chat.PartThinking:
			e.thought(&out, p)
		case chat.PartToolCall:
			id := e.toolID(p.Call.ID)
			out.ToolCalls = append(out.ToolCalls, toolCall{
				ID: id, Type: "function", Function: calledFunction{Name: p.Call.Name, Arguments: arguments(cmp.Or(p.Call.Arguments, "{}"))},
			})
			e.signed(&out, p, id)
		case chat.PartAudio:
			if p.Media == nil || p.Media.FileID == "" || p.Media.Origin != chat.DialectOpenAIChat || e.Kind != OpenAI {
				return llm.Unsupported(place(i, j))
			}
			out.Audio = &audioID{ID: p.Media.FileID}
		case chat.PartForeign:
			if p.Foreign != nil && p.Foreign.Dialect == chat.DialectOpenAIChat {
				texts = append(texts, raw(p.Foreign.JSON))
				break
			}
			e.drops.Note(place(i, j)) // what another vendor did by itself: what it said of it remains
		default:
			e.drops.Add(place(i, j))
		}
	}
	if len(out.ToolCalls) == 0 {
		out.Reasoning = ""
	}
	out.Content = contentOf(texts, &out)
	e.out.Messages = append(e.out.Messages, out)
	return nil
}

// contentOf writes what was said: one text as a string, none as null beside whatever else there is.
func contentOf(texts []any, m *message) any {
	if len(texts) == 1 {
		if p, ok := texts[0].(part); ok && p.Cache == nil {
			return *p.Text
		}
	}
	switch {
	case len(texts) > 0:
		return texts
	case len(m.ToolCalls) > 0, m.Refusal != "", m.Audio != nil:
		return nil
	default:
		return ""
	}
}

// thought sends a thought back, in the form that its maker gave it: text with a signature, a summary with what is encrypted, or that alone.
func (e *encoder) thought(out *message, p *chat.Part) {
	s := p.Signature
	switch {
	case s != nil && s.Format == FormatPlain && e.Kind == Compatible:
		out.Reasoning += p.Text
		return
	case s == nil || e.Kind != OpenRouter || !readsFormat(e.model, s.Format):
		e.drops.Note("messages[].reasoning")
		return
	}
	s = asMade(s)
	switch {
	case p.Redacted || p.Text == "" && s.Format != chat.FormatAnthropic:
		out.addDetail(detail{Type: detailEncrypted, Data: s.Data, ID: s.ID, Format: s.Format})
	case s.Format == chat.FormatAnthropic || s.Data == "":
		out.addDetail(detail{Type: detailText, Text: p.Text, Signature: s.Data, Format: s.Format})
	default:
		kind := detail{Type: detailSummary, Summary: p.Text, Format: s.Format}
		if s.Format == chat.FormatGemini {
			kind = detail{Type: detailText, Text: p.Text, Format: s.Format}
		}
		out.addDetail(kind)
		out.addDetail(detail{Type: detailEncrypted, Data: s.Data, ID: s.ID, Format: s.Format})
	}
}

// signed sends back the signature of a text or of a tool's call, by the id of the call.
func (e *encoder) signed(out *message, p *chat.Part, id string) {
	switch s := p.Signature; {
	case s == nil:
	case e.Kind == OpenRouter && readsFormat(e.model, s.Format):
		s = asMade(s)
		out.addDetail(detail{Type: detailEncrypted, Data: s.Data, ID: id, Format: s.Format})
	default:
		e.drops.Note("messages[].reasoning")
	}
}

// addDetail numbers the details. What belongs to one thought has one number.
func (m *message) addDetail(d detail) {
	n := 0
	if len(m.Details) > 0 {
		last := m.Details[len(m.Details)-1]
		n = *last.Index
		if d.Type != detailEncrypted || last.Type == detailEncrypted || last.Signature != "" || last.Format != d.Format {
			n++
		}
	}
	d.Index = &n
	m.Details = append(m.Details, d)
}

// readsFormat reports whether a model that is named after its maker reads signatures of a format. A name that tells no maker may stand for any.
func readsFormat(model, format string) bool {
	maker, _, _ := strings.Cut(strings.TrimPrefix(model, "~"), "/")
	own := map[string]string{"anthropic": chat.FormatAnthropic, "google": chat.FormatGemini, "openai": chat.FormatOpenAIResold}[maker]
	switch format {
	case "", FormatPlain, chat.FormatOpenAI: // what OpenAI encrypted for another account
		return false
	case chat.FormatAnthropic, chat.FormatGemini, chat.FormatOpenAIResold:
		return own == format || maker == "openrouter"
	default:
		return own == "" // another maker's
	}
}

// asMade is a signature with its format as the vendor calls it.
func asMade(s *chat.Signature) *chat.Signature {
	if s.Format != chat.FormatOpenAIResold {
		return s
	}
	return &chat.Signature{Format: chat.FormatOpenAI, Data: s.Data, ID: s.ID}
}
