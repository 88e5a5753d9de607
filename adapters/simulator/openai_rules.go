package simulator

import (
	"fmt"
	"net/http"
)

// maxStops and maxTop are how many stop sequences and likely tokens OpenAI takes.
const (
	maxStops = 4
	maxTop   = 20
)

var chatShape = object("model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "n", "stop", "tools",
	"tool_choice", "parallel_tool_calls", "response_format", "seed", "logprobs", "top_logprobs", "logit_bias", "user", "frequency_penalty",
	"presence_penalty", "reasoning_effort", "service_tier", "store", "metadata", "modalities", "audio", "prediction", "web_search_options", "functions",
	"function_call", "verbosity", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "safety_identifier", "moderation",
).with("messages", list(object("role", "name", "refusal", "audio", "tool_call_id", "function_call", "annotations").
	with("content", list(object("type", "text", "refusal", "image_url", "input_audio", "file", "prompt_cache_breakpoint"))).
	with("tool_calls", list(object("id", "type", "index", "custom").with("function", object("name", "arguments"))))))

// unknownInChat refuses fields that OpenAI does not have.
func unknownInChat(body []byte) *problem {
	s := chatShape.strangerIn(body, asIs)
	switch {
	case s == nil:
		return nil
	case len(s.path) == 0:
		return bad("Unrecognized request argument supplied: " + s.name)
	default:
		return unknownParameter(s)
	}
}

func unknownParameter(s *stranger) *problem {
	return &problem{
		status: http.StatusBadRequest, param: s.field(), code: "unknown_parameter", message: fmt.Sprintf("Unknown parameter: '%s'.", s.field()),
	}
}

// choiceWithoutTools refuses a choice of tools where there are none.
func (b *chatBody) choiceWithoutTools() *problem {
	if len(b.Tools) > 0 || !given(b.ToolChoice) {
		return nil
	}
	return &problem{
		status: http.StatusBadRequest, param: "tool_choice",
		message: "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
	}
}

// tooManyStops refuses more stop sequences than OpenAI takes.
func (b *chatBody) tooManyStops() *problem {
	n := len(b.stops())
	if n <= maxStops {
		return nil
	}
	return &problem{
		status: http.StatusBadRequest, param: "stop", code: "array_above_max_length",
		message: fmt.Sprintf("Invalid 'stop': array too long. Expected an array with maximum length %d, but got an array with length %d instead.", maxStops, n),
	}
}

// logprobsWithoutAsking refuses likely tokens without their likelihood, and too many of them.
func (b *chatBody) logprobsWithoutAsking() *problem {
	switch {
	case b.TopLogprobs > 0 && !b.Logprobs:
		return &problem{
			status: http.StatusBadRequest, param: "top_logprobs",
			message: "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
		}
	case b.TopLogprobs > maxTop || b.TopLogprobs < 0:
		return &problem{
			status: http.StatusBadRequest, param: "top_logprobs", code: "integer_above_max_value",
			message: fmt.Sprintf("Invalid 'top_logprobs': integer above maximum value. Expected a value <= %d, but got %d instead.", maxTop, b.TopLogprobs),
		}
	}
	return nil
}
