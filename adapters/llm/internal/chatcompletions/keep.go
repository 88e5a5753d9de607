package chatcompletions

import (
	"bytes"
	"encoding/json"

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
		complete = complete && c.Finish != nil && ownEnd(*c.Finish)
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

// ownEnd reports whether a choice that finished so came to its own end.
func ownEnd(reason string) bool {
	switch reason {
	case "", "length", "content_filter", finishError:
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
	if err != nil || !f.HasData || isDone(f.Data) {
		return
	}
	var a answer
	if json.Unmarshal(f.Data, &a) != nil {
		g.exact, g.whole = false, false
		return
	}
	g.exact = g.exact && exact(f.Data)
	for i := range a.Choices {
		if reason := a.Choices[i].Finish; reason != nil && *reason != "" {
			g.whole = g.whole && ownEnd(*reason)
		}
	}
	chunks, err := g.chunks(&a)
	g.whole = g.whole && err == nil
	if !g.exact {
		return
	}
	for _, c := range chunks {
		g.answer.Add(c)
	}
}

func (g *gatherer) read() outbound.Reading {
	out := outbound.Reading{Complete: g.whole && g.choices.complete()}
	if g.exact && g.choices.complete() {
		out.Response = g.answer.Response()
	}
	return out
}

// exact reports whether the neutral form holds all that an answer or a chunk tells the client. What says nothing, null or empty, need not be held.
func exact(b []byte) bool {
	w := walk(b, 0)
	if w.end != '}' {
		return false
	}
	for key, ok := w.next(); ok; key, ok = w.next() {
		value := w.skip()
		switch string(key) {
		case "id", "object", "created", "model", "usage", "system_fingerprint", "service_tier", "provider", "obfuscation":
		case "choices":
			if !exactChoices(value) {
				return false
			}
		default:
			if !empty(value) {
				return false
			}
		}
	}
	return w.whole()
}

// exactChoices allows one choice, the first.
func exactChoices(b []byte) bool {
	w := walk(b, 0)
	if w.end != ']' {
		return isNull(b)
	}
	n := 0
	for _, ok := w.next(); ok; _, ok = w.next() {
		if n++; n > 1 || !members(w.skip(), func(key string, value []byte) bool {
			switch key {
			case "index":
				return number(value) == 0
			case "finish_reason", "native_finish_reason":
				return true
			case "message", "delta":
				return isNull(value) || members(value, exactSaid)
			}
			return empty(value)
		}) {
			return false
		}
	}
	return w.whole()
}

func exactSaid(key string, value []byte) bool {
	switch key {
	case "role":
		return true
	case "content", "refusal":
		return isNull(value) || isText(value)
	case "tool_calls":
		return isNull(value) || items(value, exactTool)
	}
	return empty(value)
}

func exactTool(b []byte) bool {
	return members(b, func(key string, value []byte) bool {
		switch key {
		case "index", "id":
			return true
		case "type":
			return empty(value) || string(value) == `"function"`
		case "function":
			return members(value, func(key string, value []byte) bool {
				return (key == "name" || key == "arguments") && isText(value) || empty(value)
			})
		}
		return empty(value)
	})
}

// members reports whether b is an object each of whose members holds.
func members(b []byte, holds func(key string, value []byte) bool) bool {
	w := walk(b, 0)
	if w.end != '}' {
		return false
	}
	for key, ok := w.next(); ok; key, ok = w.next() {
		if !holds(string(key), w.skip()) {
			return false
		}
	}
	return w.whole()
}

// items reports whether b is an array each of whose items holds.
func items(b []byte, holds func(item []byte) bool) bool {
	w := walk(b, 0)
	if w.end != ']' {
		return false
	}
	for _, ok := w.next(); ok; _, ok = w.next() {
		if !holds(w.skip()) {
			return false
		}
	}
	return w.whole()
}

func isText(b []byte) bool { return len(b) > 1 && b[0] == '"' }

// empty reports whether a value tells nothing.
func empty(b []byte) bool {
	switch string(b) {
	case "null", `""`, "[]", "{}":
		return true
	}
	return false
}
