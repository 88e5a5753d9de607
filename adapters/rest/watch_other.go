//go:build !unix

package rest

import (
	"context"
	"errors"
	"net"
)

// errClientGone is why a call's context ends when its client has left.
var errClientGone = errors.New("client gone")

// watch cannot look at connections on this system; a client that has left is noticed by the heartbeats of a stream alone.
func watch(parent context.Context, _ net.Conn) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	return ctx, func() { cancel(nil) }
}
