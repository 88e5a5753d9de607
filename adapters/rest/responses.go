package rest

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

// createResponse serves POST /v1/responses. A vendor of the same dialect gets the body as bytes, with the whole conversation in it: it keeps nothing,
// Forge does.
func (x *exchange) createResponse() error {
	env, err := scanResponses(x.takeBody())
	if err != nil {
		return err
	}
	a, err := x.askedFor()
	if err != nil {
		return err
	}
	conv, err := x.compose(env)
	if err != nil {
		return err
	}
	routed := env.envelope
	if len(conv.body) > len(env.body)+len(`"store":false,`) { // there is more in it than the client sent
		all, err := scanResponses(conv.body)
		if err != nil {
			return err
		}
		routed = all.envelope
	}
	call := &respCall{x: x, conv: conv, created: x.start.Unix()}
	c := x.callOf(a, inbound.SurfaceResponses, chat.DialectResponses, conv.body, &routed)
	c.Parse = x.parsingResponses(conv, a.strict)
	c.Fingerprint = func() ([32]byte, error) { return fingerprint(conv.body, leftOutOfResponses) }
	if env.stream {
		return x.stream(c, a, &respEncoder{respCall: call})
	}
	answer, err := x.ask(c, a)
	if err != nil {
		return err
	}
	if answer.Response == nil {
		return x.relayed(call.relayed(answer.Body))
	}
	return x.relayed(call.rendered(answer))
}

// parsingResponses gives what reads the body for a vendor of another dialect. From then on the failures of the exchange name fields as the body does.
func (x *exchange) parsingResponses(conv *conversation, strict bool) func() (*chat.Request, error) {
	var read atomic.Pointer[respPlaces] // whoever shares the call with others may still parse when this exchange fails
	x.naming = func(field string) string {
		if field == "user" && !conv.env.has(respUser) {
			return "safety_identifier" // which says the same
		}
		return respNameAt(field, read.Load())
	}
	return func() (*chat.Request, error) {
		r, at, err := placeResponses(conv.body, strict)
		if err == nil {
			read.Store(&respPlaces{messages: at, before: conv.before})
		}
		return r, err
	}
}

// leftOutOfResponses are the members that say how the answer is sent. What names a caller is in the answer, so it stays.
func leftOutOfResponses(path, key string) bool {
	return path == "" && (key == "stream" || key == "stream_options")
}

// respCall is a call for a response, once the model is asked.
type respCall struct {
	x       *exchange
	conv    *conversation
	created int64
}

// rendered gives a whole answer of another vendor.
func (c *respCall) rendered(a inbound.Answer) []byte {
	w := respWriter{shape: shapeOf(c.conv.env, a.Receipt, c.created), custom: c.conv.env.customTools(), tier: a.Response.ServiceTier}
	w.whole(a.Response.First())
	status, reason := w.close(a.Receipt.Finish)
	return c.whole(&w, status, reason, a.Receipt)
}

// whole gives the response object of an answer that has ended, and keeps it.
func (c *respCall) whole(w *respWriter, status, reason string, r inbound.Receipt) []byte {
	output := w.output()
	body := w.shape.object(nil, respState{
		status: status, reason: reason, completed: c.x.s.deps.Clock().Unix(), output: arrayOfItems(output), tier: w.servedTier(), usage: &r.Usage,
	})
	c.keep(w.shape.id, output, body)
	return body
}

// servedTier is the tier that an answer came from; default where nobody says.
func (w *respWriter) servedTier() string {
	if w.tier != "" {
		return w.tier
	}
	return "default"
}

// maxKeptItems bounds the items of an answer that can be referred to by themselves.
const maxKeptItems = 64

// keep keeps a response, and its items by themselves, so that they can be gone on from. An answer stands whether or not that works.
func (c *respCall) keep(id string, output [][]byte, body []byte) {
	if !c.conv.env.store || !plainText(id) {
		return
	}
	x := c.x
	ctx := context.WithoutCancel(x.ctx) // also when the client has left: it may come back for it
	at := x.start
	err := x.s.deps.Responses.Keep(ctx, x.caller, inbound.KeptResponse{
		ID: id, CreatedAt: at, Input: arrayOfItems(c.conv.items), Output: arrayOfItems(output), Body: body,
	})
	for _, item := range idsOf(output) {
		if err != nil {
			break
		}
		if item.id != id {
			err = x.s.deps.Responses.Keep(ctx, x.caller, inbound.KeptResponse{ID: item.id, CreatedAt: at, Input: []byte("[]"), Output: arrayOfItems([][]byte{item.raw})})
		}
	}
	if err != nil {
		x.s.log.LogAttrs(ctx, slog.LevelError, "response not kept", slog.String("trace_id", x.traceID), slog.String("tenant_id", string(x.caller.TenantID)),
			slog.String("error", err.Error()))
	}
}

// keptItem is an item with an id of its own.
type keptItem struct {
	id  string
	raw []byte
}

func idsOf(items [][]byte) (out []keptItem) {
	for _, item := range items {
		if h := headOfItem(item); plainText(h.id) && len(out) < maxKeptItems {
			out = append(out, keptItem{h.id, item})
		}
	}
	return out
}

// findResponse finds a kept response. An item that is kept by itself is none.
func (x *exchange) findResponse() (inbound.KeptResponse, error) {
	kept, err := x.s.deps.Responses.Find(x.ctx, x.caller, x.pathParam("id"))
	if err == nil && len(kept.Body) == 0 {
		err = inbound.ErrNoResponse
	}
	return kept, err
}

// getResponse serves GET /v1/responses/{id}.
func (x *exchange) getResponse() error {
	include, err := x.included()
	if err != nil {
		return err
	}
	for _, name := range []string{"stream", "starting_after"} {
		if v := string(x.fc.QueryArgs().Peek(name)); v != "" && v != "false" {
			return fault.ErrValidation.At(fault.Field{Pointer: name, Code: "unsupported", Message: "is not taken: a kept response is given whole"})
		}
	}
	kept, err := x.findResponse()
	if err != nil {
		return err
	}
	body := kept.Body
	if members, ok := membersOf(body, 0); ok && include["reasoning.encrypted_content"] {
		if at, there := members["output"]; there {
			body = edited(body, []edit{{at, kept.Output}})
		}
	}
	return x.relayed(body)
}

// DeletedResponse says that a response is gone.
type DeletedResponse struct {
	ID      string `json:"id"`
	Object  string `json:"object" enum:"response"`
	Deleted bool   `json:"deleted"`
}

// deleteResponse serves DELETE /v1/responses/{id}. The items of the response go with it.
func (x *exchange) deleteResponse() error {
	kept, err := x.findResponse()
	if err != nil {
		return err
	}
	if err := x.s.deps.Responses.Remove(x.ctx, x.caller, kept.ID); err != nil {
		return err
	}
	for _, item := range idsOf(itemsOf(kept.Output)) {
		if err := x.s.deps.Responses.Remove(x.ctx, x.caller, item.id); err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
	}
	return x.reply(http.StatusOK, DeletedResponse{ID: kept.ID, Object: "response", Deleted: true})
}
