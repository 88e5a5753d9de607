package events

import (
	"bytes"
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/sse"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// isStray reports whether a frame is no event, but the beginning of a body: some servers write an error into a stream when they fail, and some answer
// with a body where a stream was asked for. What the answer calls itself says nothing: streams come as application/json, and bodies as
// text/event-stream.
func isStray(f *sse.Frame) bool {
	if f.HasData || f.Comment {
		return false
	}
	raw := bytes.TrimLeft(bytes.TrimPrefix(f.Raw, []byte("\xEF\xBB\xBF")), " \t\r\n")
	return len(raw) > 0 && (raw[0] == '{' || raw[0] == '[' || raw[0] == '<' || raw[0] == '"')
}

// stray is the failure that a body tells which began with the frame f: the rest of the stream belongs to it.
func stray(f *sse.Frame, rest *sse.Reader, to outbound.Target, header http.Header, explain llm.Explain) *chat.Failure {
	body := bytes.Clone(f.Raw)
	for len(body) < llm.MaxError {
		more, err := rest.Next()
		if err != nil { // what broke off explains itself, or does not
			break
		}
		body = append(body, more.Raw...)
	}
	if explain != nil {
		if r, ok := explain(bytes.TrimSpace(body)); ok {
			return r.Failure(to, header)
		}
	}
	return llm.BadResponse(to, "answered a body where a stream was asked for")
}
