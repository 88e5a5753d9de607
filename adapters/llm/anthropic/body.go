package anthropic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/domain/chat"
)

// The members of a body that the relay looks at. Each may stand once.
const (
	keyModel    = "model"
	keyStream   = "stream"
	keyMessages = "messages"
	keyThinking = "thinking"
)

var (
	signatureMark = []byte(chat.SignatureMark)
	toolMark      = []byte(`"tool_use`) // of tool_use and tool_use_id
)

// passable gives a copy of a body with the model replaced, and with what another vendor made taken out or rewritten: thoughts that it signed, ids of
// calls that this vendor would refuse. Every other byte stays. dropped names what was taken out. It fails with ClassInvalid when the body is no JSON
// object or one of its keys that count stands twice.
func passable(body []byte, name string) (out []byte, dropped []string, err error) {
	var at [4]jsonscan.Span
	if err := jsonscan.Find(body, at[:], keyModel, keyStream, keyMessages, keyThinking); err != nil {
		return nil, nil, jsonscan.Failure(err)
	}
	own := quote(name)
	edits := make([]jsonscan.Edit, 0, 2)
	if at[0].Found() {
		edits = append(edits, jsonscan.Edit{From: at[0].Value, To: at[0].To, Text: own})
	} else {
		edits = append(edits, jsonscan.Insert(body, fmt.Appendf(nil, `"model":%s`, own)))
	}
	if signed := bytes.Contains(body, signatureMark); at[2].Found() && (signed || bytes.Contains(body, toolMark)) {
		c := conversation{body: body, edits: edits}
		c.read(at[2].Value)
		edits = c.edits
		if c.stripped {
			dropped = append(dropped, fieldReasoning)
		}
		if c.thoughtless() && thinksByBudget(at[3], body) {
			edits = cutMember(edits, body, keyThinking)
			dropped = append(dropped, keyThinking)
		}
	}
	return jsonscan.Apply(body, edits), dropped, nil
}

// thinksByBudget reports whether thinking is on in the way that demands thoughts in front of calls.
func thinksByBudget(at jsonscan.Span, body []byte) bool {
	var t thinking
	return at.Found() && json.Unmarshal(at.Of(body), &t) == nil && t.Type == thinkingEnabled
}

// cutMember takes a member out of the body's object.
func cutMember(edits []jsonscan.Edit, body []byte, name string) []jsonscan.Edit {
	var members []jsonscan.Span
	gone := -1
	w := jsonscan.Walk(body, 0)
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		if string(key) == name {
			gone = len(members)
		}
		from, value := w.Begin(), w.Pos()
		w.Skip()
		members = append(members, jsonscan.Span{From: from, Value: value, To: w.Pos()})
	}
	edits = slices.DeleteFunc(edits, func(e jsonscan.Edit) bool {
		return gone >= 0 && e.From > members[gone].From && e.To <= members[gone].To
	})
	return jsonscan.Cut(edits, members, func(i int) bool { return i == gone })
}

// conversation is the turns of a body that is passed through.
type conversation struct {
	body     []byte
	edits    []jsonscan.Edit
	stripped bool  // a block of another vendor's was taken out
	last     facts // the last turn of the assistant
	strange  bool  // another vendor called tools in the turn that is under way
}

// thoughtless reports whether the last calls have no thought of this vendor's before them since another vendor called tools: with a budget to think, the
// vendor refuses to go on.
func (c *conversation) thoughtless() bool { return c.strange && c.last.calls && !c.last.thought }

// read goes over the messages, and leaves out those of which nothing is left.
func (c *conversation) read(at int) {
	var messages []jsonscan.Span
	var gone []bool
	w := jsonscan.Walk(c.body, at)
	if !w.List() {
		return
	}
	for _, ok := w.Next(); ok; _, ok = w.Next() {
		from := w.Begin()
		gone = append(gone, c.message(from))
		w.Skip()
		messages = append(messages, jsonscan.Span{From: from, Value: from, To: w.Pos()})
	}
	c.edits = jsonscan.Cut(c.edits, messages, func(i int) bool { return gone[i] })
}

// message goes over one message and reports whether nothing is left of it.
func (c *conversation) message(at int) (gone bool) {
	role, content := "", -1
	w := jsonscan.Walk(c.body, at)
	if !w.Object() {
		return false
	}
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		switch string(key) {
		case "role":
			role = wordOf(w.Skip())
		case "content":
			content = w.Pos()
			w.Skip()
		default:
			w.Skip()
		}
	}
	var turn facts
	if content >= 0 {
		turn = c.content(content)
	}
	switch {
	case role == assistant:
		c.last = turn
		c.strange = c.strange || turn.calls && (turn.foreign || turn.stripped > 0)
	case !c.last.calls:
		c.strange = false
	}
	return turn.stripped > 0 && turn.stripped == turn.blocks
}

// facts is what a message holds.
type facts struct {
	blocks, stripped        int
	calls, foreign, thought bool
}

// content goes over the blocks of a message.
func (c *conversation) content(at int) facts {
	var f facts
	w := jsonscan.Walk(c.body, at)
	if !w.List() {
		return f
	}
	var blocks []jsonscan.Span
	var gone []bool
	for _, ok := w.Next(); ok; _, ok = w.Next() {
		from := w.Begin()
		gone = append(gone, c.block(from, &f))
		w.Skip()
		blocks = append(blocks, jsonscan.Span{From: from, Value: from, To: w.Pos()})
	}
	if f.blocks = len(blocks); f.stripped > 0 && f.stripped < f.blocks {
		c.edits = jsonscan.Cut(c.edits, blocks, func(i int) bool { return gone[i] })
	}
	return f
}

// block looks at one block, rewrites its id if it must, and reports whether it has to go.
func (c *conversation) block(at int, f *facts) (gone bool) {
	var kind, sealed string
	var id jsonscan.Span
	w := jsonscan.Walk(c.body, at)
	if !w.Object() {
		return false
	}
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		from := w.Pos()
		switch value := w.Skip(); string(key) {
		case "type":
			kind = wordOf(value)
		case "signature", "data":
			if bytes.Contains(value, signatureMark) {
				sealed = jsonscan.Unquote(value)
			}
		case "citations":
			if bytes.Contains(value, signatureMark) {
				c.citations(from)
			}
		case "id", "tool_use_id":
			id = jsonscan.Span{From: from, Value: from, To: w.Pos()}
		}
	}
	switch kind {
	case "thinking", "redacted_thinking":
		if strings.HasPrefix(sealed, chat.SignatureMark) {
			f.stripped++
			c.stripped = true
			return true
		}
		f.thought = true
	case "tool_use":
		f.calls = true
		f.foreign = !c.rename(id) || f.foreign
	case "tool_result":
		c.rename(id)
	}
	return false
}

// citations takes out those of another vendor's: what the vendor would know them by is a mark alone.
func (c *conversation) citations(at int) {
	w := jsonscan.Walk(c.body, at)
	if !w.List() {
		return
	}
	var all []jsonscan.Span
	for _, ok := w.Next(); ok; _, ok = w.Next() {
		from := w.Begin()
		w.Skip()
		all = append(all, jsonscan.Span{From: from, Value: from, To: w.Pos()})
	}
	c.edits = jsonscan.Cut(c.edits, all, func(i int) bool { return bytes.Contains(all[i].Of(c.body), signatureMark) })
}

// maxID is the longest id of a call that the vendor takes.
const maxID = 64

// rename rewrites an id that the vendor would refuse. It reports whether the id is one of the vendor's own.
func (c *conversation) rename(at jsonscan.Span) (own bool) {
	if !at.Found() {
		return false
	}
	if quoted := at.Of(c.body); len(quoted) > 2 && quoted[0] == '"' && len(quoted) <= maxID+2 && len(bytes.Trim(quoted[1:len(quoted)-1], idBytes)) == 0 {
		return bytes.HasPrefix(quoted[1:], ownCallBytes)
	}
	id := jsonscan.Unquote(at.Of(c.body))
	switch {
	case id == "":
	case len(id) <= maxID && strings.Trim(id, idBytes) == "":
		return strings.HasPrefix(id, ownCall)
	default:
		c.edits = append(c.edits, jsonscan.Edit{From: at.From, To: at.To, Text: quote(chat.PortableID(id))})
	}
	return false
}

var ownCallBytes = []byte(ownCall)

// wordOf reads a role or a type; those that matter cost no memory.
func wordOf(value []byte) string {
	switch string(value) {
	case `"assistant"`:
		return assistant
	case `"user"`:
		return user
	case `"text"`:
		return "text"
	case `"tool_use"`:
		return "tool_use"
	case `"tool_result"`:
		return "tool_result"
	default:
		return jsonscan.Unquote(value)
	}
}

const idBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
