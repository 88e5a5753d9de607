package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// chatBody is a chat completions request, as OpenAI and OpenRouter take it.
type chatBody struct {
	Model               string             `json:"model"`
	Messages            *[]chatMessage     `json:"messages"`
	Stream              bool               `json:"stream"`
	StreamOptions       *chatStreamOptions `json:"stream_options"`
	MaxTokens           *int               `json:"max_tokens"`
	MaxCompletionTokens *int               `json:"max_completion_tokens"`
	Temperature         *float64           `json:"temperature"`
	TopP                *float64           `json:"top_p"`
	N                   *int               `json:"n"`
	Tools               []chatTool         `json:"tools"`
	ToolChoice          json.RawMessage    `json:"tool_choice"`
	ResponseFormat      *chatFormat        `json:"response_format"`
}

type chatStreamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type chatMessage struct {
	Role       string          `json:"role"`
	Content    json.RawMessage `json:"content"`
	ToolCalls  []chatToolCall  `json:"tool_calls"`
	ToolCallID string          `json:"tool_call_id"`
}

type chatToolCall struct {
	ID string `json:"id"`
}

type chatTool struct {
	Function struct {
		Name       string `json:"name"`
		Parameters any    `json:"parameters"`
	} `json:"function"`
}

type chatFormat struct {
	Type       string `json:"type"`
	JSONSchema struct {
		Schema any `json:"schema"`
	} `json:"json_schema"`
}

type textPart struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// contentText reads content given as a string or as parts, and gives the types of the parts.
func contentText(raw json.RawMessage) (text string, types []string, valid bool) {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0, bytes.Equal(raw, []byte("null")):
		return "", nil, true
	case raw[0] == '"':
		valid = json.Unmarshal(raw, &text) == nil
		return text, nil, valid
	}
	var parts []textPart
	if json.Unmarshal(raw, &parts) != nil {
		return "", nil, false
	}
	var b strings.Builder
	for _, p := range parts {
		types = append(types, p.Type)
		if p.Type == "text" {
			b.WriteString(p.Text)
		}
	}
	return b.String(), types, true
}

// toolName is what OpenAI and Anthropic let a function be called.
var toolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)

var (
	chatRoles     = []string{"system", "assistant", "user", "function", "tool", "developer"}
	chatPartTypes = []string{"text", "image_url", "input_audio", "file", "refusal"}
)

// maxChoices bounds n; maxCallID is the length OpenAI allows a tool call's id.
const (
	maxChoices = 128
	maxCallID  = 40
)

// parseChat reads and checks a body the way OpenAI does.
func parseChat(body []byte) (*call, *chatBody, *problem) {
	var b chatBody
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, nil, wrongType(err)
	}
	if b.Model == "" {
		return nil, nil, bad("you must provide a model parameter")
	}
	if p := b.check(); p != nil {
		return nil, nil, p
	}
	c := &call{
		model: b.Model, stream: b.Stream, choices: 1,
		usage: b.StreamOptions != nil && b.StreamOptions.IncludeUsage,
	}
	if b.N != nil {
		c.choices = *b.N
	}
	for _, limit := range []*int{b.MaxTokens, b.MaxCompletionTokens} {
		if limit != nil {
			c.maxTokens = *limit
		}
	}
	if p := b.converse(c); p != nil {
		return nil, nil, p
	}
	for _, t := range b.Tools {
		c.tools = append(c.tools, tool{name: t.Function.Name, schema: t.Function.Parameters})
	}
	c.force, c.noTools = chatToolChoice(b.ToolChoice)
	if f := b.ResponseFormat; f != nil && f.Type != "text" {
		c.json, c.schema = true, f.JSONSchema.Schema
	}
	return c, &b, nil
}

// wrongType says which field has the wrong type.
func wrongType(err error) *problem {
	field, want, got := "body", "an object", "something else"
	if wrong, is := asTypeError(err); is && wrong.Field != "" {
		field, want, got = wrong.Field, goKind(wrong.Type.Kind().String()), wrong.Value
	}
	return &problem{
		status:  http.StatusBadRequest,
		message: fmt.Sprintf("Invalid type for '%s': expected %s, but got %s instead.", field, want, article(got)),
		param:   field, code: "invalid_type",
	}
}

func chatToolChoice(raw json.RawMessage) (force string, none bool) {
	var named struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	if json.Unmarshal(raw, &named) == nil && named.Function.Name != "" {
		return named.Function.Name, false
	}
	return "", string(bytes.TrimSpace(raw)) == `"none"`
}

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
		if !toolName.MatchString(t.Function.Name) {
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

// converse reads the messages into the call: who may speak, and that each tool call is answered.
func (b *chatBody) converse(c *call) *problem {
	var open []string // ids of tool calls not answered yet
	for i, m := range *b.Messages {
		if !slices.Contains(chatRoles, m.Role) {
			return &problem{
				status: http.StatusBadRequest, param: fmt.Sprintf("messages[%d].role", i), code: "invalid_value",
				message: fmt.Sprintf("Invalid value: '%s'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.", m.Role),
			}
		}
		text, p := m.text(i)
		if p != nil {
			return p
		}
		c.textBytes += len(text)
		if m.Role == "tool" {
			at := slices.Index(open, m.ToolCallID)
			if at < 0 {
				return &problem{
					status: http.StatusBadRequest, param: fmt.Sprintf("messages.[%d].role", i),
					message: "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
				}
			}
			open = slices.Delete(open, at, at+1)
			c.answered = true
			continue
		}
		if len(open) > 0 {
			return unanswered(open, i)
		}
		c.answered = false
		if m.Role == "user" {
			c.user = text
		}
		for j, t := range m.ToolCalls {
			if len(t.ID) > maxCallID {
				param := fmt.Sprintf("messages[%d].tool_calls[%d].id", i, j)
				return &problem{
					status: http.StatusBadRequest, param: param, code: "string_above_max_length",
					message: fmt.Sprintf("Invalid '%s': string too long. Expected a string with maximum length %d, but got a string with length %d instead.",
						param, maxCallID, len(t.ID)),
				}
			}
			open = append(open, t.ID)
		}
	}
	if len(open) > 0 {
		return unanswered(open, len(*b.Messages))
	}
	return nil
}

func unanswered(ids []string, at int) *problem {
	return &problem{
		status: http.StatusBadRequest, param: fmt.Sprintf("messages.[%d].role", at),
		message: "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
			"The following tool_call_ids did not have response messages: " + strings.Join(ids, ", "),
	}
}

// text gives the message's text and refuses content of a wrong kind.
func (m chatMessage) text(i int) (string, *problem) {
	text, types, valid := contentText(m.Content)
	if !valid {
		return "", &problem{
			status: http.StatusBadRequest, param: fmt.Sprintf("messages[%d].content", i), code: "invalid_type",
			message: fmt.Sprintf("Invalid type for 'messages[%d].content': expected one of a string or array of objects, but got something else instead.", i),
		}
	}
	for _, t := range types {
		if !slices.Contains(chatPartTypes, t) {
			return "", &problem{
				status: http.StatusBadRequest, param: fmt.Sprintf("messages[%d]", i), code: "invalid_value",
				message: fmt.Sprintf("Invalid 'messages[%d]'. Content blocks are expected to be either text or image_url type.", i),
			}
		}
	}
	empty := len(bytes.TrimSpace(m.Content)) == 0 || string(bytes.TrimSpace(m.Content)) == "null"
	if empty && (m.Role != "assistant" || len(m.ToolCalls) == 0) {
		return "", &problem{
			status: http.StatusBadRequest, param: fmt.Sprintf("messages.[%d].content", i),
			message: "Invalid value for 'content': expected a string, got null.",
		}
	}
	return text, nil
}
