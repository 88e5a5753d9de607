package gemini

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// What the vendor takes at most.
const (
	maxStops      = 5
	maxCandidates = 8
)

// encoder turns a neutral request into the vendor's and remembers what had to be left out.
type encoder struct {
	model traits
	out   *request
	drops llm.Drops
	names map[string]string // what functions are called whose names the vendor does not take, by the names that it is told

	calls    []call    // of the conversation so far
	steps    int       // turns of the model so far
	answers  []matched // results that wait for the last of their step
	extra    []any     // what belongs to those results and cannot stand in them
	lastUser int       // index of the message that the current turn begins with

	loose    string // a signature of the model's that stands alone, so far
	thinking *part  // the thought that the model has just thought
}

// encoded is a request in the vendor's words.
type encoded struct {
	request *request
	dropped []string          // fields that it cannot honour
	names   map[string]string // of functions, by what the vendor calls them; nil: by their own
}

// encode gives the vendor's request. With r.Strict the first field that it cannot honour is a failure, and so is, always, content that cannot be left
// out without changing what was asked.
func encode(model string, r *chat.Request) (*encoded, error) {
	e := &encoder{model: traitsOf(model), out: &request{}, lastUser: -1}
	if err := e.contents(r); err != nil {
		return nil, err
	}
	if err := e.tools(r); err != nil {
		return nil, err
	}
	e.config(r)
	dropped, err := e.drops.Fields(r)
	if err != nil {
		return nil, err
	}
	return &encoded{e.out, dropped, e.names}, nil
}

func (e *encoder) config(r *chat.Request) {
	c := generationConfig{
		MaxOutputTokens: r.MaxTokens, Temperature: r.Temperature, TopP: r.TopP, TopK: r.TopK,
		PresencePenalty: r.PresencePenalty, FrequencyPenalty: r.FrequencyPenalty,
	}
	if r.Choices > 1 {
		c.CandidateCount = min(r.Choices, maxCandidates)
	}
	if r.Choices > maxCandidates {
		e.drops.Add("n")
	}
	if r.Logprobs {
		c.ResponseLogprobs, c.Logprobs = true, r.TopLogprobs
	} else if r.TopLogprobs > 0 {
		e.drops.Add("top_logprobs") // which are shown beside those that were not asked for
	}
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
	var honoured bool
	if c.ThinkingConfig, honoured = e.model.thinking(r.Thinking); !honoured {
		e.drops.Add("reasoning_effort")
	}
	if c.some() {
		e.out.GenerationConfig = &c
	}
	e.account(r)
}

// account is what is not about the answer itself.
func (e *encoder) account(r *chat.Request) {
	switch r.ServiceTier {
	case "", "auto", "default", "standard":
	case "flex", "priority":
		e.out.ServiceTier = r.ServiceTier
	default:
		e.drops.Add("service_tier")
	}
	if r.CacheKey != "" {
		e.drops.Add("prompt_cache_key") // the vendor finds for itself what prompts share
	}
	if r.EndUser != "" {
		e.drops.Add("user")
	}
}

func (e *encoder) format(r *chat.Request, c *generationConfig) {
	switch {
	case r.Format.Kind == chat.FormatText:
	case len(e.out.Tools) > 0 && e.model.major < 3:
		e.drops.Add("response_format") // older models refuse a JSON answer together with tools
	case r.Format.Kind == chat.FormatJSON:
		c.ResponseMIMEType = "application/json"
	case isObject(r.Format.Schema):
		c.ResponseMIMEType, c.ResponseJSONSchema = "application/json", r.Format.Schema
		if r.Format.Description != "" {
			e.drops.Add("response_format.json_schema.description")
		}
	default:
		e.drops.Add("response_format")
	}
}

// isObject reports whether text is one whole JSON object.
func isObject(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) && json.Valid(text)
}

// unsupported is content that this vendor cannot take, found before the call.
func unsupported(why, param string, at ...any) *chat.Failure {
	return &chat.Failure{Class: chat.ClassUnsupport, Param: fmt.Sprintf(param, at...), Message: why, Err: errors.New(why)}
}
