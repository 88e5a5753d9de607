package responses

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// The members that the relay changes. Each may stand once: parsers disagree on which of two counts, and what one of them lets through another refuses.
const (
	atModel = iota
	atStream
	atStore
	atInclude
	atInput
	atPrevious
	atConversation
	places
)

var keys = [places]string{"model", "stream", "store", "include", "input", "previous_response_id", "conversation"}

// splicer makes the edits of one body.
type splicer struct {
	flavour Flavour
	thinks  bool // the model does
	body    []byte
	at      [places]jsonscan.Span
	edits   []jsonscan.Edit
	members []byte // that the body lacks
	drops   llm.Drops
}

// splice gives a copy of the body with the model replaced, kept by nobody but Forge, with the thoughts asked for in the form in which they can come back,
// and without what another vendor made, which dropped names. Every other byte stays: unknown fields, order, white space, escapes. It fails with
// ClassInvalid naming the field when the body is no JSON object or a routing key stands twice.
func (f Flavour) splice(in *outbound.Passage, model string) (out []byte, dropped []string, err error) {
	body := in.Body
	s := splicer{flavour: f, thinks: f.thinks(model), body: body}
	s.edits = make([]jsonscan.Edit, 0, 4)
	if err := jsonscan.Find(body, s.at[:], keys[:]...); err != nil {
		return nil, nil, jsonscan.Failure(err)
	}
	s.set(atModel, quote(model))
	if at := s.at[atStore]; !at.Found() || string(at.Of(body)) != "false" {
		s.set(atStore, []byte("false"))
	}
	s.include()
	s.forget(atPrevious)
	s.forget(atConversation)
	if s.at[atInput].Found() {
		s.input(model)
	}
	if s.members != nil {
		s.edits = append(s.edits, jsonscan.Insert(body, s.members))
	}
	if dropped, err = s.drops.Settle(nil, in.Strict); err != nil {
		return nil, nil, err
	}
	return jsonscan.Apply(body, s.edits), dropped, nil
}

// set gives a member a value.
func (s *splicer) set(place int, value []byte) {
	if at := s.at[place]; at.Found() {
		s.edits = append(s.edits, jsonscan.Edit{From: at.Value, To: at.To, Text: value})
		return
	}
	if s.members != nil {
		s.members = append(s.members, ',')
	}
	s.members = append(append(append(append(s.members, '"'), keys[place]...), `":`...), value...)
}

// forget makes null of a member that stands for what the vendor does not keep.
func (s *splicer) forget(place int) {
	if at := s.at[place]; at.Found() && !jsonscan.IsNull(at.Of(s.body)) {
		s.set(place, []byte("null"))
		s.drops.Add(keys[place])
	}
}

const quotedThoughts = `"` + includeThoughts + `"`

// include asks for the thoughts, and does not where a model that has none would refuse to be asked.
func (s *splicer) include() {
	at := s.at[atInclude]
	if !at.Found() || s.body[at.Value] != '[' {
		if s.thinks && (!at.Found() || jsonscan.IsNull(at.Of(s.body))) {
			s.set(atInclude, []byte("["+quotedThoughts+"]"))
		}
		return
	}
	var items []jsonscan.Span
	asked := false
	w := jsonscan.Walk(s.body, at.Value)
	for _, ok := w.Next(); ok; _, ok = w.Next() {
		one := jsonscan.Span{From: w.Begin(), Value: w.Begin()}
		asked = jsonscan.Unquote(w.Skip()) == includeThoughts || asked
		one.To = w.Pos()
		items = append(items, one)
	}
	switch {
	case s.thinks && !asked:
		text := quotedThoughts
		if len(items) > 0 {
			text += ","
		}
		s.edits = append(s.edits, jsonscan.Edit{From: at.Value + 1, To: at.Value + 1, Text: []byte(text)})
	case !s.thinks && asked:
		s.edits = jsonscan.Cut(s.edits, items, func(i int) bool { return jsonscan.Unquote(items[i].Of(s.body)) == includeThoughts })
	}
}

// input goes over the items: those that hold thoughts which the model cannot read are left out, and ids of calls that the vendor does not take are
// rewritten.
func (s *splicer) input(model string) {
	w := jsonscan.Walk(s.body, s.at[atInput].Value)
	if !w.List() {
		return
	}
	left := false
	for _, ok := w.Next(); ok; _, ok = w.Next() {
		left = s.item(&w, model) != kept || left
	}
	if left {
		s.leaveOut(model)
		s.drops.Note("messages[].reasoning")
	}
}

// fate is what becomes of an item.
type fate uint8

const (
	kept    fate = iota
	foreign      // another vendor's: it must be left out
	lost         // the vendor's own, perhaps, which cannot be read any more: it must be left out, and what it led to must not say so
)

// leaveOut takes out the items of the input that the vendor would refuse. There are seldom any, so that they are looked for again. Of a thought that is
// lost, the ids of what came after it would tell: without them that is but text.
func (s *splicer) leaveOut(model string) {
	var items []jsonscan.Span
	var fates []fate
	again := splicer{flavour: s.flavour, thinks: s.thinks, body: s.body}
	w := jsonscan.Walk(s.body, s.at[atInput].Value)
	for _, ok := w.Next(); ok; _, ok = w.Next() {
		at := jsonscan.Span{From: w.Begin(), Value: w.Begin()}
		fates = append(fates, again.item(&w, model))
		at.To = w.Pos()
		items = append(items, at)
	}
	s.edits = jsonscan.Cut(s.edits, items, func(i int) bool { return fates[i] != kept })
	if !slices.Contains(fates, lost) {
		return
	}
	for i, at := range items {
		if fates[i] == kept {
			s.anonymous(at.Value)
		}
	}
}

// anonymous takes the id of an item that is a message or a call.
func (s *splicer) anonymous(at int) {
	w := jsonscan.Walk(s.body, at)
	if !w.Object() {
		return
	}
	var all []jsonscan.Span
	id, said := -1, false
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		one := jsonscan.Span{From: w.Begin(), Value: w.Pos()}
		switch value := w.Skip(); string(key) {
		case "id":
			id = len(all)
		case "type":
			said = isText(value, itemMessage) || isText(value, itemCall)
		}
		one.To = w.Pos()
		all = append(all, one)
	}
	if said {
		s.edits = jsonscan.Cut(s.edits, all, func(i int) bool { return i == id })
	}
}

// item looks into an item, and says what becomes of it.
func (s *splicer) item(list *jsonscan.Walker, model string) fate {
	if list.At() != '{' {
		list.Skip()
		return kept
	}
	w := list.Inner()
	var kind, id, sealed, call jsonscan.Span
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		at := jsonscan.Span{From: w.Begin(), Value: w.Pos()}
		w.Skip()
		at.To = w.Pos()
		switch string(key) {
		case "type":
			kind = at
		case "id":
			id = at
		case "encrypted_content":
			sealed = at
		case "call_id":
			call = at
		}
	}
	list.Leave(&w)
	if call.Found() {
		if was := jsonscan.Unquote(call.Of(s.body)); refusesID(was) {
			s.edits = append(s.edits, jsonscan.Edit{From: call.Value, To: call.To, Text: quote(chat.PortableID(was))})
		}
	}
	if !kind.Found() || !isText(kind.Of(s.body), itemThought) {
		return kept
	}
	return s.thought(id, sealed, model)
}

// thought looks into a thought. One without what the vendor sealed would be looked for at the vendor, which keeps none.
func (s *splicer) thought(id, sealed jsonscan.Span, model string) fate {
	if !sealed.Found() || empty(sealed.Of(s.body)) {
		return lost
	}
	value := sealed.Of(s.body)
	if bytes.IndexByte(value, '\\') < 0 && !bytes.HasPrefix(value[1:], []byte(chat.SignatureMark)) {
		return s.own() // as it came
	}
	text := jsonscan.Unquote(value)
	sign, ok := chat.Unwrap(text)
	switch {
	case !ok && !strings.HasPrefix(text, chat.SignatureMark):
		return s.own()
	case !ok || !s.flavour.reads(model, sign):
		return foreign
	}
	s.edits = append(s.edits, jsonscan.Edit{From: sealed.Value, To: sealed.To, Text: quote(sign.Data)})
	if id.Found() && strings.HasPrefix(sign.ID, "rs_") { // its own, which the wrapping kept
		s.edits = append(s.edits, jsonscan.Edit{From: id.Value, To: id.To, Text: quote(sign.ID)})
	}
	return kept
}

// own is what becomes of the vendor's own thoughts: a model that thinks not is given none.
func (s *splicer) own() fate {
	if s.thinks {
		return kept
	}
	return lost
}

// isText reports whether a value is a text, however it is written.
func isText(value []byte, text string) bool {
	if bytes.IndexByte(value, '\\') >= 0 {
		return jsonscan.Unquote(value) == text
	}
	return len(value) == len(text)+2 && value[0] == '"' && string(value[1:len(value)-1]) == text
}

// maxCallID is the longest id of a call that the API takes.
const maxCallID = 64

// refusesID reports whether the API would refuse the id of a call.
func refusesID(id string) bool {
	if id == "" || len(id) > maxCallID {
		return id != ""
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return true
		}
	}
	return false
}

// quote gives a text as JSON.
func quote(s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			b, _ := json.Marshal(s) // a text can always be written
			return b
		}
	}
	return append(append(append(make([]byte, 0, len(s)+2), '"'), s...), '"')
}
