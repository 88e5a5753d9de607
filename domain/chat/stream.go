package chat

import "iter"

// Chunk is a piece of a streamed answer. Any field may be empty; Finish comes once for each choice and Usage once, the last value wins.
//
// Text, Refusal and Thinking go on with the last part of the choice if that is of their kind, and begin a new one otherwise, or when New is set. Of
// the fields below at most one is set, but for Citations, Signature and Logprobs, which go with the text or the thought that they are about or follow.
type Chunk struct {
	ID    string
	Model string

	Choice   int // that all of the following is of
	New      bool
	Text     string
	Refusal  string
	Thinking string
	Tool     *ToolDelta
	// Part comes whole: a picture, a sound, redacted thinking, a signature that stands alone, something foreign.
	Part *Part
	// Signature ends the thought or the text before it. After anything else, or at first, it stands alone, as it does in a Part: a thought without text.
	Signature *Signature
	Citations []Citation // of the text that they come with or after
	Logprobs  []TokenLogprob

	Finish       Finish
	StopSequence string
	Usage        *Usage
	ServiceTier  string
	Dropped      []string // with the first chunk
}

// Content reports whether the chunk carries something that the client would see as part of the answer.
func (c *Chunk) Content() bool {
	return c.Text != "" || c.Refusal != "" || c.Thinking != "" || c.Tool != nil || c.Part != nil
}

// TextBytes counts the UTF-8 bytes of what the chunk says.
func (c *Chunk) TextBytes() int {
	n := len(c.Text) + len(c.Refusal) + len(c.Thinking)
	if c.Tool != nil {
		n += len(c.Tool.Name) + len(c.Tool.Arguments)
	}
	return n
}

// Stream is an answer as it arrives. An error yielded is final: nothing follows it. A stream that ends without its
// dialect's finishing event yields ErrCutOff last. Whoever ranges over a stream and stops early ends the upstream call.
type Stream = iter.Seq2[Chunk, error]
