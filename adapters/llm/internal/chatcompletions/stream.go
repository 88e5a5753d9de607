package chatcompletions

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

var doneMark = []byte("[DONE]")

func isDone(data []byte) bool { return bytes.Equal(bytes.TrimSpace(data), doneMark) }

// decoder reads the chunks of one answer, or all of it as one chunk. It implements events.Decoder.
type decoder struct {
	to      outbound.Target
	flavour Flavour
	header  http.Header // of a whole answer
	whole   bool        // it is one
	id      string
	tier    text
	choices choices
	greeted bool // a chunk was given
	named   bool // and it named the model
	telling []*telling
	usage   *chat.Usage
	quick   quick
	out     []chat.Chunk // the room of the chunks that were given last: they are read before the next event is
}

func (p *Provider) newDecoder(to outbound.Target) *decoder {
	return &decoder{to: to, flavour: p.flavour}
}

// maxChoices is how many choices a vendor makes at most.
const maxChoices = 128

// choices knows which choices have started and which have finished. An answer is complete when at least one has started and all have finished.
type choices struct{ started, finished [2]uint64 }

func (c *choices) start(i int)           { c.started[half(i)] |= bit(i) }
func (c *choices) finish(i int)          { c.finished[half(i)] |= bit(i) }
func (c *choices) isStarted(i int) bool  { return c.started[half(i)]&bit(i) != 0 }
func (c *choices) isFinished(i int) bool { return c.finished[half(i)]&bit(i) != 0 }
func (c *choices) complete() bool {
	return c.started != [2]uint64{} && c.started == c.finished
}

// clamp gives the number of a choice for an index: what is beyond the first or the last stands for that.
func clamp(i int) int  { return min(max(i, 0), maxChoices-1) }
func half(i int) int   { return clamp(i) / 64 }
func bit(i int) uint64 { return 1 << (clamp(i) % 64) }

// Event implements events.Decoder.
func (d *decoder) Event(data []byte) ([]chat.Chunk, bool, error) {
	if isDone(data) {
		out, err := d.done()
		return out, true, err
	}
	out, err := d.chunks(d.parse(data))
	return out, false, err
}

// parse reads an event; it is valid until the next.
func (d *decoder) parse(data []byte) (a *answer, unread error) {
	if d.quick.read(data, d.named && d.id != "") {
		return &d.quick.answer, nil
	}
	a = &answer{}
	return a, json.Unmarshal(data, a)
}

// chunks reads one event, or a whole answer. The error is looked for first: some vendors send it beside choices, and with status 200. unread is what
// kept the event from being read whole.
func (d *decoder) chunks(a *answer, unread error) ([]chat.Chunk, error) {
	u := usageOf(a.Usage)
	if u != nil {
		d.usage = u // of a chunk with an error too: it was used
	}
	if r, ok := d.flavour.refusal(a.Error); ok { // though what stands beside it may be odd
		return nil, r.Failure(d.to, d.header)
	}
	if unread != nil {
		return nil, llm.BadResponse(d.to, "answered what is no chat completion")
	}
	d.id = cmp.Or(a.ID, d.id)
	out := d.out[:0]
	if !d.greeted || !d.named && a.Model != "" { // Azure begins with a chunk that names no model
		d.greeted, d.named, d.tier = true, a.Model != "", a.ServiceTier
		out = append(out, chat.Chunk{ID: a.ID, Model: a.Model, ServiceTier: string(a.ServiceTier)})
	}
	for i := range a.Choices {
		var err error
		if out, err = d.choice(out, &a.Choices[i]); err != nil {
			return nil, err
		}
	}
	if u != nil {
		out = append(out, chat.Chunk{Usage: u})
	}
	if a.ServiceTier != "" && a.ServiceTier != d.tier {
		d.tier = a.ServiceTier
		out = append(out, chat.Chunk{ServiceTier: string(d.tier)})
	}
	d.out = out[:0]
	return out, nil
}

func (d *decoder) choice(out []chat.Chunk, c *choice) ([]chat.Chunk, error) {
	if r, ok := d.flavour.refusal(c.Error); ok {
		return nil, r.Failure(d.to, d.header)
	}
	c.Index = clamp(c.Index)
	d.choices.start(c.Index)
	t := d.tell(c.Index)
	if s := c.said(d.whole); s != nil {
		out = t.say(out, s, c.Logprobs, s == c.Message)
	} else if tells(c.Logprobs) {
		out = t.say(out, &said{}, c.Logprobs, false)
	}
	if c.Finish == nil || *c.Finish == "" {
		return out, nil
	}
	if *c.Finish == finishError {
		return nil, llm.BadResponse(d.to, "finished with an error")
	}
	d.choices.finish(c.Index)
	return t.finish(out, *c.Finish, c.StopReason), nil
}

// tell gives a choice on its way.
func (d *decoder) tell(index int) *telling {
	for len(d.telling) <= index {
		d.telling = append(d.telling, nil)
	}
	if d.telling[index] == nil {
		d.telling[index] = &telling{d: d, index: index}
	}
	return d.telling[index]
}

// End implements events.Decoder. The end without [DONE] is as good, once every choice has finished. Of servers of one's own some never say that a
// choice has: there [DONE] is its end.
func (d *decoder) End() ([]chat.Chunk, error) {
	if d.choices.complete() {
		return nil, nil
	}
	return nil, chat.ErrCutOff
}

// done is End at the word that ends the stream.
func (d *decoder) done() ([]chat.Chunk, error) {
	if d.flavour.Kind != Compatible || d.choices.started == [2]uint64{} {
		return d.End()
	}
	var out []chat.Chunk
	for i, t := range d.telling {
		if t != nil && !d.choices.isFinished(i) {
			d.choices.finish(i)
			out = t.finish(out, "", nil)
		}
	}
	return out, nil
}

// Usage implements events.Decoder.
func (d *decoder) Usage() *chat.Usage { return d.usage }
