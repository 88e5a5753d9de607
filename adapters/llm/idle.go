package llm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// errIdle is a body that fell silent for longer than the client waits.
var errIdle = errors.New("the vendor fell silent")

// quarters is into how many ticks the idle time is cut: a silence is noticed after one to one and a quarter of it.
const quarters = 4

// patience is a transport that ends bodies which fall silent.
type patience struct {
	next  *http.Transport
	idle  time.Duration
	clock outbound.Clock
}

// RoundTrip implements http.RoundTripper.
func (p *patience) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	resp, err := p.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	if p.clock != nil && resp.Header.Get("Date") == "" {
		resp.Header.Set("Date", p.clock().UTC().Format(http.TimeFormat))
	}
	w := &watched{body: resp.Body, cancel: cancel, every: p.idle / quarters, seen: ^uint32(0)}
	w.timer = time.AfterFunc(time.Hour, w.tick)
	w.timer.Reset(w.every) // not before timer is set: tick needs it
	resp.Body = w
	return resp, nil
}

// Clock gives the clock, for ClockOf.
func (p *patience) Clock() outbound.Clock { return p.clock }

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the pool.
func (p *patience) CloseIdleConnections() { p.next.CloseIdleConnections() }

// watched is a body under watch. Only silence while somebody reads counts: a slow reader is not the vendor's fault. Reads cost two
// atomic stores; the clock is not asked.
type watched struct {
	body    io.ReadCloser
	cancel  context.CancelFunc
	timer   *time.Timer
	every   time.Duration
	waiting atomic.Bool   // a read is under way
	reads   atomic.Uint32 // finished reads
	closed  atomic.Bool
	cut     atomic.Bool
	seen    uint32 // reads at the last tick; the tick's own
	quiet   int    // ticks without a byte; the tick's own
}

// Read implements io.Reader. It fails with errIdle once the silence was too long.
func (w *watched) Read(p []byte) (int, error) {
	w.waiting.Store(true)
	n, err := w.body.Read(p)
	w.waiting.Store(false)
	w.reads.Add(1)
	if err != nil && !errors.Is(err, io.EOF) && w.cut.Load() {
		err = errIdle
	}
	return n, err
}

// Close implements io.Closer. It ends the upstream call when the body was not read to its end.
func (w *watched) Close() error {
	w.closed.Store(true)
	w.timer.Stop()
	err := w.body.Close()
	w.cancel()
	return err
}

func (w *watched) tick() {
	if reads := w.reads.Load(); !w.waiting.Load() || reads != w.seen {
		w.seen, w.quiet = reads, 0
	} else if w.quiet++; w.quiet >= quarters {
		w.cut.Store(true)
		w.cancel()
		return
	}
	if w.timer.Reset(w.every); w.closed.Load() {
		w.timer.Stop() // Close may have come between the check and the Reset
	}
}
