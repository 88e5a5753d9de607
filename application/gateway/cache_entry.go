package gateway

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
)

// maxEntry bounds an entry of the prompt cache, and what is kept of a stream for those who join it late.
const maxEntry = 256 << 10

// entry is an answer as others can have it: in neutral form, or as a vendor's bytes, a whole body or frames.
type entry struct {
	facts    inbound.Receipt // who answered, why, and how it ended
	created  time.Time
	response *chat.Response
	body     []byte
	frames   []frame
	cut      bool // a choice did not come to its own end; such a one is not kept
}

// frame is a frame of a relayed stream.
type frame struct {
	raw   []byte
	usage bool // it says nothing but usage
}

// The version of what encode writes, and its kinds. What another version wrote is not read.
const (
	entryVersion  = 2
	entryResponse = 'r'
	entryBody     = 'b'
	entryFrames   = 'f'
)

// entryHead is the part of an entry that is JSON: version and kind stand before it with its length, bytes of a vendor after it.
type entryHead struct {
	At       int64             `json:"at"` // microseconds since 1970
	Provider string            `json:"provider"`
	Model    string            `json:"model"`
	Served   string            `json:"served,omitempty"`
	Finish   chat.Finish       `json:"finish"`
	Usage    entryUsage        `json:"usage"`
	Dropped  []string          `json:"dropped,omitempty"`
	Decision *routing.Decision `json:"decision,omitempty"`
	Response *chat.Response    `json:"response,omitempty"`
	Size     int               `json:"size,omitempty"` // of what stands after it
}

type entryUsage struct {
	Input      int `json:"in"`
	Output     int `json:"out"`
	CacheRead  int `json:"read,omitempty"`
	CacheWrite int `json:"write,omitempty"`
	Reasoning  int `json:"reasoning,omitempty"`
}

// encode writes an entry. It is false for one that is too large, or holds nothing.
func (e *entry) encode() ([]byte, bool) {
	u := e.facts.Usage
	h := entryHead{
		At: e.created.UnixMicro(), Provider: e.facts.Provider, Model: e.facts.Model, Served: e.facts.ServedModel, Finish: e.facts.Finish,
		Usage:   entryUsage{u.Input, u.Output, u.CacheRead, u.CacheWrite, u.Reasoning},
		Dropped: e.facts.Dropped, Decision: &e.facts.Decision,
	}
	var kind byte
	var blob []byte
	switch {
	case e.body != nil:
		kind, blob = entryBody, e.body
	case e.frames != nil:
		kind, blob = entryFrames, appendFrames(nil, e.frames)
	case e.response != nil:
		kept := *e.response
		kept.Usage, kept.Dropped = nil, nil // what was used then is not used again, and what was dropped stands above
		kind, h.Response = entryResponse, &kept
	default:
		return nil, false
	}
	h.Size = len(blob)
	var head bytes.Buffer
	enc := json.NewEncoder(&head)
	enc.SetEscapeHTML(false)
	if len(blob) > maxEntry || enc.Encode(h) != nil {
		return nil, false
	}
	out := binary.AppendUvarint([]byte{entryVersion, kind}, uint64(head.Len()))
	out = append(append(out, head.Bytes()...), blob...)
	return out, len(out) <= maxEntry
}

// decodeEntry reads an entry. It is false for what is none: nothing, another version, or damaged.
func decodeEntry(b []byte) (*entry, bool) {
	if len(b) < 3 || len(b) > maxEntry || b[0] != entryVersion {
		return nil, false
	}
	size, n := binary.Uvarint(b[2:])
	if n <= 0 || size > maxEntry || int(size) > len(b)-2-n {
		return nil, false
	}
	rest := b[2+n:]
	var h entryHead
	if json.Unmarshal(rest[:size], &h) != nil || h.Provider == "" || h.Finish != chat.FinishStop && h.Finish != chat.FinishToolCalls {
		return nil, false
	}
	e := &entry{created: time.UnixMicro(h.At).UTC(), facts: inbound.Receipt{
		Provider: h.Provider, Model: h.Model, ServedModel: h.Served, Finish: h.Finish, Dropped: h.Dropped,
		Usage: chat.Usage{
			Input: h.Usage.Input, Output: h.Usage.Output, CacheRead: h.Usage.CacheRead, CacheWrite: h.Usage.CacheWrite, Reasoning: h.Usage.Reasoning,
		},
	}}
	if h.Decision != nil {
		e.facts.Decision = *h.Decision
	}
	blob := rest[size:]
	if len(blob) != h.Size {
		return nil, false
	}
	ok := false
	switch b[1] {
	case entryBody:
		e.body, ok = blob, len(blob) > 0
	case entryFrames:
		e.frames, ok = readFrames(blob)
	case entryResponse:
		e.response, ok = h.Response, h.Response != nil && len(h.Response.Choices) > 0 && len(blob) == 0
	}
	return e, ok
}

// appendFrames writes frames: each its length doubled, plus one when it says nothing but usage, and its bytes.
func appendFrames(b []byte, frames []frame) []byte {
	for _, f := range frames {
		n := uint64(len(f.raw)) << 1
		if f.usage {
			n |= 1
		}
		b = append(binary.AppendUvarint(b, n), f.raw...)
	}
	return b
}

func readFrames(b []byte) (out []frame, ok bool) {
	for len(b) > 0 {
		n, size := binary.Uvarint(b)
		if size <= 0 || n>>1 > maxEntry || int(n>>1) > len(b)-size {
			return nil, false
		}
		b = b[size:]
		out = append(out, frame{raw: b[: n>>1 : n>>1], usage: n&1 == 1})
		b = b[n>>1:]
	}
	return out, len(out) > 0
}
