package chat

// Tool is a function that the model may call.
type Tool struct {
	Name        string
	Description string
	Schema      []byte // JSON Schema of the arguments as the caller sent it; empty: none
	Strict      *bool
}

// ToolCall is a call that the model made. Arguments is JSON text; a call without arguments has "{}".
type ToolCall struct {
	ID        string
	Name      string
	Arguments string
}

// ToolDelta is a piece of a streamed tool call. ID and Name come with the first piece of an index alone.
type ToolDelta struct {
	Index     int
	ID        string
	Name      string
	Arguments string
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
