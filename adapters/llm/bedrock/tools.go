package bedrock

import (
	"encoding/json"
	"fmt"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/domain/chat"
)

// grounding is the search that Amazon's own models run.
const grounding = "nova_grounding"

func (e *encoder) tools(r *chat.Request) error {
	var declared []tool
	for i := range r.Tools {
		t, err := e.tool(i, &r.Tools[i])
		if err != nil {
			return err
		}
		if t == nil {
			continue
		}
		declared = append(declared, *t)
		if p := e.toolPoint(r.Tools[i].Cache); p != nil {
			declared = append(declared, tool{CachePoint: p})
		}
	}
	history := e.toolsOfHistory()
	switch {
	case len(declared) == 0 && len(history) == 0:
		return nil
	case len(declared) == 0:
		e.out.Tools = &toolConfig{Tools: history}
	case r.ToolChoice.Mode == chat.ToolNone && len(history) == 0:
		return nil // what is not declared is not called
	default:
		e.out.Tools = &toolConfig{Tools: declared}
		e.choice(r)
	}
	return nil
}

// toolPoint gives a point behind a tool, which Claude alone takes.
func (e *encoder) toolPoint(c chat.CacheControl) *cachePoint {
	if c != "" && e.model.is(nova) {
		e.drops.Add("tools[].cache_control")
		return nil
	}
	return e.newPoint(c)
}

// tool declares a function, or a tool that the vendor runs where it has one; nil for none.
func (e *encoder) tool(i int, t *chat.Tool) (*tool, error) {
	if t.Server != "" {
		if t.Server == chat.ServerWebSearch && e.model.is(nova) {
			return &tool{System: &named{grounding}}, nil
		}
		e.drops.Add(fmt.Sprintf("tools[%d]", i))
		return nil, nil
	}
	schema, ok := objectSchema(t.Schema)
	if !ok {
		return nil, unsupported("bedrock takes a JSON Schema object only", "tools[%d].function.parameters", i)
	}
	spec := &toolSpec{Name: t.Name, Description: t.Description, InputSchema: inputSchema{schema}}
	if t.Strict != nil && *t.Strict {
		if e.model.takesSchema() {
			spec.Strict = t.Strict
		} else {
			e.drops.Add("tools[].function.strict")
		}
	}
	return &tool{Spec: spec}, nil
}

// choice says whether a tool must be called.
func (e *encoder) choice(r *chat.Request) {
	if r.ParallelTools != nil && !*r.ParallelTools {
		e.drops.Add("parallel_tool_calls")
	}
	mode := r.ToolChoice.Mode
	if (mode == chat.ToolRequired || mode == chat.ToolNamed) && !e.model.takesForcedTools(mode == chat.ToolNamed) {
		e.drops.Add("tool_choice")
		return
	}
	switch mode {
	case chat.ToolAuto:
		e.out.Tools.Choice = &toolChoice{Auto: &struct{}{}}
	case chat.ToolRequired:
		e.out.Tools.Choice = &toolChoice{Any: &struct{}{}}
	case chat.ToolNamed:
		e.out.Tools.Choice = &toolChoice{Tool: &named{r.ToolChoice.Name}}
	case chat.ToolNone:
		e.drops.Add("tool_choice") // the history needs the tools declared, and there is no word against calling them
	}
}

// toolsOfHistory lists the tools that the conversation has called: a history of calls without declarations is refused.
func (e *encoder) toolsOfHistory() []tool {
	var out []tool
	seen := map[string]bool{}
	for _, t := range e.out.Messages {
		for _, b := range t.Content {
			if b.ToolUse != nil && !seen[b.ToolUse.Name] {
				seen[b.ToolUse.Name] = true
				out = append(out, tool{Spec: &toolSpec{Name: b.ToolUse.Name, InputSchema: inputSchema{anyObject}}})
			}
		}
	}
	return out
}

var anyObject = json.RawMessage(`{"type":"object","properties":{}}`)

// objectSchema gives a schema as the API demands it: an object with type object at its top.
func objectSchema(schema []byte) (json.RawMessage, bool) {
	if len(schema) == 0 {
		return anyObject, true
	}
	if !isObject(schema) {
		return nil, false
	}
	var at [1]jsonscan.Span
	if err := jsonscan.Find(schema, at[:], "type"); err != nil {
		return nil, false
	}
	if !at[0].Found() {
		return jsonscan.Apply(schema, []jsonscan.Edit{jsonscan.Insert(schema, []byte(`"type":"object"`))}), true
	}
	return schema, true
}
