package simulator

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// converse reads the messages into the call: who may speak, and that each tool call is answered.
func (b *chatBody) converse(c *call) *problem {
	var open []string // ids of tool calls not answered yet
	for i, m := range *b.Messages {
		if !slices.Contains(chatRoles, m.Role) {
			return &problem{
				status: http.StatusBadRequest, param: fmt.Sprintf("messages[%d].role", i), code: "invalid_value",
				message: fmt.Sprintf("Invalid value: '%s'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.", m.Role),
			}
		}
		parts, p := m.content(i)
		if p != nil {
			return p
		}
		m.listen(c, parts)
		if m.Role == "tool" {
			at := slices.Index(open, m.ToolCallID)
			if at < 0 {
				return &problem{
					status: http.StatusBadRequest, param: fmt.Sprintf("messages.[%d].role", i),
					message: "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
				}
			}
			open = slices.Delete(open, at, at+1)
			c.tell(m.ToolCallID, textOf(parts))
			c.answered = true
			continue
		}
		if len(open) > 0 {
			return unanswered(open, i)
		}
		if m.Role == "user" {
			c.hear(textOf(parts))
		}
		c.answered = false
		for _, t := range m.ToolCalls {
			open = append(open, t.ID)
		}
		if len(open) > 0 {
			c.call(slices.Clone(open))
		}
	}
	if len(open) > 0 {
		return unanswered(open, len(*b.Messages))
	}
	return nil
}

// listen takes in what a message says and shows, and up to where it is to be kept.
func (m chatMessage) listen(c *call, parts []textPart) {
	if m.Role == "user" {
		c.media = nil
	}
	for _, part := range parts {
		if part.Type == "text" {
			c.read(part.Text)
		}
		if m.Role == "user" {
			part.see(&c.talk)
		}
		if part.Cache != nil {
			c.keep(part.Cache.TTL == "1h")
		}
	}
}

// longCallID refuses ids of tool calls that are longer than the vendor has them.
func (b *chatBody) longCallID(longest int) *problem {
	for i, m := range *b.Messages {
		for j, t := range m.ToolCalls {
			if len(t.ID) > longest {
				return tooLong(fmt.Sprintf("messages[%d].tool_calls[%d].id", i, j), longest, len(t.ID))
			}
		}
	}
	return nil
}

func tooLong(param string, most, got int) *problem {
	return &problem{
		status: http.StatusBadRequest, param: param, code: "string_above_max_length",
		message: fmt.Sprintf("Invalid '%s': string too long. Expected a string with maximum length %d, but got a string with length %d instead.", param, most, got),
	}
}

func unanswered(ids []string, at int) *problem {
	return &problem{
		status: http.StatusBadRequest, param: fmt.Sprintf("messages.[%d].role", at),
		message: "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
			"The following tool_call_ids did not have response messages: " + strings.Join(ids, ", "),
	}
}

// content gives the message's parts and refuses content of a wrong kind.
func (m chatMessage) content(i int) ([]textPart, *problem) {
	parts, valid := contentParts(m.Content)
	if !valid {
		return nil, &problem{
			status: http.StatusBadRequest, param: fmt.Sprintf("messages[%d].content", i), code: "invalid_type",
			message: fmt.Sprintf("Invalid type for 'messages[%d].content': expected one of a string or array of objects, but got something else instead.", i),
		}
	}
	for _, part := range parts {
		if !slices.Contains(chatPartTypes, part.Type) {
			return nil, &problem{
				status: http.StatusBadRequest, param: fmt.Sprintf("messages[%d]", i), code: "invalid_value",
				message: fmt.Sprintf("Invalid 'messages[%d]'. Content blocks are expected to be either text or image_url type.", i),
			}
		}
	}
	empty := len(bytes.TrimSpace(m.Content)) == 0 || string(bytes.TrimSpace(m.Content)) == "null"
	if empty && (m.Role != "assistant" || len(m.ToolCalls) == 0) && m.Refusal == "" {
		return nil, &problem{
			status: http.StatusBadRequest, param: fmt.Sprintf("messages.[%d].content", i),
			message: "Invalid value for 'content': expected a string, got null.",
		}
	}
	return parts, nil
}
