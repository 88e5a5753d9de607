package gemini

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/forge1/forge1/domain/chat"
)

// The vendor's roles.
const (
	user  = "user"
	model = "model"
)

// contents fills systemInstruction and contents. The vendor wants at least one content, no content without parts, and the results of
// parallel calls together in one.
func (e *encoder) contents(r *chat.Request) error {
	for i := range r.Messages {
		if m := &r.Messages[i]; m.Role == chat.RoleUser && slices.ContainsFunc(m.Parts, func(p chat.Part) bool { return p.Kind != chat.PartText || p.Text != "" }) {
			e.lastUser = i
		}
	}
	for i := range r.Messages {
		m := &r.Messages[i]
		if m.Name != "" && m.Role != chat.RoleTool {
			e.drops.Add("messages[].name")
		}
		if m.Role != chat.RoleTool && m.Role != chat.RoleSystem {
			e.closeStep()
		}
		if m.Role != chat.RoleAssistant && m.Role != chat.RoleSystem {
			e.add(model, e.settle(nil))
		}
		var err error
		switch m.Role {
		case chat.RoleSystem:
			err = e.system(i, m)
		case chat.RoleTool:
			err = e.results(i, m)
		case chat.RoleAssistant:
			err = e.said(i, m)
		default:
			err = e.asked(i, m)
		}
		if err != nil {
			return err
		}
	}
	e.closeStep()
	e.add(model, e.settle(nil))
	if len(e.out.Contents) == 0 {
		return unsupported("gemini needs at least one message that is not empty", "messages")
	}
	return nil
}

// add appends a content. What the model says in several messages, without a word from anybody else, is one turn of its.
func (e *encoder) add(role string, parts []any) {
	if len(parts) == 0 {
		return
	}
	if n := len(e.out.Contents); role == model && n > 0 && e.out.Contents[n-1].Role == model {
		e.out.Contents[n-1].Parts = append(e.out.Contents[n-1].Parts, parts...)
		return
	}
	e.out.Contents = append(e.out.Contents, content{Role: role, Parts: parts})
}

func (e *encoder) system(i int, m *chat.Message) error {
	for j := range m.Parts {
		p := &m.Parts[j]
		if p.Kind != chat.PartText {
			return unsupported("gemini takes text only in a system message", "messages[%d].content[%d]", i, j)
		}
		e.uncached(p)
		if p.Text == "" {
			continue
		}
		if e.out.SystemInstruction == nil {
			e.out.SystemInstruction = &content{}
		}
		e.out.SystemInstruction.Parts = append(e.out.SystemInstruction.Parts, &part{Text: &p.Text})
	}
	return nil
}

// uncached names what a part asks of the cache: the vendor decides for itself what it keeps.
func (e *encoder) uncached(p *chat.Part) {
	if p.Cache != "" {
		e.drops.Add("messages[].cache_control")
	}
}

// asked adds what a user says.
func (e *encoder) asked(i int, m *chat.Message) error {
	var parts []any
	for j := range m.Parts {
		p, err := e.part(i, j, &m.Parts[j])
		if err != nil {
			return err
		}
		if p != nil {
			parts = append(parts, p)
		}
	}
	e.add(user, parts)
	return nil
}

// part gives a part that anybody may say; nil when there is nothing to send.
func (e *encoder) part(i, j int, p *chat.Part) (any, error) {
	e.uncached(p)
	switch p.Kind {
	case chat.PartText, chat.PartRefusal:
		signature := e.signature(p)
		if p.Text == "" && signature == "" {
			return nil, nil // an empty part is no part
		}
		return &part{Text: &p.Text, ThoughtSignature: signature}, nil
	case chat.PartImage, chat.PartAudio, chat.PartFile:
		out, err := e.media(p, i, j)
		if err != nil {
			return nil, err
		}
		out.ThoughtSignature = e.signature(p)
		return out, nil
	case chat.PartForeign:
		if p.Foreign == nil || p.Foreign.Dialect != chat.DialectGemini || !isObject(p.Foreign.JSON) {
			e.drops.Note(fmt.Sprintf("messages[%d].content[%d]", i, j))
			return nil, nil // another vendor's own is no part here
		}
		return json.RawMessage(p.Foreign.JSON), nil
	case chat.PartThinking:
		e.drops.Note(reasoning)
		return nil, nil // thoughts of nobody's
	default:
		return nil, unsupported("gemini takes no such part here", "messages[%d].content[%d]", i, j)
	}
}

// said adds what the model said. Signatures stand where they stood; one that stands alone goes to the call that follows it, and stays alone otherwise.
func (e *encoder) said(i int, m *chat.Message) error {
	if n := len(e.out.Contents); n == 0 || e.out.Contents[n-1].Role != model {
		e.steps++
	}
	var parts []any
	own := signed(m)
	for j := range m.Parts {
		p := &m.Parts[j]
		switch p.Kind {
		case chat.PartToolCall:
			c, err := e.call(i, p)
			if err != nil {
				return err
			}
			if e.loose != c.ThoughtSignature {
				parts = e.settle(parts)
			}
			e.loose, e.thinking = "", nil
			parts = append(parts, c)
		case chat.PartThinking:
			thought := e.thought(p, own)
			if thought == nil {
				continue
			}
			parts = e.settle(parts)
			if *thought.Text == "" {
				e.loose = thought.ThoughtSignature
				continue
			}
			e.thinking = thought
			parts = append(parts, thought)
		default:
			out, err := e.part(i, j, p)
			if err != nil {
				return err
			}
			if out != nil {
				parts = append(e.settle(parts), out)
			}
		}
	}
	e.add(model, parts)
	return nil
}

// settle adds a signature that nothing has followed which it could belong to.
func (e *encoder) settle(parts []any) []any {
	if e.loose != "" {
		parts = append(parts, &part{Text: new(string), ThoughtSignature: e.loose})
	}
	e.loose, e.thinking = "", nil
	return parts
}
