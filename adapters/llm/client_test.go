package llm_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

const short = 80 * time.Millisecond

func clientOf(t *testing.T, c llm.ClientConfig) *http.Client {
	t.Helper()
	client := llm.NewClient(c)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// serve answers with h and gives the address.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then is it noticed that a client leaves
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

func ask(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	resp, err := llm.Call{To: outbound.Target{Provider: "p", Secret: secret.New("hidden-key")}, URL: url, Body: []byte(`{}`)}.Do(ctx, client)
	if err != nil {
		return nil, err
	}
	return llm.ReadAnswer(ctx, resp)
}

func TestSilenceEndsABody(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // runs last
	left := make(chan struct{}, 1)
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "a beginning")
		flush(w)
		<-r.Context().Done()
		left <- struct{}{}
	})
	_, err := ask(t.Context(), clientOf(t, llm.ClientConfig{IdleTimeout: short}), base)
	if chat.ClassOf(err) != chat.ClassTimeout {
		t.Errorf("got %v, want timeout", err)
	}
	<-left // the upstream call has ended too
}

func TestSilenceBeforeTheAnswerEndsACall(t *testing.T) {
	base := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if _, err := ask(t.Context(), clientOf(t, llm.ClientConfig{FirstByteTimeout: short}), base); chat.ClassOf(err) != chat.ClassTimeout {
		t.Errorf("got %v, want timeout", err)
	}
}

func TestAnyByteIsASignOfLife(t *testing.T) {
	// Twenty pieces, each well within the idle time, take longer than it as a whole.
	const idle, pieces = 400 * time.Millisecond, 20
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		tick := time.NewTicker(idle / 10)
		defer tick.Stop()
		for range pieces {
			_, _ = io.WriteString(w, ":\n")
			flush(w)
			<-tick.C
		}
	})
	b, err := ask(t.Context(), clientOf(t, llm.ClientConfig{IdleTimeout: idle}), base)
	if err != nil || len(b) != 2*pieces {
		t.Errorf("got %d bytes, %v; want all %d", len(b), err, 2*pieces)
	}
}

func TestASlowReaderIsNotTheVendorsFault(t *testing.T) {
	const size = 8 << 20 // more than lies on the way
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, size)) })
	resp, err := llm.Call{URL: base}.Do(t.Context(), clientOf(t, llm.ClientConfig{IdleTimeout: short}))
	if err != nil {
		t.Fatal(err)
	}
	<-time.After(3 * short) // longer than any silence that is borne
	if b, err := llm.ReadAnswer(t.Context(), resp); err != nil || len(b) != size {
		t.Errorf("got %d bytes, %v; want all %d", len(b), err, size)
	}
}

func TestCallsThatGetNoAnswer(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close() // takes connections and never says a word of TLS
	reset := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	babble := raw(t, "I am no server of HTTP, hidden-key\r\n\r\n")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	late, stop := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer stop()
	tests := map[string]struct {
		ctx   context.Context
		url   string
		class chat.Class
	}{
		"nobody listens":      {t.Context(), "http://127.0.0.1:1", chat.ClassConnect},
		"no such host":        {t.Context(), "http://nowhere.invalid", chat.ClassConnect},
		"a silent handshake":  {t.Context(), "https://" + nobody.Addr().String(), chat.ClassConnect},
		"a reset":             {t.Context(), reset, chat.ClassConnect},
		"no HTTP":             {t.Context(), babble, chat.ClassConnect},
		"no URL":              {t.Context(), "http://[::1", chat.ClassConnect},
		"the caller has left": {ended, reset, chat.ClassCanceled},
		"the time is up":      {late, reset, chat.ClassTimeout},
	}
	client := clientOf(t, llm.ClientConfig{ConnectTimeout: short})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ask(tt.ctx, client, tt.url)
			if chat.ClassOf(err) != tt.class {
				t.Errorf("got %v, want %s", err, tt.class)
			}
			if err != nil && strings.Contains(err.Error(), "hidden-key") {
				t.Errorf("the failure tells what the server wrote: %v", err)
			}
		})
	}
}

// raw answers a connection with bytes that may be no HTTP.
func raw(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil { // nothing is said unasked
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = io.WriteString(c, answer)
			}
			_ = c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestAnswersThatAreNone(t *testing.T) {
	tests := map[string]struct {
		answer string // as raw HTTP
		class  chat.Class
	}{
		"empty":                   {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", chat.ClassBadResponse},
		"larger than the limit":   {"HTTP/1.1 200 OK\r\nContent-Length: 68000000\r\n\r\nx", chat.ClassBadResponse},
		"shorter than it said":    {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", chat.ClassCutOff},
		"cut within a chunk":      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", chat.ClassCutOff},
		"compressed, unasked":     {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", chat.ClassBadResponse},
		"another kind of success": {"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}", chat.ClassBadResponse},
		"a redirect":              {"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", chat.ClassBadResponse},
		"an error that breaks":    {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 10\r\n\r\nhalf", chat.ClassOverloaded},
	}
	client := clientOf(t, llm.ClientConfig{})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if b, err := ask(t.Context(), client, raw(t, tt.answer)); chat.ClassOf(err) != tt.class {
				t.Errorf("got %q, %v; want %s", b, err, tt.class)
			}
		})
	}
	t.Run("endless", func(t *testing.T) {
		base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			page := make([]byte, 1<<20)
			for range llm.MaxAnswer>>20 + 1 {
				if _, err := w.Write(page); err != nil {
					return
				}
			}
		})
		if _, err := ask(t.Context(), client, base); chat.ClassOf(err) != chat.ClassBadResponse {
			t.Errorf("got %v, want bad_response", err)
		}
	})
}

func TestAnErrorsBodyIsReadUpToALimit(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.Copy(w, io.LimitReader(neverEnds{}, 1<<20))
	})
	var read int
	_, err := llm.Call{URL: base, Explain: func(b []byte) (llm.Refusal, bool) { read = len(b); return llm.Refusal{}, false }}.Do(t.Context(), clientOf(t, llm.ClientConfig{}))
	if chat.ClassOf(err) != chat.ClassInvalid || read != llm.MaxError {
		t.Errorf("got %v after %d bytes, want invalid_request after %d", err, read, llm.MaxError)
	}
}

type neverEnds struct{}

func (neverEnds) Read(p []byte) (int, error) { return len(p), nil }

func TestTheClientAsksForWhatItIsTo(t *testing.T) {
	var got http.Header
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.Header()["Date"] = nil
		_, _ = io.WriteString(w, "{}")
	})
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	var proxied []string
	client := clientOf(t, llm.ClientConfig{
		Clock: func() time.Time { return now },
		Proxy: func(r *http.Request) (*url.URL, error) { proxied = append(proxied, r.URL.Host); return nil, nil },
	})
	resp, err := llm.Call{URL: base, Header: http.Header{"X-Key": {"k"}}}.Do(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got.Get("Accept-Encoding") != "" || got.Get("Content-Type") != "application/json" || got.Get("X-Key") != "k" {
		t.Errorf("got the header %v, want JSON, the key, and no compression asked for", got)
	}
	if d := resp.Header.Get("Date"); d != "Wed, 04 Mar 2026 05:06:07 GMT" {
		t.Errorf("an answer without a date has %q, want the clock's", d)
	}
	if len(proxied) != 1 {
		t.Errorf("the proxy was asked for %q, want once", proxied)
	}
}

func TestFromBodyTellsWhoEndedIt(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	tests := map[string]struct {
		ctx  context.Context
		err  error
		want chat.Class
	}{
		"the caller":       {gone, io.ErrUnexpectedEOF, chat.ClassCanceled},
		"somebody's":       {t.Context(), context.Canceled, chat.ClassCanceled},
		"the time":         {t.Context(), iotest.ErrTimeout, chat.ClassCutOff}, // a timeout by name alone
		"a deadline":       {t.Context(), context.DeadlineExceeded, chat.ClassTimeout},
		"a clean end":      {t.Context(), io.EOF, chat.ClassCutOff},
		"something else":   {t.Context(), errors.New(strings.Repeat("long ", 100)), chat.ClassCutOff},
		"a network's time": {t.Context(), &net.OpError{Op: "read", Err: timeoutError{}}, chat.ClassTimeout},
	}
	for name, tt := range tests {
		f := llm.FromBody(tt.ctx, tt.err)
		if f.Class != tt.want || len(f.Error()) > 300 {
			t.Errorf("%s: got %v, want %s in few words", name, f, tt.want)
		}
	}
}

type timeoutError struct{}

func (timeoutError) Error() string { return "i/o timeout" }
func (timeoutError) Timeout() bool { return true }

func TestMediaType(t *testing.T) {
	for in, want := range map[string]string{
		"application/json; charset=UTF-8": "application/json", "Text/Event-Stream": "text/event-stream", "text/html; charset=\"": "text/html", "": "",
	} {
		if got := llm.MediaType(http.Header{"Content-Type": {in}}); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestDropsAreNamedOrRefused(t *testing.T) {
	var d llm.Drops
	d.Add("seed")
	d.Add("seed")
	got, err := d.Fields(&chat.Request{Untranslated: []string{"logit_bias", "seed"}})
	if err != nil || strings.Join(got, " ") != "seed logit_bias" {
		t.Errorf("got %q, %v; want each field once", got, err)
	}
	_, err = d.Fields(&chat.Request{Strict: true})
	if f, ok := errors.AsType[*chat.Failure](err); !ok || f.Class != chat.ClassUnsupport || f.Param != "seed" {
		t.Errorf("strict: got %v, want unsupported naming seed", err)
	}
	if _, err := new(llm.Drops).Fields(&chat.Request{Strict: true}); err != nil {
		t.Errorf("strict, with nothing dropped: got %v", err)
	}
}
