package responses

import (
	"encoding/json"
	"fmt"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// encoder writes one request, and notes what the vendor does not take.
type encoder struct {
	Flavour
	model string
	drops llm.Drops
	out   *request
}

// minOutput is the least number of tokens that the API lets an answer be limited to.
const minOutput = 16

// encode writes a request in the dialect, and nothing that was not asked for but what keeps the vendor from keeping it. dropped names what the model
// does not take.
func (f Flavour) encode(model string, r *chat.Request, stream bool) (*request, []string, error) {
	e := &encoder{Flavour: f, model: model, out: &request{
		Model: model, MaxOutputTokens: r.MaxTokens, Temperature: r.Temperature, TopP: r.TopP, ServiceTier: r.ServiceTier,
		CacheKey: r.CacheKey, User: r.EndUser, Stream: stream,
	}}
	if r.MaxTokens != nil && *r.MaxTokens < minOutput {
		least := minOutput
		e.out.MaxOutputTokens = &least
		e.drops.Add("max_tokens")
	}
	if f.thinks(model) {
		e.out.Include = []string{includeThoughts}
	}
	if r.Logprobs {
		e.out.Include, e.out.TopLogprobs = append(e.out.Include, includeLogprobs), r.TopLogprobs
	} else if r.TopLogprobs > 0 {
		e.drops.Add("top_logprobs")
	}
	e.thinking(&r.Thinking)
	e.drops.AddAsked(r, "stop", "seed", "n", "top_k", "frequency_penalty", "presence_penalty") // the API has no field for them
	if err := e.conversation(r.Messages); err != nil {
		return nil, nil, err
	}
	e.tools(r)
	e.format(&r.Format)
	if f.Refuses != nil {
		effort := ""
		if e.out.Reasoning != nil {
			effort = e.out.Reasoning.Effort
		}
		for _, field := range f.Refuses(model, effort) {
			e.drop(field)
		}
	}
	dropped, err := e.drops.Fields(r)
	if err != nil {
		return nil, nil, err
	}
	return e.out, dropped, nil
}

// drop takes a field out. Sampling parameters of 1 are what a model does that takes none, so nothing is lost with them.
func (e *encoder) drop(field string) {
	q, lost := e.out, false
	switch field {
	case "temperature":
		lost, q.Temperature = q.Temperature != nil && *q.Temperature != 1, nil
	case "top_p":
		lost, q.TopP = q.TopP != nil && *q.TopP != 1, nil
	case "logprobs":
		include := q.Include[:0]
		for _, what := range q.Include {
			if lost = lost || what == includeLogprobs; what != includeLogprobs {
				include = append(include, what)
			}
		}
		q.Include, q.TopLogprobs = include, 0
	case "service_tier":
		lost, q.ServiceTier = q.ServiceTier != "", ""
	case "reasoning_effort":
		lost, q.Reasoning = q.Reasoning != nil && q.Reasoning.Effort != "", nil
	case "parallel_tool_calls": // a model that does not take it calls one tool at a time
		q.ParallelTools = nil
	}
	if lost {
		e.drops.Add(field)
	}
}

// thinking writes how much is to be thought, and whether a summary of it is to be seen.
func (e *encoder) thinking(t *chat.Thinking) {
	effort := t.EffortOr("")
	if effort != "" {
		effort = e.effort(t, effort)
	}
	q := reasoning{Effort: effort}
	if t.Show && effort != "none" && e.thinks(e.model) {
		q.Summary = "auto"
	}
	if q != (reasoning{}) {
		e.out.Reasoning = &q
	}
}

func (e *encoder) effort(t *chat.Thinking, asked string) string {
	send := llm.CommonEffort(asked)
	honoured := llm.HonoursEffort(asked, send)
	switch {
	case e.Effort != nil:
		send, honoured = e.Effort(e.model, asked)
	case asked == "none" && t.Effort == "": // most models do not know this word
		send, honoured = "", false
	}
	if !honoured {
		e.drops.Add("reasoning_effort")
	}
	return send
}

// noParameters is the schema of a function without any: the API wants one.
const noParameters = `{"type":"object","properties":{}}`

// tools writes the tools and what goes with them. A vendor refuses a choice where there is no tool.
func (e *encoder) tools(r *chat.Request) {
	for i := range r.Tools {
		switch t := &r.Tools[i]; {
		case t.Server == "":
			f := function{Type: toolFunction, Name: t.Name, Description: t.Description, Parameters: t.Schema, Strict: t.Strict != nil && *t.Strict}
			if len(f.Parameters) == 0 {
				f.Parameters = json.RawMessage(noParameters)
			}
			e.out.Tools = append(e.out.Tools, f)
			e.uncached(t.Cache)
		case t.Foreign != nil && t.Foreign.Dialect == chat.DialectResponses && json.Valid(t.Foreign.JSON):
			e.out.Tools = append(e.out.Tools, json.RawMessage(t.Foreign.JSON))
		case t.Server == chat.ServerWebSearch:
			e.out.Tools = append(e.out.Tools, json.RawMessage(`{"type":"web_search"}`))
		case t.Server == chat.ServerCodeExecution:
			e.out.Tools = append(e.out.Tools, json.RawMessage(`{"type":"code_interpreter","container":{"type":"auto"}}`))
		default:
			e.drops.Add(fmt.Sprintf("tools[%d]", i))
		}
	}
	c := r.ToolChoice
	if len(r.Tools) > 0 && len(e.out.Tools) == 0 {
		if c.Mode == chat.ToolRequired || c.Mode == chat.ToolNamed {
			e.drops.Add("tool_choice")
		}
		return
	}
	e.out.ParallelTools = r.ParallelTools
	switch c.Mode {
	case "":
	case chat.ToolNamed:
		e.out.ToolChoice = map[string]string{"type": toolFunction, "name": c.Name}
	default:
		e.out.ToolChoice = string(c.Mode)
	}
}

func (e *encoder) format(f *chat.Format) {
	switch f.Kind {
	case chat.FormatText:
	case chat.FormatJSON:
		e.out.Text = &textOptions{&format{Type: "json_object"}}
	case chat.FormatSchema:
		out := &format{Type: "json_schema", Name: f.Name, Description: f.Description, Schema: f.Schema, Strict: f.Strict}
		if out.Name == "" {
			out.Name = "answer" // the dialect demands one
		}
		e.out.Text = &textOptions{out}
	}
}

// uncached is about a mark up to which the prompt is to be kept. The vendor knows none, and keeps every prompt for some minutes anyhow; longer, where a
// model can be asked to.
func (e *encoder) uncached(c chat.CacheControl) {
	switch {
	case c != chat.Cache1h:
	case e.Retains != nil && e.Retains(e.model):
		e.out.Retention = "24h"
	default:
		e.drops.Add("messages[].cache_control")
	}
}
