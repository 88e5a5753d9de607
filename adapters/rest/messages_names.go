package rest

import (
	"slices"
	"strconv"
	"strings"
)

// places say where in the client's body the parts of a request in neutral form are from.
type places struct {
	messages [][]place // by message and part
	own      []string  // names of fields that are the client's already
	effort   bool      // thinking was asked for by output_config.effort alone
}

// place is a block of a body: of a message, or of the system prompt where message is less than 0. block is less than 0 where the content is no list.
type place struct{ message, block int }

func (p place) String() string {
	where := "system"
	if p.message >= 0 {
		where = "messages[" + strconv.Itoa(p.message) + "].content"
	}
	if p.block < 0 {
		return where
	}
	return where + "[" + strconv.Itoa(p.block) + "]"
}

// messageName gives a field of a request in neutral form the name that Anthropic's API has for it. at is nil where the body was not parsed.
func messageName(field string, at *places) string {
	if at != nil && slices.Contains(at.own, field) {
		return field
	}
	head, rest := field, ""
	if i := strings.IndexAny(field, ".["); i > 0 {
		head, rest = field[:i], field[i:]
	}
	switch head {
	case "stop":
		return "stop_sequences"
	case "response_format":
		return "output_config.format"
	case "max_completion_tokens":
		return "max_tokens"
	case "user":
		return "metadata.user_id"
	case "parallel_tool_calls":
		return "tool_choice.disable_parallel_tool_use"
	case "reasoning_effort":
		if at != nil && at.effort {
			return "output_config.effort"
		}
		return "thinking"
	case "tools":
		rest = strings.Replace(strings.Replace(rest, ".function", "", 1), ".parameters", ".input_schema", 1)
	case "messages":
		if rest == "[].reasoning" {
			return "messages.content.thinking"
		}
		return messagePlace(rest, at)
	}
	return head + rest
}

// messagePlace gives the name of what stands at a place of the neutral messages, such as [3].content[1].
func messagePlace(rest string, at *places) string {
	m, more, ok := index(rest)
	if !ok || at == nil || m >= len(at.messages) || len(at.messages[m]) == 0 {
		return "messages" + rest
	}
	parts := at.messages[m]
	if within, isPart := strings.CutPrefix(more, ".content"); isPart {
		if p, tail, ok := index(within); ok && p < len(parts) {
			return parts[p].String() + tail
		}
	}
	if parts[0].message < 0 {
		return "system" + more
	}
	return "messages[" + strconv.Itoa(parts[0].message) + "]" + more
}

// index reads [n] off the front.
func index(s string) (n int, rest string, ok bool) {
	digits, rest, ok := strings.Cut(strings.TrimPrefix(s, "["), "]")
	if !ok || !strings.HasPrefix(s, "[") {
		return 0, s, false
	}
	n, err := strconv.Atoi(digits)
	return n, rest, err == nil && n >= 0
}
