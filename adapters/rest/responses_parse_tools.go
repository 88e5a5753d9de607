package rest

import (
	"fmt"
	"strings"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
)

// textSchema is that of a tool which takes a text, where there are only functions.
const textSchema = `{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}`

func (d *respReader) tools(v strictjson.Value) {
	d.each(v, func(i int, v strictjson.Value) {
		if _, ok := d.Object(v); !ok {
			return
		}
		d.required(v, "type")
		switch kind, _ := v.Member("type"); {
		case kind.Kind != strictjson.String:
			if kind.Raw != nil {
				d.FailAt("type", strictjson.CodeType, "must be a string")
			}
		case kind.Text == "function":
			d.req.Tools = append(d.req.Tools, d.function(v))
		case kind.Text == "custom":
			d.req.Tools = append(d.req.Tools, d.customTool(i, v))
		default:
			t := serverTool(kind.Text, v.Raw)
			t.Foreign.Dialect = chat.DialectResponses
			d.req.Tools = append(d.req.Tools, t)
		}
	})
}

func (d *respReader) function(v strictjson.Value) (t chat.Tool) {
	d.members(v, "tools[].", func(key string, v strictjson.Value) bool {
		switch key {
		case "type":
		case "name":
			if t.Name, _ = d.String(v); v.Kind == strictjson.String && t.Name == "" {
				d.Fail("too_short", "must not be empty")
			}
		case "description":
			t.Description = d.text(v)
		case "parameters":
			t.Schema = d.schema(v)
		case "strict":
			t.Strict = d.boolean(v)
		default:
			return false
		}
		return true
	})
	d.required(v, "name")
	return t
}

// customTool reads a tool that takes a text. To others it is a function of one string; a grammar is told to the model, as nobody else can enforce it.
func (d *respReader) customTool(i int, v strictjson.Value) chat.Tool {
	t := chat.Tool{Schema: []byte(textSchema)}
	d.members(v, "tools[].", func(key string, v strictjson.Value) bool {
		switch key {
		case "type":
		case "name":
			t.Name, _ = d.String(v)
		case "description":
			t.Description = d.text(v) + t.Description
		case "format":
			syntax, _ := v.Member("syntax")
			if grammar, there := v.Member("definition"); there {
				d.drop(fmt.Sprintf("tools[%d].format", i))
				t.Description += "\n\nThe input must match this " + syntax.Text + " grammar:\n" + grammar.Text
			}
		default:
			return false
		}
		return true
	})
	d.required(v, "name")
	t.Description = strings.TrimSpace(t.Description)
	return t
}

func (d *respReader) choice(v strictjson.Value) (c chat.ToolChoice) {
	switch v.Kind {
	case strictjson.Null:
		return c
	case strictjson.String:
		switch m := chat.ToolMode(v.Text); m {
		case chat.ToolAuto, chat.ToolNone, chat.ToolRequired:
			c.Mode = m
		default:
			d.Fail("unknown_value", "must be one of auto, none, required, or name a tool")
		}
		return c
	case strictjson.Object:
	default:
		d.Fail(strictjson.CodeType, "must be a string or an object")
		return c
	}
	d.required(v, "type")
	if kind, _ := v.Member("type"); kind.Text != "function" && kind.Text != "custom" {
		d.drop("tool_choice")
		return c
	}
	d.required(v, "name")
	if name, there := v.Member("name"); there {
		d.Enter("name")
		c.Name, _ = d.String(name)
		d.Leave()
	}
	c.Mode = chat.ToolNamed
	return c
}

// customTools names the tools that take a text, so that their calls are shown as such: also when the answer is of a call that was made before.
func (e *respEnvelope) customTools() map[string]bool {
	var out map[string]bool
	for _, tool := range itemsOf(e.raw(respTools, "[]")) {
		if h := headOfItem(tool); h.kind == "custom" {
			if out == nil {
				out = map[string]bool{}
			}
			out[h.text(tool, "name")] = true
		}
	}
	return out
}
