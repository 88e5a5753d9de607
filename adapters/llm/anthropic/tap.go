package anthropic

import (
	"encoding/json"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/domain/chat"
)

// reading is what the tap saw in an answer, or in an event, that is passed on. Its slices are the body's own.
type reading struct {
	kind    string // of an event or an answer: its type
	model   []byte // in quotes
	usage   []byte // nil: none
	failure []byte // nil: none
	reason  string // the stop reason; "" for none
	content bool   // the client would see a piece of the answer
	listed  bool   // an answer has a list of blocks, though it may be empty
}

// tap reads an answer or an event. It reports false when that is no JSON object.
func tap(b []byte) (t reading, ok bool) {
	var message, block, delta []byte
	w := jsonscan.Walk(b, 0)
	if !w.Object() {
		return t, false
	}
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		value := w.Skip()
		switch string(key) {
		case "type":
			t.kind = kindOf(value)
		case "message":
			message = value
		case "content_block":
			block = value
		case "delta":
			delta = value
		case "error":
			if !jsonscan.IsNull(value) {
				t.failure = value
			}
		default:
			t.member(string(key), value)
		}
	}
	if !w.Whole() {
		return t, false
	}
	switch t.kind {
	case eventStart:
		t.members(message)
	case eventBlock:
		t.content = speaks(block)
	case eventDelta:
		t.content = saysMore(delta)
	case eventEnd:
		t.members(delta)
	}
	return t, true
}

// The types of events, and of an answer.
const (
	eventStart   = "message_start"
	eventBlock   = "content_block_start"
	eventDelta   = "content_block_delta"
	eventClose   = "content_block_stop"
	eventEnd     = "message_delta"
	eventStop    = "message_stop"
	eventError   = "error"
	eventPing    = "ping"
	wholeMessage = "message"
)

// kinds are the types that are known, so that reading one costs no memory.
var kinds = func() map[string]string {
	out := map[string]string{}
	for _, k := range [...]string{eventStart, eventBlock, eventDelta, eventClose, eventEnd, eventStop, eventError, eventPing, wholeMessage} {
		out[`"`+k+`"`] = k
	}
	return out
}()

func kindOf(value []byte) string {
	if k, ok := kinds[string(value)]; ok {
		return k
	}
	return jsonscan.Unquote(value)
}

// member reads what an answer, message_start and message_delta have in common.
func (t *reading) member(key string, value []byte) {
	switch key {
	case "model":
		t.model = value
	case "usage":
		if !jsonscan.IsNull(value) {
			t.usage = value
		}
	case "stop_reason":
		t.reason = jsonscan.Unquote(value)
	case "content":
		t.listed = len(value) > 0 && value[0] == '['
	case "stop_details":
		t.content = t.content || explains(value)
	}
}

func (t *reading) members(object []byte) {
	w := jsonscan.Walk(object, 0)
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		t.member(string(key), w.Skip())
	}
}

// explains reports whether the details of a stop tell the client something.
func explains(details []byte) bool {
	w := jsonscan.Walk(details, 0)
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		if value := w.Skip(); string(key) == "explanation" && !jsonscan.IsEmpty(value) {
			return true
		}
	}
	return false
}

// speaks reports whether a block says something as it begins: a text or a thought that is still empty does not.
func speaks(block []byte) bool {
	quiet, said := false, false
	w := jsonscan.Walk(block, 0)
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		switch value := w.Skip(); string(key) {
		case "type":
			quiet = string(value) == `"text"` || string(value) == `"thinking"`
		case "signature":
		default:
			said = said || !jsonscan.IsEmpty(value)
		}
	}
	return said || !quiet && w.Whole()
}

// saysMore reports whether a delta says something. A signature is no part of what is said.
func saysMore(delta []byte) bool {
	w := jsonscan.Walk(delta, 0)
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		switch value := w.Skip(); string(key) {
		case "type", "signature":
		default:
			if !jsonscan.IsEmpty(value) {
				return true
			}
		}
	}
	return false
}

// count adds what was said about usage.
func (t *tally) count(value []byte) {
	var u usage
	_ = json.Unmarshal(value, &u) // a count of another type than ours is no reason to lose the others
	t.add(&u)
}

// usageOf reads the usage of a whole answer; nil for none.
func usageOf(value []byte) *chat.Usage {
	if value == nil {
		return nil
	}
	var t tally
	t.count(value)
	return t.usage()
}
