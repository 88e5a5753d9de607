package gemini

import (
	"encoding/json"
	"net/url"
	"path"
	"strings"

	"github.com/forge1/forge1/domain/chat"
)

// The vendor's roles.
const (
	user  = "user"
	model = "model"
)

// noSignature stands where models from Gemini 3 on demand the thought signature of a call and nobody has it: the neutral form cannot carry
// signatures, and calls of other vendors' models have none. The vendor documents this value for that.
const noSignature = "skip_thought_signature_validator"

// contents fills systemInstruction and contents. The vendor wants at least one content, no content without parts, and the results of
// parallel calls together in one.
func (e *encoder) contents(r *chat.Request) error {
	results := false // the last content holds tool results
	for i, m := range r.Messages {
		if m.Name != "" && m.Role != chat.RoleTool {
			e.drops.Add("messages[].name")
		}
		if m.Role == chat.RoleSystem {
			if err := e.system(i, m); err != nil {
				return err
			}
			continue
		}
		if m.Role == chat.RoleTool {
			p, err := e.toolResult(i, m)
			if err != nil {
				return err
			}
			if results {
				last := &e.out.Contents[len(e.out.Contents)-1]
				last.Parts = append(last.Parts, p)
			} else {
				e.add(user, []part{p})
			}
			results = true
			continue
		}
		results = false
		parts, role, err := e.turn(i, m)
		if err != nil {
			return err
		}
		e.add(role, parts)
	}
	if len(e.out.Contents) == 0 {
		return unsupported("gemini needs at least one message that is not empty", "messages")
	}
	return nil
}

func (e *encoder) add(role string, parts []part) {
	if len(parts) > 0 {
		e.out.Contents = append(e.out.Contents, content{Role: role, Parts: parts})
	}
}

func (e *encoder) system(i int, m chat.Message) error {
	for _, p := range m.Parts {
		switch {
		case p.Kind != chat.PartText:
			return unsupported("gemini takes text only in a system message", "messages[%d].content", i)
		case p.Text == "":
			continue
		case e.out.SystemInstruction == nil:
			e.out.SystemInstruction = &content{}
		}
		e.out.SystemInstruction.Parts = append(e.out.SystemInstruction.Parts, part{Text: p.Text})
	}
	return nil
}

func (e *encoder) turn(i int, m chat.Message) (parts []part, role string, err error) {
	role = user
	if m.Role == chat.RoleAssistant {
		role = model
	}
	for _, p := range m.Parts {
		switch {
		case p.Kind == chat.PartImage && role == model:
			return nil, "", unsupported("gemini takes text only in an assistant message", "messages[%d].content", i)
		case p.Kind == chat.PartImage:
			if p.Image.Detail != "" && p.Image.Detail != "auto" {
				e.drops.Add("image_url.detail")
			}
			parts = append(parts, image(p.Image))
		case p.Text != "":
			parts = append(parts, part{Text: p.Text})
		}
	}
	for j, c := range m.ToolCalls {
		args := json.RawMessage(c.Arguments)
		if strings.TrimSpace(c.Arguments) == "" {
			args = json.RawMessage("{}")
		}
		if !isObject(args) {
			return nil, "", unsupported("gemini takes a JSON object only", "messages[%d].tool_calls[%d].function.arguments", i, j)
		}
		e.names[c.ID] = c.Name
		p := part{FunctionCall: &functionCall{ID: c.ID, Name: c.Name, Args: args}}
		if j == 0 && generation(e.model) >= 3 {
			p.ThoughtSignature = noSignature // of parallel calls the first alone has one
		}
		parts = append(parts, p)
	}
	return parts, role, nil
}

// toolResult answers a call by its function's name, which the neutral form knows from the call.
func (e *encoder) toolResult(i int, m chat.Message) (part, error) {
	for _, p := range m.Parts {
		if p.Kind != chat.PartText {
			return part{}, unsupported("gemini takes text only in a tool message", "messages[%d].content", i)
		}
	}
	name, ok := e.names[m.ToolCallID]
	if !ok {
		name = m.Name
	}
	if name == "" {
		return part{}, unsupported("gemini takes a tool result only after its call", "messages[%d].tool_call_id", i)
	}
	return part{FunctionResponse: &functionResponse{ID: m.ToolCallID, Name: name, Response: result{m.Text()}}}, nil
}

// imageTypes guess the media type of an image by the ending of its name.
var imageTypes = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".heic": "image/heic", ".heif": "image/heif",
}

func image(img chat.Image) part {
	if img.Data != "" {
		return part{InlineData: &inlineData{MIMEType: img.MediaType, Data: img.Data}}
	}
	f := &fileData{URI: img.URL}
	if u, err := url.Parse(img.URL); err == nil {
		f.MIMEType = imageTypes[strings.ToLower(path.Ext(u.Path))] // none rather than a wrong one: the vendor looks for itself then
	}
	return part{FileData: f}
}
