package bedrock

import (
	"encoding/json"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// decoder reads the events of a streamed answer; it implements events.Decoder. messageStop ends the answer, and the counts come after it, in metadata:
// both are told together.
type decoder struct {
	to       outbound.Target
	id       string
	signs    string
	named    bool // id was said
	open     map[int]*openBlock
	calls    int
	unsigned bool // what was said last could take a signature that is not its own
	end      *chat.Chunk
	out      []chat.Chunk
}

// openBlock is a block that has not ended.
type openBlock struct {
	call      int // of the answer's; -1: this is none
	server    bool
	begun     bool // a piece of the text, the thought or the input came
	thought   bool
	signature string
	redacted  string
	citations []chat.Citation // that came before the text that they are on
}

// Event implements events.Decoder.
func (d *decoder) Event(data []byte) ([]chat.Chunk, bool, error) {
	var e event
	var piece blockDelta
	if piece.quick(data) {
		e.Delta = &piece
	} else if json.Unmarshal(data, &e) != nil {
		return nil, false, llm.BadResponse(d.to, "sent an event that is not one")
	}
	if d.open == nil {
		d.open, d.signs = map[int]*openBlock{}, modelOf(d.to.Model).signs()
	}
	d.out = d.out[:0]
	if !d.named && d.id != "" {
		d.named = true
		d.say(chat.Chunk{ID: d.id})
	}
	switch {
	case e.Exception != "":
		return nil, false, e.Problem.refusal(d.to, e.Exception).Failure(d.to, nil)
	case e.BlockStart != nil:
		d.start(e.BlockStart)
	case e.Delta != nil:
		d.delta(e.Delta)
	case e.BlockStop != nil:
		d.stop(e.BlockStop.Index)
	case e.Stop != nil:
		f, ok := finish(e.Stop.Reason)
		if !ok || e.Stop.Reason == "" {
			return nil, false, llm.BadResponse(d.to, "ended without a usable end: "+brief(e.Stop.Reason))
		}
		for _, o := range d.open {
			if o.call >= 0 {
				return nil, false, llm.BadResponse(d.to, "ended within a call")
			}
		}
		d.end = &chat.Chunk{Finish: f, StopSequence: e.Stop.More.StopSequence}
	case e.Metadata != nil:
		if d.end == nil {
			return nil, false, llm.BadResponse(d.to, "counted before the end")
		}
		d.end.Usage = e.Metadata.Usage.neutral()
		if e.Metadata.Tier != nil {
			d.end.ServiceTier = e.Metadata.Tier.Type
		}
		d.say(*d.end)
		return d.out, true, nil
	}
	return d.out, false, nil // messageStart says nothing, and what is yet to be invented is not understood
}

func (d *decoder) say(c chat.Chunk) { d.out = append(d.out, c) }

// block finds an open block; a text and a thought begin with their first piece.
func (d *decoder) block(index int) *openBlock {
	o := d.open[index]
	if o == nil {
		o = &openBlock{call: -1}
		d.open[index] = o
	}
	return o
}

func (d *decoder) start(s *blockStart) {
	o := &openBlock{call: -1}
	d.open[s.Index] = o
	u := s.Start.ToolUse
	switch {
	case u == nil:
	case u.Type != "":
		o.server = true
	default:
		o.call = d.calls
		d.calls++
		d.unsigned = false
		d.say(chat.Chunk{Tool: &chat.ToolDelta{Index: o.call, ID: u.ID, Name: u.Name}})
	}
}

func (d *decoder) delta(b *blockDelta) {
	o := d.block(b.Index)
	switch p := &b.Delta; {
	case o.server:
	case p.Text != "":
		d.say(chat.Chunk{Text: p.Text, New: !o.begun, Citations: o.citations})
		o.begun, o.citations, d.unsigned = true, nil, true
	case p.ToolUse != nil && o.call >= 0 && p.ToolUse.Input != "":
		o.begun = true
		d.say(chat.Chunk{Tool: &chat.ToolDelta{Index: o.call, Arguments: p.ToolUse.Input}})
	case p.Reasoning != nil:
		o.thought = true
		o.signature += p.Reasoning.Signature
		o.redacted += p.Reasoning.Redacted
		if p.Reasoning.Text != "" {
			d.say(chat.Chunk{Thinking: p.Reasoning.Text, New: !o.begun})
			o.begun, d.unsigned = true, true
		}
	case p.Citation != nil && o.begun:
		d.say(chat.Chunk{Citations: []chat.Citation{p.Citation.neutral()}})
	case p.Citation != nil:
		o.citations = append(o.citations, p.Citation.neutral())
	}
}

// stop ends a block. A call that sent no piece of its input has none.
func (d *decoder) stop(index int) {
	o := d.open[index]
	if o == nil {
		return
	}
	delete(d.open, index)
	switch {
	case o.call >= 0 && !o.begun:
		d.say(chat.Chunk{Tool: &chat.ToolDelta{Index: o.call, Arguments: "{}"}})
	case o.thought:
		d.sign(o)
	case o.citations != nil: // on no text at all
		d.unsigned = false
		d.say(chat.Chunk{Part: &chat.Part{Citations: o.citations}})
	}
}

// sign ends a thought. A signature without a thought stands alone, and must not be taken for that of what was said before.
func (d *decoder) sign(o *openBlock) {
	if o.redacted != "" {
		d.unsigned = false
		p := redacted(o.redacted, d.signs)
		d.say(chat.Chunk{Part: &p})
	}
	if o.signature == "" {
		return
	}
	s := &chat.Signature{Format: d.signs, Data: o.signature}
	if !o.begun && d.unsigned {
		d.say(chat.Chunk{Part: &chat.Part{Kind: chat.PartThinking, Signature: s}})
	} else {
		d.say(chat.Chunk{Signature: s})
	}
	d.unsigned = false
}

// End implements events.Decoder: an answer that has stopped is whole, though nobody counted it.
func (d *decoder) End() ([]chat.Chunk, error) {
	if d.end == nil {
		return nil, chat.ErrCutOff
	}
	return []chat.Chunk{*d.end}, nil
}

// Usage implements events.Decoder: nothing is counted before the end.
func (d *decoder) Usage() *chat.Usage { return nil }
