package anthropic

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

var _ outbound.Relay = (*countRelay)(nil)

// countRelay passes requests to count tokens through; it implements outbound.Relay.
type countRelay struct{ client *http.Client }

// Dialect implements outbound.Relay.
func (r *countRelay) Dialect() chat.Dialect { return chat.DialectAnthropicCount }

// RelayWhole implements outbound.Relay. The count is in the body alone: it is not what the call used.
func (r *countRelay) RelayWhole(ctx context.Context, to outbound.Target, p outbound.Passage) (*outbound.Relayed, error) {
	resp, dropped, err := pass(ctx, r.client, to, pathCount, p)
	if err != nil {
		return nil, err
	}
	body, err := llm.ReadAnswer(ctx, resp)
	if err != nil {
		return nil, err
	}
	t, ok := tap(body)
	switch {
	case !ok:
		return nil, llm.BadResponse(to, "answered something that is not a count")
	case t.failure != nil:
		return nil, failureOf(t.failure, to)
	}
	var at [1]jsonscan.Span
	if jsonscan.Find(body, at[:], "input_tokens") != nil || !at[0].Found() {
		return nil, llm.BadResponse(to, "answered no count")
	}
	return &outbound.Relayed{Body: body, Dropped: dropped}, nil
}

// RelayStream implements outbound.Relay: there are no streams of counts.
func (r *countRelay) RelayStream(context.Context, outbound.Target, outbound.Passage) (iter.Seq2[outbound.Frame, error], error) {
	return nil, chat.Fail(chat.ClassUnsupport, errors.New("counts are not streamed"))
}

// Read implements outbound.Relay. A count is complete, and no answer.
func (r *countRelay) Read([]byte) outbound.Reading { return outbound.Reading{Complete: true} }

// Gather implements outbound.Relay: there is nothing to gather.
func (r *countRelay) Gather() (add func([]byte), read func() outbound.Reading) {
	return func([]byte) {}, func() outbound.Reading { return outbound.Reading{} }
}
