package bedrock

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/forge1/forge1/domain/chat"
)

// The API's roles.
const (
	user      = "user"
	assistant = "assistant"
)

// fieldReasoning names thoughts of another vendor's, which this one cannot read.
const fieldReasoning = "messages[].reasoning"

// messages fills system and messages. The API wants the first turn to be the user's, turns that alternate, the results of tools first in a turn, and no
// text that is blank.
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
			err = e.results(i, m)
		default:
			var blocks []block
			if blocks, err = e.parts(i, m.Parts); err == nil {
				e.add(user, blocks)
			}
		}
		if err != nil {
			return err
		}
	}
	if len(e.out.Messages) == 0 {
		return unsupported("bedrock needs at least one user message that is not blank", "messages")
	}
	return e.ending(len(r.Messages) - 1)
}

// add appends blocks to the last turn when it is of the same role.
func (e *encoder) add(role string, blocks []block) {
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
			return unsupported("bedrock takes text only in a system message", "messages[%d].content[%d]", i, j)
		}
	}
	blocks, err := e.parts(i, m.Parts)
	e.out.System = append(e.out.System, blocks...)
	return err
}

func (e *encoder) assistant(i int, m *chat.Message) error {
	if len(e.out.Messages) == 0 {
		if len(m.Calls()) > 0 {
			return unsupported("bedrock wants a user message before the first tool call", "messages[%d].role", i)
		}
		if m.Text() != "" {
			e.drops.Add(fmt.Sprintf("messages[%d]", i)) // a greeting: the API refuses a conversation that it opens
		}
		return nil
	}
	var blocks []block
	calls := 0
	for j := range m.Parts {
		p := &m.Parts[j]
		b, err := e.said(i, j, calls, p)
		if err != nil {
			return err
		}
		if p.Kind == chat.PartToolCall {
			calls++
		}
		blocks = e.point(append(blocks, b...), p.Cache)
	}
	e.add(assistant, blocks)
	return nil
}

// said gives the block of a part that the model said, or none.
func (e *encoder) said(i, j, call int, p *chat.Part) ([]block, error) {
	switch p.Kind {
	case chat.PartText, chat.PartRefusal:
		return e.text(p), nil
	case chat.PartThinking:
		return e.thought(p), nil
	case chat.PartToolCall:
		input := json.RawMessage(p.Call.Arguments)
		if p.Call.Arguments == "" {
			input = json.RawMessage("{}")
		}
		if !isObject(input) {
			return nil, unsupported("bedrock takes a JSON object only", "messages[%d].tool_calls[%d].function.arguments", i, call)
		}
		return []block{{ToolUse: &toolUse{ID: e.ids.call(p.Call.ID), Name: p.Call.Name, Input: input}}}, nil
	case chat.PartForeign:
		e.drops.Note("messages[].content")
		return nil, nil
	default:
		return nil, unsupported("bedrock takes text only in an assistant message", "messages[%d].content[%d]", i, j)
	}
}

// thought gives back what the model thought, as it signed it; nothing for what another thought.
func (e *encoder) thought(p *chat.Part) []block {
	s := p.Signature
	switch {
	case s == nil || s.Format != e.model.signs() || s.Data == "" || p.Redacted && !isBase64(s.Data):
		e.drops.Note(fieldReasoning)
		return nil
	case p.Redacted:
		return []block{{Reasoning: &reasoning{Redacted: s.Data}}}
	default:
		return []block{{Reasoning: &reasoning{Text: &reasoningText{Text: p.Text, Signature: s.Data}}}}
	}
}

func isBase64(s string) bool {
	_, err := base64.StdEncoding.DecodeString(s)
	return err == nil
}

// text gives the block of a text; none for one that is blank, which the API would refuse.
func (e *encoder) text(p *chat.Part) []block {
	if strings.TrimSpace(p.Text) == "" {
		if p.Text != "" {
			e.drops.Add("messages[].content")
		}
		return nil
	}
	text := p.Text
	return []block{{Text: &text}}
}

// results puts the results of tools in front of what else is in the turn, behind other results.
func (e *encoder) results(i int, m *chat.Message) error {
	for j := range m.Parts {
		p := &m.Parts[j]
		if p.Kind != chat.PartToolResult || p.Result == nil {
			return unsupported("bedrock takes results only in a tool message", "messages[%d].content[%d]", i, j)
		}
		b, err := e.result(i, p)
		if err != nil {
			return err
		}
		n := len(e.out.Messages)
		if n == 0 || e.out.Messages[n-1].Role != user {
			e.add(user, b)
			continue
		}
		content := e.out.Messages[n-1].Content
		at := slices.IndexFunc(content, func(b block) bool { return b.ToolResult == nil && b.CachePoint == nil })
		if at < 0 {
			at = len(content)
		}
		e.out.Messages[n-1].Content = slices.Insert(content, at, b...)
	}
	return nil
}

func (e *encoder) result(i int, p *chat.Part) ([]block, error) {
	r := p.Result
	out := &toolResult{ID: e.ids.result(r.CallID), Content: []block{}}
	kept := p.Cache
	inner := slices.Clone(r.Parts)
	for j := range inner {
		if kept == "" {
			kept = inner[j].Cache // the end of the result is as good a point, and there is none within one
		}
		inner[j].Cache = ""
	}
	blocks, err := e.parts(i, inner)
	if err != nil {
		return nil, err
	}
	out.Content = append(out.Content, blocks...)
	switch {
	case !r.Error:
	case e.model.is(claude), e.model.is(nova), e.model.is(other):
		out.Status = "error"
	default:
		e.drops.Add("messages[].is_error") // other models know no status
	}
	return e.point([]block{{ToolResult: out}}, kept), nil
}

// parts gives the blocks of what a user, a tool or an operator says.
func (e *encoder) parts(i int, parts []chat.Part) ([]block, error) {
	var blocks []block
	for j := range parts {
		p := &parts[j]
		switch p.Kind {
		case chat.PartText, chat.PartRefusal:
			blocks = append(blocks, e.text(p)...)
		case chat.PartImage, chat.PartFile, chat.PartAudio:
			b, why := e.media(p)
			if b == nil {
				return nil, unsupported(why, "messages[%d].content[%d]", i, j)
			}
			blocks = append(blocks, *b)
		default:
			return nil, unsupported("bedrock takes text, images, documents and audio only", "messages[%d].content[%d]", i, j)
		}
		blocks = e.point(blocks, p.Cache)
	}
	return blocks, nil
}

// ending makes a conversation that ends with words of the assistant's acceptable: they are where the model goes on from. Claude refuses that from 4.6 on,
// and white space at their end before.
func (e *encoder) ending(i int) error {
	last := &e.out.Messages[len(e.out.Messages)-1]
	if last.Role != assistant || !e.model.is(claude) {
		return nil
	}
	end := &last.Content[len(last.Content)-1]
	if end.Text == nil {
		return nil
	}
	if e.model.version >= v4_6 {
		return unsupported("this model does not go on from words of the assistant's", "messages[%d]", i)
	}
	if trimmed := strings.TrimRightFunc(*end.Text, unicode.IsSpace); trimmed != *end.Text {
		end.Text = &trimmed
		e.drops.Add("messages[].content")
	}
	return nil
}

// toolIDs gives every call of a conversation an id that the API takes, and once only in a request.
type toolIDs struct {
	current map[string]string // the caller's id -> ours, of the latest call
	used    map[string]bool
}

func newToolIDs() toolIDs { return toolIDs{current: map[string]string{}, used: map[string]bool{}} }

// call gives the id of a call.
func (t *toolIDs) call(id string) string {
	ours := chat.PortableID(id)
	for n := 1; t.used[ours]; n++ {
		ours = chat.PortableID(id + "#" + strconv.Itoa(n)) // never portable itself, so always a new one
	}
	t.current[id], t.used[ours] = ours, true
	return ours
}

// result gives the id of the call that a result answers.
func (t *toolIDs) result(id string) string {
	if ours, ok := t.current[id]; ok {
		return ours
	}
	return chat.PortableID(id)
}
