package responses

import (
	"bytes"
	"context"
	"iter"
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/events"
	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// Dialect implements outbound.Relay.
func (p *Provider) Dialect() chat.Dialect { return chat.DialectResponses }

// RelayWhole implements outbound.Relay.
func (p *Provider) RelayWhole(ctx context.Context, to outbound.Target, in outbound.Passage) (*outbound.Relayed, error) {
	resp, dropped, err := p.pass(ctx, to, in)
	if err != nil {
		return nil, err
	}
	b, err := llm.ReadAnswer(ctx, resp)
	if err != nil {
		return nil, err
	}
	a, err := p.flavour.whole(b, to, resp.Header)
	if err != nil {
		return nil, err
	}
	called := false
	each(a.output, func(item []byte) { called = called || isCall(kindOfItem(item)) })
	return &outbound.Relayed{
		Body: b, Model: jsonscan.Unquote(a.model), Finish: finishOf(a, called), Usage: usageOf(a.usage), Dropped: dropped,
	}, nil
}

// RelayStream implements outbound.Relay.
func (p *Provider) RelayStream(ctx context.Context, to outbound.Target, in outbound.Passage) (iter.Seq2[outbound.Frame, error], error) {
	resp, dropped, err := p.pass(ctx, to, in)
	if err != nil {
		return nil, err
	}
	tap := &passing{to: to, flavour: p.flavour}
	return events.Passing{Response: resp, To: to, Tap: tap, Explain: p.flavour.explain, Dropped: dropped}.Frames(ctx)
}

func (p *Provider) pass(ctx context.Context, to outbound.Target, in outbound.Passage) (*http.Response, []string, error) {
	body, dropped, err := p.flavour.splice(&in, to.Model)
	if err != nil {
		return nil, nil, err
	}
	resp, err := p.post(ctx, to, body, in.Header)
	return resp, dropped, err
}

// passing reads the events of a stream as they pass. It implements events.Tap. What follows the end of the answer, such as [DONE], is passed on unread.
type passing struct {
	to      outbound.Target
	flavour Flavour
	called  bool        // the client has to do something
	quoted  []byte      // the model as it was last named
	model   string      // the same, read
	finish  chat.Finish // "": the answer has not ended
}

// Event implements events.Tap.
func (p *passing) Event(_, data []byte) (out outbound.Frame, done bool, err error) {
	if isDone(data) {
		if !p.Complete() {
			return out, false, chat.ErrCutOff
		}
		return out, true, nil
	}
	if p.Complete() {
		return outbound.Frame{Model: p.model, Finish: p.finish}, false, nil
	}
	e, ok := read(data)
	if !ok {
		return out, false, llm.BadResponse(p.to, "sent an event that is no JSON object")
	}
	if e.kind == kindError || e.kind == kindOther && !empty(e.failure) {
		return out, false, (&decoder{to: p.to, flavour: p.flavour}).fail(e.failure)
	}
	out.Model = p.model
	switch e.kind {
	case kindBegin, kindCompleted, kindIncomplete, kindFailed:
		out, err = p.answer(&e)
		return out, false, err
	case kindItem:
		of := kindOfItem(e.item)
		p.called = p.called || isCall(of)
		out.Content = of != itemMessage && of != itemThought
	case kindItemDone:
		of := kindOfItem(e.item)
		p.called = p.called || isCall(of)
		out.Content = of != itemThought
	case kindText, kindRefusal, kindSummary, kindReasoning, kindArguments, kindDelta:
		out.Content = e.kind == kindDelta || says(e.delta)
	case kindNote, kindOther, kindError:
	}
	return out, false, nil
}

// answer reads an event about the whole answer: how it begins, and how it ends.
func (p *passing) answer(e *event) (outbound.Frame, error) {
	a, ok := readAnswer(e.response)
	if !ok {
		return outbound.Frame{}, llm.BadResponse(p.to, "sent an event without its response")
	}
	if len(a.model) > 0 && !bytes.Equal(a.model, p.quoted) {
		p.quoted, p.model = append(p.quoted[:0], a.model...), jsonscan.Unquote(a.model)
	}
	out := outbound.Frame{Model: p.model}
	if e.kind == kindBegin {
		return out, nil
	}
	if e.kind == kindIncomplete {
		a.status = stateIncomplete
	}
	d := decoder{to: p.to, flavour: p.flavour}
	if !p.called {
		each(a.output, func(item []byte) { p.called = p.called || isCall(kindOfItem(item)) })
	}
	d.called = p.called
	chunks, err := d.end(nil, &a, e.kind == kindFailed)
	out.Usage = d.usage
	if err != nil {
		return out, err
	}
	p.finish = chunks[0].Finish
	out.Finish = p.finish
	return out, nil
}

// Complete implements events.Tap.
func (p *passing) Complete() bool { return p.finish != "" }

// kindOfItem gives the type of an item; that of a known one without making text of it.
func kindOfItem(value []byte) string {
	quoted := member(value, "type")
	switch string(quoted) {
	case `"message"`:
		return itemMessage
	case `"reasoning"`:
		return itemThought
	case `"function_call"`:
		return itemCall
	}
	return jsonscan.Unquote(quoted)
}

// isCall reports whether the client is to answer an item.
func isCall(kind string) bool { return kind == itemCall || clientsItems[kind] }
