package chatcompletions

import (
	"bytes"
	"encoding/json"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/adapters/llm/internal/sse"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// Read implements outbound.Relay.
func (p *Provider) Read(body []byte) outbound.Reading {
	var a answer
	if json.Unmarshal(body, &a) != nil {
		return outbound.Reading{}
	}
	complete := len(a.Choices) > 0
	for i := range a.Choices {
		c := &a.Choices[i]
		complete = complete && p.flavour.ownEnd(c.Finish)
	}
	out := outbound.Reading{Complete: complete}
	if !exact(body) {
		return out
	}
	if r, err := p.decode(body, outbound.Target{}, nil); err == nil {
		out.Response = r
	}
	return out
}

// ownEnd reports whether a choice that finished so came to its own end. A server of one's own that does not say so would say that it cut.
func (f Flavour) ownEnd(reason *string) bool {
	if reason == nil || *reason == "" {
		return f.Kind == Compatible
	}
	switch *reason {
	case "length", "max_tokens", "content_filter", finishError:
		return false
	}
	return true
}

// Gather implements outbound.Relay.
func (p *Provider) Gather() (add func([]byte), read func() outbound.Reading) {
	g := &gatherer{decoder: p.newDecoder(outbound.Target{}), exact: true, whole: true}
	return g.add, g.read
}

// gatherer reads the frames of a relayed stream.
type gatherer struct {
	*decoder
	answer chat.Gatherer
	exact  bool // the neutral form holds all of it so far
	whole  bool // no choice was cut, and nothing was unreadable
}

func (g *gatherer) add(raw []byte) {
	r := sse.NewReader(bytes.NewReader(raw), 0)
	defer r.Close()
	f, err := r.Next()
	if err != nil || !f.HasData || len(f.Data) == 0 {
		return
	}
	if isDone(f.Data) {
		chunks, _ := g.done()
		g.take(chunks)
		return
	}
	a, unread := g.parse(f.Data)
	g.exact = g.exact && unread == nil && exact(f.Data)
	for i := range a.Choices {
		if reason := a.Choices[i].Finish; reason != nil && *reason != "" {
			g.whole = g.whole && g.flavour.ownEnd(reason)
		}
	}
	chunks, err := g.chunks(a, unread)
	g.whole = g.whole && err == nil
	g.take(chunks)
}

func (g *gatherer) take(chunks []chat.Chunk) {
	if !g.exact {
		return
	}
	for i := range chunks {
		g.answer.Add(chunks[i])
	}
}

func (g *gatherer) read() outbound.Reading {
	out := outbound.Reading{Complete: g.whole && g.choices.complete()}
	if g.exact && g.choices.complete() {
		out.Response = g.answer.Response()
	}
	return out
}

// exact reports whether the neutral form holds all that an answer or a chunk tells the client. What says nothing, null or empty, need not be held, nor
// what is about the call and not about the answer.
func exact(b []byte) bool {
	return jsonscan.Members(b, func(key string, value []byte) bool {
		switch key {
		case "id", "object", "created", "model", "usage", "system_fingerprint", "service_tier", "provider", "obfuscation":
			return true
		case "choices":
			return jsonscan.IsNull(value) || jsonscan.Items(value, exactChoice)
		}
		return jsonscan.IsEmpty(value)
	})
}

func exactChoice(b []byte) bool {
	return jsonscan.Members(b, func(key string, value []byte) bool {
		switch key {
		case "index":
			return jsonscan.Number(value) < maxChoices
		case "finish_reason", "native_finish_reason":
			return true
		case "logprobs":
			return jsonscan.IsNull(value) || jsonscan.Members(value, exactLogprobs)
		case "message", "delta":
			return jsonscan.IsNull(value) || jsonscan.Members(value, exactSaid)
		}
		return jsonscan.IsEmpty(value)
	})
}

func exactLogprobs(key string, value []byte) bool { return key == "content" || jsonscan.IsEmpty(value) }

func exactSaid(key string, value []byte) bool {
	switch key {
	case "role":
		return true
	case "content", "refusal", "reasoning", "reasoning_content":
		return jsonscan.IsNull(value) || isText(value)
	case "reasoning_details":
		return jsonscan.IsNull(value) || jsonscan.Items(value, exactDetail)
	case "annotations":
		return jsonscan.IsNull(value) || jsonscan.Items(value, exactAnnotation)
	case "images":
		return jsonscan.IsNull(value) || jsonscan.Items(value, exactImage)
	case "tool_calls":
		return jsonscan.IsNull(value) || jsonscan.Items(value, exactTool)
	}
	return jsonscan.IsEmpty(value)
}

func exactDetail(b []byte) bool {
	return jsonscan.Members(b, func(key string, value []byte) bool {
		switch key {
		case "type":
			switch jsonscan.Unquote(value) {
			case detailText, detailSummary, detailEncrypted:
				return true
			}
			return false
		case "text", "summary", "data", "signature", "id", "format", "index":
			return true
		}
		return jsonscan.IsEmpty(value)
	})
}

func exactAnnotation(b []byte) bool {
	return jsonscan.Members(b, func(key string, value []byte) bool {
		switch key {
		case "type":
			return string(value) == `"url_citation"`
		case "url_citation":
			return jsonscan.Members(value, func(key string, value []byte) bool {
				switch key {
				case "url", "title", "content", "start_index", "end_index":
					return true
				}
				return jsonscan.IsEmpty(value)
			})
		}
		return jsonscan.IsEmpty(value)
	})
}

func exactImage(b []byte) bool {
	return jsonscan.Members(b, func(key string, value []byte) bool {
		switch key {
		case "index":
			return true
		case "type":
			return string(value) == `"image_url"`
		case "image_url":
			return jsonscan.Members(value, func(key string, value []byte) bool { return key == "url" && isText(value) || jsonscan.IsEmpty(value) })
		}
		return jsonscan.IsEmpty(value)
	})
}

func exactTool(b []byte) bool {
	return jsonscan.Members(b, func(key string, value []byte) bool {
		switch key {
		case "index", "id":
			return true
		case "type":
			return jsonscan.IsEmpty(value) || string(value) == `"function"`
		case "function":
			return jsonscan.Members(value, func(key string, value []byte) bool {
				return key == "name" && isText(value) || key == "arguments" || jsonscan.IsEmpty(value)
			})
		}
		return jsonscan.IsEmpty(value)
	})
}

func isText(b []byte) bool { return len(b) > 1 && b[0] == '"' }
