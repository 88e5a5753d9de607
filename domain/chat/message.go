package chat

import "strings"

// Role says who speaks.
type Role string

// The roles. A developer message of the OpenAI dialect is a system message here.
const (
	RoleSystem    Role = "system"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleTool      Role = "tool" // its parts are tool results, nothing else
)

// Message is one turn: its parts in the order in which they were said.
type Message struct {
	Role  Role
	Parts []Part
	Name  string // of who speaks; "" says nothing
}

// Text joins the text parts of the message.
func (m Message) Text() string { return textOf(m.Parts, PartText) }

// Calls lists the tool calls of the message.
func (m Message) Calls() []*ToolCall { return callsOf(m.Parts) }

// Results lists the tool results of the message.
func (m Message) Results() []*ToolResult {
	var out []*ToolResult
	for i := range m.Parts {
		if m.Parts[i].Kind == PartToolResult {
			out = append(out, m.Parts[i].Result)
		}
	}
	return out
}

// Text makes a message of one text part.
func Text(role Role, text string) Message {
	return Message{Role: role, Parts: []Part{{Kind: PartText, Text: text}}}
}

// Result makes a tool's message: the text that answers the call of an id.
func Result(callID, text string) Message {
	return Message{Role: RoleTool, Parts: []Part{{Kind: PartToolResult, Result: &ToolResult{CallID: callID, Parts: []Part{{Text: text}}}}}}
}

// PartKind says what a part holds, and with that which of its fields are set.
type PartKind uint8

// The kinds of part.
const (
	PartText       PartKind = iota // Text, Citations
	PartImage                      // Media
	PartAudio                      // Media
	PartFile                       // Media: a document, such as a PDF
	PartRefusal                    // Text: why the model will not answer
	PartThinking                   // Text, which may be empty, and Signature; with Redacted the signature is all there is
	PartToolCall                   // Call
	PartToolResult                 // Result
	PartForeign                    // Foreign: what one dialect alone knows, such as a server tool's call
)

// Part is a piece of a message or of an answer.
type Part struct {
	Kind     PartKind
	Redacted bool // of thinking: the vendor shows none of it
	Text     string
	Media    *Media
	Call     *ToolCall
	Result   *ToolResult
	Foreign  *Foreign
	// Signature is what the vendor wants back with the part in the next turn, unchanged; nil: nothing. Thinking without text that is not redacted is a
	// signature that stands alone: it belongs to what follows it, or, at the end, to the turn.
	Signature *Signature
	Citations []Citation
	Cache     CacheControl // the vendor is asked to keep the prompt up to here
}

// Media is a picture, a sound or a document: by URL, by its bytes in base64 with a media type, or by the id of an upload at the vendor.
type Media struct {
	URL    string // http, https, or what the vendor knows, such as gs; "" when Data or FileID is set
	Type   string // media type, such as image/png; "" when nobody said
	Data   string // base64
	FileID string // an upload of one vendor's, whose dialect is Origin
	Origin Dialect
	Name   string // of a file
	Detail string // of a picture: low, high, auto; "" says nothing
}

// Signature is a vendor's opaque token on a part: Anthropic's signature or redacted data, Gemini's thoughtSignature, OpenAI's encrypted content.
// Only a vendor that reads its format can take it back.
type Signature struct {
	Format string // one of the Format constants, or another vendor's, as OpenRouter names them
	Data   string
	ID     string // of the reasoning item that it came with, at OpenAI
}

// Formats of signatures, as OpenRouter names them.
const (
	FormatAnthropic = "anthropic-claude-v1"
	FormatGemini    = "google-gemini-v1"
	FormatOpenAI    = "openai-responses-v1"
	// FormatOpenAIResold is Forge's own name for what OpenAI encrypted for OpenRouter: only the account that it was made for can have it read.
	FormatOpenAIResold = "openrouter/openai-responses-v1"
)

// Foreign is a piece of a dialect's own, as JSON. It goes back to a vendor of the dialect unchanged, and to no other.
type Foreign struct {
	Dialect Dialect
	JSON    []byte
}

// Citation says where a piece of text is from.
type Citation struct {
	URL   string // "": a document of the request
	Title string
	Text  string // what is cited; "" when nobody said
	Start int    // of the text that the citation is on, in code points; Start == End: the whole part
	End   int
	// Foreign is the citation as its dialect has it; nil: all of it is above.
	Foreign *Foreign
}

// CacheControl asks the vendor to keep a prompt for a while: "" does not.
type CacheControl string

// How long a prompt is kept.
const (
	Cache5m CacheControl = "5m"
	Cache1h CacheControl = "1h"
)

func textOf(parts []Part, kind PartKind) string {
	if len(parts) == 1 {
		if parts[0].Kind == kind {
			return parts[0].Text
		}
		return ""
	}
	var b strings.Builder
	for i := range parts {
		if parts[i].Kind == kind {
			b.WriteString(parts[i].Text)
		}
	}
	return b.String()
}

func callsOf(parts []Part) []*ToolCall {
	var out []*ToolCall
	for i := range parts {
		if parts[i].Kind == PartToolCall {
			out = append(out, parts[i].Call)
		}
	}
	return out
}
