package rest

import (
	"slices"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
)

// respReader reads a responses body into the neutral form, for a vendor that speaks another dialect. Fields that the neutral form cannot hold are named
// as chat completions name them, where they do.
type respReader struct {
	*chatReader
	req *chat.Request
	// conversation is what the items come to: those of one speaker in a row are one message.
	conversation []chat.Message
	at           [][]respPlace     // of the parts of the conversation
	names        map[string]string // of tools, by the ids of their calls
	sign         *chat.Signature   // of the call that follows
}

// placeResponses reads a body, and says which items of it the parts of the request are from.
func placeResponses(body []byte, strict bool) (*chat.Request, [][]respPlace, error) {
	v, err := strictjson.Parse(body, largeJSON)
	if err != nil {
		return nil, nil, err
	}
	d := &respReader{chatReader: &chatReader{Reader: new(strictjson.Reader), lenient: true}, req: &chat.Request{Strict: strict}, names: map[string]string{}}
	var instructions []chat.Message
	d.members(v, "", func(key string, v strictjson.Value) bool {
		switch key {
		case "model", "stream", "stream_options", "background", "conversation", "store", "previous_response_id", "metadata": // Forge's, not the model's
		case "instructions":
			if text := d.text(v); text != "" {
				instructions = []chat.Message{chat.Text(chat.RoleSystem, text)}
			}
		case "input":
			d.input(v)
		default:
			return d.option(key, v)
		}
		return true
	})
	d.unsigned()
	d.req.Messages = append(instructions, d.conversation...)
	if len(instructions) > 0 {
		d.at = append([][]respPlace{{{item: ofInstructions, part: -1}}}, d.at...)
	}
	if err := d.Err(); err != nil {
		return nil, nil, err
	}
	if d.foreign != nil {
		return nil, nil, d.foreign
	}
	d.req.Untranslated = d.dropped
	return d.req, d.at, nil
}

// option reads a field that steers the model.
func (d *respReader) option(key string, v strictjson.Value) bool {
	switch key {
	case "max_output_tokens":
		if n := d.whole(v); n != nil {
			limit := int(*n)
			d.req.MaxTokens = &limit
		}
	case "temperature":
		d.req.Temperature = d.number(v)
	case "top_p":
		d.req.TopP = d.number(v)
	case "top_logprobs":
		d.req.TopLogprobs = d.count(v, 0, 20)
	case "include":
		d.include(v)
	case "tools":
		d.tools(v)
	case "tool_choice":
		d.req.ToolChoice = d.choice(v)
	case "parallel_tool_calls":
		d.req.ParallelTools = d.boolean(v)
	case "reasoning":
		d.reasoning(v)
	case "text":
		d.textOptions(v)
	case "user", "safety_identifier":
		if user := d.text(v); user != "" {
			d.req.EndUser = user
		}
	case "prompt_cache_key":
		d.req.CacheKey = d.text(v)
	case "service_tier":
		return d.tier(v)
	case "prompt":
		if v.Kind != strictjson.Null {
			d.refuse("is kept at another provider: send the instructions and the input themselves")
		}
	case "truncation":
		return v.Kind == strictjson.Null || v.Text == "disabled"
	default:
		return false
	}
	return true
}

func (d *respReader) tier(v strictjson.Value) bool {
	switch tier := d.text(v); tier {
	case "", "auto", "default", "flex", "priority":
		d.req.ServiceTier = tier
		return true
	}
	return false
}

// include reads what is asked for beside the answer. What the vendor wants back of a thought is there anyway.
func (d *respReader) include(v strictjson.Value) {
	d.each(v, func(_ int, item strictjson.Value) {
		switch what, _ := d.String(item); what {
		case "message.output_text.logprobs":
			d.req.Logprobs = true
		case "reasoning.encrypted_content", "":
		default:
			d.drop("include")
		}
	})
}

func (d *respReader) reasoning(v strictjson.Value) {
	if v.Kind == strictjson.Null {
		return
	}
	d.members(v, "reasoning.", func(key string, v strictjson.Value) bool {
		switch key {
		case "effort":
			effort := d.text(v)
			if effort != "" && !slices.Contains(efforts, effort) {
				d.drop("reasoning_effort")
				return true
			}
			d.req.Thinking.Effort = effort
		case "summary", "generate_summary":
			if how := d.text(v); how != "" && how != "none" {
				d.req.Thinking.Show = true
			}
		default:
			return false
		}
		return true
	})
}

func (d *respReader) textOptions(v strictjson.Value) {
	if v.Kind == strictjson.Null {
		return
	}
	d.members(v, "text.", func(key string, v strictjson.Value) bool {
		switch key {
		case "format":
			d.req.Format = d.textFormat(v)
		case "verbosity":
			if how := d.text(v); how != "" && how != "medium" {
				d.drop("verbosity")
			}
		default:
			return false
		}
		return true
	})
}

// textFormat reads a format whose fields stand beside its type.
func (d *respReader) textFormat(v strictjson.Value) (f chat.Format) {
	if v.Kind == strictjson.Null {
		return f
	}
	if d.members(v, "text.format.", func(key string, v strictjson.Value) bool {
		switch key {
		case "type":
			f.Kind = d.formatKind(v)
		case "name":
			f.Name = d.text(v)
		case "description":
			f.Description = d.text(v)
		case "schema":
			f.Schema = d.schema(v)
		case "strict":
			f.Strict = d.boolean(v)
		default:
			return false
		}
		return true
	}) {
		d.required(v, "type")
	}
	if f.Kind == chat.FormatSchema {
		d.required(v, "schema")
	}
	return f
}
