package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

var (
	errNoPrevious = fault.New(fault.NotFound, "previous_response_not_found", "there is no response of the id in previous_response_id to go on from")
	errNoItem     = fault.New(fault.NotFound, "item_not_found", "an item that the input stands for is not kept: send the item itself")
	errTooLong    = fault.New(fault.TooLarge, "body_too_large", "the conversation that this goes on from is too large")
)

// maxReferences bounds the items of one input that stand for kept ones: each is looked up.
const maxReferences = 256

// conversation is what a call asks the model: the whole of it, whatever the client left out because Forge keeps it.
type conversation struct {
	env    *respEnvelope // of the client's body
	body   []byte        // for the vendor
	items  [][]byte      // the input, all of it
	before int           // how many of them the client did not send
}

// compose puts a body together that stands by itself: what it goes on from in front of its input, and nothing that the vendor would have to keep.
func (x *exchange) compose(env *respEnvelope) (*conversation, error) {
	c := &conversation{env: env, body: env.body}
	c.items = inputItems(env.raw(respInput, "[]"))
	whole := false
	if env.refers {
		whole = true
		if err := x.resolve(c.items); err != nil {
			return nil, err
		}
	}
	if env.previous != "" {
		whole = true
		kept, err := x.previous(env.previous)
		if err != nil {
			return nil, err
		}
		before := append(itemsOf(kept.Input), lasting(itemsOf(kept.Output))...)
		c.before, c.items = len(before), append(before, c.items...)
	}
	var edits []edit
	if whole {
		at := env.at[respInput]
		size := len(env.body) - (at.to - at.from)
		for _, item := range c.items {
			size += len(item)
		}
		if size > x.s.config.MaxBodyBytes {
			return nil, errTooLong.At(fault.Field{Pointer: "/previous_response_id", Code: "too_long", Message: "names a conversation that is too large"})
		}
		edits = append(edits, env.setting(respInput, "input", arrayOfItems(c.items))...)
	}
	edits = append(edits, env.without(respPrevious, "previous_response_id")...)
	if at := env.at[respStore]; at == (span{}) || string(env.body[at.from:at.to]) != "false" {
		edits = append(edits, env.setting(respStore, "store", []byte("false"))...)
	}
	c.body = edited(env.body, atOnce(edits))
	return c, nil
}

// inputItems gives the items of an input, which may be a text.
func inputItems(input []byte) [][]byte {
	if len(input) > 0 && input[0] == '"' {
		return [][]byte{fmt.Appendf(nil, `{"type":"message","role":"user","content":%s}`, input)}
	}
	return itemsOf(input)
}

// previous finds the response that a call goes on from.
func (x *exchange) previous(id string) (inbound.KeptResponse, error) {
	kept, err := x.s.deps.Responses.Find(x.ctx, x.caller, id)
	switch {
	case errors.Is(err, inbound.ErrNoResponse), err == nil && len(kept.Body) == 0:
		return kept, notKept(errNoPrevious, "previous_response_id", err)
	case err != nil:
		return kept, fmt.Errorf("find previous response: %w", err)
	}
	return kept, nil
}

func notKept(f *fault.Error, param string, cause error) error {
	named := *f
	named.Param, named.Err = param, cause
	return &named
}

// resolve puts kept items in the place of those that stand for them. A thought that is not kept stays as it is: it is the vendor's to judge.
func (x *exchange) resolve(items [][]byte) error {
	looked := 0
	for i, item := range items {
		h := headOfItem(item)
		if !h.refers() {
			continue
		}
		if looked++; looked > maxReferences {
			return fault.ErrValidation.At(fault.Field{Pointer: "/input", Code: "too_long", Message: "has too many references to other items"})
		}
		kept, err := x.keptItem(x.ctx, h.id)
		switch {
		case err == nil:
			items[i] = kept
		case !errors.Is(err, inbound.ErrNoResponse):
			return fmt.Errorf("find item: %w", err)
		case h.kind != "reasoning":
			return notKept(errNoItem, fmt.Sprintf("input[%d].id", i), err)
		}
	}
	return nil
}

// keptItem finds an item of a kept answer by its own id.
func (x *exchange) keptItem(ctx context.Context, id string) ([]byte, error) {
	kept, err := x.s.deps.Responses.Find(ctx, x.caller, id)
	if err != nil {
		return nil, err
	}
	items := itemsOf(kept.Output)
	if len(kept.Body) != 0 || len(items) != 1 {
		return nil, inbound.ErrNoResponse
	}
	return items[0], nil
}

// setting gives the edit that sets a field.
func (e *respEnvelope) setting(place int, key string, value []byte) []edit {
	if at := e.at[place]; at != (span{}) {
		return []edit{{at, value}}
	}
	i := bytes.IndexByte(e.body, '{') + 1
	return []edit{{span{i, i}, fmt.Appendf(nil, `"%s":%s,`, key, value)}}
}

// without gives the edit that takes a field away. One whose key is written with escapes becomes null, which says the same.
func (e *respEnvelope) without(place int, key string) []edit {
	at := e.at[place]
	if at == (span{}) {
		return nil
	}
	quoted := `"` + key + `"`
	head := bytes.TrimRight(bytes.TrimSuffix(bytes.TrimRight(e.body[:at.from], space), []byte(":")), space)
	if !bytes.HasSuffix(head, []byte(quoted)) {
		return []edit{{at, []byte("null")}}
	}
	from, to := len(head)-len(quoted), at.to
	if before := bytes.TrimRight(e.body[:from], space); bytes.HasSuffix(before, []byte(",")) {
		return []edit{{span{len(before) - 1, to}, nil}}
	}
	if after := bytes.TrimLeft(e.body[to:], space); bytes.HasPrefix(after, []byte(",")) {
		return []edit{{span{from, len(e.body) - len(after) + 1}, nil}}
	}
	return []edit{{span{from, to}, nil}}
}

// space is what may stand between the parts of JSON.
const space = " \t\r\n"

// atOnce makes one of the edits that put something in at the same place.
func atOnce(edits []edit) []edit {
	var out []edit
next:
	for _, e := range edits {
		for i := range out {
			if e.from == e.to && out[i].span == e.span {
				out[i].with = append(bytes.Clone(out[i].with), e.with...)
				continue next
			}
		}
		out = append(out, e)
	}
	return out
}
