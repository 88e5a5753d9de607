package gemini

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/domain/chat"
)

// ownTools are the vendor's declarations of the server tools that it has.
var ownTools = map[chat.ServerTool]json.RawMessage{
	chat.ServerWebSearch:     json.RawMessage(`{"googleSearch":{}}`),
	chat.ServerCodeExecution: json.RawMessage(`{"codeExecution":{}}`),
}

// served is a tool that the vendor runs, with its place among the tools of the request.
type served struct {
	at          int
	declaration json.RawMessage
}

// tools fills tools and toolConfig.
func (e *encoder) tools(r *chat.Request) error {
	declared := make([]functionDeclaration, 0, len(r.Tools))
	var run []served
	strict := false
	for i := range r.Tools {
		t := &r.Tools[i]
		if t.Cache != "" {
			e.drops.Add("tools[].cache_control")
		}
		if t.Server != "" {
			run = e.serverTool(run, i, t)
			continue
		}
		if len(t.Schema) > 0 && !isObject(t.Schema) {
			return unsupported("gemini takes a JSON Schema object only", "tools[%d].function.parameters", i)
		}
		strict = strict || t.Strict != nil && *t.Strict
		declared = append(declared, functionDeclaration{Name: e.name(t.Name), Description: t.Description, Parameters: t.Schema})
	}
	if r.ToolChoice.Mode == chat.ToolNone {
		run = nil // there is no other way to keep the vendor from running them
	}
	if len(declared) > 0 && len(run) > 0 && e.model.major < 3 {
		for _, s := range run {
			e.drops.Add(fmt.Sprintf("tools[%d]", s.at)) // older models take either, not both
		}
		run = nil
	}
	if len(declared) > 0 {
		e.out.Tools = append(e.out.Tools, functions{Declarations: declared})
	}
	for _, s := range run {
		e.out.Tools = append(e.out.Tools, s.declaration)
	}
	e.choice(r, declared, strict)
	if len(declared) > 0 && len(run) > 0 {
		if e.out.ToolConfig == nil {
			e.out.ToolConfig = &toolConfig{}
		}
		e.out.ToolConfig.ServerSide = true // what the vendor demands of whoever mixes its tools and theirs
	}
	return nil
}

// serverTool adds a tool that the vendor runs, or names it when the vendor has none that does the same.
func (e *encoder) serverTool(run []served, i int, t *chat.Tool) []served {
	if t.Foreign != nil && t.Foreign.Dialect == chat.DialectGemini && isObject(t.Foreign.JSON) {
		return append(run, served{i, t.Foreign.JSON})
	}
	own, ok := ownTools[t.Server]
	if !ok {
		e.drops.Add(fmt.Sprintf("tools[%d]", i))
		return run
	}
	if t.Foreign != nil {
		for _, option := range options(t.Foreign.JSON) {
			e.drops.Add(fmt.Sprintf("tools[%d].%s", i, option))
		}
	}
	return append(run, served{i, own})
}

// options names what another dialect's declaration of a tool says beyond what tool it is.
func options(declaration []byte) []string {
	var out []string
	w := jsonscan.Walk(declaration, 0)
	if !w.Object() {
		return nil
	}
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		name, value := string(key), w.Skip()
		if value == nil {
			return out
		}
		if name != "type" && name != "name" && string(value) != "null" {
			out = append(out, name)
		}
	}
	return out
}

// choice fills what is said of how free the model is in calling functions.
func (e *encoder) choice(r *chat.Request, declared []functionDeclaration, strict bool) {
	forced := r.ToolChoice.Mode == chat.ToolRequired || r.ToolChoice.Mode == chat.ToolNamed
	if len(declared) == 0 {
		if forced && len(e.out.Tools) > 0 {
			e.drops.Add("tool_choice") // what the vendor runs cannot be forced
		}
		return
	}
	if r.ParallelTools != nil && !*r.ParallelTools {
		e.drops.Add("parallel_tool_calls") // there is no such switch
	}
	c := &functionCallingConfig{}
	switch r.ToolChoice.Mode {
	case chat.ToolAuto:
		c.Mode = "AUTO"
	case chat.ToolNone:
		c.Mode = "NONE"
	case chat.ToolRequired:
		c.Mode = "ANY"
	case chat.ToolNamed:
		name := functionName(r.ToolChoice.Name)
		c.Mode, c.AllowedFunctionNames = "ANY", []string{name}
		if !slices.ContainsFunc(declared, func(f functionDeclaration) bool { return f.Name == name }) {
			c = &functionCallingConfig{}
			e.drops.Add("tool_choice")
		}
	}
	switch free := c.Mode == "" || c.Mode == "AUTO"; {
	case !strict || !free: // a forced call keeps to its schema anyway
	case e.model.validates():
		c.Mode = "VALIDATED" // free to call or not, but by the schema
	default:
		e.drops.Add("tools[].function.strict")
	}
	if c.Mode != "" {
		e.out.ToolConfig = &toolConfig{FunctionCallingConfig: c}
	}
}
