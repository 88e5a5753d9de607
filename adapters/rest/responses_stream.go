package rest

import (
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

// respEncoder writes a streamed response: relayed frames nearly as they are, chunks of other vendors rendered.
type respEncoder struct {
	*respCall
	passes bool // frames are relayed
	began  bool
	frames int // that were relayed
	w      respWriter
}

func (e *respEncoder) begin(head inbound.Receipt, relayed bool) {
	e.passes, e.began = relayed, true
	if !relayed {
		e.w = respWriter{shape: shapeOf(e.conv.env, head, e.created), custom: e.conv.env.customTools()}
		e.w.begin()
	}
}

func (e *respEncoder) piece(p inbound.Piece) []byte {
	if e.passes {
		if p.Comment {
			return p.Raw
		}
		e.frames++
		return e.frame(p.Raw)
	}
	e.w.chunk(&p.Chunk)
	return e.w.take()
}

// done ends a rendered stream. The response is kept before its client knows that it is whole, so that the next call finds it.
func (e *respEncoder) done(r inbound.Receipt) []byte {
	if e.passes {
		return nil
	}
	status, reason := e.w.close(r.Finish)
	body := e.whole(&e.w, status, reason, r)
	name := "response.completed"
	if status == "incomplete" {
		name = "response.incomplete"
	}
	e.w.event(name)
	e.w.b = append(append(e.w.b, `,"response":`...), body...)
	e.w.end()
	return e.w.take()
}

// fail ends a stream that broke, as OpenAI does: with the error by itself, and with the response that failed where there is one of ours.
func (e *respEncoder) fail(f *fault.Error) []byte {
	failure := openAIErrorOf(f).Error
	w := &e.w
	if e.passes {
		w.seq = e.frames // they are numbered from 0
	}
	w.event("error")
	w.b = appendString(append(w.b, `,"message":`...), failure.Message)
	w.b = append(append(w.b, `,"code":`...), encode(failure.Code)...)
	w.b = append(append(w.b, `,"param":`...), encode(failure.Param)...)
	w.b = append(append(w.b, `,"error":`...), encode(failure)...)
	w.end()
	if e.began && !e.passes {
		code := failure.Type
		if failure.Code != nil {
			code = *failure.Code
		}
		shown := append(appendString([]byte(`{"code":`), code), `,"message":`...)
		shown = append(appendString(shown, failure.Message), '}')
		w.response("response.failed", respState{status: "failed", failure: string(shown), output: arrayOfItems(w.output())})
	}
	return w.take()
}
