package rest

import (
	"strconv"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

// ping is the heartbeat of Anthropic's streams.
var ping = []byte("event: ping\ndata: {\"type\": \"ping\"}\n\n")

// messageEncoder writes a stream in Anthropic's shape: relayed frames as they are, chunks of other vendors rendered.
type messageEncoder struct {
	x     *exchange
	input int // tokens of the request, as far as they can be guessed; the end of the stream says what the vendor counted

	head    inbound.Receipt
	relayed bool
	started bool
	tier    string
	finish  chat.Finish
	stop    string
	blocks  blockStream
}

func (e *messageEncoder) heartbeat() []byte { return ping }

func (e *messageEncoder) begin(head inbound.Receipt, relayed bool) { e.head, e.relayed = head, relayed }

func (e *messageEncoder) piece(p inbound.Piece) []byte {
	if e.relayed {
		return p.Raw
	}
	c := &p.Chunk
	e.blocks.b = e.blocks.b[:0]
	e.start(c.Usage)
	if c.ServiceTier != "" {
		e.tier = c.ServiceTier
	}
	if c.Choice != 0 { // there is room for one
		return e.blocks.b
	}
	if c.Finish != "" {
		e.finish = c.Finish
	}
	if c.StopSequence != "" {
		e.stop = c.StopSequence
	}
	e.blocks.add(c)
	return e.blocks.b
}

// start opens the message.
func (e *messageEncoder) start(said *chat.Usage) {
	if e.started {
		return
	}
	e.started = true
	u := chat.Usage{Input: e.input}
	if said != nil {
		u = *said
	}
	b := append(e.blocks.b, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":"...)
	b = append(appendMessageHead(b, e.head), `],"stop_reason":null,"stop_sequence":null,"stop_details":null,"usage":`...)
	e.blocks.b = append(appendMessageUsage(b, u, e.tier), "}}\n\n"...)
}

func (e *messageEncoder) done(r inbound.Receipt) []byte {
	if e.relayed {
		return nil
	}
	w := &e.blocks
	w.b = w.b[:0]
	e.start(nil)
	w.end()
	finish := e.finish
	if finish == "" {
		finish = r.Finish
	}
	b := append(w.b, "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{"...)
	b = appendStop(b, stopReason(finish, e.stop, len(w.begun) > 0, w.refused), e.stop)
	b = append(b, `},"usage":`...)
	b = append(appendMessageUsage(b, r.Usage, e.tier), "}\n\n"...)
	return append(b, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"...)
}

func (e *messageEncoder) fail(f *fault.Error) []byte {
	return event(nil, "error", e.x.anthropicError(f))
}

// blockKind is the kind of block that is open.
type blockKind uint8

const (
	noBlock blockKind = iota
	textBlock
	refusalBlock
	thinkingBlock
	toolBlock
)

// blockStream writes the events of blocks, one block after the other. Other dialects may give the pieces of several calls in turn: what comes while a
// call is not whole waits until it is.
type blockStream struct {
	b       []byte
	opened  int // blocks so far
	open    blockKind
	call    int          // with toolBlock: its index
	input   objectEnd    // with toolBlock: whether its arguments are whole
	begun   map[int]bool // calls, by their index
	refused bool
	waiting []chat.Chunk
}

// add takes the next chunk.
func (w *blockStream) add(c *chat.Chunk) {
	if !c.Content() && c.Signature == nil && len(c.Citations) == 0 {
		return
	}
	if w.open == toolBlock && !w.input.whole && (c.Tool == nil || c.Tool.Index != w.call) {
		w.waiting = append(w.waiting, *c)
		return
	}
	w.write(c)
	if w.open == toolBlock && w.input.whole && len(w.waiting) > 0 {
		waited := w.waiting
		w.waiting = nil
		for i := range waited {
			w.add(&waited[i])
		}
	}
}

// end closes what is open, with all that waited for it: the pieces of each call together.
func (w *blockStream) end() {
	waited := w.waiting
	w.waiting = nil
	for i := range waited {
		c := &waited[i]
		if c.Tool == nil {
			w.write(c)
			continue
		}
		if w.begun[c.Tool.Index] && (w.open != toolBlock || w.call != c.Tool.Index) {
			continue // with its first piece
		}
		for j := i; j < len(waited); j++ {
			if t := waited[j].Tool; t != nil && t.Index == c.Tool.Index {
				w.write(&waited[j])
			}
		}
		w.close()
	}
	w.close()
}

// write writes a chunk, whatever is open.
func (w *blockStream) write(c *chat.Chunk) {
	w.say(textBlock, c.Text, c.New)
	w.say(refusalBlock, c.Refusal, c.New)
	w.say(thinkingBlock, c.Thinking, c.New)
	if c.Tool != nil {
		w.tool(c.Tool)
	}
	if c.Part != nil {
		w.part(c.Part)
	}
	for i := range c.Citations {
		if w.open != textBlock {
			w.begin(textBlock, `{"type":"text","text":"","citations":[]}`)
		}
		w.delta("citations_delta", "citation")
		w.b = appendTextCitation(w.b, &c.Citations[i])
		w.endDelta()
	}
	if c.Signature != nil {
		w.sign(c.Signature)
	}
}

// say adds to the open block, or begins one.
func (w *blockStream) say(kind blockKind, text string, anew bool) {
	if text == "" {
		return
	}
	if w.open != kind || anew {
		if kind == thinkingBlock {
			w.begin(kind, `{"type":"thinking","thinking":"","signature":""}`)
		} else {
			w.begin(kind, `{"type":"text","text":""}`)
		}
	}
	w.refused = w.refused || kind == refusalBlock
	if kind == thinkingBlock {
		w.delta("thinking_delta", "thinking")
	} else {
		w.delta("text_delta", "text")
	}
	w.b = appendString(w.b, text)
	w.endDelta()
}

// tool writes a piece of a call. The first piece of its input is empty, as it is at Anthropic.
func (w *blockStream) tool(t *chat.ToolDelta) {
	if w.open != toolBlock || w.call != t.Index {
		if w.begun[t.Index] {
			return // it was whole
		}
		if t.Signature != nil {
			w.close()
			w.sign(signatureOfCall(t.Signature, t.ID))
		}
		if w.begun == nil {
			w.begun = make(map[int]bool)
		}
		w.begin(toolBlock, string(append(appendToolUse(nil, t.ID, t.Name), `{}}`...)))
		w.begun[t.Index], w.call, w.input = true, t.Index, objectEnd{}
		w.delta("input_json_delta", "partial_json")
		w.b = append(w.b, `""`...)
		w.endDelta()
	}
	if t.Arguments == "" {
		return
	}
	w.delta("input_json_delta", "partial_json")
	w.b = appendString(w.b, t.Arguments)
	w.endDelta()
	w.input.read(t.Arguments)
}

// part writes a part that came whole.
func (w *blockStream) part(p *chat.Part) {
	l := blockLister{}
	if p.Kind == chat.PartToolCall {
		return // calls come as calls
	}
	if l.part(p); len(l.b) == 0 {
		return
	}
	w.begin(noBlock, string(l.b))
	w.stop()
}

// sign writes a signature: of the thought that is open, or in a block to itself.
func (w *blockStream) sign(s *chat.Signature) {
	if w.open != thinkingBlock {
		w.begin(thinkingBlock, `{"type":"thinking","thinking":"","signature":""}`)
	}
	w.delta("signature_delta", "signature")
	w.b = appendString(w.b, signatureText(s))
	w.endDelta()
	w.stop()
}

// begin opens a block once the one before is closed.
func (w *blockStream) begin(kind blockKind, block string) {
	w.close()
	w.b = append(w.b, "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":"...)
	w.b = strconv.AppendInt(w.b, int64(w.opened), 10)
	w.b = append(append(append(w.b, `,"content_block":`...), block...), "}\n\n"...)
	if w.opened == 0 {
		w.b = append(w.b, ping...) // where Anthropic has its first
	}
	w.opened++
	w.open = kind
}

// close ends the open block. A thought that nobody signed is marked.
func (w *blockStream) close() {
	switch w.open {
	case noBlock:
	case thinkingBlock:
		w.sign(nil)
	default:
		w.stop()
	}
}

func (w *blockStream) stop() {
	w.b = append(w.b, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"...)
	w.b = append(strconv.AppendInt(w.b, int64(w.opened-1), 10), "}\n\n"...)
	w.open = noBlock
}

// delta begins a piece of the open block: its value must follow.
func (w *blockStream) delta(kind, field string) {
	w.b = append(w.b, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	w.b = strconv.AppendInt(w.b, int64(w.opened-1), 10)
	w.b = append(append(append(w.b, `,"delta":{"type":"`...), kind...), `","`...)
	w.b = append(append(w.b, field...), `":`...)
}

func (w *blockStream) endDelta() { w.b = append(w.b, "}}\n\n"...) }

// objectEnd notices where a JSON object that comes in pieces ends.
type objectEnd struct {
	depth         int
	text, escaped bool
	whole         bool
}

func (o *objectEnd) read(s string) {
	for i := range len(s) {
		switch c := s[i]; {
		case o.escaped:
			o.escaped = false
		case o.text:
			o.escaped, o.text = c == '\\', c != '"'
		case c == '"':
			o.text = true
		case c == '{', c == '[':
			o.depth++
		case c == '}', c == ']':
			o.depth--
			o.whole = o.whole || o.depth <= 0
		}
	}
}
