package chatcompletions

import "encoding/json"

// The structs of this file are requests of the dialect on the wire: https://platform.openai.com/docs/api-reference/chat

type request struct {
	Model               string          `json:"model"`
	Messages            []message       `json:"messages"`
	MaxTokens           *int            `json:"max_tokens,omitempty"`
	MaxCompletionTokens *int            `json:"max_completion_tokens,omitempty"`
	Temperature         *float64        `json:"temperature,omitempty"`
	TopP                *float64        `json:"top_p,omitempty"`
	TopK                *int            `json:"top_k,omitempty"`
	FrequencyPenalty    *float64        `json:"frequency_penalty,omitempty"`
	PresencePenalty     *float64        `json:"presence_penalty,omitempty"`
	Stop                []string        `json:"stop,omitempty"`
	Seed                *int64          `json:"seed,omitempty"`
	N                   int             `json:"n,omitempty"`
	Logprobs            bool            `json:"logprobs,omitempty"`
	TopLogprobs         int             `json:"top_logprobs,omitempty"`
	Tools               []any           `json:"tools,omitempty"` // tool, or, of a tool that is declared in this dialect, its JSON
	ToolChoice          any             `json:"tool_choice,omitempty"`
	ParallelTools       *bool           `json:"parallel_tool_calls,omitempty"`
	Format              *responseFormat `json:"response_format,omitempty"`
	Effort              string          `json:"reasoning_effort,omitempty"`
	Reasoning           *reasoning      `json:"reasoning,omitempty"` // OpenRouter's
	Plugins             []plugin        `json:"plugins,omitempty"`   // OpenRouter's
	ServiceTier         string          `json:"service_tier,omitempty"`
	CacheKey            string          `json:"prompt_cache_key,omitempty"`
	Retention           string          `json:"prompt_cache_retention,omitempty"`
	User                string          `json:"user,omitempty"`
	Stream              bool            `json:"stream,omitempty"`
	StreamOptions       *streamOptions  `json:"stream_options,omitempty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

// reasoning holds an effort, or a budget of tokens, or neither.
type reasoning struct {
	Effort    string `json:"effort,omitempty"`
	MaxTokens int    `json:"max_tokens,omitempty"`
	Enabled   bool   `json:"enabled,omitempty"`
	Exclude   bool   `json:"exclude,omitempty"`
}

type plugin struct {
	ID string `json:"id"`
}

type message struct {
	Role       string     `json:"role"`
	Content    any        `json:"content"` // string, []any of parts, or null beside tool calls
	Refusal    string     `json:"refusal,omitempty"`
	Name       string     `json:"name,omitempty"`
	Details    []detail   `json:"reasoning_details,omitempty"` // OpenRouter's
	Reasoning  string     `json:"reasoning_content,omitempty"` // of servers of one's own
	ToolCalls  []toolCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
	Audio      *audioID   `json:"audio,omitempty"` // that the model spoke before
}

type audioID struct {
	ID string `json:"id"`
}

type part struct {
	Type  string        `json:"type"`
	Text  *string       `json:"text,omitempty"`
	Image *imageURL     `json:"image_url,omitempty"`
	Audio *inputAudio   `json:"input_audio,omitempty"`
	File  *file         `json:"file,omitempty"`
	Cache *cacheControl `json:"cache_control,omitempty"` // OpenRouter's
}

type imageURL struct {
	URL    string `json:"url"`
	Detail string `json:"detail,omitempty"`
}

type inputAudio struct {
	Data   string `json:"data"`
	Format string `json:"format"`
}

type file struct {
	Name string `json:"filename,omitempty"`
	Data string `json:"file_data,omitempty"` // a data URL, or, at OpenRouter, any
	ID   string `json:"file_id,omitempty"`
}

type cacheControl struct {
	Type string `json:"type"`
	TTL  string `json:"ttl,omitempty"`
}

// detail is a piece of reasoning: its text, a summary of it, or what only the vendor can read.
type detail struct {
	Type      string `json:"type"`
	Text      string `json:"text,omitempty"`
	Summary   string `json:"summary,omitempty"`
	Data      string `json:"data,omitempty"`
	Signature string `json:"signature,omitempty"`
	ID        string `json:"id,omitempty"`
	Format    string `json:"format,omitempty"`
	Index     *int   `json:"index,omitempty"`
}

// The types of details.
const (
	detailText      = "reasoning.text"
	detailSummary   = "reasoning.summary"
	detailEncrypted = "reasoning.encrypted"
)

type tool struct {
	Type     string   `json:"type"`
	Function function `json:"function"`
}

type function struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Strict      *bool           `json:"strict,omitempty"`
}

type responseFormat struct {
	Type   string      `json:"type"`
	Schema *jsonSchema `json:"json_schema,omitempty"`
}

type jsonSchema struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`
	Strict      *bool           `json:"strict,omitempty"`
}

type toolCall struct {
	Index    *int           `json:"index,omitempty"` // of a delta; on whole answers of some vendors too
	ID       string         `json:"id,omitempty"`
	Type     string         `json:"type,omitempty"`
	Function calledFunction `json:"function"`
}

type calledFunction struct {
	Name      string    `json:"name"`
	Arguments arguments `json:"arguments"`
}
