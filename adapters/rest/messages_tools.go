package rest

import (
	"strings"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
)

// declared reads the tools.
func (d *messageReader) declared(v strictjson.Value) []chat.Tool {
	if v.Kind == strictjson.Null {
		return nil
	}
	items, _ := d.Array(v)
	out := make([]chat.Tool, 0, len(items))
	for i, item := range items {
		d.EnterItem(i)
		out = append(out, d.declaration(item))
		d.Leave()
	}
	return out
}

// declaration reads a tool: the caller's own, or one that Anthropic runs or has made known to its models.
func (d *messageReader) declaration(v strictjson.Value) (t chat.Tool) {
	kind, _ := v.Member("type")
	if kind.Kind == strictjson.String && kind.Text != "custom" {
		return d.serverTool(kind.Text, v)
	}
	if !d.members(v, "tools.", func(key string, v strictjson.Value) bool {
		switch key {
		case "type":
			d.text(v)
		case "name":
			if t.Name, _ = d.String(v); v.Kind == strictjson.String && t.Name == "" {
				d.Fail("too_short", "must not be empty")
			}
		case "description":
			t.Description = d.text(v)
		case "input_schema":
			if _, ok := d.Object(v); ok {
				t.Schema = d.schema(v)
			}
		case "strict":
			t.Strict = d.boolean(v)
		case "cache_control":
			t.Cache = d.caching(v)
		default:
			return ordinary(key, v)
		}
		return true
	}) {
		return t
	}
	d.required(v, "name", "input_schema")
	return t
}

// ordinary reports whether a field of a tool only says what is so anyway.
func ordinary(key string, v strictjson.Value) bool {
	switch key {
	case "defer_loading", "eager_input_streaming":
		return v.Kind == strictjson.Bool && !v.True
	case "allowed_callers":
		return len(v.Items) == 1 && v.Items[0].Text == "direct"
	case "input_examples":
		return v.Kind == strictjson.Array && len(v.Items) == 0
	}
	return false
}

func (d *messageReader) serverTool(kind string, v strictjson.Value) chat.Tool {
	t := chat.Tool{Server: chat.ServerOther, Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: v.Raw}}
	switch {
	case strings.HasPrefix(kind, "web_search_"):
		t.Server = chat.ServerWebSearch
	case strings.HasPrefix(kind, "code_execution_"):
		t.Server = chat.ServerCodeExecution
	}
	if name, _ := v.Member("name"); name.Kind == strictjson.String {
		t.Name = name.Text
	}
	if c, there := v.Member("cache_control"); there {
		d.Enter("cache_control")
		t.Cache = d.caching(c)
		d.Leave()
	}
	return t
}

// choice reads tool_choice, which also says whether several tools may be called at once.
func (d *messageReader) choice(v strictjson.Value) {
	r := d.req
	kind := ""
	if !d.nested(v, "tool_choice.", func(key string, v strictjson.Value) bool {
		switch key {
		case "type":
			kind = d.oneOf(v, "auto", "any", "tool", "none")
		case "name":
			r.ToolChoice.Name = d.text(v)
		case "disable_parallel_tool_use":
			if b := d.boolean(v); b != nil && *b {
				several := false
				r.ParallelTools = &several
			}
		default:
			return false
		}
		return true
	}) {
		return
	}
	d.required(v, "type")
	if kind == "tool" {
		d.required(v, "name")
	}
	r.ToolChoice.Mode = map[string]chat.ToolMode{"auto": chat.ToolAuto, "any": chat.ToolRequired, "tool": chat.ToolNamed, "none": chat.ToolNone}[kind]
	if r.ToolChoice.Mode != chat.ToolNamed {
		r.ToolChoice.Name = ""
	}
}

// thinking reads whether and how much the model is to think.
func (d *messageReader) thinking(v strictjson.Value) {
	t := &d.req.Thinking
	kind, shown := "", true
	if !d.nested(v, "thinking.", func(key string, v strictjson.Value) bool {
		switch key {
		case "type":
			kind = d.oneOf(v, "enabled", "disabled", "adaptive")
		case "budget_tokens":
			n := d.whole(v)
			if n != nil && *n < 1 {
				d.Fail("out_of_range", "must be at least 1")
			} else if n != nil {
				t.Budget = int(*n)
			}
		case "display":
			shown = v.Kind == strictjson.Null || d.oneOf(v, "summarized", "omitted") != "omitted"
		default:
			return false
		}
		return true
	}) {
		return
	}
	d.required(v, "type")
	switch kind {
	case "enabled":
		d.required(v, "budget_tokens")
		t.Mode, t.Show = chat.ThinkingOn, shown
	case "adaptive":
		t.Mode, t.Show = chat.ThinkingAdaptive, shown
	case "disabled":
		t.Mode, t.Budget = chat.ThinkingOff, 0
	}
}

// outputConfig reads how hard the model is to try, and the form of its answer.
func (d *messageReader) outputConfig(v strictjson.Value) {
	d.nested(v, "output_config.", func(key string, v strictjson.Value) bool {
		switch key {
		case "effort":
			if v.Kind != strictjson.Null {
				d.req.Thinking.Effort = d.oneOf(v, "low", "medium", "high", "xhigh", "max")
			}
		case "format":
			d.schemaFormat(v)
		default:
			return false
		}
		return true
	})
}

// schemaFormat reads the form of the answer.
func (d *messageReader) schemaFormat(v strictjson.Value) {
	f := chat.Format{Kind: chat.FormatSchema, Name: "answer"} // other vendors want a name
	if !d.nested(v, "output_config.format.", func(key string, v strictjson.Value) bool {
		switch key {
		case "type":
			d.constant(v, "json_schema")
		case "schema":
			if _, ok := d.Object(v); ok {
				f.Schema = d.schema(v)
			}
		case "name":
			if name := d.text(v); name != "" {
				f.Name = name
			}
		default:
			return false
		}
		return true
	}) {
		return
	}
	d.required(v, "type", "schema")
	d.req.Format = f
}
