package anthropic

import (
	"encoding/json"
	"slices"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// decoder reads the events of a streamed answer; it implements events.Decoder.
type decoder struct {
	to           outbound.Target
	tally        tally
	counted      bool // the counts are those of the end
	finish       chat.Finish
	stopSequence string
	open         []*openBlock
	calls        int
	unsigned     bool // what was said last could take a signature that is not its own
	one          [1]chat.Chunk
}

// openBlock is a block that has not ended.
type openBlock struct {
	index     int // the vendor's
	kind      string
	call      int             // of a tool call: which of the answer's
	input     json.RawMessage // of a tool call: as the block began
	begun     bool            // a piece of the text, the thought or the input came
	signature string
	citations []chat.Citation // that came before the text that they are on
	foreign   *foreignBlock
}

// Event implements events.Decoder.
func (d *decoder) Event(data []byte) ([]chat.Chunk, bool, error) {
	var e event
	var piece delta
	if index, ok := piece.read(data); ok {
		e.Index, e.Delta = index, &piece
		return d.delta(&e, data), false, nil
	}
	if json.Unmarshal(data, &e) != nil {
		return nil, false, llm.BadResponse(d.to, "sent an event that is not one")
	}
	switch e.Type {
	case "", eventError:
		switch {
		case e.Error != nil:
			return nil, false, e.Error.refusal().Failure(d.to, nil)
		case e.Type == eventError:
			return nil, false, llm.BadResponse(d.to, "sent an error event without an error")
		}
		return nil, false, nil // a stranger
	case eventStart:
		if e.Message == nil {
			return nil, false, nil
		}
		if e.Message.Usage != nil {
			d.tally.add(e.Message.Usage)
		}
		return d.say(chat.Chunk{ID: e.Message.ID, Model: e.Message.Model}), false, nil
	case eventBlock:
		chunks, err := d.start(&e)
		return chunks, false, err
	case eventDelta:
		return d.delta(&e, data), false, nil
	case eventClose:
		return d.stop(e.Index), false, nil
	case eventEnd:
		return d.messageDelta(&e), false, nil
	case eventStop:
		return d.end()
	default: // ping, and what is yet to be invented
		return nil, false, nil
	}
}

func (d *decoder) say(c chat.Chunk) []chat.Chunk {
	d.one[0] = c
	return d.one[:]
}

// block finds an open block; nil when there is none.
func (d *decoder) block(index int) *openBlock {
	for i := len(d.open) - 1; i >= 0; i-- {
		if d.open[i].index == index {
			return d.open[i]
		}
	}
	return nil
}

func (d *decoder) start(e *event) ([]chat.Chunk, error) {
	var b contentBlock
	if json.Unmarshal(e.ContentBlock, &b) != nil || d.block(e.Index) != nil {
		return nil, llm.BadResponse(d.to, "began a block that is none")
	}
	o := &openBlock{index: e.Index, kind: b.Type}
	d.open = append(d.open, o)
	switch b.Type {
	case "text":
		for _, c := range b.Citations {
			o.citations = append(o.citations, citationOf(c))
		}
		return d.text(o, b.Text), nil
	case "thinking":
		o.signature = b.Signature
		return d.thought(o, b.Thinking), nil
	case "redacted_thinking":
		d.unsigned = false
		p := redacted(&b)
		return d.say(chat.Chunk{Part: &p}), nil
	case "tool_use":
		o.call, o.input = d.calls, b.Input
		d.calls++
		d.unsigned = false
		return d.say(chat.Chunk{Tool: &chat.ToolDelta{Index: o.call, ID: b.ID, Name: b.Name}}), nil
	default:
		o.foreign = newForeignBlock(e.ContentBlock)
		return nil, nil
	}
}

// text says a piece of a text, with the citations that came before it.
func (d *decoder) text(o *openBlock, text string) []chat.Chunk {
	if text == "" {
		return nil
	}
	c := chat.Chunk{Text: text, New: !o.begun, Citations: o.citations}
	o.begun, o.citations, d.unsigned = true, nil, true
	return d.say(c)
}

func (d *decoder) thought(o *openBlock, text string) []chat.Chunk {
	if text == "" {
		return nil
	}
	c := chat.Chunk{Thinking: text, New: !o.begun}
	o.begun, d.unsigned = true, true
	return d.say(c)
}

func (d *decoder) delta(e *event, data []byte) []chat.Chunk {
	o := d.block(e.Index)
	if e.Delta == nil || o == nil {
		return nil
	}
	if o.foreign != nil {
		o.foreign.add(data)
		return nil
	}
	switch e.Delta.Type {
	case deltaText:
		return d.text(o, e.Delta.Text)
	case deltaThinking:
		return d.thought(o, e.Delta.Thinking)
	case deltaSignature:
		o.signature += e.Delta.Signature
	case deltaCitations:
		if o.kind != "text" || len(e.Delta.Citation) == 0 {
			return nil
		}
		cited := citationOf(e.Delta.Citation)
		if o.begun {
			return d.say(chat.Chunk{Citations: []chat.Citation{cited}})
		}
		o.citations = append(o.citations, cited)
	case deltaInput:
		if o.kind == "tool_use" && e.Delta.PartialJSON != "" {
			o.begun = true
			return d.say(chat.Chunk{Tool: &chat.ToolDelta{Index: o.call, Arguments: e.Delta.PartialJSON}})
		}
	}
	return nil
}

// stop ends a block. A call that sent no piece of its input has the input of its start, mostly {}.
func (d *decoder) stop(index int) []chat.Chunk {
	for i, o := range d.open {
		if o.index != index {
			continue
		}
		d.open = append(d.open[:i], d.open[i+1:]...)
		switch {
		case o.foreign != nil:
			d.unsigned = false
			p := foreignPart(o.foreign.bytes())
			return d.say(chat.Chunk{Part: &p})
		case o.kind == "tool_use" && !o.begun:
			return d.say(chat.Chunk{Tool: &chat.ToolDelta{Index: o.call, Arguments: arguments(o.input)}})
		case o.kind == "text" && o.citations != nil: // on no text at all
			d.unsigned = false
			return d.say(chat.Chunk{Part: &chat.Part{Citations: o.citations}})
		case o.kind == "thinking":
			return d.sign(o)
		}
	}
	return nil
}

// sign ends a thought. A signature without a thought stands alone, and must not be taken for that of what was said before.
func (d *decoder) sign(o *openBlock) []chat.Chunk {
	s := signature(o.signature)
	switch {
	case s == nil:
		return nil
	case !o.begun && d.unsigned:
		d.unsigned = false
		return d.say(chat.Chunk{Part: &chat.Part{Kind: chat.PartThinking, Signature: s}})
	default:
		d.unsigned = false
		return d.say(chat.Chunk{Signature: s})
	}
}

func (d *decoder) messageDelta(e *event) []chat.Chunk {
	if e.Usage != nil {
		d.tally.add(e.Usage)
		d.counted = true
	}
	if e.Delta == nil || e.Delta.StopReason == "" {
		return nil
	}
	d.finish, d.stopSequence = finish(e.Delta.StopReason), e.Delta.StopSequence
	if why := e.Delta.StopDetails.refusal(e.Delta.StopReason); why != "" {
		return d.say(chat.Chunk{Refusal: why})
	}
	return nil
}

// end is message_stop, the only end of an answer that is whole.
func (d *decoder) end() ([]chat.Chunk, bool, error) {
	if d.finish == "" || slices.ContainsFunc(d.open, func(o *openBlock) bool { return o.kind != "text" }) {
		return nil, false, llm.BadResponse(d.to, "ended a message without a stop reason or within a block")
	}
	return d.say(chat.Chunk{Finish: d.finish, StopSequence: d.stopSequence, Usage: d.Usage(), ServiceTier: d.tally.serviceTier()}), true, nil
}

// End implements events.Decoder: a stream that ends here has not seen message_stop.
func (d *decoder) End() ([]chat.Chunk, error) { return nil, chat.ErrCutOff }

// Usage implements events.Decoder. Before message_delta the output count is that of the first token, so nothing is said.
func (d *decoder) Usage() *chat.Usage {
	if !d.counted {
		return nil
	}
	return d.tally.usage()
}
