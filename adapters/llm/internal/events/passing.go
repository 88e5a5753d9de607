package events

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/sse"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// Tap reads the events of one answer that is passed on as bytes, in order.
type Tap interface {
	// Event reads one event: its name, which may be empty, and its data. Of the frame that it gives, Raw, Comment and Dropped are not its to set. done
	// is true at the dialect's finishing event, if that is an event. A failure is final; usage that came with it is in the frame.
	Event(name, data []byte) (f outbound.Frame, done bool, err error)
	// Complete reports whether the answer is whole, should the bytes end here.
	Complete() bool
}

// Passing is a streamed answer that is passed on as bytes, before its first event.
type Passing struct {
	Response *http.Response // of status 200
	To       outbound.Target
	Tap      Tap
	Explain  llm.Explain // reads an error that came as a plain body
	Dropped  []string    // goes with the first event
}

// Frames reads up to the first event, so that an error that comes first is still an error of the call. It fails with a *chat.Failure then, and has
// closed the response.
func (p Passing) Frames(ctx context.Context) (iter.Seq2[outbound.Frame, error], error) {
	s := &passing{Passing: p, ctx: ctx, frames: sse.NewReader(p.Response.Body, 0)}
	head, err := s.head()
	if err != nil {
		s.close()
		return nil, err
	}
	return func(yield func(outbound.Frame, error) bool) {
		defer s.close()
		for _, f := range head {
			if !yield(f, nil) {
				return
			}
		}
		head = nil
		s.rest(yield)
	}, nil
}

// passing is a stream on its way through.
type passing struct {
	Passing
	ctx    context.Context //nolint:containedctx // the call's own, for as long as its body is read
	frames *sse.Reader
	spoken bool        // an event came
	done   bool        // the vendor said the last word, or ended when all was said
	lost   *chat.Usage // of the event that failed
}

// maxHead bounds the bytes of comments that are kept until the first event; further ones are dropped.
const maxHead = 64 << 10

// head reads to the first event. The frames are copies.
func (s *passing) head() ([]outbound.Frame, error) {
	var out []outbound.Frame
	kept := 0
	for {
		f, err := s.next()
		if s.done && !f.Content && f.Finish == "" {
			return nil, llm.BadResponse(s.To, "answered a stream without an event")
		}
		if err != nil {
			return nil, err
		}
		if f.Comment {
			if kept += len(f.Raw); kept > maxHead {
				continue
			}
		} else {
			f.Dropped = s.Dropped
		}
		f.Raw = bytes.Clone(f.Raw)
		if out = append(out, f); !f.Comment {
			return out, nil
		}
	}
}

func (s *passing) rest(yield func(outbound.Frame, error) bool) {
	for {
		f, err := s.next()
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			if s.lost != nil && !yield(outbound.Frame{UsageOnly: true, Usage: s.lost}, nil) { // it was used, though nothing of it is passed on
				return
			}
			yield(outbound.Frame{}, err)
			return
		case !yield(f, nil):
			return
		}
	}
}

// next gives a frame, io.EOF after the last of a complete answer, or the failure.
func (s *passing) next() (outbound.Frame, error) {
	if s.done {
		return outbound.Frame{}, io.EOF
	}
	f, err := s.frames.Next()
	switch {
	case errors.Is(err, io.EOF) && !s.spoken:
		return outbound.Frame{}, llm.BadResponse(s.To, "answered a stream without an event")
	case errors.Is(err, io.EOF):
		return outbound.Frame{}, s.ended(chat.ErrCutOff)
	case errors.Is(err, sse.ErrTooLong):
		return outbound.Frame{}, llm.BadResponse(s.To, "sent an event that is too long")
	case err != nil:
		return outbound.Frame{}, s.ended(llm.FromBody(s.ctx, err))
	case isStray(&f):
		return outbound.Frame{}, stray(&f, s.frames, s.To, s.Response.Header, s.Explain)
	case !f.HasData || len(f.Data) == 0:
		return outbound.Frame{Raw: f.Raw, Comment: true}, nil
	case f.Cut && !json.Valid(f.Data) && !bytes.Equal(f.Data, terminator):
		return outbound.Frame{}, chat.ErrCutOff // even after the finish: the event that broke off may have been an error
	}
	s.spoken = true
	out, done, err := s.Tap.Event(f.Event, f.Data)
	if err != nil {
		s.lost = out.Usage
		return outbound.Frame{}, err
	}
	s.done, out.Raw = done, f.Raw
	return out, nil
}

// ended is what the end of the bytes means: the end of the stream when all was said, else the failure.
func (s *passing) ended(failure *chat.Failure) error {
	if s.Tap.Complete() && failure.Class == chat.ClassCutOff {
		s.done = true
		return io.EOF
	}
	return failure
}

func (s *passing) close() { closeAnswer(s.Response, s.frames, s.done) }
