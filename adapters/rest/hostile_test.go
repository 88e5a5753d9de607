package rest_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/rest"
)

func TestWhatCannotBeReadIsNotRepeated(t *testing.T) {
	const secret = "Bearer very-secret"
	tests := map[string]struct {
		request string
		status  string
		code    string
	}{
		"a header without colon":   {"GET / HTTP/1.1\r\nHost: x\r\nAuthorization " + secret + "\r\n\r\n", "400", "malformed"},
		"not HTTP":                 {secret + "\r\n\r\n", "400", "malformed"},
		"two lengths":              {"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", "400", "malformed"},
		"chunks of no number":      {"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nAuthorization: " + secret + "\r\n\r\nzz\r\n", "400", "malformed"},
		"headers beyond the limit": {"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: " + secret + strings.Repeat("x", 20<<10) + "\r\n\r\n", "431", "headers_too_large"},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.raw(tc.request)
			if !strings.HasPrefix(got, "HTTP/1.1 "+tc.status+" ") || !strings.Contains(got, `"code":"`+tc.code+`"`) || !strings.Contains(got, "Content-Type: application/problem+json\r\n") {
				t.Errorf("got %q, want %s %s", got, tc.status, tc.code)
			}
			resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(got)), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			w.checkHead("?", "?", answer{resp.StatusCode, resp.Header, body})
			if strings.Contains(got, "very-secret") || strings.Contains(w.log(), "very-secret") {
				t.Error("the answer or the log repeats the request")
			}
		})
	}
}

func TestABodyThatWaitsToBeAskedFor(t *testing.T) {
	w := start(t)
	c := w.dial()
	defer c.Close()
	_, _ = io.WriteString(c, "POST /api/v1/auth/logout HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n")
	const proceed = "HTTP/1.1 100 Continue\r\n\r\n"
	got := make([]byte, len(proceed))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != proceed {
		t.Fatalf("got %q, %v, want to be asked", got, err)
	}
	_, _ = io.WriteString(c, "{}")
	if rest, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(rest), "HTTP/1.1 204 ") {
		t.Errorf("got %q, %v, want 204", rest, err)
	}
}

func TestAHiddenRequestIsNotServed(t *testing.T) {
	w := start(t)
	got := w.raw("POST /api/v1/auth/logout HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
		"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if n := strings.Count(got, "HTTP/1.1 "); n != 1 {
		t.Errorf("got %d answers, want 1: %q", n, got)
	}
}

func TestSlowRequestsEnd(t *testing.T) {
	tests := map[string]string{
		"slow headers":  "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n",
		"a slow body":   "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
		"a slow chunk":  "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
		"a slow task":   "POST /api/v1/ai/execute HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
		"a silent peer": "",
	}
	w := start(t, func(c *rest.Config) { c.HeaderTimeout, c.BodyTimeout = 300*time.Millisecond, 400*time.Millisecond })
	for name, request := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := w.raw(request); !strings.HasPrefix(got, "HTTP/1.1 408 ") || !strings.Contains(got, `"code":"request_timeout"`) {
				t.Errorf("got %q, want 408", got)
			}
		})
	}
}

func TestAnAITaskHasTimeToArrive(t *testing.T) {
	w := start(t, func(c *rest.Config) { c.HeaderTimeout, c.BodyTimeout = 150*time.Millisecond, 20*time.Second })
	c := w.dial()
	defer c.Close()
	body := `{"task":"x"}`
	_, _ = io.WriteString(c, "POST /api/v1/ai/execute HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "+aiKey+
		"\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n"+body[:1])
	if got := w.raw("GET /api/v1/health HTTP/1.1\r\nHost: x\r\n"); !strings.HasPrefix(got, "HTTP/1.1 408 ") {
		t.Fatalf("got %q, want 408", got) // so that the time for headers has passed for the first one too
	}
	_, _ = io.WriteString(c, body[1:])
	got, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 200 ") {
		t.Errorf("got %q, %v, want 200", got, err)
	}
}
