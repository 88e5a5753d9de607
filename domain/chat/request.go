// Package chat is the conversation that every dialect is translated through: request, answer, stream, usage and typed failures.
// Text is carried byte for byte.
package chat

// Request is one call in neutral form. Pointers are nil where the caller said nothing, so that nothing is sent that was not asked for.
type Request struct {
	Messages      []Message
	MaxTokens     *int // at least 1
	Temperature   *float64
	TopP          *float64
	Stop          []string
	Seed          *int64
	Tools         []Tool
	ToolChoice    ToolChoice
	ParallelTools *bool
	Format        Format
	Reasoning     string   // effort: minimal, low, medium, high; "" says nothing
	EndUser       string   // the caller's own id of its user
	Untranslated  []string // names of fields that the neutral form cannot hold; a foreign dialect drops them and says so
	Strict        bool     // a field that the target cannot honour fails the call instead of being dropped
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

// TextBytes counts the UTF-8 bytes of everything that is sent as text: messages, tool calls and tool schemas.
func (r *Request) TextBytes() int {
	n := 0
	for _, m := range r.Messages {
		for _, p := range m.Parts {
			n += len(p.Text)
		}
		for _, c := range m.ToolCalls {
			n += len(c.Name) + len(c.Arguments)
		}
	}
	for _, t := range r.Tools {
		n += len(t.Name) + len(t.Description) + len(t.Schema)
	}
	return n + len(r.Format.Schema)
}

// HasImages reports whether any part is an image.
func (r *Request) HasImages() bool {
	for _, m := range r.Messages {
		for _, p := range m.Parts {
			if p.Kind == PartImage {
				return true
			}
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
	Kind   FormatKind
	Name   string
	Schema []byte // JSON Schema, as the caller sent it
	Strict *bool
}

// Dialect names a client's or a vendor's wire language.
type Dialect string

// The dialects that are spoken today. More follow as constants here.
const (
	DialectOpenAIChat Dialect = "openai.chat"
	DialectAnthropic  Dialect = "anthropic.messages"
	DialectGemini     Dialect = "gemini.generate"
	DialectExecute    Dialect = "forge.execute"
)
