package rest

import (
	"bufio"
	"context"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

// heartbeat is a comment: it keeps proxies from giving up, and tells us when the client has.
var heartbeat = []byte(": heartbeat\n\n")

// encoder writes a streamed answer in a client's dialect. The bytes it gives are valid until it is asked again; none means that there is
// nothing to send.
type encoder interface {
	// begin is told the receipt as it stands before the first piece.
	begin(head inbound.Receipt, relayed bool)
	piece(p inbound.Piece) []byte
	done(r inbound.Receipt) []byte
	fail(f *fault.Error) []byte
}

// beating is an encoder whose dialect has a heartbeat of its own. It may be asked at any time, by another goroutine too.
type beating interface{ heartbeat() []byte }

// heartbeatOf gives what is sent while there is nothing else to send.
func heartbeatOf(e encoder) []byte {
	if b, ok := e.(beating); ok {
		return b.heartbeat()
	}
	return heartbeat
}

// opened is what the gateway made of a streamed call.
type opened struct {
	answer inbound.StreamAnswer
	err    error
}

// stream answers a call in pieces. A failure before the first piece is an ordinary answer, unless the client has waited so long that the
// headers were sent.
func (x *exchange) stream(c inbound.Call, a asked, e encoder) error {
	x.watchClient()
	x.explain, c.Stream = a.explain, true
	ctx, cancel := context.WithCancelCause(x.ctx)
	got := make(chan opened, 1)
	go x.open(ctx, c, got)

	patience := time.NewTimer(x.s.config.SilenceTimeout)
	defer patience.Stop()
	var first *opened
	select {
	case o := <-got:
		x.receipt = &o.answer.Head
		if o.err != nil {
			cancel(nil)
			return o.err
		}
		x.writeReceipt(o.answer.Head, "") // it has only begun
		first = &o
	case <-patience.C:
	}
	h := &x.fc.Response.Header
	h.SetContentType("text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no")
	x.late, x.status = true, fasthttp.StatusOK
	fc := x.fc
	x.fc, x.c = nil, nil // from here on the request belongs to nobody
	fc.SetBodyStreamWriter(func(w *bufio.Writer) {
		defer cancel(nil)
		x.pump(&frames{w: w, beat: heartbeatOf(e), every: x.s.config.Heartbeat, gone: func() { cancel(errClientGone) }}, first, got, e)
	})
	return nil
}

// open asks the gateway for the stream. A panic there is an answer too.
func (x *exchange) open(ctx context.Context, c inbound.Call, got chan<- opened) {
	defer func() {
		if p := recover(); p != nil {
			got <- opened{err: x.s.panicked(p)}
		}
	}()
	answer, err := x.s.deps.Gateway.Stream(ctx, c)
	got <- opened{answer, err}
}

// pump sends the pieces as they come, and whatever happens it ends the call, the watch and the books, in this order. A panic here would
// end the process, as no middleware stands above it.
func (x *exchange) pump(out *frames, first *opened, got <-chan opened, e encoder) {
	defer func() {
		if p := recover(); p != nil {
			x.breakOff(out, e, x.s.panicked(p))
		}
		out.close()
		x.stop()
		x.close()
	}()
	out.start()
	if first == nil {
		out.send(out.beat)
		o := <-got
		first = &o
	}
	x.receipt = &first.answer.Head
	if first.err != nil {
		x.breakOff(out, e, first.err)
		return
	}
	defer first.answer.Close()
	e.begin(first.answer.Head, first.answer.Relayed)
	err := relay(out, first.answer, e)
	final := first.answer.Receipt()
	x.receipt = &final
	if err != nil {
		x.breakOff(out, e, err)
		return
	}
	out.send(e.done(final))
}

// relay sends the pieces until they end, break, or nobody reads them.
func relay(out *frames, answer inbound.StreamAnswer, e encoder) error {
	for p, err := range answer.Pieces {
		if err != nil {
			return err
		}
		if p.Comment && len(p.Raw) == 0 {
			continue
		}
		if !out.send(e.piece(p)) {
			return errGone
		}
	}
	return nil
}

// breakOff ends a stream with the API's error event.
func (x *exchange) breakOff(out *frames, e encoder, err error) {
	f := faultOf(err)
	if f.Kind == fault.Canceled && x.s.base.Err() != nil {
		f = errStopping.With(err)
	}
	x.failed = f
	out.send(e.fail(x.inOwnNames(f)))
}

// frames writes whole frames to a client, each flushed at once, with heartbeats while there is nothing else to send.
type frames struct {
	every time.Duration
	beat  []byte
	gone  func() // called once when the client cannot be written to

	mu     sync.Mutex
	w      *bufio.Writer
	err    error
	closed bool
	timer  *time.Timer
}

func (f *frames) start() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.timer = time.AfterFunc(f.every, func() { f.send(f.beat) })
}

// send writes a frame and reports whether the client still reads.
func (f *frames) send(frame []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.err != nil {
		return false
	}
	if len(frame) == 0 {
		return true
	}
	f.timer.Reset(f.every)
	if _, f.err = f.w.Write(frame); f.err == nil {
		f.err = f.w.Flush()
	}
	if f.err != nil {
		f.timer.Stop()
		f.gone()
	}
	return f.err == nil
}

// close ends the heartbeats. The writer belongs to the server again afterwards.
func (f *frames) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.timer.Stop()
}
