package llm

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// Limits on what is read from a vendor.
const (
	MaxAnswer = 64 << 20 // a whole answer
	MaxError  = 64 << 10 // an error body; what follows is not read
)

var jsonType = []string{"application/json"}

// Call is one request to a vendor: a POST of JSON, or a GET without a body.
type Call struct {
	Method  string // "": POST
	To      outbound.Target
	URL     string
	Header  http.Header // the credential and what else the vendor wants; Content-Type is set here
	Body    []byte      // not changed, and not kept once the answer's body is closed
	Explain Explain
}

// Do sends the call, once, and gives the answer if its status is 200; the caller closes its body. Everything else is a *chat.Failure.
// Cancelling ctx ends the call, also while the body is read.
func (c Call) Do(ctx context.Context, client *http.Client) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, cmp.Or(c.Method, http.MethodPost), c.URL, bytes.NewReader(c.Body))
	if err != nil {
		return nil, chat.Fail(chat.ClassConnect, fmt.Errorf("the base URL of %s is no URL", c.To.Provider))
	}
	if c.Header != nil {
		r.Header = c.Header
	}
	if r.Method == http.MethodPost {
		r.Header["Content-Type"] = jsonType
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, FromTransport(ctx, err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, FromResponse(resp, c.To, c.Explain)
	}
	if enc := resp.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		_ = resp.Body.Close()
		return nil, chat.Fail(chat.ClassBadResponse, fmt.Errorf("%s answered compressed, unasked", c.To.Provider))
	}
	return resp, nil
}

// Into sends the call, once, and reads the whole answer, which is JSON, into out. It fails as Do does, and also for an error within a 200.
func (c Call) Into(ctx context.Context, client *http.Client, out any) error {
	resp, err := c.Do(ctx, client)
	if err != nil {
		return err
	}
	body, err := ReadAnswer(ctx, resp)
	if err != nil {
		return err
	}
	if c.Explain != nil && bytes.Contains(body, errorWord) {
		if r, ok := c.Explain(body); ok {
			return r.Failure(c.To, resp.Header)
		}
	}
	if err := json.Unmarshal(body, out); err != nil {
		return BadResponse(c.To, "answered what was not asked for")
	}
	return nil
}

var errorWord = []byte(`"error"`)

// ReadAnswer reads a whole answer and closes it. It fails with a *chat.Failure when the body breaks off, falls silent, is empty, or is
// larger than MaxAnswer.
func ReadAnswer(ctx context.Context, resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	size := int64(bytes.MinRead)
	if resp.ContentLength > 0 {
		if resp.ContentLength > MaxAnswer {
			return nil, chat.Fail(chat.ClassBadResponse, errTooLarge)
		}
		size += resp.ContentLength
	}
	b := bytes.NewBuffer(make([]byte, 0, size))
	n, err := b.ReadFrom(io.LimitReader(resp.Body, MaxAnswer+1))
	switch {
	case err != nil:
		return nil, FromBody(ctx, err)
	case n > MaxAnswer:
		return nil, chat.Fail(chat.ClassBadResponse, errTooLarge)
	case n == 0:
		return nil, chat.Fail(chat.ClassBadResponse, errEmpty)
	}
	return b.Bytes(), nil
}

// MediaType gives the media type of an answer without its parameters, in lower case; "" when there is none.
func MediaType(h http.Header) string {
	full := h.Get("Content-Type")
	t, _, err := mime.ParseMediaType(full)
	if err != nil {
		t, _, _ = strings.Cut(full, ";")
		t = strings.ToLower(strings.TrimSpace(t))
	}
	return t
}

// JoinURL puts a path behind a base URL that may or may not end in a slash.
func JoinURL(base, path string) string { return strings.TrimRight(base, "/") + path }
