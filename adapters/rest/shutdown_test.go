package rest_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

func TestPanicsBecomeAnswers(t *testing.T) {
	w := start(t)
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) { panic("a prompt that must not be logged") }
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		panic("a prompt that must not be logged")
	}
	if got := w.post(execute, `{"task":"x"}`, aiKey); got.status != 500 || got.code() != "internal" {
		t.Errorf("in a handler: got %s", got)
	}
	if got := w.post(chatPath, openAIBody(`,"stream":true`), aiKey); got.status != 500 || got.code() != "internal" {
		t.Errorf("before a stream: got %s", got)
	}
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		return streamFrom(false, func(yield func(inbound.Piece, error) bool) {
			yield(chunks("a")[0], nil)
			var none []int
			_ = none[len(none)]
		}), nil
	}
	got := w.post(execute, `{"task":"x","stream":true}`, aiKey)
	if !strings.HasPrefix(string(got.body), "event: delta\ndata: {\"text\":\"a\"}\n\nevent: error\n") || !strings.Contains(string(got.body), `"code":"internal"`) {
		t.Errorf("in a stream: got %s", got)
	}
	if log := w.log(); strings.Contains(log, "must not be logged") || strings.Count(log, "TestPanicsBecomeAnswers") < 3 || !strings.Contains(log, "index out of range") {
		t.Errorf("the log should say where, and nothing that was panicked with: %s", log)
	}
	if got := w.get("/api/v1/health/live"); got.status != 200 {
		t.Errorf("afterwards: got %s", got)
	}
}

func TestShutdownWaitsForStreams(t *testing.T) {
	w := start(t)
	next := make(chan struct{})
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		return streamFrom(true, func(yield func(inbound.Piece, error) bool) {
			if yield(inbound.Piece{Raw: []byte("data: 1\n\n")}, nil) {
				<-next
				yield(inbound.Piece{Raw: []byte("data: 2\n\n")}, nil)
			}
		}), nil
	}
	resp := w.open(chatPath, openAIBody(`,"stream":true`))
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	frameOf(t, r)
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		done <- w.server.Shutdown(ctx)
	}()
	for { // until it takes no more connections
		c, err := http.Get("http://" + w.addr + "/api/v1/health/live")
		if err != nil {
			break
		}
		c.Body.Close()
	}
	close(next)
	if got := frameOf(t, r); got != "data: 2\n\n" {
		t.Errorf("got %q", got)
	}
	if err := <-done; err != nil {
		t.Errorf("got %v, want none", err)
	}
}

func TestShutdownEndsWhatIsLeftAfterTheGrace(t *testing.T) {
	w := start(t)
	var causes atomic.Int32
	w.models.stream = func(ctx context.Context, _ inbound.Call) (inbound.StreamAnswer, error) {
		return streamFrom(false, func(yield func(inbound.Piece, error) bool) {
			if yield(chunks("a")[0], nil) {
				<-ctx.Done()
				causes.Add(1)
				yield(inbound.Piece{}, fault.New(fault.Canceled, "canceled", "the caller left"))
			}
		}), nil
	}
	resp := w.open(execute, `{"task":"x","stream":true}`)
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	frameOf(t, r)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := w.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a deadline exceeded", err)
	}
	if causes.Load() != 1 {
		t.Error("Shutdown returned before the stream knew")
	}
	got, err := io.ReadAll(r)
	if err != nil || !strings.HasPrefix(string(got), "event: error\n") || !strings.Contains(string(got), `"code":"busy"`) {
		t.Errorf("got %s, %v", got, err)
	}
}
