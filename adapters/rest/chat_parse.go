package rest

import (
	"slices"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
)

// parseChat reads a chat completions body into the neutral form, for a vendor that speaks another dialect. What cannot be held is named
// in Untranslated; fields that only say what is so anyway are left out.
func parseChat(body []byte, strict bool) (*chat.Request, error) {
	v, err := strictjson.Parse(body, largeJSON)
	if err != nil {
		return nil, err
	}
	d := &chatReader{Reader: new(strictjson.Reader), lenient: true}
	req := &chat.Request{Strict: strict}
	var limit, newLimit *int64
	d.members(v, "", func(key string, v strictjson.Value) bool {
		switch key {
		case "model", "stream", "stream_options": // the router's, not the model's
		case "messages":
			req.Messages = d.messages(v)
		case "max_tokens":
			limit = d.whole(v)
		case "max_completion_tokens":
			newLimit = d.whole(v)
		default:
			return d.option(req, key, v)
		}
		return true
	})
	if newLimit != nil {
		limit = newLimit
	}
	if limit != nil {
		n := int(*limit)
		req.MaxTokens = &n
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	if d.foreign != nil {
		return nil, d.foreign
	}
	req.Untranslated = d.dropped
	return req, nil
}

// option reads a field that steers the model.
func (d *chatReader) option(req *chat.Request, key string, v strictjson.Value) bool {
	switch key {
	case "temperature":
		req.Temperature = d.number(v)
	case "top_p":
		req.TopP = d.number(v)
	case "stop":
		req.Stop = d.stop(v)
	case "seed":
		req.Seed = d.whole(v)
	case "tools":
		req.Tools = d.tools(v)
	case "tool_choice":
		req.ToolChoice = d.toolChoice(v)
	case "parallel_tool_calls":
		req.ParallelTools = d.boolean(v)
	case "response_format":
		req.Format = d.format(v)
	case "reasoning_effort":
		effort := d.text(v)
		if effort != "" && !slices.Contains([]string{"minimal", "low", "medium", "high"}, effort) {
			return false
		}
		req.Thinking.Effort = effort
	case "user":
		req.EndUser = d.text(v)
	default:
		return saysNothing(key, v)
	}
	return true
}

// saysNothing reports whether a field only states the default, as many client libraries do with every field they know.
func saysNothing(key string, v strictjson.Value) bool {
	switch key {
	case "n":
		return v.Text == "1"
	case "frequency_penalty", "presence_penalty", "top_logprobs":
		return v.Text == "0" || v.Text == "0.0"
	case "logprobs", "store":
		return v.Kind == strictjson.Bool && !v.True
	case "logit_bias", "metadata":
		return v.Kind == strictjson.Object && len(v.Members) == 0
	case "functions":
		return v.Kind == strictjson.Array && len(v.Items) == 0
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
