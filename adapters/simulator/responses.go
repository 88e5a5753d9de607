package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

type (
	// responsesBody is a request of OpenAI's Responses. What the answer repeats is kept as it came.
	responsesBody struct {
		Model        string          `json:"model"`
		Input        json.RawMessage `json:"input"`
		Instructions json.RawMessage `json:"instructions"`
		Stream       bool            `json:"stream"`
		Store        *bool           `json:"store"`
		Previous     *string         `json:"previous_response_id"`
		Include      []string        `json:"include"`
		MaxTokens    *int            `json:"max_output_tokens"`
		Temperature  *float64        `json:"temperature"`
		TopP         *float64        `json:"top_p"`
		TopLogprobs  int             `json:"top_logprobs"`
		Tools        json.RawMessage `json:"tools"`
		ToolChoice   json.RawMessage `json:"tool_choice"`
		Parallel     *bool           `json:"parallel_tool_calls"`
		Reasoning    *struct {
			Effort  *string `json:"effort"`
			Summary *string `json:"summary"`
		} `json:"reasoning"`
		Text struct {
			Format    json.RawMessage `json:"format"`
			Verbosity string          `json:"verbosity"`
		} `json:"text"`
		Metadata   json.RawMessage `json:"metadata"`
		User       *string         `json:"user"`
		CacheKey   *string         `json:"prompt_cache_key"`
		Safety     *string         `json:"safety_identifier"`
		Tier       string          `json:"service_tier"`
		Truncation string          `json:"truncation"`
		Background bool            `json:"background"`

		items []responseItem // of the earlier responses and of this request
	}
	// responseItem is an item of the input.
	responseItem struct {
		Type      string          `json:"type"`
		ID        string          `json:"id"`
		Role      string          `json:"role"`
		Content   json.RawMessage `json:"content"`
		CallID    string          `json:"call_id"`
		Name      string          `json:"name"`
		Output    json.RawMessage `json:"output"`
		Encrypted string          `json:"encrypted_content"`

		kept bool // it is of an earlier response
		at   int  // in the input
	}
	responsePart struct {
		Type     string `json:"type"`
		Text     string `json:"text"`
		ImageURL string `json:"image_url"`
		FileID   string `json:"file_id"`
		FileURL  string `json:"file_url"`
		FileData string `json:"file_data"`
		Audio    struct {
			Data   string `json:"data"`
			Format string `json:"format"`
		} `json:"input_audio"`
	}
	responseTool struct {
		Type       string `json:"type"`
		Name       string `json:"name"`
		Parameters any    `json:"parameters"`
	}
)

const (
	includeEncrypted = "reasoning.encrypted_content"
	includeLogprobs  = "message.output_text.logprobs"
)

func (o openai) parseResponses(rt route, body []byte) (*call, *problem) {
	var b responsesBody
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, wrongType(err)
	}
	if p := b.check(body); p != nil {
		return nil, p
	}
	if p := b.gather(o.kept); p != nil {
		return nil, p
	}
	c := &call{
		api: apiResponses, model: b.Model, stream: b.Stream, choices: 1, echoes: &b,
		logprobs: slices.Contains(b.Include, includeLogprobs) || b.TopLogprobs > 0, top: b.TopLogprobs,
	}
	if b.MaxTokens != nil {
		c.maxTokens = *b.MaxTokens
	}
	if b.CacheKey != nil {
		c.cacheKey = *b.CacheKey
	}
	if p := b.declare(c); p != nil {
		return nil, p
	}
	c.begin()
	var instructions string
	_ = json.Unmarshal(b.Instructions, &instructions)
	c.read(instructions)
	for _, refuse := range responseRules {
		if p := refuse(&b, rt); p != nil {
			return nil, p
		}
	}
	if p := b.converse(c); p != nil {
		return nil, p
	}
	c.thinks = b.thinks()
	c.hides = b.Reasoning == nil || b.Reasoning.Summary == nil
	return c, nil
}

// thinks reports whether an answer begins with reasoning.
func (b *responsesBody) thinks() bool {
	if !reasons(b.Model) {
		return false
	}
	if b.Reasoning != nil && b.Reasoning.Effort != nil {
		return thinksHard(*b.Reasoning.Effort)
	}
	return b.Reasoning != nil && b.Reasoning.Summary != nil || slices.Contains(b.Include, includeEncrypted)
}

// declare reads the tools, and what is asked of the answer's form.
func (b *responsesBody) declare(c *call) *problem {
	var tools []responseTool
	if given(b.Tools) && json.Unmarshal(b.Tools, &tools) != nil {
		return wrongType(nil)
	}
	for i, t := range tools {
		switch {
		case t.Type == "function" && t.Name == "":
			return missingParam(fmt.Sprintf("tools[%d].name", i))
		case t.Type == "function" && !toolName.MatchString(t.Name):
			param := fmt.Sprintf("tools[%d].name", i)
			return &problem{
				status: http.StatusBadRequest, param: param, code: "invalid_value",
				message: fmt.Sprintf("Invalid '%s': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.", param),
			}
		case t.Type == "function":
			c.tools = append(c.tools, tool{name: t.Name, schema: t.Parameters})
		case strings.HasPrefix(t.Type, "web_search"):
			c.search = true
		case t.Type == "":
			return missingParam(fmt.Sprintf("tools[%d].type", i))
		}
	}
	var choice responseTool
	if json.Unmarshal(b.ToolChoice, &choice) == nil {
		c.force = choice.Name
	}
	c.noTools = string(bytes.TrimSpace(b.ToolChoice)) == `"none"`
	var format struct {
		Type   string `json:"type"`
		Schema any    `json:"schema"`
	}
	if json.Unmarshal(b.Text.Format, &format) == nil && format.Type != "" && format.Type != "text" {
		c.json, c.schema = true, format.Schema
	}
	return nil
}

// gather lists the items of the input, with those of the response that goes before.
func (b *responsesBody) gather(k *kept) *problem {
	if b.Previous != nil && *b.Previous != "" {
		items, known := k.items(*b.Previous)
		if !known {
			return &problem{
				status: http.StatusBadRequest, param: "previous_response_id", code: "previous_response_not_found",
				message: fmt.Sprintf("Previous response with id '%s' not found.", *b.Previous),
			}
		}
		for _, item := range items {
			item.kept = true
			b.items = append(b.items, item)
		}
	}
	var text string
	if json.Unmarshal(b.Input, &text) == nil && given(b.Input) {
		b.items = append(b.items, responseItem{Type: "message", Role: "user", Content: b.Input})
		return nil
	}
	var items []responseItem
	if err := json.Unmarshal(b.Input, &items); err != nil && given(b.Input) {
		return wrongType(err)
	}
	for i, item := range items {
		if item.Type == "" && item.Role != "" {
			item.Type = "message"
		}
		item.at = i
		b.items = append(b.items, item)
	}
	return nil
}

// converse reads the items into the call.
func (b *responsesBody) converse(c *call) *problem {
	var calls []string // of the turn that is being read
	for _, item := range b.items {
		switch item.Type {
		case "message":
			if p := item.hear(c); p != nil {
				return p
			}
			c.answered = false
		case "function_call", "custom_tool_call":
			calls = append(calls, item.CallID)
			c.answered = false
		case "function_call_output", "custom_tool_call_output":
			if len(calls) > 0 {
				c.call(calls)
				calls = nil
			}
			text, p := item.output()
			if p != nil {
				return p
			}
			c.read(text)
			c.tell(item.CallID, text)
			c.answered = true
		}
	}
	return nil
}

// roles of messages, and the types of parts in what is put in.
var (
	responseRoles  = []string{"user", "assistant", "system", "developer"}
	responseInputs = []string{"input_text", "input_image", "input_file", "input_audio"}
)

func (item responseItem) hear(c *call) *problem {
	if !slices.Contains(responseRoles, item.Role) {
		return &problem{
			status: http.StatusBadRequest, param: fmt.Sprintf("input[%d].role", item.at), code: "invalid_value",
			message: fmt.Sprintf("Invalid value: '%s'. Supported values are: 'assistant', 'system', 'developer', and 'user'.", item.Role),
		}
	}
	text, parts, valid := item.parts()
	if !valid {
		return wrongType(nil)
	}
	for i, part := range parts {
		if slices.Contains(responseInputs, part.Type) != (item.Role != "assistant") {
			return wrongPart(item, i, part.Type)
		}
	}
	c.read(text)
	if item.Role != "user" {
		return nil
	}
	c.media = nil
	for _, part := range parts {
		part.see(&c.talk)
	}
	c.hear(text)
	return nil
}

func wrongPart(item responseItem, i int, got string) *problem {
	supported := "'input_text', 'input_image', 'input_file', and 'input_audio'"
	if item.Role == "assistant" {
		supported = "'output_text' and 'refusal'"
	}
	return &problem{
		status: http.StatusBadRequest, param: fmt.Sprintf("input[%d].content[%d]", item.at, i), code: "invalid_value",
		message: fmt.Sprintf("Invalid value: '%s'. Supported values are: %s.", got, supported),
	}
}

// parts reads content given as a text or as parts; a text has none.
func (item responseItem) parts() (text string, parts []responsePart, valid bool) {
	if !given(item.Content) || json.Unmarshal(item.Content, &text) == nil {
		return text, nil, true
	}
	if json.Unmarshal(item.Content, &parts) != nil {
		return "", nil, false
	}
	for _, part := range parts {
		text += part.Text
	}
	return text, parts, true
}

// output reads a tool's result.
func (item responseItem) output() (string, *problem) {
	result := responseItem{Content: item.Output, at: item.at}
	text, parts, valid := result.parts()
	if !valid {
		return "", wrongType(nil)
	}
	for i, part := range parts {
		if !slices.Contains(responseInputs, part.Type) {
			return "", wrongPart(result, i, part.Type)
		}
	}
	return text, nil
}

func (p responsePart) see(t *talk) {
	switch p.Type {
	case "input_image":
		mediaType, data := dataURL(p.ImageURL)
		t.see("image", mediaType, data, p.ImageURL+p.FileID)
	case "input_audio":
		t.see("audio", "audio/"+p.Audio.Format, p.Audio.Data, "")
	case "input_file":
		mediaType, data := dataURL(p.FileData)
		t.see("file", mediaType, data, p.FileID+p.FileURL)
	}
}
