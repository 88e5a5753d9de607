package rest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/rest"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

func TestAClientThatLeavesEndsTheCall(t *testing.T) {
	waits := func(ctx context.Context, gone chan<- error) { <-ctx.Done(); gone <- context.Cause(ctx) }
	tests := map[string]struct {
		body  string
		wire  func(m *models, asked chan struct{}, gone chan error)
		reads bool // a first frame before leaving
	}{
		"while it waits for a whole answer": {openAIBody(""), func(m *models, asked chan struct{}, gone chan error) {
			m.execute = func(ctx context.Context, _ inbound.Call) (inbound.Answer, error) {
				close(asked)
				waits(ctx, gone)
				return inbound.Answer{}, fault.New(fault.Canceled, "canceled", "the caller left")
			}
		}, false},
		"while it waits for a stream": {openAIBody(`,"stream":true`), func(m *models, asked chan struct{}, gone chan error) {
			m.stream = func(ctx context.Context, _ inbound.Call) (inbound.StreamAnswer, error) {
				close(asked)
				waits(ctx, gone)
				return inbound.StreamAnswer{}, fault.New(fault.Canceled, "canceled", "the caller left")
			}
		}, false},
		"in the middle of a silent stream": {openAIBody(`,"stream":true`), func(m *models, asked chan struct{}, gone chan error) {
			m.stream = func(ctx context.Context, _ inbound.Call) (inbound.StreamAnswer, error) {
				return streamFrom(true, func(yield func(inbound.Piece, error) bool) {
					yield(inbound.Piece{Raw: []byte("data: 1\n\n")}, nil)
					close(asked)
					waits(ctx, gone)
					yield(inbound.Piece{}, fault.New(fault.Canceled, "canceled", "the caller left"))
				}), nil
			}
		}, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			asked, gone := make(chan struct{}), make(chan error, 1)
			tc.wire(w.models, asked, gone)
			c := w.dial()
			fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", chatPath, aiKey, len(tc.body), tc.body)
			if tc.reads {
				if _, err := c.Read(make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
			}
			<-asked
			c.Close()
			select {
			case err := <-gone:
				if err == nil || !strings.Contains(err.Error(), "client gone") {
					t.Errorf("got %v, want client gone", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the call's context is alive 10 s after the client has left")
			}
		})
	}
}

func TestAConnectionWorksOnAfterEachKindOfCall(t *testing.T) {
	w := start(t)
	for i := range 100 {
		if got := w.post(chatPath, openAIBody(""), aiKey); got.status != 200 {
			t.Fatalf("call %d: got %s", i, got)
		}
		if got := w.post(chatPath, openAIBody(`,"stream":true`), aiKey); !strings.HasSuffix(string(got.body), "data: [DONE]\n\n") {
			t.Fatalf("stream %d: got %s", i, got)
		}
	}
}

func TestRequestsSentAheadAreServedInTurn(t *testing.T) {
	w := start(t)
	body := openAIBody("")
	one := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", chatPath, aiKey, len(body), body)
	got := w.raw(one + one + "GET /api/v1/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if n := strings.Count(got, "HTTP/1.1 200 "); n != 3 || !strings.HasSuffix(got, `{"status":"live"}`) {
		t.Errorf("got %d answers: %s", n, got)
	}
}

func TestAReaderThatStallsIsDropped(t *testing.T) {
	w := start(t, func(c *rest.Config) { c.WriteTimeout = 100 * time.Millisecond })
	gone := make(chan struct{})
	w.models.stream = func(ctx context.Context, _ inbound.Call) (inbound.StreamAnswer, error) {
		return streamFrom(true, func(yield func(inbound.Piece, error) bool) {
			defer close(gone)
			frame := []byte("data: " + strings.Repeat("x", 64<<10) + "\n\n")
			for yield(inbound.Piece{Raw: frame}, nil) {
			}
		}), nil
	}
	c := w.dial()
	defer c.Close()
	body := openAIBody(`,"stream":true`)
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", chatPath, aiKey, len(body), body)
	select {
	case <-gone:
	case <-time.After(15 * time.Second):
		t.Fatal("the stream goes on though nobody reads it")
	}
}
