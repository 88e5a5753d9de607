package harness

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/forge1/forge1/test/openapicheck"
)

// Client speaks to a Forge over HTTP.
type Client struct {
	base   string
	bearer string
	http   *http.Client
	check  func(t testing.TB, req *http.Request, status int, header http.Header, body []byte)
}

// NewPlainClient makes a client without credential and without checks, of any server.
func NewPlainClient(base string) *Client { return &Client{base: base, http: &http.Client{}} }

// As gives a client with another credential; "" sends none.
func (c *Client) As(bearer string) *Client {
	d := *c
	d.bearer = bearer
	return &d
}

// Answer is a response that was read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Into decodes the body; a body that is no JSON fails the test.
func (a Answer) Into(t testing.TB, out any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, out); err != nil {
		t.Errorf("decode %q: %v", a.Body, err)
	}
}

// Field gives a top-level field of a JSON object as text, "" when it is not there.
func (a Answer) Field(name string) string {
	var m map[string]any
	if json.Unmarshal(a.Body, &m) != nil {
		return ""
	}
	s, _ := m[name].(string)
	return s
}

// Do sends a request with a JSON body (nil for none; a []byte or string goes as it is) and reads the answer. It may be called from any
// goroutine: what goes wrong fails the test and gives an empty answer.
func (c *Client) Do(t testing.TB, method, path string, body any, headers ...string) Answer {
	t.Helper()
	res, err := c.send(t, method, path, body, headers...)
	if err != nil {
		t.Errorf("%s %s: %v", method, path, err)
		return Answer{Header: http.Header{}}
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Errorf("%s %s: read the answer: %v", method, path, err)
	}
	if c.check != nil {
		c.check(t, res.Request, res.StatusCode, res.Header, b)
	}
	return Answer{res.StatusCode, res.Header, b}
}

// Open sends a request and gives the response unread. Headers are name, value pairs.
func (c *Client) Open(t testing.TB, method, path string, body any, headers ...string) *http.Response {
	t.Helper()
	res, err := c.send(t, method, path, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return res
}

func (c *Client) send(t testing.TB, method, path string, body any, headers ...string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.base+path, reader(t, body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return c.http.Do(req)
}

// JSON sends a request, demands a 2xx and decodes the answer into out (nil: ignored).
func (c *Client) JSON(t testing.TB, method, path string, body, out any, headers ...string) Answer {
	t.Helper()
	a := c.Do(t, method, path, body, headers...)
	if a.Status/100 != 2 {
		t.Errorf("%s %s: got %d %s, want 2xx", method, path, a.Status, a.Body)
		return a
	}
	if out != nil {
		a.Into(t, out)
	}
	return a
}

func reader(t testing.TB, body any) io.Reader {
	t.Helper()
	switch b := body.(type) {
	case nil:
		return nil
	case []byte:
		return bytes.NewReader(b)
	case string:
		return bytes.NewReader([]byte(b))
	default:
		raw, err := json.Marshal(body)
		if err != nil {
			t.Errorf("encode the body: %v", err)
		}
		return bytes.NewReader(raw)
	}
}

// newClient makes a client that holds every answer against the document that the server itself serves.
func newClient(t testing.TB, base, bearer string) *Client {
	t.Helper()
	c := NewPlainClient(base).As(bearer)
	a := c.As("").Do(t, http.MethodGet, "/openapi.json", nil)
	doc, err := openapicheck.Load(a.Body)
	if err != nil {
		t.Fatalf("load /openapi.json: %v", err)
	}
	c.check = func(t testing.TB, req *http.Request, status int, header http.Header, body []byte) {
		t.Helper()
		if err := doc.Check(req.Method, req.URL.Path, status, header, body); err != nil {
			t.Errorf("%s %s answered %d outside of the document: %v", req.Method, req.URL.Path, status, err)
		}
	}
	return c
}
