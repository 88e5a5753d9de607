package chat

import (
	"slices"
	"strings"
)

// Gatherer puts a whole answer together from the chunks of a stream. Its zero value is ready.
type Gatherer struct {
	out     Response
	choices []*gathering // by index; nil where a choice has not begun
}

// gathering is a choice on its way.
type gathering struct {
	Choice
	text  strings.Builder // of the last part, while it is open
	open  bool            // the last part is text, a refusal or a thought that may go on
	calls map[int]*gatheredCall
}

type gatheredCall struct {
	call      *ToolCall
	arguments strings.Builder
}

// maxChoices bounds the choices of one answer: no vendor makes more.
const maxChoices = 128

// Add takes the next chunk.
func (g *Gatherer) Add(c Chunk) {
	if c.ID != "" {
		g.out.ID = c.ID
	}
	if c.Model != "" {
		g.out.Model = c.Model
	}
	if c.ServiceTier != "" {
		g.out.ServiceTier = c.ServiceTier
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
	if c.Choice < 0 || c.Choice >= maxChoices || !c.Content() && c.Signature == nil && c.Finish == "" && len(c.Citations)+len(c.Logprobs) == 0 {
		return
	}
	for len(g.choices) <= c.Choice {
		g.choices = append(g.choices, &gathering{calls: map[int]*gatheredCall{}})
	}
	g.choices[c.Choice].add(&c)
}

func (g *gathering) add(c *Chunk) {
	g.say(PartText, c.Text, c.New)
	g.say(PartRefusal, c.Refusal, c.New)
	g.say(PartThinking, c.Thinking, c.New)
	if c.Tool != nil {
		g.tool(c.Tool)
	}
	if c.Part != nil {
		g.closePart()
		g.Parts = append(g.Parts, *c.Part)
	}
	if len(c.Citations) > 0 {
		g.cite(c.Citations)
	}
	if c.Signature != nil {
		g.sign(c.Signature)
	}
	g.Logprobs = append(g.Logprobs, c.Logprobs...)
	if c.Finish != "" {
		g.Finish = c.Finish
	}
	if c.StopSequence != "" {
		g.StopSequence = c.StopSequence
	}
}

// say adds to the last part, or begins one.
func (g *gathering) say(kind PartKind, text string, anew bool) {
	if text == "" {
		return
	}
	if !g.open || anew || g.last().Kind != kind {
		g.closePart()
		g.Parts = append(g.Parts, Part{Kind: kind})
		g.open = true
	}
	g.text.WriteString(text)
}

func (g *gathering) last() *Part { return &g.Parts[len(g.Parts)-1] }

// closePart ends the part that may go on.
func (g *gathering) closePart() {
	if g.open {
		g.last().Text = g.text.String()
		g.text.Reset()
		g.open = false
	}
}

func (g *gathering) cite(citations []Citation) {
	if len(g.Parts) == 0 || g.last().Kind != PartText {
		g.closePart()
		g.Parts = append(g.Parts, Part{})
		g.open = true
	}
	g.last().Citations = append(g.last().Citations, citations...)
}

func (g *gathering) sign(s *Signature) {
	if g.open && g.last().Signature == nil && g.last().Kind != PartRefusal {
		g.last().Signature = s
		g.closePart()
		return
	}
	g.closePart()
	g.Parts = append(g.Parts, Part{Kind: PartThinking, Signature: s})
}

func (g *gathering) tool(d *ToolDelta) {
	c := g.calls[d.Index]
	if c == nil {
		g.closePart()
		c = &gatheredCall{call: &ToolCall{}}
		g.calls[d.Index] = c
		g.Parts = append(g.Parts, Part{Kind: PartToolCall, Call: c.call, Signature: d.Signature})
	}
	if d.ID != "" {
		c.call.ID = d.ID
	}
	if d.Name != "" {
		c.call.Name = d.Name
	}
	c.arguments.WriteString(d.Arguments)
}

// Response gives what was gathered so far. It shares its parts with the gatherer, which should not be added to any more.
func (g *Gatherer) Response() *Response {
	r := g.out
	r.Dropped = slices.Clone(g.out.Dropped)
	for _, c := range g.choices {
		c.closePart()
		for _, call := range c.calls {
			if call.call.Arguments = call.arguments.String(); call.call.Arguments == "" {
				call.call.Arguments = "{}"
			}
		}
		r.Choices = append(r.Choices, c.Choice)
	}
	if len(r.Choices) == 0 {
		r.Choices = []Choice{{}}
	}
	return &r
}
