package conformance

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

const (
	// Key is the credential that the suites of outbound.Provider and outbound.Relay give to a provider. It looks like no vendor's key, so that
	// only a provider that knows its own secret can keep it.
	Key = "conformance.0123456789.abcdef"
	// Model is the model that they ask for.
	Model = "conformance-model"
)

// exchange is what the upstream answers to.
type exchange struct {
	status   int
	header   http.Header
	body     []byte
	request  []byte // of the wire case; the relay sends it
	streamed bool
	method   string // the last word of the path; "": any
	abort    bool   // the connection breaks after the body
}

// way is how an answer reaches the provider.
type way string

// The ways.
const (
	wayWhole  way = "whole"
	wayBytes  way = "byte by byte"
	wayPieces way = "in pieces"
)

// sent is a request as the upstream saw it.
type sent struct {
	method, url string
	header      http.Header
	body        []byte
}

// upstream is a vendor that answers every request alike, and remembers.
type upstream struct {
	*httptest.Server
	exchange
	mu   sync.Mutex
	sent []sent
}

func newUpstream(t *testing.T, x exchange, w way) *upstream {
	t.Helper()
	up := &upstream{exchange: x}
	up.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		up.take(r)
		for name, values := range x.header {
			out.Header()[name] = values
		}
		out.WriteHeader(x.status)
		writeIn(out, x.body, w)
		if x.abort {
			_ = http.NewResponseController(out).Flush()
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(up.Close)
	return up
}

// take reads a request to its end: only then does the server notice that the caller leaves.
func (up *upstream) take(r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	up.mu.Lock()
	defer up.mu.Unlock()
	up.sent = append(up.sent, sent{r.Method, r.URL.String(), r.Header.Clone(), body})
}

func (up *upstream) target() outbound.Target {
	return outbound.Target{Provider: "conformance", Model: Model, Credential: "c1", Secret: secret.New(Key), BaseURL: up.URL}
}

// writeIn writes a body as one, or in small pieces that leave one by one. The client cuts finer still.
func writeIn(out http.ResponseWriter, body []byte, w way) {
	flush := http.NewResponseController(out).Flush
	dice := rand.New(rand.NewPCG(uint64(len(body)), 7)) //nolint:gosec // the cuts are to be the same in every run
	for pieces := 0; len(body) > 0; pieces++ {
		n := len(body)
		switch {
		case w == wayWhole || pieces > 200:
		case w == wayBytes:
			n = 1
		default:
			n = min(1+dice.IntN(40), n)
		}
		if _, err := out.Write(body[:n]); err != nil {
			return
		}
		body = body[n:]
		if flush() != nil {
			return
		}
	}
}

// checkCall fails the test unless the provider asked once, for what it was to ask, and with the key in a header alone.
func (up *upstream) checkCall(t *testing.T) {
	t.Helper()
	up.mu.Lock()
	defer up.mu.Unlock()
	if len(up.sent) != 1 {
		t.Fatalf("the provider made %d attempts, want 1", len(up.sent))
	}
	s := up.sent[0]
	if s.method != http.MethodPost || !strings.HasPrefix(s.header.Get("Content-Type"), "application/json") || !json.Valid(s.body) {
		t.Errorf("got %s of %q, valid JSON: %t, want POST of application/json", s.method, s.header.Get("Content-Type"), json.Valid(s.body))
	}
	if strings.Contains(s.url, Key) || bytes.Contains(s.body, []byte(Key)) {
		t.Error("the key is in the URL or the body")
	}
	if enc := s.header.Get("Accept-Encoding"); enc != "" && enc != "identity" {
		t.Errorf("the provider takes %s, want no compression: a body is what the vendor sent", enc)
	}
	if up.method != "" && lastWord(s.url) != up.method {
		t.Errorf("the provider asked for %s, want %s", s.url, up.method)
	}
	if !bytes.Contains(s.body, []byte(Model)) && !strings.Contains(s.url, Model) {
		t.Error("the model is neither in the body nor in the URL")
	}
	var carried bool
	for _, values := range s.header {
		for _, v := range values {
			carried = carried || strings.Contains(v, Key)
		}
	}
	if !carried {
		t.Error("the key is in no header")
	}
}

// newClient makes the production's client with an answer's body cut on the way.
func newClient(t *testing.T, w way) *http.Client {
	t.Helper()
	return clientWith(t, w, llm.ClientConfig{})
}

func clientWith(t *testing.T, w way, c llm.ClientConfig) *http.Client {
	t.Helper()
	client := llm.NewClient(c)
	t.Cleanup(client.CloseIdleConnections)
	client.Transport = cutting{client.Transport, w}
	return client
}

// impatient waits for little.
func impatient(t *testing.T) *http.Client {
	t.Helper()
	return clientWith(t, wayWhole, llm.ClientConfig{FirstByteTimeout: 100 * time.Millisecond, IdleTimeout: 100 * time.Millisecond})
}

// cutting is a transport whose answers are read byte by byte, or in pieces of random length.
type cutting struct {
	http.RoundTripper
	way way
}

// RoundTrip implements http.RoundTripper.
func (c cutting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	switch c.way {
	case wayBytes:
		resp.Body = cutBody{iotest.OneByteReader(resp.Body), resp.Body}
	case wayPieces:
		dice := rand.New(rand.NewPCG(uint64(resp.StatusCode), 11)) //nolint:gosec // the cuts are to be the same in every run
		resp.Body = cutBody{&pieces{resp.Body, dice}, resp.Body}
	}
	return resp, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (c cutting) CloseIdleConnections() {
	if i, ok := c.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		i.CloseIdleConnections()
	}
}

type cutBody struct {
	io.Reader
	io.Closer
}

// pieces reads up to 23 bytes at once: shorter than most words of a stream, and now and then within a rune.
type pieces struct {
	io.Reader
	dice *rand.Rand
}

// Read implements io.Reader.
func (p *pieces) Read(b []byte) (int, error) {
	return p.Reader.Read(b[:min(len(b), 1+p.dice.IntN(23))])
}
