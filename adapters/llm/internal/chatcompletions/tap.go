package chatcompletions

import (
	"encoding/json"

	"github.com/forge1/forge1/domain/chat"
)

// reading is what the tap saw in a body or chunk that is passed on. Its slices are the body's own.
type reading struct {
	model   []byte // in quotes
	usage   *chat.Usage
	failure json.RawMessage // the error, as it stands: the answer's, or else a choice's; nil: none
	finish  chat.Finish     // of the first choice
	content bool            // the client would see a piece of the answer
	tools   bool
	failed  bool // a choice finished with an error
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
	w := walk(b, 0)
	if w.end != '}' {
		return t, false
	}
	for key, ok := w.next(); ok; key, ok = w.next() {
		switch string(key) {
		case "model":
			t.model = w.skip()
		case "error":
			if value := w.skip(); !isNull(value) {
				t.failure = value
			}
		case "usage":
			t.usage = usageOf(w.skip())
		case "choices":
			t.list(&w)
		default:
			w.skip()
		}
	}
	return t, w.whole()
}

func (t *reading) list(w *walker) {
	if w.at() != '[' {
		w.skip()
		return
	}
	list := walk(w.b, w.i)
	for _, ok := list.next(); ok; _, ok = list.next() {
		if list.at() == '{' {
			t.choice(&list)
		} else {
			list.skip()
		}
	}
	w.leave(&list)
}

func (t *reading) choice(list *walker) {
	var r choiceReading
	var reason []byte
	called := false
	w := walk(list.b, list.i)
	for key, ok := w.next(); ok; key, ok = w.next() {
		switch string(key) {
		case "index":
			r.index = number(w.skip())
		case "finish_reason":
			reason = w.skip()
		case "error":
			if value := w.skip(); t.failure == nil && !isNull(value) {
				t.failure = value
			}
		case "delta", "message":
			called = t.said(&w) || called
		default:
			w.skip()
		}
	}
	list.leave(&w)
	t.tools = t.tools || called
	if len(reason) > 2 && reason[0] == '"' {
		r.finished = true
		word := unquote(reason)
		t.failed = t.failed || word == finishError
		if r.index == 0 {
			t.finish = finishOf(word, called)
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
func (t *reading) said(choice *walker) (called bool) {
	if choice.at() != '{' {
		choice.skip()
		return false
	}
	w := walk(choice.b, choice.i)
	for key, ok := w.next(); ok; key, ok = w.next() {
		value := w.skip()
		switch {
		case string(key) == "role", isNull(value), string(value) == `""`, string(value) == "[]":
		case string(key) == "tool_calls", string(key) == "function_call":
			called, t.content = true, true
		default:
			t.content = true
		}
	}
	choice.leave(&w)
	return called
}

// usageOf reads usage without decoding what it does not need.
func usageOf(b []byte) *chat.Usage {
	w := walk(b, 0)
	if w.end != '}' {
		return nil
	}
	var u usage
	for key, ok := w.next(); ok; key, ok = w.next() {
		value := w.skip()
		switch string(key) {
		case "prompt_tokens":
			u.Prompt = number(value)
		case "completion_tokens":
			u.Completion = number(value)
		case "cost":
			if len(value) > 0 && value[0] >= '0' && value[0] <= '9' {
				u.Cost = json.Number(value)
			}
		case "prompt_tokens_details":
			u.prompt(value)
		case "completion_tokens_details":
			u.completion(value)
		}
	}
	return u.neutral()
}

// prompt reads what the prompt's tokens are made of.
func (u *usage) prompt(details []byte) {
	w := walk(details, 0)
	for key, ok := w.next(); ok; key, ok = w.next() {
		value := w.skip()
		switch string(key) {
		case "cached_tokens":
			u.PromptOf.Cached = number(value)
		case "cache_write_tokens":
			u.PromptOf.CacheWrite = number(value)
		case "audio_tokens":
			u.PromptOf.Audio = number(value)
		}
	}
}

// completion reads what the answer's tokens are made of.
func (u *usage) completion(details []byte) {
	w := walk(details, 0)
	for key, ok := w.next(); ok; key, ok = w.next() {
		value := w.skip()
		switch string(key) {
		case "reasoning_tokens":
			u.CompletionOf.Reasoning = number(value)
		case "audio_tokens":
			u.CompletionOf.Audio = number(value)
		case "image_tokens":
			u.CompletionOf.Image = number(value)
		}
	}
}
