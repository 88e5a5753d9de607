package chatcompletions

import (
	"unicode/utf8"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
)

// quick reads the chunks that a stream is made of for the most part: a piece of text, of a thought or of a call. What else there is, it leaves to
// encoding/json, which takes some times as long. Its answer is valid until the next chunk.
type quick struct {
	answer  answer
	choices [1]choice
	said    said
	calls   [1]toolCall
	index   int
	finish  string
}

// read reports false for a chunk that it does not know all of, or that is no JSON. named says that neither id nor model is news.
func (q *quick) read(data []byte, named bool) bool {
	if !utf8.Valid(data) {
		return false
	}
	q.answer, q.said = answer{}, said{}
	w := jsonscan.Walk(data, 0)
	if !w.Object() {
		return false
	}
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		known := true
		switch string(key) {
		case "id":
			known = q.name(&w, named, &q.answer.ID)
		case "model":
			known = q.name(&w, named, &q.answer.Model)
		case "service_tier":
			known = textOr(&w, &q.answer.ServiceTier)
		case "usage":
			q.answer.Usage = w.Skip()
		case "error":
			known = jsonscan.IsNull(w.Skip())
		case "choices":
			known = q.list(&w)
		default:
			if !plain(key) {
				return false
			}
			w.Skip()
		}
		if !known {
			return false
		}
	}
	return w.Whole()
}

// name reads a string that need not be read again once it is known.
func (q *quick) name(w *jsonscan.Walker, known bool, to *string) bool {
	if known && w.At() == '"' {
		return w.Skip() != nil
	}
	return word(w, to)
}

// word reads a string, or null.
func word(w *jsonscan.Walker, to *string) bool {
	value := w.Skip()
	if len(value) == 0 || value[0] != '"' {
		return jsonscan.IsNull(value)
	}
	*to = jsonscan.Unquote(value)
	return true
}

// textOr is word where null takes back what was said before.
func textOr(w *jsonscan.Walker, to *text) bool {
	*to = ""
	return word(w, (*string)(to))
}

// plain reports whether a key is not one that encoding/json would take for another in other letters.
func plain(key []byte) bool {
	for _, c := range key {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// list reads one choice at most.
func (q *quick) list(w *jsonscan.Walker) bool {
	list := w.Inner()
	if !list.List() {
		return false
	}
	for _, ok := list.Next(); ok; _, ok = list.Next() {
		if len(q.answer.Choices) > 0 || list.At() != '{' || !q.choice(&list) {
			return false
		}
		q.answer.Choices = q.choices[:]
	}
	w.Leave(&list)
	return true
}

func (q *quick) choice(list *jsonscan.Walker) bool {
	q.choices[0] = choice{}
	c := &q.choices[0]
	w := list.Inner()
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		switch string(key) {
		case "index":
			value := w.Skip()
			if !small(value) {
				return false
			}
			c.Index = jsonscan.Number(value)
		case "delta":
			if c.Delta = &q.said; w.At() != '{' || !q.delta(&w) {
				return false
			}
		case "finish_reason":
			if q.finish = ""; !word(&w, &q.finish) {
				return false
			}
			c.Finish = &q.finish
		case "message", "stop_reason", "logprobs", "error":
			if !jsonscan.IsNull(w.Skip()) {
				return false
			}
		default:
			if !plain(key) {
				return false
			}
			w.Skip()
		}
	}
	list.Leave(&w)
	return true
}

// small reports whether a value is a whole number of at most four digits.
func small(value []byte) bool {
	if len(value) == 0 || len(value) > 4 {
		return false
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func (q *quick) delta(choice *jsonscan.Walker) bool {
	w := choice.Inner()
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		known := true
		switch string(key) {
		case "content":
			known = word(&w, &q.said.Content.Text)
		case "refusal":
			known = textOr(&w, &q.said.Refusal)
		case "reasoning":
			known = textOr(&w, &q.said.Reasoning)
		case "reasoning_content":
			known = textOr(&w, &q.said.ReasoningToo)
		case "tool_calls":
			known = q.pieces(&w)
		case "reasoning_details":
			q.said.Details = w.Skip()
		case "function_call", "annotations", "images", "audio":
			known = jsonscan.IsEmpty(w.Skip())
		default:
			if !plain(key) {
				return false
			}
			w.Skip()
		}
		if !known {
			return false
		}
	}
	choice.Leave(&w)
	return true
}

// pieces reads one piece of a call, or none.
func (q *quick) pieces(delta *jsonscan.Walker) bool {
	if delta.At() == 'n' {
		q.said.ToolCalls = nil
		return delta.Skip() != nil
	}
	list := delta.Inner()
	if !list.List() {
		return false
	}
	for _, ok := list.Next(); ok; _, ok = list.Next() {
		if len(q.said.ToolCalls) > 0 || list.At() != '{' || !q.call(&list) {
			return false
		}
		q.said.ToolCalls = q.calls[:]
	}
	delta.Leave(&list)
	return true
}

func (q *quick) call(list *jsonscan.Walker) bool {
	q.calls[0] = toolCall{}
	c := &q.calls[0]
	w := list.Inner()
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		known := true
		switch string(key) {
		case "index":
			value := w.Skip()
			known = small(value)
			q.index, c.Index = jsonscan.Number(value), &q.index
		case "id":
			known = word(&w, &c.ID)
		case "type":
			known = word(&w, &c.Type)
		case "function":
			known = w.At() == '{' && c.Function.quick(&w)
		default:
			if !plain(key) {
				return false
			}
			w.Skip()
		}
		if !known {
			return false
		}
	}
	list.Leave(&w)
	return true
}

func (f *calledFunction) quick(call *jsonscan.Walker) bool {
	w := call.Inner()
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		known := true
		switch string(key) {
		case "name":
			known = word(&w, &f.Name)
		case "arguments":
			known = word(&w, (*string)(&f.Arguments))
		default:
			if !plain(key) {
				return false
			}
			w.Skip()
		}
		if !known {
			return false
		}
	}
	call.Leave(&w)
	return true
}
