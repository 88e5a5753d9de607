package attack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var background = context.Background()

type commandError struct {
	out string
	err error
}

func (e *commandError) Error() string { return e.err.Error() + ": " + e.out }

// request is what options change before it is sent.
type request struct {
	*http.Request
	node  *node
	plain bool
}

type with func(*request)

// from sends X-Forwarded-For as it stands; without it every request comes from an address of its own.
func from(ip string) with { return header("X-Forwarded-For", ip) }

// as sends a bearer credential.
func as(credential string) with { return header("Authorization", "Bearer "+credential) }

// header sets a header; the value "" removes it.
func header(name, value string) with {
	return func(r *request) {
		if value == "" {
			r.Header.Del(name)
			return
		}
		r.Header.Set(name, value)
	}
}

// plain says that what the request's fields hold is no secret, whatever their names.
func plain(r *request) { r.plain = true }

// also adds a header beside others of its name.
func also(name, value string) with { return func(r *request) { r.Header.Add(name, value) } }

// on sends the request to another node.
func on(n *node) with { return func(r *request) { r.node = n } }

// anAddress gives an address that nobody had before.
func anAddress() string {
	n := serial.Add(1)
	return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
}

// answer is a response that was read to its end.
type answer struct {
	what   string // the request's method and path
	status int
	header http.Header
	body   []byte
	took   time.Duration
}

func (a answer) String() string {
	body := string(a.body)
	if len(body) > 600 {
		body = body[:600] + "…"
	}
	return fmt.Sprintf("%s: got %d %s", a.what, a.status, body)
}

// do sends a request: a body of []byte or string as it is, nil for none, anything else as JSON. It may be called from any goroutine.
func (w *world) do(t testing.TB, method, path string, body any, options ...with) answer {
	t.Helper()
	a, err := w.try(t, method, path, body, options...)
	if err != nil {
		t.Errorf("%s %s: %v", method, path, err)
	}
	return a
}

// try is do for a process that may not answer.
func (w *world) try(t testing.TB, method, path string, body any, options ...with) (answer, error) {
	t.Helper()
	a := answer{what: method + " " + path, header: http.Header{}}
	raw, err := encoded(body)
	if err != nil {
		return a, err
	}
	req := &request{node: w.node}
	if req.Request, err = http.NewRequestWithContext(background, method, "http://forge.invalid"+path, raw); err != nil {
		return a, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("X-Forwarded-For", anAddress())
	for _, o := range options {
		o(req)
	}
	host := req.Host
	req.URL.Host = req.node.addr
	if host == "forge.invalid" {
		req.Host = ""
	}
	begun := time.Now()
	res, err := w.http.Do(req.Request)
	if err != nil {
		return a, err
	}
	defer func() { _ = res.Body.Close() }()
	a.status, a.header = res.StatusCode, res.Header
	a.body, err = io.ReadAll(res.Body)
	a.took = time.Since(begun)
	if req.plain {
		body = nil
	}
	w.secrets.learn(body, a.body)
	if a.status == http.StatusInternalServerError {
		t.Errorf("%s: no input may do that", a)
	}
	return a, err
}

func encoded(body any) (io.Reader, error) {
	switch b := body.(type) {
	case nil:
		return http.NoBody, nil
	case []byte:
		return bytes.NewReader(b), nil
	case string:
		return strings.NewReader(b), nil
	}
	raw, err := json.Marshal(body)
	return bytes.NewReader(raw), err
}

// fields is a JSON object.
type fields = map[string]any

// post posts to /api/v1/auth/NAME, or to a path that begins with a slash.
func (w *world) post(t testing.TB, name string, body any, options ...with) answer {
	t.Helper()
	return w.do(t, http.MethodPost, path(name), body, options...)
}

// get gets /api/v1/auth/NAME, or a path that begins with a slash.
func (w *world) get(t testing.TB, name string, options ...with) answer {
	t.Helper()
	return w.do(t, http.MethodGet, path(name), nil, options...)
}

func path(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return "/api/v1/auth/" + name
}

// want checks the status and, with a code, that the answer is a whole problem with it.
func (a answer) want(t testing.TB, status int, code string) answer {
	t.Helper()
	if a.status != status {
		t.Errorf("%s, want %d %s", a, status, code)
		return a
	}
	if code == "" {
		return a
	}
	var p struct {
		Type, Title, Code string
		Status            int
		RequestID         string `json:"request_id"`
	}
	if media := a.header.Get("Content-Type"); media != "application/problem+json" {
		t.Errorf("%s: Content-Type %q, want application/problem+json", a, media)
	}
	if err := json.Unmarshal(a.body, &p); err != nil || p.Type == "" || p.Title == "" || p.Status != status || p.RequestID == "" {
		t.Errorf("%s, want a whole problem", a)
	}
	if p.Code != code {
		t.Errorf("%s, want code %s", a, code)
	}
	return a
}

// must is want for what the rest of a row builds on: it ends the row.
func (a answer) must(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("%s, want %d", a, status)
	}
	return a
}

// str gives a field of the body as text, by its path: "session.id", "errors.0.code"; "" when it is not there.
func (a answer) str(path string) string {
	switch v := a.at(path).(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		raw, _ := json.Marshal(v)
		return string(raw)
	}
}

// at gives a field of the body by its path.
func (a answer) at(path string) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	for name := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// strs gives a field that is a list of texts.
func (a answer) strs(path string) []string {
	list, _ := a.at(path).([]any)
	var out []string
	for _, v := range list {
		s, _ := v.(string)
		out = append(out, s)
	}
	return out
}

var requestID = regexp.MustCompile(`"request_id":"[^"]*"`)

// essence is what must be the same where answers must be the same: all but request ids, times and what is left of limits.
func (a answer) essence() string {
	var b strings.Builder
	fmt.Fprintln(&b, a.status)
	for _, name := range slices.Sorted(mapsKeys(a.header)) {
		switch name {
		case "Date", "X-Request-Id", "X-Trace-Id", "Ratelimit":
			fmt.Fprintln(&b, name)
		default:
			fmt.Fprintln(&b, name, a.header[name])
		}
	}
	b.Write(requestID.ReplaceAll(a.body, nil))
	return b.String()
}

// same checks that answers differ in nothing that tells them apart.
func same(t testing.TB, answers map[string]answer) {
	t.Helper()
	var first, essence string
	for _, name := range slices.Sorted(mapsKeys(answers)) {
		e := answers[name].essence()
		switch {
		case first == "":
			first, essence = name, e
		case e != essence:
			t.Errorf("%s is told from %s:\n%s\n\n%s", name, first, e, essence)
		}
	}
}

// together does something n times at once, and gives what came of each.
func together[T any](n int, do func(i int) T) []T {
	out := make([]T, n)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-begin
			out[i] = do(i)
		})
	}
	close(begin)
	all.Wait()
	return out
}

// tally counts answers by status and code.
func tally(answers []answer) map[string]int {
	out := map[string]int{}
	for _, a := range answers {
		out[strings.TrimSpace(strconv.Itoa(a.status)+" "+a.str("code"))]++
	}
	return out
}

// raw sends bytes over a connection of their own and gives what comes back until the process closes it or falls silent for a second.
func (w *world) raw(t testing.TB, request string) string {
	t.Helper()
	conn, err := net.DialTimeout("tcp", w.node.addr, 10*time.Second)
	if err != nil {
		t.Errorf("connect: %v", err)
		return ""
	}
	defer func() { _ = conn.Close() }()
	go func() { _, _ = io.WriteString(conn, request) }() // it may be refused before it is read
	var out bytes.Buffer
	buf := make([]byte, 32<<10)
	wait := 10 * time.Second
	for {
		_ = conn.SetReadDeadline(time.Now().Add(wait))
		n, err := conn.Read(buf)
		out.Write(buf[:n])
		if err != nil {
			return out.String()
		}
		wait = time.Second
	}
}
