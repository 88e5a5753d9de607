package chat

import (
	"slices"
	"strings"
)

// Gatherer puts a whole answer together from the chunks of a stream. Its zero value is ready.
type Gatherer struct {
	out     Response
	text    strings.Builder
	refusal strings.Builder
	calls   map[int]*gathering
	order   []int // of the calls, as they began
}

type gathering struct {
	id, name  string
	arguments strings.Builder
}

// Add takes the next chunk.
func (g *Gatherer) Add(c Chunk) {
	g.text.WriteString(c.Text)
	g.refusal.WriteString(c.Refusal)
	if c.Tool != nil {
		g.tool(c.Tool)
	}
	if c.ID != "" {
		g.out.ID = c.ID
	}
	if c.Model != "" {
		g.out.Model = c.Model
	}
	if c.Finish != "" {
		g.out.Finish = c.Finish
	}
	if c.Usage != nil {
		u := *c.Usage
		g.out.Usage = &u
	}
	for _, d := range c.Dropped {
		if !slices.Contains(g.out.Dropped, d) {
			g.out.Dropped = append(g.out.Dropped, d)
		}
	}
}

func (g *Gatherer) tool(d *ToolDelta) {
	c := g.calls[d.Index]
	if c == nil {
		if g.calls == nil {
			g.calls = map[int]*gathering{}
		}
		c = &gathering{}
		g.calls[d.Index] = c
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

// Response gives what was gathered so far.
func (g *Gatherer) Response() *Response {
	r := g.out
	r.Text, r.Refusal, r.Dropped = g.text.String(), g.refusal.String(), slices.Clone(g.out.Dropped)
	for _, i := range g.order {
		c := g.calls[i]
		call := ToolCall{ID: c.id, Name: c.name, Arguments: c.arguments.String()}
		if call.Arguments == "" {
			call.Arguments = "{}"
		}
		r.ToolCalls = append(r.ToolCalls, call)
	}
	return &r
}

// pieceBytes is about how long the pieces are that text is cut into.
const pieceBytes = 512

// Chunks cuts an answer into the chunks that a stream of it could have had: the model first, the finish and the usage last. Text is cut between
// code points.
func (r *Response) Chunks() []Chunk {
	out := []Chunk{{ID: r.ID, Model: r.Model, Dropped: r.Dropped}}
	for _, piece := range pieces(r.Text) {
		out = append(out, Chunk{Text: piece})
	}
	for _, piece := range pieces(r.Refusal) {
		out = append(out, Chunk{Refusal: piece})
	}
	for i, c := range r.ToolCalls {
		d := &ToolDelta{Index: i, ID: c.ID, Name: c.Name}
		parts := pieces(c.Arguments)
		if len(parts) > 0 {
			d.Arguments = parts[0]
			parts = parts[1:]
		}
		out = append(out, Chunk{Tool: d})
		for _, part := range parts {
			out = append(out, Chunk{Tool: &ToolDelta{Index: i, Arguments: part}})
		}
	}
	return append(out, Chunk{Finish: r.Finish, Usage: r.Usage})
}

// pieces cuts a text between code points, so that a cut is never seen.
func pieces(s string) []string {
	var out []string
	for len(s) > pieceBytes {
		cut := pieceBytes
		for cut > pieceBytes-4 && s[cut]&0xC0 == 0x80 { // within a code point
			cut--
		}
		out = append(out, s[:cut])
		s = s[cut:]
	}
	if s != "" {
		out = append(out, s)
	}
	return out
}
