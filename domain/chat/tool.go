package chat

// Tool is a function that the model may call, or a tool that the vendor itself runs.
type Tool struct {
	Name        string
	Description string
	Schema      []byte // JSON Schema of the arguments as the caller sent it; empty: none
	Strict      *bool
	Cache       CacheControl
	// Server says what a tool that the vendor runs does; "" for the caller's own functions.
	Server ServerTool
	// Foreign is the declaration of a server tool in its dialect, which has options that no other has; nil for functions.
	Foreign *Foreign
}

// ServerTool is what a tool does that the vendor runs.
type ServerTool string

// The server tools that more than one vendor has. ServerOther is any other: its own dialect alone can declare it.
const (
	ServerWebSearch     ServerTool = "web_search"
	ServerCodeExecution ServerTool = "code_execution"
	ServerOther         ServerTool = "other"
)

// ToolCall is a call that the model made. Arguments is JSON text; a call without arguments has "{}".
type ToolCall struct {
	ID        string
	Name      string
	Arguments string
}

// ToolResult answers a tool call.
type ToolResult struct {
	CallID string
	Name   string // of the tool; "" when the caller did not say
	Parts  []Part // text, images and files
	Error  bool   // the tool failed
}

// Text joins the text of a result.
func (r *ToolResult) Text() string { return textOf(r.Parts, PartText) }

// ToolDelta is a piece of a streamed tool call. ID, Name and Signature come with the first piece of an index alone.
type ToolDelta struct {
	Index     int // of the calls of its choice, from 0
	ID        string
	Name      string
	Arguments string
	Signature *Signature
}

// ToolChoice says whether the model must call a tool. Mode "" says nothing; Name goes with ToolNamed.
type ToolChoice struct {
	Mode ToolMode
	Name string
}

// ToolMode is how free the model is in calling tools.
type ToolMode string

// The modes.
const (
	ToolAuto     ToolMode = "auto"
	ToolNone     ToolMode = "none"
	ToolRequired ToolMode = "required"
	ToolNamed    ToolMode = "named"
)
