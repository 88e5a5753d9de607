package responses

import (
	"bytes"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/adapters/llm/internal/sse"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// Read implements outbound.Relay.
func (p *Provider) Read(body []byte) outbound.Reading {
	answer, err := p.flavour.decode(body, outbound.Target{}, nil)
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
func (p *Provider) Gather() (add func([]byte), read func() outbound.Reading) {
	g := &gatherer{decoder: decoder{flavour: p.flavour}, exact: true}
	return g.add, g.read
}

// gatherer reads the frames of a relayed stream.
type gatherer struct {
	decoder
	answer chat.Gatherer
	exact  bool // the neutral form holds all of it so far
	broken bool
}

func (g *gatherer) add(raw []byte) {
	if g.ended || g.broken {
		return
	}
	frames := sse.NewReader(bytes.NewReader(raw), 0)
	defer frames.Close()
	f, err := frames.Next()
	if err != nil || !f.HasData || len(f.Data) == 0 {
		return
	}
	if g.exact {
		g.exact = exactEvent(f.Data)
	}
	chunks, _, err := g.Event(f.Data)
	if g.broken = err != nil; !g.broken {
		for _, c := range chunks {
			g.answer.Add(c)
		}
	}
}

func (g *gatherer) read() outbound.Reading {
	if g.broken || !g.ended {
		return outbound.Reading{}
	}
	answer := g.answer.Response()
	out := outbound.Reading{Complete: ownEnd(answer.First().Finish)}
	if g.exact {
		out.Response = answer
	}
	return out
}

// exactEvent reports whether the neutral form holds what an event tells: of what comes in pieces, the event tells that has it whole.
func exactEvent(b []byte) bool {
	switch e, _ := read(b); e.kind {
	case kindItemDone:
		return exactItem(e.item)
	case kindCompleted, kindIncomplete:
		return exact(e.response)
	default:
		return true
	}
}

// exact reports whether the neutral form holds all that a response tells the client, beside what it repeats of the request.
func exact(response []byte) bool {
	return jsonscan.Members(response, func(key string, value []byte) bool {
		switch {
		case key == "output":
			return jsonscan.Items(value, exactItem)
		case heldOfResponse[key]:
			return true
		default:
			return empty(value)
		}
	})
}

// heldOfResponse are the members of a response that the neutral form holds, or that tell of the request and of this one call.
var heldOfResponse = setOf(
	"id", "object", "created_at", "completed_at", "status", "model", "usage", "service_tier", "background", "frequency_penalty", "presence_penalty",
	"instructions", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls", "previous_response_id", "prompt_cache_key",
	"prompt_cache_retention", "prompt_cache_options", "reasoning", "safety_identifier", "store", "temperature", "text", "tool_choice", "tools",
	"top_logprobs", "top_p", "truncation", "user", "incomplete_details",
)

// Members of the items and parts that the neutral form has words for. Items of other kinds it holds as they came.
var (
	heldOfItem = map[string]map[string]bool{
		`"message"`:       setOf("id", "type", "status", "role", "content"),
		`"reasoning"`:     setOf("id", "type", "status", "summary", "encrypted_content", "format"),
		`"function_call"`: setOf("id", "type", "status", "call_id", "name", "arguments"),
	}
	heldOfPart = map[string]map[string]bool{
		`"output_text"`:  setOf("type", "text", "annotations", "logprobs"),
		`"refusal"`:      setOf("type", "refusal"),
		`"summary_text"`: setOf("type", "text"),
	}
)

func exactItem(item []byte) bool {
	quoted := string(member(item, "type"))
	held, known := heldOfItem[quoted]
	if !known {
		return len(quoted) > 2
	}
	return jsonscan.Members(item, func(key string, value []byte) bool {
		switch {
		case key == "content", key == "summary":
			return empty(value) || held[key] && jsonscan.Items(value, exactPart)
		case key == "phase":
			return string(value) == `"final_answer"` // which is what an answer is
		default:
			return held[key] || empty(value)
		}
	})
}

func exactPart(part []byte) bool {
	held := heldOfPart[string(member(part, "type"))]
	return held != nil && jsonscan.Members(part, func(key string, value []byte) bool { return held[key] || empty(value) })
}

func setOf(names ...string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, name := range names {
		out[name] = true
	}
	return out
}
