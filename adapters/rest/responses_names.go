package rest

import "strings"

// respNames are what the responses dialect calls fields of chat completions.
var respNames = map[string]string{
	"messages": "input", "max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens", "response_format": "text.format",
	"reasoning_effort": "reasoning.effort", "verbosity": "text.verbosity", "logprobs": "include",
}

// respName gives the name that this dialect has for a field of chat completions.
func respName(field string) string {
	if field == "image_url.detail" {
		return "input.content.detail"
	}
	head, rest := field, ""
	if i := strings.IndexAny(field, ".["); i >= 0 {
		head, rest = field[:i], field[i:]
	}
	if name, there := respNames[head]; there {
		return name + rest
	}
	return field
}
