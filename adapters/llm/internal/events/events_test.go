package events_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/events"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// letters is a dialect in which every event is a piece of text and "." is the finishing event.
type letters struct {
	heard int
	ends  bool // the end of the stream is an end, as with Gemini
}

func (l *letters) Event(data []byte) ([]chat.Chunk, bool, error) {
	l.heard++
	switch text := string(data); text {
	case `"."`:
		return []chat.Chunk{{Finish: chat.FinishStop}}, true, nil
	case `"!"`:
		return nil, false, chat.Fail(chat.ClassOverloaded, errors.New("overloaded"))
	default:
		return []chat.Chunk{{Text: strings.Trim(text, `"`)}, {Text: "-"}}, false, nil
	}
}

func (l *letters) End() ([]chat.Chunk, error) {
	if l.ends {
		return []chat.Chunk{{Finish: chat.FinishStop}}, nil
	}
	return nil, chat.ErrCutOff
}

func (l *letters) Usage() *chat.Usage { return &chat.Usage{Output: l.heard} }

// body is an answer's body that notes being closed, and that holds its reader fast at the end when it never ends.
type body struct {
	io.Reader
	endless bool
	broken  error // what it fails with at the end
	once    sync.Once
	closed  chan struct{}
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	switch {
	case n > 0 || !errors.Is(err, io.EOF):
		return n, err
	case b.endless:
		<-b.closed
		return 0, errors.New("read on a closed body")
	case b.broken != nil:
		return 0, b.broken
	}
	return 0, io.EOF
}

func (b *body) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

func (b *body) isClosed() bool {
	select {
	case <-b.closed:
		return true
	default:
		return false
	}
}

func open(ctx context.Context, contentType string, b *body, d *letters) (chat.Stream, error) {
	b.closed = make(chan struct{})
	return events.Answer{
		Response: &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {contentType}}, Body: b},
		To:       outbound.Target{Provider: "p"},
		Decoder:  d,
		Explain: func(body []byte) (llm.Refusal, bool) {
			return llm.Refusal{Class: chat.ClassQuota}, string(body) == "{}"
		},
		Dropped: []string{"seed"},
	}.Stream(ctx)
}

// play takes a stream apart: its text, whether it finished, the last usage, and the error that came, returned or yielded.
func play(t *testing.T, s chat.Stream) (text string, finished bool, usage *chat.Usage, failed error) {
	t.Helper()
	first := true
	for c, err := range s {
		if failed != nil {
			t.Fatalf("%+v, %v follows an error", c, err)
		}
		if got := len(c.Dropped) > 0; got != first {
			t.Errorf("dropped %q with the first chunk: %t", c.Dropped, first)
		}
		first, failed, text, finished = false, err, text+c.Text, finished || c.Finish != ""
		if c.Usage != nil {
			usage = c.Usage
		}
	}
	return text, finished, usage, failed
}

func TestAStreamKeepsItsPromises(t *testing.T) {
	t.Parallel()
	const a, b, end, bad = "data: \"a\"\n\n", "data: \"b\"\n\n", "data: \".\"\n\n", "data: \"!\"\n\n"
	tests := map[string]struct {
		body     *body
		ends     bool
		text     string
		class    chat.Class
		returned bool // the failure came before anything else
	}{
		"a whole answer":                       {body: &body{Reader: strings.NewReader(": hello\n\n" + a + b + end)}, text: "a-b-"},
		"a whole answer whose body never ends": {body: &body{Reader: strings.NewReader(a + end), endless: true}, text: "a-"},
		"an end without its finishing event":   {body: &body{Reader: strings.NewReader(a)}, text: "a-", class: chat.ClassCutOff},
		"an end that is one":                   {body: &body{Reader: strings.NewReader(a)}, ends: true, text: "a-"},
		"a break after the end":                {body: &body{Reader: strings.NewReader(a), broken: io.ErrUnexpectedEOF}, ends: true, text: "a-"},
		"a break":                              {body: &body{Reader: strings.NewReader(a), broken: io.ErrUnexpectedEOF}, text: "a-", class: chat.ClassCutOff},
		"an end within an event":               {body: &body{Reader: strings.NewReader(a + `data: "b`)}, ends: true, text: "a-", class: chat.ClassCutOff},
		"an error in the middle":               {body: &body{Reader: strings.NewReader(a + bad + b)}, text: "a-", class: chat.ClassOverloaded},
		"an error that is no event":            {body: &body{Reader: strings.NewReader(a + "{}\n")}, text: "a-", class: chat.ClassQuota},
		"an error before all":                  {body: &body{Reader: strings.NewReader(bad)}, class: chat.ClassOverloaded, returned: true},
		"nothing":                              {body: &body{Reader: strings.NewReader("")}, ends: true, class: chat.ClassBadResponse, returned: true},
		"nothing but comments":                 {body: &body{Reader: strings.NewReader(": hello\n\n")}, ends: true, class: chat.ClassBadResponse, returned: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := open(t.Context(), "text/event-stream", test.body, &letters{ends: test.ends})
			if test.returned != (err != nil) {
				t.Fatalf("got the error %v returned, want one: %t", err, test.returned)
			}
			if err == nil {
				text, finished, usage, failed := play(t, s)
				if text != test.text || finished != (test.class == "") {
					t.Errorf("got the text %q, finished: %t, want %q, %t", text, finished, test.text, test.class == "")
				}
				if failed != nil && usage == nil {
					t.Error("got no usage before the failure, want what was counted so far")
				}
				err = failed
			}
			if got := chat.ClassOf(err); got != test.class {
				t.Errorf("got the class %q (%v), want %q", got, err, test.class)
			}
			if !test.body.isClosed() {
				t.Error("the body was left open")
			}
		})
	}
}

func TestWhoeverStopsEndsTheCall(t *testing.T) {
	t.Parallel()
	b := &body{Reader: strings.NewReader("data: \"a\"\n\n"), endless: true}
	s, err := open(t.Context(), "text/event-stream", b, &letters{})
	if err != nil {
		t.Fatalf("Stream: %v", err)
	}
	for range s {
		break
	}
	if !b.isClosed() {
		t.Error("the body was left open")
	}
}

func TestABodyWhereAStreamWasAskedFor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		contentType, body string
		want              chat.Class
	}{
		"an error in the vendor's words":      {"application/json; charset=utf-8", "{}", chat.ClassQuota},
		"an answer":                           {"application/json", `{"text":"data"}`, chat.ClassBadResponse},
		"a page":                              {"text/html", "<p>data</p>", chat.ClassBadResponse},
		"nothing":                             {"application/json", "", chat.ClassBadResponse},
		"an error that calls itself a stream": {"text/event-stream", " \n{}", chat.ClassQuota},
		"a page that calls itself a stream":   {"text/event-stream", "<p>data: x</p>\n\n", chat.ClassBadResponse},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &body{Reader: strings.NewReader(test.body)}
			if _, err := open(t.Context(), test.contentType, b, &letters{}); chat.ClassOf(err) != test.want {
				t.Errorf("got %v, want the class %q", err, test.want)
			}
			if !b.isClosed() {
				t.Error("the body was left open")
			}
		})
	}
}

func TestAStreamThatCallsItselfABodyIsOne(t *testing.T) {
	t.Parallel()
	s, err := open(t.Context(), "application/json", &body{Reader: strings.NewReader("data: \"a\"\n\ndata: \".\"\n\n")}, &letters{})
	if err != nil {
		t.Fatalf("Stream: %v", err)
	}
	if text, finished, _, failed := play(t, s); text != "a-" || !finished || failed != nil {
		t.Errorf("got %q, finished: %t, %v, want a whole answer", text, finished, failed)
	}
}

func TestACallerWhoLeftIsNotTheVendorsFault(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	b := &body{Reader: strings.NewReader("data: \"a\"\n\n"), broken: errors.New("the connection is gone")}
	s, err := open(ctx, "text/event-stream", b, &letters{ends: true})
	if err != nil {
		t.Fatalf("Stream: %v", err)
	}
	cancel()
	if _, finished, _, failed := play(t, s); finished || chat.ClassOf(failed) != chat.ClassCanceled {
		t.Errorf("got %v, finished: %t, want the class %q", failed, finished, chat.ClassCanceled)
	}
}
