// Package chat is the conversation that every dialect is translated through: request, answer, stream, usage and typed failures.
// Text is carried byte for byte.
package chat

// Request is one call in neutral form. Pointers are nil where the caller said nothing, so that nothing is sent that was not asked for.
type Request struct {
	Messages         []Message
	MaxTokens        *int // at least 1
	Temperature      *float64
	TopP             *float64
	TopK             *int
	FrequencyPenalty *float64
	PresencePenalty  *float64
	Stop             []string
	Seed             *int64
	Choices          int  // how many answers; 0 and 1 are one
	Logprobs         bool // of the answer's tokens
	TopLogprobs      int  // how many others beside each
	Tools            []Tool
	ToolChoice       ToolChoice
	ParallelTools    *bool
	Format           Format
	Thinking         Thinking
	ServiceTier      string // auto, default, flex, priority; "" says nothing
	CacheKey         string // requests of one key share a prompt that the vendor may have kept; "" says nothing
	EndUser          string // the caller's own id of its user
	// Untranslated names the fields that the neutral form cannot hold; a foreign dialect drops them and says so. Names of fields are OpenAI's for chat
	// completions, here and wherever an adapter drops one; a surface of another dialect shows its own.
	Untranslated []string
	Strict       bool // a field that the target cannot honour fails the call instead of being dropped
}

// Thinking says how much the model is to think before it answers. Its zero value says nothing.
type Thinking struct {
	Mode   ThinkingMode
	Effort string // none, minimal, low, medium, high, xhigh, max; "" says nothing
	Budget int    // tokens; 0 says nothing
	Show   bool   // the caller wants to see the thoughts, or a summary
}

// ThinkingMode turns thinking on or off: "" says nothing.
type ThinkingMode string

// The modes.
const (
	ThinkingOn       ThinkingMode = "on"
	ThinkingOff      ThinkingMode = "off"
	ThinkingAdaptive ThinkingMode = "adaptive" // the model decides
)

// Zero reports whether nothing was said.
func (t Thinking) Zero() bool { return t == Thinking{} }

// EffortOr gives the effort that was asked for: in so many words, or by a budget of tokens; otherwise when neither was.
func (t Thinking) EffortOr(otherwise string) string {
	switch {
	case t.Effort != "":
		return t.Effort
	case t.Mode == ThinkingOff:
		return "none"
	case t.Budget == 0:
		return otherwise
	case t.Budget <= 2048:
		return "low"
	case t.Budget <= 12_000:
		return "medium"
	default:
		return "high"
	}
}

// System joins the text of all system messages, in order, and gives the rest of the conversation.
func (r *Request) System() (system []Part, rest []Message) {
	for _, m := range r.Messages {
		if m.Role == RoleSystem {
			system = append(system, m.Parts...)
			continue
		}
		rest = append(rest, m)
	}
	return system, rest
}

// LastUserText is the text of the last user message, "" when there is none.
func (r *Request) LastUserText() string {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if r.Messages[i].Role == RoleUser {
			return r.Messages[i].Text()
		}
	}
	return ""
}

// TextBytes counts the UTF-8 bytes of everything that is sent as text: messages, tool calls, tool results and tool schemas.
func (r *Request) TextBytes() int {
	n := 0
	for _, m := range r.Messages {
		n += textBytes(m.Parts)
	}
	for _, t := range r.Tools {
		n += len(t.Name) + len(t.Description) + len(t.Schema)
	}
	return n + len(r.Format.Schema)
}

func textBytes(parts []Part) int {
	n := 0
	for i := range parts {
		p := &parts[i]
		n += len(p.Text)
		if p.Call != nil {
			n += len(p.Call.Name) + len(p.Call.Arguments)
		}
		if p.Result != nil {
			n += textBytes(p.Result.Parts)
		}
	}
	return n
}

// HasImages reports whether any part is an image, those in the results of tools included.
func (r *Request) HasImages() bool {
	for _, m := range r.Messages {
		if hasImages(m.Parts) {
			return true
		}
	}
	return false
}

func hasImages(parts []Part) bool {
	for i := range parts {
		p := &parts[i]
		if p.Kind == PartImage || p.Result != nil && hasImages(p.Result.Parts) {
			return true
		}
	}
	return false
}

// FormatKind is the form that the answer is asked to take.
type FormatKind uint8

// The forms. FormatText is what a caller gets who says nothing.
const (
	FormatText FormatKind = iota
	FormatJSON
	FormatSchema
)

// Format asks for JSON, free or by schema.
type Format struct {
	Kind        FormatKind
	Name        string
	Description string
	Schema      []byte // JSON Schema, as the caller sent it
	Strict      *bool
}

// Dialect names a client's or a vendor's wire language.
type Dialect string

// The dialects that are spoken today. More follow as constants here.
const (
	DialectOpenAIChat      Dialect = "openai.chat"
	DialectResponses       Dialect = "openai.responses"
	DialectEmbeddings      Dialect = "openai.embeddings"
	DialectAnthropic       Dialect = "anthropic.messages"
	DialectAnthropicCount  Dialect = "anthropic.count_tokens" // requests as in DialectAnthropic, answered by a count
	DialectGemini          Dialect = "gemini.generate"
	DialectBedrockConverse Dialect = "bedrock.converse"
	DialectExecute         Dialect = "forge.execute"
)
