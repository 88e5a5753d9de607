package gemini

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// maxStops is how many stop sequences the vendor takes.
const maxStops = 5

// encoder turns a neutral request into the vendor's and remembers what had to be left out.
type encoder struct {
	model string
	out   *request
	names map[string]string // a call's id -> its function
	drops llm.Drops
}

// encode gives the vendor's request and the names of the fields that it cannot honour. With r.Strict the first such field is a failure,
// and so is, always, content that cannot be left out without changing what was asked.
func encode(model string, r *chat.Request) (*request, []string, error) {
	e := &encoder{model: model, out: &request{}, names: map[string]string{}}
	if err := e.contents(r); err != nil {
		return nil, nil, err
	}
	if err := e.tools(r); err != nil {
		return nil, nil, err
	}
	e.config(r)
	dropped, err := e.drops.Fields(r)
	if err != nil {
		return nil, nil, err
	}
	return e.out, dropped, nil
}

func (e *encoder) config(r *chat.Request) {
	c := generationConfig{MaxOutputTokens: r.MaxTokens, Temperature: r.Temperature, TopP: r.TopP}
	for _, stop := range r.Stop {
		if stop == "" || len(c.StopSequences) == maxStops {
			e.drops.Add("stop")
			continue
		}
		c.StopSequences = append(c.StopSequences, stop)
	}
	switch {
	case r.Seed == nil:
	case *r.Seed < math.MinInt32 || *r.Seed > math.MaxInt32:
		e.drops.Add("seed") // the vendor's has 32 bits
	default:
		c.Seed = r.Seed
	}
	e.format(r, &c)
	if r.Reasoning != "" {
		if c.ThinkingConfig = thinking(e.model, r.Reasoning); c.ThinkingConfig == nil {
			e.drops.Add("reasoning_effort")
		}
	}
	if r.EndUser != "" {
		e.drops.Add("user")
	}
	if c.some() {
		e.out.GenerationConfig = &c
	}
}

// some reports whether anything is configured.
func (c *generationConfig) some() bool {
	return c.MaxOutputTokens != nil || c.Temperature != nil || c.TopP != nil || c.StopSequences != nil || c.Seed != nil ||
		c.ResponseMIMEType != "" || c.ThinkingConfig != nil
}

func (e *encoder) format(r *chat.Request, c *generationConfig) {
	switch {
	case r.Format.Kind == chat.FormatText:
	case len(r.Tools) > 0 && generation(e.model) < 3:
		e.drops.Add("response_format") // older models refuse a JSON answer together with functions
	case r.Format.Kind == chat.FormatJSON:
		c.ResponseMIMEType = "application/json"
	case isObject(r.Format.Schema):
		c.ResponseMIMEType, c.ResponseJSONSchema = "application/json", r.Format.Schema
	default:
		e.drops.Add("response_format")
	}
}

// thinking maps an effort the way the vendor's own OpenAI endpoint does: to a level from Gemini 3 on, to a budget for 2.5. Other models
// take neither.
func thinking(model, effort string) *thinkingConfig {
	switch {
	case generation(model) >= 3:
		if effort == "minimal" && strings.Contains(model, "-pro") {
			effort = "low" // the least that Pro models take
		}
		switch effort {
		case "minimal", "low", "medium", "high":
			return &thinkingConfig{Level: strings.ToUpper(effort)}
		}
	case strings.HasPrefix(model, "gemini-2.5"):
		if budget, ok := map[string]int{"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}[effort]; ok {
			return &thinkingConfig{Budget: budget}
		}
	}
	return nil
}

// generation gives the number of a model's generation; those from 3 on take and demand things that older ones refuse. An alias such as
// gemini-flash-latest is of the newest; a name that says nothing is 0.
func generation(model string) int {
	name, ok := strings.CutPrefix(model, "gemini-")
	if !ok {
		return 0
	}
	if strings.HasSuffix(name, "-latest") && (name[0] < '0' || name[0] > '9') {
		return 3
	}
	digits, _, _ := strings.Cut(name, "-")
	digits, _, _ = strings.Cut(digits, ".")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

func (e *encoder) tools(r *chat.Request) error {
	if len(r.Tools) == 0 {
		return nil
	}
	functions := make([]functionDeclaration, 0, len(r.Tools))
	for i, t := range r.Tools {
		if len(t.Schema) > 0 && !isObject(t.Schema) {
			return unsupported("gemini takes a JSON Schema object only", "tools[%d].function.parameters", i)
		}
		if t.Strict != nil && *t.Strict {
			e.drops.Add("tools[].function.strict")
		}
		functions = append(functions, functionDeclaration{Name: t.Name, Description: t.Description, Parameters: t.Schema})
	}
	e.out.Tools = []tools{{FunctionDeclarations: functions}}
	if r.ParallelTools != nil && !*r.ParallelTools {
		e.drops.Add("parallel_tool_calls") // there is no such switch
	}
	var c functionCallingConfig
	switch r.ToolChoice.Mode {
	case chat.ToolAuto:
		c.Mode = "AUTO"
	case chat.ToolNone:
		c.Mode = "NONE"
	case chat.ToolRequired:
		c.Mode = "ANY"
	case chat.ToolNamed:
		c.Mode, c.AllowedFunctionNames = "ANY", []string{r.ToolChoice.Name}
	default:
		return nil
	}
	e.out.ToolConfig = &toolConfig{FunctionCallingConfig: c}
	return nil
}

// isObject reports whether text is one whole JSON object.
func isObject(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) && json.Valid(text)
}

// unsupported is content that this vendor cannot take, found before the call.
func unsupported(why, param string, at ...any) *chat.Failure {
	return &chat.Failure{Class: chat.ClassUnsupport, Param: fmt.Sprintf(param, at...), Message: why, Err: errors.New(why)}
}
