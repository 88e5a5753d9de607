package chat

import "strings"

// Role says who speaks.
type Role string

// The roles. A developer message of the OpenAI dialect is a system message here.
const (
	RoleSystem    Role = "system"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleTool      Role = "tool"
)

// Message is one turn.
type Message struct {
	Role       Role
	Parts      []Part
	ToolCalls  []ToolCall // of an assistant
	ToolCallID string     // of a tool: the call that this answers
	Name       string
}

// Text joins the text parts of the message.
func (m Message) Text() string {
	if len(m.Parts) == 1 {
		return m.Parts[0].Text
	}
	var b strings.Builder
	for _, p := range m.Parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

// Text makes a message of one text part.
func Text(role Role, text string) Message {
	return Message{Role: role, Parts: []Part{{Kind: PartText, Text: text}}}
}

// PartKind says what a part holds.
type PartKind uint8

// The kinds of part.
const (
	PartText PartKind = iota
	PartImage
)

// Part is a piece of a message.
type Part struct {
	Kind  PartKind
	Text  string
	Image Image
}

// Image is a picture: by URL, or by its bytes in base64 with a media type.
type Image struct {
	URL       string // http or https; "" when Data is set
	MediaType string // such as image/png, with Data
	Data      string // base64
	Detail    string // low, high, auto; "" says nothing
}
