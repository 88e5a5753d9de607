package anthropic

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/chat"
)

// imageTypes are the media types that the vendor sees.
var imageTypes = map[string]bool{"image/jpeg": true, "image/png": true, "image/gif": true, "image/webp": true}

const (
	typePDF   = "application/pdf"
	typePlain = "text/plain"
)

// textTypes are documents that are text, beside text/*.
var textTypes = map[string]bool{
	"application/json": true, "application/xml": true, "application/yaml": true, "application/x-yaml": true, "application/javascript": true,
	"application/x-ndjson": true, "application/toml": true, "application/sql": true,
}

// betaFiles is what a call must say to refer to uploads.
const betaFiles = "files-api-2025-04-14"

// beta names what the request needs that is not released to all.
func (e *encoder) beta(name string) {
	if !slices.Contains(e.betas, name) {
		e.betas = append(e.betas, name)
	}
}

// media gives the block of a picture or a document; nil, and why, for one that the vendor does not take.
func (e *encoder) media(p *chat.Part) (*block, string) {
	m := p.Media
	if m == nil {
		return nil, "this part has no content"
	}
	b := &block{Type: "image", Cache: cachePoint(p.Cache)}
	if p.Kind == chat.PartFile && !imageTypes[m.Type] {
		b.Type, b.Title = "document", m.Name
	}
	if m.Detail != "" && m.Detail != "auto" {
		e.drops.Add("image_url.detail")
	}
	switch {
	case m.FileID != "" && m.Origin == chat.DialectAnthropic:
		e.beta(betaFiles)
		b.Source = &source{Type: "file", FileID: m.FileID}
	case m.FileID != "":
		return nil, "this file was uploaded to another vendor"
	case m.Data != "":
		var why string
		if b.Source, why = inline(b.Type, m); b.Source == nil {
			return nil, why
		}
	case strings.HasPrefix(m.URL, "https://"), strings.HasPrefix(m.URL, "http://"):
		if b.Type == "document" && m.Type != "" && m.Type != typePDF {
			return nil, "anthropic fetches documents of PDF only"
		}
		b.Source = &source{Type: "url", URL: m.URL}
	default:
		return nil, "anthropic fetches http and https addresses only"
	}
	return b, ""
}

// inline gives the source of content that comes with the request.
func inline(kind string, m *chat.Media) (*source, string) {
	switch {
	case kind == "image" && imageTypes[m.Type]:
		return &source{Type: "base64", MediaType: m.Type, Data: m.Data}, ""
	case kind == "image":
		return nil, "anthropic takes JPEG, PNG, GIF and WebP images only"
	case m.Type == typePDF, m.Type == "" && strings.HasSuffix(strings.ToLower(m.Name), ".pdf"):
		return &source{Type: "base64", MediaType: typePDF, Data: m.Data}, ""
	case strings.HasPrefix(m.Type, "text/"), textTypes[m.Type]:
		text, err := base64.StdEncoding.DecodeString(m.Data)
		if err != nil || !utf8.Valid(text) {
			return nil, "this document is no text in UTF-8"
		}
		return &source{Type: "text", MediaType: typePlain, Data: string(text)}, ""
	default:
		return nil, "anthropic takes documents of PDF and text only"
	}
}
