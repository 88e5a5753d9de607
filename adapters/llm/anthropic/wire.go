package anthropic

import "encoding/json"

// request is the body of POST /v1/messages. Fields that a caller left out are left out here.
type request struct {
	Model         string        `json:"model"`
	MaxTokens     int           `json:"max_tokens"`
	System        []block       `json:"system,omitempty"`
	Messages      []turn        `json:"messages"`
	Temperature   *float64      `json:"temperature,omitempty"`
	TopP          *float64      `json:"top_p,omitempty"`
	StopSequences []string      `json:"stop_sequences,omitempty"`
	Stream        bool          `json:"stream,omitempty"`
	Tools         []tool        `json:"tools,omitempty"`
	ToolChoice    *toolChoice   `json:"tool_choice,omitempty"`
	OutputConfig  *outputConfig `json:"output_config,omitempty"`
	Metadata      *metadata     `json:"metadata,omitempty"`
}

type turn struct {
	Role    string  `json:"role"`
	Content []block `json:"content"`
}

// block is a piece of a turn that we send: text, image, tool_use or tool_result, by its type.
type block struct {
	Type      string          `json:"type"`
	Text      string          `json:"text,omitempty"`
	Source    *source         `json:"source,omitempty"`
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
	ToolUseID string          `json:"tool_use_id,omitempty"`
	Content   any             `json:"content,omitempty"` // of a tool_result: a string, or []block where it holds images
}

type source struct {
	Type      string `json:"type"` // base64 or url
	MediaType string `json:"media_type,omitempty"`
	Data      string `json:"data,omitempty"`
	URL       string `json:"url,omitempty"`
}

type tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	InputSchema json.RawMessage `json:"input_schema"`
	Strict      *bool           `json:"strict,omitempty"`
}

type toolChoice struct {
	Type            string `json:"type"` // auto, any, tool or none
	Name            string `json:"name,omitempty"`
	DisableParallel bool   `json:"disable_parallel_tool_use,omitempty"`
}

type outputConfig struct {
	Format outputFormat `json:"format"`
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
	Type        string         `json:"type"`
	ID          string         `json:"id"`
	Model       string         `json:"model"`
	Content     []contentBlock `json:"content"`
	StopReason  string         `json:"stop_reason"`
	StopDetails *stopDetails   `json:"stop_details"`
	Usage       *usage         `json:"usage"`
	Error       *apiError      `json:"error"`
}

type contentBlock struct {
	Type  string          `json:"type"`
	Text  string          `json:"text"`
	ID    string          `json:"id"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

type stopDetails struct {
	Explanation string `json:"explanation"`
}

// usage is cumulative in a stream; what an event leaves out stays as it was, hence the pointers.
type usage struct {
	Input      *int           `json:"input_tokens"`
	CacheRead  *int           `json:"cache_read_input_tokens"`
	CacheWrite *int           `json:"cache_creation_input_tokens"`
	Output     *int           `json:"output_tokens"`
	Written    *cacheCreation `json:"cache_creation"`
	Details    *outputDetails `json:"output_tokens_details"`
}

// cacheCreation is what was written to the cache, by how long it is kept.
type cacheCreation struct {
	Hour *int `json:"ephemeral_1h_input_tokens"`
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
	Type         string        `json:"type"`
	Index        int           `json:"index"`
	Message      *message      `json:"message"`
	ContentBlock *contentBlock `json:"content_block"`
	Delta        *delta        `json:"delta"`
	Usage        *usage        `json:"usage"`
	Error        *apiError     `json:"error"`
}

type delta struct {
	Type        string       `json:"type"`
	Text        string       `json:"text"`
	PartialJSON string       `json:"partial_json"`
	StopReason  string       `json:"stop_reason"`
	StopDetails *stopDetails `json:"stop_details"`
}
