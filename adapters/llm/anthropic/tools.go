package anthropic

import (
	"encoding/json"
	"fmt"

	"github.com/forge1/forge1/domain/chat"
)

// How the vendor is told whether to call tools.
const (
	choiceAuto = "auto"
	choiceAny  = "any"
	choiceTool = "tool"
	choiceNone = "none"
)

// The vendor's own declarations of tools that it runs, for callers who declared another vendor's.
var (
	webSearch     = tool{Type: "web_search_20250305", Name: "web_search"}
	codeExecution = tool{Type: "code_execution_20250825", Name: "code_execution"}
)

func (e *encoder) tools(r *chat.Request) error {
	for i := range r.Tools {
		if err := e.tool(i, &r.Tools[i]); err != nil {
			return err
		}
	}
	if len(e.out.Tools) == 0 {
		e.toolsOfHistory()
		return nil
	}
	e.choice(r)
	return nil
}

func (e *encoder) tool(i int, t *chat.Tool) error {
	if t.Server != "" {
		e.serverTool(i, t)
		return nil
	}
	schema, ok := inputSchema(t.Schema)
	if !ok {
		return unsupported("anthropic takes a JSON Schema object only", "tools[%d].function.parameters", i)
	}
	out := &tool{Name: t.Name, Description: t.Description, InputSchema: schema, Cache: cachePoint(t.Cache)}
	if t.Strict != nil && *t.Strict {
		var lost bool
		if out.InputSchema, lost = enforceable(schema); lost {
			e.drops.Add(fmt.Sprintf("tools[%d].function.parameters", i))
		}
		out.Strict = t.Strict
	}
	e.out.Tools = append(e.out.Tools, out)
	return nil
}

// serverTool declares a tool that the vendor runs: in the caller's words where those are the vendor's, else by what the tool does.
func (e *encoder) serverTool(i int, t *chat.Tool) {
	switch {
	case t.Foreign != nil && t.Foreign.Dialect == chat.DialectAnthropic && isObject(t.Foreign.JSON):
		e.out.Tools = append(e.out.Tools, json.RawMessage(t.Foreign.JSON))
	case t.Server == chat.ServerWebSearch:
		own := webSearch
		own.Cache = cachePoint(t.Cache)
		e.out.Tools = append(e.out.Tools, &own)
	case t.Server == chat.ServerCodeExecution:
		own := codeExecution
		own.Cache = cachePoint(t.Cache)
		e.out.Tools = append(e.out.Tools, &own)
	default:
		e.drops.Add(fmt.Sprintf("tools[%d]", i))
	}
}

// choice says whether a tool must be called.
func (e *encoder) choice(r *chat.Request) {
	choice := &toolChoice{DisableParallel: r.ParallelTools != nil && !*r.ParallelTools}
	mode := r.ToolChoice.Mode
	if (mode == chat.ToolRequired || mode == chat.ToolNamed) && !e.model.takesForcedTools() {
		e.drops.Add("tool_choice")
		mode = chat.ToolAuto
	}
	switch mode {
	case chat.ToolNone:
		choice = &toolChoice{Type: choiceNone}
	case chat.ToolRequired:
		choice.Type = choiceAny
	case chat.ToolNamed:
		choice.Type, choice.Name = choiceTool, r.ToolChoice.Name
	case chat.ToolAuto:
		choice.Type = choiceAuto
	default:
		if !choice.DisableParallel {
			return
		}
		choice.Type = choiceAuto
	}
	e.out.ToolChoice = choice
}

// toolsOfHistory declares the tools that the conversation has called when the caller declares none: the vendor refuses a history of
// calls without declarations. None of them may be called again.
func (e *encoder) toolsOfHistory() {
	seen := map[string]bool{}
	for _, t := range e.out.Messages {
		for _, c := range t.Content {
			if b, ok := c.(*block); ok && b.Type == "tool_use" && !seen[b.Name] {
				seen[b.Name] = true
				e.out.Tools = append(e.out.Tools, &tool{Name: b.Name, InputSchema: json.RawMessage(`{"type":"object"}`)})
				e.out.ToolChoice = &toolChoice{Type: choiceNone}
			}
		}
	}
}

// inputSchema gives a schema as the vendor demands it: an object with type object at its top.
func inputSchema(schema []byte) (json.RawMessage, bool) {
	if len(schema) == 0 {
		return json.RawMessage(`{"type":"object"}`), true
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(schema, &fields) != nil || fields == nil {
		return nil, false
	}
	if _, ok := fields["type"]; ok {
		return schema, true
	}
	return with(schema, `"type":"object"`), true
}
