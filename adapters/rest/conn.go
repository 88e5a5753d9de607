package rest

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// longAgo is a deadline that has passed, whatever the clock says.
var longAgo = time.Unix(1, 0)

// piece is the most that is written under one deadline, so that a slow reader who makes progress is not cut off.
const piece = 64 << 10

// Bounds of a lingering close.
const (
	lingerBytes = 64 << 20
	lingerTime  = 2 * time.Second
)

// listener hands out connections that bound each write.
type listener struct {
	net.Listener
	writeTimeout time.Duration
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, timeout: l.writeTimeout}, nil
}

// conn is a client's connection. A write that makes no progress for the timeout fails; the timer does not depend on the wall clock.
type conn struct {
	net.Conn
	timeout time.Duration
	timer   *time.Timer // made with the first write
	linger  atomic.Bool
}

// NetConn gives the connection underneath, for the watcher.
func (c *conn) NetConn() net.Conn { return c.Conn }

// Write implements net.Conn.
func (c *conn) Write(b []byte) (n int, err error) {
	if c.timer == nil {
		c.timer = time.AfterFunc(c.timeout, func() { _ = c.Conn.SetWriteDeadline(longAgo) })
	}
	defer c.timer.Stop()
	for {
		c.timer.Reset(c.timeout)
		m, err := c.Conn.Write(b[n:min(len(b), n+piece)])
		n += m
		if err != nil || n == len(b) {
			return n, err
		}
	}
}

// Close implements net.Conn. A connection that was answered before its request was read to the end takes in the rest for a moment: if it
// were closed at once, the client's system would throw the answer away unread.
func (c *conn) Close() error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok && c.linger.Load() && tcp.CloseWrite() == nil {
		_ = tcp.SetReadDeadline(time.Time{})
		end := time.AfterFunc(lingerTime, func() { _ = tcp.SetReadDeadline(longAgo) })
		_, _ = io.CopyN(io.Discard, tcp, lingerBytes)
		end.Stop()
	}
	return c.Conn.Close()
}
