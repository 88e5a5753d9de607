package chatcompletions

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
func (p *Provider) Dialect() chat.Dialect { return chat.DialectOpenAIChat }

// RelayWhole implements outbound.Relay.
func (p *Provider) RelayWhole(ctx context.Context, to outbound.Target, in outbound.Passage) (*outbound.Relayed, error) {
	resp, dropped, err := p.pass(ctx, to, in, false)
	if err != nil {
		return nil, err
	}
	b, err := llm.ReadAnswer(ctx, resp)
	if err != nil {
		return nil, err
	}
	t, ok := tap(b)
	if !ok {
		return nil, llm.BadResponse(to, "answered what is no JSON")
	}
	if r, is := p.flavour.refusal(t.failure); is { // though what stands beside it may be odd
		return nil, r.Failure(to, resp.Header)
	}
	if t.choices == 0 || t.failed {
		if r, is := p.flavour.Explain(b); is {
			return nil, r.Failure(to, resp.Header)
		}
		return nil, llm.BadResponse(to, "answered without choices")
	}
	return &outbound.Relayed{Body: b, Model: jsonscan.Unquote(t.model), Finish: t.ended(), Usage: t.usage, Dropped: dropped}, nil
}

// RelayStream implements outbound.Relay.
func (p *Provider) RelayStream(ctx context.Context, to outbound.Target, in outbound.Passage) (iter.Seq2[outbound.Frame, error], error) {
	resp, dropped, err := p.pass(ctx, to, in, true)
	if err != nil {
		return nil, err
	}
	return events.Passing{
		Response: resp, To: to, Tap: &passing{to: to, flavour: p.flavour}, Explain: p.flavour.Explain, Dropped: dropped,
	}.Frames(ctx)
}

func (p *Provider) pass(ctx context.Context, to outbound.Target, in outbound.Passage, stream bool) (*http.Response, []string, error) {
	body, dropped, err := p.flavour.splice(in.Body, to.Model, stream)
	if err != nil {
		return nil, nil, err
	}
	resp, err := p.post(ctx, to, body, in.Header)
	return resp, dropped, err
}

// passing reads the chunks of a stream as they pass. It implements events.Tap.
type passing struct {
	to      outbound.Target
	flavour Flavour
	choices choices
	tools   bool
	quoted  []byte      // the model as it was last named
	model   string      // the same, read
	finish  chat.Finish // of the first choice
}

// Event implements events.Tap.
func (p *passing) Event(_, data []byte) (outbound.Frame, bool, error) {
	if isDone(data) {
		out, err := p.done()
		return out, true, err
	}
	t, ok := tap(data)
	if !ok {
		return outbound.Frame{}, false, llm.BadResponse(p.to, "sent an event that is no JSON object")
	}
	lost := outbound.Frame{Usage: t.usage}
	if r, is := p.flavour.refusal(t.failure); is { // though what stands beside it may be odd
		return lost, false, r.Failure(p.to, nil)
	}
	if t.failed {
		return lost, false, llm.BadResponse(p.to, "finished with an error")
	}
	return p.frame(&t), false, nil
}

// done is the word that ends the stream. Of servers of one's own some never say that a choice has finished: there this does.
func (p *passing) done() (outbound.Frame, error) {
	switch {
	case p.choices.complete():
		return outbound.Frame{}, nil
	case p.flavour.Kind == Compatible && p.choices.started != [2]uint64{}:
		p.choices.finished = p.choices.started
		return outbound.Frame{Model: p.model, Finish: finishOf("", p.tools)}, nil
	default:
		return outbound.Frame{}, chat.ErrCutOff
	}
}

// Complete implements events.Tap.
func (p *passing) Complete() bool { return p.choices.complete() }

func (p *passing) frame(t *reading) outbound.Frame {
	news := t.content
	for _, c := range t.of() {
		if !p.choices.isStarted(c.index) {
			news = true // a role, at least
			p.choices.start(c.index)
		}
		if c.finished && !p.choices.isFinished(c.index) {
			news = true
			p.choices.finish(c.index)
		}
	}
	p.tools = p.tools || t.tools
	if t.finish != "" && p.finish == "" {
		p.finish = t.finish
		if t.finish == chat.FinishStop && p.tools {
			p.finish = chat.FinishToolCalls
		}
	}
	out := outbound.Frame{Content: t.content, UsageOnly: t.usage != nil && !news, Model: p.named(t.model), Usage: t.usage}
	if p.choices.complete() { // one choice that has finished makes no whole answer
		out.Finish = p.finish
	}
	return out
}

// named reads the model's name, which is the same in every chunk, once.
func (p *passing) named(quoted []byte) string {
	if len(quoted) > 0 && !bytes.Equal(quoted, p.quoted) {
		p.quoted, p.model = append(p.quoted[:0], quoted...), jsonscan.Unquote(quoted)
	}
	return p.model
}
