package rest

import (
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// ParseMessages reads a body of Anthropic's API; name gives a field of the request the name that it has there.
func ParseMessages(body []byte, strict bool) (r *chat.Request, name func(string) string, err error) {
	r, at, err := parseMessages(body, strict)
	return r, func(field string) string { return messageName(field, at) }, err
}

// ScanMessages reads what routing must know of a body.
func ScanMessages(body []byte) (textBytes, maxTokens int, vision, tools, schema bool, err error) {
	e, err := scan(body, &messageFields)
	return e.textBytes, e.maxTokens, e.vision, e.tools, e.schema, err
}

// MessageStream renders a stream in Anthropic's shape. The bytes are valid until the next call.
func MessageStream(head inbound.Receipt) (piece func(chat.Chunk) []byte, done func(inbound.Receipt) []byte) {
	e := &messageEncoder{x: &exchange{requestID: "r"}, input: 7}
	e.begin(head, false)
	return func(c chat.Chunk) []byte { return e.piece(inbound.Piece{Chunk: c}) }, e.done
}
