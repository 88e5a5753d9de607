package chat

import "iter"

// Finish says why the model stopped. "" means that it has not.
type Finish string

// The reasons. A vendor's other reasons are mapped onto these.
const (
	FinishStop          Finish = "stop"
	FinishLength        Finish = "length"
	FinishToolCalls     Finish = "tool_calls"
	FinishContentFilter Finish = "content_filter"
)

// Response is a whole answer.
type Response struct {
	ID        string // the vendor's
	Model     string // as the vendor names it
	Text      string
	Refusal   string
	ToolCalls []ToolCall
	Finish    Finish
	Usage     *Usage   // nil: the vendor did not say
	Dropped   []string // request fields that this vendor could not honour
}

// Chunk is a piece of a streamed answer. Any field may be empty; Finish and Usage come once, the last value wins.
type Chunk struct {
	ID      string
	Model   string
	Text    string
	Refusal string
	Tool    *ToolDelta
	Finish  Finish
	Usage   *Usage
	Dropped []string // with the first chunk
}

// Content reports whether the chunk carries something that the client would see as part of the answer.
func (c Chunk) Content() bool { return c.Text != "" || c.Refusal != "" || c.Tool != nil }

// Stream is an answer as it arrives. An error yielded is final: nothing follows it. A stream that ends without its
// dialect's finishing event yields ErrCutOff last. Whoever ranges over a stream and stops early ends the upstream call.
type Stream = iter.Seq2[Chunk, error]
