package chatcompletions

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

// encode writes a request in the dialect, and nothing that was not asked for. dropped names what the model does not take.
func (f Flavour) encode(model string, r *chat.Request, stream bool) (*request, []string, error) {
	e := &encoder{Flavour: f, model: model, out: &request{
		Model: model, Temperature: r.Temperature, TopP: r.TopP, FrequencyPenalty: r.FrequencyPenalty, PresencePenalty: r.PresencePenalty,
		Stop: r.Stop, Seed: r.Seed, Logprobs: r.Logprobs, TopLogprobs: r.TopLogprobs, User: r.EndUser, Stream: stream,
	}}
	if f.CompletionTokens != nil && f.CompletionTokens(model) {
		e.out.MaxCompletionTokens = r.MaxTokens
	} else {
		e.out.MaxTokens = r.MaxTokens
	}
	if stream {
		e.out.StreamOptions = &streamOptions{IncludeUsage: true}
	}
	if r.Choices > 1 {
		e.out.N = r.Choices
	}
	e.thinking(r)
	e.hints(r)
	if err := e.messages(r.Messages); err != nil {
		return nil, nil, err
	}
	e.tools(r)
	e.out.Format = formatOf(r.Format)
	if f.Refuses != nil {
		for _, field := range f.Refuses(model, e.out.Effort) {
			e.drop(field)
		}
	}
	dropped, err := e.drops.Fields(r)
	if err != nil {
		return nil, nil, err
	}
	return e.out, dropped, nil
}

// maxStops is how many stop sequences OpenAI takes.
const maxStops = 4

// hints writes what servers know or do not, by their kind. A cache that the vendor keeps of its own accord is not lost.
func (e *encoder) hints(r *chat.Request) {
	e.out.TopK, e.out.ServiceTier, e.out.CacheKey = r.TopK, r.ServiceTier, r.CacheKey
	switch e.Kind {
	case OpenAI:
		e.drop("top_k")
		if len(e.out.Stop) > maxStops {
			e.out.Stop = e.out.Stop[:maxStops]
			e.drops.Add("stop")
		}
	case OpenRouter:
		e.drop("n") // which it ignores
		e.lose("prompt_cache_key", &e.out.CacheKey)
	case Compatible:
		e.lose("prompt_cache_key", &e.out.CacheKey)
		if t := e.out.ServiceTier; t == "auto" || t == "default" {
			e.out.ServiceTier = ""
		}
		e.drop("service_tier")
	}
}

// lose takes out a text.
func (e *encoder) lose(field string, text *string) {
	if *text != "" {
		*text = ""
		e.drops.Add(field)
	}
}

// drop takes a field out. Sampling parameters of 1 are what a model does that takes none, so nothing is lost with them.
func (e *encoder) drop(field string) {
	q, lost := e.out, false
	switch field {
	case "temperature":
		lost, q.Temperature = q.Temperature != nil && *q.Temperature != 1, nil
	case "top_p":
		lost, q.TopP = q.TopP != nil && *q.TopP != 1, nil
	case "top_k":
		lost, q.TopK = q.TopK != nil, nil
	case "frequency_penalty":
		lost, q.FrequencyPenalty = q.FrequencyPenalty != nil && *q.FrequencyPenalty != 0, nil
	case "presence_penalty":
		lost, q.PresencePenalty = q.PresencePenalty != nil && *q.PresencePenalty != 0, nil
	case "stop":
		lost, q.Stop = len(q.Stop) > 0, nil
	case "n":
		lost, q.N = q.N > 1, 0
	case "logprobs":
		lost, q.Logprobs, q.TopLogprobs = q.Logprobs, false, 0
	case "service_tier":
		lost, q.ServiceTier = q.ServiceTier != "", ""
	case "reasoning_effort":
		lost, q.Effort = q.Effort != "", ""
	case "parallel_tool_calls": // a model that does not take it calls one tool at a time
		q.ParallelTools = nil
	}
	if lost {
		e.drops.Add(field)
	}
}

// thinking writes how much is to be thought: as an effort, which every server knows, or in OpenRouter's own field, which knows budgets too.
func (e *encoder) thinking(r *chat.Request) {
	t := r.Thinking
	if t.Zero() {
		return
	}
	effort := t.EffortOr("")
	if e.Kind == OpenRouter {
		q := &reasoning{}
		switch {
		case t.Budget > 0 && t.Effort == "" && t.Mode != chat.ThinkingOff:
			q.MaxTokens = t.Budget
		case effort != "":
			q.Effort = e.near(effort, llm.NearestEffort(effort, "none", "xhigh"))
		case t.Mode != "":
			q.Enabled = true
		}
		q.Exclude = !t.Show && effort != "none" && len(r.Tools) == 0 // of a tool's call the thoughts are wanted back
		if *q != (reasoning{}) {
			e.out.Reasoning = q
		}
		return
	}
	if effort == "" {
		return // thinking is what a model that can does unasked
	}
	if e.Effort != nil {
		var honoured bool
		if e.out.Effort, honoured = e.Effort(e.model, effort); !honoured {
			e.drops.Add("reasoning_effort")
		}
		return
	}
	switch {
	case effort == "none" && t.Effort == "": // servers differ in how thinking is turned off, and most do not know this word
		e.drops.Add("reasoning_effort")
	default:
		e.out.Effort = e.near(effort, llm.CommonEffort(effort))
	}
}

// near gives the effort that is sent, and names what was asked where it is less.
func (e *encoder) near(asked, sent string) string {
	if !llm.HonoursEffort(asked, sent) {
		e.drops.Add("reasoning_effort")
	}
	return sent
}

// tools writes the tools and what goes with them. A vendor refuses a choice where there is no tool.
func (e *encoder) tools(r *chat.Request) {
	for i := range r.Tools {
		switch t := &r.Tools[i]; {
		case t.Server == "":
			e.out.Tools = append(e.out.Tools, tool{Type: "function", Function: function{
				Name: t.Name, Description: t.Description, Parameters: raw(t.Schema), Strict: t.Strict,
			}})
			if t.Cache != "" && e.Kind == OpenRouter { // which knows marks in messages alone; one that follows there covers the tools too
				e.drops.Add("tools[].cache_control")
			} else {
				e.uncached(t.Cache)
			}
		case t.Foreign != nil && t.Foreign.Dialect == chat.DialectOpenAIChat && json.Valid(t.Foreign.JSON):
			e.out.Tools = append(e.out.Tools, json.RawMessage(t.Foreign.JSON))
		case t.Server == chat.ServerWebSearch && e.Kind == OpenRouter:
			e.out.Plugins = []plugin{{ID: "web"}}
		default:
			e.drops.Add(fmt.Sprintf("tools[%d]", i))
		}
	}
	if len(r.Tools) > 0 && len(e.out.Tools) == 0 {
		if m := r.ToolChoice.Mode; (m == chat.ToolRequired || m == chat.ToolNamed) && len(e.out.Plugins) == 0 {
			e.drops.Add("tool_choice")
		}
		return
	}
	e.out.ToolChoice, e.out.ParallelTools = toolChoiceOf(r.ToolChoice), r.ParallelTools
}

func toolChoiceOf(c chat.ToolChoice) any {
	switch c.Mode {
	case "":
		return nil
	case chat.ToolNamed:
		return map[string]any{"type": "function", "function": map[string]string{"name": c.Name}}
	default:
		return string(c.Mode)
	}
}

func formatOf(f chat.Format) *responseFormat {
	switch f.Kind {
	case chat.FormatJSON:
		return &responseFormat{Type: "json_object"}
	case chat.FormatSchema:
		name := f.Name
		if name == "" {
			name = "answer" // the dialect demands one
		}
		return &responseFormat{Type: "json_schema", Schema: &jsonSchema{Name: name, Description: f.Description, Schema: raw(f.Schema), Strict: f.Strict}}
	default:
		return nil
	}
}

func raw(b []byte) json.RawMessage {
	if len(b) == 0 {
		return nil
	}
	return json.RawMessage(b)
}
