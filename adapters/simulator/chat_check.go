package simulator

import (
	"fmt"
	"net/http"
)

// check looks at everything but the messages.
func (b *chatBody) check() *problem {
	if b.Messages == nil {
		return missingParam("messages")
	}
	if len(*b.Messages) == 0 {
		return &problem{
			status: http.StatusBadRequest, param: "messages", code: "empty_array",
			message: "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
		}
	}
	if p := chatDecimal("temperature", b.Temperature, 2); p != nil {
		return p
	}
	if p := chatDecimal("top_p", b.TopP, 1); p != nil {
		return p
	}
	for _, limit := range []struct {
		name  string
		value *int
	}{{"max_tokens", b.MaxTokens}, {"max_completion_tokens", b.MaxCompletionTokens}, {"n", b.N}} {
		if limit.value != nil && *limit.value < 1 {
			return &problem{
				status: http.StatusBadRequest, param: limit.name, code: "integer_below_min_value",
				message: fmt.Sprintf("Invalid '%s': integer below minimum value. Expected a value >= 1, but got %d instead.", limit.name, *limit.value),
			}
		}
	}
	if b.N != nil && *b.N > maxChoices {
		return &problem{
			status: http.StatusBadRequest, param: "n", code: "integer_above_max_value",
			message: fmt.Sprintf("Invalid 'n': integer above maximum value. Expected a value <= %d, but got %d instead.", maxChoices, *b.N),
		}
	}
	if b.StreamOptions != nil && !b.Stream {
		return &problem{
			status: http.StatusBadRequest, param: "stream_options",
			message: "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
		}
	}
	for i, t := range b.Tools {
		if (t.Type == "function" || t.Type == "") && !toolName.MatchString(t.Function.Name) {
			param := fmt.Sprintf("tools[%d].function.name", i)
			return &problem{
				status: http.StatusBadRequest, param: param, code: "invalid_value",
				message: fmt.Sprintf("Invalid '%s': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.", param),
			}
		}
	}
	return nil
}

func missingParam(name string) *problem {
	return &problem{
		status: http.StatusBadRequest, param: name, code: "missing_required_parameter",
		message: fmt.Sprintf("Missing required parameter: '%s'.", name),
	}
}

func chatDecimal(name string, v *float64, most float64) *problem {
	p := &problem{status: http.StatusBadRequest, param: name}
	switch {
	case v == nil:
		return nil
	case *v > most:
		p.code = "decimal_above_max_value"
		p.message = fmt.Sprintf("Invalid '%s': decimal above maximum value. Expected a value <= %g, but got %g instead.", name, most, *v)
	case *v < 0:
		p.code = "decimal_below_min_value"
		p.message = fmt.Sprintf("Invalid '%s': decimal below minimum value. Expected a value >= 0, but got %g instead.", name, *v)
	default:
		return nil
	}
	return p
}
