package anthropic

import "encoding/json"

// request is the body of POST /v1/messages. Fields that a caller left out are left out here.
type request struct {
	Model         string        `json:"model"`
	MaxTokens     int           `json:"max_tokens,omitempty"` // 0 in a request to count
	System        []any         `json:"system,omitempty"`     // *block or json.RawMessage
	Messages      []turn        `json:"messages"`
	Temperature   *float64      `json:"temperature,omitempty"`
	TopP          *float64      `json:"top_p,omitempty"`
	TopK          *int          `json:"top_k,omitempty"`
	StopSequences []string      `json:"stop_sequences,omitempty"`
	Stream        bool          `json:"stream,omitempty"`
	Tools         []any         `json:"tools,omitempty"` // *tool or json.RawMessage
	ToolChoice    *toolChoice   `json:"tool_choice,omitempty"`
	Thinking      *thinking     `json:"thinking,omitempty"`
	OutputConfig  *outputConfig `json:"output_config,omitempty"`
	Metadata      *metadata     `json:"metadata,omitempty"`
	ServiceTier   string        `json:"service_tier,omitempty"`
}

type turn struct {
	Role    string `json:"role"`
	Content []any  `json:"content"` // *block, or json.RawMessage for what is sent back as it came
	strange bool   // of the assistant: another vendor called a tool in it, or thought
}

// block is a piece of a turn that we send: text, image, document, thinking, redacted_thinking, tool_use or tool_result, by its type.
type block struct {
	Type      string            `json:"type"`
	Text      string            `json:"text,omitempty"`
	Citations []json.RawMessage `json:"citations,omitempty"`
	Thinking  *string           `json:"thinking,omitempty"` // may be empty, but is there
	Signature string            `json:"signature,omitempty"`
	Source    *source           `json:"source,omitempty"`
	Title     string            `json:"title,omitempty"`
	ID        string            `json:"id,omitempty"`
	Name      string            `json:"name,omitempty"`
	Input     json.RawMessage   `json:"input,omitempty"`
	ToolUseID string            `json:"tool_use_id,omitempty"`
	Content   any               `json:"content,omitempty"` // of a tool_result: a string, or []any where it holds more than text
	IsError   bool              `json:"is_error,omitempty"`
	Data      string            `json:"data,omitempty"`
	Cache     *cacheControl     `json:"cache_control,omitempty"`
}

// cacheControl is a point up to which the vendor is to keep the prompt.
type cacheControl struct {
	Type string `json:"type"` // ephemeral
	TTL  string `json:"ttl,omitempty"`
}

type source struct {
	Type      string `json:"type"` // base64, url, text or file
	MediaType string `json:"media_type,omitempty"`
	Data      string `json:"data,omitempty"`
	URL       string `json:"url,omitempty"`
	FileID    string `json:"file_id,omitempty"`
}

type tool struct {
	Type        string          `json:"type,omitempty"` // of a tool that the vendor runs
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	InputSchema json.RawMessage `json:"input_schema,omitempty"`
	Strict      *bool           `json:"strict,omitempty"`
	Cache       *cacheControl   `json:"cache_control,omitempty"`
}

type toolChoice struct {
	Type            string `json:"type"` // auto, any, tool or none
	Name            string `json:"name,omitempty"`
	DisableParallel bool   `json:"disable_parallel_tool_use,omitempty"`
}

type thinking struct {
	Type    string `json:"type"` // enabled, adaptive or disabled
	Budget  int    `json:"budget_tokens,omitempty"`
	Display string `json:"display,omitempty"`
}

type outputConfig struct {
	Effort string        `json:"effort,omitempty"`
	Format *outputFormat `json:"format,omitempty"`
}

type outputFormat struct {
	Type   string          `json:"type"`
	Schema json.RawMessage `json:"schema"`
}

type metadata struct {
	UserID string `json:"user_id"`
}

// message is a whole answer, and what message_start holds of one.
type message struct {
	Type         string            `json:"type"`
	ID           string            `json:"id"`
	Model        string            `json:"model"`
	Content      []json.RawMessage `json:"content"`
	StopReason   string            `json:"stop_reason"`
	StopSequence string            `json:"stop_sequence"`
	StopDetails  *stopDetails      `json:"stop_details"`
	Usage        *usage            `json:"usage"`
	Error        *apiError         `json:"error"`
}

type contentBlock struct {
	Type      string            `json:"type"`
	Text      string            `json:"text"`
	Citations []json.RawMessage `json:"citations"`
	Thinking  string            `json:"thinking"`
	Signature string            `json:"signature"`
	Data      string            `json:"data"`
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	Input     json.RawMessage   `json:"input"`
}

type stopDetails struct {
	Explanation string `json:"explanation"`
}

// usage is cumulative in a stream; what an event leaves out stays as it was, hence the pointers.
type usage struct {
	Input       *int           `json:"input_tokens"`
	CacheRead   *int           `json:"cache_read_input_tokens"`
	CacheWrite  *int           `json:"cache_creation_input_tokens"`
	Output      *int           `json:"output_tokens"`
	Written     *cacheCreation `json:"cache_creation"`
	Details     *outputDetails `json:"output_tokens_details"`
	ServiceTier string         `json:"service_tier"`
}

// cacheCreation is what was written to the cache, by how long it is kept.
type cacheCreation struct {
	Minutes *int `json:"ephemeral_5m_input_tokens"`
	Hour    *int `json:"ephemeral_1h_input_tokens"`
}

type outputDetails struct {
	Thinking *int `json:"thinking_tokens"`
}

// apiError is the error object of an error body and of an error event.
type apiError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// event is any event of a stream, by its type.
type event struct {
	Type         string          `json:"type"`
	Index        int             `json:"index"`
	Message      *message        `json:"message"`
	ContentBlock json.RawMessage `json:"content_block"`
	Delta        *delta          `json:"delta"`
	Usage        *usage          `json:"usage"`
	Error        *apiError       `json:"error"`
}

type delta struct {
	Type         string          `json:"type"`
	Text         string          `json:"text"`
	Thinking     string          `json:"thinking"`
	Signature    string          `json:"signature"`
	PartialJSON  string          `json:"partial_json"`
	Citation     json.RawMessage `json:"citation"`
	StopReason   string          `json:"stop_reason"`
	StopSequence string          `json:"stop_sequence"`
	StopDetails  *stopDetails    `json:"stop_details"`
}
