package gemini

import (
	"bytes"
	"fmt"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// maxChoices bounds the number of a candidate. The vendor makes eight at most.
const maxChoices = 128

// decoder reads the chunks of a streamed answer; it implements events.Decoder. A finishReason is the end, but the stream goes on to its
// own end: an answer that runs code has a finishReason before each run too.
type decoder struct {
	to      outbound.Target
	names   map[string]string // of functions, by what the vendor calls them
	id      string
	model   string
	named   bool // id and model were said
	usage   []byte
	blocked bool   // the prompt
	why     string // it was
	choices []*choice
	out     []chat.Chunk
}

// Event implements events.Decoder.
func (d *decoder) Event(data []byte) ([]chat.Chunk, bool, error) {
	if bytes.Equal(bytes.TrimSpace(data), []byte("[DONE]")) { // no word of this vendor, but of some proxies
		return nil, false, nil
	}
	var at [len(answerKeys)]jsonscan.Span
	if jsonscan.Find(data, at[:], answerKeys[:]...) != nil {
		return nil, false, llm.BadResponse(d.to, "sent something that is not an answer")
	}
	if problem := member(data, at[5]); problem != nil {
		if r, ok := explain(data); ok {
			return nil, false, r.Failure(d.to, nil)
		}
		return nil, false, llm.BadResponse(d.to, "sent an error that is none")
	}
	d.out = d.out[:0]
	if u := member(data, at[2]); counts(u) {
		d.usage = append(d.usage[:0], u...)
	}
	d.id, d.model = another(d.id, member(data, at[4])), another(d.model, member(data, at[3]))
	if f := member(data, at[1]); f != nil {
		d.feedback(f)
	}
	if err := d.candidates(member(data, at[0])); err != nil {
		return nil, false, err
	}
	if !d.named && (d.id != "" || d.model != "" || len(d.out) > 0) {
		d.named = true
		if len(d.out) == 0 {
			d.out = append(d.out, chat.Chunk{})
		}
		d.out[0].ID, d.out[0].Model = d.id, d.model
	}
	return d.out, false, nil
}

// member gives a value that is there, and not null.
func member(b []byte, s jsonscan.Span) []byte {
	if v := s.Of(b); len(v) > 0 && v[0] != 'n' {
		return v
	}
	return nil
}

// another reads a word that is nearly always the one before.
func another(before string, v []byte) string {
	if len(v) < 3 || v[0] != '"' || string(v[1:len(v)-1]) == before {
		return before
	}
	return word(v)
}

// feedback reads whether the prompt was blocked, and why.
func (d *decoder) feedback(raw []byte) {
	var at [2]jsonscan.Span
	if jsonscan.Find(raw, at[:], "blockReason", "blockReasonMessage") != nil {
		return
	}
	if r := word(member(raw, at[0])); r != "" && r != "0" {
		d.blocked = true
		d.why = word(member(raw, at[1]))
	}
}

func (d *decoder) candidates(list []byte) error {
	w := jsonscan.Walk(list, 0)
	if !w.List() {
		return nil
	}
	for _, ok := w.Next(); ok; _, ok = w.Next() {
		raw := w.Skip()
		if raw == nil || raw[0] != '{' {
			continue
		}
		var at [len(candidateKeys)]jsonscan.Span
		if jsonscan.Find(raw, at[:], candidateKeys[:]...) != nil {
			return llm.BadResponse(d.to, "sent a candidate that is none")
		}
		index := jsonscan.Number(member(raw, at[0])) // left out when 0
		if index < 0 || index >= maxChoices {
			continue
		}
		for len(d.choices) <= index {
			d.choices = append(d.choices, nil)
		}
		if d.choices[index] == nil {
			d.choices[index] = &choice{decoder: d, index: index}
		}
		if err := d.choices[index].event(raw, &at); err != nil {
			return err
		}
	}
	return nil
}

// End implements events.Decoder.
func (d *decoder) End() ([]chat.Chunk, error) {
	d.out = d.out[:0]
	if len(d.choices) == 0 {
		if !d.blocked {
			return nil, chat.ErrCutOff
		}
		d.choices = []*choice{{decoder: d}}
	}
	for _, c := range d.choices {
		switch {
		case c == nil, c.reason == "" && (!d.blocked || c.calls > 0):
			return nil, chat.ErrCutOff
		case c.reason == "":
			c.end(chat.FinishContentFilter, d.why)
			continue
		}
		f, ok := finish(c.reason, c.calls > 0)
		if !ok {
			return nil, llm.BadResponse(d.to, fmt.Sprintf("ended without a usable end: %s", reason(c.reason)))
		}
		c.end(f, c.message)
	}
	last := &d.out[len(d.out)-1]
	last.Usage, last.ServiceTier = readUsage(d.usage)
	return d.out, nil
}

// Usage implements events.Decoder: the vendor counts as it goes.
func (d *decoder) Usage() *chat.Usage {
	u, _ := readUsage(d.usage)
	return u
}
