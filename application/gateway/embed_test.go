package gateway_test

import (
	"context"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

const embedder = "text-embedding-3-small"

// Embed implements outbound.Embedder.
func (v *vendor) Embed(ctx context.Context, to outbound.Target, r *embedding.Request) (*embedding.Response, error) {
	defer v.done()
	rep, err := v.begin(ctx, to, nil, nil)
	if err != nil {
		return nil, err
	}
	out := &embedding.Response{Model: to.Model, Usage: &chat.Usage{Input: 7}, Dropped: r.Untranslated}
	for range r.Inputs {
		if rep.text != "none" {
			out.Vectors = append(out.Vectors, []float64{1, 2})
		}
	}
	return out, nil
}

func vectorsOf(model string) inbound.Call {
	c := request(model)
	c.Surface, c.Dialect, c.Body, c.Parse = inbound.SurfaceEmbeddings, chat.DialectEmbeddings, []byte(`{}`), nil
	c.ParseEmbedding = func() (*embedding.Request, error) {
		return &embedding.Request{Inputs: []string{"a", "b"}, Untranslated: []string{"user"}}, nil
	}
	return c
}

// embedders has openai and openrouter take the body as it is, and gemini by translation.
var embedders = options{connections: func(conns map[string]*outbound.Connection) {
	for _, name := range []string{"openai", "openrouter"} {
		v := conns[name].Provider.(*vendor)
		v.dialect = chat.DialectEmbeddings
	}
	conns["openrouter"].Resold = func(vendor, model string) string { return vendor + "/" + model }
	conns["gemini"].Embedder = conns["gemini"].Provider.(*vendor)
}}

func TestVectorsAreMadeByTheModelAskedFor(t *testing.T) {
	tests := map[string]struct {
		model    string
		provider string
		relayed  bool
	}{
		"by its bare name":         {embedder, "openai", true},
		"by its provider and name": {"openrouter/openai/" + embedder, "openrouter", true},
		"translated":               {"gemini-embedding-001", "gemini", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, embedders, func(t *testing.T, w *world) {
				out, err := w.Embed(t.Context(), vectorsOf(tt.model))
				if err != nil || out.Receipt.Provider != tt.provider || (out.Body != nil) != tt.relayed || (out.Response != nil) == tt.relayed {
					t.Fatalf("%+v, %v; want an answer of %s, relayed: %t", out, err, tt.provider, tt.relayed)
				}
				if row := w.row(); row.Surface != "embeddings" || row.Outcome != "ok" || row.InputTokens == 0 {
					t.Errorf("the row is %+v", row)
				}
				if !tt.relayed && (len(out.Response.Vectors) != 2 || len(out.Receipt.Dropped) != 1) {
					t.Errorf("%+v, dropped %q", out.Response, out.Receipt.Dropped)
				}
			})
		})
	}
}

func TestVectorsFailOverToTheSameModelAlone(t *testing.T) {
	in(t, embedders, func(t *testing.T, w *world) {
		w.plays("openai", failed(chat.ClassServer), failed(chat.ClassServer))
		out, err := w.Embed(t.Context(), vectorsOf(embedder))
		if err != nil || out.Receipt.Model != "openai/"+embedder {
			t.Fatalf("%+v, %v; want the same model at openrouter", out.Receipt, err)
		}
		wantTried(t, out.Receipt, "openai server_error", "openrouter ok")
	})
	in(t, embedders, func(t *testing.T, w *world) {
		w.plays("openai", failed(chat.ClassServer), failed(chat.ClassServer), failed(chat.ClassServer))
		out, err := w.Embed(t.Context(), vectorsOf("openai/"+embedder))
		wantFault(t, err, fault.Upstream, "provider_error")
		wantTried(t, out.Receipt, "openai server_error", "openai server_error", "openai server_error")
	})
}

func TestNoTwoModelsMakeVectorsOfOneCall(t *testing.T) {
	alias := func(name string, models ...routing.Target) func(*routing.Policy) error {
		a := routing.Alias{Name: name, Mode: routing.Ordered}
		for _, m := range models {
			a.Targets = append(a.Targets, routing.AliasTarget{Target: m, Weight: 1})
		}
		return func(p *routing.Policy) error { return p.SetAlias(a) }
	}
	same := []routing.Target{{Provider: "openrouter", Model: "openai/" + embedder}, {Provider: "openai", Model: embedder}}
	other := []routing.Target{{Provider: "openai", Model: embedder}, {Provider: "gemini", Model: "gemini-embedding-001"}}
	for model, single := range map[string]bool{"auto": false, "": false, "auto:review": false, "same": true, "other": false} {
		in(t, embedders, func(t *testing.T, w *world) {
			w.change(alias("same", same...))
			w.change(alias("other", other...))
			out, err := w.Embed(t.Context(), vectorsOf(model))
			if single {
				if err != nil || out.Receipt.Provider != "openrouter" {
					t.Errorf("%q: %+v, %v", model, out.Receipt, err)
				}
				return
			}
			if f := wantFault(t, err, fault.Invalid, "model_not_single"); len(f.Fields) != 1 {
				t.Errorf("%q: no field is named", model)
			}
		})
	}
}

func TestWhatMakesNoVectors(t *testing.T) {
	tests := map[string]struct {
		model string
		plays reply
		kind  fault.Kind
		code  string
	}{
		"a model that answers":     {"gpt-4o-mini", reply{}, fault.Invalid, "unsupported_by_provider"},
		"a provider without":       {"claude/unheard-of", reply{}, fault.Invalid, "unsupported_by_provider"},
		"another number of them":   {"gemini/gemini-embedding-001", reply{text: "none"}, fault.Upstream, "provider_error"},
		"nobody's":                 {"unheard-of", reply{}, fault.NotFound, "model_not_found"},
		"a field that it refuses":  {"gemini/gemini-embedding-001", reply{err: &chat.Failure{Class: chat.ClassInvalid, Param: "input"}}, fault.Malformed, "invalid_request"},
		"what nobody can honour":   {"gemini/gemini-embedding-001", reply{err: &chat.Failure{Class: chat.ClassUnsupport, Param: "dimensions"}}, fault.Invalid, "unsupported_by_provider"},
		"a vendor that has no key": {"gemini/gemini-embedding-001", reply{err: chat.Fail(chat.ClassAuth, nil)}, fault.Upstream, "provider_error"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, embedders, func(t *testing.T, w *world) {
				w.plays("gemini", tt.plays, tt.plays, tt.plays)
				_, err := w.Embed(t.Context(), vectorsOf(tt.model))
				wantFault(t, err, tt.kind, tt.code)
			})
		})
	}
	in(t, embedders, func(t *testing.T, w *world) {
		_, err := w.Execute(t.Context(), request(embedder))
		wantFault(t, err, fault.Invalid, "unsupported_by_provider") // nor does what makes vectors answer
	})
}
