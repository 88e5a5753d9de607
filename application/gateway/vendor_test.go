package gateway_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// reply is what a played vendor does with one request.
type reply struct {
	after  time.Duration // until it answers, or fails
	err    error
	text   string // "" is "hello"
	usage  *chat.Usage
	silent bool    // it does not say its usage
	pieces []piece // of a stream; none: the text, the finish and the usage, one piece each
	panics bool
}

// piece is what comes next in a stream.
type piece struct {
	after time.Duration
	err   error
	chunk chat.Chunk
	raw   string // of a relayed frame
	frame outbound.Frame
}

// vendor plays a vendor: it answers by its script, and well once that has ended.
type vendor struct {
	dialect chat.Dialect
	lossy   bool                        // the neutral form cannot hold what it says
	cut     bool                        // a choice that is not the first was cut
	judge   func(outbound.Target) error // turns a credential away before the script is looked at; nil: takes all

	mu     sync.Mutex
	script []reply
	asked  []outbound.Target
	bodies [][]byte
	seen   []*chat.Request
	open   int // upstream calls under way
}

func (v *vendor) next(to outbound.Target, r *chat.Request, body []byte) reply {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked, v.seen, v.bodies = append(v.asked, to), append(v.seen, r), append(v.bodies, body)
	v.open++
	if v.judge != nil {
		if err := v.judge(to); err != nil {
			return reply{err: err}
		}
	}
	if len(v.script) == 0 {
		return reply{}
	}
	rep := v.script[0]
	v.script = v.script[1:]
	return rep
}

func (v *vendor) done() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open--
}

func (v *vendor) calls() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.asked)
}

// wait lets the reply's time pass, unless the call is cancelled first.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return chat.Fail(chat.ClassTimeout, ctx.Err())
		}
		return chat.Fail(chat.ClassCanceled, ctx.Err())
	}
}

func (r reply) said() string {
	if r.text == "" {
		return "hello"
	}
	return r.text
}

func (r reply) used() *chat.Usage {
	if r.usage == nil && !r.silent {
		return &chat.Usage{Input: 100, Output: 20}
	}
	return r.usage
}

func (v *vendor) begin(ctx context.Context, to outbound.Target, r *chat.Request, body []byte) (reply, error) {
	rep := v.next(to, r, body)
	if rep.panics {
		panic("nil map")
	}
	if err := wait(ctx, rep.after); err != nil {
		return rep, err
	}
	return rep, rep.err
}

// beginStream leaves the upstream call open only when it gives a stream.
func (v *vendor) beginStream(ctx context.Context, to outbound.Target, r *chat.Request, body []byte) (rep reply, err error) {
	opened := false
	defer func() {
		if !opened {
			v.done()
		}
	}()
	rep, err = v.begin(ctx, to, r, body)
	opened = err == nil
	return rep, err
}

func (v *vendor) Complete(ctx context.Context, to outbound.Target, r *chat.Request) (*chat.Response, error) {
	defer v.done()
	rep, err := v.begin(ctx, to, r, nil)
	if err != nil {
		return nil, err
	}
	out := chat.Said(rep.said(), chat.FinishStop)
	out.Model, out.Usage, out.Dropped = to.Model+"-0001", rep.used(), r.Untranslated
	return out, nil
}

func (v *vendor) Dialect() chat.Dialect { return v.dialect }

func (v *vendor) RelayWhole(ctx context.Context, to outbound.Target, p outbound.Passage) (*outbound.Relayed, error) {
	defer v.done()
	rep, err := v.begin(ctx, to, nil, p.Body)
	if err != nil {
		return nil, err
	}
	return &outbound.Relayed{Body: []byte(rep.said()), Model: to.Model + "-0001", Finish: chat.FinishStop, Usage: rep.used()}, nil
}

func (r reply) stream(model string) []piece {
	if r.pieces != nil {
		return r.pieces
	}
	return []piece{
		{chunk: chat.Chunk{Model: model + "-0001", Text: r.said()}}, {chunk: chat.Chunk{Finish: chat.FinishStop}}, {chunk: chat.Chunk{Usage: r.used()}},
	}
}

func (v *vendor) Stream(ctx context.Context, to outbound.Target, r *chat.Request) (chat.Stream, error) {
	rep, err := v.beginStream(ctx, to, r, nil)
	if err != nil {
		return nil, err
	}
	return func(yield func(chat.Chunk, error) bool) {
		defer v.done()
		for _, p := range rep.stream(to.Model) {
			if err := errors.Join(wait(ctx, p.after), p.err); err != nil {
				yield(chat.Chunk{}, err)
				return
			}
			if !yield(p.chunk, nil) {
				return
			}
		}
	}, nil
}

func (v *vendor) RelayStream(ctx context.Context, to outbound.Target, passage outbound.Passage) (iter.Seq2[outbound.Frame, error], error) {
	rep, err := v.beginStream(ctx, to, nil, passage.Body)
	if err != nil {
		return nil, err
	}
	return func(yield func(outbound.Frame, error) bool) {
		defer v.done()
		var buffer []byte // one for all, as the port allows
		for _, p := range rep.stream(to.Model) {
			if err := errors.Join(wait(ctx, p.after), p.err); err != nil {
				yield(outbound.Frame{}, err)
				return
			}
			f := p.frame
			if p.raw == "" {
				p.raw = p.chunk.Text
				f = outbound.Frame{Content: p.chunk.Content(), Model: p.chunk.Model, Finish: p.chunk.Finish, Usage: p.chunk.Usage, UsageOnly: p.chunk.Usage != nil}
			}
			buffer = append(buffer[:0], p.raw...)
			f.Raw = buffer
			if !yield(f, nil) {
				return
			}
			clear(buffer)
		}
	}, nil
}

func (v *vendor) Read(body []byte) outbound.Reading {
	if v.lossy {
		return outbound.Reading{Complete: !v.cut}
	}
	return outbound.Reading{Response: chat.Said(string(body), chat.FinishStop), Complete: !v.cut}
}

func (v *vendor) Gather() (add func([]byte), read func() outbound.Reading) {
	var text []byte
	return func(frame []byte) { text = append(text, frame...) }, func() outbound.Reading { return v.Read(text) }
}
