package anthropic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

const (
	// defaultMaxTokens is sent when the caller set no limit, because the vendor demands one. It is the largest limit that every
	// Claude model takes; the model's own would need a catalogue, which an adapter does not have.
	defaultMaxTokens = 4096
	// maxUserID is the longest metadata.user_id that the vendor takes.
	maxUserID = 256
)

// encoder turns a neutral request into the vendor's and remembers what had to be left out.
type encoder struct {
	out   *request
	ids   toolIDs
	drops llm.Drops
}

// encode gives the vendor's request and the names of the fields that it cannot honour. With r.Strict the first such field is a failure,
// and so is, always, content that cannot be left out without changing what was asked.
func encode(model string, r *chat.Request, stream bool) (*request, []string, error) {
	e := &encoder{out: &request{Model: model, MaxTokens: defaultMaxTokens, Stream: stream}, ids: newToolIDs()}
	e.sampling(r)
	e.format(r)
	if err := e.messages(r); err != nil {
		return nil, nil, err
	}
	if err := e.tools(r); err != nil {
		return nil, nil, err
	}
	dropped, err := e.drops.Fields(r)
	if err != nil {
		return nil, nil, err
	}
	return e.out, dropped, nil
}

func (e *encoder) sampling(r *chat.Request) {
	if r.MaxTokens != nil {
		e.out.MaxTokens = *r.MaxTokens
	}
	switch {
	case r.Temperature == nil:
	case *r.Temperature > 1:
		e.drops.Add("temperature") // the vendor's scale ends at 1, which is also its default
	default:
		e.out.Temperature = r.Temperature
	}
	switch {
	case r.TopP == nil:
	case e.out.Temperature != nil:
		e.drops.Add("top_p") // models from 4.1 on refuse the two together
	default:
		e.out.TopP = r.TopP
	}
	for _, stop := range r.Stop {
		if strings.TrimSpace(stop) == "" {
			e.drops.Add("stop") // the vendor refuses a sequence of white space
			continue
		}
		e.out.StopSequences = append(e.out.StopSequences, stop)
	}
	if r.Seed != nil {
		e.drops.Add("seed")
	}
	if r.Reasoning != "" {
		// Which of effort, budget or neither a model takes differs from model to model and the wrong one is refused; the vendor's own
		// OpenAI endpoint ignores the field too.
		e.drops.Add("reasoning_effort")
	}
	switch {
	case r.EndUser == "":
	case len(r.EndUser) > maxUserID:
		e.drops.Add("user")
	default:
		e.out.Metadata = &metadata{UserID: r.EndUser}
	}
}

func (e *encoder) format(r *chat.Request) {
	switch r.Format.Kind {
	case chat.FormatText:
	case chat.FormatSchema:
		if isObject(r.Format.Schema) {
			e.out.OutputConfig = &outputConfig{Format: outputFormat{Type: "json_schema", Schema: r.Format.Schema}}
			return
		}
		e.drops.Add("response_format")
	default:
		e.drops.Add("response_format") // the vendor has no JSON mode without a schema
	}
}

func (e *encoder) tools(r *chat.Request) error {
	for i, t := range r.Tools {
		schema, ok := inputSchema(t.Schema)
		if !ok {
			return unsupported("anthropic takes a JSON Schema object only", "tools[%d].function.parameters", i)
		}
		out := tool{Name: t.Name, Description: t.Description, InputSchema: schema}
		if t.Strict != nil && *t.Strict {
			out.Strict = t.Strict
		}
		e.out.Tools = append(e.out.Tools, out)
	}
	if len(e.out.Tools) == 0 {
		e.toolsOfHistory()
		return nil
	}
	choice := &toolChoice{DisableParallel: r.ParallelTools != nil && !*r.ParallelTools}
	switch r.ToolChoice.Mode {
	case chat.ToolNone:
		choice = &toolChoice{Type: "none"}
	case chat.ToolRequired:
		choice.Type = "any"
	case chat.ToolNamed:
		choice.Type, choice.Name = "tool", r.ToolChoice.Name
	case chat.ToolAuto:
		choice.Type = "auto"
	default:
		if !choice.DisableParallel {
			return nil
		}
		choice.Type = "auto"
	}
	e.out.ToolChoice = choice
	return nil
}

// toolsOfHistory declares the tools that the conversation has called when the caller declares none: the vendor refuses a history of
// calls without declarations. None of them may be called again.
func (e *encoder) toolsOfHistory() {
	seen := map[string]bool{}
	for _, t := range e.out.Messages {
		for _, b := range t.Content {
			if b.Type == "tool_use" && !seen[b.Name] {
				seen[b.Name] = true
				e.out.Tools = append(e.out.Tools, tool{Name: b.Name, InputSchema: json.RawMessage(`{"type":"object"}`)})
				e.out.ToolChoice = &toolChoice{Type: "none"}
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
	fields["type"] = json.RawMessage(`"object"`)
	out, err := json.Marshal(fields)
	return out, err == nil
}

// isObject reports whether text is one whole JSON object.
func isObject(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) && json.Valid(text)
}

// unsupported is content that this vendor cannot take, found before the call.
func unsupported(why, param string, at ...any) *chat.Failure {
	return &chat.Failure{Class: chat.ClassUnsupport, Param: fmt.Sprintf(param, at...), Message: why, Err: errors.New(why)}
}
