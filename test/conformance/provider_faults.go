package conformance

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// cutAnswers breaks good answers off in many places, by the end of the body and by a broken connection.
func (s *providerSuite) cutAnswers(t *testing.T) {
	for _, streamed := range []bool{false, true} {
		for _, c := range s.good(t, streamed) {
			x := exchangeOf(c)
			whole := s.ask(t, x, wayWhole)
			for _, at := range cuts(len(x.body)) {
				for _, abort := range []bool{false, true} {
					cut := x
					cut.body, cut.abort = x.body[:at], abort
					o := s.ask(t, cut, wayWhole)
					if o.Class == "" && (o.Text != whole.Text || o.Finish != whole.Finish || len(o.Tools) != len(whole.Tools)) {
						t.Errorf("%s cut at byte %d of %d (connection broken: %t) was taken for whole: %q, %s", c.Name, at, len(x.body), abort, o.Text, o.Finish)
					}
					if o.Class != "" && o.Class != chat.ClassCutOff && o.Class != chat.ClassBadResponse {
						t.Errorf("%s cut at byte %d: got the class %s, want cut_off or bad_response", c.Name, at, o.Class)
					}
					if !strings.HasPrefix(whole.Text, o.Text) {
						t.Errorf("%s cut at byte %d: got the text %q, which %q does not begin with", c.Name, at, o.Text, whole.Text)
					}
				}
			}
		}
	}
}

// cuts are a dozen places within n bytes.
func cuts(n int) []int {
	out := []int{0, 1}
	for i := 1; i < 10; i++ {
		out = append(out, n*i/10)
	}
	return append(out, n-1)
}

// lies answers what no vendor should, whole and as a stream.
func (s *providerSuite) lies(t *testing.T) {
	html := http.Header{"Content-Type": {"text/html; charset=UTF-8"}}
	plain := http.Header{"Content-Type": {"application/json"}}
	events := http.Header{"Content-Type": {"text/event-stream"}}
	page := "<html><body>Temporarily out of order</body></html>"
	for name, lie := range map[string]struct {
		status int
		header http.Header
		body   string
		class  chat.Class
	}{
		"HTML with 200":               {200, html, page, chat.ClassBadResponse},
		"an empty body":               {200, plain, "", chat.ClassBadResponse},
		"an empty stream":             {200, events, "", chat.ClassBadResponse},
		"an empty object":             {200, plain, "{}", chat.ClassBadResponse},
		"null":                        {200, plain, "null", chat.ClassBadResponse},
		"a list":                      {200, plain, "[]", chat.ClassBadResponse},
		"events that are no JSON":     {200, events, "data: out of order\n\n", chat.ClassBadResponse},
		"a megabyte of nothing":       {200, plain, strings.Repeat("x", 1<<20), chat.ClassBadResponse},
		"a line of a megabyte":        {200, events, "data: " + strings.Repeat("x", 1<<20) + "\n\n", chat.ClassBadResponse},
		"HTML with 500":               {500, html, page, chat.ClassServer},
		"HTML with 502":               {502, html, page, chat.ClassServer},
		"HTML with 503":               {503, html, page, chat.ClassOverloaded},
		"HTML with 429":               {429, html, page, chat.ClassRateLimited},
		"nothing with 401":            {401, plain, "", chat.ClassAuth},
		"nothing with 408":            {408, plain, "", chat.ClassTimeout},
		"no content at all, with 204": {204, plain, "", chat.ClassBadResponse},
	} {
		t.Run(name, func(t *testing.T) {
			for _, streamed := range []bool{false, true} {
				x := exchange{status: lie.status, header: lie.header, body: []byte(lie.body), streamed: streamed}
				if o := s.ask(t, x, wayWhole); o.Class != lie.class || o.Text != "" {
					t.Errorf("streamed %t: got %s and the text %q, want %s", streamed, o.Class, o.Text, lie.class)
				}
			}
		})
	}
}

// longLine puts a mebibyte of nothing into a stream.
func (s *providerSuite) longLine(t *testing.T) {
	x := s.text(t, true)
	want := s.ask(t, x, wayWhole)
	for name, body := range longer(x) {
		x.body = body
		if diff := cmp.Diff(want, s.ask(t, x, wayWhole)); diff != "" {
			t.Errorf("a long %s changes the answer (-short +long):\n%s", name, diff)
		}
	}
}

var messageOf = regexp.MustCompile(`"message"\s*:\s*"(?:[^"\\]|\\.)*"`)

// scrubs puts secrets into what the vendor says of the caller's mistake.
func (s *providerSuite) scrubs(t *testing.T) {
	for _, c := range s.cases {
		if c.Status != http.StatusBadRequest || c.Meta["want-class"] != string(chat.ClassInvalid) || !messageOf.Match(c.Body) {
			continue
		}
		x := exchangeOf(c)
		x.streamed = false
		x.method = ""
		said := `"message": "field one is wrong, says https://internal.example/secret?id=1 to ` + Key + `, not sk-another-0123456789 ` + strings.Repeat("ü", 5000) + `"`
		x.body = messageOf.ReplaceAll(x.body, []byte(said))
		o := s.ask(t, x, wayWhole) // which looks for the key
		if !strings.Contains(o.Message, "field one is wrong") {
			continue // this one says it elsewhere
		}
		if strings.Contains(o.Message, "internal.example") || strings.Contains(o.Message, "sk-another") || len(o.Message) > 2<<10 || !utf8.ValidString(o.Message) {
			t.Errorf("%s: got %d bytes, the beginning %.80q; want at most 2 KB of UTF-8 without URL and key", c.Name, len(o.Message), o.Message)
		}
		return
	}
	t.Fatalf("%s has no wire case of status 400 and class invalid_request whose message is passed on", s.vendor.Name)
}

// redirects sends the provider elsewhere, where a credential has no business.
func (s *providerSuite) redirects(t *testing.T) {
	var reached atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		o := s.ask(t, exchange{status: status, header: http.Header{"Location": {elsewhere.URL}}}, wayWhole)
		if o.Class == "" {
			t.Errorf("a redirect with %d was taken for an answer", status)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d requests followed a redirect", n)
	}
}

// unreachable has nobody listen, and somebody who hangs up.
func (s *providerSuite) unreachable(t *testing.T) {
	var attempts atomic.Int64
	rude := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { attempts.Add(1); panic(http.ErrAbortHandler) }))
	t.Cleanup(rude.Close)
	const gone = "http://127.0.0.1:1" // a port that only root could open; one that was closed a moment ago may be another test's by now
	for name, base := range map[string]string{"nobody listens": gone, "the connection is reset": rude.URL, "no URL": "http://[::1"} {
		for _, streamed := range []bool{false, true} {
			to := outbound.Target{Provider: "conformance", Model: Model, Secret: secret.New(Key), BaseURL: base}
			if o := call(t.Context(), t, s.provider(t, wayWhole), to, streamed); o.Class != chat.ClassConnect {
				t.Errorf("%s, streamed %t: got %s, want connect_error", name, streamed, o.Class)
			}
		}
	}
	if n := attempts.Load(); n != 2 {
		t.Errorf("%d attempts for 2 calls whose connection was reset, want 2", n)
	}
}

// silence answers nothing, or a first piece and nothing more.
func (s *providerSuite) silence(t *testing.T) {
	for name, begun := range map[string][]byte{"from the beginning": nil, "after the first event": firstEvent(s.text(t, true))} {
		for _, streamed := range []bool{false, true} {
			if begun != nil && !streamed {
				continue
			}
			stuck := s.stuck(t, begun)
			p := s.vendor.New(impatient(t))
			if o := call(t.Context(), t, p.Provider, stuck.target(), streamed); o.Class != chat.ClassTimeout {
				t.Errorf("%s, streamed %t: got %s, want timeout", name, streamed, o.Class)
			}
			stuck.wantLeft(t)
		}
	}
}

// leaving cancels calls that wait, and stops reading streams.
func (s *providerSuite) leaving(t *testing.T) {
	for _, streamed := range []bool{false, true} {
		stuck := s.stuck(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-stuck.arrived
			cancel()
		}()
		if o := call(ctx, t, s.provider(t, wayWhole), stuck.target(), streamed); o.Class != chat.ClassCanceled {
			t.Errorf("streamed %t: got %s, want canceled", streamed, o.Class)
		}
		stuck.wantLeft(t)
	}
	x := s.text(t, true)
	stuck := s.stuck(t, x.body[:len(x.body)/2])
	stream, err := s.provider(t, wayWhole).Stream(t.Context(), stuck.target(), neutral())
	if err != nil {
		t.Fatalf("the first half of a stream: %v", err)
	}
	for range stream {
		break
	}
	stuck.wantLeft(t)
}

// stuckUpstream sends headers and a beginning, or nothing at all, and then waits until the caller leaves.
type stuckUpstream struct {
	*upstream
	arrived, left chan struct{}
}

// wantLeft waits for the caller to leave; a test that nobody ends would say less.
func (up *stuckUpstream) wantLeft(t *testing.T) {
	t.Helper()
	select {
	case <-up.left:
	case <-time.After(20 * time.Second):
		up.CloseClientConnections()
		t.Error("the upstream call goes on although the caller has left")
	}
}

func (s *providerSuite) stuck(t *testing.T, begun []byte) *stuckUpstream {
	t.Helper()
	kind := "text/event-stream"
	if begun != nil && isFramed(s.text(t, true).header) {
		kind = eventStream
	}
	up := &stuckUpstream{upstream: &upstream{}, arrived: make(chan struct{}), left: make(chan struct{})}
	up.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		up.take(r)
		if begun != nil {
			out.Header().Set("Content-Type", kind)
			_, _ = out.Write(begun)
			_ = http.NewResponseController(out).Flush()
		}
		close(up.arrived)
		<-r.Context().Done()
		close(up.left)
	}))
	t.Cleanup(up.Close)
	return up
}
