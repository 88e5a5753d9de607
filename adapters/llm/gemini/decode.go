package gemini

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// decode reads a whole answer the way a stream of one event is read.
func decode(body []byte, d *decoder) (*chat.Response, error) {
	chunks, _, err := d.Event(body)
	if err != nil {
		return nil, err
	}
	var g chat.Gatherer
	for i := range chunks {
		g.Add(chunks[i])
	}
	last, err := d.End()
	switch {
	case errors.Is(err, chat.ErrCutOff):
		return nil, llm.BadResponse(d.to, "answered without a usable end: no reason")
	case err != nil:
		return nil, err
	}
	for i := range last {
		g.Add(last[i])
	}
	return g.Response(), nil
}

// arguments gives a call's arguments as JSON text.
func arguments(args json.RawMessage) string {
	var b bytes.Buffer
	if len(args) == 0 || json.Compact(&b, args) != nil || b.String() == "null" {
		return "{}"
	}
	return b.String()
}

// callID keeps the vendor's id of a call. Most calls have none: then one is made of what makes the call different from any other, short
// enough for every vendor that the conversation may move to.
func callID(id, response string, index int, name, args string) string {
	if id != "" {
		return id
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%s/%s", response, index, name, args))
	return "call_" + hex.EncodeToString(sum[:12])
}
