package gemini

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/domain/chat"
)

// choice is a candidate on its way.
type choice struct {
	*decoder
	index   int
	reason  string // of the end, as far as it was reached
	message string // that came with it
	calls   int
	open    *openCall
	quotes  quotes
	carrier int // of the chunks of an event: the last that is about the last text; -1 for none
}

// openCall is a call whose arguments are streamed.
type openCall struct {
	id        string
	name      string
	signature *chat.Signature
	args      map[string]any
}

// event reads what an event says of the candidate.
func (c *choice) event(raw []byte, at *[len(candidateKeys)]jsonscan.Span) error {
	c.carrier = -1
	if err := c.parts(member(raw, at[1]), member(raw, at[2])); err != nil {
		return err
	}
	if m := member(raw, at[3]); m != nil {
		c.message = word(m)
	}
	if l := member(raw, at[6]); l != nil {
		if told := logprobs(l); len(told) > 0 {
			c.carry().Logprobs = told
		}
	}
	c.quotes.read(member(raw, at[4]), member(raw, at[5]))
	if c.reason == "" {
		return nil
	}
	c.cite()
	return c.closeCall()
}

// parts reads the content, and the reason to end that came with it: none where code is run whose result is yet to come.
func (c *choice) parts(content, reason []byte) error {
	said, pending := false, false
	if content != nil {
		var at [1]jsonscan.Span
		if jsonscan.Find(content, at[:], "parts") != nil {
			return llm.BadResponse(c.to, "sent a content that is none")
		}
		w := jsonscan.Walk(member(content, at[0]), 0)
		for _, ok := w.Next(); ok && w.List(); _, ok = w.Next() {
			raw := w.Skip()
			if raw == nil || raw[0] != '{' {
				continue
			}
			said = true
			p := readPart(raw)
			pending = p.other && bytes.Contains(raw, []byte(`"executableCode"`))
			if err := c.part(&p, raw); err != nil {
				return err
			}
		}
	}
	if said || reason != nil {
		c.reason = word(reason)
	}
	if pending {
		c.reason = ""
	}
	return nil
}

// part says one part.
func (c *choice) part(p *answerPart, raw []byte) error {
	var signature *chat.Signature
	if p.signature != "" {
		signature = &chat.Signature{Format: chat.FormatGemini, Data: p.signature}
	}
	switch {
	case p.call != nil:
		return c.call(p.call, signature)
	case p.other, p.thought && (p.inline != nil || p.file != nil): // a picture that the model only thought of is none of the answer's
		var whole bytes.Buffer
		if json.Compact(&whole, raw) != nil {
			return llm.BadResponse(c.to, "sent a part that is none")
		}
		c.whole(&chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectGemini, JSON: whole.Bytes()}})
	case p.inline != nil, p.file != nil:
		var m answerMedia
		for _, v := range [...][]byte{p.inline, p.file} {
			if v != nil && json.Unmarshal(v, &m) != nil {
				return llm.BadResponse(c.to, "sent a medium that is none")
			}
		}
		whole := m.neutral()
		whole.Signature = signature
		c.whole(&whole)
	case p.thought && p.text != "":
		c.quotes.leave()
		c.out = append(c.out, chat.Chunk{Choice: c.index, Thinking: p.text, Signature: signature})
	case p.text != "":
		c.quotes.say(p.text, signature != nil)
		c.out = append(c.out, chat.Chunk{Choice: c.index, Text: p.text, Signature: signature})
		c.carrier = len(c.out) - 1
	case signature != nil:
		c.out = append(c.out, chat.Chunk{Choice: c.index, Signature: signature})
		if c.quotes.close() {
			c.carrier = len(c.out) - 1
		}
	}
	return nil
}

// whole says a part that comes whole.
func (c *choice) whole(p *chat.Part) {
	c.quotes.leave()
	c.out = append(c.out, chat.Chunk{Choice: c.index, Part: p})
}

// carry gives the chunk that what is said about the text goes with.
func (c *choice) carry() *chat.Chunk {
	if c.carrier < 0 {
		c.out = append(c.out, chat.Chunk{Choice: c.index})
		return &c.out[len(c.out)-1]
	}
	return &c.out[c.carrier]
}

// cite says the citations, once.
func (c *choice) cite() {
	if found := c.quotes.citations(c.carrier >= 0); len(found) > 0 {
		c.carry().Citations = found
	}
}

// end says the end. message is the vendor's word about a block.
func (c *choice) end(f chat.Finish, message string) {
	c.carrier = -1
	c.cite()
	if f == chat.FinishContentFilter && message != "" {
		c.out = append(c.out, chat.Chunk{Choice: c.index, Refusal: llm.Scrub(message, c.to.Secret)})
	}
	c.out = append(c.out, chat.Chunk{Choice: c.index, Finish: f})
}

// call reads a whole call, or a piece of one.
func (c *choice) call(raw []byte, signature *chat.Signature) error {
	var a answerCall
	if json.Unmarshal(raw, &a) != nil {
		return llm.BadResponse(c.to, "sent a call that is none")
	}
	if a.Name != "" {
		if err := c.closeCall(); err != nil {
			return err
		}
		if !a.WillContinue && len(a.PartialArgs) == 0 {
			c.say(a.ID, a.Name, arguments(a.Args), signature)
			return nil
		}
		c.open = &openCall{id: a.ID, name: a.Name, signature: signature, args: map[string]any{}}
		if isObject(a.Args) && json.Unmarshal(a.Args, &c.open.args) != nil {
			return llm.BadResponse(c.to, "sent arguments that are not an object")
		}
	}
	if c.open == nil && len(a.PartialArgs) == 0 {
		return nil // the end of a call that has ended
	}
	if c.open == nil {
		return llm.BadResponse(c.to, "sent a piece of a call that never began")
	}
	if signature != nil {
		c.open.signature = signature
	}
	for _, p := range a.PartialArgs {
		if p.put(c.open.args) != nil {
			return llm.BadResponse(c.to, "sent a piece of arguments that does not fit")
		}
	}
	if !a.WillContinue {
		return c.closeCall()
	}
	return nil
}

// closeCall says a call whose arguments were streamed, all at once: its pieces are not pieces of a text.
func (c *choice) closeCall() error {
	if c.open == nil {
		return nil
	}
	args, err := json.Marshal(c.open.args)
	if err != nil {
		return llm.BadResponse(c.to, "sent arguments that are not JSON")
	}
	c.say(c.open.id, c.open.name, string(args), c.open.signature)
	c.open = nil
	return nil
}

func (c *choice) say(id, name, args string, signature *chat.Signature) {
	c.quotes.leave()
	if own, ok := c.names[name]; ok {
		name = own
	}
	from := c.id
	if c.index > 0 {
		from += "/" + strconv.Itoa(c.index) // choices may make the same call
	}
	t := &chat.ToolDelta{Index: c.calls, ID: callID(id, from, c.calls, name, args), Name: name, Arguments: args, Signature: signature}
	c.calls++
	c.out = append(c.out, chat.Chunk{Choice: c.index, Tool: t})
}
