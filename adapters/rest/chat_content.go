package rest

import (
	"strings"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
)

func (d *chatReader) content(v strictjson.Value) []chat.Part { return d.partsBy(v, d.part) }

// partsBy reads content, which may be a text, and its parts in the way of their surface.
func (d *chatReader) partsBy(v strictjson.Value, part func(strictjson.Value) (chat.Part, bool)) []chat.Part {
	switch v.Kind {
	case strictjson.Null:
		return nil
	case strictjson.String:
		return []chat.Part{{Text: v.Text}}
	case strictjson.Array:
	default:
		d.Fail(strictjson.CodeType, "must be a string or an array of parts")
		return nil
	}
	out := make([]chat.Part, 0, len(v.Items))
	for i, item := range v.Items {
		d.EnterItem(i)
		if p, ok := part(item); ok {
			out = append(out, p)
		}
		d.Leave()
	}
	return out
}

// partKind gives the kind of content by the name that it and its body have. Execute takes text, refusals and images.
func (d *chatReader) partKind(name strictjson.Value) (kind chat.PartKind, ok bool) {
	switch {
	case name.Kind != strictjson.String:
		return 0, false
	case name.Text == "text":
		return chat.PartText, true
	case name.Text == "refusal":
		return chat.PartRefusal, true
	case name.Text == "image_url":
		return chat.PartImage, true
	case name.Text == "input_audio":
		return chat.PartAudio, d.lenient
	case name.Text == "file":
		return chat.PartFile, d.lenient
	}
	return 0, false
}

func (d *chatReader) part(v strictjson.Value) (p chat.Part, ok bool) {
	if _, ok := d.Object(v); !ok {
		return p, false
	}
	d.required(v, "type")
	kind, _ := v.Member("type")
	if p.Kind, ok = d.partKind(kind); !ok {
		d.foreignPart(kind)
		return p, false
	}
	body := kind.Text
	d.required(v, body)
	d.members(v, "messages[].content[].", func(key string, v strictjson.Value) bool {
		switch {
		case key == "type", key == "index" && d.lenient: // OpenRouter counts its images
		case key == "cache_control" && d.lenient:
			p.Cache = d.cacheControl("messages[].content[].", v)
		case key != body:
			return false
		case p.Kind == chat.PartImage:
			p.Media = d.image(v)
		case p.Kind == chat.PartAudio:
			p.Media = d.audio(v)
		case p.Kind == chat.PartFile:
			p.Media = d.file(v)
		default:
			p.Text, _ = d.String(v)
		}
		return true
	})
	return p, true
}

// foreignPart refuses a kind of content that the neutral form cannot hold: to drop it would change what is asked.
func (d *chatReader) foreignPart(kind strictjson.Value) {
	d.Enter("type")
	defer d.Leave()
	if kind.Kind != strictjson.String {
		if kind.Raw != nil {
			d.Fail(strictjson.CodeType, "must be a string")
		}
		return
	}
	if !d.lenient {
		d.Fail("unknown_value", "must be one of text, image_url")
		return
	}
	if d.foreign == nil {
		d.foreign = errForeignPart.At(fault.Field{
			Pointer: d.Pointer(), Code: "unsupported", Message: "only text, image_url, input_audio, file and refusal can be translated",
		})
	}
}

// dataURL reads a data URL that holds base64.
func dataURL(url string) (media, data string, ok bool) {
	rest, isData := strings.CutPrefix(url, "data:")
	head, data, hasBody := strings.Cut(rest, ",")
	media, isBase64 := strings.CutSuffix(head, ";base64")
	return media, data, isData && hasBody && isBase64
}

// fetchable reports whether an address is one that a vendor could fetch from.
func fetchable(url string) bool {
	for _, scheme := range []string{"https://", "http://", "gs://"} {
		if strings.HasPrefix(url, scheme) {
			return true
		}
	}
	return false
}

func (d *chatReader) image(v strictjson.Value) *chat.Media {
	img := &chat.Media{}
	url := ""
	d.members(v, "messages[].content[].image_url.", func(key string, v strictjson.Value) bool {
		switch key {
		case "url":
			url, _ = d.String(v)
		case "detail":
			img.Detail = d.text(v)
		default:
			return false
		}
		return true
	})
	if u, there := v.Member("url"); v.Kind != strictjson.Object || there && u.Kind != strictjson.String {
		return img
	}
	d.required(v, "url")
	media, data, isData := dataURL(url)
	switch {
	case isData && strings.HasPrefix(media, "image/"):
		img.Type, img.Data = media, data
	case fetchable(url):
		img.URL = url
	default:
		d.FailAt("url", "invalid_format", "must be an http(s) URL, or data:image/...;base64,...")
	}
	return img
}

// audioTypes are media types by the names that OpenAI has for forms of sound. Any other name stands behind audio/.
var audioTypes = map[string]string{"mp3": "audio/mpeg", "pcm16": "audio/L16", "m4a": "audio/mp4"}

func (d *chatReader) audio(v strictjson.Value) *chat.Media {
	m := &chat.Media{}
	if d.members(v, "messages[].content[].input_audio.", func(key string, v strictjson.Value) bool {
		switch key {
		case "data":
			m.Data, _ = d.String(v)
		case "format":
			format, _ := d.String(v)
			if m.Type = audioTypes[format]; m.Type == "" && format != "" {
				m.Type = "audio/" + format
			}
		default:
			return false
		}
		return true
	}) {
		d.required(v, "data", "format")
	}
	return m
}

func (d *chatReader) file(v strictjson.Value) *chat.Media {
	m := &chat.Media{}
	data := ""
	if !d.members(v, "messages[].content[].file.", func(key string, v strictjson.Value) bool {
		switch key {
		case "filename":
			m.Name = d.text(v)
		case "file_id":
			m.FileID = d.text(v)
		case "file_data":
			data = d.text(v)
		default:
			return false
		}
		return true
	}) {
		return m
	}
	if data != "" && m.FileID != "" {
		m.FileID = ""
		d.drop("messages[].content[].file.file_id")
	}
	media, body, isData := dataURL(data)
	switch {
	case isData:
		m.Type, m.Data = media, body
	case fetchable(data): // as OpenRouter's clients send it
		m.URL = data
	case m.FileID != "":
		m.Origin = chat.DialectOpenAIChat
	case data == "":
		d.FailAt("file_data", strictjson.CodeMissing, "is required, or file_id")
	default:
		d.FailAt("file_data", "invalid_format", "must be data:<media type>;base64,..., or an http(s) URL")
	}
	return m
}
