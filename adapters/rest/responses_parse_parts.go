package rest

import (
	"strings"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
)

func (d *respReader) parts(v strictjson.Value) []chat.Part { return d.partsBy(v, d.part) }

func (d *respReader) part(v strictjson.Value) (p chat.Part, ok bool) {
	if _, ok := d.Object(v); !ok {
		return p, false
	}
	d.required(v, "type")
	kind, _ := v.Member("type")
	switch kind.Text {
	case "input_text", "output_text", "text", "summary_text":
		p.Text, p.Citations = d.spoken(v, "text")
	case "refusal":
		p.Kind = chat.PartRefusal
		p.Text, _ = d.spoken(v, "refusal")
	case "input_image":
		p.Kind, p.Media = chat.PartImage, d.image(v)
	case "input_file":
		p.Kind, p.Media = chat.PartFile, d.file(v)
	case "input_audio":
		p.Kind = chat.PartAudio
		d.members(v, "messages[].content[].", func(key string, v strictjson.Value) bool {
			if key == "input_audio" {
				p.Media = d.audio(v)
			}
			return key == "type" || key == "input_audio"
		})
		d.required(v, "input_audio")
	default:
		if kind.Kind == strictjson.String {
			d.refuse("only input_text, input_image, input_file, input_audio, output_text and refusal can be translated")
		} else if kind.Raw != nil {
			d.FailAt("type", strictjson.CodeType, "must be a string")
		}
		return p, false
	}
	return p, p.Kind != chat.PartAudio || p.Media != nil
}

func (d *respReader) spoken(v strictjson.Value, body string) (said string, citations []chat.Citation) {
	d.members(v, "messages[].content[].", func(key string, v strictjson.Value) bool {
		switch key {
		case body:
			said, _ = d.String(v)
		case "annotations":
			citations = d.citations(v)
		case "type", "logprobs":
		default:
			return false
		}
		return true
	})
	d.required(v, body)
	return said, citations
}

// citations reads where a text of an earlier answer is from.
func (d *respReader) citations(v strictjson.Value) (out []chat.Citation) {
	d.each(v, func(_ int, v strictjson.Value) {
		c := chat.Citation{Foreign: &chat.Foreign{Dialect: chat.DialectResponses, JSON: v.Raw}}
		for _, m := range v.Members {
			switch m.Key {
			case "url":
				c.URL = m.Value.Text
			case "title", "filename":
				c.Title = m.Value.Text
			case "start_index":
				c.Start = d.count(m.Value, 0, 1<<31)
			case "end_index":
				c.End = d.count(m.Value, 0, 1<<31)
			}
		}
		out = append(out, c)
	})
	return out
}

func (d *respReader) image(v strictjson.Value) *chat.Media {
	img, url := &chat.Media{}, ""
	d.members(v, "messages[].content[].", func(key string, v strictjson.Value) bool {
		switch key {
		case "image_url":
			url = d.text(v)
		case "file_id":
			img.FileID = d.text(v)
		case "detail":
			img.Detail = d.text(v)
		case "type":
		default:
			return false
		}
		return true
	})
	if url != "" && img.FileID != "" {
		d.drop("messages[].content[].file_id")
	}
	media, data, isData := dataURL(url)
	switch {
	case isData && strings.HasPrefix(media, "image/"):
		img.Type, img.Data, img.FileID = media, data, ""
	case fetchable(url):
		img.URL, img.FileID = url, ""
	case url != "":
		d.FailAt("image_url", "invalid_format", "must be an http(s) URL, or data:image/...;base64,...")
	case img.FileID != "":
		img.Origin = chat.DialectOpenAIChat // one store of files serves both of OpenAI's dialects
	default:
		d.FailAt("image_url", strictjson.CodeMissing, "is required, or file_id")
	}
	return img
}

func (d *respReader) file(v strictjson.Value) *chat.Media {
	m, url, data := &chat.Media{}, "", ""
	d.members(v, "messages[].content[].", func(key string, v strictjson.Value) bool {
		switch key {
		case "filename":
			m.Name = d.text(v)
		case "file_id":
			m.FileID = d.text(v)
		case "file_url":
			url = d.text(v)
		case "file_data":
			data = d.text(v)
		case "detail":
			m.Detail = d.text(v)
		case "type":
		default:
			return false
		}
		return true
	})
	if m.FileID != "" && (data != "" || url != "") {
		d.drop("messages[].content[].file_id")
	}
	if url != "" && data != "" {
		d.drop("messages[].content[].file_url")
	}
	media, body, isData := dataURL(data)
	switch {
	case isData:
		m.Type, m.Data, m.FileID = media, body, ""
	case data != "":
		d.FailAt("file_data", "invalid_format", "must be data:<media type>;base64,...")
	case fetchable(url):
		m.URL, m.FileID = url, ""
	case url != "":
		d.FailAt("file_url", "invalid_format", "must be an http(s) URL")
	case m.FileID != "":
		m.Origin = chat.DialectOpenAIChat
	default:
		d.FailAt("file_data", strictjson.CodeMissing, "is required, or file_url, or file_id")
	}
	return m
}
