package gateway

import (
	"context"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// Execute implements inbound.Gateway.
func (s *Service) Execute(ctx context.Context, in inbound.Call) (inbound.Answer, error) {
	in.Stream = false
	v, receipt, err := s.visit(ctx, in)
	switch {
	case err != nil:
		return inbound.Answer{Receipt: receipt}, err
	case v != nil:
		return v.answerWhole(ctx)
	case in.CacheOnly:
		return inbound.Answer{Receipt: receipt}, ErrNotCached
	}
	return s.execute(ctx, s.uncached(in))
}

// execute answers a call whole, from its admission to its row.
func (s *Service) execute(ctx context.Context, in inbound.Call) (inbound.Answer, error) {
	c, err := s.admit(ctx, in)
	if err != nil {
		return inbound.Answer{Receipt: c.receipt}, err
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	var answer inbound.Answer
	err = c.serve(ctx, func(ctx context.Context, a *attempt) (err error) {
		answer, a.used, err = c.ask(ctx, a)
		return err
	})
	if err != nil {
		return inbound.Answer{Receipt: c.receipt}, err
	}
	answer.Receipt = c.receipt
	return answer, nil
}

// serve has a whole answer asked for until one candidate gives it, and settles the call.
func (c *call) serve(ctx context.Context, ask func(context.Context, *attempt) error) error {
	a, err := c.run(ctx, ask)
	var t tokens
	if err == nil {
		a.took = c.Clock().Sub(a.began)
		c.end(ctx, a, nil)
		c.learn(a)
		t = a.used
	}
	c.settle(t, err)
	return err
}

// ask makes one attempt at a whole answer: as bytes where the body's dialect is the vendor's, else through the neutral form.
func (c *call) ask(ctx context.Context, a *attempt) (inbound.Answer, tokens, error) {
	if relay := c.relay(a.conn); relay != nil {
		r, err := relay.RelayWhole(ctx, a.to(), c.passage())
		if err != nil {
			return inbound.Answer{}, tokens{}, err
		}
		c.dropped(r.Dropped)
		return inbound.Answer{Body: r.Body}, tokens{
			reported: r.Usage, output: chat.EstimateTokens(len(r.Body)), answered: true, finish: r.Finish, model: r.Model,
		}, nil
	}
	r, err := a.conn.Provider.Complete(ctx, a.to(), c.request)
	if err != nil {
		return inbound.Answer{}, tokens{}, err
	}
	c.dropped(r.Dropped)
	return inbound.Answer{Response: r}, tokens{
		reported: r.Usage, output: chat.EstimateTokens(r.TextBytes()), answered: true, finish: r.First().Finish, model: r.Model,
	}, nil
}
