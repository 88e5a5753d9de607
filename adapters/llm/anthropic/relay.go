package anthropic

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
	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/adapters/llm/internal/sse"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

var _ outbound.Relay = (*relay)(nil)

// relay passes bodies of the Messages API through; it implements outbound.Relay.
type relay struct{ client *http.Client }

// Dialect implements outbound.Relay.
func (r *relay) Dialect() chat.Dialect { return chat.DialectAnthropic }

// pass sends a client's body on, and says what was left out of it.
func pass(ctx context.Context, client *http.Client, to outbound.Target, path string, p outbound.Passage) (*http.Response, []string, error) {
	body, dropped, err := passable(p.Body, to.Model)
	if err != nil {
		return nil, nil, err
	}
	c := call(to, path, body, p.Header[headerBeta])
	if v := p.Header[headerVersion]; v != "" {
		c.Header[headerVersion] = []string{v}
	}
	resp, err := c.Do(ctx, client)
	return resp, dropped, err
}

// RelayWhole implements outbound.Relay.
func (r *relay) RelayWhole(ctx context.Context, to outbound.Target, p outbound.Passage) (*outbound.Relayed, error) {
	resp, dropped, err := pass(ctx, r.client, to, pathMessages, p)
	if err != nil {
		return nil, err
	}
	body, err := llm.ReadAnswer(ctx, resp)
	if err != nil {
		return nil, err
	}
	t, ok := tap(body)
	switch {
	case !ok:
		return nil, llm.BadResponse(to, "answered something that is not a message")
	case t.failure != nil:
		return nil, failureOf(t.failure, to)
	case t.kind != wholeMessage || !t.listed || t.reason == "":
		return nil, llm.BadResponse(to, "answered a message without content or stop reason")
	}
	return &outbound.Relayed{Body: body, Model: jsonscan.Unquote(t.model), Finish: finish(t.reason), Usage: usageOf(t.usage), Dropped: dropped}, nil
}

// failureOf reads an error object.
func failureOf(value []byte, to outbound.Target) *chat.Failure {
	var e apiError
	if json.Unmarshal(value, &e) != nil {
		return llm.BadResponse(to, "sent an error that is none")
	}
	return e.refusal().Failure(to, nil)
}

// RelayStream implements outbound.Relay.
func (r *relay) RelayStream(ctx context.Context, to outbound.Target, p outbound.Passage) (iter.Seq2[outbound.Frame, error], error) {
	resp, dropped, err := pass(ctx, r.client, to, pathMessages, p)
	if err != nil {
		return nil, err
	}
	if t := llm.MediaType(resp.Header); t == "application/json" || t == "text/html" {
		return nil, notAStream(ctx, to, resp)
	}
	s := &relayed{ctx: ctx, to: to, resp: resp, frames: sse.NewReader(resp.Body, 0)}
	head, err := s.head()
	if err != nil {
		s.close()
		return nil, err
	}
	head[0].Dropped = dropped
	return func(yield func(outbound.Frame, error) bool) {
		defer s.close()
		for _, f := range head {
			if !yield(f, nil) {
				return
			}
		}
		s.rest(yield)
	}, nil
}

// notAStream is the failure of a body that came where a stream was asked for.
func notAStream(ctx context.Context, to outbound.Target, resp *http.Response) error {
	b, err := llm.ReadAnswer(ctx, resp)
	if err != nil {
		return err
	}
	if r, ok := explain(b); ok {
		return r.Failure(to, resp.Header)
	}
	return llm.BadResponse(to, "answered a body where a stream was asked for")
}

// relayed is a stream on its way through.
type relayed struct {
	ctx     context.Context //nolint:containedctx // the call's own, for as long as its body is read
	to      outbound.Target
	resp    *http.Response
	frames  *sse.Reader
	tally   tally
	spoken  bool // an event came
	begun   bool // the message began
	stopped bool // a stop reason came
	done    bool // the message ended
}

// maxHead bounds the bytes that are kept until the message begins; what is beyond is dropped, which is nothing but keep-alives and strangers.
const maxHead = 64 << 10

// head reads up to where the message begins, so that an error that comes first is still an error of the call. The frames are copies.
func (s *relayed) head() ([]outbound.Frame, error) {
	var out []outbound.Frame
	kept := 0
	for {
		f, err := s.next()
		if err != nil { // io.EOF never comes before the message began
			return nil, err
		}
		if kept += len(f.Raw); kept > maxHead && !s.begun {
			continue
		}
		f.Raw = bytes.Clone(f.Raw)
		if out = append(out, f); s.begun {
			return out, nil
		}
	}
}

func (s *relayed) rest(yield func(outbound.Frame, error) bool) {
	for {
		f, err := s.next()
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
func (s *relayed) next() (outbound.Frame, error) {
	if s.done {
		return outbound.Frame{}, io.EOF
	}
	f, err := s.frames.Next()
	switch {
	case errors.Is(err, io.EOF) && !s.spoken:
		return outbound.Frame{}, llm.BadResponse(s.to, "answered a stream without an event")
	case errors.Is(err, io.EOF):
		return outbound.Frame{}, chat.ErrCutOff
	case errors.Is(err, sse.ErrTooLong):
		return outbound.Frame{}, llm.BadResponse(s.to, "sent an event that is too long")
	case err != nil:
		return outbound.Frame{}, llm.FromBody(s.ctx, err)
	case !f.HasData || len(f.Data) == 0:
		return outbound.Frame{Raw: f.Raw, Comment: true}, nil
	case f.Cut && !json.Valid(f.Data):
		return outbound.Frame{}, chat.ErrCutOff
	}
	return s.event(f)
}

func (s *relayed) event(f sse.Frame) (outbound.Frame, error) {
	t, ok := tap(f.Data)
	if !ok {
		return outbound.Frame{}, llm.BadResponse(s.to, "sent an event that is not one")
	}
	s.spoken = true
	out := outbound.Frame{Raw: f.Raw, Content: t.content}
	switch t.kind {
	case "", eventError:
		if t.failure != nil {
			return outbound.Frame{}, failureOf(t.failure, s.to)
		}
		if t.kind == eventError {
			return outbound.Frame{}, llm.BadResponse(s.to, "sent an error event without an error")
		}
	case eventStart:
		s.begun = true
		s.tally.count(t.usage)
		out.Model = jsonscan.Unquote(t.model)
	case eventBlock, eventDelta, eventClose:
		s.begun = true
	case eventEnd:
		s.begun = true
		if t.usage != nil {
			s.tally.count(t.usage)
			out.Usage = s.tally.usage()
		}
		if t.reason != "" {
			s.stopped = true
			out.Finish = finish(t.reason)
		}
	case eventStop: // without a beginning there is no stop reason either
		if !s.stopped {
			return outbound.Frame{}, llm.BadResponse(s.to, "ended a message without a stop reason")
		}
		s.done = true
	}
	return out, nil
}

// drainTime is how long close waits for the end of a body whose answer has ended.
const drainTime = 50 * time.Millisecond

// close ends the upstream call. After the end of a message it reads what little may follow, because a connection is used again only when its body was
// read to the end.
func (s *relayed) close() {
	if s.done {
		timer := time.AfterFunc(drainTime, func() { _ = s.resp.Body.Close() })
		_, _ = io.CopyN(io.Discard, s.resp.Body, 4<<10)
		timer.Stop()
	}
	s.frames.Close()
	_ = s.resp.Body.Close()
}
