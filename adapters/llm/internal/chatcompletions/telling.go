package chatcompletions

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/domain/chat"
)

// telling is one choice on its way, in pieces or as one.
type telling struct {
	d        *decoder
	index    int
	finished bool
	calls    []begun // in their order
	signs    []sign  // of calls that are to come
	thought  thought
	sound    *chat.Part // that comes in pieces
	samples  strings.Builder
	words    strings.Builder
}

// begun is a tool call that has begun, by the vendor's index and id.
type begun struct {
	index int
	id    string
}

// sign is the signature of a tool call that has not begun, by the vendor's id of the call.
type sign struct {
	call string
	*chat.Signature
}

// say reads a piece of an answer, or all of it: thoughts, text, what is shown and heard, calls.
func (t *telling) say(out []chat.Chunk, s *said, logprobs json.RawMessage, whole bool) []chat.Chunk {
	out = t.think(out, s)
	for i := range s.Content.parts {
		out = t.contentPart(out, &s.Content.parts[i])
	}
	c := chat.Chunk{Choice: t.index, Text: s.Content.Text}
	if tells(s.Annotations) {
		c.Citations = citationsOf(s.Annotations)
	}
	if tells(logprobs) {
		c.Logprobs = logprobsOf(logprobs)
	}
	if c.Text != "" || len(c.Citations) > 0 {
		out = append(t.endThought(out), c)
		c.Logprobs = nil
	}
	if s.Refusal != "" {
		out = append(t.endThought(out), chat.Chunk{Choice: t.index, Refusal: string(s.Refusal), Logprobs: c.Logprobs})
		c.Logprobs = nil
	}
	if len(c.Logprobs) > 0 { // of tokens that are no text, such as those of a call
		out = append(out, chat.Chunk{Choice: t.index, Logprobs: c.Logprobs})
	}
	if tells(s.Images) {
		out = t.images(out, s.Images)
	}
	if tells(s.Audio) {
		t.hear(s.Audio)
	}
	for i := range s.ToolCalls {
		out = t.call(t.endThought(out), &s.ToolCalls[i], whole)
	}
	if tells(s.FunctionCall) {
		var f calledFunction
		if json.Unmarshal(s.FunctionCall, &f) == nil && (f.Name != "" || f.Arguments != "") {
			out = t.call(t.endThought(out), &toolCall{Function: f}, whole)
		}
	}
	return out
}

// tells reports whether a raw value is there and says something.
func tells(b json.RawMessage) bool { return len(b) > 0 && !jsonscan.IsEmpty(b) }

func (t *telling) contentPart(out []chat.Chunk, p *contentPart) []chat.Chunk {
	switch {
	case p.Type == "thinking":
		if text := p.thought(); text != "" {
			out = t.plainThought(out, text)
		}
	case p.Refusal != "":
		out = append(t.endThought(out), chat.Chunk{Choice: t.index, Refusal: string(p.Refusal)})
	case p.Text != "":
		out = append(t.endThought(out), chat.Chunk{Choice: t.index, Text: string(p.Text)})
	case len(p.Image) > 0:
		out = t.image(out, p.Image)
	}
	return out
}

// images reads pictures that the model made.
func (t *telling) images(out []chat.Chunk, b json.RawMessage) []chat.Chunk {
	var list []struct {
		Image json.RawMessage `json:"image_url"`
	}
	_ = json.Unmarshal(b, &list)
	for _, p := range list {
		out = t.image(out, p.Image)
	}
	return out
}

func (t *telling) image(out []chat.Chunk, b json.RawMessage) []chat.Chunk {
	var i imageURL
	if json.Unmarshal(b, &i) != nil {
		i.URL = jsonscan.Unquote(b)
	}
	if i.URL == "" {
		return out
	}
	return append(t.endThought(out), chat.Chunk{Choice: t.index, Part: &chat.Part{Kind: chat.PartImage, Media: mediaOf(i.URL)}})
}

// mediaOf reads an address, or the bytes that it holds itself.
func mediaOf(url string) *chat.Media {
	if rest, ok := strings.CutPrefix(url, "data:"); ok {
		if kind, data, ok := strings.Cut(rest, ";base64,"); ok {
			return &chat.Media{Type: kind, Data: data}
		}
	}
	return &chat.Media{URL: url}
}

// hear gathers a sound, whose bytes and words come in pieces.
func (t *telling) hear(b json.RawMessage) {
	var s spoken
	if json.Unmarshal(b, &s) != nil || t.samples.Len()+t.words.Len() > llm.MaxAnswer {
		return
	}
	if t.sound == nil {
		t.sound = &chat.Part{Kind: chat.PartAudio, Media: &chat.Media{}}
	}
	if s.ID != "" {
		t.sound.Media.FileID, t.sound.Media.Origin = s.ID, chat.DialectOpenAIChat
	}
	t.samples.WriteString(s.Data)
	t.words.WriteString(s.Transcript)
}

// call passes a piece of a call on. Id and name go with the first piece alone. The calls are numbered as they come, whatever the vendor's numbers are.
// What comes whole is a call of its own.
func (t *telling) call(out []chat.Chunk, c *toolCall, whole bool) []chat.Chunk {
	delta := &chat.ToolDelta{Index: len(t.calls), Arguments: string(c.Function.Arguments)}
	if !whole {
		delta.Index = t.callOf(c)
	}
	if delta.Index == len(t.calls) {
		b := begun{delta.Index, c.ID}
		if c.Index != nil {
			b.index = *c.Index
		}
		t.calls = append(t.calls, b)
		delta.ID, delta.Name = callID(c.ID, t.d.id, t.index, delta.Index), c.Function.Name
		for i, s := range t.signs {
			if s.call == c.ID {
				delta.Signature, t.signs = s.Signature, slices.Delete(t.signs, i, i+1)
				break
			}
		}
	}
	return append(out, chat.Chunk{Choice: t.index, Tool: delta})
}

// callOf finds the call that a piece belongs to, or the number of a new one. Calls are told apart by index. Some servers give none: there a
// piece with an id of its own begins a call. Others give every call the same: there an id of its own with a name does.
func (t *telling) callOf(c *toolCall) int {
	for i := len(t.calls) - 1; i >= 0; i-- {
		b := t.calls[i]
		switch {
		case c.Index == nil && c.ID == "" && c.Function.Name != "":
			return len(t.calls) // a name begins a call
		case c.Index == nil && (c.ID == "" || c.ID == b.id):
			return i
		case c.Index == nil || *c.Index != b.index:
		case c.ID != "" && b.id != "" && c.ID != b.id && c.Function.Name != "":
			// the same number on another call: it may be one of those before
		default:
			return i
		}
	}
	return len(t.calls)
}

// finish ends the choice, once.
func (t *telling) finish(out []chat.Chunk, reason string, stopped json.RawMessage) []chat.Chunk {
	if t.finished {
		return out
	}
	t.finished = true
	out = t.endThought(out)
	if t.sound != nil {
		t.sound.Media.Data, t.sound.Text = t.samples.String(), t.words.String()
		out = append(out, chat.Chunk{Choice: t.index, Part: t.sound})
	}
	for _, s := range t.signs { // of a call that never came
		out = append(out, chat.Chunk{Choice: t.index, Signature: s.Signature})
	}
	end := chat.Chunk{Choice: t.index, Finish: finishOf(reason, len(t.calls) > 0)}
	if t.d.flavour.Kind == Compatible && reason == "stop" {
		end.StopSequence = jsonscan.Unquote(stopped)
	}
	return append(out, end)
}

func citationsOf(b json.RawMessage) []chat.Citation {
	var list []annotation
	_ = json.Unmarshal(b, &list)
	var out []chat.Citation
	for i := range list {
		if c := &list[i].URL; list[i].Type == "url_citation" && c.URL != "" {
			out = append(out, chat.Citation{URL: c.URL, Title: c.Title, Text: c.Content, Start: c.Start, End: c.End})
		}
	}
	return out
}

func logprobsOf(b json.RawMessage) []chat.TokenLogprob {
	var list tokens
	_ = json.Unmarshal(b, &list)
	return neutralTokens(list.Content)
}

func neutralTokens(in []token) []chat.TokenLogprob {
	var out []chat.TokenLogprob
	for i := range in {
		one := chat.TokenLogprob{Token: in[i].Token, Logprob: in[i].Logprob, Top: neutralTokens(in[i].Top)}
		for _, b := range in[i].Bytes {
			one.Bytes = append(one.Bytes, byte(b))
		}
		out = append(out, one)
	}
	return out
}
