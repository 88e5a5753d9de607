package rest

import (
	"cmp"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
)

// The kinds of OpenRouter's reasoning details: a thought, a summary of one, and what only its vendor can read.
const (
	detailText      = "reasoning.text"
	detailSummary   = "reasoning.summary"
	detailEncrypted = "reasoning.encrypted"
)

// thoughts puts the thinking of a message together from its details. Whoever gathered them from a stream may send its pieces: those of one index that
// follow each other are one thought.
type thoughts struct {
	parts []chat.Part
	index int64 // of the last detail; less than 0: it had none
}

// detail is one of the details.
type detail struct {
	kind, text, signature, data, format, id string
	index                                   int64
}

// details reads reasoning_details.
func (d *chatReader) details(t *thoughts, v strictjson.Value) {
	d.each(v, func(_ int, item strictjson.Value) {
		got := detail{index: -1}
		if !d.members(item, "messages[].reasoning_details[].", func(key string, v strictjson.Value) bool { return d.detailField(&got, key, v) }) {
			return
		}
		if !t.add(&got) {
			d.drop("messages[].reasoning_details")
		}
	})
}

func (d *chatReader) detailField(to *detail, key string, v strictjson.Value) bool {
	switch key {
	case "type":
		to.kind = d.text(v)
	case "text", "summary":
		to.text = d.text(v)
	case "signature":
		to.signature = d.text(v)
	case "data":
		to.data = d.text(v)
	case "format":
		to.format = d.text(v)
	case "id":
		to.id = d.text(v)
	case "index":
		if n := d.whole(v); n != nil {
			to.index = *n
		}
	default:
		return false
	}
	return true
}

// add takes the next detail. It is false for a kind that is unknown.
func (t *thoughts) add(d *detail) bool {
	last := t.last(d.index)
	t.index = d.index
	switch d.kind {
	case detailText, detailSummary:
		if last == nil || last.Text == "" && last.Signature != nil && last.Signature.Data != "" {
			t.parts = append(t.parts, chat.Part{Kind: chat.PartThinking})
			last = &t.parts[len(t.parts)-1]
		}
		last.Text += d.text
		switch {
		case d.signature != "":
			last.Signature = d.signed(d.signature)
		case d.kind == detailText && unsigned(d.format):
			last.Signature = &chat.Signature{Format: d.format}
		}
	case detailEncrypted:
		sig := d.signed(d.data)
		switch {
		case last != nil && last.Text != "" && sig.Format != chat.FormatAnthropic:
			last.Signature = sig
		default:
			t.parts = append(t.parts, chat.Part{Kind: chat.PartThinking, Redacted: sig.Format == chat.FormatAnthropic, Signature: sig})
		}
	default:
		return false
	}
	return true
}

// last gives the thought that a detail of an index goes on with; nil: it begins one.
func (t *thoughts) last(index int64) *chat.Part {
	if len(t.parts) == 0 || index < 0 || index != t.index {
		return nil
	}
	if last := &t.parts[len(t.parts)-1]; last.Signature == nil || last.Signature.Data == "" {
		return last
	}
	return nil
}

// unsigned reports whether thoughts of a format are wanted back though nothing signs them: those of vendors that sign say so by a signature.
func unsigned(format string) bool {
	switch format {
	case "", chat.FormatAnthropic, chat.FormatGemini, chat.FormatOpenAI:
		return false
	}
	return true
}

// signed makes the signature of a detail. OpenRouter's details are Anthropic's when they do not say whose; what OpenAI encrypted it has from its own
// account, as what Forge has from OpenAI is wrapped.
func (d *detail) signed(data string) *chat.Signature {
	if sig, ok := chat.Unwrap(data); ok {
		sig.ID = cmp.Or(sig.ID, d.id)
		return sig
	}
	if d.format == chat.FormatOpenAI {
		return &chat.Signature{Format: chat.FormatOpenAIResold, Data: data, ID: d.id}
	}
	return &chat.Signature{Format: cmp.Or(d.format, chat.FormatAnthropic), Data: data, ID: d.id}
}

// attach puts signatures that stand alone onto what they belong to: the call whose id they have, or, of Gemini's, the text. It gives the thoughts
// that are left.
func attach(thinking, said []chat.Part) []chat.Part {
	left := thinking[:0]
	for _, p := range thinking {
		if p.Redacted || p.Text != "" || p.Signature == nil || !attachOne(p.Signature, said) {
			left = append(left, p)
		}
	}
	return left
}

func attachOne(sig *chat.Signature, said []chat.Part) bool {
	for i := range said {
		p := &said[i]
		ofCall := p.Kind == chat.PartToolCall && sig.ID != "" && p.Call.ID == sig.ID
		ofText := p.Kind == chat.PartText && sig.ID == "" && sig.Format == chat.FormatGemini
		if p.Signature == nil && (ofCall || ofText) {
			p.Signature = &chat.Signature{Format: sig.Format, Data: sig.Data}
			return true
		}
	}
	return false
}

// reasoningDetail is a piece of thinking as clients see it.
type reasoningDetail struct {
	Type      string `json:"type"`
	Text      string `json:"text,omitempty"`
	Signature string `json:"signature,omitempty"`
	Data      string `json:"data,omitempty"`
	ID        string `json:"id,omitempty"`
	Format    string `json:"format,omitempty"`
	Index     int    `json:"index"`
}

// signatureDetail shows a signature; of is the id of the call that it is on, "" when it is on none.
func signatureDetail(sig *chat.Signature, redacted bool, of string, index int) reasoningDetail {
	d := reasoningDetail{Type: detailEncrypted, Data: sig.Data, ID: cmp.Or(of, sig.ID), Format: sig.Format, Index: index}
	switch {
	case sig.Data == "", sig.Format == chat.FormatAnthropic && !redacted:
		d.Type, d.Data, d.Signature = detailText, "", sig.Data
	case sig.Format == chat.FormatOpenAI:
		d.Data, d.ID = sig.Wrap(), of
	case sig.Format == chat.FormatOpenAIResold:
		d.Format = chat.FormatOpenAI
	}
	return d
}

// detailsOf shows the thoughts of a choice and the signatures on what it says.
func detailsOf(parts []chat.Part) []reasoningDetail {
	var out []reasoningDetail
	index := 0
	for i := range parts {
		p := &parts[i]
		before := len(out)
		if p.Kind == chat.PartThinking && p.Text != "" && !p.Redacted {
			out = append(out, reasoningDetail{Type: detailText, Text: p.Text, Index: index})
		}
		if p.Signature != nil {
			of := ""
			if p.Kind == chat.PartToolCall {
				of = p.Call.ID
			}
			d := signatureDetail(p.Signature, p.Redacted, of, index)
			if len(out) > before && d.Type == detailText { // one detail has both
				d.Text = out[before].Text
				out = out[:before]
			}
			out = append(out, d)
		}
		if len(out) > before {
			index++
		}
	}
	return out
}
