package chat

// pieceBytes is about how long the pieces are that text is cut into.
const pieceBytes = 512

// Chunks cuts an answer into the chunks that a stream of it could have had: the model first, the usage last, one choice after the other in between.
// Text is cut between code points.
func (r *Response) Chunks() []Chunk {
	out := []Chunk{{ID: r.ID, Model: r.Model, Dropped: r.Dropped}}
	for i := range r.Choices {
		out = r.Choices[i].chunks(out, i)
	}
	if len(r.Choices) == 0 {
		out = append(out, Chunk{})
	}
	last := &out[len(out)-1]
	last.Usage, last.ServiceTier = r.Usage, r.ServiceTier
	return out
}

// chunks appends the chunks of one choice.
func (c *Choice) chunks(out []Chunk, index int) []Chunk {
	calls := 0
	for i := range c.Parts {
		switch p := &c.Parts[i]; {
		case p.Kind == PartToolCall:
			out = p.callChunks(out, index, calls)
			calls++
		case p.spoken():
			out = p.spokenChunks(out, index)
		default:
			whole := *p
			out = append(out, Chunk{Choice: index, Part: &whole})
		}
	}
	return append(out, Chunk{Choice: index, Logprobs: c.Logprobs, Finish: c.Finish, StopSequence: c.StopSequence})
}

// spoken reports whether the part can arrive in pieces of text.
func (p *Part) spoken() bool {
	switch p.Kind {
	case PartText:
		return p.Text != "" || len(p.Citations) > 0
	case PartRefusal:
		return p.Text != ""
	case PartThinking:
		return p.Text != "" && !p.Redacted
	default:
		return false
	}
}

func (p *Part) spokenChunks(out []Chunk, index int) []Chunk {
	first := len(out)
	for _, piece := range pieces(p.Text) {
		c := Chunk{Choice: index}
		switch p.Kind {
		case PartRefusal:
			c.Refusal = piece
		case PartThinking:
			c.Thinking = piece
		default:
			c.Text = piece
		}
		out = append(out, c)
	}
	if len(out) > first {
		out[first].New = true
	}
	if len(p.Citations) > 0 {
		out = append(out, Chunk{Choice: index, Citations: p.Citations})
	}
	if p.Signature != nil {
		out = append(out, Chunk{Choice: index, Signature: p.Signature})
	}
	return out
}

func (p *Part) callChunks(out []Chunk, index, call int) []Chunk {
	d := &ToolDelta{Index: call, ID: p.Call.ID, Name: p.Call.Name, Signature: p.Signature}
	parts := pieces(p.Call.Arguments)
	if len(parts) > 0 {
		d.Arguments = parts[0]
		parts = parts[1:]
	}
	out = append(out, Chunk{Choice: index, Tool: d})
	for _, part := range parts {
		out = append(out, Chunk{Choice: index, Tool: &ToolDelta{Index: call, Arguments: part}})
	}
	return out
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
