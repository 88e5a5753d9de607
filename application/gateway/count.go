package gateway

import (
	"context"
	"errors"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
)

var _ inbound.TokenCounts = (*Service)(nil)

// Count implements inbound.TokenCounts.
func (s *Service) Count(ctx context.Context, in inbound.Call) (inbound.Count, error) {
	in.Stream = false
	c := s.newCall(in)
	if err := c.decide(ctx); err != nil {
		return inbound.Count{Receipt: c.receipt}, err
	}
	chosen, ok := c.decision.Chosen()
	if !ok {
		return inbound.Count{Receipt: c.receipt}, refuse(c.decision, c.wish, c.policy)
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	out, err := c.countAt(ctx, chosen.Target)
	if f, ok := errors.AsType[*fault.Error](err); ok { // the request cannot be read
		return inbound.Count{Receipt: c.receipt}, f
	}
	switch class := chat.ClassOf(err); {
	case err == nil:
	case errors.Is(err, context.Canceled) || class == chat.ClassCanceled:
		return inbound.Count{Receipt: c.receipt}, ErrCanceled.With(err)
	case class.CallersFault() || class.ModelSpecific():
		f, _ := errors.AsType[*chat.Failure](err)
		return inbound.Count{Receipt: c.receipt}, refusal(f)
	default: // nothing hangs on it: what is near enough is better than nothing
		out = inbound.Count{Tokens: chat.EstimateTokens(in.TextBytes), Estimated: true}
	}
	c.receipt.Provider, c.receipt.Model = chosen.Provider, chosen.Model
	out.Receipt = c.receipt
	return out, nil
}

// errNoCounter is a vendor that counts nothing.
var errNoCounter = chat.Fail(chat.ClassServer, errors.New("the vendor does not count"))

// countAt asks one target for its count, once.
func (c *call) countAt(ctx context.Context, t routing.Target) (inbound.Count, error) {
	conn := c.connections[t.Provider]
	relay := c.relay(conn)
	if relay == nil && conn.Counter == nil {
		return inbound.Count{}, errNoCounter
	}
	if relay == nil {
		if err := c.neutral(); err != nil {
			return inbound.Count{}, err
		}
	}
	p, ok := c.pick(conn, t, c.Clock())
	if !ok {
		return inbound.Count{}, errNoCounter
	}
	var out inbound.Count
	a := &attempt{picked: p, target: t, conn: conn, began: c.Clock()}
	err := guarded(ctx, a, func(ctx context.Context, a *attempt) error {
		if relay != nil {
			r, err := relay.RelayWhole(ctx, a.to(), c.passage())
			if err == nil {
				out.Body = r.Body
				c.dropped(r.Dropped)
			}
			return err
		}
		n, err := conn.Counter.Count(ctx, a.to(), c.request)
		if out.Tokens = n; err == nil {
			c.dropped(c.request.Untranslated)
		}
		return err
	})
	c.end(ctx, a, err)
	return out, err
}
