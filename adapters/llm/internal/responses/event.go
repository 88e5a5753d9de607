package responses

import (
	"bytes"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
)

// event is an event of a stream, or a whole answer, found where it stands. Its slices are the bytes' own.
type event struct {
	kind       kind
	output     int // index of the item
	content    int // of the part, or of the summary
	delta      []byte
	item       []byte
	response   []byte
	annotation []byte
	logprobs   []byte
	failure    []byte
}

// kind is the type of an event.
type kind uint8

// The types of events that say something. The others repeat, at the end of a part or an item, what was said before, or tell how far a tool is.
const (
	kindOther      kind = iota
	kindBegin           // response.created, response.in_progress, response.queued
	kindItem            // response.output_item.added
	kindItemDone        // response.output_item.done
	kindText            // response.output_text.delta
	kindRefusal         // response.refusal.delta
	kindSummary         // response.reasoning_summary_text.delta
	kindReasoning       // response.reasoning_text.delta
	kindArguments       // response.function_call_arguments.delta
	kindNote            // response.output_text.annotation.added
	kindDelta           // of what the neutral form takes whole
	kindCompleted       // response.completed
	kindIncomplete      // response.incomplete
	kindFailed          // response.failed, response.cancelled
	kindError           // error
)

var kinds = map[string]kind{
	"response.created": kindBegin, "response.in_progress": kindBegin, "response.queued": kindBegin,
	"response.output_item.added": kindItem, "response.output_item.done": kindItemDone,
	"response.output_text.delta": kindText, "response.refusal.delta": kindRefusal,
	"response.reasoning_summary_text.delta": kindSummary, "response.reasoning_text.delta": kindReasoning,
	"response.function_call_arguments.delta": kindArguments, "response.output_text.annotation.added": kindNote,
	"response.completed": kindCompleted, "response.incomplete": kindIncomplete,
	"response.failed": kindFailed, "response.cancelled": kindFailed, "error": kindError,
}

// read finds what an event says. It reports false when that is no JSON object.
func read(b []byte) (e event, ok bool) {
	w := jsonscan.Walk(b, 0)
	if !w.Object() {
		return e, false
	}
	var code, message []byte
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		value := w.Skip()
		switch string(key) {
		case "type":
			e.kind = kindOf(value)
		case "delta":
			e.delta = value
		case "output_index":
			e.output = jsonscan.Number(value)
		case "content_index", "summary_index":
			e.content = jsonscan.Number(value)
		case "item":
			e.item = value
		case "response":
			e.response = value
		case "annotation":
			e.annotation = value
		case "logprobs":
			e.logprobs = value
		case "error":
			e.failure = value
		case "code":
			code = value
		case "message":
			message = value
		}
	}
	if e.kind == kindError && empty(e.failure) && !(empty(code) && empty(message)) {
		e.failure = b // the error's own fields, without a wrapping
	}
	return e, w.Whole()
}

// kindOf tells the types apart without making text of them.
func kindOf(quoted []byte) kind {
	if len(quoted) < 2 || quoted[0] != '"' {
		return kindOther
	}
	name := quoted[1 : len(quoted)-1]
	if k, ok := kinds[string(name)]; ok {
		return k
	}
	if bytes.HasSuffix(name, []byte(".delta")) || bytes.HasSuffix(name, []byte(".partial_image")) {
		return kindDelta
	}
	return kindOther
}

// says reports whether a text is there and not empty.
func says(quoted []byte) bool { return len(quoted) > 2 && quoted[0] == '"' }

// answer is a response object: a whole answer, or what an event tells of one.
type answer struct {
	id, model, tier []byte // in quotes
	status          string
	reason          string // why it is incomplete
	failure         []byte
	usage           []byte
	output          []byte // nil: there is none
}

const stateIncomplete = "incomplete"

// failed reports whether there will be no answer.
func (a *answer) failed() bool { return a.status == "failed" || a.status == "cancelled" }

// readAnswer finds what a response object says. It reports false when that is no JSON object.
func readAnswer(b []byte) (a answer, ok bool) {
	w := jsonscan.Walk(b, 0)
	if !w.Object() {
		return a, false
	}
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		value := w.Skip()
		switch string(key) {
		case "id":
			a.id = value
		case "model":
			a.model = value
		case "service_tier":
			a.tier = value
		case "status":
			a.status = jsonscan.Unquote(value)
		case "error":
			if !empty(value) {
				a.failure = value
			}
		case "incomplete_details":
			a.reason = jsonscan.Unquote(member(value, "reason"))
		case "usage":
			a.usage = value
		case "output":
			if len(value) > 0 && value[0] == '[' {
				a.output = value
			}
		}
	}
	return a, w.Whole()
}

// member gives a member's value; nil when there is none.
func member(object []byte, name string) (found []byte) {
	w := jsonscan.Walk(object, 0)
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		if value := w.Skip(); string(key) == name {
			found = value
		}
	}
	return found
}

// each goes over the elements of a list.
func each(list []byte, visit func(value []byte)) {
	w := jsonscan.Walk(list, 0)
	if !w.List() {
		return
	}
	for _, ok := w.Next(); ok; _, ok = w.Next() {
		if value := w.Skip(); value != nil {
			visit(value)
		}
	}
}
