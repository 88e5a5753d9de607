package chatcompletions

import (
	"fmt"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// messages writes the conversation. A tool's message holds text alone in this dialect: pictures and files that a tool gave follow the results of its
// turn in a message of the user, which says of which call they are.
func (e *encoder) messages(in []chat.Message) error {
	e.out.Messages = make([]message, 0, len(in))
	var shown []any // what tools of this turn gave that is no text
	for i := range in {
		m := &in[i]
		if m.Role != chat.RoleTool && len(shown) > 0 {
			e.out.Messages, shown = append(e.out.Messages, message{Role: "user", Content: shown}), nil
		}
		var err error
		switch m.Role {
		case chat.RoleTool:
			shown, err = e.results(m, i, shown)
		case chat.RoleAssistant:
			err = e.assistant(m, i)
		default:
			err = e.spoken(m, i)
		}
		if err != nil {
			return err
		}
	}
	if len(shown) > 0 {
		e.out.Messages = append(e.out.Messages, message{Role: "user", Content: shown})
	}
	return nil
}

// spoken writes a message of the system or the user: as one string when it is one text.
func (e *encoder) spoken(m *chat.Message, i int) error {
	out := message{Role: string(m.Role), Name: m.Name, Content: ""}
	switch {
	case len(m.Parts) == 0:
	case len(m.Parts) == 1 && m.Parts[0].Kind == chat.PartText && e.cache(m.Parts[0].Cache) == nil:
		out.Content = m.Parts[0].Text
	default:
		parts := make([]any, 0, len(m.Parts))
		for j := range m.Parts {
			p, err := e.part(&m.Parts[j], place(i, j))
			if err != nil {
				return err
			}
			if p != nil {
				parts = append(parts, p)
			}
		}
		out.Content = parts
	}
	e.out.Messages = append(e.out.Messages, out)
	return nil
}

// place names a part in the words of the caller's request.
func place(message, part int) string { return fmt.Sprintf("messages[%d].content[%d]", message, part) }

// part writes what a user can say. What cannot be said in this dialect fails: to leave it out would be to ask something else.
func (e *encoder) part(p *chat.Part, name string) (any, error) {
	out := part{Cache: e.cache(p.Cache)}
	switch p.Kind {
	case chat.PartText, chat.PartRefusal:
		out.Type, out.Text = "text", &p.Text
	case chat.PartImage:
		url := mediaURL(p.Media)
		if url == "" {
			return nil, llm.Unsupported(name)
		}
		out.Type, out.Image = "image_url", &imageURL{URL: url, Detail: p.Media.Detail}
	case chat.PartAudio:
		if p.Media == nil || p.Media.Data == "" {
			return nil, llm.Unsupported(name)
		}
		out.Type, out.Audio = "input_audio", &inputAudio{Data: p.Media.Data, Format: audioFormat(p.Media.Type)}
	case chat.PartFile:
		f := e.file(p.Media)
		if f == nil {
			return nil, llm.Unsupported(name)
		}
		out.Type, out.File = "file", f
	case chat.PartThinking:
		e.drops.Note("messages[].reasoning")
		return nil, nil
	case chat.PartForeign:
		if p.Foreign == nil || p.Foreign.Dialect != chat.DialectOpenAIChat {
			return nil, llm.Unsupported(name)
		}
		return raw(p.Foreign.JSON), nil
	default:
		return nil, llm.Unsupported(name)
	}
	return out, nil
}

// mediaURL is where a picture is: its address, or its bytes as one; "" when it is an upload at a vendor.
func mediaURL(m *chat.Media) string {
	switch {
	case m == nil:
		return ""
	case m.URL != "":
		return m.URL
	case m.Data != "":
		kind := m.Type
		if kind == "" {
			kind = "application/octet-stream"
		}
		return "data:" + kind + ";base64," + m.Data
	default:
		return ""
	}
}

// file writes a document. OpenAI takes bytes and its own uploads; OpenRouter takes addresses too.
func (e *encoder) file(m *chat.Media) *file {
	switch {
	case m == nil:
		return nil
	case m.FileID != "" && (m.Origin == chat.DialectOpenAIChat || m.Origin == chat.DialectResponses) && e.Kind == OpenAI:
		return &file{ID: m.FileID}
	case m.Data != "", m.URL != "" && e.Kind == OpenRouter:
		if m.Detail != "" {
			e.drops.Add("image_url.detail")
		}
		out := &file{Name: m.Name, Data: mediaURL(m)}
		if out.Name == "" {
			out.Name = "file" + extension(m.Type) // the dialect demands one
		}
		return out
	default:
		return nil
	}
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

// audioFormat is the dialect's word for a media type.
func audioFormat(mediaType string) string {
	_, sub, _ := strings.Cut(mediaType, "/")
	sub, _, _ = strings.Cut(sub, ";")
	switch sub {
	case "mpeg", "mp3", "mpga":
		return "mp3"
	case "wav", "x-wav", "wave", "vnd.wave", "":
		return "wav"
	default:
		return strings.TrimPrefix(sub, "x-")
	}
}

// cache writes a mark up to which the prompt is to be kept, where the vendor knows marks.
func (e *encoder) cache(c chat.CacheControl) *cacheControl {
	if c == "" {
		return nil
	}
	if e.Kind != OpenRouter {
		e.uncached(c)
		return nil
	}
	out := &cacheControl{Type: "ephemeral"}
	if c == chat.Cache1h {
		out.TTL = string(c)
	}
	return out
}

// uncached is about a mark where the vendor knows none, and keeps every prompt for some minutes anyhow. What is to be kept for longer is said for the
// whole prompt, or cannot be.
func (e *encoder) uncached(c chat.CacheControl) {
	switch {
	case c != chat.Cache1h || e.Kind == OpenRouter:
	case e.Retains != nil && e.Retains(e.model):
		e.out.Retention = "24h"
	default:
		e.drops.Add("messages[].cache_control")
	}
}

// results writes the results of tools, and gives what of them is no text, after what was given before.
func (e *encoder) results(m *chat.Message, i int, shown []any) ([]any, error) {
	for j := range m.Parts {
		r := m.Parts[j].Result
		if m.Parts[j].Kind != chat.PartToolResult || r == nil {
			return nil, llm.Unsupported(place(i, j))
		}
		if r.Error {
			e.drops.Add("messages[].is_error") // the text says what went wrong; that something did, the dialect has no word for
		}
		id, labelled := e.toolID(r.CallID), false
		texts := make([]any, 0, 1)
		for k := range r.Parts {
			p, err := e.part(&r.Parts[k], place(i, j))
			switch {
			case err != nil:
				return nil, err
			case p == nil:
			case r.Parts[k].Kind == chat.PartText:
				texts = append(texts, p)
			default:
				if !labelled {
					labelled = true
					label := "Result of the tool call " + id + ":"
					shown = append(shown, part{Type: "text", Text: &label})
				}
				shown = append(shown, p)
			}
		}
		out := message{Role: "tool", ToolCallID: id, Content: r.Text()}
		if cached := e.cache(m.Parts[j].Cache); len(texts) > 1 || cached != nil || len(texts) == 1 && texts[0].(part).Cache != nil {
			if cached != nil && len(texts) > 0 {
				last := texts[len(texts)-1].(part)
				last.Cache = cached
				texts[len(texts)-1] = last
			}
			out.Content = texts
		}
		e.out.Messages = append(e.out.Messages, out)
	}
	return shown, nil
}

// toolID gives an id that the vendor takes, always the same for the same.
func (e *encoder) toolID(id string) string {
	if e.RefusesID != nil && e.RefusesID(e.model, id) {
		return chat.PortableID(id)
	}
	return id
}
