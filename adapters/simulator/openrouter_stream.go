package simulator

import "net/http"

// comment keeps the connection alive.
var comment = piece{data: []byte(": OPENROUTER PROCESSING\n\n"), comment: true}

func (openrouter) chunk(c *call, a *answer) openrouterChunk {
	return openrouterChunk{
		ID: "gen-" + id(a.serial, 20), Object: "chat.completion.chunk", Created: a.created, Model: snapshot(c.model, "-20251001"), Provider: "Simulated",
	}
}

// deltas are what a choice says, step by step.
func (o openrouter) deltas(c *call, a *answer, choice int) []openrouterChunkChoice {
	var out []openrouterChunkChoice
	add := func(d openrouterDelta, l *chatLogprobs) {
		out = append(out, openrouterChunkChoice{Index: choice, Delta: d, Logprobs: l})
	}
	_, details := o.reasoning(c, a, choice)
	for _, d := range details {
		for _, step := range d.steps() {
			delta := openrouterDelta{Content: new(""), Details: []openrouterDetail{step}}
			if said := step.Text + step.Summary; said != "" {
				delta.Reasoning = &said
			}
			add(delta, nil)
		}
	}
	for _, p := range a.choices[choice] {
		if p.kind == calling {
			opening := o.call(c, a, choice, p)
			opening.Function.Arguments = ""
			add(openrouterDelta{ToolCalls: []chatCall{opening}}, nil)
			if p.pieces == nil {
				p.pieces = []string{p.text}
			}
		}
		for _, text := range p.pieces {
			switch p.kind {
			case words:
				add(openrouterDelta{Content: &text}, c.chatLogprobs([]string{text}))
			case refusing:
				add(openrouterDelta{Refusal: &text}, nil)
			case calling:
				add(openrouterDelta{ToolCalls: []chatCall{{Index: &p.n, Function: chatFunction{Arguments: text}}}}, nil)
			}
		}
	}
	if cites := a.chatCites(choice); len(cites) > 0 {
		add(openrouterDelta{Content: new(""), Annotations: cites}, nil)
	}
	return out
}

// steps are the pieces that a detail is streamed in: its text, and then its signature by itself.
func (d openrouterDetail) steps() []openrouterDetail {
	said := d.Text + d.Summary
	if said == "" {
		return []openrouterDetail{d}
	}
	var out []openrouterDetail
	for _, text := range cutText(said, pieceBytes) {
		step := d
		step.Signature = ""
		if d.Text != "" {
			step.Text = text
		} else {
			step.Summary = text
		}
		out = append(out, step)
	}
	if d.Signature != "" {
		d.Text, d.Summary = "", ""
		out = append(out, d)
	}
	return out
}

// stream begins with comments, says the role in each chunk, and repeats the finish reason in the chunk with the usage.
func (o openrouter) stream(c *call, a *answer) (http.Header, []piece) {
	out := []piece{comment, comment}
	chunk := o.chunk(c, a)
	write := func(choice openrouterChunkChoice) {
		choice.Delta.Role = "assistant"
		chunk.Choices = []openrouterChunkChoice{choice}
		out = append(out, event("", encode(chunk)))
	}
	steps, most := make([][]openrouterChunkChoice, c.choices), 0
	for i := range c.choices {
		steps[i] = o.deltas(c, a, i)
		most = max(most, len(steps[i]))
	}
	for at := range most {
		if at == 2 {
			out = append(out, comment)
		}
		for i := range c.choices {
			if at < len(steps[i]) {
				write(steps[i][at])
			}
		}
	}
	reason, native := o.finish(c, a)
	for i := range c.choices {
		write(openrouterChunkChoice{Index: i, Delta: openrouterDelta{Content: new("")}, Finish: &reason, Native: &native})
	}
	usage := o.usage(a)
	chunk.Usage = &usage
	chunk.Choices = chunk.Choices[:1]
	chunk.Choices[0].Index = 0
	out = append(out, event("", encode(chunk)), event("", []byte("[DONE]")))
	return o.header(a, "text/event-stream"), out
}

// broken is a chunk with an error, and the end as if nothing were wrong.
func (o openrouter) broken(c *call, a *answer, _ int) []piece {
	chunk := o.chunk(c, a)
	chunk.Error = &openrouterCause{Code: http.StatusBadGateway, Message: "Provider disconnected unexpectedly"}
	chunk.Choices = []openrouterChunkChoice{{Delta: openrouterDelta{Content: new(""), Role: "assistant"}, Finish: new("error"), Native: new("error")}}
	return []piece{event("", encode(chunk)), event("", []byte("[DONE]"))}
}
