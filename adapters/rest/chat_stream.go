package rest

import (
	"strconv"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

// chatEncoder writes a stream in OpenAI's shape: relayed frames as they are, chunks of other vendors rendered.
type chatEncoder struct {
	created int64
	usage   bool // the client asked for usage
	forms   *toolForms

	relayed bool
	id      string
	prefix  string
	tier    string
	buf     []byte
	choices []choiceState
}

// choiceState is how far a choice of a stream has come.
type choiceState struct {
	begun    bool // the role has been sent
	finish   chat.Finish
	ended    bool // the finish has been sent
	kind     spoken
	read     int // code points of text that have been sent
	from     int // of these, before the last part
	details  int // thoughts and signatures that have been sent
	images   int
	function bool // a function was called as before there were tools
	calls    []callState
}

// spoken is the kind of the part that may go on.
type spoken uint8

const (
	spokenNothing spoken = iota
	spokenText
	spokenThought
)

// callState is how far a call of a tool has come.
type callState struct {
	begun     bool
	custom    bool
	arguments []byte // of a custom tool's call, until they are whole
}

// maxCalls bounds the calls of one choice: no vendor makes more, and each is remembered.
const maxCalls = 1 << 10

func (e *chatEncoder) begin(head inbound.Receipt, relayed bool) {
	e.relayed, e.id = relayed, completionID(head)
	b := append([]byte(nil), `data: {"id":`...)
	b = appendString(b, e.id)
	b = append(b, `,"object":"chat.completion.chunk","created":`...)
	b = strconv.AppendInt(b, e.created, 10)
	b = append(b, `,"model":`...)
	b = appendString(b, servedModel(head))
	e.prefix = string(append(b, `,"system_fingerprint":null,"choices":[`...))
}

func (e *chatEncoder) piece(p inbound.Piece) []byte {
	if e.relayed {
		if p.UsageOnly && !e.usage {
			return nil
		}
		return p.Raw
	}
	e.buf = e.buf[:0]
	c := &p.Chunk
	if c.ServiceTier != "" {
		e.tier = c.ServiceTier
	}
	if c.Choice < 0 || c.Choice >= maxChoices {
		return nil
	}
	said := c.Content() || c.Signature != nil || len(c.Citations)+len(c.Logprobs) > 0
	if !said && c.Finish == "" {
		return nil
	}
	e.finishOthers(c.Choice)
	for len(e.choices) <= c.Choice {
		e.choices = append(e.choices, choiceState{})
	}
	s := &e.choices[c.Choice]
	if said && !s.begun {
		e.role(s, c)
	}
	e.say(s, c)
	if c.Finish != "" {
		s.finish = c.Finish
	}
	return e.buf
}

// finishOthers sends the finish of choices that have one: theirs is not the last word of the stream.
func (e *chatEncoder) finishOthers(now int) {
	for i := range e.choices {
		if s := &e.choices[i]; i != now && s.finish != "" && !s.ended {
			e.finish(i, "")
		}
	}
}

// role opens the message, with content null when it begins with a tool call.
func (e *chatEncoder) role(s *choiceState, c *chat.Chunk) {
	s.begun = true
	e.open(c.Choice)
	if c.Tool != nil && c.Text == "" && c.Refusal == "" {
		e.add(`"role":"assistant","content":null,"refusal":null`)
	} else {
		e.add(`"role":"assistant","content":"","refusal":null`)
	}
	e.close(nil)
}

// say sends what a chunk says, a delta for each piece.
func (e *chatEncoder) say(s *choiceState, c *chat.Chunk) {
	logprobs := c.Logprobs
	if c.Text != "" {
		if s.kind != spokenText || c.New {
			s.kind, s.from = spokenText, s.read
		}
		s.read += utf8.RuneCountInString(c.Text)
		e.open(c.Choice)
		e.field(`"content":`, c.Text)
		e.close(logprobs)
		logprobs = nil
	}
	if c.Refusal != "" {
		s.kind = spokenNothing
		e.open(c.Choice)
		e.field(`"refusal":`, c.Refusal)
		e.close(logprobs)
		logprobs = nil
	}
	if c.Thinking != "" {
		e.thought(s, c)
	}
	if c.Tool != nil && c.Tool.Index >= 0 && c.Tool.Index < maxCalls {
		s.kind = spokenNothing
		e.call(s, c.Choice, c.Tool)
	}
	if c.Part != nil {
		s.kind = spokenNothing
		e.part(s, c.Choice, c.Part)
	}
	if len(c.Citations) > 0 {
		if shown := appendAnnotations(nil, c.Citations, s.from, s.read-s.from); len(shown) > 0 {
			e.value(c.Choice, `"annotations":`, shown)
		}
	}
	if c.Signature != nil {
		e.signature(s, c)
	}
	if len(logprobs) > 0 {
		e.open(c.Choice)
		e.close(logprobs)
	}
}

// thought sends a piece of a thought, as text and as a detail.
func (e *chatEncoder) thought(s *choiceState, c *chat.Chunk) {
	if s.kind != spokenThought || c.New {
		s.kind = spokenThought
		s.details++
	}
	e.open(c.Choice)
	e.field(`"reasoning":`, c.Thinking)
	e.field(`,"reasoning_details":[{"type":"reasoning.text","text":`, c.Thinking)
	e.add(`,"index":`)
	e.buf = strconv.AppendInt(e.buf, int64(s.details-1), 10)
	e.add(`}]`)
	e.close(nil)
}

// signature sends a signature: that of the thought which it ends, or one that stands alone.
func (e *chatEncoder) signature(s *choiceState, c *chat.Chunk) {
	if s.kind != spokenThought {
		s.details++
	}
	s.kind = spokenNothing
	e.value(c.Choice, `"reasoning_details":`, []reasoningDetail{signatureDetail(c.Signature, false, "", s.details-1)})
}

// part sends what comes whole.
func (e *chatEncoder) part(s *choiceState, choice int, p *chat.Part) {
	switch p.Kind {
	case chat.PartImage:
		e.value(choice, `"images":`, []completionImage{imageOf(p.Media, s.images)})
		s.images++
	case chat.PartAudio:
		e.value(choice, `"audio":`, audioOf(p.Media, e.id))
	case chat.PartThinking:
		for _, d := range detailsOf([]chat.Part{*p}) {
			d.Index += s.details
			e.value(choice, `"reasoning_details":`, []reasoningDetail{d})
		}
		s.details++
	case chat.PartText:
		e.say(s, &chat.Chunk{Choice: choice, New: true, Text: p.Text, Citations: p.Citations, Signature: p.Signature})
	}
}

func (e *chatEncoder) done(r inbound.Receipt) []byte {
	if e.relayed {
		return nil
	}
	e.buf = e.buf[:0]
	if len(e.choices) == 0 {
		e.choices = append(e.choices, choiceState{})
	}
	for i := range e.choices {
		if s := &e.choices[i]; !s.ended && (s.begun || s.finish != "" || i == 0) {
			e.finish(i, r.Finish)
		}
	}
	if e.usage {
		e.add(e.prefix)
		e.add(`]`)
		e.addTier()
		e.add(`,"usage":`)
		e.buf = append(append(e.buf, encode(usageOf(r.Usage))...), "}\n\n"...)
	}
	return append(e.buf, "data: [DONE]\n\n"...)
}

// finish ends a choice.
func (e *chatEncoder) finish(index int, whole chat.Finish) {
	s := &e.choices[index]
	if !s.begun {
		e.role(s, &chat.Chunk{Choice: index})
	}
	e.flush(s, index)
	s.ended = true
	e.add(e.prefix)
	e.add(`{"index":`)
	e.buf = strconv.AppendInt(e.buf, int64(index), 10)
	e.field(`,"delta":{},"logprobs":null,"finish_reason":`, finishOf(s.finish, index, whole, s.function))
	e.add(`}]`)
	e.end()
}

func (e *chatEncoder) fail(f *fault.Error) []byte {
	return append(append([]byte("data: "), encode(openAIErrorOf(f))...), "\n\n"...)
}
