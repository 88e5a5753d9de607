package simulator

import (
	"net/http"
)

// The events of a streamed response.
type (
	responseEvent struct {
		Type     string    `json:"type"`
		Response *response `json:"response"`
		Number   int       `json:"sequence_number"`
	}
	itemEvent struct {
		Type   string `json:"type"`
		Item   any    `json:"item"`
		Output int    `json:"output_index"`
		Number int    `json:"sequence_number"`
	}
	// partEvent is of a part of an item, or of a piece of a part. What an event does not have is left out.
	partEvent struct {
		Type        string     `json:"type"`
		Annotation  *outCite   `json:"annotation,omitempty"`
		CiteIndex   *int       `json:"annotation_index,omitempty"`
		Arguments   *string    `json:"arguments,omitempty"`
		Content     *int       `json:"content_index,omitempty"`
		Delta       *string    `json:"delta,omitempty"`
		ItemID      string     `json:"item_id"`
		Logprobs    *[]logprob `json:"logprobs,omitempty"`
		Name        string     `json:"name,omitempty"`
		Obfuscation string     `json:"obfuscation,omitempty"`
		Output      int        `json:"output_index"`
		Part        any        `json:"part,omitempty"`
		Refusal     *string    `json:"refusal,omitempty"`
		Number      int        `json:"sequence_number"`
		Summary     *int       `json:"summary_index,omitempty"`
		Text        *string    `json:"text,omitempty"`
	}
	// errorEvent is how a response fails after it began; it nests what an error of a whole call has at its top.
	errorEvent struct {
		Type   string `json:"type"`
		Number int    `json:"sequence_number"`
		Error  any    `json:"error"`
	}
	responseError struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
)

// responseStream writes the events of one response.
type responseStream struct {
	c   *call
	a   *answer
	at  int // of the item among the output
	out []piece
}

func (s *responseStream) write(kind string, e any) { s.out = append(s.out, event(kind, encode(e))) }

func (s *responseStream) about(kind string, r *response) {
	s.write(kind, responseEvent{kind, r, len(s.out)})
}

func (s *responseStream) item(kind string, item any) {
	s.write(kind, itemEvent{kind, item, s.at, len(s.out)})
}

func (s *responseStream) part(kind, itemID string, e partEvent) {
	e.Type, e.ItemID, e.Output, e.Number = kind, itemID, s.at, len(s.out)
	if e.Delta != nil {
		serial := s.a.serial + uint64(len(s.out))
		e.Obfuscation = id(serial, 1+int(mix(serial)%14)) //nolint:gosec // below 14
	}
	s.write(kind, e)
}

func (o openai) streamResponses(c *call, a *answer) (http.Header, []piece) {
	s := &responseStream{c: c, a: a}
	r := c.response(a)
	s.about("response.created", r)
	s.about("response.in_progress", r)
	items := c.items(a)
	for i, item := range items {
		s.at = i
		switch item := item.(type) {
		case outReasoning:
			s.reasoning(item)
		case outSearch:
			s.search(item)
		case outCall:
			s.call(item, a.choices[0][i])
		case outMessage:
			s.message(item, a.choices[0][i])
		}
	}
	r = c.response(a)
	r.Output = append(r.Output, items...)
	r.end(a)
	o.keep(c, r)
	s.about("response."+r.Status, r)
	return openaiHeader(a, "text/event-stream; charset=utf-8"), s.out
}

func (s *responseStream) reasoning(item outReasoning) {
	opening := item
	opening.Summary = []outSummary{}
	s.item("response.output_item.added", opening)
	const summary = "response.reasoning_summary_"
	for i, part := range item.Summary {
		s.part(summary+"part.added", item.ID, partEvent{Summary: &i, Part: outSummary{part.Type, ""}})
		for _, text := range cutText(part.Text, pieceBytes) {
			s.part(summary+"text.delta", item.ID, partEvent{Summary: &i, Delta: &text})
		}
		s.part(summary+"text.done", item.ID, partEvent{Summary: &i, Text: &part.Text})
		s.part(summary+"part.done", item.ID, partEvent{Summary: &i, Part: part})
	}
	s.item("response.output_item.done", item)
}

func (s *responseStream) search(item outSearch) {
	opening := item
	opening.Status, opening.Action = "in_progress", nil
	s.item("response.output_item.added", opening)
	for _, state := range []string{"in_progress", "searching", "completed"} {
		s.part("response.web_search_call."+state, item.ID, partEvent{})
	}
	s.item("response.output_item.done", item)
}

func (s *responseStream) call(item outCall, p part) {
	opening := item
	opening.Status, opening.Arguments = "in_progress", ""
	s.item("response.output_item.added", opening)
	if p.pieces == nil {
		p.pieces = []string{p.text}
	}
	for _, text := range p.pieces {
		s.part("response.function_call_arguments.delta", item.ID, partEvent{Delta: &text})
	}
	s.part("response.function_call_arguments.done", item.ID, partEvent{Arguments: &item.Arguments})
	s.item("response.output_item.done", item)
}

func (s *responseStream) message(item outMessage, p part) {
	opening := item
	opening.Status, opening.Content = "in_progress", []any{}
	s.item("response.output_item.added", opening)
	first := new(0)
	if p.kind == refusing {
		s.part("response.content_part.added", item.ID, partEvent{Content: first, Part: outRefusal{"refusal", ""}})
		for _, text := range p.pieces {
			s.part("response.refusal.delta", item.ID, partEvent{Content: first, Delta: &text})
		}
		s.part("response.refusal.done", item.ID, partEvent{Content: first, Refusal: &p.text})
		s.part("response.content_part.done", item.ID, partEvent{Content: first, Part: item.Content[0]})
		s.item("response.output_item.done", item)
		return
	}
	text, _ := item.Content[0].(outText)
	s.part("response.content_part.added", item.ID, partEvent{Content: first, Part: outText{text.Type, []outCite{}, []logprob{}, ""}})
	for i, piece := range p.pieces {
		logprobs := []logprob{}
		if s.c.logprobs {
			logprobs = text.Logprobs[i : i+1]
		}
		s.part("response.output_text.delta", item.ID, partEvent{Content: first, Delta: &piece, Logprobs: &logprobs})
	}
	for i, cited := range text.Cites {
		s.part("response.output_text.annotation.added", item.ID, partEvent{Content: first, Annotation: &cited, CiteIndex: &i})
	}
	s.part("response.output_text.done", item.ID, partEvent{Content: first, Text: &text.Text, Logprobs: &text.Logprobs})
	s.part("response.content_part.done", item.ID, partEvent{Content: first, Part: text})
	s.item("response.output_item.done", item)
}

// breakResponses ends a stream of n events with an error, and then with the response that failed.
func (o openai) breakResponses(c *call, a *answer, n int) []piece {
	p := o.failure(http.StatusInternalServerError)
	r := c.response(a)
	r.Status, r.Error = "failed", responseError{"server_error", p.message}
	failure := openaiFailure(p).Error
	failure.Code = new("server_error")
	return []piece{
		event("error", encode(errorEvent{"error", n, failure})),
		event("response.failed", encode(responseEvent{"response.failed", r, n + 1})),
	}
}
