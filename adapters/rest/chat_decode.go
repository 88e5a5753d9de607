package rest

import (
	"slices"
	"strings"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
)

// chatReader reads OpenAI's chat shapes into the neutral form. Under /v1 it is lenient: what the neutral form cannot hold is noted in
// dropped. On execute nothing is dropped: an unknown field is a mistake.
type chatReader struct {
	*strictjson.Reader
	lenient bool
	dropped []string
	foreign *fault.Error // a part of the content that cannot be sent to a foreign vendor
}

// other deals with a field that the neutral form does not know.
func (d *chatReader) other(where, key string, v strictjson.Value) {
	if !d.lenient {
		d.FailAt(key, strictjson.CodeUnknown, "is not a field of this object")
		return
	}
	if v.Kind != strictjson.Null {
		d.drop(where + key)
	}
}

func (d *chatReader) drop(name string) {
	if !slices.Contains(d.dropped, name) {
		d.dropped = append(d.dropped, name)
	}
}

// members ranges over the members of an object; take says whether it knew the key.
func (d *chatReader) members(v strictjson.Value, where string, take func(key string, v strictjson.Value) bool) bool {
	members, ok := d.Object(v)
	for _, m := range members {
		d.Enter(m.Key)
		known := take(m.Key, m.Value)
		d.Leave()
		if !known {
			d.other(where, m.Key, m.Value)
		}
	}
	return ok
}

func (d *chatReader) required(v strictjson.Value, keys ...string) {
	for _, key := range keys {
		if _, there := v.Member(key); !there {
			d.FailAt(key, strictjson.CodeMissing, "is required")
		}
	}
}

// text reads a string that may be null.
func (d *chatReader) text(v strictjson.Value) string {
	if v.Kind == strictjson.Null {
		return ""
	}
	s, _ := d.String(v)
	return s
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
	var m chat.Message
	var calls []chat.Part
	hasContent := false
	refusal, answers := "", ""
	if !d.members(v, "messages.", func(key string, v strictjson.Value) bool {
		switch key {
		case "role":
			m.Role = d.role(v)
		case "content":
			hasContent = v.Kind != strictjson.Null
			m.Parts = d.content(v)
		case "name":
			m.Name = d.text(v)
		case "tool_calls":
			calls = d.toolCalls(v)
		case "tool_call_id":
			answers = d.text(v)
		case "refusal":
			refusal = d.text(v)
		default:
			return false
		}
		return true
	}) {
		return m
	}
	if refusal != "" {
		m.Parts = append(m.Parts, chat.Part{Kind: chat.PartRefusal, Text: refusal})
	}
	m.Parts = append(m.Parts, calls...)
	d.required(v, "role")
	switch {
	case m.Role == chat.RoleTool && answers == "":
		d.FailAt("tool_call_id", strictjson.CodeMissing, "is required in a tool message")
	case m.Role != "" && m.Role != chat.RoleAssistant && !hasContent:
		d.FailAt("content", strictjson.CodeMissing, "is required")
	case m.Role != "" && m.Role != chat.RoleAssistant && len(calls) > 0:
		d.FailAt("tool_calls", "invalid_value", "belongs to an assistant message")
	}
	if m.Role == chat.RoleTool {
		m.Parts = []chat.Part{{Kind: chat.PartToolResult, Result: &chat.ToolResult{CallID: answers, Name: m.Name, Parts: m.Parts}}}
		m.Name = ""
	}
	return m
}

func (d *chatReader) role(v strictjson.Value) chat.Role {
	s, ok := d.String(v)
	if !ok {
		return ""
	}
	switch r := chat.Role(s); r {
	case chat.RoleSystem, chat.RoleUser, chat.RoleAssistant, chat.RoleTool:
		return r
	}
	if s == "developer" {
		return chat.RoleSystem
	}
	d.Fail("unknown_value", "must be one of system, developer, user, assistant, tool")
	return ""
}

func (d *chatReader) content(v strictjson.Value) []chat.Part {
	switch v.Kind {
	case strictjson.Null:
		return nil
	case strictjson.String:
		return []chat.Part{{Text: v.Text}}
	case strictjson.Array:
	default:
		d.Fail(strictjson.CodeType, "must be a string or an array of parts")
		return nil
	}
	out := make([]chat.Part, 0, len(v.Items))
	for i, item := range v.Items {
		d.EnterItem(i)
		if p, ok := d.part(item); ok {
			out = append(out, p)
		}
		d.Leave()
	}
	return out
}

func (d *chatReader) part(v strictjson.Value) (p chat.Part, ok bool) {
	if _, ok := d.Object(v); !ok {
		return p, false
	}
	d.required(v, "type")
	kind, _ := v.Member("type")
	body := ""
	switch kind.Text {
	case "text":
		body = kind.Text
	case "refusal":
		body, p.Kind = kind.Text, chat.PartRefusal
	case "image_url":
		body, p.Kind = "image_url", chat.PartImage
	default:
		d.foreignPart(kind)
		return p, false
	}
	d.required(v, body)
	d.members(v, "messages.content.", func(key string, v strictjson.Value) bool {
		switch {
		case key == "type":
		case key != body:
			return false
		case body == "image_url":
			p.Media = d.image(v)
		default:
			p.Text, _ = d.String(v)
		}
		return true
	})
	return p, true
}

// foreignPart refuses a kind of content that the neutral form cannot hold: to drop it would change what is asked.
func (d *chatReader) foreignPart(kind strictjson.Value) {
	d.Enter("type")
	defer d.Leave()
	if kind.Kind != strictjson.String {
		if kind.Raw != nil {
			d.Fail(strictjson.CodeType, "must be a string")
		}
		return
	}
	if !d.lenient {
		d.Fail("unknown_value", "must be one of text, image_url")
		return
	}
	if d.foreign == nil {
		d.foreign = errForeignPart.At(fault.Field{Pointer: d.Pointer(), Code: "unsupported", Message: "only text and image_url can be translated"})
	}
}

func (d *chatReader) image(v strictjson.Value) *chat.Media {
	img := &chat.Media{}
	url := ""
	d.members(v, "messages.content.image_url.", func(key string, v strictjson.Value) bool {
		switch key {
		case "url":
			url, _ = d.String(v)
		case "detail":
			img.Detail = d.text(v)
		default:
			return false
		}
		return true
	})
	if u, there := v.Member("url"); v.Kind != strictjson.Object || there && u.Kind != strictjson.String {
		return img
	}
	d.required(v, "url")
	data, isData := strings.CutPrefix(url, "data:")
	head, body, hasBody := strings.Cut(data, ",")
	media, isBase64 := strings.CutSuffix(head, ";base64")
	switch {
	case isData && hasBody && isBase64 && strings.HasPrefix(media, "image/"):
		img.Type, img.Data = media, body
	case strings.HasPrefix(url, "https://"), strings.HasPrefix(url, "http://"):
		img.URL = url
	default:
		d.FailAt("url", "invalid_format", "must be an http(s) URL, or data:image/...;base64,...")
	}
	return img
}

func (d *chatReader) toolCalls(v strictjson.Value) []chat.Part {
	if v.Kind == strictjson.Null {
		return nil
	}
	items, _ := d.Array(v)
	out := make([]chat.Part, 0, len(items))
	for i, item := range items {
		d.EnterItem(i)
		out = append(out, chat.Part{Kind: chat.PartToolCall, Call: d.toolCall(item)})
		d.Leave()
	}
	return out
}

func (d *chatReader) toolCall(v strictjson.Value) *chat.ToolCall {
	c := &chat.ToolCall{}
	if !d.members(v, "messages.tool_calls.", func(key string, v strictjson.Value) bool {
		switch key {
		case "id":
			c.ID, _ = d.String(v)
		case "type":
			d.constant(v, "function")
		case "index": // OpenRouter adds it to whole answers, and clients send those back
		case "function":
			d.members(v, "messages.tool_calls.function.", func(key string, v strictjson.Value) bool {
				switch key {
				case "name":
					c.Name, _ = d.String(v)
				case "arguments":
					c.Arguments, _ = d.String(v)
				default:
					return false
				}
				return true
			})
			d.required(v, "name", "arguments")
		default:
			return false
		}
		return true
	}) {
		return c
	}
	d.required(v, "id", "function")
	if c.Arguments == "" {
		c.Arguments = "{}"
	}
	return c
}

// constant reads a string that can only be one thing.
func (d *chatReader) constant(v strictjson.Value, want string) {
	if s, ok := d.String(v); ok && s != want {
		d.Fail("unknown_value", "must be "+want)
	}
}
