package rest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/forge1/forge1/domain/chat"
)

// respWriter writes an answer of another vendor in the shape of OpenAI's responses, as events; and keeps the items that it comes to. A whole answer is
// written the same way, and its events left alone.
type respWriter struct {
	shape   respShape
	custom  map[string]bool // tools whose calls are texts
	b       []byte
	taken   bool // what is in b
	seq     int
	items   []*respItem
	current *respItem         // the message or thought that is open
	calls   map[int]*respItem // by the index of the call
	finish  chat.Finish
	tier    string
}

// event begins an event.
func (w *respWriter) event(name string) {
	if w.taken {
		w.b, w.taken = w.b[:0], false
	}
	w.b = append(append(append(append(w.b, "event: "...), name...), "\ndata: {\"type\":\""...), name...)
	w.b = strconv.AppendInt(append(w.b, `","sequence_number":`...), int64(w.seq), 10)
	w.seq++
}

func (w *respWriter) end() { w.b = append(w.b, "}\n\n"...) }

// take gives the events since it was last asked. They are valid until the next event.
func (w *respWriter) take() []byte {
	if w.taken {
		return nil
	}
	w.taken = true
	return w.b
}

// response writes an event about the response as it stands.
func (w *respWriter) response(name string, is respState) {
	w.event(name)
	w.b = w.shape.object(append(w.b, `,"response":`...), is)
	w.end()
}

// begin tells that there is going to be a response.
func (w *respWriter) begin() {
	w.response("response.created", respState{status: "in_progress"})
	w.response("response.in_progress", respState{status: "in_progress"})
}

// chunk writes a piece of the answer. There is but one choice in this dialect.
func (w *respWriter) chunk(c *chat.Chunk) {
	if c.ServiceTier != "" {
		w.tier = c.ServiceTier
	}
	if c.Choice != 0 {
		return
	}
	w.text(c.Text, c.New, c.Logprobs)
	w.refusal(c.Refusal, c.New)
	w.thinking(c.Thinking, c.New)
	if c.Tool != nil {
		w.tool(c.Tool)
	}
	if c.Part != nil {
		w.part(c.Part)
	}
	w.cite(c.Citations)
	if c.Signature != nil {
		w.sign(c.Signature)
	}
	if c.Finish != "" {
		w.finish = c.Finish
	}
}

func (w *respWriter) text(said string, anew bool, likely []chat.TokenLogprob) {
	if said == "" {
		if it := w.current; it != nil && it.part == "output_text" && len(likely) > 0 {
			it.likelier(appendLogprobs(nil, likely))
		}
		return
	}
	it := w.message("output_text", anew)
	it.text.WriteString(said)
	w.event("response.output_text.delta")
	w.ofPart(it, "content_index")
	w.b = append(appendString(append(w.b, `,"delta":`...), said), `,"logprobs":[`...)
	if len(likely) > 0 {
		start := len(w.b)
		w.b = appendLogprobs(w.b, likely)
		it.likelier(w.b[start:])
	}
	w.b = append(w.b, ']')
	w.end()
}

// likelier adds to the likelihoods of the open part.
func (it *respItem) likelier(more []byte) {
	if len(it.likely) > 0 {
		it.likely = append(it.likely, ',')
	}
	it.likely = append(it.likely, more...)
}

func (w *respWriter) refusal(said string, anew bool) {
	if said == "" {
		return
	}
	it := w.message("refusal", anew)
	it.text.WriteString(said)
	w.event("response.refusal.delta")
	w.ofPart(it, "content_index")
	w.b = appendString(append(w.b, `,"delta":`...), said)
	w.end()
}

// thinking writes a thought. Each has an item of its own, as each can have a signature.
func (w *respWriter) thinking(said string, anew bool) {
	if said == "" {
		return
	}
	if w.current == nil || w.current.kind != "reasoning" || anew {
		w.closeCurrent("completed")
		w.current = w.open("reasoning", "rs")
		w.added(w.current, w.current.thought())
	}
	it := w.current
	if it.part == "" {
		it.part = "summary_text"
		w.event("response.reasoning_summary_part.added")
		w.ofPart(it, "summary_index")
		w.b = it.appendPart(append(w.b, `,"part":`...))
		w.end()
	}
	it.text.WriteString(said)
	w.event("response.reasoning_summary_text.delta")
	w.ofPart(it, "summary_index")
	w.b = appendString(append(w.b, `,"delta":`...), said)
	w.end()
}

// tool writes a piece of a call. A call stays open until its arguments are whole and another item begins, or the answer ends: calls may come in turns.
func (w *respWriter) tool(d *chat.ToolDelta) {
	it := w.calls[d.Index]
	if it == nil {
		w.closeCurrent("completed")
		w.settle()
		if d.Signature != nil {
			w.seal(d.Signature, signsCall)
		}
		it = w.call(d)
		if w.calls == nil {
			w.calls = map[int]*respItem{}
		}
		w.calls[d.Index] = it
	}
	if d.Arguments != "" && it.final == nil {
		w.arguments(it, d.Arguments)
	}
}

// settle ends the calls whose arguments are whole.
func (w *respWriter) settle() {
	for _, it := range w.items {
		if it.final == nil && it != w.current && whole(it.text.String()) {
			w.closeCall(it, "completed")
		}
	}
}

// cite writes where the text that is open is from.
func (w *respWriter) cite(all []chat.Citation) {
	if len(all) == 0 {
		return
	}
	it := w.message("output_text", false)
	for i := range all {
		note := appendAnnotation(nil, &all[i], it.points())
		w.event("response.output_text.annotation.added")
		w.ofPart(it, "content_index")
		w.b = strconv.AppendInt(append(w.b, `,"annotation_index":`...), int64(it.notes), 10)
		w.b = append(append(w.b, `,"annotation":`...), note...)
		w.end()
		if it.notes > 0 {
			it.noted = append(it.noted, ',')
		}
		it.noted = append(it.noted, note...)
		it.notes++
	}
}

// sign writes a signature: of the thought that is open, of the text before it, or one that stands alone.
func (w *respWriter) sign(s *chat.Signature) {
	it := w.current
	switch {
	case it != nil && it.kind == "reasoning":
		it.sealed = sealedFor(s, it.id, "")
		w.closeCurrent("completed")
	case it != nil && it.part == "output_text":
		w.closeCurrent("completed")
		w.seal(s, signsText)
	default:
		w.closeCurrent("completed")
		w.seal(s, "")
	}
}

// seal writes a signature as an item of its own, which says what it signs.
func (w *respWriter) seal(s *chat.Signature, signs string) {
	it := w.open("reasoning", "rs")
	if s.Format == chat.FormatOpenAI && s.ID != "" && signs == "" {
		it.id = s.ID
	}
	it.sealed = sealedFor(s, it.id, signs)
	w.added(it, it.thought())
	w.itemDone(it, it.thought())
}

// sealedFor gives the encrypted content of an item: OpenAI's own as it is, any other wrapped.
func sealedFor(s *chat.Signature, id, signs string) string {
	if s.Format == chat.FormatOpenAI && signs == "" && (s.ID == "" || s.ID == id) {
		return s.Data
	}
	wrapped := *s
	if signs != "" || s.Format != chat.FormatOpenAI {
		wrapped.ID = signs
	}
	return wrapped.Wrap()
}

// part writes a part that is whole.
func (w *respWriter) part(p *chat.Part) {
	switch p.Kind {
	case chat.PartText:
		w.text(p.Text, true, nil)
		w.cite(p.Citations)
	case chat.PartRefusal:
		w.refusal(p.Text, true)
	case chat.PartThinking:
		if p.Redacted && p.Signature != nil {
			w.closeCurrent("completed")
			w.seal(p.Signature, redacted)
			return
		}
		w.thinking(p.Text, true)
		if p.Text == "" {
			w.closeCurrent("completed")
		}
	case chat.PartToolCall:
		w.tool(&chat.ToolDelta{Index: len(w.calls), ID: p.Call.ID, Name: p.Call.Name, Arguments: p.Call.Arguments, Signature: p.Signature})
		return
	case chat.PartForeign:
		if p.Foreign.Dialect == chat.DialectResponses {
			w.closeCurrent("completed")
			it := w.open("foreign", "it")
			w.added(it, compacted(p.Foreign.JSON))
			w.itemDone(it, compacted(p.Foreign.JSON))
		}
		return
	case chat.PartImage:
		w.picture(p.Media)
	case chat.PartAudio, chat.PartFile, chat.PartToolResult: // the dialect has no place for them in an answer
		return
	}
	if p.Signature != nil {
		w.sign(p.Signature)
	}
}

// picture writes a picture as the image generation tool does.
func (w *respWriter) picture(m *chat.Media) {
	if m.Data == "" {
		w.text(m.URL, true, nil)
		return
	}
	w.closeCurrent("completed")
	it := w.open("image_generation_call", "ig")
	w.added(it, fmt.Appendf(nil, `{"id":"%s","type":"image_generation_call","status":"in_progress","result":null}`, it.id))
	b := appendString(fmt.Appendf(nil, `{"id":"%s","type":"image_generation_call","status":"completed","result":`, it.id), m.Data)
	w.itemDone(it, append(b, '}'))
}

// whole writes a choice that is whole.
func (w *respWriter) whole(c *chat.Choice) {
	likely := c.Logprobs
	for i := range c.Parts {
		p := &c.Parts[i]
		if p.Kind == chat.PartText && p.Text != "" && len(likely) > 0 {
			w.text(p.Text, true, likely)
			likely = nil
			w.cite(p.Citations)
			if p.Signature != nil {
				w.sign(p.Signature)
			}
		} else {
			w.part(p)
		}
		w.take()
	}
	w.finish = c.Finish
}

// close ends all that is open, and says how the response ended.
func (w *respWriter) close(f chat.Finish) (status, reason string) {
	f = cmp.Or(w.finish, f, chat.FinishStop)
	status, reason = ended(f)
	w.closeCurrent(status)
	for _, it := range w.items {
		if it.final == nil {
			of := status
			if whole(it.text.String()) || it.text.Len() == 0 && status == "completed" {
				of = "completed"
			}
			w.closeCall(it, of)
		}
	}
	return status, reason
}

// output gives the items, once all are closed.
func (w *respWriter) output() [][]byte {
	out := make([][]byte, 0, len(w.items))
	for _, it := range w.items {
		if it.final != nil {
			out = append(out, it.final)
		}
	}
	return slices.Clip(out)
}
