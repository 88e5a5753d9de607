package rest

import (
	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
)

// call reads a call of a tool.
func (d *messageReader) call(v strictjson.Value) []chat.Part {
	c, cache := &chat.ToolCall{}, chat.CacheControl("")
	d.members(v, "messages.content.", func(key string, v strictjson.Value) bool {
		switch key {
		case "type", "caller": // who called is the vendor's own business
		case "id":
			c.ID, _ = d.String(v)
		case "name":
			c.Name, _ = d.String(v)
		case "input":
			if _, ok := d.Object(v); ok {
				c.Arguments = string(v.Raw)
			}
		case "cache_control":
			cache = d.caching(v)
		default:
			return false
		}
		return true
	})
	d.required(v, "id", "name", "input")
	d.names[c.ID] = c.Name
	return []chat.Part{{Kind: chat.PartToolCall, Call: c, Cache: cache}}
}

// result reads what a tool answered.
func (d *messageReader) result(v strictjson.Value) []chat.Part {
	r, cache := &chat.ToolResult{}, chat.CacheControl("")
	d.members(v, "messages.content.", func(key string, v strictjson.Value) bool {
		switch key {
		case "type":
		case "tool_use_id":
			r.CallID, _ = d.String(v)
		case "content":
			r.Parts = d.answered(v)
		case "is_error":
			if b := d.boolean(v); b != nil {
				r.Error = *b
			}
		case "cache_control":
			cache = d.caching(v)
		default:
			return false
		}
		return true
	})
	d.required(v, "tool_use_id")
	r.Name = d.names[r.CallID]
	return []chat.Part{{Kind: chat.PartToolResult, Result: r, Cache: cache}}
}

// answered reads the content of a result.
func (d *messageReader) answered(v strictjson.Value) (out []chat.Part) {
	for _, p := range d.said(v) {
		switch p.Kind {
		case chat.PartToolCall, chat.PartToolResult, chat.PartThinking:
			d.Fail("invalid_value", "must not hold calls, results or thinking")
		case chat.PartForeign:
			d.drop("messages.content.content")
		default:
			out = append(out, p.Part)
		}
	}
	return out
}

// thought reads a thought with the signature of whoever thought it.
func (d *messageReader) thought(v strictjson.Value) []chat.Part {
	p, signature := chat.Part{Kind: chat.PartThinking}, ""
	d.members(v, "messages.content.", func(key string, v strictjson.Value) bool {
		switch key {
		case "type", "cache_control":
		case "thinking":
			p.Text, _ = d.String(v)
		case "signature":
			signature = d.text(v)
		default:
			return false
		}
		return true
	})
	d.required(v, "thinking")
	if p.Signature = signatureOf(signature); p.Signature == nil && p.Text == "" {
		return nil
	}
	return []chat.Part{p}
}

// redacted reads thinking that its vendor does not show.
func (d *messageReader) redacted(v strictjson.Value) []chat.Part {
	data := ""
	d.members(v, "messages.content.", func(key string, v strictjson.Value) bool {
		if key == "data" {
			data, _ = d.String(v)
		}
		return key == "data" || key == "type" || key == "cache_control"
	})
	d.required(v, "data")
	s := signatureOf(data)
	if s == nil {
		return nil
	}
	return []chat.Part{{Kind: chat.PartThinking, Redacted: true, Signature: s}}
}

// signatureOf reads the text of a signature: Anthropic's own, or another vendor's that Forge wrapped. Nil says nothing.
func signatureOf(text string) *chat.Signature {
	if text == "" {
		return nil
	}
	s, wrapped := chat.Unwrap(text)
	switch {
	case !wrapped:
		return &chat.Signature{Format: chat.FormatAnthropic, Data: text}
	case s.Data == "" && s.Format == "":
		return nil
	}
	return s
}

// signatureText writes a signature for a field that has room for one of Anthropic's alone. A thought without any is marked as another vendor's too:
// Anthropic would refuse it.
func signatureText(s *chat.Signature) string {
	switch {
	case s == nil:
		return noSignature
	case s.Format == chat.FormatAnthropic:
		return s.Data
	}
	return s.Wrap()
}

var noSignature = new(chat.Signature).Wrap()
