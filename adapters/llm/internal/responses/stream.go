package responses

import (
	"bytes"
	"net/http"
	"slices"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/adapters/llm/internal/usage"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// decoder reads the events of one answer. It implements events.Decoder. A whole answer is read as if its items came in one piece each, so that it says
// the same as a stream does.
type decoder struct {
	to      outbound.Target
	flavour Flavour
	header  http.Header // of a whole answer
	greeted bool
	id      string
	items   map[int]*telling // by their places in the output
	last    *telling         // that spoke last
	open    bool             // with words, which a signature would be taken for the end of
	calls   int
	called  bool // the client has to do something
	usage   *chat.Usage
	ended   bool
}

var doneMark = []byte("[DONE]")

func isDone(data []byte) bool { return bytes.Equal(bytes.TrimSpace(data), doneMark) }

// Event implements events.Decoder.
func (d *decoder) Event(data []byte) ([]chat.Chunk, bool, error) {
	if isDone(data) {
		out, err := d.End()
		return out, true, err
	}
	e, ok := read(data)
	if !ok {
		return nil, false, llm.BadResponse(d.to, "sent an event that is no JSON object")
	}
	if e.kind == kindError || e.kind == kindOther && !empty(e.failure) {
		return nil, false, d.fail(e.failure)
	}
	var out []chat.Chunk
	switch e.kind {
	case kindBegin, kindCompleted, kindIncomplete, kindFailed:
		a, ok := readAnswer(e.response)
		if !ok {
			return nil, false, llm.BadResponse(d.to, "sent an event without its response")
		}
		out = d.greet(out, &a)
		if e.kind == kindBegin {
			return out, false, nil
		}
		if e.kind == kindIncomplete {
			a.status = stateIncomplete
		}
		if len(d.items) == 0 { // whoever sends no event about an item may have them here
			out = d.output(out, &a)
		}
		out, err := d.end(out, &a, e.kind == kindFailed)
		return out, err == nil, err
	case kindItem:
		out = d.item(e.output, e.item).begin(out)
	case kindItemDone:
		out = d.item(e.output, e.item).end(out, e.item)
	case kindText, kindRefusal, kindSummary, kindReasoning, kindArguments:
		out = d.item(e.output, nil).piece(out, &e)
	case kindNote:
		out = d.item(e.output, nil).note(out, e.annotation)
	case kindOther, kindDelta, kindError:
	}
	return out, false, nil
}

// fail is the failure that an error within an answer tells.
func (d *decoder) fail(failure []byte) error {
	r, ok := d.flavour.refusal(failure)
	if !ok {
		return llm.BadResponse(d.to, "failed without an error")
	}
	return r.Failure(d.to, d.header)
}

// greet tells who answers, once.
func (d *decoder) greet(out []chat.Chunk, a *answer) []chat.Chunk {
	if d.greeted {
		return out
	}
	d.greeted, d.id = true, jsonscan.Unquote(a.id)
	return append(out, chat.Chunk{ID: d.id, Model: jsonscan.Unquote(a.model)})
}

// output reads the items of a whole answer.
func (d *decoder) output(out []chat.Chunk, a *answer) []chat.Chunk {
	n := 0
	each(a.output, func(item []byte) {
		t := d.item(n, item)
		out = t.end(t.begin(out), item)
		n++
	})
	return out
}

// end reads how an answer ended. The tier is that of the last word: the first is only what was asked for.
func (d *decoder) end(out []chat.Chunk, a *answer, failed bool) ([]chat.Chunk, error) {
	if u := usageOf(a.usage); u != nil {
		d.usage = u // of one that failed too: it was used
	}
	if a.failure != nil {
		return nil, d.fail(a.failure)
	}
	if failed || a.failed() {
		return nil, llm.BadResponse(d.to, "failed without an error")
	}
	d.ended = true
	return append(out, chat.Chunk{Finish: finishOf(a, d.called), Usage: d.usage, ServiceTier: jsonscan.Unquote(a.tier)}), nil
}

// finishOf gives the reason why an answer ended.
func finishOf(a *answer, called bool) chat.Finish {
	switch {
	case a.status == stateIncomplete && a.reason == "content_filter":
		return chat.FinishContentFilter
	case a.status == stateIncomplete:
		return chat.FinishLength
	case called:
		return chat.FinishToolCalls
	default:
		return chat.FinishStop
	}
}

// usageOf reads a usage; nil for one that counts nothing.
func usageOf(value []byte) *chat.Usage {
	if empty(value) {
		return nil
	}
	return usage.Responses(slices.Concat([]byte(`{"usage":`), value, []byte{'}'}))
}

// End implements events.Decoder.
func (d *decoder) End() ([]chat.Chunk, error) {
	if d.ended {
		return nil, nil
	}
	return nil, chat.ErrCutOff
}

// Usage implements events.Decoder.
func (d *decoder) Usage() *chat.Usage { return d.usage }

// item gives an item on its way. value is what it is, nil when it must have begun.
func (d *decoder) item(place int, value []byte) *telling {
	t := d.items[place]
	if t == nil {
		if d.items == nil {
			d.items = map[int]*telling{}
		}
		t = &telling{d: d}
		d.items[place] = t
	}
	if t.kind == "" && value != nil {
		t.know(value)
	}
	return t
}
