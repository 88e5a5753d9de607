package anthropic

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/forge1/forge1/domain/chat"
)

// The vendor's roles.
const (
	user      = "user"
	assistant = "assistant"
)

// fieldReasoning names thoughts of another vendor's, which this one cannot read.
const fieldReasoning = "messages[].reasoning"

// messages fills system and messages. The vendor wants the first turn to be the user's, turns that alternate, the results of tools first in a turn, no
// text block without text, and no white space at the end of a final turn of the assistant.
func (e *encoder) messages(r *chat.Request) error {
	for i := range r.Messages {
		m := &r.Messages[i]
		if m.Name != "" {
			e.drops.Add("messages[].name")
		}
		var err error
		switch m.Role {
		case chat.RoleSystem:
			err = e.system(i, m)
		case chat.RoleAssistant:
			err = e.assistant(i, m)
		case chat.RoleTool:
			err = e.toolResults(i, m)
		default:
			var blocks []any
			if blocks, err = e.parts(i, m.Parts); err == nil {
				e.add(user, blocks)
			}
		}
		if err != nil {
			return err
		}
	}
	if len(e.out.Messages) == 0 {
		return unsupported("anthropic needs at least one user message that is not blank", "messages")
	}
	return e.ending(len(r.Messages) - 1)
}

// add appends blocks to the last turn when it is of the same role.
func (e *encoder) add(role string, blocks []any) {
	if len(blocks) == 0 {
		return
	}
	if n := len(e.out.Messages); n > 0 && e.out.Messages[n-1].Role == role {
		e.out.Messages[n-1].Content = append(e.out.Messages[n-1].Content, blocks...)
		return
	}
	e.out.Messages = append(e.out.Messages, turn{Role: role, Content: blocks})
}

func (e *encoder) system(i int, m *chat.Message) error {
	for j := range m.Parts {
		if m.Parts[j].Kind != chat.PartText {
			return unsupported("anthropic takes text only in a system message", "messages[%d].content[%d]", i, j)
		}
	}
	blocks, err := e.parts(i, m.Parts)
	e.out.System = append(e.out.System, blocks...)
	return err
}

func (e *encoder) assistant(i int, m *chat.Message) error {
	if len(e.out.Messages) == 0 {
		if len(m.Calls()) > 0 {
			return unsupported("anthropic wants a user message before the first tool call", "messages[%d].role", i)
		}
		if m.Text() != "" {
			e.drops.Add(fmt.Sprintf("messages[%d]", i)) // a greeting: the vendor refuses a conversation that it opens
		}
		return nil
	}
	var blocks []any
	calls, strange := 0, false
	for j := range m.Parts {
		p := &m.Parts[j]
		b, err := e.said(i, j, calls, p)
		if err != nil {
			return err
		}
		if p.Kind == chat.PartToolCall {
			calls++
			strange = strange || !strings.HasPrefix(p.Call.ID, ownCall)
		}
		if b != nil {
			blocks = append(blocks, b)
		}
		strange = strange || b == nil && p.Kind == chat.PartThinking
	}
	e.add(assistant, blocks)
	if last := &e.out.Messages[len(e.out.Messages)-1]; last.Role == assistant {
		last.strange = last.strange || strange
	}
	return nil
}

// ownCall is what the ids of the vendor's own calls begin with.
const ownCall = "toolu_"

// said gives the block of a part that the model said; nil for none.
func (e *encoder) said(i, j, call int, p *chat.Part) (any, error) {
	switch p.Kind {
	case chat.PartText, chat.PartRefusal:
		return e.text(p), nil
	case chat.PartThinking:
		return e.thought(p), nil
	case chat.PartToolCall:
		input := json.RawMessage(p.Call.Arguments)
		if strings.TrimSpace(p.Call.Arguments) == "" {
			input = json.RawMessage("{}")
		}
		if !isObject(input) {
			return nil, unsupported("anthropic takes a JSON object only", "messages[%d].tool_calls[%d].function.arguments", i, call)
		}
		return &block{Type: "tool_use", ID: e.ids.call(p.Call.ID), Name: p.Call.Name, Input: input, Cache: cachePoint(p.Cache)}, nil
	case chat.PartForeign:
		if own := foreign(p); own != nil {
			return own, nil
		}
		e.lose("messages[].content")
		return nil, nil
	default:
		return nil, unsupported("anthropic takes text only in an assistant message", "messages[%d].content[%d]", i, j)
	}
}

// thought gives back what the model thought, as it signed it; nil for what another vendor thought, and for a signature that is another's.
func (e *encoder) thought(p *chat.Part) any {
	s := p.Signature
	switch {
	case s == nil || s.Format != chat.FormatAnthropic || s.Data == "":
		e.lose(fieldReasoning)
		return nil
	case p.Redacted:
		return &block{Type: "redacted_thinking", Data: s.Data}
	default:
		text := p.Text
		return &block{Type: "thinking", Thinking: &text, Signature: s.Data}
	}
}

// foreign gives a part of the vendor's own dialect as it came; nil for another's.
func foreign(p *chat.Part) any {
	if f := p.Foreign; f != nil && f.Dialect == chat.DialectAnthropic && isObject(f.JSON) {
		return json.RawMessage(f.JSON)
	}
	return nil
}

// text gives the block of a text; nil for one without text, and for one of white space, which the vendor would refuse.
func (e *encoder) text(p *chat.Part) any {
	if strings.TrimSpace(p.Text) == "" {
		if p.Text != "" {
			e.drops.Add("messages[].content")
		}
		return nil
	}
	b := &block{Type: "text", Text: p.Text, Cache: cachePoint(p.Cache)}
	for i := range p.Citations {
		if f := p.Citations[i].Foreign; f != nil && f.Dialect == chat.DialectAnthropic && isObject(f.JSON) {
			b.Citations = append(b.Citations, f.JSON)
		}
	}
	return b
}

// toolResults puts results in front of what else is in the turn, behind other results.
func (e *encoder) toolResults(i int, m *chat.Message) error {
	for j := range m.Parts {
		p := &m.Parts[j]
		if p.Kind != chat.PartToolResult {
			return unsupported("anthropic takes results only in a tool message", "messages[%d].content[%d]", i, j)
		}
		b, err := e.toolResult(i, p)
		if err != nil {
			return err
		}
		n := len(e.out.Messages)
		if n == 0 || e.out.Messages[n-1].Role != user {
			e.add(user, []any{b})
			continue
		}
		content := e.out.Messages[n-1].Content
		at := slices.IndexFunc(content, func(c any) bool { r, ok := c.(*block); return !ok || r.Type != "tool_result" })
		if at < 0 {
			at = len(content)
		}
		e.out.Messages[n-1].Content = slices.Insert(content, at, any(b))
	}
	return nil
}

func (e *encoder) toolResult(i int, p *chat.Part) (*block, error) {
	r := p.Result
	out := &block{Type: "tool_result", ToolUseID: e.ids.result(r.CallID), IsError: r.Error, Cache: cachePoint(p.Cache)}
	plain := true
	for j := range r.Parts {
		inner := &r.Parts[j]
		plain = plain && inner.Kind == chat.PartText
		if out.Cache == nil {
			out.Cache = cachePoint(inner.Cache) // the end of the result is as good a point, and nested ones are not taken everywhere
		}
	}
	if plain {
		if text := r.Text(); text != "" {
			out.Content = text // as one string any text is taken, a blank one too
		}
		return out, nil
	}
	blocks, err := e.parts(i, r.Parts)
	for _, b := range blocks {
		if b, ok := b.(*block); ok {
			b.Cache = nil
		}
	}
	out.Content = blocks
	return out, err
}

// parts gives the blocks of what a user, a tool or an operator says.
func (e *encoder) parts(i int, parts []chat.Part) ([]any, error) {
	var blocks []any
	for j := range parts {
		p := &parts[j]
		switch p.Kind {
		case chat.PartText, chat.PartRefusal:
			if b := e.text(p); b != nil {
				blocks = append(blocks, b)
			}
		case chat.PartImage, chat.PartFile:
			b, why := e.media(p)
			if b == nil {
				return nil, unsupported(why, "messages[%d].content[%d]", i, j)
			}
			blocks = append(blocks, b)
		case chat.PartForeign:
			b := foreign(p)
			if b == nil {
				return nil, unsupported("anthropic does not know this part", "messages[%d].content[%d]", i, j)
			}
			blocks = append(blocks, b)
		default:
			return nil, unsupported("anthropic takes text, images and documents only", "messages[%d].content[%d]", i, j)
		}
	}
	return blocks, nil
}

// ending makes a conversation that ends with words of the assistant's acceptable: they are where the model goes on from. Models from 4.6 on refuse
// that, but for a turn that the vendor itself paused; others refuse white space at its end.
func (e *encoder) ending(i int) error {
	last := &e.out.Messages[len(e.out.Messages)-1]
	if last.Role != assistant {
		return nil
	}
	for _, c := range last.Content {
		if _, own := c.(json.RawMessage); own {
			return nil // paused
		}
	}
	end, ok := last.Content[len(last.Content)-1].(*block)
	if !ok || end.Type != "text" {
		return nil
	}
	if !e.model.takesPrefill() {
		return unsupported("this model does not go on from words of the assistant's", "messages[%d]", i)
	}
	if trimmed := strings.TrimRightFunc(end.Text, unicode.IsSpace); trimmed != end.Text {
		end.Text = trimmed
		e.drops.Add("messages[].content")
	}
	return nil
}
