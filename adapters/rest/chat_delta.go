package rest

import (
	"strconv"

	"github.com/forge1/forge1/domain/chat"
)

func (e *chatEncoder) add(s string) { e.buf = append(e.buf, s...) }

// field appends a member whose value is a text; name comes with its quotes and colon.
func (e *chatEncoder) field(name, text string) { e.buf = appendString(append(e.buf, name...), text) }

// open begins a chunk with one delta of a choice.
func (e *chatEncoder) open(choice int) {
	e.add(e.prefix)
	e.add(`{"index":`)
	e.buf = strconv.AppendInt(e.buf, int64(choice), 10)
	e.add(`,"delta":{`)
}

// close ends the delta and its chunk.
func (e *chatEncoder) close(logprobs []chat.TokenLogprob) {
	if len(logprobs) == 0 {
		e.add(`},"logprobs":null,"finish_reason":null}]`)
	} else {
		e.add(`},"logprobs":`)
		e.buf = append(e.buf, encode(logprobsOf(logprobs))...)
		e.add(`,"finish_reason":null}]`)
	}
	e.end()
}

// value sends a delta of one member.
func (e *chatEncoder) value(choice int, name string, v any) {
	e.open(choice)
	e.add(name)
	e.buf = append(e.buf, encode(v)...)
	e.close(nil)
}

func (e *chatEncoder) addTier() {
	if e.tier != "" {
		e.field(`,"service_tier":`, e.tier)
	}
}

// end closes a chunk. A client that asked for usage finds the field in every chunk.
func (e *chatEncoder) end() {
	e.addTier()
	if e.usage {
		e.add(`,"usage":null`)
	}
	e.add("}\n\n")
}

// call sends a piece of a tool's call; id, type and name come with the first of its index. The input of a custom tool is sent when the choice ends, as
// it is taken out of its arguments.
func (e *chatEncoder) call(s *choiceState, choice int, t *chat.ToolDelta) {
	for len(s.calls) <= t.Index {
		s.calls = append(s.calls, callState{})
	}
	c := &s.calls[t.Index]
	first := !c.begun
	if first {
		c.begun, c.custom = true, e.forms.isCustom(t.Name)
	}
	switch {
	case e.forms.functions():
		s.function = true
		e.open(choice)
		e.function(`"function_call":{`, first, t)
	case c.custom:
		c.arguments = append(c.arguments, t.Arguments...)
		if !first {
			return
		}
		e.openCall(choice, t.Index)
		e.field(`"id":`, t.ID)
		e.field(`,"type":"custom","custom":{"name":`, t.Name)
		e.add(`,"input":""}}]`)
	default:
		e.openCall(choice, t.Index)
		if first {
			e.field(`"id":`, t.ID)
			e.add(`,"type":"function",`)
		}
		e.function(`"function":{`, first, t)
		e.add(`}]`)
	}
	e.close(nil)
	if first && t.Signature != nil {
		e.value(choice, `"reasoning_details":`, []reasoningDetail{signatureDetail(t.Signature, false, t.ID, s.details)})
		s.details++
	}
}

// openCall begins a chunk with a piece of a call.
func (e *chatEncoder) openCall(choice, index int) {
	e.open(choice)
	e.add(`"tool_calls":[{"index":`)
	e.buf = strconv.AppendInt(e.buf, int64(index), 10)
	e.add(`,`)
}

// function appends a piece of a function's call.
func (e *chatEncoder) function(open string, first bool, t *chat.ToolDelta) {
	e.add(open)
	if first {
		e.field(`"name":`, t.Name)
		e.add(`,`)
	}
	e.field(`"arguments":`, t.Arguments)
	e.add(`}`)
}

// flush sends the inputs of custom tools, which are whole now.
func (e *chatEncoder) flush(s *choiceState, choice int) {
	for i := range s.calls {
		c := &s.calls[i]
		if !c.custom || len(c.arguments) == 0 {
			continue
		}
		e.openCall(choice, i)
		e.field(`"custom":{"input":`, customInput(string(c.arguments)))
		e.add(`}}]`)
		e.close(nil)
	}
}
