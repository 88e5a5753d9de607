package rest

import (
	"slices"
	"strconv"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
)

// chatParser reads a whole body.
type chatParser struct {
	chatReader
	req                    *chat.Request
	limit, newLimit        *int64 // max_tokens and max_completion_tokens
	user, safety           string // user and safety_identifier
	functions, serverTools []chat.Tool
	serverNames            []string // of the fields that serverTools are of
	names                  []string // of what req.Tools are, as the client has it
	functionChoice         chat.ToolChoice
	allowed                []string
	effort                 string // reasoning_effort
	included               *bool  // include_reasoning
}

// translateChat reads a chat completions body into the neutral form, for a vendor that speaks another dialect, and gives the names that the client has
// for the tools of the request, in their order. What cannot be held is named in Untranslated; fields that only say what is so anyway are left out.
func translateChat(body []byte, strict bool) (r *chat.Request, tools []string, err error) {
	v, err := strictjson.Parse(body, largeJSON)
	if err != nil {
		return nil, nil, err
	}
	d := &chatParser{chatReader: chatReader{Reader: new(strictjson.Reader), lenient: true}, req: &chat.Request{Strict: strict}}
	d.members(v, "", func(key string, v strictjson.Value) bool {
		return d.ofRouter(key, v) || d.option(key, v) || d.thinking(key, v) || d.toolOption(key, v) || saysNothing(key, v)
	})
	if err := d.Err(); err != nil {
		return nil, nil, err
	}
	if d.foreign != nil {
		return nil, nil, d.foreign
	}
	d.settle()
	return d.req, d.names, nil
}

// ofRouter reports whether a field is the router's, not the model's.
func (d *chatParser) ofRouter(key string, v strictjson.Value) bool {
	switch key {
	case "stream_options":
		if v.Kind != strictjson.Null {
			d.members(v, "stream_options.", func(key string, _ strictjson.Value) bool {
				return key == "include_usage" || key == "include_obfuscation" // padding is nobody's wish
			})
		}
	case "model", "stream", "usage":
	default:
		return false
	}
	return true
}

// settle brings the fields together that say one thing in two ways.
func (d *chatParser) settle() {
	r := d.req
	limit := d.newLimit
	if limit == nil {
		limit = d.limit
	}
	if limit != nil {
		n := int(*limit)
		r.MaxTokens = &n
	}
	if r.EndUser = d.user; r.EndUser == "" {
		r.EndUser = d.safety
	}
	d.settleTools()
	if r.ToolChoice.Mode == "" {
		r.ToolChoice = d.functionChoice
	}
	if r.Thinking.Effort == "" {
		r.Thinking.Effort = d.effort
	}
	if r.Thinking.Effort == "none" {
		r.Thinking.Mode = chat.ThinkingOff
	}
	if d.included != nil {
		r.Thinking.Show = *d.included
	}
	r.Untranslated = d.dropped
}

// settleTools puts the tools together, without those that may not be called.
func (d *chatParser) settleTools() {
	r := d.req
	own := len(r.Tools)
	r.Tools = append(append(r.Tools, d.functions...), d.serverTools...)
	kept := r.Tools[:0]
	for i, t := range r.Tools {
		if d.allowed != nil && t.Server == "" && !slices.Contains(d.allowed, t.Name) {
			continue
		}
		name := "tools[" + strconv.Itoa(i) + "]"
		switch fromServer := i - own - len(d.functions); {
		case fromServer >= 0:
			name = d.serverNames[fromServer]
		case i >= own:
			name = "functions[" + strconv.Itoa(i-own) + "]"
		}
		kept, d.names = append(kept, t), append(d.names, name)
	}
	r.Tools = kept
}

// option reads a field that steers the model.
func (d *chatParser) option(key string, v strictjson.Value) bool {
	r := d.req
	switch key {
	case "messages":
		r.Messages = d.messages(v)
	case "max_tokens":
		d.limit = d.whole(v)
	case "max_completion_tokens":
		d.newLimit = d.whole(v)
	case "temperature":
		r.Temperature = d.number(v)
	case "top_p":
		r.TopP = d.number(v)
	case "top_k":
		if k := d.whole(v); k != nil {
			n := int(*k)
			r.TopK = &n
		}
	case "frequency_penalty":
		r.FrequencyPenalty = d.penalty(v)
	case "presence_penalty":
		r.PresencePenalty = d.penalty(v)
	case "stop":
		r.Stop = d.stop(v)
	case "seed":
		r.Seed = d.whole(v)
	case "n":
		if n := d.count(v, 1, maxChoices); n > 1 {
			r.Choices = n
		}
	case "logprobs":
		r.Logprobs = d.is(v)
	case "top_logprobs":
		r.TopLogprobs = d.count(v, 0, maxChoices)
	case "response_format":
		r.Format = d.format(v)
	case "service_tier":
		return d.serviceTier(v)
	case "prompt_cache_key":
		r.CacheKey = d.text(v)
	case "user":
		d.user = d.text(v)
	case "safety_identifier":
		d.safety = d.text(v)
	default:
		return false
	}
	return true
}

// maxChoices bounds the answers to one request, and the tokens that are shown beside one: OpenAI's limit of the first.
const maxChoices = 128

// penalty reads a penalty. One of zero says what is so anyway.
func (d *chatParser) penalty(v strictjson.Value) *float64 {
	f := d.number(v)
	if f != nil && *f == 0 {
		return nil
	}
	return f
}

func (d *chatParser) serviceTier(v strictjson.Value) bool {
	switch tier := d.text(v); tier {
	case "", "auto", "default", "flex", "priority":
		d.req.ServiceTier = tier
		return true
	}
	return false
}

// efforts are how hard a model can be asked to think.
var efforts = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

// thinking reads what is said of thinking: OpenAI's field, and OpenRouter's object.
func (d *chatParser) thinking(key string, v strictjson.Value) bool {
	switch key {
	case "reasoning_effort":
		effort := d.text(v)
		if effort != "" && !slices.Contains(efforts, effort) {
			return false
		}
		d.effort = effort
	case "reasoning":
		if v.Kind == strictjson.Null {
			return true
		}
		d.req.Thinking.Show = true
		d.members(v, "reasoning.", d.reasoning)
	case "include_reasoning":
		d.included = d.boolean(v)
	default:
		return false
	}
	return true
}

func (d *chatParser) reasoning(key string, v strictjson.Value) bool {
	t := &d.req.Thinking
	switch key {
	case "effort":
		effort := d.text(v)
		if effort != "" && !slices.Contains(efforts, effort) {
			return false
		}
		t.Effort = effort
	case "max_tokens":
		t.Budget = d.count(v, 0, 1<<31)
	case "exclude":
		t.Show = !d.is(v)
	case "enabled":
		if on := d.boolean(v); on != nil && *on {
			t.Mode = chat.ThinkingOn
		} else if on != nil {
			t.Mode = chat.ThinkingOff
		}
	default:
		return false
	}
	return true
}

// toolOption reads a field about tools.
func (d *chatParser) toolOption(key string, v strictjson.Value) bool {
	switch key {
	case "tools":
		d.req.Tools = d.tools(v)
	case "tool_choice":
		d.req.ToolChoice, d.allowed = d.toolChoice(v)
	case "parallel_tool_calls":
		d.req.ParallelTools = d.boolean(v)
	case "functions":
		d.functions = d.chatReader.functions(v)
	case "function_call":
		d.functionChoice = d.chatReader.functionChoice(v)
	case "web_search_options":
		if v.Kind == strictjson.Null {
			return true
		}
		if _, ok := d.Object(v); ok {
			d.serverTools = append(d.serverTools, webSearch(v))
			d.serverNames = append(d.serverNames, key)
		}
	case "plugins":
		for _, t := range d.plugins(v) {
			d.serverTools, d.serverNames = append(d.serverTools, t), append(d.serverNames, key)
		}
	default:
		return false
	}
	return true
}

// saysNothing reports whether a field only states the default, as many client libraries do with every field they know.
func saysNothing(key string, v strictjson.Value) bool {
	switch key {
	case "store":
		return v.Kind == strictjson.Bool && !v.True
	case "logit_bias", "metadata":
		return v.Kind == strictjson.Object && len(v.Members) == 0
	case "modalities":
		return v.Kind == strictjson.Array && len(v.Items) == 1 && v.Items[0].Text == "text"
	case "verbosity":
		return v.Text == "medium"
	case "prompt_cache_retention":
		return v.Text == "in_memory" || v.Text == "in-memory"
	}
	return false
}

func (d *chatReader) stop(v strictjson.Value) []string {
	switch v.Kind {
	case strictjson.Null:
		return nil
	case strictjson.String:
		return []string{v.Text}
	case strictjson.Array:
	default:
		d.Fail(strictjson.CodeType, "must be a string or an array of strings")
		return nil
	}
	out := make([]string, 0, len(v.Items))
	for i, item := range v.Items {
		d.EnterItem(i)
		if s, ok := d.String(item); ok {
			out = append(out, s)
		}
		d.Leave()
	}
	return out
}
