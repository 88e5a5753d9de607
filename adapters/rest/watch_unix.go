//go:build unix

package rest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// errClientGone is why a call's context ends when its client has left.
var errClientGone = errors.New("client gone")

// watch gives a context that ends when the peer closes the connection, which Fiber does not notice: at once, or watchAfter into the call. It looks for the end of the
// stream without taking bytes, woken by the runtime's poller. stop must be called before the connection is read again. Bytes that a
// client sends ahead (pipelining) end the watch; heartbeats are the second net.
func watch(parent context.Context, c net.Conn) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	for {
		inner, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = inner.NetConn()
	}
	sc, ok := c.(syscall.Conn)
	if !ok {
		return ctx, func() { cancel(nil) }
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return ctx, func() { cancel(nil) }
	}
	w := &watcher{conn: c, raw: raw, gone: cancel, done: make(chan struct{})}
	timer := time.AfterFunc(watchAfter, w.run)
	return ctx, func() {
		timer.Stop()
		w.stop()
		cancel(nil)
	}
}

// watchAfter is how long a call goes unwatched: most of what is answered sooner would pay for a goroutine that has nothing to see.
const watchAfter = 100 * time.Millisecond

// watcher waits for the end of a connection that nobody else reads.
type watcher struct {
	conn net.Conn
	raw  syscall.RawConn
	gone context.CancelCauseFunc
	done chan struct{} // closed when run, once begun, has ended

	mu             sync.Mutex
	begun, stopped bool
}

func (w *watcher) run() {
	w.mu.Lock()
	if w.stopped {
		w.mu.Unlock()
		return
	}
	w.begun = true
	_ = w.conn.SetReadDeadline(time.Time{}) // one that is left from before would end the watch
	w.mu.Unlock()
	defer close(w.done)
	var b [1]byte
	_ = w.raw.Read(func(fd uintptr) bool {
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
			return false
		case err != nil:
			w.gone(fmt.Errorf("%w: %w", errClientGone, err))
		case n == 0:
			w.gone(errClientGone)
		}
		return true
	})
}

// stop ends the watch and leaves the connection as it was.
func (w *watcher) stop() {
	w.mu.Lock()
	begun := w.begun
	w.stopped = true
	w.mu.Unlock()
	if !begun {
		return
	}
	_ = w.conn.SetReadDeadline(longAgo)
	<-w.done
	_ = w.conn.SetReadDeadline(time.Time{})
}
