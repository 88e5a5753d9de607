package simulator

import (
	"net/http"
)

// stream says the usage so far in each chunk, ends lines with CRLF, and ends without a terminator. Without alt=sse it is a JSON array.
func (g gemini) stream(c *call, a *answer) (http.Header, []piece) {
	chunks := a.geminiChunks(c)
	out := make([]piece, 0, len(chunks))
	for i, chunk := range chunks {
		if c.array {
			out = append(out, arrayPiece(indent(chunk), i == 0, i == len(chunks)-1))
			continue
		}
		out = append(out, piece{data: append(append([]byte("data: "), encode(chunk)...), "\r\n\r\n"...)})
	}
	return geminiHeader(!c.array), out
}

// geminiChunks cuts an answer: words and thoughts in pieces, function calls each in one.
func (a *answer) geminiChunks(c *call) []geminiAnswer {
	if a.finish == filtered {
		return []geminiAnswer{a.blocked(c)}
	}
	var chunks []geminiAnswer
	said, thought := 0, 0
	for choice := range a.choices {
		first := len(chunks)
		add := func(p geminiOutPart, n int) {
			if p.Thought {
				thought += n
			} else {
				said += n
			}
			chunks = append(chunks, a.gemini(c, []geminiCandidate{{Content: geminiOutContent{Parts: []geminiOutPart{p}, Role: "model"}, Index: choice}}, said, thought))
		}
		for _, p := range a.parts(choice, thinking) {
			if c.conceals(p) {
				thought += len(p.text)
			}
		}
		a.geminiPieces(c, choice, add)
		if len(chunks) == first {
			chunks = append(chunks, a.gemini(c, []geminiCandidate{{Index: choice}}, said, thought))
		} else if opening := &chunks[first]; len(chunks) > first+1 {
			opening.Usage.Total -= opening.Usage.Candidates
			opening.Usage.Candidates = 0 // nothing visible yet, says the vendor
		}
		last := &chunks[len(chunks)-1].Candidates[0]
		last.Finish, last.Grounding = geminiFinish(a), a.grounding(choice)
		last.Average, last.Logprobs = c.geminiLogprobs(a.parts(choice, words))
	}
	return chunks
}

// geminiPieces gives the parts of a choice one after another, and how many bytes each has. The signature of words comes last, by an empty text.
func (a *answer) geminiPieces(c *call, choice int, add func(p geminiOutPart, n int)) {
	whole := a.geminiParts(c, choice)
	at := 0
	for _, p := range a.choices[choice] {
		if p.kind == refusing || p.kind == searching || p.kind == thinking && c.conceals(p) {
			continue
		}
		part := whole[at]
		at++
		if part.Call != nil {
			add(part, len(p.text))
			continue
		}
		for _, text := range p.pieces {
			add(geminiOutPart{Text: &text, Thought: part.Thought}, len(text))
		}
		if part.Signature != "" {
			add(geminiOutPart{Text: new(""), Signature: part.Signature}, 0)
		}
	}
}

// arrayPiece is an element of a JSON array with what stands in front of it, and after the last.
func arrayPiece(element []byte, first, last bool) piece {
	b := []byte(",\r\n")
	if first {
		b = []byte("[")
	}
	b = append(b, element...)
	if last {
		b = append(b, ']')
	}
	return piece{data: b}
}

// broken is an error in place of the rest.
func (g gemini) broken(*call, *answer, int) []piece {
	var e geminiError
	p := g.failure(http.StatusServiceUnavailable)
	e.Error.Code, e.Error.Message, e.Error.Status = p.status, p.message, geminiStatus(p.status)
	return []piece{{data: append(append([]byte("data: "), encode(e)...), "\r\n\r\n"...)}}
}
