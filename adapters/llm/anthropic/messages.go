package anthropic

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/forge1/forge1/domain/chat"
)

// The vendor's roles.
const (
	user      = "user"
	assistant = "assistant"
)

// imageTypes are the media types that the vendor sees.
var imageTypes = map[string]bool{"image/jpeg": true, "image/png": true, "image/gif": true, "image/webp": true}

// messages fills system and messages. The vendor wants the first turn to be the user's, turns that alternate, no text block without
// text, and no white space at the end of a final turn of the assistant.
func (e *encoder) messages(r *chat.Request) error {
	for i, m := range r.Messages {
		if m.Name != "" && m.Role != chat.RoleTool {
			e.drops.Add("messages[].name")
		}
		var err error
		switch m.Role {
		case chat.RoleSystem:
			err = e.system(i, m)
		case chat.RoleAssistant:
			err = e.assistant(i, m)
		case chat.RoleTool:
			err = e.toolResult(i, m)
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
		return unsupported("anthropic needs at least one user message that is not blank", "messages")
	}
	e.trimEnd()
	return nil
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

func (e *encoder) system(i int, m chat.Message) error {
	blocks, err := e.parts(i, m.Parts)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		if b.Type != "text" {
			return unsupported("anthropic takes text only in a system message", "messages[%d].content", i)
		}
	}
	e.out.System = append(e.out.System, blocks...)
	return nil
}

func (e *encoder) assistant(i int, m chat.Message) error {
	if len(e.out.Messages) == 0 {
		if len(m.ToolCalls) > 0 {
			return unsupported("anthropic wants a user message before the first tool call", "messages[%d].role", i)
		}
		if m.Text() != "" {
			e.drops.Add(fmt.Sprintf("messages[%d]", i)) // a greeting: the vendor refuses a conversation that it opens
		}
		return nil
	}
	blocks, err := e.parts(i, m.Parts)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		if b.Type != "text" {
			return unsupported("anthropic takes text only in an assistant message", "messages[%d].content", i)
		}
	}
	for j, c := range m.ToolCalls {
		input := json.RawMessage(c.Arguments)
		if strings.TrimSpace(c.Arguments) == "" {
			input = json.RawMessage("{}")
		}
		if !isObject(input) {
			return unsupported("anthropic takes a JSON object only", "messages[%d].tool_calls[%d].function.arguments", i, j)
		}
		blocks = append(blocks, block{Type: "tool_use", ID: e.ids.call(c.ID), Name: c.Name, Input: input})
	}
	e.add(assistant, blocks)
	return nil
}

func (e *encoder) toolResult(i int, m chat.Message) error {
	result := block{Type: "tool_result", ToolUseID: e.ids.result(m.ToolCallID)}
	images := false
	for _, p := range m.Parts {
		images = images || p.Kind == chat.PartImage
	}
	if text := m.Text(); !images && text != "" {
		result.Content = text // as one string any text is taken, a blank one too
	}
	if images {
		blocks, err := e.parts(i, m.Parts)
		if err != nil {
			return err
		}
		result.Content = blocks
	}
	e.add(user, []block{result})
	return nil
}

// parts gives the blocks of text and images. A part without text is nothing; one of white space would be refused.
func (e *encoder) parts(i int, parts []chat.Part) ([]block, error) {
	var blocks []block
	for _, p := range parts {
		switch {
		case p.Kind == chat.PartImage:
			src, ok := imageSource(p.Image)
			if !ok {
				return nil, unsupported("anthropic takes JPEG, PNG, GIF and WebP images only", "messages[%d].content", i)
			}
			if p.Image.Detail != "" && p.Image.Detail != "auto" {
				e.drops.Add("image_url.detail")
			}
			blocks = append(blocks, block{Type: "image", Source: src})
		case p.Text == "":
		case strings.TrimSpace(p.Text) == "":
			e.drops.Add("messages[].content")
		default:
			blocks = append(blocks, block{Type: "text", Text: p.Text})
		}
	}
	return blocks, nil
}

func imageSource(img chat.Image) (*source, bool) {
	if img.Data == "" {
		return &source{Type: "url", URL: img.URL}, img.URL != ""
	}
	return &source{Type: "base64", MediaType: img.MediaType, Data: img.Data}, imageTypes[img.MediaType]
}

// trimEnd takes the white space from the end of a final turn of the assistant, which the vendor refuses, and says so.
func (e *encoder) trimEnd() {
	last := &e.out.Messages[len(e.out.Messages)-1]
	end := &last.Content[len(last.Content)-1]
	if last.Role != assistant || end.Type != "text" {
		return
	}
	if trimmed := strings.TrimRightFunc(end.Text, unicode.IsSpace); trimmed != end.Text {
		end.Text = trimmed
		e.drops.Add("messages[].content")
	}
}
