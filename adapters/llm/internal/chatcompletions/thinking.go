package chatcompletions

import (
	"encoding/json"

	"github.com/forge1/forge1/domain/chat"
)

// thought is the thought that was last told of, while more of it may come.
type thought struct {
	open   bool
	index  int
	format string // what is given back with it though nothing signs it; "": nothing
}

// think reads what the model thought: details, where there are any, or else the plain text that is the same.
func (t *telling) think(out []chat.Chunk, s *said) []chat.Chunk {
	if tells(s.Details) {
		var list []detail
		_ = json.Unmarshal(s.Details, &list)
		told := false
		for i := range list {
			n := len(out)
			out = t.detail(out, &list[i])
			told = told || len(out) > n || list[i].Data != ""
		}
		if told {
			return out
		}
	}
	switch {
	case s.Reasoning != "":
		return t.plainThought(out, string(s.Reasoning))
	case s.ReasoningToo != "":
		return t.plainThought(out, string(s.ReasoningToo))
	}
	return out
}

// plainThought passes on a piece of a thought that nobody signs. Servers of one's own want it back as it is.
func (t *telling) plainThought(out []chat.Chunk, text string) []chat.Chunk {
	format := ""
	if t.d.flavour.Kind == Compatible {
		format = FormatPlain
	}
	t.thought.open, t.thought.format = true, format
	return append(out, chat.Chunk{Choice: t.index, Thinking: text})
}

// detail passes on a detail: a piece of text or of a summary, the signature that ends it, or what only the vendor can read.
func (t *telling) detail(out []chat.Chunk, d *detail) []chat.Chunk {
	switch text := d.Text + d.Summary; d.Type {
	case detailText, detailSummary:
		if text != "" {
			out = t.piece(out, d, text)
		}
		if d.Signature != "" {
			t.thought = thought{}
			out = append(out, chat.Chunk{Choice: t.index, Signature: &chat.Signature{Format: d.Format, Data: d.Signature, ID: d.ID}})
		}
	case detailEncrypted:
		if d.Data != "" {
			out = t.encrypted(out, d)
		}
	}
	return out
}

// piece passes on text. Another number begins another thought.
func (t *telling) piece(out []chat.Chunk, d *detail, text string) []chat.Chunk {
	c := chat.Chunk{Choice: t.index, Thinking: text}
	index := t.thought.index
	if d.Index != nil {
		index = *d.Index
	}
	if t.thought.open && index != t.thought.index {
		out, c.New = t.endThought(out), true
	}
	t.thought = thought{open: true, index: index}
	switch d.Format {
	case "", chat.FormatAnthropic, chat.FormatGemini, chat.FormatOpenAI:
	default:
		if d.Type == detailText { // what has no signature is wanted back all the same
			t.thought.format = d.Format
		}
	}
	return append(out, c)
}

func (t *telling) encrypted(out []chat.Chunk, d *detail) []chat.Chunk {
	s := &chat.Signature{Format: d.Format, Data: d.Data, ID: d.ID}
	switch {
	case d.Format == chat.FormatAnthropic:
		t.thought = thought{}
		return append(out, chat.Chunk{Choice: t.index, Part: &chat.Part{Kind: chat.PartThinking, Redacted: true, Signature: s}})
	case d.Format == chat.FormatGemini && d.ID != "": // the id is that of a tool's call
		s.ID = ""
		if t.hasBegun(d.ID) {
			break
		}
		t.signs = append(t.signs, sign{d.ID, s})
		return out
	case d.Format == chat.FormatOpenAI && t.d.flavour.Kind == OpenRouter:
		s.Format = chat.FormatOpenAIResold
	}
	t.thought = thought{}
	return append(out, chat.Chunk{Choice: t.index, Signature: s})
}

func (t *telling) hasBegun(id string) bool {
	for _, c := range t.calls {
		if c.id == id {
			return true
		}
	}
	return false
}

// endThought is called before anything else is said.
func (t *telling) endThought(out []chat.Chunk) []chat.Chunk {
	was := t.thought
	t.thought = thought{}
	if !was.open || was.format == "" {
		return out
	}
	return append(out, chat.Chunk{Choice: t.index, Signature: &chat.Signature{Format: was.format}})
}
