package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

func (p geminiPart) text() string {
	if p.Text == nil || p.Thought {
		return ""
	}
	return *p.Text
}

func (p geminiPart) call() *geminiInCall { return either(p.Call, p.CallSnake) }

func (p geminiPart) result() *geminiInResult { return either(p.Response, p.ResponseSnake) }

func (p geminiPart) media() *geminiBlob {
	return either(either(p.Data, p.DataSnake), either(p.File, p.FileSnake))
}

func (p geminiPart) signature() string { return p.Signature + p.SignatureSnake }

func given(raws ...json.RawMessage) bool {
	for _, raw := range raws {
		if len(raw) > 0 && !bytes.Equal(raw, []byte("null")) {
			return true
		}
	}
	return false
}

// converse reads the contents into the call: who may speak, that parts hold something, and that results follow calls.
func (b *geminiBody) converse(c *call) *problem {
	if len(b.Contents) == 0 {
		return bad("* GenerateContentRequest.contents: contents is not specified\n")
	}
	var open []string // ids of function calls in the turn before
	for i, content := range b.Contents {
		if content.Role != "" && content.Role != "user" && content.Role != "model" && content.Role != "function" {
			return bad("Please use a valid role: user, model.")
		}
		if len(content.Parts) == 0 {
			return bad(fmt.Sprintf("* GenerateContentRequest.contents[%d].parts: contents.parts must not be empty.\n", i))
		}
		t, p := content.read(c, i, open)
		if p != nil {
			return p
		}
		switch {
		case t.results > 0 && len(open) == 0:
			return bad("Please ensure that function response turn comes immediately after a function call turn.")
		case t.results != len(open):
			return bad("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
		case len(t.uses) > 0 && (i == 0 || b.Contents[i-1].Role == "model"):
			return bad("Please ensure that function call turn comes immediately after a user turn or after a function response turn.")
		}
		if open = t.uses; len(open) > 0 {
			c.call(open)
		}
		c.answered = t.results > 0
		if content.Role != "model" && (t.spoke || t.results == 0) {
			c.hear(t.text)
		}
	}
	return nil
}

// read takes a content in. Calls without ids are known by their places.
func (content geminiContent) read(c *call, i int, open []string) (turn, *problem) {
	t, text := turn{}, strings.Builder{}
	if content.Role != "model" {
		c.media = nil
	}
	for j, p := range content.Parts {
		switch {
		case p.call() != nil:
			use := p.call().ID
			if use == "" {
				use = "place " + strconv.Itoa(len(t.uses))
			}
			t.uses = append(t.uses, use)
		case p.result() != nil:
			of := p.result().ID
			if t.results < len(open) && (of == "" || strings.HasPrefix(open[t.results], "place ")) {
				of = open[t.results]
			}
			c.read(string(p.result().Response))
			c.tell(of, string(p.result().Response))
			t.results++
		case p.media() != nil:
			m := p.media()
			mediaType := m.Type + m.TypeSnake
			c.see(mediaKind(mediaType), mediaType, m.Data, m.URI+m.URISnake)
		case p.Text != nil:
			t.spoke = true
			c.read(p.text())
			text.WriteString(p.text())
		case given(p.Code, p.CodeSnake, p.CodeResult, p.ResultSnake, p.ToolCall, p.ToolResponse):
		default:
			return t, bad(fmt.Sprintf("* GenerateContentRequest.contents[%d].parts[%d].data: required oneof field 'data' must have one initialized field\n", i, j))
		}
	}
	t.text = text.String()
	c.answered = t.results > 0
	return t, nil
}

// mediaKind is what a media type is of.
func mediaKind(mediaType string) string {
	kind, _, _ := strings.Cut(mediaType, "/")
	if kind == "image" || kind == "audio" {
		return kind
	}
	return "file"
}
