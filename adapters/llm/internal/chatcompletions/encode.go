package chatcompletions

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// encode writes a request in the dialect, and nothing that was not asked for. dropped names what the model does not take.
func (f Flavour) encode(model string, r *chat.Request, stream bool) (*request, []string, error) {
	out := &request{
		Model: model, Temperature: r.Temperature, TopP: r.TopP, Stop: r.Stop, Seed: r.Seed, ParallelTools: r.ParallelTools,
		Reasoning: r.Reasoning, User: r.EndUser, Stream: stream,
	}
	if f.CompletionTokens != nil && f.CompletionTokens(model) {
		out.MaxCompletionTokens = r.MaxTokens
	} else {
		out.MaxTokens = r.MaxTokens
	}
	var drops llm.Drops
	if f.Refuses != nil {
		for _, field := range f.Refuses(model, r.Reasoning) {
			out.drop(field, &drops)
		}
	}
	if stream {
		out.StreamOptions = &streamOptions{IncludeUsage: true}
	}
	for _, m := range r.Messages {
		out.Messages = append(out.Messages, f.message(m))
	}
	for _, t := range r.Tools {
		out.Tools = append(out.Tools, tool{Type: "function", Function: function{
			Name: t.Name, Description: t.Description, Parameters: raw(t.Schema), Strict: t.Strict,
		}})
	}
	out.ToolChoice = toolChoiceOf(r.ToolChoice)
	out.Format = formatOf(r.Format)
	dropped, err := drops.Fields(r)
	if err != nil {
		return nil, nil, err
	}
	return out, dropped, nil
}

// drop takes a field out. Sampling parameters of 1 are what a model does that takes none, so nothing is lost with them.
func (q *request) drop(field string, d *llm.Drops) {
	lost := false
	switch field {
	case "temperature":
		lost, q.Temperature = q.Temperature != nil && *q.Temperature != 1, nil
	case "top_p":
		lost, q.TopP = q.TopP != nil && *q.TopP != 1, nil
	case "stop":
		lost, q.Stop = len(q.Stop) > 0, nil
	case "reasoning_effort":
		lost, q.Reasoning = q.Reasoning != "", ""
	}
	if lost {
		d.Add(field)
	}
}

func (f Flavour) message(m chat.Message) message {
	out := message{Role: string(m.Role), Name: m.Name, ToolCallID: f.toolID(m.ToolCallID)}
	for _, c := range m.ToolCalls {
		out.ToolCalls = append(out.ToolCalls, toolCall{
			ID: f.toolID(c.ID), Type: "function", Function: calledFunction{Name: c.Name, Arguments: c.Arguments},
		})
	}
	switch {
	case len(m.Parts) == 0 && len(m.ToolCalls) > 0:
		out.Content = nil
	case onlyText(m):
		out.Content = m.Text()
	default:
		parts := make([]part, 0, len(m.Parts))
		for _, p := range m.Parts {
			parts = append(parts, partOf(p))
		}
		out.Content = parts
	}
	return out
}

// onlyText reports whether a message can be sent as one string: a single text, or none.
func onlyText(m chat.Message) bool {
	return len(m.Parts) == 0 || len(m.Parts) == 1 && m.Parts[0].Kind == chat.PartText
}

func partOf(p chat.Part) part {
	if p.Kind == chat.PartText {
		return part{Type: "text", Text: &p.Text}
	}
	url := p.Image.URL
	if url == "" {
		url = "data:" + p.Image.MediaType + ";base64," + p.Image.Data
	}
	return part{Type: "image_url", Image: &imageURL{URL: url, Detail: p.Image.Detail}}
}

// toolID shortens an id that the vendor would refuse, always to the same.
func (f Flavour) toolID(id string) string {
	if f.MaxToolID == 0 || len(id) <= f.MaxToolID {
		return id
	}
	h := sha256.Sum256([]byte(id))
	return "call_" + hex.EncodeToString(h[:12])
}

func toolChoiceOf(c chat.ToolChoice) any {
	switch c.Mode {
	case "":
		return nil
	case chat.ToolNamed:
		return map[string]any{"type": "function", "function": map[string]string{"name": c.Name}}
	default:
		return string(c.Mode)
	}
}

func formatOf(f chat.Format) *responseFormat {
	switch f.Kind {
	case chat.FormatJSON:
		return &responseFormat{Type: "json_object"}
	case chat.FormatSchema:
		name := f.Name
		if name == "" {
			name = "answer" // the dialect demands one
		}
		return &responseFormat{Type: "json_schema", Schema: &jsonSchema{Name: name, Schema: raw(f.Schema), Strict: f.Strict}}
	default:
		return nil
	}
}

func raw(b []byte) json.RawMessage {
	if len(b) == 0 {
		return nil
	}
	return json.RawMessage(b)
}
