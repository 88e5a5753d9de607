package rest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/rest"
	"github.com/forge1/forge1/test/openapicheck"
)

var epoch = time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)

// world is a server on a real port with fakes behind it. Every answer that its client sees is held against the document.
type world struct {
	t      testing.TB
	server *rest.Server
	addr   string
	client *http.Client
	doc    *openapicheck.Document

	people  *people
	account *account
	house   *house
	keys    *keys
	models  *models
	checks  *checks
	shelf   *shelf

	mu   sync.Mutex
	logs bytes.Buffer
	seen []rest.Observation
}

// Write takes the log.
func (w *world) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logs.Write(b)
}

func (w *world) log() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logs.String()
}

func (w *world) observed() []rest.Observation {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]rest.Observation(nil), w.seen...)
}

func start(t testing.TB, change ...func(*rest.Config)) *world {
	t.Helper()
	w := &world{t: t, people: &people{}, account: &account{}, house: &house{}, keys: &keys{}, models: &models{}, checks: &checks{}, shelf: &shelf{}}
	config := rest.Config{
		PublicBaseURL: "http://localhost:8000", Version: "1.2.3", MaxBodyBytes: 1 << 20, CORSOrigins: []string{"*"},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")},
	}
	for _, c := range change {
		c(&config)
	}
	var ids atomic.Int64
	w.server = rest.New(rest.Deps{
		Auth: w.people, Gatekeeper: w.people, APIKeys: w.keys, Gateway: w.models, TokenCounts: w.models, Embeddings: w.models, Health: w.checks, Passwords: w.account, MFA: w.account,
		Sessions: w.account, Keys: w.account, Members: w.house, Audit: w.house, Platform: w.house, Policies: &routes{w.house}, Decisions: &archive{w.house}, Usage: &ledger{w.house}, QR: drawn,
		Logger: slog.New(slog.NewJSONHandler(w, nil)), Clock: func() time.Time { return epoch },
		Responses: w.shelf,
		NewID:     func() string { return fmt.Sprintf("01940000-0000-7000-8000-%012x", ids.Add(1)) },
		Observe: func(o rest.Observation) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.seen = append(w.seen, o)
		},
	}, config)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(ln) }()
	w.client = &http.Client{Transport: &http.Transport{DisableCompression: true}}
	t.Cleanup(func() {
		w.client.CloseIdleConnections()
		ctx, done := context.WithTimeout(context.Background(), 10*time.Second)
		defer done()
		_ = w.server.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Errorf("serve: got %v, want none", err)
		}
	})
	w.doc = w.document()
	return w
}

func (w *world) document() *openapicheck.Document {
	w.t.Helper()
	resp, err := w.client.Get("http://" + w.addr + "/openapi.json")
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if doc, ok := documents.Load(string(b)); ok {
		return doc.(*openapicheck.Document)
	}
	doc, err := openapicheck.Load(b)
	if err != nil {
		w.t.Fatal(err)
	}
	documents.Store(string(b), doc)
	return doc
}

// documents holds those that were proven valid; reading one takes longer than most tests.
var documents sync.Map

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// code is the code of a failure, in either shape; Anthropic's has none, and what it has instead stands for one.
func (a answer) code() string {
	var p struct {
		Code  string
		Type  string
		Error struct{ Code, Type string }
	}
	_ = json.Unmarshal(a.body, &p)
	if p.Type == "error" {
		return map[string]string{"authentication_error": "unauthenticated", "permission_error": "insufficient_scope"}[p.Error.Type]
	}
	return p.Code + p.Error.Code
}

func (a answer) into(t testing.TB, dst any) {
	t.Helper()
	if err := json.Unmarshal(a.body, dst); err != nil {
		t.Fatalf("%s: %v", a, err)
	}
}

// options of a request: "Name: value" is a header, another one the credential.
func (w *world) do(method, path, body string, options ...string) answer {
	w.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, "http://"+w.addr+path, reader)
	if err != nil {
		w.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, o := range options {
		name, value, isHeader := strings.Cut(o, ": ")
		switch {
		case !isHeader:
			req.Header.Set("Authorization", "Bearer "+o)
		case value == "":
			req.Header.Del(name)
		case name == "Content-Type":
			req.Header.Set(name, value)
		default:
			req.Header.Add(name, value)
		}
	}
	resp, err := w.client.Do(req)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	a := answer{resp.StatusCode, resp.Header, b}
	w.checkHead(method, path, a)
	if err := w.doc.Check(method, path, a.status, a.header, a.body); err != nil && !strings.HasPrefix(path, "/docs") && !strings.HasPrefix(path, "/auth/") && !strings.HasPrefix(path, "/problems/") {
		w.t.Errorf("against the document: %v\n%s", err, a)
	}
	return a
}

// headOf is what every answer carries: the header's name and what its value looks like.
var headOf = map[string]*regexp.Regexp{
	"Cache-Control":                regexp.MustCompile(`^no-store$`),
	"X-Content-Type-Options":       regexp.MustCompile(`^nosniff$`),
	"Referrer-Policy":              regexp.MustCompile(`^no-referrer$`),
	"Content-Security-Policy":      regexp.MustCompile(`^default-src 'none'; frame-ancestors 'none'$`),
	"Cross-Origin-Resource-Policy": regexp.MustCompile(`^same-origin$`),
	"Strict-Transport-Security":    regexp.MustCompile(`^max-age=31536000; includeSubDomains$`),
	"X-Request-Id":                 regexp.MustCompile(`^[A-Za-z0-9-]{8,64}$`),
	"X-Trace-Id":                   regexp.MustCompile(`^[0-9a-f]{32}$`),
	"Server":                       regexp.MustCompile(`^$`),
	"X-Powered-By":                 regexp.MustCompile(`^$`),
}

// headOfPages is what pages and public files have in another form.
var headOfPages = map[string]*regexp.Regexp{
	"Content-Security-Policy": regexp.MustCompile(`^default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:`),
	"Cache-Control":           regexp.MustCompile(`^(no-store|public, max-age=\d+)$`),
}

// checkHead proves of each answer that its head is whole and its failures are of the one form.
func (w *world) checkHead(method, path string, a answer) {
	w.t.Helper()
	page := strings.HasPrefix(path, "/docs") || strings.HasPrefix(path, "/problems/") || strings.HasPrefix(path, "/auth/")
	for name, like := range headOf {
		other := headOfPages[name]
		if page && method != http.MethodPost && a.status == http.StatusOK && other != nil || strings.HasPrefix(path, "/.well-known/") && name == "Cache-Control" {
			like = other
		}
		if v := a.header.Get(name); !like.MatchString(v) || len(a.header.Values(name)) > 1 {
			w.t.Errorf("%s %s: %d with %s: %q, want %s", method, path, a.status, name, a.header.Values(name), like)
		}
	}
	wants := map[string]bool{
		"Www-Authenticate": a.status == 401, "Retry-After": a.status == 429 || a.status == 503, "Allow": a.status == 405 || method == http.MethodOptions && a.status == 204,
	}
	for name, want := range wants {
		if v := a.header.Get(name); (v != "") != want {
			w.t.Errorf("%s %s: %d with %s: %q, want one: %t", method, path, a.status, name, v, want)
		}
	}
	if media := a.header.Get("Content-Type"); a.status >= 400 && media != "application/json" && method != http.MethodHead && (media != "application/problem+json" || a.code() == "") {
		w.t.Errorf("%s %s: the failure has no code: %s", method, path, a)
	}
}

func (w *world) post(path, body string, options ...string) answer {
	w.t.Helper()
	return w.do(http.MethodPost, path, body, options...)
}

func (w *world) get(path string, options ...string) answer {
	w.t.Helper()
	return w.do(http.MethodGet, path, "", options...)
}

// raw sends bytes on a connection of its own and gives everything that comes back until the server closes it.
func (w *world) raw(request string) string {
	w.t.Helper()
	c := w.dial()
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		w.t.Fatal(err)
	}
	b, err := io.ReadAll(bufio.NewReader(c))
	if err != nil {
		w.t.Fatalf("%v after %q", err, b)
	}
	return string(b)
}

func (w *world) dial() net.Conn {
	w.t.Helper()
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// lastLine gives the last line of the log once there are n.
func (w *world) lines() []map[string]any {
	w.t.Helper()
	var out []map[string]any
	for line := range strings.SplitSeq(strings.TrimSpace(w.log()), "\n") {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			w.t.Fatalf("the log line %q: %v", line, err)
		}
		out = append(out, m)
	}
	return out
}
