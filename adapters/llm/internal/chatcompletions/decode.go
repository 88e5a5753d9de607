package chatcompletions

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// decode reads a whole answer: as if all of it came in one piece, so that it says the same as a stream does.
func (p *Provider) decode(body []byte, to outbound.Target, h http.Header) (*chat.Response, error) {
	var a answer
	unread := json.Unmarshal(body, &a)
	if r, ok := p.flavour.refusal(a.Error); ok {
		return nil, r.Failure(to, h)
	}
	if unread == nil && len(a.Choices) == 0 {
		if r, ok := p.flavour.Explain(body); ok { // an error in another form
			return nil, r.Failure(to, h)
		}
		return nil, llm.BadResponse(to, "answered without choices")
	}
	number(a.Choices)
	d := p.newDecoder(to)
	d.header, d.whole = h, true
	chunks, err := d.chunks(&a, unread)
	if err != nil {
		return nil, err
	}
	for i := range a.Choices { // a whole answer has finished, though it may not say so
		chunks = d.tell(a.Choices[i].Index).finish(chunks, "", nil)
	}
	var g chat.Gatherer
	for i := range chunks {
		g.Add(chunks[i])
	}
	return g.Response(), nil
}

// number numbers the choices of a whole answer in their order when their own numbers are no such.
func number(list []choice) {
	seen := make(map[int]bool, len(list))
	for i := range list {
		if n := list[i].Index; n < 0 || n >= len(list) || seen[n] {
			for i := range list {
				list[i].Index = i
			}
			return
		}
		seen[list[i].Index] = true
	}
}

// callID keeps the vendor's id of a call. Some servers give none: then one is made, of what tells this call from those of other answers.
func callID(id, answer string, choice, index int) string {
	if id != "" {
		return id
	}
	h := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d", answer, choice, index))
	return "call_" + hex.EncodeToString(h[:12])
}

// finishOf maps a reason. A forced tool call finishes with "stop" here, so the calls themselves decide.
func finishOf(reason string, called bool) chat.Finish {
	switch reason {
	case "length", "max_tokens":
		return chat.FinishLength
	case "content_filter":
		return chat.FinishContentFilter
	case "tool_calls", "function_call":
		return chat.FinishToolCalls
	}
	if called {
		return chat.FinishToolCalls
	}
	return chat.FinishStop
}
