package gateway

import (
	"context"
	"errors"
	"strings"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
)

var _ inbound.Embeddings = (*Service)(nil)

// ErrManyModels is a name that may stand for several models where vectors are asked for.
var ErrManyModels = fault.New(fault.Invalid, "model_not_single",
	"embeddings need one model, by its own name: the vectors of two models do not compare").At(fault.Field{
	Pointer: "model", Code: "model_not_single", Message: "must name one embedding model",
})

// Embed implements inbound.Embeddings.
func (s *Service) Embed(ctx context.Context, in inbound.Call) (inbound.Vectors, error) {
	in.Stream, in.Surface = false, inbound.SurfaceEmbeddings
	c, err := s.admit(ctx, s.uncached(in))
	if err != nil {
		return inbound.Vectors{Receipt: c.receipt}, err
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	var out inbound.Vectors
	err = c.serve(ctx, func(ctx context.Context, a *attempt) (err error) {
		out, a.used, err = c.embed(ctx, a)
		return err
	})
	out.Receipt = c.receipt
	return out, err
}

// embed makes one attempt at vectors: as bytes where the vendor speaks OpenAI's dialect, else through the neutral form.
func (c *call) embed(ctx context.Context, a *attempt) (inbound.Vectors, tokens, error) {
	if relay := c.relay(a.conn); relay != nil {
		r, err := relay.RelayWhole(ctx, a.to(), c.passage())
		if err != nil {
			return inbound.Vectors{}, tokens{}, err
		}
		c.dropped(r.Dropped)
		return inbound.Vectors{Body: r.Body}, tokens{reported: r.Usage, answered: true, finish: chat.FinishStop, model: r.Model}, nil
	}
	if a.conn.Embedder == nil {
		return inbound.Vectors{}, tokens{}, &chat.Failure{
			Class: chat.ClassUnsupport, Param: "model", Message: "provider " + a.target.Provider + " makes no embeddings", Err: errors.New("no embeddings"),
		}
	}
	r, err := a.conn.Embedder.Embed(ctx, a.to(), c.vectors)
	if err != nil {
		return inbound.Vectors{}, tokens{}, err
	}
	if err := c.complete(r); err != nil {
		return inbound.Vectors{}, tokens{}, err
	}
	c.dropped(r.Dropped)
	return inbound.Vectors{Response: r}, tokens{reported: r.Usage, answered: true, finish: chat.FinishStop, model: r.Model}, nil
}

// complete reports an answer that has not one vector for each input.
func (c *call) complete(r *embedding.Response) error {
	if len(r.Vectors) != len(c.vectors.Inputs) {
		return chat.Fail(chat.ClassBadResponse, errors.New("the number of vectors is not that of the inputs"))
	}
	return nil
}

// oneModel has the call go to one model alone, at whichever providers have it. A bare name is looked for at all of them; an alias must name the same
// model everywhere; a pin stays where it is.
func (c *call) oneModel() error {
	switch {
	case c.wish.alias != nil:
		first := bareName(c.wish.alias.Targets[0].Model)
		for _, t := range c.wish.alias.Targets {
			if bareName(t.Model) != first {
				return ErrManyModels
			}
		}
		return nil
	case c.wish.pin == nil:
		return ErrManyModels
	case c.in.Model != c.wish.pin.Model: // <provider>/<model>
		return nil
	}
	if homes := c.homesOf(*c.wish.pin); len(homes) > 1 {
		c.wish.pin, c.wish.alias = nil, &routing.Alias{Name: c.in.Model, Mode: routing.Ordered, Targets: homes}
	}
	return nil
}

// homesOf lists where an embedding model is to be had, the home that was found for it first.
func (c *call) homesOf(home routing.Target) []routing.AliasTarget {
	out := []routing.AliasTarget{{Target: home, Weight: 1}}
	for _, conn := range c.ordered {
		if len(conn.Credentials) == 0 || conn.Name == home.Provider || len(out) == routing.MaxAliasTargets {
			continue
		}
		if name := c.soldAs(conn, home); name != "" {
			out = append(out, routing.AliasTarget{Target: routing.Target{Provider: conn.Name, Model: name}, Weight: 1})
		}
	}
	return out
}

// soldAs is the name of a model at another connection; "" when it is not to be had there.
func (c *call) soldAs(at *connection, home routing.Target) string {
	vendor := c.connections[home.Provider].Vendor
	if at.Vendor == vendor {
		return home.Model
	}
	m, ok := c.Catalogue.Model(vendor, home.Model)
	if at.Resold == nil || !ok || !m.Embedding {
		return ""
	}
	return at.Resold(vendor, home.Model)
}

// bareName is a model's name without its maker's, which stands before a slash at providers that resell.
func bareName(model string) string { return model[strings.LastIndexByte(model, '/')+1:] }
