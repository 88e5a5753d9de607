package anthropic

import (
	"bytes"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/adapters/llm/internal/sse"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// Read implements outbound.Relay.
func (r *relay) Read(body []byte) outbound.Reading {
	answer, err := decode(body, outbound.Target{})
	if err != nil {
		return outbound.Reading{}
	}
	out := outbound.Reading{Complete: ownEnd(answer.First().Finish)}
	if exact(body) {
		out.Response = answer
	}
	return out
}

// ownEnd reports whether an answer that finished so came to its own end.
func ownEnd(f chat.Finish) bool { return f == chat.FinishStop || f == chat.FinishToolCalls }

// Gather implements outbound.Relay.
func (r *relay) Gather() (add func([]byte), read func() outbound.Reading) {
	g := &gatherer{exact: true, whole: true}
	return g.add, g.read
}

// gatherer reads the frames of a relayed stream.
type gatherer struct {
	decoder
	answer chat.Gatherer
	exact  bool // the neutral form holds all of it so far
	whole  bool // nothing was unreadable
	ended  bool
}

func (g *gatherer) add(raw []byte) {
	frames := sse.NewReader(bytes.NewReader(raw), 0)
	defer frames.Close()
	f, err := frames.Next()
	if err != nil || !f.HasData || len(f.Data) == 0 {
		return
	}
	g.exact = g.exact && g.holds(f.Data)
	chunks, done, err := g.Event(f.Data)
	g.whole, g.ended = g.whole && err == nil, g.ended || done
	if !g.exact {
		return
	}
	for _, c := range chunks {
		g.answer.Add(c)
	}
}

func (g *gatherer) read() outbound.Reading {
	out := outbound.Reading{Complete: g.whole && g.ended && ownEnd(g.finish)}
	if g.exact && g.whole && g.ended {
		out.Response = g.answer.Response()
	}
	return out
}

// exact reports whether the neutral form holds all that an answer tells the client. What says nothing, null or empty, need not be held.
func exact(message []byte) bool {
	return jsonscan.Members(message, func(key string, value []byte) bool {
		switch key {
		case "id", "type", "role", "model", "stop_reason", "stop_sequence", "usage":
			return true
		case "content":
			return jsonscan.Items(value, exactBlock)
		default:
			return jsonscan.IsEmpty(value)
		}
	})
}

// holds is exact for an event of the stream.
func (g *gatherer) holds(event []byte) bool {
	var delta []byte
	kind, index := "", -1
	held := jsonscan.Members(event, func(key string, value []byte) bool {
		switch key {
		case "type":
			kind = kindOf(value)
			return knownEvent[kind]
		case "index":
			index = jsonscan.Number(value)
			return true
		case "usage":
			return true
		case "message":
			return exact(value)
		case "content_block":
			return exactBlock(value)
		case "delta":
			delta = value
			return true
		default:
			return jsonscan.IsEmpty(value)
		}
	})
	if o := g.block(index); kind == eventDelta && o != nil && o.foreign != nil {
		return held // of such a block all is held
	}
	return held && (delta == nil || jsonscan.Members(delta, exactDelta))
}

var knownEvent = map[string]bool{
	eventStart: true, eventBlock: true, eventDelta: true, eventClose: true, eventEnd: true, eventStop: true, eventPing: true,
}

// exactDelta allows what is known of a delta.
func exactDelta(key string, value []byte) bool {
	switch key {
	case "type", "text", "thinking", "signature", "partial_json", "citation", "stop_reason", "stop_sequence":
		return true
	default:
		return jsonscan.IsEmpty(value)
	}
}

// heldMembers are the members of the blocks that the neutral form has words for. Others it holds as they came.
var heldMembers = map[string]map[string]bool{
	`"text"`:              {"type": true, "text": true, "citations": true},
	`"thinking"`:          {"type": true, "thinking": true, "signature": true},
	`"redacted_thinking"`: {"type": true, "data": true},
	`"tool_use"`:          {"type": true, "id": true, "name": true, "input": true},
}

func exactBlock(block []byte) bool {
	var at [1]jsonscan.Span
	if jsonscan.Find(block, at[:], "type") != nil || !at[0].Found() {
		return false
	}
	held, known := heldMembers[string(at[0].Of(block))]
	return !known || jsonscan.Members(block, func(key string, value []byte) bool { return held[key] || jsonscan.IsEmpty(value) })
}
