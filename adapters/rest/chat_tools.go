package rest

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
)

func (d *chatReader) tools(v strictjson.Value) []chat.Tool {
	if v.Kind == strictjson.Null {
		return nil
	}
	items, _ := d.Array(v)
	out := make([]chat.Tool, 0, len(items))
	for i, item := range items {
		d.EnterItem(i)
		if t, ok := d.tool(item); ok {
			out = append(out, t)
		}
		d.Leave()
	}
	return out
}

func (d *chatReader) tool(v strictjson.Value) (t chat.Tool, ok bool) {
	if _, ok := d.Object(v); !ok {
		return t, false
	}
	d.required(v, "type")
	body := "function"
	if kind, _ := v.Member("type"); d.lenient && kind.Kind == strictjson.String && kind.Text != body {
		if kind.Text != "custom" {
			return serverTool(kind.Text, v.Raw), true
		}
		body = "custom"
	}
	d.required(v, body)
	cache := chat.CacheControl("")
	d.members(v, "tools[].", func(key string, v strictjson.Value) bool {
		switch {
		case key == "type":
			d.constant(v, body)
		case key == "cache_control" && d.lenient:
			cache = d.cacheControl("tools[].", v)
		case key != body:
			return false
		case body == "custom":
			t = d.customTool(v)
		default:
			t = d.function("tools[].function.", v)
		}
		return true
	})
	if cache != "" {
		t.Cache = cache
	}
	return t, true
}

// serverTool makes a tool that the vendor runs of its declaration.
func serverTool(kind string, declared []byte) chat.Tool {
	does := chat.ServerOther
	switch {
	case strings.Contains(kind, "web_search"), kind == "web":
		does = chat.ServerWebSearch
	case strings.HasPrefix(kind, "code_interpreter"), strings.HasPrefix(kind, "code_execution"):
		does = chat.ServerCodeExecution
	}
	return chat.Tool{Name: kind, Server: does, Foreign: &chat.Foreign{Dialect: chat.DialectOpenAIChat, JSON: bytes.Clone(declared)}}
}

// webSearch makes the tool of OpenAI's options for it, which stand beside the tools, as if it stood among them.
func webSearch(options strictjson.Value) chat.Tool {
	declared := []byte(`{"type":"web_search"`)
	for _, m := range options.Members {
		if m.Key != "type" {
			declared = append(append(appendString(append(declared, ','), m.Key), ':'), m.Value.Raw...)
		}
	}
	return serverTool(string(chat.ServerWebSearch), append(declared, '}'))
}

// plugins reads OpenRouter's, of which one searches the web.
func (d *chatReader) plugins(v strictjson.Value) (out []chat.Tool) {
	d.each(v, func(_ int, item strictjson.Value) {
		id, _ := item.Member("id")
		if id.Kind == strictjson.String && id.Text == "web" {
			out = append(out, serverTool(id.Text, item.Raw))
			return
		}
		d.drop("plugins")
	})
	return out
}

func (d *chatReader) function(where string, v strictjson.Value) (t chat.Tool) {
	if d.members(v, where, func(key string, v strictjson.Value) bool {
		switch key {
		case "name":
			t.Name = d.toolName(v)
		case "description":
			t.Description = d.text(v)
		case "parameters":
			t.Schema = d.schema(v)
		case "strict":
			t.Strict = d.boolean(v)
		default:
			if key != "cache_control" || !d.lenient {
				return false
			}
			t.Cache = d.cacheControl(where, v)
		}
		return true
	}) {
		d.required(v, "name")
	}
	return t
}

func (d *chatReader) toolName(v strictjson.Value) string {
	name, _ := d.String(v)
	if v.Kind == strictjson.String && name == "" {
		d.Fail("too_short", "must not be empty")
	}
	return name
}

// functions reads the functions from before there were tools.
func (d *chatReader) functions(v strictjson.Value) (out []chat.Tool) {
	d.each(v, func(_ int, item strictjson.Value) {
		if _, ok := d.Object(item); ok {
			out = append(out, d.function("functions[].", item))
		}
	})
	return out
}

// customSchema is that of a custom tool as a function: a text of any form is its one argument.
const customSchema = `{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}`

// customTool reads a tool whose input is a text of any form. As a function it has that text as its one argument.
func (d *chatReader) customTool(v strictjson.Value) (t chat.Tool) {
	t.Schema = []byte(customSchema)
	if d.members(v, "tools[].custom.", func(key string, v strictjson.Value) bool {
		switch key {
		case "name":
			t.Name = d.toolName(v)
		case "description":
			t.Description = d.text(v)
		case "format":
			kind, _ := v.Member("type")
			return v.Kind == strictjson.Object && kind.Text == "text" // what everybody can do; a grammar is not
		default:
			return false
		}
		return true
	}) {
		d.required(v, "name")
	}
	return t
}

// customArguments makes the arguments of a function of the input of a custom tool.
func customArguments(input string) []byte {
	return append(appendString([]byte(`{"input":`), input), '}')
}

// customInput makes the input of a custom tool of the arguments of a function. What is not of the form that was asked for is taken as it is.
func customInput(arguments string) string {
	var a struct {
		Input *string `json:"input"`
	}
	if json.Unmarshal([]byte(arguments), &a) != nil || a.Input == nil {
		return arguments
	}
	return *a.Input
}

// toolChoice reads tool_choice. allowed are the names of the only tools that may be called; nil: all.
func (d *chatReader) toolChoice(v strictjson.Value) (c chat.ToolChoice, allowed []string) {
	switch v.Kind {
	case strictjson.Null:
		return c, nil
	case strictjson.String:
		return d.toolMode(v, "must be one of auto, none, required, or name a function"), nil
	case strictjson.Object:
	default:
		d.Fail(strictjson.CodeType, "must be a string or an object")
		return c, nil
	}
	d.required(v, "type")
	body := "function"
	if kind, _ := v.Member("type"); d.lenient && kind.Kind == strictjson.String && kind.Text != body {
		switch kind.Text {
		case "allowed_tools":
			return d.allowedTools(v)
		case "custom":
			body = kind.Text
		default:
			d.drop("tool_choice")
			return c, nil
		}
	}
	d.required(v, body)
	d.members(v, "tool_choice.", func(key string, v strictjson.Value) bool {
		switch key {
		case "type":
			d.constant(v, body)
		case body:
			c.Name = d.named("tool_choice."+body+".", v)
		default:
			return false
		}
		return true
	})
	c.Mode = chat.ToolNamed
	return c, nil
}

func (d *chatReader) toolMode(v strictjson.Value, otherwise string) (c chat.ToolChoice) {
	switch m := chat.ToolMode(v.Text); m {
	case chat.ToolAuto, chat.ToolNone, chat.ToolRequired:
		c.Mode = m
	default:
		d.Fail("unknown_value", otherwise)
	}
	return c
}

// named reads an object that has a name and nothing else.
func (d *chatReader) named(where string, v strictjson.Value) (name string) {
	if d.members(v, where, func(key string, v strictjson.Value) bool {
		if key == "name" {
			name, _ = d.String(v)
		}
		return key == "name"
	}) {
		d.required(v, "name")
	}
	return name
}

// allowedTools reads the choice of some tools among all. Vendors that have none are shown these alone.
func (d *chatReader) allowedTools(v strictjson.Value) (c chat.ToolChoice, allowed []string) {
	allowed = []string{}
	d.required(v, "allowed_tools")
	d.members(v, "tool_choice.", func(key string, v strictjson.Value) bool {
		if key != "allowed_tools" {
			return key == "type"
		}
		d.members(v, "tool_choice.allowed_tools.", func(key string, v strictjson.Value) bool {
			switch key {
			case "mode":
				if _, ok := d.String(v); ok {
					c = d.toolMode(v, "must be one of auto, required")
				}
			case "tools":
				d.each(v, func(_ int, item strictjson.Value) {
					kind, _ := item.Member("type")
					if _, ok := d.Object(item); ok {
						body, _ := item.Member(kind.Text)
						name, _ := body.Member("name")
						allowed = append(allowed, name.Text)
					}
				})
			default:
				return false
			}
			return true
		})
		return true
	})
	return c, allowed
}

// functionChoice reads the choice of a function from before there were tools.
func (d *chatReader) functionChoice(v strictjson.Value) (c chat.ToolChoice) {
	switch v.Kind {
	case strictjson.Null:
		return c
	case strictjson.String:
		return d.toolMode(v, "must be one of auto, none, or name a function")
	}
	return chat.ToolChoice{Mode: chat.ToolNamed, Name: d.named("function_call.", v)}
}
