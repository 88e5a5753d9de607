package rest

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// appendMessage appends a whole answer in Anthropic's shape, for vendors that speak another. That shape has room for one choice.
func appendMessage(b []byte, r *chat.Response, receipt inbound.Receipt) []byte {
	c := r.First()
	b = appendMessageHead(b, receipt)
	w := blockLister{b: b}
	for i := range c.Parts {
		w.part(&c.Parts[i])
	}
	finish := c.Finish
	if finish == "" {
		finish = receipt.Finish
	}
	b = append(w.b, `],`...)
	b = appendStop(b, stopReason(finish, c.StopSequence, len(c.Calls()) > 0, c.Refusal() != ""), c.StopSequence)
	b = append(b, `,"usage":`...)
	return append(appendMessageUsage(b, receipt.Usage, r.ServiceTier), '}')
}

// appendMessageHead appends a message up to its content.
func appendMessageHead(b []byte, receipt inbound.Receipt) []byte {
	b = appendString(append(b, `{"model":`...), servedModel(receipt))
	b = appendString(append(b, `,"id":`...), messageID(receipt))
	return append(b, `,"type":"message","role":"assistant","content":[`...)
}

// appendStop appends the fields that say why the model stopped.
func appendStop(b []byte, reason, sequence string) []byte {
	b = appendString(append(b, `"stop_reason":`...), reason)
	b = append(b, `,"stop_sequence":`...)
	if reason == "stop_sequence" {
		b = appendString(b, sequence)
	} else {
		b = append(b, `null`...)
	}
	b = append(b, `,"stop_details":`...)
	if reason == "refusal" {
		return append(b, `{"type":"refusal","category":null,"explanation":null}`...)
	}
	return append(b, `null`...)
}

// appendMessageUsage appends a usage. What was read from a cache, or written to one, is not in input_tokens.
func appendMessageUsage(b []byte, u chat.Usage, tier string) []byte {
	number := func(name string, n int) {
		b = append(append(append(b, '"'), name...), `":`...)
		b = append(strconv.AppendInt(b, int64(max(0, n)), 10), ',')
	}
	b = append(b, '{')
	number("input_tokens", u.Input-u.CacheRead-u.CacheWrite)
	number("cache_creation_input_tokens", u.CacheWrite)
	number("cache_read_input_tokens", u.CacheRead)
	b = append(b, `"cache_creation":{`...)
	number("ephemeral_5m_input_tokens", u.CacheWrite-u.CacheWrite1h)
	number("ephemeral_1h_input_tokens", u.CacheWrite1h)
	b = append(b[:len(b)-1], `},`...)
	number("output_tokens", u.Output)
	b = append(b, `"output_tokens_details":{`...)
	number("thinking_tokens", u.Reasoning)
	b = append(b[:len(b)-1], `},"service_tier":`...)
	switch tier {
	case "":
		b = append(b, `null`...)
	case "default", "auto":
		b = append(b, `"standard"`...)
	default:
		b = appendString(b, tier)
	}
	return append(b, '}')
}

// blockLister appends parts as blocks, with commas between them.
type blockLister struct {
	b    []byte
	more bool
}

func (w *blockLister) next() {
	if w.more {
		w.b = append(w.b, ',')
	}
	w.more = true
}

// part appends the blocks of a part. Pictures and sounds have none, nor has what is another dialect's own.
func (w *blockLister) part(p *chat.Part) {
	switch p.Kind {
	case chat.PartText, chat.PartRefusal:
		if p.Text != "" || len(p.Citations) > 0 {
			w.next()
			w.b = appendTextBlock(w.b, p.Text, p.Citations)
		}
		if p.Signature != nil {
			w.thinking("", p.Signature)
		}
	case chat.PartThinking:
		switch {
		case p.Redacted && p.Signature != nil:
			w.next()
			w.b = appendRedacted(w.b, p.Signature)
		case p.Text != "" || p.Signature != nil:
			w.thinking(p.Text, p.Signature)
		}
	case chat.PartToolCall:
		if p.Signature != nil {
			w.thinking("", signatureOfCall(p.Signature, p.Call.ID))
		}
		w.next()
		w.b = appendToolUse(w.b, p.Call.ID, p.Call.Name)
		w.b = append(append(w.b, argumentsOf(p.Call.Arguments)...), '}')
	case chat.PartForeign:
		if block := anthropicLine(p.Foreign); block != nil {
			w.next()
			w.b = append(w.b, block...)
		}
	}
}

func (w *blockLister) thinking(text string, s *chat.Signature) {
	w.next()
	w.b = appendString(append(w.b, `{"type":"thinking","thinking":`...), text)
	w.b = append(appendString(append(w.b, `,"signature":`...), signatureText(s)), '}')
}

// anthropicLine gives what is Anthropic's own without line ends, as a stream needs it; nil for anything else.
func anthropicLine(f *chat.Foreign) []byte {
	var b bytes.Buffer
	if f == nil || f.Dialect != chat.DialectAnthropic || json.Compact(&b, f.JSON) != nil {
		return nil
	}
	return b.Bytes()
}

// signatureOfCall gives the signature of a call as it stands before it, in a thinking block to itself: with the call's id, so that it is put back onto
// the call when the client sends the two.
func signatureOfCall(s *chat.Signature, id string) *chat.Signature {
	if s.ID != "" || s.Format == chat.FormatAnthropic {
		return s
	}
	return &chat.Signature{Format: s.Format, Data: s.Data, ID: chat.PortableID(id)}
}

func appendTextBlock(b []byte, text string, citations []chat.Citation) []byte {
	b = appendString(append(b, `{"type":"text","text":`...), text)
	if len(citations) > 0 {
		b = append(b, `,"citations":[`...)
		for i := range citations {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendTextCitation(b, &citations[i])
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// appendTextCitation appends a citation. That of another vendor is one of a web search, with a mark where Anthropic's has a secret of its own.
func appendTextCitation(b []byte, c *chat.Citation) []byte {
	if own := anthropicLine(c.Foreign); own != nil {
		return append(b, own...)
	}
	b = appendString(append(b, `{"type":"web_search_result_location","url":`...), c.URL)
	b = appendString(append(b, `,"title":`...), c.Title)
	b = appendString(append(b, `,"cited_text":`...), c.Text)
	return append(appendString(append(b, `,"encrypted_index":`...), noSignature), '}')
}

func appendRedacted(b []byte, s *chat.Signature) []byte {
	return append(appendString(append(b, `{"type":"redacted_thinking","data":`...), signatureText(s)), '}')
}

// appendToolUse appends a call up to its input.
func appendToolUse(b []byte, id, name string) []byte {
	b = appendString(append(b, `{"type":"tool_use","id":`...), chat.PortableID(id))
	b = appendString(append(b, `,"name":`...), strings.ToValidUTF8(name, "\uFFFD"))
	return append(b, `,"input":`...)
}
