package rest

import (
	"bytes"

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
	if kind, _ := v.Member("type"); d.lenient && kind.Kind == strictjson.String && kind.Text != "function" {
		d.drop("tools." + kind.Text)
		return t, false
	}
	d.required(v, "function")
	d.members(v, "tools.", func(key string, v strictjson.Value) bool {
		switch key {
		case "type":
			d.constant(v, "function")
		case "function":
			t = d.function(v)
		default:
			return false
		}
		return true
	})
	return t, true
}

func (d *chatReader) function(v strictjson.Value) (t chat.Tool) {
	if d.members(v, "tools.function.", func(key string, v strictjson.Value) bool {
		switch key {
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
	}) {
		d.required(v, "name")
	}
	return t
}

// schema gives a JSON Schema as it was sent.
func (d *chatReader) schema(v strictjson.Value) []byte {
	if v.Kind == strictjson.Null {
		return nil
	}
	if _, ok := d.Object(v); !ok {
		return nil
	}
	return bytes.Clone(v.Raw)
}

// boolean reads a truth value that may be null.
func (d *chatReader) boolean(v strictjson.Value) *bool {
	if v.Kind == strictjson.Null {
		return nil
	}
	b, ok := d.Bool(v)
	if !ok {
		return nil
	}
	return &b
}

// number reads a number that may be null.
func (d *chatReader) number(v strictjson.Value) *float64 {
	if v.Kind == strictjson.Null {
		return nil
	}
	f, ok := d.Float(v)
	if !ok {
		return nil
	}
	return &f
}

// whole reads a whole number that may be null.
func (d *chatReader) whole(v strictjson.Value) *int64 {
	if v.Kind == strictjson.Null {
		return nil
	}
	n, ok := d.Int(v)
	if !ok {
		return nil
	}
	return &n
}

func (d *chatReader) toolChoice(v strictjson.Value) (c chat.ToolChoice) {
	switch v.Kind {
	case strictjson.Null:
		return c
	case strictjson.String:
		switch m := chat.ToolMode(v.Text); m {
		case chat.ToolAuto, chat.ToolNone, chat.ToolRequired:
			c.Mode = m
		default:
			d.Fail("unknown_value", "must be one of auto, none, required, or name a function")
		}
		return c
	case strictjson.Object:
	default:
		d.Fail(strictjson.CodeType, "must be a string or an object")
		return c
	}
	d.required(v, "type")
	if kind, _ := v.Member("type"); d.lenient && kind.Kind == strictjson.String && kind.Text != "function" {
		d.drop("tool_choice")
		return c
	}
	d.required(v, "function")
	d.members(v, "tool_choice.", func(key string, v strictjson.Value) bool {
		switch key {
		case "type":
			d.constant(v, "function")
		case "function":
			d.members(v, "tool_choice.function.", func(key string, v strictjson.Value) bool {
				if key == "name" {
					c.Name, _ = d.String(v)
				}
				return key == "name"
			})
			d.required(v, "name")
		default:
			return false
		}
		return true
	})
	c.Mode = chat.ToolNamed
	return c
}

func (d *chatReader) format(v strictjson.Value) (f chat.Format) {
	if v.Kind == strictjson.Null {
		return f
	}
	if !d.members(v, "response_format.", func(key string, v strictjson.Value) bool {
		switch key {
		case "type":
			f.Kind = d.formatKind(v)
		case "json_schema":
			d.formatSchema(v, &f)
		default:
			return false
		}
		return true
	}) {
		return f
	}
	d.required(v, "type")
	if f.Kind == chat.FormatSchema {
		d.required(v, "json_schema")
	}
	return f
}

func (d *chatReader) formatKind(v strictjson.Value) chat.FormatKind {
	s, ok := d.String(v)
	switch {
	case !ok, s == "text":
	case s == "json_object":
		return chat.FormatJSON
	case s == "json_schema":
		return chat.FormatSchema
	default:
		d.Fail("unknown_value", "must be one of text, json_object, json_schema")
	}
	return chat.FormatText
}

func (d *chatReader) formatSchema(v strictjson.Value, f *chat.Format) {
	if d.members(v, "response_format.json_schema.", func(key string, v strictjson.Value) bool {
		switch key {
		case "name":
			f.Name, _ = d.String(v)
		case "schema":
			f.Schema = d.schema(v)
		case "strict":
			f.Strict = d.boolean(v)
		case "description":
			d.text(v)
		default:
			return false
		}
		return true
	}) {
		d.required(v, "name")
	}
}
