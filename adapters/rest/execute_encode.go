package rest

import (
	"strings"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

// executeEncoder writes the events of execute: delta, then done or error.
type executeEncoder struct {
	x     *exchange
	text  strings.Builder
	tools toolGatherer
}

// Delta is a piece of a streamed answer: one of its fields is set.
type Delta struct {
	Text string     `json:"text,omitempty"`
	Tool *ToolDelta `json:"tool_call,omitempty"`
}

// ToolDelta is a piece of a tool call. Id and name come with the first piece of an index.
type ToolDelta struct {
	Index     int    `json:"index"`
	ID        string `json:"id,omitempty"`
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments_delta"`
}

func (e *executeEncoder) begin(inbound.Receipt, bool) {}

func (e *executeEncoder) piece(p inbound.Piece) []byte {
	var out []byte
	if p.Chunk.Choice != 0 {
		return nil // nobody asked for another
	}
	if text := p.Chunk.Text + p.Chunk.Refusal; text != "" {
		e.text.WriteString(text)
		out = event(out, "delta", Delta{Text: text})
	}
	if t := p.Chunk.Tool; t != nil {
		e.tools.add(*t)
		out = event(out, "delta", Delta{Tool: &ToolDelta{Index: t.Index, ID: t.ID, Name: t.Name, Arguments: t.Arguments}})
	}
	return out
}

func (e *executeEncoder) done(r inbound.Receipt) []byte {
	return event(nil, "done", e.x.result(r, e.text.String(), e.tools.calls()))
}

func (e *executeEncoder) fail(f *fault.Error) []byte { return event(nil, "error", e.x.problem(f)) }

// event appends a named event.
func event(out []byte, name string, v any) []byte {
	out = append(append(append(out, "event: "...), name...), "\ndata: "...)
	return append(append(out, encode(v)...), "\n\n"...)
}

// toolGatherer puts tool calls together from their pieces. Pieces belong together by index.
type toolGatherer struct {
	order []int
	byIdx map[int]*gathered
}

type gathered struct {
	id, name  string
	arguments strings.Builder
}

func (g *toolGatherer) add(d chat.ToolDelta) {
	c := g.byIdx[d.Index]
	if c == nil {
		if g.byIdx == nil {
			g.byIdx = make(map[int]*gathered)
		}
		c = &gathered{}
		g.byIdx[d.Index] = c
		g.order = append(g.order, d.Index)
	}
	if d.ID != "" {
		c.id = d.ID
	}
	if d.Name != "" {
		c.name = d.Name
	}
	c.arguments.WriteString(d.Arguments)
}

func (g *toolGatherer) calls() []*chat.ToolCall {
	out := make([]*chat.ToolCall, 0, len(g.order))
	for _, i := range g.order {
		c := g.byIdx[i]
		call := &chat.ToolCall{ID: c.id, Name: c.name, Arguments: c.arguments.String()}
		if call.Arguments == "" {
			call.Arguments = "{}"
		}
		out = append(out, call)
	}
	return out
}
