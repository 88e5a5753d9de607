package responses

import "encoding/json"

// The structs of this file are requests of the dialect on the wire: https://platform.openai.com/docs/api-reference/responses

type request struct {
	Model           string       `json:"model"`
	Instructions    string       `json:"instructions,omitempty"`
	Input           []any        `json:"input"` // item, or one of the dialect's own as JSON
	MaxOutputTokens *int         `json:"max_output_tokens,omitempty"`
	Temperature     *float64     `json:"temperature,omitempty"`
	TopP            *float64     `json:"top_p,omitempty"`
	TopLogprobs     int          `json:"top_logprobs,omitempty"`
	Tools           []any        `json:"tools,omitempty"` // function, or one of the dialect's own as JSON
	ToolChoice      any          `json:"tool_choice,omitempty"`
	ParallelTools   *bool        `json:"parallel_tool_calls,omitempty"`
	Text            *textOptions `json:"text,omitempty"`
	Reasoning       *reasoning   `json:"reasoning,omitempty"`
	Include         []string     `json:"include,omitempty"`
	ServiceTier     string       `json:"service_tier,omitempty"`
	CacheKey        string       `json:"prompt_cache_key,omitempty"`
	Retention       string       `json:"prompt_cache_retention,omitempty"`
	User            string       `json:"user,omitempty"`
	Store           bool         `json:"store"` // false, always
	Stream          bool         `json:"stream,omitempty"`
}

// What can be asked for beside the answer.
const (
	includeThoughts = "reasoning.encrypted_content"
	includeLogprobs = "message.output_text.logprobs"
)

type textOptions struct {
	Format *format `json:"format"`
}

type format struct {
	Type        string          `json:"type"`
	Name        string          `json:"name,omitempty"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`
	Strict      *bool           `json:"strict,omitempty"`
}

type reasoning struct {
	Effort  string `json:"effort,omitempty"`
	Summary string `json:"summary,omitempty"`
}

// function is a tool. The API takes one for strict unless it says otherwise, which chat completions do not.
type function struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
	Strict      bool            `json:"strict"`
}

// item is a piece of a conversation: what somebody said, a call, the output of one, or a thought.
type item struct {
	Type      string     `json:"type"`
	ID        string     `json:"id,omitempty"`
	Role      string     `json:"role,omitempty"`
	Content   []any      `json:"content,omitempty"` // contentPart
	CallID    string     `json:"call_id,omitempty"`
	Name      string     `json:"name,omitempty"`
	Arguments string     `json:"arguments,omitempty"`
	Output    any        `json:"output,omitempty"`  // string, or []any of contentPart
	Summary   *[]summary `json:"summary,omitempty"` // of a thought; must be there
	Sealed    string     `json:"encrypted_content,omitempty"`
}

// The types of items that the neutral form knows.
const (
	itemMessage  = "message"
	itemCall     = "function_call"
	itemOutput   = "function_call_output"
	itemThought  = "reasoning"
	partText     = "output_text"
	partRefusal  = "refusal"
	partSummary  = "summary_text"
	partInput    = "input_text"
	partImage    = "input_image"
	partFile     = "input_file"
	toolFunction = "function"
)

type summary struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type contentPart struct {
	Type     string  `json:"type"`
	Text     *string `json:"text,omitempty"`
	Refusal  string  `json:"refusal,omitempty"`
	ImageURL string  `json:"image_url,omitempty"`
	Detail   string  `json:"detail,omitempty"`
	FileID   string  `json:"file_id,omitempty"`
	Filename string  `json:"filename,omitempty"`
	FileData string  `json:"file_data,omitempty"` // a data URL
	FileURL  string  `json:"file_url,omitempty"`
}
