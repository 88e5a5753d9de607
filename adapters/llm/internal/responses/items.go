package responses

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// conversation writes the messages as items. What the system says first are the instructions; what it says later stays where it is.
func (e *encoder) conversation(in []chat.Message) error {
	first := 0
	var instructions []string
	for first < len(in)-1 && in[first].Role == chat.RoleSystem && plain(in[first].Parts) { // one message must be left: the input may not be empty
		for j := range in[first].Parts {
			e.uncached(in[first].Parts[j].Cache)
		}
		instructions = append(instructions, in[first].Text())
		first++
	}
	e.out.Instructions = strings.Join(instructions, "\n\n")
	e.out.Input = make([]any, 0, len(in)-first)
	t := turn{encoder: e}
	for i := first; i < len(in); i++ {
		if m := &in[i]; m.Name != "" {
			e.drops.Add("messages[].name") // what is said remains
		}
		if in[i].Role == chat.RoleAssistant {
			if err := t.add(&in[i], i); err != nil {
				return err
			}
			continue
		}
		t.end()
		if err := e.others(&in[i], i); err != nil {
			return err
		}
	}
	t.end()
	return nil
}

// plain reports whether parts are nothing but text.
func plain(parts []chat.Part) bool {
	for i := range parts {
		if parts[i].Kind != chat.PartText {
			return false
		}
	}
	return true
}

// place names a part in the words of the caller's request.
func place(message, part int) string { return fmt.Sprintf("messages[%d].content[%d]", message, part) }

// others writes a message of the system, the user or a tool.
func (e *encoder) others(m *chat.Message, i int) error {
	if m.Role == chat.RoleTool {
		return e.results(m, i)
	}
	out := item{Type: itemMessage, Role: string(m.Role)}
	for j := range m.Parts {
		p, err := e.said(&m.Parts[j], place(i, j))
		if err != nil {
			return err
		}
		if p != nil {
			out.Content = append(out.Content, p)
		}
	}
	if len(out.Content) == 0 {
		empty := ""
		out.Content = []any{contentPart{Type: partInput, Text: &empty}}
	}
	e.out.Input = append(e.out.Input, out)
	return nil
}

// said writes what a user or a tool can say. What cannot be said in this dialect fails: to leave it out would be to ask something else.
func (e *encoder) said(p *chat.Part, name string) (any, error) {
	e.uncached(p.Cache)
	out := contentPart{Type: partInput}
	switch p.Kind {
	case chat.PartText, chat.PartRefusal:
		out.Text = &p.Text
	case chat.PartImage:
		out.Type = partImage
		if p.Media == nil {
			return nil, llm.Unsupported(name)
		}
		if out.ImageURL, out.FileID, out.Detail = address(p.Media), upload(p.Media), p.Media.Detail; out.ImageURL+out.FileID == "" {
			return nil, llm.Unsupported(name)
		}
	case chat.PartFile:
		f := fileOf(p.Media)
		if f == nil {
			return nil, llm.Unsupported(name)
		}
		out = *f
	case chat.PartThinking:
		e.drops.Note("messages[].reasoning")
		return nil, nil
	case chat.PartForeign:
		if p.Foreign == nil || p.Foreign.Dialect != chat.DialectResponses || !json.Valid(p.Foreign.JSON) {
			return nil, llm.Unsupported(name)
		}
		return json.RawMessage(p.Foreign.JSON), nil
	default: // a sound: the API hears nothing
		return nil, llm.Unsupported(name)
	}
	return out, nil
}

// address is where media are: their URL, or their bytes as one; "" when they are an upload.
func address(m *chat.Media) string {
	switch {
	case m.URL != "":
		return m.URL
	case m.Data == "":
		return ""
	case m.Type == "":
		return "data:application/octet-stream;base64," + m.Data
	default:
		return "data:" + m.Type + ";base64," + m.Data
	}
}

// upload is the id of an upload at the vendor, whose APIs share their files; "" for none.
func upload(m *chat.Media) string {
	if m.Origin == chat.DialectOpenAIChat || m.Origin == chat.DialectResponses {
		return m.FileID
	}
	return ""
}

func fileOf(m *chat.Media) *contentPart {
	out := contentPart{Type: partFile}
	switch {
	case m == nil:
		return nil
	case m.Data != "":
		out.FileData, out.Filename = address(m), m.Name
		if out.Filename == "" {
			out.Filename = "file" + extension(m.Type) // the dialect demands one
		}
	case m.URL != "":
		out.FileURL = m.URL
	default:
		if out.FileID = upload(m); out.FileID == "" {
			return nil
		}
	}
	return &out
}

func extension(mediaType string) string {
	switch mediaType {
	case "application/pdf", "":
		return ".pdf"
	case "text/plain":
		return ".txt"
	default:
		_, sub, _ := strings.Cut(mediaType, "/")
		return "." + sub
	}
}

// results writes the outputs of calls: as one text where that is all, so that no server need know more.
func (e *encoder) results(m *chat.Message, i int) error {
	for j := range m.Parts {
		r := m.Parts[j].Result
		if m.Parts[j].Kind != chat.PartToolResult || r == nil {
			return llm.Unsupported(place(i, j))
		}
		e.uncached(m.Parts[j].Cache)
		if r.Error {
			e.drops.Add("messages[].is_error") // the text says what went wrong; that something did, the dialect has no word for
		}
		out := item{Type: itemOutput, CallID: chat.PortableID(r.CallID), Output: r.Text()}
		if !plain(r.Parts) {
			parts := make([]any, 0, len(r.Parts))
			for k := range r.Parts {
				p, err := e.said(&r.Parts[k], place(i, j))
				if err != nil {
					return err
				}
				if p != nil {
					parts = append(parts, p)
				}
			}
			out.Output = parts
		}
		e.out.Input = append(e.out.Input, out)
	}
	return nil
}
