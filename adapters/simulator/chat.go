package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
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
	Stop                json.RawMessage    `json:"stop"`
	Logprobs            bool               `json:"logprobs"`
	TopLogprobs         int                `json:"top_logprobs"`
	Effort              string             `json:"reasoning_effort"`
	Reasoning           *chatReasoning     `json:"reasoning"`         // OpenRouter
	IncludeReasoning    bool               `json:"include_reasoning"` // OpenRouter
	Plugins             []chatPlugin       `json:"plugins"`           // OpenRouter
	WebSearch           json.RawMessage    `json:"web_search_options"`
	CacheKey            string             `json:"prompt_cache_key"`
	Tools               []chatTool         `json:"tools"`
	ToolChoice          json.RawMessage    `json:"tool_choice"`
	ResponseFormat      *chatFormat        `json:"response_format"`
}

type chatReasoning struct {
	Effort    string `json:"effort"`
	MaxTokens int    `json:"max_tokens"`
	Enabled   *bool  `json:"enabled"`
	Exclude   bool   `json:"exclude"`
}

type chatPlugin struct {
	ID string `json:"id"`
}

type chatStreamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type chatMessage struct {
	Role       string          `json:"role"`
	Content    json.RawMessage `json:"content"`
	ToolCalls  []chatToolCall  `json:"tool_calls"`
	ToolCallID string          `json:"tool_call_id"`
	Refusal    string          `json:"refusal"`
	Details    []chatDetail    `json:"reasoning_details"` // OpenRouter
}

// chatDetail is a piece of OpenRouter's reasoning.
type chatDetail struct {
	Type      string `json:"type"`
	Text      string `json:"text"`
	Data      string `json:"data"`
	Signature string `json:"signature"`
	Format    string `json:"format"`
	ID        string `json:"id"`
}

type chatToolCall struct {
	ID string `json:"id"`
}

type chatTool struct {
	Type     string `json:"type"`
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

// textPart is a part of content, in the dialects' different spellings.
type textPart struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	ImageURL struct {
		URL string `json:"url"`
	} `json:"image_url"`
	Audio struct {
		Data   string `json:"data"`
		Format string `json:"format"`
	} `json:"input_audio"`
	File struct {
		Data string `json:"file_data"`
		ID   string `json:"file_id"`
		Name string `json:"filename"`
	} `json:"file"`
	Cache *cacheControl `json:"cache_control"`
}

// cacheControl asks that the prompt up to it is kept.
type cacheControl struct {
	Type string `json:"type"`
	TTL  string `json:"ttl"`
}

// contentParts reads content given as a string or as parts.
func contentParts(raw json.RawMessage) (parts []textPart, valid bool) {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0, bytes.Equal(raw, []byte("null")):
		return nil, true
	case raw[0] == '"':
		only := textPart{Type: "text"}
		valid = json.Unmarshal(raw, &only.Text) == nil
		return []textPart{only}, valid
	}
	valid = json.Unmarshal(raw, &parts) == nil
	return parts, valid
}

// textOf joins the text of parts.
func textOf(parts []textPart) string {
	var b strings.Builder
	for _, p := range parts {
		if p.Type == "text" {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// see takes in what is no text.
func (p textPart) see(t *talk) {
	switch p.Type {
	case "image_url":
		mediaType, data := dataURL(p.ImageURL.URL)
		t.see("image", mediaType, data, p.ImageURL.URL)
	case "input_audio":
		t.see("audio", "audio/"+p.Audio.Format, p.Audio.Data, "")
	case "file":
		mediaType, data := dataURL(p.File.Data)
		t.see("file", mediaType, data, p.File.ID)
	}
}

// dataURL takes a data URL apart; both are "" for any other.
func dataURL(address string) (mediaType, data string) {
	rest, is := strings.CutPrefix(address, "data:")
	if !is {
		return "", ""
	}
	mediaType, data, _ = strings.Cut(rest, ";base64,")
	return mediaType, data
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

// parseChat reads and checks a body the way OpenAI does. Ids of tool calls are at most as long as is said.
func parseChat(body []byte, longest int) (*call, *chatBody, *problem) {
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
		model: b.Model, stream: b.Stream, choices: 1, logprobs: b.Logprobs, top: b.TopLogprobs, cacheKey: b.CacheKey,
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
	c.stops = b.stops()
	for _, t := range b.Tools {
		if t.Type == "function" || t.Type == "" {
			c.tools = append(c.tools, tool{name: t.Function.Name, schema: t.Function.Parameters})
		}
	}
	c.begin()
	if p := b.longCallID(longest); p != nil {
		return nil, nil, p
	}
	if p := b.converse(c); p != nil {
		return nil, nil, p
	}
	c.force, c.noTools = chatToolChoice(b.ToolChoice)
	if f := b.ResponseFormat; f != nil && f.Type != "text" {
		c.json, c.schema = true, f.JSONSchema.Schema
	}
	c.search = given(b.WebSearch)
	return c, &b, nil
}

// stops reads stop sequences, given as one or as several.
func (b *chatBody) stops() []string {
	var one string
	if json.Unmarshal(b.Stop, &one) == nil && one != "" {
		return []string{one}
	}
	var several []string
	_ = json.Unmarshal(b.Stop, &several)
	return several
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
