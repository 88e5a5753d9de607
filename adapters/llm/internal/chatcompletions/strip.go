package chatcompletions

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/domain/chat"
)

// What a conversation holds that another vendor made. The words are looked for first: most bodies have none of them.
var (
	wordReasoning = []byte(`"reasoning`)
	wordToolCall  = []byte(`"tool_call`)
	wordMark      = []byte(chat.SignatureMark)
)

// droppedReasoning is the name of thoughts that are left out of a conversation.
const droppedReasoning = "messages[].reasoning"

// strip makes the edits that take out of the messages what the vendor would refuse: thoughts that it has no field for, signatures of other vendors, and
// ids of tool calls that it does not take.
func (f Flavour) strip(body []byte, at jsonscan.Span, model string) (_ []jsonscan.Edit, dropped []string) {
	s := stripper{model: model, flavour: f}
	s.thoughts, s.marks, s.ids = f.suspect(at.Of(body))
	for w := jsonscan.Walk(body[:at.To], at.Value); ; {
		if _, ok := w.Next(); !ok {
			break
		}
		if w.At() == '{' {
			m := w.Inner()
			s.message(&m)
			w.Leave(&m)
		} else {
			w.Skip()
		}
	}
	if s.stripped {
		dropped = []string{droppedReasoning}
	}
	return s.edits, dropped
}

// mayStrip reports whether messages may hold something to strip: without the words for it they do not.
func (f Flavour) mayStrip(list []byte) bool {
	thoughts, marks, ids := f.suspect(list)
	return thoughts || marks || ids
}

func (f Flavour) suspect(list []byte) (thoughts, marks, ids bool) {
	return f.Kind == OpenAI && bytes.Contains(list, wordReasoning), bytes.Contains(list, wordMark),
		f.RefusesID != nil && bytes.Contains(list, wordToolCall)
}

type stripper struct {
	model                string
	flavour              Flavour
	edits                []jsonscan.Edit
	thoughts, marks, ids bool
	stripped             bool
}

func (s *stripper) message(m *jsonscan.Walker) {
	var room [8]jsonscan.Span
	members := room[:0]
	gone := map[int]bool{}
	for key, ok := m.Next(); ok; key, ok = m.Next() {
		at := jsonscan.Span{From: m.Begin(), Value: m.Pos()}
		switch {
		case slices.Contains(thoughtFields[:], string(key)):
			value := m.Skip()
			switch {
			case s.thoughts:
				gone[len(members)] = true
				s.stripped = s.stripped || !jsonscan.IsEmpty(value)
			case s.marks && string(key) == "reasoning_details":
				s.details(value, at.Value)
			}
		case s.ids && string(key) == "tool_calls":
			list := m.Inner()
			s.calls(&list)
			m.Leave(&list)
		case s.ids && string(key) == "tool_call_id":
			s.id(m.Skip(), at.Value)
		default:
			m.Skip()
		}
		at.To = m.Pos()
		members = append(members, at)
	}
	if len(gone) > 0 {
		s.edits = jsonscan.Cut(s.edits, members, func(i int) bool { return gone[i] })
	}
}

// thoughtFields are the members of a message that OpenAI has no such field for, and refuses.
var thoughtFields = [...]string{"reasoning", "reasoning_content", "reasoning_details"}

// details takes out the details whose signatures no vendor made as they are.
func (s *stripper) details(list []byte, from int) {
	var items []jsonscan.Span
	w := jsonscan.Walk(list, 0)
	gone := map[int]bool{}
	for _, ok := w.Next(); ok; _, ok = w.Next() {
		at := jsonscan.Span{From: from + w.Pos(), Value: from + w.Pos()}
		gone[len(items)] = bytes.Contains(w.Skip(), wordMark)
		s.stripped = s.stripped || gone[len(items)]
		at.To = from + w.Pos()
		items = append(items, at)
	}
	s.edits = jsonscan.Cut(s.edits, items, func(i int) bool { return gone[i] })
}

func (s *stripper) calls(list *jsonscan.Walker) {
	for _, ok := list.Next(); ok; _, ok = list.Next() {
		if list.At() != '{' {
			list.Skip()
			continue
		}
		call := list.Inner()
		for key, ok := call.Next(); ok; key, ok = call.Next() {
			from := call.Pos()
			if value := call.Skip(); string(key) == "id" {
				s.id(value, from)
			}
		}
		list.Leave(&call)
	}
}

// id rewrites an id that the vendor refuses, calls and results alike.
func (s *stripper) id(value []byte, from int) {
	if len(value) == 0 || value[0] != '"' {
		return
	}
	if id := jsonscan.Unquote(value); s.flavour.RefusesID(s.model, id) {
		quoted, _ := json.Marshal(chat.PortableID(id)) // plain letters
		s.edits = append(s.edits, jsonscan.Edit{From: from, To: from + len(value), Text: quoted})
	}
}
