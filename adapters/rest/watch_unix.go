//go:build unix

package rest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// errClientGone is why a call's context ends when its client has left.
var errClientGone = errors.New("client gone")

// watch gives a context that ends as soon as the peer closes the connection, which Fiber does not notice. It looks for the end of the
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
	if err != nil || c.SetReadDeadline(time.Time{}) != nil {
		return ctx, func() { cancel(nil) }
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var b [1]byte
		_ = raw.Read(func(fd uintptr) bool {
			n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			switch {
			case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
				return false
			case err != nil:
				cancel(fmt.Errorf("%w: %w", errClientGone, err))
			case n == 0:
				cancel(errClientGone)
			}
			return true
		})
	}()
	return ctx, func() {
		_ = c.SetReadDeadline(longAgo)
		<-done
		_ = c.SetReadDeadline(time.Time{})
		cancel(nil)
	}
}
