package gateway

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// maxHeld bounds, in bytes, what a vendor may send before the first content, beside what it repeats of the request: OpenAI's responses do so twice.
const maxHeld = 1 << 20

// Stream implements inbound.Gateway.
func (s *Service) Stream(ctx context.Context, in inbound.Call) (inbound.StreamAnswer, error) {
	in.Stream = true
	v, receipt, err := s.visit(ctx, in)
	switch {
	case err != nil:
		return inbound.StreamAnswer{Head: receipt}, err
	case v != nil:
		return v.answerStream(ctx)
	case in.CacheOnly:
		return inbound.StreamAnswer{Head: receipt}, ErrNotCached
	}
	return s.stream(ctx, s.uncached(in))
}

// maxComments bounds, in bytes, the keep-alives among them that are kept: a vendor may say for long that it is still there.
const maxComments = 64 << 10

// stream answers a call in pieces, from its admission to its row.
func (s *Service) stream(ctx context.Context, in inbound.Call) (inbound.StreamAnswer, error) {
	c, err := s.admit(ctx, in)
	if err != nil {
		return inbound.StreamAnswer{Head: c.receipt}, err
	}
	ctx, cancel := c.bound(ctx)
	st := &stream{call: c, ctx: ctx, cancel: cancel}
	st.attempt, err = c.run(ctx, st.open)
	if err != nil {
		cancel()
		c.settle(tokens{}, err)
		return inbound.StreamAnswer{Head: c.receipt}, err
	}
	head := c.receipt
	head.Provider, head.Model, head.ServedModel = st.attempt.target.Provider, st.attempt.target.Model, st.model
	head.Attempts, head.Took = slices.Clone(head.Attempts), c.Clock().Sub(c.began)
	return inbound.StreamAnswer{
		Head: head, Relayed: c.relay(st.attempt.conn) != nil, Pieces: st.pieces, Close: st.close,
		Receipt: func() inbound.Receipt { return c.receipt },
	}, nil
}

// stream is an answer that arrives in pieces: first those held back until content came, then those that follow.
type stream struct {
	*call
	ctx     context.Context //nolint:containedctx // the call's own, until the stream ends
	cancel  context.CancelFunc
	attempt *attempt
	next    func() (event, error, bool)
	stop    func() // ends the attempt's upstream call
	held    []event

	usage  *chat.Usage
	finish chat.Finish
	model  string
	text   int   // bytes of content in chunks
	frames tally // of content in frames
	waited time.Duration

	mu      sync.Mutex
	ranging bool
	ended   bool
}

// event is a piece as the provider gave it.
type event struct {
	inbound.Piece
	content bool
}

// errNoEvent is a stream whose first event did not come in time, whatever keep-alives came.
var errNoEvent = chat.Fail(chat.ClassTimeout, errors.New("no event came in time"))

// open makes one attempt at a stream, and holds what comes until the first content or the finish.
func (s *stream) open(ctx context.Context, a *attempt) error {
	ctx, cancel := context.WithCancelCause(ctx)
	patience := time.AfterFunc(s.Settings.FirstByteTimeout, func() { cancel(errNoEvent) })
	defer patience.Stop()
	err := s.begin(ctx, a, patience)
	if err == nil {
		pulled := s.stop
		s.stop = func() {
			pulled()
			cancel(nil)
		}
		s.waited = s.Clock().Sub(a.began)
		s.first = s.Clock().Sub(s.began)
		return nil
	}
	if errors.Is(context.Cause(ctx), errNoEvent) {
		err = errNoEvent
	}
	a.used = s.tokens()
	a.used.answered = false // whatever came, none of it was of the answer
	s.forget()
	cancel(nil)
	return err
}

// begin asks for the stream and reads up to what is worth showing. patience ends with the first event.
func (s *stream) begin(ctx context.Context, a *attempt, patience *time.Timer) error {
	events, err := s.source(ctx, a)
	if err != nil {
		return err
	}
	s.next, s.stop = iter.Pull2(events)
	if err = s.hold(a, patience); err != nil {
		s.stop()
	}
	return err
}

func (s *stream) source(ctx context.Context, a *attempt) (iter.Seq2[event, error], error) {
	if relay := s.relay(a.conn); relay != nil {
		frames, err := relay.RelayStream(ctx, a.to(), s.passage())
		return fromFrames(frames), err
	}
	chunks, err := a.conn.Provider.Stream(ctx, a.to(), s.request)
	return fromChunks(chunks), err
}

func fromFrames(frames iter.Seq2[outbound.Frame, error]) iter.Seq2[event, error] {
	return func(yield func(event, error) bool) {
		for f, err := range frames {
			e := event{content: f.Content, Piece: inbound.Piece{
				Raw: f.Raw, UsageOnly: f.UsageOnly, Comment: f.Comment,
				Chunk: chat.Chunk{Model: f.Model, Finish: f.Finish, Usage: f.Usage, Dropped: f.Dropped},
			}}
			if !yield(e, err) {
				return
			}
		}
	}
}

func fromChunks(chunks chat.Stream) iter.Seq2[event, error] {
	return func(yield func(event, error) bool) {
		for c, err := range chunks {
			if !yield(event{content: c.Content(), Piece: inbound.Piece{Chunk: c}}, err) {
				return
			}
		}
	}
}

// hold reads up to the first content, or the finish. What breaks before it may be tried elsewhere.
func (s *stream) hold(a *attempt, patience *time.Timer) error {
	first, alive := true, 0
	for size := 0; size < maxHeld+3*len(s.in.Body); {
		e, err, ok := s.next()
		switch {
		case err != nil:
			return err
		case !ok:
			return chat.ErrCutOff
		case e.Comment:
			if alive += len(e.Raw) + 128; alive < maxComments {
				e.Raw = slices.Clone(e.Raw)
				s.held = append(s.held, e)
			}
			continue
		}
		if first {
			if first = false; !patience.Stop() {
				return errNoEvent // it came at the very moment that ended the call
			}
			a.first = s.Clock().Sub(a.began)
		}
		s.note(e)
		if e.content || e.Chunk.Finish != "" {
			s.held = append(s.held, e)
			return nil
		}
		e.Raw = slices.Clone(e.Raw) // valid only until the next one is asked for
		s.held = append(s.held, e)
		size += len(e.Raw) + 128
	}
	return chat.Fail(chat.ClassBadResponse, errors.New("too much came before the first content"))
}

// forget makes room for another attempt's stream.
func (s *stream) forget() {
	s.next, s.stop, s.held = nil, nil, nil
	s.usage, s.finish, s.model, s.text, s.frames = nil, "", "", 0, tally{}
	s.receipt.Dropped = nil
}

// note reads off a piece what the row needs.
func (s *stream) note(e event) {
	c := &e.Chunk
	if e.content {
		if e.Raw != nil {
			s.frames.add(len(e.Raw))
		} else {
			s.text += c.TextBytes()
		}
	}
	if c.Usage != nil {
		s.usage = c.Usage
	}
	if c.Finish != "" {
		s.finish = c.Finish
	}
	if c.Model != "" && c.Model != s.model {
		s.model = c.Model
	}
	if len(c.Dropped) > 0 {
		s.dropped(c.Dropped)
	}
}

// pieces is the stream as the surface ranges over it.
func (s *stream) pieces(yield func(inbound.Piece, error) bool) {
	if !s.enter() {
		return
	}
	defer func() { _ = s.conclude(errLeft) }() // unless deliver comes back
	left, failure := s.deliver(yield)
	if fault := s.conclude(failure); fault != nil && !left {
		yield(inbound.Piece{}, fault)
	}
}

// errLeft is a reader that stopped before the end.
var errLeft = chat.Fail(chat.ClassCanceled, errors.New("the reader left"))

// deliver yields the pieces up to the end of the stream, or gives the failure that ended it. left says that the reader stopped, who must not be
// given anything more.
func (s *stream) deliver(yield func(inbound.Piece, error) bool) (left bool, failure error) {
	for _, e := range s.held {
		if !yield(e.Piece, nil) {
			return true, errLeft
		}
	}
	s.held = nil
	for {
		asked := s.Clock()
		e, err, ok := s.next()
		s.waited += s.Clock().Sub(asked)
		switch {
		case err != nil:
			return false, typed(s.ctx, err)
		case !ok && s.finish == "":
			return false, typed(s.ctx, chat.ErrCutOff)
		case !ok:
			return false, nil
		}
		s.note(e)
		if !yield(e.Piece, nil) {
			return true, errLeft
		}
	}
}

// enter takes the right to range; there is one, once.
func (s *stream) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ranging || s.ended {
		return false
	}
	s.ranging = true
	return true
}

// close implements StreamAnswer.Close. While somebody ranges, it only cancels: the range ends by that, and settles.
func (s *stream) close() {
	s.cancel()
	if s.enter() {
		_ = s.conclude(errLeft)
	}
}

// conclude ends the upstream call and settles the call, once, and gives the fault that the client is to see. An answer is complete once its
// finish was seen, whatever happened to the connection after that, unless the dialect says that more should have come, or the vendor itself that it
// failed.
func (s *stream) conclude(failure error) error {
	s.mu.Lock()
	done := s.ended
	s.ended = true
	s.mu.Unlock()
	if done {
		return nil
	}
	if s.finish != "" && connectionLost(failure) {
		failure = nil
	}
	a := s.attempt
	a.used = s.tokens()
	s.end(s.ctx, a, failure)
	s.cancel()
	s.stop()
	if failure == nil {
		a.took = s.waited
		s.learn(a)
	}
	var fault error
	if f, ok := errors.AsType[*chat.Failure](failure); ok {
		fault = faultOf(a.target.Provider, f)
	}
	s.settle(a.used, fault)
	return fault
}

// connectionLost reports whether a failure is of the connection, or of who reads it, and no word of the vendor's.
func connectionLost(failure error) bool {
	switch chat.ClassOf(failure) {
	case chat.ClassTimeout, chat.ClassConnect, chat.ClassCanceled, chat.ClassBadResponse:
		return true
	default:
		return false
	}
}

// tokens is what the stream used so far.
func (s *stream) tokens() tokens {
	return tokens{
		reported: s.usage, output: chat.EstimateTokens(s.text) + s.frames.tokens(), answered: true, finish: s.finish, model: s.model,
	}
}
