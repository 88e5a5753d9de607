package chatcompletions

import (
	"cmp"
	"encoding/json"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/domain/chat"
)

// reading is what the tap saw in a body or chunk that is passed on. Its slices are the body's own.
type reading struct {
	model   []byte // in quotes
	usage   *chat.Usage
	failure json.RawMessage // the error, as it stands: the answer's, or else a choice's; nil: none
	finish  chat.Finish     // of the first choice
	other   chat.Finish     // of the choice that finished first, while the first choice is not among them
	first   bool            // the first choice is among them
	content bool            // the client would see a piece of the answer
	tools   bool            // of the first choice
	failed  bool            // a choice finished with an error
	choices int
	few     [4]choiceReading // the first choices, without a heap
	more    []choiceReading
}

type choiceReading struct {
	index    int
	finished bool
}

// of gives what was read of each choice.
func (t *reading) of() []choiceReading {
	if t.more != nil {
		return t.more
	}
	return t.few[:t.choices]
}

// tap reads an answer or a chunk. It reports false when that is no JSON object.
func tap(b []byte) (t reading, ok bool) {
	w := jsonscan.Walk(b, 0)
	if !w.Object() {
		return t, false
	}
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		switch string(key) {
		case "model":
			t.model = w.Skip()
		case "error":
			if value := w.Skip(); !jsonscan.IsNull(value) {
				t.failure = value
			}
		case "usage":
			t.usage = usageOf(w.Skip())
		case "choices":
			t.list(&w)
		default:
			w.Skip()
		}
	}
	return t, w.Whole()
}

func (t *reading) list(w *jsonscan.Walker) {
	if w.At() != '[' {
		w.Skip()
		return
	}
	list := w.Inner()
	for _, ok := list.Next(); ok; _, ok = list.Next() {
		if list.At() == '{' {
			t.choice(&list)
		} else {
			list.Skip()
		}
	}
	w.Leave(&list)
}

func (t *reading) choice(list *jsonscan.Walker) {
	var r choiceReading
	var reason []byte
	called := false
	w := list.Inner()
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		switch string(key) {
		case "index":
			r.index = clamp(indexOf(w.Skip()))
		case "finish_reason":
			reason = w.Skip()
		case "error":
			if value := w.Skip(); t.failure == nil && !jsonscan.IsNull(value) {
				t.failure = value
			}
		case "delta", "message":
			called = t.said(&w) || called
		default:
			w.Skip()
		}
	}
	list.Leave(&w)
	t.first = t.first || r.index == 0
	t.tools = t.tools || called && r.index == 0
	if len(reason) > 2 && reason[0] == '"' {
		r.finished = true
		word := jsonscan.Unquote(reason)
		t.failed = t.failed || word == finishError
		end := finishOf(word, called)
		t.other = cmp.Or(t.other, end)
		if r.index == 0 {
			t.finish = cmp.Or(t.finish, end)
		}
	}
	switch {
	case t.choices < len(t.few):
		t.few[t.choices] = r
	case t.more == nil:
		t.more = append(append(t.more, t.few[:]...), r)
	default:
		t.more = append(t.more, r)
	}
	t.choices++
}

// said looks for content: any member of the delta that holds something, but the role. It reports whether there are tool calls.
func (t *reading) said(choice *jsonscan.Walker) (called bool) {
	if choice.At() != '{' {
		choice.Skip()
		return false
	}
	w := choice.Inner()
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		value := w.Skip()
		switch {
		case string(key) == "role", jsonscan.IsNull(value), string(value) == `""`, string(value) == "[]":
		case string(key) == "tool_calls", string(key) == "function_call":
			called, t.content = true, true
		default:
			t.content = true
		}
	}
	choice.Leave(&w)
	return called
}

// indexOf reads the number of a choice.
func indexOf(value []byte) int {
	if len(value) > 0 && value[0] == '-' {
		return 0
	}
	return jsonscan.Number(value)
}

// ended is the finish of a whole answer, which has finished though it may not say so.
func (t *reading) ended() chat.Finish {
	if t.first {
		return cmp.Or(t.finish, finishOf("", t.tools))
	}
	return cmp.Or(t.other, finishOf("", t.tools))
}
