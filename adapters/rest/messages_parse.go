package rest

import (
	"slices"
	"strings"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
)

// messageReader reads Anthropic's messages into the neutral form, for a vendor that speaks another dialect. What that form cannot hold is noted in
// dropped.
type messageReader struct {
	chatReader
	req    *chat.Request
	at     places
	system []placed          // the system prompt, which comes first wherever it stands
	names  map[string]string // of the tools that were called, by the call's id
	cache  chat.CacheControl // of all that was sent
}

// placed is a part with the block that it is from.
type placed struct {
	chat.Part
	block int
}

// parseMessages reads a body and says where in it the parts of the request are from.
func parseMessages(body []byte, strict bool) (*chat.Request, *places, error) {
	v, err := strictjson.Parse(body, largeJSON)
	if err != nil {
		return nil, nil, err
	}
	d := &messageReader{
		chatReader: chatReader{Reader: new(strictjson.Reader), lenient: true}, req: &chat.Request{Strict: strict}, names: map[string]string{},
	}
	d.members(v, "", d.field)
	if err := d.Err(); err != nil {
		return nil, nil, err
	}
	d.finish()
	return d.req, &d.at, nil
}

// field reads a field of the body.
func (d *messageReader) field(key string, v strictjson.Value) bool {
	r := d.req
	switch key {
	case "model", "stream": // the router's, not the model's
	case "messages":
		d.turns(v)
	case "system":
		d.system = d.said(v)
	case "max_tokens":
		d.limit(v)
	case "tools":
		r.Tools = d.declared(v)
	case "tool_choice":
		d.choice(v)
	case "thinking":
		d.thinking(v)
	case "output_config":
		d.outputConfig(v)
	case "output_format":
		d.schemaFormat(v)
	case "cache_control":
		d.cache = d.caching(v)
	case "metadata":
		d.nested(v, "metadata.", func(key string, v strictjson.Value) bool {
			if key == "user_id" {
				r.EndUser = d.text(v)
			}
			return key == "user_id"
		})
	default:
		return d.sampling(key, v) || idle(key, v)
	}
	return true
}

// sampling reads a field that steers how tokens are picked, and where the model stops.
func (d *messageReader) sampling(key string, v strictjson.Value) bool {
	r := d.req
	switch key {
	case "temperature":
		r.Temperature = d.share(v)
	case "top_p":
		r.TopP = d.share(v)
	case "top_k":
		if n := d.whole(v); n != nil {
			k := int(*n)
			r.TopK = &k
		}
	case "stop_sequences":
		r.Stop = d.texts(v)
	case "service_tier":
		switch v.Text {
		case "", "auto":
			r.ServiceTier = v.Text
		case "standard_only":
			r.ServiceTier = "default"
		default:
			return false
		}
	default:
		return false
	}
	return true
}

// idle reports whether a field that only Anthropic has asks for nothing.
func idle(key string, v strictjson.Value) bool {
	switch key {
	case "speed":
		return v.Text == "standard"
	case "mcp_servers", "context_management":
		return len(v.Items)+len(v.Members) == 0
	}
	return false
}

// limit reads max_tokens.
func (d *messageReader) limit(v strictjson.Value) {
	n := d.whole(v)
	switch {
	case n == nil:
	case *n < 1:
		d.Fail("out_of_range", "must be at least 1; 0, which fills the prompt cache, is for Anthropic's models alone")
	default:
		most := int(*n)
		d.req.MaxTokens = &most
	}
}

// share reads a number from 0 to 1 that may be null.
func (d *messageReader) share(v strictjson.Value) *float64 {
	f := d.number(v)
	if f != nil && (*f < 0 || *f > 1) {
		d.Fail("out_of_range", "must be 0 to 1")
	}
	return f
}

// texts reads a list of strings that may be null.
func (d *messageReader) texts(v strictjson.Value) (out []string) {
	if v.Kind == strictjson.Null {
		return nil
	}
	items, _ := d.Array(v)
	for i, item := range items {
		d.EnterItem(i)
		if s, ok := d.String(item); ok {
			out = append(out, s)
		}
		d.Leave()
	}
	return out
}

// nested reads an object that may be null.
func (d *messageReader) nested(v strictjson.Value, where string, take func(key string, v strictjson.Value) bool) bool {
	return v.Kind != strictjson.Null && d.members(v, where, take)
}

// oneOf reads a string that is one of those named.
func (d *messageReader) oneOf(v strictjson.Value, words ...string) string {
	s, ok := d.String(v)
	if ok && !slices.Contains(words, s) {
		d.Fail("unknown_value", "must be one of "+strings.Join(words, ", "))
	}
	return s
}

// turns reads the messages.
func (d *messageReader) turns(v strictjson.Value) {
	items, _ := d.Array(v)
	for i, item := range items {
		d.EnterItem(i)
		d.turn(i, item)
		d.Leave()
	}
}

// turn reads a message and adds what it is in neutral form.
func (d *messageReader) turn(i int, v strictjson.Value) {
	role := chat.Role("")
	var parts []placed
	if !d.members(v, "messages.", func(key string, v strictjson.Value) bool {
		switch key {
		case "role":
			role = chat.Role(d.oneOf(v, "user", "assistant", "system"))
		case "content":
			parts = d.said(v)
		default:
			return false
		}
		return true
	}) {
		return
	}
	d.required(v, "role", "content")
	d.belong(role, parts)
	switch role {
	case chat.RoleAssistant:
		d.add(i, role, rejoined(parts))
	case chat.RoleUser: // results come first: their calls are what was said last
		results := slices.DeleteFunc(slices.Clone(parts), func(p placed) bool { return p.Kind != chat.PartToolResult })
		rest := slices.DeleteFunc(parts, func(p placed) bool { return p.Kind == chat.PartToolResult })
		if len(results) > 0 {
			d.add(i, chat.RoleTool, results)
		}
		if len(rest) > 0 {
			d.add(i, role, rest)
		}
	case chat.RoleSystem:
		d.add(i, role, parts)
	}
}

// belong refuses what the other side says.
func (d *messageReader) belong(role chat.Role, parts []placed) {
	for _, p := range parts {
		switch {
		case p.Kind == chat.PartToolCall && role != chat.RoleAssistant:
			d.Fail("invalid_value", "tool_use belongs to an assistant message")
		case p.Kind == chat.PartToolResult && role != chat.RoleUser:
			d.Fail("invalid_value", "tool_result belongs to a user message")
		case p.Kind == chat.PartForeign && role == chat.RoleUser:
			d.drop("messages.content") // an assistant's is what its own vendor made
		}
	}
}

// add adds a message.
func (d *messageReader) add(i int, role chat.Role, parts []placed) {
	m, at := chat.Message{Role: role}, make([]place, 0, len(parts))
	for _, p := range parts {
		m.Parts = append(m.Parts, p.Part)
		at = append(at, place{i, p.block})
	}
	d.req.Messages = append(d.req.Messages, m)
	d.at.messages = append(d.at.messages, at)
}

// finish puts the request in order once all of the body is read.
func (d *messageReader) finish() {
	r := d.req
	if len(d.system) > 0 {
		said, at := r.Messages, d.at.messages
		r.Messages, d.at.messages = nil, nil
		d.add(-1, chat.RoleSystem, d.system)
		r.Messages, d.at.messages = append(r.Messages, said...), append(d.at.messages, at...)
	}
	if n := len(r.Messages); n > 0 && d.cache != "" {
		if parts := r.Messages[n-1].Parts; len(parts) > 0 && parts[len(parts)-1].Cache == "" {
			parts[len(parts)-1].Cache = d.cache
		}
	}
	r.Untranslated, d.at.own = d.dropped, d.dropped
	d.at.effort = r.Thinking.Mode == "" && r.Thinking.Effort != ""
}

// rejoined puts signatures that had a thinking block to themselves, for want of a field of their own, back where they were: on the call that they
// name, or on the text before them. OpenAI's stand alone there too.
func rejoined(parts []placed) []placed {
	signed := map[string]*chat.Signature{} // nil: not signed yet, by the call's id
	for _, p := range parts {
		if p.Kind == chat.PartToolCall {
			signed[p.Call.ID] = nil
		}
	}
	out := make([]placed, 0, len(parts))
	for _, p := range parts {
		s := p.Signature
		if p.Kind != chat.PartThinking || p.Text != "" || p.Redacted || s == nil || s.Format == chat.FormatAnthropic {
			out = append(out, p)
			continue
		}
		if _, isCall := signed[s.ID]; isCall && s.ID != "" {
			signed[s.ID] = &chat.Signature{Format: s.Format, Data: s.Data}
			continue
		}
		if n := len(out); n > 0 && s.ID == "" && s.Format != chat.FormatOpenAI && s.Format != chat.FormatOpenAIResold && out[n-1].Kind == chat.PartText && out[n-1].Signature == nil {
			out[n-1].Signature = s
			continue
		}
		out = append(out, p)
	}
	for i := range out {
		if p := &out[i]; p.Kind == chat.PartToolCall {
			p.Signature = signed[p.Call.ID]
		}
	}
	return out
}
