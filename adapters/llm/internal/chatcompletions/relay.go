package chatcompletions

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/sse"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// Dialect implements outbound.Relay.
func (p *Provider) Dialect() chat.Dialect { return chat.DialectOpenAIChat }

// RelayWhole implements outbound.Relay.
func (p *Provider) RelayWhole(ctx context.Context, to outbound.Target, body []byte) (*outbound.Relayed, error) {
	spliced, err := splice(body, to.Model, false)
	if err != nil {
		return nil, err
	}
	resp, err := p.post(ctx, to, spliced)
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
	if r, ok := p.flavour.refusal(t.failure); ok {
		return nil, r.Failure(to, resp.Header)
	}
	if t.choices == 0 || t.failed {
		return nil, llm.BadResponse(to, "answered without choices")
	}
	return &outbound.Relayed{Body: b, Model: unquote(t.model), Finish: t.finish, Usage: t.usage}, nil
}

// RelayStream implements outbound.Relay.
func (p *Provider) RelayStream(ctx context.Context, to outbound.Target, body []byte) (iter.Seq2[outbound.Frame, error], error) {
	spliced, err := splice(body, to.Model, true)
	if err != nil {
		return nil, err
	}
	resp, err := p.post(ctx, to, spliced)
	if err != nil {
		return nil, err
	}
	if t := llm.MediaType(resp.Header); t == "application/json" || t == "text/html" {
		return nil, p.notAStream(ctx, to, resp)
	}
	r := &relay{ctx: ctx, to: to, flavour: p.flavour, resp: resp, frames: sse.NewReader(resp.Body, 0)}
	head, err := r.head()
	if err != nil {
		r.close()
		return nil, err
	}
	return func(yield func(outbound.Frame, error) bool) {
		defer r.close()
		for _, f := range head {
			if !yield(f, nil) {
				return
			}
		}
		r.rest(yield)
	}, nil
}

// notAStream is the failure of a body that came where a stream was asked for.
func (p *Provider) notAStream(ctx context.Context, to outbound.Target, resp *http.Response) error {
	b, err := llm.ReadAnswer(ctx, resp)
	if err != nil {
		return err
	}
	if r, ok := p.explain(b); ok {
		return r.Failure(to, resp.Header)
	}
	return llm.BadResponse(to, "answered a body where a stream was asked for")
}

// relay is a stream on its way through.
type relay struct {
	ctx     context.Context //nolint:containedctx // the call's own, for as long as its body is read
	to      outbound.Target
	flavour Flavour
	resp    *http.Response
	frames  *sse.Reader
	choices choices
	tools   bool
	quoted  []byte      // the model as it was last named
	model   string      // the same, read
	finish  chat.Finish // of the first choice
	done    bool        // the vendor said [DONE], or ended when all was said
}

// maxHead bounds the bytes of comments that are kept until the first event; further ones are dropped.
const maxHead = 64 << 10

// head reads to the first event, so that an error that comes first is still an error of the call. The frames are copies.
func (r *relay) head() ([]outbound.Frame, error) {
	var out []outbound.Frame
	kept := 0
	for {
		f, err := r.next()
		if errors.Is(err, io.EOF) || r.done {
			return nil, llm.BadResponse(r.to, "answered a stream without an event")
		}
		if err != nil {
			return nil, err
		}
		if f.Comment {
			if kept += len(f.Raw); kept > maxHead {
				continue
			}
		}
		f.Raw = bytes.Clone(f.Raw)
		out = append(out, f)
		if !f.Comment {
			return out, nil
		}
	}
}

func (r *relay) rest(yield func(outbound.Frame, error) bool) {
	for {
		f, err := r.next()
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			yield(outbound.Frame{}, err)
			return
		case !yield(f, nil):
			return
		}
	}
}

// next gives a frame, io.EOF after the last of a complete answer, or the failure.
func (r *relay) next() (outbound.Frame, error) {
	if r.done {
		return outbound.Frame{}, io.EOF
	}
	f, err := r.frames.Next()
	switch {
	case errors.Is(err, io.EOF):
		return outbound.Frame{}, r.ended(chat.ErrCutOff)
	case errors.Is(err, sse.ErrTooLong):
		return outbound.Frame{}, llm.BadResponse(r.to, "sent an event that is too long")
	case err != nil:
		return outbound.Frame{}, r.ended(llm.FromBody(r.ctx, err))
	case !f.HasData:
		return outbound.Frame{Raw: f.Raw, Comment: true}, nil
	case f.Cut && !json.Valid(f.Data) && !isDone(f.Data):
		return outbound.Frame{}, chat.ErrCutOff // even after the finish: the event that broke off may have been an error
	case isDone(f.Data):
		if !r.choices.complete() {
			return outbound.Frame{}, chat.ErrCutOff
		}
		r.done = true
		return outbound.Frame{Raw: f.Raw}, nil
	}
	return r.event(f)
}

// ended is what the end of the bytes means: the end of the stream when all was said, else the failure.
func (r *relay) ended(failure *chat.Failure) error {
	if r.choices.complete() && failure.Class == chat.ClassCutOff {
		r.done = true
		return io.EOF
	}
	return failure
}

func isDone(data []byte) bool { return bytes.Equal(bytes.TrimSpace(data), doneMark) }

func (r *relay) event(f sse.Frame) (outbound.Frame, error) {
	t, ok := tap(f.Data)
	if !ok {
		return outbound.Frame{}, llm.BadResponse(r.to, "sent an event that is no JSON object")
	}
	if refusal, ok := r.flavour.refusal(t.failure); ok {
		return outbound.Frame{}, refusal.Failure(r.to, nil)
	}
	if t.failed {
		return outbound.Frame{}, llm.BadResponse(r.to, "finished with an error")
	}
	news := t.content
	for _, c := range t.of() {
		if c.finished && !r.choices.isFinished(c.index) {
			news = true
			r.choices.finish(c.index)
		}
		r.choices.start(c.index)
	}
	r.tools = r.tools || t.tools
	if t.finish != "" {
		r.finish = t.finish
		if t.finish == chat.FinishStop && r.tools {
			r.finish = chat.FinishToolCalls
		}
	}
	out := outbound.Frame{Raw: f.Raw, Content: t.content, UsageOnly: t.usage != nil && !news, Model: r.named(t.model), Usage: t.usage}
	if r.choices.complete() { // one choice that has finished makes no whole answer
		out.Finish = r.finish
	}
	return out, nil
}

// named reads the model's name, which is the same in every chunk, once.
func (r *relay) named(quoted []byte) string {
	if !bytes.Equal(quoted, r.quoted) {
		r.quoted, r.model = append(r.quoted[:0], quoted...), unquote(quoted)
	}
	return r.model
}

// drainTime is how long close waits for the end of a body whose answer has ended.
const drainTime = 50 * time.Millisecond

// close ends the upstream call. After [DONE] it reads what little may follow, because a connection is used again only when its body was
// read to the end.
func (r *relay) close() {
	if r.done {
		timer := time.AfterFunc(drainTime, func() { _ = r.resp.Body.Close() })
		_, _ = io.CopyN(io.Discard, r.resp.Body, 4<<10)
		timer.Stop()
	}
	r.frames.Close()
	_ = r.resp.Body.Close()
}
