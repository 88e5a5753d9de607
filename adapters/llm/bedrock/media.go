package bedrock

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/forge1/forge1/domain/chat"
)

// What the API calls the formats of pictures, sounds and documents, by media type. A document's may be told by its name as well.
var (
	imageFormats = map[string]string{"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"}

	audioFormats = map[string]string{
		"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/opus": "opus", "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/aac": "aac",
		"audio/flac": "flac", "audio/mp4": "mp4", "audio/ogg": "ogg", "audio/webm": "webm", "audio/m4a": "m4a", "audio/pcm": "pcm",
	}
	documentFormats = map[string]string{
		"application/pdf": "pdf", "text/csv": "csv", "application/msword": "doc", "text/html": "html", "text/markdown": "md", "text/plain": "txt",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx", "application/vnd.ms-excel": "xls",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
		"application/json": "txt", "application/xml": "txt", "application/yaml": "txt", "application/x-yaml": "txt",
	}
	documentEndings = map[string]string{
		".pdf": "pdf", ".csv": "csv", ".doc": "doc", ".docx": "docx", ".xls": "xls", ".xlsx": "xlsx", ".html": "html", ".htm": "html", ".txt": "txt", ".md": "md",
	}
)

// media gives the block of a picture, a sound or a document; nil, and why, for one that is not taken.
func (e *encoder) media(p *chat.Part) (*block, string) {
	m := p.Media
	if m == nil {
		return nil, "this part has no content"
	}
	out := &media{}
	switch {
	case m.Data != "":
		out.Source.Bytes = m.Data
	case strings.HasPrefix(m.URL, "s3://"):
		out.Source.S3 = &s3Location{m.URL}
	case m.FileID != "":
		return nil, "this file was uploaded to another vendor"
	default:
		return nil, "bedrock takes content as bytes or from S3 only"
	}
	if m.Detail != "" && m.Detail != "auto" {
		e.drops.Add("image_url.detail")
	}
	kind := strings.ToLower(m.Type)
	switch {
	case p.Kind == chat.PartAudio && e.model.is(claude):
		return nil, "this model takes no audio"
	case p.Kind == chat.PartAudio:
		if out.Format = audioFormats[kind]; out.Format == "" {
			return nil, "bedrock does not know this format of audio"
		}
		return &block{Audio: out}, ""
	case p.Kind == chat.PartImage || imageFormats[kind] != "":
		if out.Format = imageFormats[kind]; out.Format == "" {
			return nil, "bedrock takes JPEG, PNG, GIF and WebP images only"
		}
		return &block{Image: out}, ""
	}
	if out.Format = documentFormat(kind, m); out.Format == "" {
		return nil, "bedrock does not know this format of document"
	}
	out.Name = e.documentName(m.Name)
	return &block{Document: out}, ""
}

func documentFormat(kind string, m *chat.Media) string {
	if f := documentFormats[kind]; f != "" {
		return f
	}
	if kind == "" || kind == "application/octet-stream" {
		return documentEndings[strings.ToLower(path.Ext(cmp.Or(m.Name, m.URL)))]
	}
	if strings.HasPrefix(kind, "text/") {
		return "txt"
	}
	return ""
}

// unnameable is what the name of a document may not hold.
var unnameable = regexp.MustCompile(`[^A-Za-z0-9()\[\]-]+`)

// maxName is the longest name of a document.
const maxName = 200

// documentName makes a name that the API takes: of its alphabet, and once only in a request.
func (e *encoder) documentName(name string) string {
	name = strings.TrimSpace(unnameable.ReplaceAllString(strings.TrimSuffix(name, path.Ext(name)), " "))
	if name = name[:min(len(name), maxName)]; strings.TrimSpace(name) == "" {
		name = "document"
	}
	name = strings.TrimSpace(name)
	ours := name
	for n := 2; e.ids.used["document "+ours]; n++ {
		ours = fmt.Sprintf("%s (%d)", name, n)
	}
	e.ids.used["document "+ours] = true
	return ours
}
