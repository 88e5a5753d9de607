package conformance

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// wantNoGoroutines fails the test if, once all of it is over, a goroutine is left that was not there before.
func wantNoGoroutines(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

// baseURLs asks by base URLs with and without a path, and with and without a slash at the end.
func (s *providerSuite) baseURLs(t *testing.T) {
	for _, streamed := range []bool{false, true} {
		x := s.text(t, streamed)
		plain := s.pathAsked(t, x, "")
		for _, suffix := range []string{"/", "/v9/proxy", "/v9/proxy/"} {
			if got, want := s.pathAsked(t, x, suffix), strings.TrimSuffix(suffix, "/")+plain; got != want {
				t.Errorf("with %q behind the base URL, streamed %t: the provider asked for %s, want %s", suffix, streamed, got, want)
			}
		}
	}
}

func (s *providerSuite) pathAsked(t *testing.T, x exchange, suffix string) string {
	t.Helper()
	up := newUpstream(t, x, wayWhole)
	to := up.target()
	to.BaseURL += suffix
	if o := call(t.Context(), t, s.provider(t, wayWhole), to, x.streamed); o.Class != "" {
		t.Errorf("with %q behind the base URL: got %s", suffix, o.Class)
	}
	up.checkCall(t)
	return up.sent[0].url
}

// interruptions end a call by its context: before it, while it waits, and in the midst of a stream. Whose fault it is depends on the context alone.
func (s *providerSuite) interruptions(t *testing.T) {
	x := s.text(t, true)
	half := x.body[:len(x.body)/2]
	for name, tt := range map[string]struct {
		context func(context.Context) (context.Context, context.CancelFunc)
		class   chat.Class
	}{
		"the caller left before": {func(c context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(c)
			cancel()
			return ctx, cancel
		}, chat.ClassCanceled},
		"the deadline has passed": {func(c context.Context) (context.Context, context.CancelFunc) {
			return context.WithDeadline(c, time.Unix(0, 0))
		}, chat.ClassTimeout},
	} {
		for _, streamed := range []bool{false, true} {
			up := newUpstream(t, s.text(t, streamed), wayWhole)
			ctx, cancel := tt.context(t.Context())
			if o := call(ctx, t, s.provider(t, wayWhole), up.target(), streamed); o.Class != tt.class {
				t.Errorf("%s, streamed %t: got %s, want %s", name, streamed, o.Class, tt.class)
			}
			cancel()
		}
	}
	for _, begun := range [][]byte{nil, half} {
		for _, streamed := range []bool{false, true} {
			stuck := s.stuck(t, begun)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			if o := call(ctx, t, s.provider(t, wayWhole), stuck.target(), streamed); o.Class != chat.ClassTimeout {
				t.Errorf("the deadline passes after %d bytes, streamed %t: got %s, want timeout", len(begun), streamed, o.Class)
			}
			if stuck.reached() {
				stuck.wantLeft(t)
			}
			cancel()
		}
	}
	stuck := s.stuck(t, half)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := s.provider(t, wayWhole).Stream(ctx, stuck.target(), neutral())
	if err != nil {
		t.Fatalf("the first half of a stream: %v", err)
	}
	var o outcome
	o.fail(t, o.collect(t, cancelling(stream, cancel)))
	if o.Class != chat.ClassCanceled || !o.Yielded {
		t.Errorf("the caller leaves in the midst of a stream: got %q, after a piece: %t; want canceled", o.Class, o.Yielded)
	}
	stuck.wantLeft(t)
}

// cancelling cancels once the first piece was seen.
func cancelling(stream chat.Stream, cancel context.CancelFunc) chat.Stream {
	return func(yield func(chat.Chunk, error) bool) {
		for c, err := range stream {
			if !yield(c, err) {
				return
			}
			cancel()
		}
	}
}

// reached reports whether the call came to the upstream before it ended.
func (up *stuckUpstream) reached() bool {
	up.mu.Lock()
	defer up.mu.Unlock()
	return len(up.sent) > 0
}

// atOnce is how many calls one provider makes at once.
const atOnce = 64

// crowded makes many calls at once through one provider, each with an answer, a model and a key of its own.
func (s *providerSuite) crowded(t *testing.T) {
	var answers []exchange
	var want []outcome
	for _, streamed := range []bool{false, true} {
		for _, c := range s.good(t, streamed) {
			answers = append(answers, exchangeOf(c))
			want = append(want, s.ask(t, exchangeOf(c), wayWhole))
		}
	}
	p := s.provider(t, wayWhole)
	crowd(t, answers, func(n int, to outbound.Target) {
		i := n % len(answers)
		if diff := cmp.Diff(want[i], call(t.Context(), t, p, to, answers[i].streamed)); diff != "" {
			t.Errorf("call %d of many at once differs from the same call alone (-alone +crowded):\n%s", n, diff)
		}
	})
}

// crowd runs ask many times at once. The upstream holds every answer back until all have asked, and checks that each call is of one piece.
func crowd(t *testing.T, answers []exchange, ask func(n int, to outbound.Target)) {
	t.Helper()
	var here [atOnce]sync.Once
	var waiting, done sync.WaitGroup
	waiting.Add(atOnce)
	all := make(chan struct{})
	go func() { waiting.Wait(); close(all) }()
	up := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		seen := &upstream{}
		seen.take(r)
		var n int
		if _, err := fmt.Sscanf(r.URL.Path, "/n%d/", &n); err != nil || n < 0 || n >= atOnce {
			t.Errorf("%s was asked for, want what is below the base URL", r.URL.Path)
			return
		}
		seen.checkTarget(t, numbered(n, ""))
		here[n].Do(waiting.Done)
		select {
		case <-all:
		case <-r.Context().Done():
			return
		}
		x := answers[n%len(answers)]
		for name, values := range x.header {
			out.Header()[name] = values
		}
		out.WriteHeader(x.status)
		writeIn(out, x.body, wayPieces)
	}))
	t.Cleanup(up.Close)
	for n := range atOnce {
		done.Go(func() {
			defer here[n].Do(waiting.Done) // a call that failed unsent holds nobody up
			ask(n, numbered(n, up.URL))
		})
	}
	done.Wait()
	<-all
}

// numbered is the target of the nth call.
func numbered(n int, base string) outbound.Target {
	return outbound.Target{
		Provider: "conformance", Model: fmt.Sprintf("%s-%02d", Model, n), Credential: fmt.Sprintf("c%02d", n),
		Secret: secret.New(fmt.Sprintf("%s.%02d", Key, n)), BaseURL: fmt.Sprintf("%s/n%d", base, n),
	}
}

// checkTarget fails the test unless the last request is for the target's model and carries its key.
func (up *upstream) checkTarget(t *testing.T, to outbound.Target) {
	s := up.sent[len(up.sent)-1]
	if !strings.Contains(s.url, to.Model) && !strings.Contains(string(s.body), `"`+to.Model+`"`) {
		t.Errorf("the call to %s asks for another model", to.BaseURL)
	}
	for _, values := range s.header {
		for _, v := range values {
			if strings.HasSuffix(v, to.Secret.Reveal()) {
				return
			}
		}
	}
	t.Errorf("the call to %s carries another key", to.BaseURL)
}
