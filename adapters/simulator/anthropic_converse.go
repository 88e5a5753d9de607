package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// toolUseID is what Anthropic lets the id of a tool's use be, up to maxToolUseID characters.
var toolUseID = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

const maxToolUseID = 64

// systemModel are the models that take system messages in the middle of a conversation.
var systemModel = regexp.MustCompile(`^claude-(opus-4-[89]|[a-z]+-[5-9])`)

// converse reads the messages into the call. Two turns of one role in a row are let pass, as Anthropic joins them.
func (b *anthropicBody) converse(c *call) *problem {
	var open []string // ids of tool uses in the turn before
	messages := *b.Messages
	for i, m := range messages {
		switch {
		case m.Role == "system" && i > 0 && systemModel.MatchString(b.Model): // instructions in the middle of a conversation
		case m.Role == "system":
			return bad("messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" as an input message role.")
		case m.Role != "user" && m.Role != "assistant":
			return bad(fmt.Sprintf("messages: Unexpected role %q. Allowed roles are \"user\" or \"assistant\".", m.Role))
		case i == 0 && m.Role != "user":
			return bad("messages: first message must use the \"user\" role")
		}
		blocks, valid := anthropicBlocks(m.Content)
		if !valid {
			return bad(fmt.Sprintf("messages.%d.content: Input should be a valid list", i))
		}
		if empty(blocks) && !(i == len(messages)-1 && m.Role == "assistant") {
			return bad(fmt.Sprintf("messages.%d: all messages must have non-empty content except for the optional final assistant message", i))
		}
		m.blocks, messages[i].blocks = blocks, blocks
		said, p := m.read(c, i, open)
		if p != nil {
			return p
		}
		if open = said.uses; len(open) > 0 {
			c.call(slices.Clone(open))
		}
		c.answered = said.results > 0
		if m.Role == "user" && (said.spoke || said.results == 0) {
			c.hear(said.text)
		}
	}
	if len(open) > 0 {
		return unansweredUse(len(messages)-1, open)
	}
	return nil
}

func unansweredUse(at int, ids []string) *problem {
	return bad(fmt.Sprintf("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. "+
		"Each `tool_use` block must have a corresponding `tool_result` block in the next message.", at, strings.Join(ids, ", ")))
}

func anthropicBlocks(raw json.RawMessage) ([]anthropicBlock, bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '"' {
		block := anthropicBlock{Type: "text"}
		err := json.Unmarshal(raw, &block.Text)
		return []anthropicBlock{block}, err == nil
	}
	var blocks []anthropicBlock
	err := json.Unmarshal(raw, &blocks)
	return blocks, err == nil
}

func empty(blocks []anthropicBlock) bool {
	return len(blocks) == 0 || len(blocks) == 1 && blocks[0].Type == "text" && blocks[0].Text == ""
}

// turn is what one message says.
type turn struct {
	text    string
	spoke   bool // there is a text block
	uses    []string
	results int
}

// read takes a message in, and refuses results that do not answer what is open, or do not come first.
func (m anthropicMessage) read(c *call, i int, open []string) (turn, *problem) {
	t, text := turn{}, strings.Builder{}
	if m.Role == "user" {
		c.media = nil
	}
	for j, block := range m.blocks {
		switch block.Type {
		case "text":
			t.spoke = true
			c.read(block.Text)
			text.WriteString(block.Text)
		case "image", "document":
			kind := map[string]string{"image": "image", "document": "file"}[block.Type]
			c.see(kind, block.Source.MediaType, block.Source.Data, block.Source.URL+block.Source.FileID)
		case "tool_use":
			if p := block.checkUse(i, j, t.uses); p != nil {
				return t, p
			}
			t.uses = append(t.uses, block.ID)
		case "tool_result":
			at := slices.Index(open, block.ToolUseID)
			if p := block.checkResult(i, j, at, t.results); p != nil {
				return t, p
			}
			open = slices.Delete(slices.Clone(open), at, at+1)
			t.results++
			result, valid := anthropicBlocks(block.Content)
			if given(block.Content) && !valid {
				return t, bad(fmt.Sprintf("messages.%d.content.%d.tool_result.content: Input should be a valid list", i, j))
			}
			said := saidIn(result)
			c.read(said)
			c.tell(block.ToolUseID, said)
		case "":
			return t, bad(fmt.Sprintf("messages.%d.content.%d.type: Field required", i, j))
		}
		if block.Cache != nil {
			c.keep(block.Cache.TTL == "1h")
		}
	}
	if len(open) > 0 {
		return t, unansweredUse(i-1, open)
	}
	t.text = text.String()
	c.answered = t.results > 0
	return t, nil
}

// saidIn joins the text of blocks.
func saidIn(blocks []anthropicBlock) string {
	var b strings.Builder
	for _, block := range blocks {
		if block.Type == "text" {
			b.WriteString(block.Text)
		}
	}
	return b.String()
}

// checkUse refuses a tool's use whose id is none, or is that of another.
func (b anthropicBlock) checkUse(i, j int, others []string) *problem {
	if p := checkToolUseID(fmt.Sprintf("messages.%d.content.%d.tool_use.id", i, j), b.ID); p != nil {
		return p
	}
	if slices.Contains(others, b.ID) {
		return bad(fmt.Sprintf("messages.%d.content.%d: `tool_use` ids must be unique", i, j))
	}
	return nil
}

// checkResult refuses a result that answers nothing, at being its place among the open uses, or that stands behind something else.
func (b anthropicBlock) checkResult(i, j, at, results int) *problem {
	if p := checkToolUseID(fmt.Sprintf("messages.%d.content.%d.tool_result.tool_use_id", i, j), b.ToolUseID); p != nil {
		return p
	}
	if at < 0 {
		return bad(fmt.Sprintf("messages.%d.content.%d: unexpected `tool_use_id` found in `tool_result` blocks: %s. "+
			"Each `tool_result` block must have a corresponding `tool_use` block in the previous message.", i, j, b.ToolUseID))
	}
	if results < j {
		return unansweredUse(i-1, []string{b.ToolUseID})
	}
	return nil
}

func checkToolUseID(field, id string) *problem {
	switch {
	case !toolUseID.MatchString(id):
		return bad(field + ": String should match pattern '^[a-zA-Z0-9_-]+$'")
	case len(id) > maxToolUseID:
		return bad(fmt.Sprintf("%s: String should have at most %d characters", field, maxToolUseID))
	}
	return nil
}
