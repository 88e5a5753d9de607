package gateway_test

import (
	"context"

	"github.com/forge1/forge1/ports/inbound"
)

// result is what a call came to, whole or streamed.
type result struct {
	receipt inbound.Receipt
	err     error
	text    string
	pieces  []inbound.Piece
}

// way makes a call, whole or streamed.
type way func(context.Context, inbound.Call) result

// ways are both, by name.
func ways(w *world) map[string]way { return map[string]way{"whole": w.whole, "stream": w.streamed} }

func (w *world) whole(ctx context.Context, c inbound.Call) result {
	a, err := w.Execute(ctx, c)
	r := result{receipt: a.Receipt, err: err, text: string(a.Body)}
	if a.Response != nil {
		r.text = a.Response.First().Text()
	}
	return r
}

func (w *world) streamed(ctx context.Context, c inbound.Call) result {
	s, err := w.Stream(ctx, c)
	if err != nil {
		return result{receipt: s.Head, err: err}
	}
	return collect(s)
}

// collect ranges over a stream to its end.
func collect(s inbound.StreamAnswer) (r result) {
	for p, err := range s.Pieces {
		if err != nil {
			r.err = err
			break
		}
		r.text += string(p.Raw) + p.Chunk.Text
		p.Raw = append([]byte(nil), p.Raw...)
		r.pieces = append(r.pieces, p)
	}
	r.receipt = s.Receipt()
	return r
}
