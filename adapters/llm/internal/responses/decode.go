package responses

import (
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// decode reads a whole answer.
func (f Flavour) decode(body []byte, to outbound.Target, h http.Header) (*chat.Response, error) {
	a, err := f.whole(body, to, h)
	if err != nil {
		return nil, err
	}
	d := &decoder{to: to, flavour: f, header: h}
	out := d.output(d.greet(nil, a), a)
	if out, err = d.end(out, a, false); err != nil {
		return nil, err
	}
	var g chat.Gatherer
	for i := range out {
		g.Add(out[i])
	}
	return g.Response(), nil
}

// whole reads a response object and fails unless it is an answer. The error is looked for first: it may come with status 200.
func (f Flavour) whole(body []byte, to outbound.Target, h http.Header) (*answer, error) {
	a, ok := readAnswer(body)
	switch {
	case !ok:
		return nil, llm.BadResponse(to, "answered what is no JSON object")
	case a.failure != nil:
		if r, ok := f.refusal(a.failure); ok {
			return nil, r.Failure(to, h)
		}
	case a.failed():
		return nil, llm.BadResponse(to, "failed without an error")
	case a.status == "queued", a.status == "in_progress":
		return nil, llm.BadResponse(to, "answered before there was an answer")
	case a.output == nil:
		if r, ok := f.explain(body); ok { // an error in another form
			return nil, r.Failure(to, h)
		}
		return nil, llm.BadResponse(to, "answered without output")
	}
	return &a, nil
}
