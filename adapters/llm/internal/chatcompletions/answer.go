package chatcompletions

import (
	"encoding/json"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
)

// The structs of this file are answers of the dialect on the wire. What not every server has, or has in the same form, is raw: one that is odd spoils
// no answer.

type answer struct {
	ID          string          `json:"id"`
	Model       string          `json:"model"`
	Choices     []choice        `json:"choices"`
	Usage       json.RawMessage `json:"usage"`
	ServiceTier text            `json:"service_tier"`
	Error       json.RawMessage `json:"error"`
}

type choice struct {
	Index      int             `json:"index"`
	Message    *said           `json:"message"` // of a whole answer
	Delta      *said           `json:"delta"`   // of a chunk
	Finish     *string         `json:"finish_reason"`
	StopReason json.RawMessage `json:"stop_reason"` // of vLLM: the stop sequence, or the number of a token
	Logprobs   json.RawMessage `json:"logprobs"`
	Error      json.RawMessage `json:"error"` // OpenRouter's, beside finishError
}

// said gives what a choice says: of a whole answer the message, of a chunk the delta. Some servers send the one where the other belongs, and some
// repeat the message of all chunks in the last.
func (c *choice) said(whole bool) *said {
	if whole && c.Message != nil || c.Delta == nil {
		return c.Message
	}
	return c.Delta
}

// finishError is how OpenRouter ends a choice whose model failed.
const finishError = "error"

type said struct {
	Content      content         `json:"content"`
	Refusal      text            `json:"refusal"`
	Reasoning    text            `json:"reasoning"`
	ReasoningToo text            `json:"reasoning_content"` // as most servers of one's own call it
	Details      json.RawMessage `json:"reasoning_details"`
	ToolCalls    []toolCall      `json:"tool_calls"`
	FunctionCall json.RawMessage `json:"function_call"` // the tool call of former days
	Annotations  json.RawMessage `json:"annotations"`
	Images       json.RawMessage `json:"images"` // OpenRouter's
	Audio        json.RawMessage `json:"audio"`
}

// text is a string; what is none says nothing.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	*t = text(jsonscan.Unquote(b))
	return nil
}

// content is a string, null, or, from some servers, a list of parts.
type content struct {
	Text  string
	parts []contentPart
}

type contentPart struct {
	Type     string          `json:"type"`
	Text     text            `json:"text"`
	Refusal  text            `json:"refusal"`
	Thinking json.RawMessage `json:"thinking"` // a string, or a list of texts
	Image    json.RawMessage `json:"image_url"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *content) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) == 0 || b[0] == 'n':
		return nil
	case b[0] == '[':
		return json.Unmarshal(b, &c.parts)
	default:
		return json.Unmarshal(b, &c.Text)
	}
}

// thought gives the text of a part that is a thought.
func (p *contentPart) thought() string {
	if len(p.Thinking) == 0 || p.Thinking[0] != '[' {
		return jsonscan.Unquote(p.Thinking)
	}
	var list []struct {
		Text text `json:"text"`
	}
	_ = json.Unmarshal(p.Thinking, &list)
	out := ""
	for _, t := range list {
		out += string(t.Text)
	}
	return out
}

// arguments are JSON in a string; some servers send the JSON itself.
type arguments string

// UnmarshalJSON implements json.Unmarshaler.
func (a *arguments) UnmarshalJSON(b []byte) error {
	switch {
	case jsonscan.IsNull(b):
	case len(b) > 0 && b[0] == '"':
		*a = arguments(jsonscan.Unquote(b))
	default:
		*a = arguments(b)
	}
	return nil
}

type annotation struct {
	Type string `json:"type"`
	URL  struct {
		URL     string `json:"url"`
		Title   string `json:"title"`
		Content string `json:"content"`
		Start   int    `json:"start_index"`
		End     int    `json:"end_index"`
	} `json:"url_citation"`
}

type spoken struct {
	ID         string `json:"id"`
	Data       string `json:"data"`
	Transcript string `json:"transcript"`
}

type tokens struct {
	Content []token `json:"content"`
}

type token struct {
	Token   string  `json:"token"`
	Logprob float64 `json:"logprob"`
	Bytes   []int   `json:"bytes"`
	Top     []token `json:"top_logprobs"`
}
