package chatcompletions

import (
	"bytes"
	"cmp"
	"encoding/json"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

var doneMark = []byte("[DONE]")

// decoder reads the chunks of one answer. It implements events.Decoder.
type decoder struct {
	to       outbound.Target
	flavour  Flavour
	id       string
	choices  choices
	greeted  bool         // a chunk was given
	named    bool         // and it named the model
	finished bool         // the finish was given
	calls    map[int]bool // tool calls that have begun
	usage    *chat.Usage
}

func (p *Provider) newDecoder(to outbound.Target) *decoder {
	return &decoder{to: to, flavour: p.flavour, calls: map[int]bool{}}
}

// choices knows which choices have started and which have finished. An answer is complete when at least one has started and all have finished.
type choices struct{ started, finished uint64 }

func (c *choices) start(i int)           { c.started |= bit(i) }
func (c *choices) finish(i int)          { c.finished |= bit(i) }
func (c *choices) isFinished(i int) bool { return c.finished&bit(i) != 0 }
func (c *choices) complete() bool        { return c.started != 0 && c.started == c.finished }

// bit stands for a choice; the vendors make at most 128, and the last stands for all beyond 64.
func bit(i int) uint64 { return 1 << min(max(i, 0), 63) }

// Event implements events.Decoder.
func (d *decoder) Event(data []byte) ([]chat.Chunk, bool, error) {
	if bytes.Equal(bytes.TrimSpace(data), doneMark) {
		if !d.choices.complete() {
			return nil, true, chat.ErrCutOff
		}
		return nil, true, nil
	}
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return nil, false, llm.BadResponse(d.to, "sent an event that is no chunk")
	}
	out, err := d.chunks(&a)
	return out, false, err
}

// chunks reads one event.
func (d *decoder) chunks(a *answer) ([]chat.Chunk, error) {
	if r, ok := d.flavour.refusal(a.Error); ok {
		return nil, r.Failure(d.to, nil)
	}
	d.id = cmp.Or(a.ID, d.id)
	var out []chat.Chunk
	if !d.greeted || !d.named && a.Model != "" { // Azure begins with a chunk that names no model
		d.greeted, d.named = true, a.Model != ""
		out = append(out, chat.Chunk{ID: a.ID, Model: a.Model})
	}
	for i := range a.Choices {
		chunks, err := d.choice(&a.Choices[i])
		if err != nil {
			return nil, err
		}
		out = append(out, chunks...)
	}
	if u := a.Usage.neutral(); u != nil {
		d.usage = u
		out = append(out, chat.Chunk{Usage: u})
	}
	return out, nil
}

func (d *decoder) choice(c *choice) ([]chat.Chunk, error) {
	if r, ok := d.flavour.refusal(c.Error); ok {
		return nil, r.Failure(d.to, nil)
	}
	d.choices.start(c.Index)
	var out []chat.Chunk
	if c.Index == 0 { // the neutral form holds one choice
		if c.Delta.Content != "" || c.Delta.Refusal != "" {
			out = append(out, chat.Chunk{Text: string(c.Delta.Content), Refusal: c.Delta.Refusal})
		}
		for _, t := range c.Delta.ToolCalls {
			out = append(out, d.tool(t))
		}
	}
	if c.Finish == nil || *c.Finish == "" {
		return out, nil
	}
	if *c.Finish == finishError {
		return nil, llm.BadResponse(d.to, "finished with an error")
	}
	d.choices.finish(c.Index)
	if c.Index == 0 && !d.finished {
		d.finished = true
		out = append(out, chat.Chunk{Finish: finishOf(*c.Finish, len(d.calls) > 0)})
	}
	return out, nil
}

// tool passes a piece of a call on. Calls are told apart by index; id and name go with the first piece alone. Some servers give no index:
// there a piece with an id begins a call.
func (d *decoder) tool(t toolCall) chat.Chunk {
	delta := &chat.ToolDelta{Arguments: t.Function.Arguments}
	switch {
	case t.Index != nil:
		delta.Index = *t.Index
	case t.ID != "":
		delta.Index = len(d.calls)
	default:
		delta.Index = max(len(d.calls)-1, 0)
	}
	if !d.calls[delta.Index] {
		d.calls[delta.Index] = true
		delta.ID, delta.Name = callID(t.ID, d.id, delta.Index), t.Function.Name
	}
	return chat.Chunk{Tool: delta}
}

// End implements events.Decoder. The end without [DONE] is as good, once every choice has finished.
func (d *decoder) End() ([]chat.Chunk, error) {
	if !d.choices.complete() {
		return nil, chat.ErrCutOff
	}
	return nil, nil
}

// Usage implements events.Decoder.
func (d *decoder) Usage() *chat.Usage { return d.usage }
