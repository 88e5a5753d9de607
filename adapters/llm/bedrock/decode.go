package bedrock

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// decode reads a whole answer.
func decode(body []byte, to outbound.Target) (*chat.Response, error) {
	var a answer
	if json.Unmarshal(body, &a) != nil {
		return nil, llm.BadResponse(to, "answered something that is not an answer")
	}
	// content may be an empty list, but it is there; an answer without a stop reason is half an answer.
	if a.Output == nil || a.Output.Message == nil || a.Output.Message.Content == nil || a.StopReason == "" {
		return nil, llm.BadResponse(to, "answered without content or stop reason")
	}
	f, ok := finish(a.StopReason)
	if !ok {
		return nil, llm.BadResponse(to, "ended without a usable end: "+brief(a.StopReason))
	}
	choice := chat.Choice{Finish: f, StopSequence: a.More.StopSequence}
	signs := modelOf(to.Model).signs()
	for i := range a.Output.Message.Content {
		if p, ok := partOf(&a.Output.Message.Content[i], signs); ok {
			choice.Parts = append(choice.Parts, p)
		}
	}
	out := &chat.Response{Choices: []chat.Choice{choice}, Usage: a.Usage.neutral()}
	if a.Tier != nil {
		out.ServiceTier = a.Tier.Type
	}
	return out, nil
}

// partOf reads a block. ok is false for one that says nothing, and for what tools of the vendor's were asked and found: what came of it is in the text
// and its citations.
func partOf(b *block, signs string) (p chat.Part, ok bool) {
	switch {
	case b.Text != nil:
		p.Text = *b.Text
		return p, p.Text != ""
	case b.ToolUse != nil && b.ToolUse.Type == "":
		u := b.ToolUse
		return chat.Part{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: u.ID, Name: u.Name, Arguments: arguments(u.Input)}}, true
	case b.Cited != nil:
		p.Text = join(b.Cited.Content)
		for i := range b.Cited.Citations {
			p.Citations = append(p.Citations, b.Cited.Citations[i].neutral())
		}
		return p, p.Text != "" || p.Citations != nil
	case b.Reasoning == nil:
		return p, false
	case b.Reasoning.Redacted != "":
		return redacted(b.Reasoning.Redacted, signs), true
	case b.Reasoning.Text != nil:
		p.Kind, p.Text = chat.PartThinking, b.Reasoning.Text.Text
		if s := b.Reasoning.Text.Signature; s != "" {
			p.Signature = &chat.Signature{Format: signs, Data: s}
		}
		return p, p.Text != "" || p.Signature != nil
	}
	return p, false
}

func redacted(data, signs string) chat.Part {
	return chat.Part{Kind: chat.PartThinking, Redacted: true, Signature: &chat.Signature{Format: signs, Data: data}}
}

func join(blocks []block) string {
	var b strings.Builder
	for i := range blocks {
		if blocks[i].Text != nil {
			b.WriteString(*blocks[i].Text)
		}
	}
	return b.String()
}

func (c *citation) neutral() chat.Citation {
	out := chat.Citation{Title: c.Title, Text: join(c.Content)}
	switch {
	case c.Place.Web != nil:
		out.URL = c.Place.Web.URL
	case strings.HasPrefix(c.Source, "https://"), strings.HasPrefix(c.Source, "http://"):
		out.URL = c.Source
	}
	return out
}

// arguments gives a tool's input as JSON text.
func arguments(input json.RawMessage) string {
	var b bytes.Buffer
	if len(input) == 0 || json.Compact(&b, input) != nil || b.String() == "null" {
		return "{}"
	}
	return b.String()
}

// finish maps the API's stop reasons. It is false for those of an answer that the model botched.
func finish(reason string) (chat.Finish, bool) {
	switch reason {
	case "tool_use":
		return chat.FinishToolCalls, true
	case "max_tokens", "model_context_window_exceeded":
		return chat.FinishLength, true
	case "guardrail_intervened", "content_filtered", "refusal":
		return chat.FinishContentFilter, true
	case "malformed_model_output", "malformed_tool_use":
		return "", false
	default:
		return chat.FinishStop, true // end_turn, stop_sequence
	}
}

// brief is a reason fit for a log.
func brief(reason string) string { return reason[:min(len(reason), 40)] }

// neutral gives the counts as Forge counts them: the API's input leaves out what the cache has to do with, and output includes thoughts in both. It may be
// called on nil.
func (u *usage) neutral() *chat.Usage {
	if u == nil {
		return nil
	}
	out := chat.Usage{Output: max(u.Output, 0), CacheRead: max(u.CacheRead, 0), CacheWrite: max(u.CacheWrite, 0)}
	parts := 0
	for _, w := range u.Written {
		parts += max(w.Input, 0)
		if w.TTL == ttlHour {
			out.CacheWrite1h += max(w.Input, 0)
		}
	}
	out.CacheWrite = max(out.CacheWrite, parts)
	out.Input = max(u.Input, 0) + out.CacheRead + out.CacheWrite
	if out.Zero() {
		return nil
	}
	return &out
}
