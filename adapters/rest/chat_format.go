package rest

import (
	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
)

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
			f.Description = d.text(v)
		default:
			return false
		}
		return true
	}) {
		d.required(v, "name")
	}
}
