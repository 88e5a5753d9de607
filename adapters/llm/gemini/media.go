package gemini

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/forge1/forge1/domain/chat"
)

// uploads is where the vendor keeps files.
const uploads = "https://generativelanguage.googleapis.com/v1beta/"

// media gives a picture, a sound, a film or a document.
func (e *encoder) media(p *chat.Part, i, j int) (*part, error) {
	m := p.Media
	if m == nil {
		return nil, unsupported("there is nothing in it", "messages[%d].content[%d]", i, j)
	}
	if m.Detail != "" && m.Detail != "auto" {
		e.drops.Add("image_url.detail")
	}
	switch {
	case m.Data != "":
		kind := mediaType(m)
		if kind == "" {
			kind = sniff(m.Data)
		}
		if kind == "" {
			return nil, unsupported("gemini must be told the media type", "messages[%d].content[%d]", i, j)
		}
		return &part{InlineData: &inlineData{MIMEType: kind, Data: m.Data}}, nil
	case m.FileID != "":
		uri, ok := upload(m.FileID, m.Origin)
		if !ok {
			return nil, unsupported("the file was not uploaded to gemini", "messages[%d].content[%d]", i, j)
		}
		return &part{FileData: &fileData{MIMEType: mediaType(m), URI: uri}}, nil
	case m.URL == "":
		return nil, unsupported("there is nothing in it", "messages[%d].content[%d]", i, j)
	case !e.model.takesURLs() && foreignURL(m.URL):
		return nil, unsupported("this model takes a file by its bytes, or uploaded to gemini, only", "messages[%d].content[%d]", i, j)
	}
	// No media type rather than a wrong one: the vendor looks for itself then.
	return &part{FileData: &fileData{MIMEType: mediaType(m), URI: m.URL}}, nil
}

// upload gives the address of a file that was uploaded to the vendor. Its names look like no other vendor's.
func upload(id string, origin chat.Dialect) (string, bool) {
	switch {
	case strings.HasPrefix(id, "https://") || strings.HasPrefix(id, "gs://"):
		return id, true
	case strings.HasPrefix(id, "files/"):
		return uploads + id, true
	case origin == chat.DialectGemini:
		return uploads + "files/" + id, true
	}
	return "", false
}

// foreignURL reports whether an address is the web's: older models fetch from the vendor's own places alone.
func foreignURL(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	switch strings.TrimPrefix(u.Hostname(), "www.") {
	case "generativelanguage.googleapis.com", "youtube.com", "youtu.be":
		return false
	}
	return true
}

// mediaTypes guess a media type by the ending of a name.
var mediaTypes = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".heic": "image/heic", ".heif": "image/heif",
	".pdf": "application/pdf", ".txt": "text/plain", ".md": "text/markdown", ".csv": "text/csv", ".html": "text/html", ".xml": "text/xml", ".json": "application/json",
	".mp3": "audio/mp3", ".wav": "audio/wav", ".aac": "audio/aac", ".flac": "audio/flac", ".ogg": "audio/ogg", ".aiff": "audio/aiff", ".m4a": "audio/mp4",
	".mp4": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm", ".mpeg": "video/mpeg", ".avi": "video/x-msvideo", ".wmv": "video/x-ms-wmv",
}

// mediaType gives what is said of a medium's type, or what its name tells; "" when nothing does.
func mediaType(m *chat.Media) string {
	switch {
	case m.Type == "image/jpg":
		return "image/jpeg"
	case m.Type != "" && m.Type != "application/octet-stream":
		return m.Type
	case m.Name != "":
		if t := mediaTypes[strings.ToLower(path.Ext(m.Name))]; t != "" {
			return t
		}
	}
	if u, err := url.Parse(m.URL); err == nil {
		return mediaTypes[strings.ToLower(path.Ext(u.Path))]
	}
	return ""
}

// sniff looks at the first bytes.
func sniff(data string) string {
	head, _ := base64.StdEncoding.DecodeString(data[:min(len(data), 256)&^3]) // what was read before an error is enough
	t, _, _ := strings.Cut(http.DetectContentType(head), ";")
	if t == "application/octet-stream" {
		return ""
	}
	return t
}
