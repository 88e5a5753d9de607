package auth

import (
	"context"
	"errors"
	"sync"
	"time"
)

// flightTimeout bounds shared work, since no single caller's leaving may end it.
const flightTimeout = 10 * time.Second

var errAbandoned = errors.New("the shared work ended without a result")

// flight lets callers that ask for the same thing at the same time share one answer. The zero value is ready.
type flight[K comparable, V any] struct {
	mu    sync.Mutex
	calls map[K]*call[V]
}

type call[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// do runs work for the first caller of a key and gives its result to all who come before it is done. Work goes on when the first caller leaves; a waiting
// caller that leaves gets its context's error.
func (f *flight[K, V]) do(ctx context.Context, key K, work func(context.Context) (V, error)) (V, error) {
	f.mu.Lock()
	if c, ok := f.calls[key]; ok {
		f.mu.Unlock()
		select {
		case <-c.done:
			return c.value, c.err
		case <-ctx.Done():
			var none V
			return none, ctx.Err()
		}
	}
	if f.calls == nil {
		f.calls = map[K]*call[V]{}
	}
	c := &call[V]{done: make(chan struct{}), err: errAbandoned}
	f.calls[key] = c
	f.mu.Unlock()

	defer func() {
		f.mu.Lock()
		delete(f.calls, key)
		f.mu.Unlock()
		close(c.done)
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flightTimeout)
	defer cancel()
	c.value, c.err = work(ctx)
	return c.value, c.err
}
