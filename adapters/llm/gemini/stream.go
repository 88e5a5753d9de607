package gemini

import (
	"bytes"
	"encoding/json"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// decoder reads the chunks of a streamed answer; it implements events.Decoder. A finishReason is the end, but the stream goes on to its
// own end: an answer that runs code has a finishReason before each run too.
type decoder struct {
	to      outbound.Target
	id      string
	model   string
	named   bool // id and model were said
	usage   *chat.Usage
	reason  string // of the end, as far as it was reached
	blocked bool   // the prompt
	calls   int
	open    *openCall
	out     []chat.Chunk
}

// openCall is a call whose arguments are streamed.
type openCall struct {
	id   string
	name string
	args map[string]any
}

// Event implements events.Decoder.
func (d *decoder) Event(data []byte) ([]chat.Chunk, bool, error) {
	if bytes.Equal(bytes.TrimSpace(data), []byte("[DONE]")) { // no word of this vendor, but of some proxies
		return nil, false, nil
	}
	var a answer
	if json.Unmarshal(data, &a) != nil {
		return nil, false, llm.BadResponse(d.to, "sent an event that is not one")
	}
	if a.Error != nil {
		return nil, false, a.Error.refusal().Failure(d.to, nil)
	}
	d.out = d.out[:0]
	if u := a.Usage.neutral(); u != nil {
		d.usage = u
	}
	if a.ResponseID != "" {
		d.id = a.ResponseID
	}
	if a.ModelVersion != "" {
		d.model = a.ModelVersion
	}
	if a.PromptFeedback != nil && a.PromptFeedback.BlockReason != "" {
		d.blocked = true
	}
	if c := a.first(); c != nil {
		if err := d.candidate(c); err != nil {
			return nil, false, err
		}
	}
	if !d.named && (d.id != "" || d.model != "" || len(d.out) > 0) {
		d.named = true
		if len(d.out) == 0 {
			d.out = append(d.out, chat.Chunk{})
		}
		d.out[0].ID, d.out[0].Model = d.id, d.model
	}
	return d.out, false, nil
}

func (d *decoder) candidate(c *candidate) error {
	if c.FinishReason != "" || len(c.Content.Parts) > 0 {
		d.reason = c.FinishReason
	}
	for i := range c.Content.Parts {
		p := &c.Content.Parts[i]
		switch {
		case p.FunctionCall != nil:
			if err := d.call(p.FunctionCall); err != nil {
				return err
			}
		case len(p.ExecutableCode) > 0:
			d.reason = "" // its result is yet to come
		case p.Text != "" && !p.Thought:
			d.out = append(d.out, chat.Chunk{Text: p.Text})
		}
	}
	if d.reason != "" {
		return d.closeCall()
	}
	return nil
}

// call reads a whole call, or a piece of one.
func (d *decoder) call(c *answerCall) error {
	if c.Name != "" {
		if err := d.closeCall(); err != nil {
			return err
		}
		if !c.WillContinue && len(c.PartialArgs) == 0 {
			d.say(c.ID, c.Name, arguments(c.Args))
			return nil
		}
		d.open = &openCall{id: c.ID, name: c.Name, args: map[string]any{}}
		if isObject(c.Args) && json.Unmarshal(c.Args, &d.open.args) != nil {
			return llm.BadResponse(d.to, "sent arguments that are not an object")
		}
	}
	if d.open == nil && len(c.PartialArgs) == 0 {
		return nil // the end of a call that has ended
	}
	if d.open == nil {
		return llm.BadResponse(d.to, "sent a piece of a call that never began")
	}
	for _, p := range c.PartialArgs {
		if p.put(d.open.args) != nil {
			return llm.BadResponse(d.to, "sent a piece of arguments that does not fit")
		}
	}
	if !c.WillContinue {
		return d.closeCall()
	}
	return nil
}

// closeCall says a call whose arguments were streamed, all at once: its pieces are not pieces of a text.
func (d *decoder) closeCall() error {
	if d.open == nil {
		return nil
	}
	args, err := json.Marshal(d.open.args)
	if err != nil {
		return llm.BadResponse(d.to, "sent arguments that are not JSON")
	}
	d.say(d.open.id, d.open.name, string(args))
	d.open = nil
	return nil
}

func (d *decoder) say(id, name, args string) {
	t := &chat.ToolDelta{Index: d.calls, ID: callID(id, d.id, d.calls, name, args), Name: name, Arguments: args}
	d.calls++
	d.out = append(d.out, chat.Chunk{Tool: t})
}

// End implements events.Decoder.
func (d *decoder) End() ([]chat.Chunk, error) {
	last := chat.Chunk{Finish: chat.FinishContentFilter, Usage: d.usage}
	switch {
	case d.blocked && d.reason == "" && d.calls == 0:
	case d.reason == "":
		return nil, chat.ErrCutOff
	default:
		var ok bool
		if last.Finish, ok = finish(d.reason, d.calls > 0); !ok {
			return nil, llm.BadResponse(d.to, "ended without a usable end: "+reason(d.reason))
		}
	}
	return []chat.Chunk{last}, nil
}

// Usage implements events.Decoder: the vendor counts as it goes.
func (d *decoder) Usage() *chat.Usage { return d.usage }
