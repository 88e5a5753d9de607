package rest

import (
	"strings"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
)

// said reads content: a string, or blocks.
func (d *messageReader) said(v strictjson.Value) (out []placed) {
	switch v.Kind {
	case strictjson.String:
		return []placed{{chat.Part{Text: v.Text}, -1}}
	case strictjson.Array:
	case strictjson.Null:
		return nil
	default:
		d.Fail(strictjson.CodeType, "must be a string or an array of blocks")
		return nil
	}
	for i, item := range v.Items {
		d.EnterItem(i)
		for _, p := range d.block(item) {
			out = append(out, placed{p, i})
		}
		d.Leave()
	}
	return out
}

// block reads a block, which is none, one or several parts.
func (d *messageReader) block(v strictjson.Value) []chat.Part {
	if _, ok := d.Object(v); !ok {
		return nil
	}
	kind, there := v.Member("type")
	if !there || kind.Kind != strictjson.String {
		d.required(v, "type")
		if there {
			d.FailAt("type", strictjson.CodeType, "must be a string")
		}
		return nil
	}
	switch kind.Text {
	case "tool_use":
		return d.call(v)
	case "tool_result":
		return d.result(v)
	case "thinking":
		return d.thought(v)
	case "redacted_thinking":
		return d.redacted(v)
	}
	return d.shown(kind.Text, v)
}

// shown reads a block that may stand in the result of a tool as well. One that is not known goes back to Anthropic's models alone.
func (d *messageReader) shown(kind string, v strictjson.Value) []chat.Part {
	var cache chat.CacheControl
	var out []chat.Part
	take := func(needs string, read func(key string, v strictjson.Value) bool) {
		d.members(v, "messages.content.", func(key string, v strictjson.Value) bool {
			switch key {
			case "type":
				return true
			case "cache_control":
				cache = d.caching(v)
				return true
			}
			return read(key, v)
		})
		d.required(v, needs)
	}
	switch kind {
	case "text":
		p := chat.Part{}
		take("text", func(key string, v strictjson.Value) bool {
			switch key {
			case "text":
				p.Text, _ = d.String(v)
			case "citations":
				p.Citations = d.citations(v)
			default:
				return false
			}
			return true
		})
		out = []chat.Part{p}
	case "image":
		take("source", func(key string, v strictjson.Value) bool {
			if key == "source" {
				out = d.source(v, chat.PartImage)
			}
			return key == "source"
		})
	case "document", "search_result":
		out = d.document(kind, take)
	case "container_upload":
		m := &chat.Media{Origin: chat.DialectAnthropic}
		take("file_id", func(key string, v strictjson.Value) bool {
			if key == "file_id" {
				m.FileID, _ = d.String(v)
			}
			return key == "file_id"
		})
		out = []chat.Part{{Kind: chat.PartFile, Media: m}}
	default:
		out = []chat.Part{{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: v.Raw}}}
	}
	if n := len(out); n > 0 {
		out[n-1].Cache = cache
	}
	return out
}

// document reads a document, or what a search found: its title and what is known of it, and then what it says.
func (d *messageReader) document(kind string, take func(needs string, read func(key string, v strictjson.Value) bool)) []chat.Part {
	var head, body []chat.Part
	title := ""
	needs := "source"
	if kind == "search_result" {
		needs = "content"
	}
	take(needs, func(key string, v strictjson.Value) bool {
		switch {
		case key == "title":
			title = d.text(v)
		case key == "source" && kind == "document":
			body = d.source(v, chat.PartFile)
		case key == "context", key == "source":
			if s := d.text(v); s != "" {
				head = append(head, chat.Part{Text: s + "\n"})
			}
		case key == "content" && kind == "search_result":
			for _, p := range d.said(v) {
				body = append(body, p.Part)
			}
		case key == "citations":
			if on, _ := v.Member("enabled"); on.True {
				d.drop("messages.content.citations")
			}
		default:
			return false
		}
		return true
	})
	if len(body) == 1 && body[0].Kind == chat.PartFile {
		body[0].Media.Name = title
	} else if title != "" {
		head = append([]chat.Part{{Text: title + "\n"}}, head...)
	}
	return append(head, body...)
}

// source reads where a picture or a document is. One that is text, or blocks, is said outright.
func (d *messageReader) source(v strictjson.Value, as chat.PartKind) []chat.Part {
	m := &chat.Media{}
	kind, text := "", ""
	var blocks []chat.Part
	if !d.members(v, "messages.content.source.", func(key string, v strictjson.Value) bool {
		switch key {
		case "type":
			kind, _ = d.String(v)
		case "media_type":
			m.Type, _ = d.String(v)
		case "data":
			text, _ = d.String(v)
		case "url":
			m.URL, _ = d.String(v)
		case "file_id":
			m.FileID, _ = d.String(v)
		case "content":
			for _, p := range d.said(v) {
				blocks = append(blocks, p.Part)
			}
		default:
			return false
		}
		return true
	}) {
		return nil
	}
	out := []chat.Part{{Kind: as, Media: m}}
	switch {
	case kind == "base64":
		d.required(v, "media_type", "data")
		m.Data = text
	case kind == "url":
		d.required(v, "url")
		if m.URL != "" && !strings.HasPrefix(m.URL, "https://") && !strings.HasPrefix(m.URL, "http://") {
			d.FailAt("url", "invalid_format", "must be an http(s) URL")
		}
		if as == chat.PartFile && m.Type == "" {
			m.Type = "application/pdf" // the one kind of document that Anthropic fetches
		}
	case kind == "file":
		d.required(v, "file_id")
		m.Origin = chat.DialectAnthropic
	case kind == "text" && as == chat.PartFile:
		d.required(v, "data")
		return []chat.Part{{Text: text}}
	case kind == "content" && as == chat.PartFile:
		d.required(v, "content")
		return blocks
	default:
		d.required(v, "type")
		if kind != "" {
			d.FailAt("type", "unknown_value", "must be one of base64, url, file; of a document also text, content")
		}
	}
	return out
}

// caching reads how long the prompt is to be kept.
func (d *messageReader) caching(v strictjson.Value) (c chat.CacheControl) {
	if v.Kind == strictjson.Null {
		return ""
	}
	c = chat.Cache5m
	if !d.members(v, "cache_control.", func(key string, v strictjson.Value) bool {
		switch key {
		case "type":
			d.constant(v, "ephemeral")
		case "ttl":
			if v.Kind != strictjson.Null {
				c = chat.CacheControl(d.oneOf(v, string(chat.Cache5m), string(chat.Cache1h)))
			}
		default:
			return false
		}
		return true
	}) {
		return ""
	}
	d.required(v, "type")
	return c
}

// citations reads what a text cites. One that Forge made of another vendor's has nothing that Anthropic would know again.
func (d *messageReader) citations(v strictjson.Value) (out []chat.Citation) {
	if v.Kind == strictjson.Null || v.Kind == strictjson.Object { // of a request's text: whether to cite
		return nil
	}
	items, _ := d.Array(v)
	for i, item := range items {
		d.EnterItem(i)
		if _, ok := d.Object(item); ok {
			c := chat.Citation{Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: item.Raw}}
			for name, to := range map[string]*string{"url": &c.URL, "title": &c.Title, "cited_text": &c.Text} {
				if s, _ := item.Member(name); s.Kind == strictjson.String {
					*to = s.Text
				}
			}
			if s, _ := item.Member("encrypted_index"); strings.HasPrefix(s.Text, chat.SignatureMark) {
				c.Foreign = nil
			}
			out = append(out, c)
		}
		d.Leave()
	}
	return out
}
