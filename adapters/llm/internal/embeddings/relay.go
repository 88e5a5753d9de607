package embeddings

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/adapters/llm/internal/usage"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// Dialect implements outbound.Relay.
func (e *Embedder) Dialect() chat.Dialect { return chat.DialectEmbeddings }

// RelayWhole implements outbound.Relay.
func (e *Embedder) RelayWhole(ctx context.Context, to outbound.Target, in outbound.Passage) (*outbound.Relayed, error) {
	body, err := splice(in.Body, to.Model)
	if err != nil {
		return nil, err
	}
	resp, err := e.call(to, body).Do(ctx, e.client)
	if err != nil {
		return nil, err
	}
	b, err := llm.ReadAnswer(ctx, resp)
	if err != nil {
		return nil, err
	}
	var at [4]jsonscan.Span
	if err := jsonscan.Find(b, at[:], "model", "data", "usage", "error"); err != nil {
		return nil, llm.BadResponse(to, "answered what are no embeddings")
	}
	if at[3].Found() && !jsonscan.IsNull(at[3].Of(b)) || !at[1].Found() {
		if r, ok := e.explain(b); ok {
			return nil, r.Failure(to, resp.Header)
		}
	}
	if !at[1].Found() || b[at[1].Value] != '[' {
		return nil, llm.BadResponse(to, "answered what are no embeddings")
	}
	out := &outbound.Relayed{Body: b}
	if at[0].Found() {
		out.Model = jsonscan.Unquote(at[0].Of(b))
	}
	if at[2].Found() {
		out.Usage = usage.Embeddings(wrapped(at[2].Of(b)))
	}
	return out, nil
}

// splice gives a copy of the body with the model replaced.
func splice(body []byte, model string) ([]byte, error) {
	var at [1]jsonscan.Span
	if err := jsonscan.Find(body, at[:], "model"); err != nil {
		return nil, jsonscan.Failure(err)
	}
	quoted, err := json.Marshal(model)
	if err != nil {
		return nil, llm.Unsupported("model")
	}
	edit := jsonscan.Edit{From: at[0].Value, To: at[0].To, Text: quoted}
	if !at[0].Found() {
		edit = jsonscan.Insert(body, fmt.Appendf(nil, `"model":%s`, quoted))
	}
	return jsonscan.Apply(body, []jsonscan.Edit{edit}), nil
}

// RelayStream implements outbound.Relay: embeddings have no streams.
func (e *Embedder) RelayStream(context.Context, outbound.Target, outbound.Passage) (iter.Seq2[outbound.Frame, error], error) {
	return nil, llm.Unsupported("stream")
}

// Read implements outbound.Relay: the neutral form of chats holds no vectors.
func (e *Embedder) Read(body []byte) outbound.Reading {
	return outbound.Reading{Complete: bytes.Contains(body, []byte(`"data"`))}
}

// Gather implements outbound.Relay: there is nothing to gather.
func (e *Embedder) Gather() (add func([]byte), read func() outbound.Reading) {
	return func([]byte) {}, func() outbound.Reading { return outbound.Reading{} }
}
