package anthropic

import (
	"encoding/json"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// decoder reads the events of a streamed answer; it implements events.Decoder.
type decoder struct {
	to      outbound.Target
	tally   tally
	counted bool // the counts are those of the end
	finish  chat.Finish
	tools   map[int]*openTool // by the vendor's block index
	calls   int
	one     [1]chat.Chunk
}

// openTool is a tool call whose block has not ended.
type openTool struct {
	index int // among the calls of the answer
	input json.RawMessage
	begun bool // a piece of the input came
}

// Event implements events.Decoder.
func (d *decoder) Event(data []byte) ([]chat.Chunk, bool, error) {
	var e event
	if json.Unmarshal(data, &e) != nil || e.Type == "" {
		return nil, false, llm.BadResponse(d.to, "sent an event that is not one")
	}
	switch e.Type {
	case "error":
		if e.Error == nil {
			return nil, false, llm.BadResponse(d.to, "sent an error event without an error")
		}
		return nil, false, e.Error.refusal().Failure(d.to, nil)
	case "message_start":
		if e.Message == nil {
			return nil, false, nil
		}
		if e.Message.Usage != nil {
			d.tally.add(e.Message.Usage)
		}
		return d.say(chat.Chunk{ID: e.Message.ID, Model: e.Message.Model}), false, nil
	case "content_block_start":
		return d.start(&e), false, nil
	case "content_block_delta":
		return d.delta(&e), false, nil
	case "content_block_stop":
		return d.stop(e.Index), false, nil
	case "message_delta":
		return d.messageDelta(&e), false, nil
	case "message_stop":
		return d.end()
	default: // ping, and what is yet to be invented
		return nil, false, nil
	}
}

func (d *decoder) say(c chat.Chunk) []chat.Chunk {
	d.one[0] = c
	return d.one[:]
}

func (d *decoder) start(e *event) []chat.Chunk {
	b := e.ContentBlock
	switch {
	case b == nil:
		return nil
	case b.Type == "text" && b.Text != "":
		return d.say(chat.Chunk{Text: b.Text})
	case b.Type == "tool_use":
		t := &openTool{index: d.calls, input: b.Input}
		if d.tools == nil {
			d.tools = map[int]*openTool{}
		}
		d.tools[e.Index], d.calls = t, d.calls+1
		return d.say(chat.Chunk{Tool: &chat.ToolDelta{Index: t.index, ID: b.ID, Name: b.Name}})
	default:
		return nil
	}
}

func (d *decoder) delta(e *event) []chat.Chunk {
	if e.Delta == nil {
		return nil
	}
	switch e.Delta.Type {
	case "text_delta":
		if e.Delta.Text != "" {
			return d.say(chat.Chunk{Text: e.Delta.Text})
		}
	case "input_json_delta":
		t := d.tools[e.Index] // nil for a server's tool, which is not ours to report
		if t != nil && e.Delta.PartialJSON != "" {
			t.begun = true
			return d.say(chat.Chunk{Tool: &chat.ToolDelta{Index: t.index, Arguments: e.Delta.PartialJSON}})
		}
	}
	return nil
}

// stop ends a block. A call that sent no piece of its input has the input of its start, mostly {}.
func (d *decoder) stop(index int) []chat.Chunk {
	t := d.tools[index]
	if t == nil {
		return nil
	}
	delete(d.tools, index)
	if t.begun {
		return nil
	}
	return d.say(chat.Chunk{Tool: &chat.ToolDelta{Index: t.index, Arguments: arguments(t.input)}})
}

func (d *decoder) messageDelta(e *event) []chat.Chunk {
	if e.Usage != nil {
		d.tally.add(e.Usage)
		d.counted = true
	}
	if e.Delta == nil || e.Delta.StopReason == "" {
		return nil
	}
	d.finish = finish(e.Delta.StopReason)
	if why := e.Delta.StopDetails.refusal(e.Delta.StopReason); why != "" {
		return d.say(chat.Chunk{Refusal: why})
	}
	return nil
}

// end is message_stop, the only end of an answer that is whole.
func (d *decoder) end() ([]chat.Chunk, bool, error) {
	if d.finish == "" || len(d.tools) > 0 {
		return nil, false, llm.BadResponse(d.to, "ended a message without a stop reason or within a tool call")
	}
	return d.say(chat.Chunk{Finish: d.finish, Usage: d.Usage()}), true, nil
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
