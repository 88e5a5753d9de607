package gemini

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
)

// unlist makes events of a stream that is a list of chunks. The vendor sends one when it is not asked for events, and so may who stands in between.
func unlist(resp *http.Response) {
	if llm.MediaType(resp.Header) != "application/json" {
		return
	}
	b := bufio.NewReader(resp.Body)
	resp.Body = &rest{Reader: b, Closer: resp.Body}
	for n := 1; n <= b.Size(); n++ {
		head, err := b.Peek(n)
		if err != nil {
			return
		}
		switch head[n-1] {
		case ' ', '\t', '\r', '\n':
		case '[':
			d := json.NewDecoder(io.LimitReader(b, llm.MaxAnswer))
			_, _ = d.Token()
			resp.Body = &rest{Reader: &list{items: d}, Closer: resp.Body}
			return
		default:
			return
		}
	}
}

// rest is a body that is read through something.
type rest struct {
	io.Reader
	io.Closer
}

// list reads a list as events.
type list struct {
	items *json.Decoder
	event bytes.Buffer // what is left of it
}

// Read implements io.Reader.
func (l *list) Read(p []byte) (int, error) {
	if l.event.Len() == 0 {
		if !l.items.More() {
			if _, err := l.items.Token(); err != nil {
				return 0, io.ErrUnexpectedEOF
			}
			return 0, io.EOF
		}
		var item json.RawMessage
		if err := l.items.Decode(&item); err != nil {
			return 0, err
		}
		l.event.WriteString("data: ")
		if err := json.Compact(&l.event, item); err != nil {
			return 0, err
		}
		l.event.WriteString("\n\n")
	}
	return l.event.Read(p)
}
