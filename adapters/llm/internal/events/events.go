// Package events runs a dialect's decoder over an answer that arrives as server-sent events, and keeps the promises of a chat.Stream: what
// fails before the first piece is returned, what fails after it is yielded last, and whoever stops ends the upstream call.
package events

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/sse"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// Decoder reads the events of one answer, in order.
type Decoder interface {
	// Event reads the data of one event. done is true at the dialect's finishing event, if that is an event. A failure is final.
	Event(data []byte) (chunks []chat.Chunk, done bool, err error)
	// End gives what is left to say at the end of the stream, or chat.ErrCutOff when the answer had not finished.
	End() ([]chat.Chunk, error)
	// Usage is what was counted when the stream breaks; nil where that would be less than was used.
	Usage() *chat.Usage
}

// Answer is a streamed answer before its first event.
type Answer struct {
	Response *http.Response // of status 200
	To       outbound.Target
	Decoder  Decoder
	Explain  llm.Explain // reads an error that came as a plain body
	Dropped  []string    // goes with the first chunk
}

// Stream reads up to the first chunk. It fails with a *chat.Failure when there is none, and has closed the response then.
func (a Answer) Stream(ctx context.Context) (chat.Stream, error) {
	s := &stream{Answer: a, ctx: ctx, frames: sse.NewReader(a.Response.Body, 0)}
	first, err := s.next()
	if err != nil {
		s.close()
		return nil, err
	}
	first.Dropped = a.Dropped
	return func(yield func(chat.Chunk, error) bool) {
		defer s.close()
		if yield(first, nil) {
			s.rest(yield)
		}
	}, nil
}

// stream is an answer on its way.
type stream struct {
	Answer
	ctx    context.Context //nolint:containedctx // the call's own, for as long as its body is read
	frames *sse.Reader
	queue  []chat.Chunk
	spoken bool // an event came
	done   bool
}

func (s *stream) rest(yield func(chat.Chunk, error) bool) {
	for {
		c, err := s.next()
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			if u := s.Decoder.Usage(); u != nil && !yield(chat.Chunk{Usage: u}, nil) {
				return
			}
			yield(chat.Chunk{}, err)
			return
		case !yield(c, nil):
			return
		}
	}
}

// next gives a chunk, io.EOF after the last, or the failure.
func (s *stream) next() (chat.Chunk, error) {
	for len(s.queue) == 0 {
		if s.done {
			return chat.Chunk{}, io.EOF
		}
		if err := s.read(); err != nil {
			return chat.Chunk{}, err
		}
	}
	c := s.queue[0]
	s.queue = s.queue[1:]
	return c, nil
}

// terminator is the one event of all dialects that is no JSON. Its blank line may get lost at the end of the connection.
var terminator = []byte("[DONE]")

// read takes one frame.
func (s *stream) read() error {
	f, err := s.frames.Next()
	switch {
	case errors.Is(err, io.EOF) && !s.spoken:
		return llm.BadResponse(s.To, "answered a stream without an event")
	case errors.Is(err, io.EOF):
		s.done = true
		s.queue, err = s.Decoder.End()
		return err
	case errors.Is(err, sse.ErrTooLong):
		return llm.BadResponse(s.To, "sent an event that is too long")
	case err != nil:
		return s.broken(err)
	case isStray(&f):
		return stray(&f, s.frames, s.To, s.Response.Header, s.Explain)
	case !f.HasData || len(f.Data) == 0:
		return nil
	case f.Cut && !json.Valid(f.Data) && !bytes.Equal(f.Data, terminator):
		return chat.ErrCutOff
	}
	s.spoken = true
	s.queue, s.done, err = s.Decoder.Event(f.Data)
	return err
}

// broken is a body that could not be read to its end. An answer that had finished by then is whole.
func (s *stream) broken(err error) error {
	failure := llm.FromBody(s.ctx, err)
	if failure.Class != chat.ClassCutOff {
		return failure
	}
	chunks, end := s.Decoder.End()
	if end != nil {
		return failure
	}
	s.queue, s.done = chunks, true
	return nil
}

func (s *stream) close() { closeAnswer(s.Response, s.frames, s.done) }

// drainTime is how long closeAnswer waits for the end of a body whose answer has ended.
const drainTime = 50 * time.Millisecond

// closeAnswer ends the upstream call. After a whole answer it first reads what little may follow, because a connection is used again only
// when its body was read to the end; a vendor that does not end is left soon.
func closeAnswer(resp *http.Response, frames *sse.Reader, done bool) {
	if done {
		timer := time.AfterFunc(drainTime, func() { _ = resp.Body.Close() })
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
		timer.Stop()
	}
	frames.Close()
	_ = resp.Body.Close()
}
