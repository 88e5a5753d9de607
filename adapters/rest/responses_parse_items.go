package rest

import (
	"strings"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
)

// What a wrapped signature says of its place, where its own id would stand: reasoning items are all that this dialect has for them.
const (
	signsText = "text" // the message before it
	signsCall = "call" // the call behind it
	redacted  = "redacted"
)

// refuse notes that something here cannot be sent to a foreign vendor, and would be missed.
func (d *respReader) refuse(message string) {
	if d.foreign == nil {
		d.foreign = errForeignPart.At(fault.Field{Pointer: d.Pointer(), Code: "unsupported", Message: message})
	}
}

// speak gives the message that the next parts of a role belong to.
func (d *respReader) speak(role chat.Role, anew bool) *chat.Message {
	if n := len(d.conversation); n > 0 && !anew && d.conversation[n-1].Role == role {
		return &d.conversation[n-1]
	}
	d.conversation = append(d.conversation, chat.Message{Role: role})
	return &d.conversation[len(d.conversation)-1]
}

// said adds a part that the model said.
func (d *respReader) said(p chat.Part) {
	m := d.speak(chat.RoleAssistant, false)
	m.Parts = append(m.Parts, p)
}

// unsigned has a signature whose call has not come stand alone.
func (d *respReader) unsigned() {
	if d.sign != nil {
		d.said(chat.Part{Kind: chat.PartThinking, Signature: d.sign})
		d.sign = nil
	}
}

func (d *respReader) input(v strictjson.Value) {
	if v.Kind == strictjson.String {
		d.conversation = append(d.conversation, chat.Text(chat.RoleUser, v.Text))
		d.placed(ofText, false)
		return
	}
	d.each(v, func(i int, item strictjson.Value) {
		d.item(item)
		_, isMessage := item.Member("role")
		d.placed(i, isMessage)
	})
}

func (d *respReader) item(v strictjson.Value) {
	if _, ok := d.Object(v); !ok {
		return
	}
	kind, _ := v.Member("type")
	if kind.Kind != strictjson.String {
		kind.Text = "message"
	}
	if kind.Text != "function_call" && kind.Text != "custom_tool_call" {
		d.unsigned()
	}
	switch kind.Text {
	case "message":
		d.message(v)
	case "function_call", "custom_tool_call":
		d.call(v, kind.Text)
	case "function_call_output", "custom_tool_call_output":
		d.result(v)
	case "reasoning":
		d.thought(v)
	case "":
		d.FailAt("type", "unknown_value", "must be the type of an item")
	default:
		d.said(chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectResponses, JSON: v.Raw}})
	}
}

// ofItem reports whether a member is one that the vendor put into an item and that says nothing to another.
func ofItem(key string) bool {
	switch key {
	case "type", "id", "status", "phase", "object", "created_by", "namespace":
		return true
	}
	return false
}

func (d *respReader) message(v strictjson.Value) {
	role := chat.Role("")
	var parts []chat.Part
	d.members(v, "messages[].", func(key string, v strictjson.Value) bool {
		switch key {
		case "role":
			role = d.role(v)
		case "content":
			parts = d.parts(v)
		default:
			return ofItem(key)
		}
		return true
	})
	d.required(v, "role", "content")
	if role == "" {
		return
	}
	m := d.speak(role, role != chat.RoleAssistant)
	m.Parts = append(m.Parts, parts...)
}

func (d *respReader) role(v strictjson.Value) chat.Role {
	s, ok := d.String(v)
	if !ok {
		return ""
	}
	switch s {
	case "user", "assistant", "system":
		return chat.Role(s)
	case "developer":
		return chat.RoleSystem
	}
	d.Fail("unknown_value", "must be one of user, assistant, system, developer")
	return ""
}

// call reads a call of a function, or of a tool that takes a text.
func (d *respReader) call(v strictjson.Value, kind string) {
	c, arguments := &chat.ToolCall{}, "arguments"
	if kind == "custom_tool_call" {
		arguments = "input"
	}
	d.members(v, "messages[].tool_calls[].", func(key string, v strictjson.Value) bool {
		switch key {
		case "call_id":
			c.ID, _ = d.String(v)
		case "name":
			c.Name, _ = d.String(v)
		case arguments:
			c.Arguments, _ = d.String(v)
		default:
			return ofItem(key)
		}
		return true
	})
	d.required(v, "call_id", "name", arguments)
	switch {
	case arguments == "input":
		c.Arguments = string(append(appendString([]byte(`{"input":`), c.Arguments), '}'))
	case c.Arguments == "":
		c.Arguments = "{}"
	}
	d.names[c.ID] = c.Name
	d.said(chat.Part{Kind: chat.PartToolCall, Call: c, Signature: d.sign})
	d.sign = nil
}

// result reads what a tool said. The results in a row are one message.
func (d *respReader) result(v strictjson.Value) {
	r := &chat.ToolResult{}
	d.members(v, "messages[].", func(key string, v strictjson.Value) bool {
		switch key {
		case "call_id":
			r.CallID, _ = d.String(v)
		case "output":
			r.Parts = d.parts(v)
		default:
			return ofItem(key)
		}
		return true
	})
	d.required(v, "call_id", "output")
	r.Name = d.names[r.CallID]
	m := d.speak(chat.RoleTool, false)
	m.Parts = append(m.Parts, chat.Part{Kind: chat.PartToolResult, Result: r})
}

// thought reads a reasoning item: a summary, what the vendor wants back, or a signature of something beside it.
func (d *respReader) thought(v strictjson.Value) {
	var texts []string
	id, sealed := "", ""
	d.members(v, "messages[].", func(key string, v strictjson.Value) bool {
		switch key {
		case "summary", "content":
			d.each(v, func(_ int, v strictjson.Value) {
				if text, _ := v.Member("text"); text.Text != "" {
					texts = append(texts, text.Text)
				}
			})
		case "id":
			id = d.text(v)
		case "encrypted_content":
			sealed = d.text(v)
		default:
			return ofItem(key)
		}
		return true
	})
	p := chat.Part{Kind: chat.PartThinking, Text: strings.Join(texts, "\n\n")}
	sign, wrapped := chat.Unwrap(sealed)
	switch {
	case sealed == "" && p.Text == "":
		return // it said nothing that anybody could use
	case sealed == "":
	case !wrapped:
		p.Signature = &chat.Signature{Format: chat.FormatOpenAI, Data: sealed, ID: id}
	case sign.ID == signsCall:
		sign.ID, d.sign = "", sign
		return
	case sign.ID == signsText && d.signText(sign):
		return
	default:
		p.Redacted = sign.ID == redacted
		if sign.Format != chat.FormatOpenAI && sign.Format != chat.FormatOpenAIResold {
			sign.ID = ""
		}
		p.Signature = sign
	}
	d.said(p)
}

// signText puts a signature on the text that was said last.
func (d *respReader) signText(sign *chat.Signature) bool {
	n := len(d.conversation)
	if n == 0 || d.conversation[n-1].Role != chat.RoleAssistant {
		return false
	}
	parts := d.conversation[n-1].Parts
	if len(parts) == 0 || parts[len(parts)-1].Kind != chat.PartText || parts[len(parts)-1].Signature != nil {
		return false
	}
	sign.ID = ""
	parts[len(parts)-1].Signature = sign
	return true
}
