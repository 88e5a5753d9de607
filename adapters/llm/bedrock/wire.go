package bedrock

import (
	"encoding/json"

	"github.com/forge1/forge1/domain/chat"
)

// Formats of signatures: Claude's are the same as at its own vendor.
const (
	formatClaude = chat.FormatAnthropic
	formatOther  = "amazon-bedrock-v1"
)

// request is the body of a call. The model is in the path.
type request struct {
	Messages    []turn            `json:"messages"`
	System      []block           `json:"system,omitempty"`
	Inference   *inferenceConfig  `json:"inferenceConfig,omitempty"`
	Tools       *toolConfig       `json:"toolConfig,omitempty"`
	Output      *outputConfig     `json:"outputConfig,omitempty"`
	More        map[string]any    `json:"additionalModelRequestFields,omitempty"`
	MorePaths   []string          `json:"additionalModelResponseFieldPaths,omitempty"`
	Metadata    map[string]string `json:"requestMetadata,omitempty"`
	ServiceTier *serviceTier      `json:"serviceTier,omitempty"`
}

type turn struct {
	Role    string  `json:"role"`
	Content []block `json:"content"`
}

// block is a piece of a turn, of a system prompt, or of a tool's result: the one member that is set says which.
type block struct {
	Text       *string     `json:"text,omitempty"`
	Image      *media      `json:"image,omitempty"`
	Audio      *media      `json:"audio,omitempty"`
	Document   *media      `json:"document,omitempty"`
	ToolUse    *toolUse    `json:"toolUse,omitempty"`
	ToolResult *toolResult `json:"toolResult,omitempty"`
	Reasoning  *reasoning  `json:"reasoningContent,omitempty"`
	Cited      *cited      `json:"citationsContent,omitempty"`
	CachePoint *cachePoint `json:"cachePoint,omitempty"`
}

type media struct {
	Format string `json:"format,omitempty"`
	Name   string `json:"name,omitempty"` // of a document, which must have one
	Source source `json:"source"`
}

type source struct {
	Bytes string      `json:"bytes,omitempty"` // base64
	S3    *s3Location `json:"s3Location,omitempty"`
}

type s3Location struct {
	URI string `json:"uri"`
}

type toolUse struct {
	ID    string          `json:"toolUseId"`
	Name  string          `json:"name"`
	Type  string          `json:"type,omitempty"` // server_tool_use: the vendor runs it
	Input json.RawMessage `json:"input"`
}

type toolResult struct {
	ID      string  `json:"toolUseId"`
	Content []block `json:"content"`
	Status  string  `json:"status,omitempty"` // success or error
	Type    string  `json:"type,omitempty"`   // of what a tool of the vendor's found
}

type reasoning struct {
	Text     *reasoningText `json:"reasoningText,omitempty"`
	Redacted string         `json:"redactedContent,omitempty"` // base64
}

type reasoningText struct {
	Text      string `json:"text"`
	Signature string `json:"signature,omitempty"`
}

type cachePoint struct {
	Type string `json:"type"` // default
	TTL  string `json:"ttl,omitempty"`
}

type inferenceConfig struct {
	MaxTokens   *int     `json:"maxTokens,omitempty"`
	Temperature *float64 `json:"temperature,omitempty"`
	TopP        *float64 `json:"topP,omitempty"`
	Stop        []string `json:"stopSequences,omitempty"`
}

type toolConfig struct {
	Tools  []tool      `json:"tools"`
	Choice *toolChoice `json:"toolChoice,omitempty"`
}

// tool is a declaration: of a function, of a tool of the vendor's, or of a point up to which the prompt is kept.
type tool struct {
	Spec       *toolSpec   `json:"toolSpec,omitempty"`
	System     *named      `json:"systemTool,omitempty"`
	CachePoint *cachePoint `json:"cachePoint,omitempty"`
}

type toolSpec struct {
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	InputSchema inputSchema `json:"inputSchema"`
	Strict      *bool       `json:"strict,omitempty"`
}

type inputSchema struct {
	JSON json.RawMessage `json:"json"`
}

type toolChoice struct {
	Auto *struct{} `json:"auto,omitempty"`
	Any  *struct{} `json:"any,omitempty"`
	Tool *named    `json:"tool,omitempty"`
}

type named struct {
	Name string `json:"name"`
}

type outputConfig struct {
	Effort     string      `json:"effort,omitempty"`
	TextFormat *textFormat `json:"textFormat,omitempty"`
}

type textFormat struct {
	Type      string    `json:"type"` // json_schema
	Structure structure `json:"structure"`
}

type structure struct {
	Schema jsonSchema `json:"jsonSchema"`
}

type jsonSchema struct {
	Schema      string `json:"schema"` // JSON in a string
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
}

type serviceTier struct {
	Type string `json:"type"`
}

// answer is the body of a whole answer.
type answer struct {
	Output *struct {
		Message *turn `json:"message"`
	} `json:"output"`
	StopReason string       `json:"stopReason"`
	More       moreFields   `json:"additionalModelResponseFields"`
	Usage      *usage       `json:"usage"`
	Tier       *serviceTier `json:"serviceTier"`
}

// moreFields is what was asked for by additionalModelResponseFieldPaths.
type moreFields struct {
	StopSequence string `json:"stop_sequence"`
}

type usage struct {
	Input      int `json:"inputTokens"`
	Output     int `json:"outputTokens"`
	CacheRead  int `json:"cacheReadInputTokens"`
	CacheWrite int `json:"cacheWriteInputTokens"`
	Written    []struct {
		TTL   string `json:"ttl"`
		Input int    `json:"inputTokens"`
	} `json:"cacheDetails"`
}

// cited is text with what it is from.
type cited struct {
	Content   []block    `json:"content"`
	Citations []citation `json:"citations"`
}

type citation struct {
	Title   string  `json:"title"`
	Source  string  `json:"source"`
	Content []block `json:"sourceContent"`
	Place   struct {
		Web *struct {
			URL string `json:"url"`
		} `json:"web"`
	} `json:"location"`
}

// event is a piece of a stream, as unframe hands it on: one of the members is set.
type event struct {
	Start      *struct{}   `json:"messageStart"`
	BlockStart *blockStart `json:"contentBlockStart"`
	Delta      *blockDelta `json:"contentBlockDelta"`
	BlockStop  *struct {
		Index int `json:"contentBlockIndex"`
	} `json:"contentBlockStop"`
	Stop *struct {
		Reason string     `json:"stopReason"`
		More   moreFields `json:"additionalModelResponseFields"`
	} `json:"messageStop"`
	Metadata *struct {
		Usage *usage       `json:"usage"`
		Tier  *serviceTier `json:"serviceTier"`
	} `json:"metadata"`
	Exception string  `json:"exception"` // its name
	Problem   problem `json:"problem"`
}

type blockStart struct {
	Index int `json:"contentBlockIndex"`
	Start struct {
		ToolUse *struct {
			ID   string `json:"toolUseId"`
			Name string `json:"name"`
			Type string `json:"type"`
		} `json:"toolUse"`
	} `json:"start"`
}

type blockDelta struct {
	Index int `json:"contentBlockIndex"`
	Delta struct {
		Text      string          `json:"text"`
		ToolUse   *inputDelta     `json:"toolUse"`
		Reasoning *reasoningDelta `json:"reasoningContent"`
		Citation  *citation       `json:"citation"`
	} `json:"delta"`
}

type inputDelta struct {
	Input string `json:"input"`
}

type reasoningDelta struct {
	Text      string `json:"text"`
	Signature string `json:"signature"`
	Redacted  string `json:"redactedContent"`
}

// problem is the body of an error.
type problem struct {
	Message string `json:"message"` // Message too: names are matched without regard to case
	Type    string `json:"__type"`
}
