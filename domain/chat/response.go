package chat

// Finish says why the model stopped. "" means that it has not.
type Finish string

// The reasons. A vendor's other reasons are mapped onto these.
const (
	FinishStop          Finish = "stop"
	FinishLength        Finish = "length"
	FinishToolCalls     Finish = "tool_calls"
	FinishContentFilter Finish = "content_filter"
	FinishPause         Finish = "pause" // the vendor wants to go on once the turn is sent back to it
)

// Response is a whole answer.
type Response struct {
	ID          string   // the vendor's
	Model       string   // as the vendor names it
	Choices     []Choice // by index; at least one
	Usage       *Usage   // nil: the vendor did not say
	ServiceTier string   // that the call was served in; "" when the vendor did not say
	Dropped     []string // request fields that this vendor could not honour
}

// Choice is one of the answers.
type Choice struct {
	Parts        []Part
	Finish       Finish
	StopSequence string // that ended it; "" for none
	Logprobs     []TokenLogprob
}

// TokenLogprob is the log probability of a token.
type TokenLogprob struct {
	Token   string
	Bytes   []byte // of the token, which may be a part of a code point; nil when the vendor did not say
	Logprob float64
	Top     []TokenLogprob // the likeliest at this place; they have no Top
}

// Said makes an answer of one text.
func Said(text string, finish Finish) *Response {
	r := &Response{Choices: []Choice{{Finish: finish}}}
	if text != "" {
		r.Choices[0].Parts = []Part{{Text: text}}
	}
	return r
}

// First is the first choice; an empty one when there is none.
func (r *Response) First() *Choice {
	if len(r.Choices) == 0 {
		return &Choice{}
	}
	return &r.Choices[0]
}

// Text joins the text of a choice.
func (c *Choice) Text() string { return textOf(c.Parts, PartText) }

// Refusal joins the refusals of a choice.
func (c *Choice) Refusal() string { return textOf(c.Parts, PartRefusal) }

// Thinking joins the thoughts of a choice.
func (c *Choice) Thinking() string { return textOf(c.Parts, PartThinking) }

// Calls lists the tool calls of a choice.
func (c *Choice) Calls() []*ToolCall { return callsOf(c.Parts) }

// TextBytes counts the UTF-8 bytes of what was said, thoughts and tool calls included.
func (r *Response) TextBytes() int {
	n := 0
	for i := range r.Choices {
		n += textBytes(r.Choices[i].Parts)
	}
	return n
}
