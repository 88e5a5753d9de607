package rest

import (
	"strconv"
	"strings"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
)

// turn is a message as its fields are read, in whatever order they stand.
type turn struct {
	role       chat.Role
	function   bool // the role is function, which knew no ids
	name       string
	content    []chat.Part
	hasContent bool
	refusal    string
	reasoning  string // text alone
	thoughts   thoughts
	shown      []chat.Part // pictures and sounds that the model made
	calls      []chat.Part
	answers    string // the id of the call that a tool's message answers
	cache      chat.CacheControl
}

func (d *chatReader) messages(v strictjson.Value) []chat.Message {
	items, _ := d.Array(v)
	out := make([]chat.Message, 0, len(items))
	for i, item := range items {
		d.EnterItem(i)
		out = append(out, d.message(item))
		d.Leave()
	}
	return out
}

func (d *chatReader) message(v strictjson.Value) chat.Message {
	var t turn
	if !d.members(v, "messages[].", func(key string, v strictjson.Value) bool {
		return d.turnField(&t, key, v) || d.lenient && d.laterField(&t, key, v)
	}) {
		return chat.Message{}
	}
	d.required(v, "role")
	if t.function && t.answers == "" {
		t.answers = d.answered[t.name]
	}
	switch {
	case t.role == chat.RoleTool && t.function && t.answers == "":
		d.FailAt("name", "invalid_value", "must be that of a function that was called before")
	case t.role == chat.RoleTool && t.answers == "":
		d.FailAt("tool_call_id", strictjson.CodeMissing, "is required in a tool message")
	case t.role != "" && t.role != chat.RoleAssistant && !t.hasContent:
		d.FailAt("content", strictjson.CodeMissing, "is required")
	case t.role != "" && t.role != chat.RoleAssistant && len(t.calls) > 0:
		d.FailAt("tool_calls", "invalid_value", "belongs to an assistant message")
	}
	return t.message()
}

// turnField reads a field that all messages have in common, on execute too.
func (d *chatReader) turnField(t *turn, key string, v strictjson.Value) bool {
	switch key {
	case "role":
		t.role = d.role(t, v)
	case "content":
		t.hasContent = v.Kind != strictjson.Null
		t.content = d.content(v)
	case "name":
		t.name = d.text(v)
	case "tool_calls":
		t.calls = append(t.calls, d.toolCalls(v)...)
	case "tool_call_id":
		t.answers = d.text(v)
	case "refusal":
		t.refusal = d.text(v)
	default:
		return false
	}
	return true
}

// laterField reads a field that only some vendors have, or that has had its day.
func (d *chatReader) laterField(t *turn, key string, v strictjson.Value) bool {
	switch key {
	case "reasoning", "reasoning_content":
		if text := d.text(v); text != "" {
			t.reasoning = text
		}
	case "reasoning_details":
		d.details(&t.thoughts, v)
	case "images":
		t.shown = append(t.shown, d.content(v)...)
	case "audio":
		if v.Kind != strictjson.Null {
			t.shown = append(t.shown, d.heard(v)...)
		}
	case "annotations":
		return v.Kind == strictjson.Array && len(v.Items) == 0
	case "function_call":
		if v.Kind != strictjson.Null {
			t.calls = append(t.calls, d.functionCall(v))
		}
	case "cache_control":
		t.cache = d.cacheControl("messages[].", v)
	default:
		return false
	}
	return true
}

func (d *chatReader) role(t *turn, v strictjson.Value) chat.Role {
	s, ok := d.String(v)
	if !ok {
		return ""
	}
	switch r := chat.Role(s); r {
	case chat.RoleSystem, chat.RoleUser, chat.RoleAssistant, chat.RoleTool:
		return r
	}
	switch {
	case s == "developer":
		return chat.RoleSystem
	case s == "function" && d.lenient:
		t.function = true
		return chat.RoleTool
	}
	d.Fail("unknown_value", "must be one of system, developer, user, assistant, tool")
	return ""
}

// message puts what was read into order: thoughts come before what was said, and calls after it.
func (t *turn) message() chat.Message {
	m := chat.Message{Role: t.role, Name: t.name, Parts: t.content}
	if t.role == chat.RoleTool {
		keep(m.Parts, t.cache)
		result := chat.ToolResult{CallID: t.answers, Name: t.name, Parts: m.Parts}
		return chat.Message{Role: chat.RoleTool, Parts: []chat.Part{{Kind: chat.PartToolResult, Result: &result}}}
	}
	if t.refusal != "" {
		m.Parts = append(m.Parts, chat.Part{Kind: chat.PartRefusal, Text: t.refusal})
	}
	m.Parts = append(append(m.Parts, t.shown...), t.calls...)
	thinking := t.thoughts.parts
	if len(thinking) == 0 && t.reasoning != "" {
		thinking = []chat.Part{{Kind: chat.PartThinking, Text: t.reasoning}}
	}
	if thinking = attach(thinking, m.Parts); len(thinking) > 0 {
		m.Parts = append(thinking, m.Parts...)
	}
	if m.Role == chat.RoleAssistant {
		m.Parts = withoutEmpty(m.Parts)
	}
	keep(m.Parts, t.cache)
	return m
}

// keep asks that the prompt be kept up to the last of the parts.
func keep(parts []chat.Part, cache chat.CacheControl) {
	if n := len(parts); n > 0 && cache != "" {
		parts[n-1].Cache = cache
	}
}

// withoutEmpty leaves texts out that say nothing, where something else is said: OpenAI's answers have them beside calls.
func withoutEmpty(parts []chat.Part) []chat.Part {
	if len(parts) < 2 {
		return parts
	}
	out := parts[:0]
	for _, p := range parts {
		if p.Kind != chat.PartText || p.Text != "" || p.Cache != "" || p.Signature != nil {
			out = append(out, p)
		}
	}
	return out
}

func (d *chatReader) toolCalls(v strictjson.Value) []chat.Part {
	var out []chat.Part
	d.each(v, func(_ int, item strictjson.Value) {
		out = append(out, d.toolCall(item))
	})
	return out
}

func (d *chatReader) toolCall(v strictjson.Value) chat.Part {
	c := &chat.ToolCall{}
	out := chat.Part{Kind: chat.PartToolCall, Call: c}
	kind, _ := v.Member("type")
	custom := d.lenient && kind.Kind == strictjson.String && kind.Text == "custom"
	body := "function"
	if custom {
		body = "custom"
	}
	if !d.members(v, "messages[].tool_calls[].", func(key string, v strictjson.Value) bool {
		switch {
		case key == "id":
			c.ID, _ = d.String(v)
		case key == "type":
			d.constant(v, body)
		case key == "index": // OpenRouter adds it to whole answers, and clients send those back
		case key == "cache_control" && d.lenient:
			out.Cache = d.cacheControl("messages[].tool_calls[].", v)
		case key == "custom" && custom:
			d.customCall(c, v)
		case key == "function" && !custom:
			d.called(c, "messages[].tool_calls[].function.", v)
		default:
			return false
		}
		return true
	}) {
		return out
	}
	d.required(v, "id", body)
	if c.Arguments == "" {
		c.Arguments = "{}"
	}
	return out
}

// called reads the name and the arguments of a call.
func (d *chatReader) called(c *chat.ToolCall, where string, v strictjson.Value) {
	if d.members(v, where, func(key string, v strictjson.Value) bool {
		switch key {
		case "name":
			c.Name, _ = d.String(v)
		case "arguments":
			c.Arguments, _ = d.String(v)
		default:
			return false
		}
		return true
	}) {
		d.required(v, "name", "arguments")
	}
}

// customCall reads the call of a custom tool, whose input is a text of any form.
func (d *chatReader) customCall(c *chat.ToolCall, v strictjson.Value) {
	if d.members(v, "messages[].tool_calls[].custom.", func(key string, v strictjson.Value) bool {
		switch key {
		case "name":
			c.Name, _ = d.String(v)
		case "input":
			text, _ := d.String(v)
			c.Arguments = string(customArguments(text))
		default:
			return false
		}
		return true
	}) {
		d.required(v, "name", "input")
	}
}

// heard reads a sound that the model made, of which OpenAI knows the id. Nobody knows it of a sound that another vendor made.
func (d *chatReader) heard(v strictjson.Value) []chat.Part {
	m := &chat.Media{Origin: chat.DialectOpenAIChat}
	if d.members(v, "messages[].audio.", func(key string, v strictjson.Value) bool {
		switch key {
		case "id":
			m.FileID, _ = d.String(v)
		case "data", "expires_at", "transcript": // as answers have them; the id stands for them
		default:
			return false
		}
		return true
	}) {
		d.required(v, "id")
	}
	if strings.HasPrefix(m.FileID, ownAudio) {
		d.drop("messages[].audio")
		return nil
	}
	return []chat.Part{{Kind: chat.PartAudio, Media: m}}
}

// functionCall reads a call from before there were tools. It gets an id by which the message that answers it is known.
func (d *chatReader) functionCall(v strictjson.Value) chat.Part {
	c := &chat.ToolCall{}
	d.called(c, "messages[].function_call.", v)
	if c.Arguments == "" {
		c.Arguments = "{}"
	}
	d.calls++
	c.ID = "call_function_" + strconv.Itoa(d.calls)
	if d.answered == nil {
		d.answered = map[string]string{}
	}
	d.answered[c.Name] = c.ID
	return chat.Part{Kind: chat.PartToolCall, Call: c}
}
