package rest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
)

// respItem is an item of an answer on its way.
type respItem struct {
	index int
	id    string
	kind  string // message, reasoning, function_call, custom_tool_call
	final []byte // as it is once it is whole; nil while it is open

	// Of a message and of a thought: the part that is open, and those before it.
	part   string // output_text, refusal, summary_text; "" for none
	parts  int
	closed []byte
	text   strings.Builder // of the open part, or the arguments of a call
	notes  int
	noted  []byte
	likely []byte
	sealed string
	callID string
	name   string
}

// open begins an item.
func (w *respWriter) open(kind, prefix string) *respItem {
	it := &respItem{index: len(w.items), kind: kind}
	it.id = fmt.Sprintf("%s_%s%02x", prefix, w.shape.hex, it.index)
	w.items = append(w.items, it)
	return it
}

// added tells of an item that has begun.
func (w *respWriter) added(it *respItem, item []byte) {
	w.event("response.output_item.added")
	w.b = strconv.AppendInt(append(w.b, `,"output_index":`...), int64(it.index), 10)
	w.b = append(append(w.b, `,"item":`...), item...)
	w.end()
}

// done tells of an item that is whole.
func (w *respWriter) itemDone(it *respItem, item []byte) {
	it.final = item
	w.event("response.output_item.done")
	w.b = strconv.AppendInt(append(w.b, `,"output_index":`...), int64(it.index), 10)
	w.b = append(append(w.b, `,"item":`...), item...)
	w.end()
}

// of names the item that an event is about.
func (w *respWriter) of(it *respItem) {
	w.b = appendString(append(w.b, `,"item_id":`...), it.id)
	w.b = strconv.AppendInt(append(w.b, `,"output_index":`...), int64(it.index), 10)
}

// ofPart names the part that an event is about.
func (w *respWriter) ofPart(it *respItem, at string) {
	w.of(it)
	w.b = strconv.AppendInt(append(append(append(w.b, `,"`...), at...), `":`...), int64(it.parts), 10)
}

// message gives the open message, with a part of a kind that is open.
func (w *respWriter) message(kind string, anew bool) *respItem {
	it := w.current
	if it == nil || it.kind != "message" {
		w.closeCurrent("completed")
		it = w.open("message", "msg")
		w.current = it
		w.added(it, fmt.Appendf(nil, `{"id":"%s","type":"message","status":"in_progress","content":[],"role":"assistant"}`, it.id))
	}
	if it.part != "" && (it.part != kind || anew && it.text.Len() > 0) {
		w.closePart(it)
	}
	if it.part == "" {
		it.part = kind
		w.event("response.content_part.added")
		w.ofPart(it, "content_index")
		w.b = it.appendPart(append(w.b, `,"part":`...))
		w.end()
	}
	return it
}

// appendPart appends the open part of a message or a thought as it stands.
func (it *respItem) appendPart(b []byte) []byte {
	switch it.part {
	case "refusal":
		b = appendString(append(b, `{"type":"refusal","refusal":`...), it.text.String())
	case "summary_text":
		b = appendString(append(b, `{"type":"summary_text","text":`...), it.text.String())
	default:
		b = append(append(b, `{"type":"output_text","annotations":[`...), it.noted...)
		b = append(append(b, `],"logprobs":[`...), it.likely...)
		b = appendString(append(b, `],"text":`...), it.text.String())
	}
	return append(b, '}')
}

// closePart ends the open part of a message or a thought.
func (w *respWriter) closePart(it *respItem) {
	if it.part == "" {
		return
	}
	said, done, at, prefix := "text", "response.output_text.done", "content_index", "response.content_part.done"
	switch it.part {
	case "refusal":
		said, done = "refusal", "response.refusal.done"
	case "summary_text":
		done, at, prefix = "response.reasoning_summary_text.done", "summary_index", "response.reasoning_summary_part.done"
	}
	w.event(done)
	w.ofPart(it, at)
	if it.part == "output_text" {
		w.b = append(append(append(w.b, `,"logprobs":[`...), it.likely...), ']')
	}
	w.b = appendString(append(w.b, `,"`+said+`":`...), it.text.String())
	w.end()
	part := it.appendPart(nil)
	w.event(prefix)
	w.ofPart(it, at)
	w.b = append(append(w.b, `,"part":`...), part...)
	w.end()
	if it.parts > 0 {
		it.closed = append(it.closed, ',')
	}
	it.closed = append(it.closed, part...)
	it.parts++
	it.part, it.noted, it.likely, it.notes = "", nil, nil, 0
	it.text.Reset()
}

// closeCurrent ends the open message or thought.
func (w *respWriter) closeCurrent(status string) {
	it := w.current
	if it == nil {
		return
	}
	w.current = nil
	w.closePart(it)
	if it.kind == "message" {
		w.itemDone(it, fmt.Appendf(nil, `{"id":"%s","type":"message","status":"%s","content":[%s],"role":"assistant"}`, it.id, status, it.closed))
		return
	}
	w.itemDone(it, it.thought())
}

// thought writes a reasoning item.
func (it *respItem) thought() []byte {
	b := appendString([]byte(`{"id":`), it.id)
	b = append(append(b, `,"type":"reasoning","summary":[`...), it.closed...)
	b = append(b, ']')
	if it.sealed != "" {
		b = appendString(append(b, `,"encrypted_content":`...), it.sealed)
	}
	return append(b, '}')
}

// call begins the item of a tool call.
func (w *respWriter) call(d *chat.ToolDelta) *respItem {
	kind, prefix := "function_call", "fc"
	if w.custom[d.Name] {
		kind, prefix = "custom_tool_call", "ctc"
	}
	it := w.open(kind, prefix)
	it.name, it.callID = d.Name, chat.PortableID(d.ID)
	if d.ID == "" {
		it.callID = fmt.Sprintf("call_%s%02x", w.shape.hex, it.index)
	}
	w.added(it, it.calling("in_progress"))
	return it
}

// calling writes the item of a call as it stands.
func (it *respItem) calling(status string) []byte {
	b := appendString([]byte(`{"id":`), it.id)
	b = append(append(b, `,"type":"`...), it.kind...)
	b = append(append(append(b, `","status":"`...), status...), '"')
	said, key := it.text.String(), `,"arguments":`
	if it.kind == "custom_tool_call" {
		key = `,"input":`
		if status == "in_progress" {
			said = ""
		}
	}
	b = appendString(append(b, key...), said)
	b = appendString(append(b, `,"call_id":`...), it.callID)
	return append(appendString(append(b, `,"name":`...), it.name), '}')
}

// closeCall ends the item of a call.
func (w *respWriter) closeCall(it *respItem, status string) {
	if it.final != nil {
		return
	}
	if it.kind == "custom_tool_call" {
		input := inputOf(it.text.String())
		it.text.Reset()
		it.text.WriteString(input)
		w.event("response.custom_tool_call_input.delta")
		w.of(it)
		w.b = appendString(append(w.b, `,"delta":`...), input)
		w.end()
		w.event("response.custom_tool_call_input.done")
		w.of(it)
		w.b = appendString(append(w.b, `,"input":`...), input)
		w.end()
		w.itemDone(it, it.calling(status))
		return
	}
	if it.text.Len() == 0 {
		w.arguments(it, "{}")
	}
	w.event("response.function_call_arguments.done")
	w.of(it)
	w.b = appendString(append(w.b, `,"arguments":`...), it.text.String())
	w.b = appendString(append(w.b, `,"name":`...), it.name)
	w.end()
	w.itemDone(it, it.calling(status))
}

// arguments adds to the arguments of a call.
func (w *respWriter) arguments(it *respItem, more string) {
	it.text.WriteString(more)
	if it.kind == "custom_tool_call" {
		return // its text is inside
	}
	w.event("response.function_call_arguments.delta")
	w.of(it)
	w.b = appendString(append(w.b, `,"delta":`...), more)
	w.end()
}

// inputOf gives the text that a custom tool is called with; arguments in another form as they are.
func inputOf(arguments string) string {
	v, err := strictjson.Parse([]byte(arguments), largeJSON)
	if err != nil {
		return arguments
	}
	if input, there := v.Member("input"); there && input.Kind == strictjson.String {
		return input.Text
	}
	return arguments
}

// whole reports whether arguments are an object that has ended, so that no more of them can follow.
func whole(arguments string) bool {
	return strings.HasPrefix(strings.TrimLeft(arguments, space), "{") && json.Valid([]byte(arguments))
}

// points counts the code points of the open part.
func (it *respItem) points() int { return utf8.RuneCountInString(it.text.String()) }
