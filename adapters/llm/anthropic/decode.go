package anthropic

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
	var m message
	if json.Unmarshal(body, &m) != nil {
		return nil, llm.BadResponse(to, "answered something that is not a message")
	}
	if m.Error != nil {
		return nil, m.Error.refusal().Failure(to, nil)
	}
	// content may be an empty list, but it is there; an answer without a stop reason is half an answer.
	if m.Type != "message" || m.Content == nil || m.StopReason == "" {
		return nil, llm.BadResponse(to, "answered a message without content or stop reason")
	}
	choice := chat.Choice{Finish: finish(m.StopReason), StopSequence: m.StopSequence}
	for _, raw := range m.Content {
		p, ok, err := partOf(raw)
		if err != nil {
			return nil, llm.BadResponse(to, "answered a block that is none")
		}
		if ok {
			choice.Parts = append(choice.Parts, p)
		}
	}
	if why := m.StopDetails.refusal(m.StopReason); why != "" {
		choice.Parts = append(choice.Parts, chat.Part{Kind: chat.PartRefusal, Text: why})
	}
	out := &chat.Response{ID: m.ID, Model: m.Model, Choices: []chat.Choice{choice}}
	if m.Usage != nil {
		var t tally
		t.add(m.Usage)
		out.Usage, out.ServiceTier = t.usage(), t.serviceTier()
	}
	return out, nil
}

// partOf reads a block. ok is false for one that says nothing. What the neutral form has no word for is kept as it came, so that it can be sent back.
func partOf(raw []byte) (p chat.Part, ok bool, err error) {
	var b contentBlock
	if err := json.Unmarshal(raw, &b); err != nil {
		return p, false, err
	}
	switch b.Type {
	case "text":
		for _, c := range b.Citations {
			p.Citations = append(p.Citations, citationOf(c))
		}
		p.Text = b.Text
		return p, p.Text != "" || p.Citations != nil, nil
	case "thinking":
		p = chat.Part{Kind: chat.PartThinking, Text: b.Thinking, Signature: signature(b.Signature)}
		return p, p.Text != "" || p.Signature != nil, nil
	case "redacted_thinking":
		return redacted(&b), true, nil
	case "tool_use":
		return chat.Part{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: b.ID, Name: b.Name, Arguments: arguments(b.Input)}}, true, nil
	default:
		return foreignPart(raw), true, nil
	}
}

func redacted(b *contentBlock) chat.Part {
	return chat.Part{Kind: chat.PartThinking, Redacted: true, Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: b.Data}}
}

// signature gives what the vendor wants back with a thought; nil for none.
func signature(data string) *chat.Signature {
	if data == "" {
		return nil
	}
	return &chat.Signature{Format: chat.FormatAnthropic, Data: data}
}

// foreignPart keeps a block that the vendor alone knows, without the white space that it may have been padded with.
func foreignPart(raw []byte) chat.Part {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		b.Reset()
		b.Write(raw)
	}
	return chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: b.Bytes()}}
}

// citationOf reads what a text is from: a page, a document of the request, a result of a search.
func citationOf(raw json.RawMessage) chat.Citation {
	var c struct {
		URL           string `json:"url"`
		Source        string `json:"source"`
		Title         string `json:"title"`
		DocumentTitle string `json:"document_title"`
		CitedText     string `json:"cited_text"`
	}
	_ = json.Unmarshal(raw, &c) // a field of another type than ours is no reason to lose the citation
	out := chat.Citation{URL: c.URL, Title: c.Title, Text: c.CitedText, Foreign: foreignPart(raw).Foreign}
	if out.URL == "" && (strings.HasPrefix(c.Source, "https://") || strings.HasPrefix(c.Source, "http://")) {
		out.URL = c.Source
	}
	if out.Title == "" {
		out.Title = c.DocumentTitle
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

// finish maps the vendor's stop reasons.
func finish(reason string) chat.Finish {
	switch reason {
	case "tool_use":
		return chat.FinishToolCalls
	case "max_tokens", "model_context_window_exceeded":
		return chat.FinishLength
	case "pause_turn":
		return chat.FinishPause
	case reasonRefusal:
		return chat.FinishContentFilter
	default:
		return chat.FinishStop // end_turn, stop_sequence
	}
}

const reasonRefusal = "refusal"

// refusal gives the vendor's explanation of a refusal. It may be called on nil.
func (d *stopDetails) refusal(reason string) string {
	if d == nil || reason != reasonRefusal {
		return ""
	}
	return d.Explanation
}
