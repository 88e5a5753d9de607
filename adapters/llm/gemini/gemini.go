// Package gemini speaks the generateContent API of Google's Gemini models.
package gemini

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/events"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

//go:embed testdata/*.http
var cases embed.FS

// Vendor is the registration of Google's Gemini.
var Vendor = llm.Vendor{
	Name: "gemini",
	New: func(client *http.Client) outbound.Abilities {
		p := &provider{client}
		return outbound.Abilities{Provider: p, Embedder: p, Counter: p, Lister: p}
	},
	Example: "gemini-3-flash-preview",
	Signs:   chat.FormatGemini,
	Lacks: map[llm.Ability]string{
		llm.OneToolAtATime:     "there is no switch against parallel calls",
		llm.CacheControls:      "the vendor keeps prompts by itself; parts cannot be marked",
		llm.EndUsers:           "there is no field for an end user",
		llm.AnswersPassThrough: "no client of ours speaks this dialect",
	},
	Cases: cases,
}

var (
	_ outbound.Provider = (*provider)(nil)
	_ outbound.Embedder = (*provider)(nil)
	_ outbound.Counter  = (*provider)(nil)
	_ outbound.Lister   = (*provider)(nil)
)

// provider implements outbound.Provider, Embedder, Counter and Lister.
type provider struct{ client *http.Client }

// Complete implements outbound.Provider.
func (p *provider) Complete(ctx context.Context, to outbound.Target, r *chat.Request) (*chat.Response, error) {
	resp, in, err := p.generate(ctx, to, r, ":generateContent")
	if err != nil {
		return nil, err
	}
	body, err := llm.ReadAnswer(ctx, resp)
	if err != nil {
		return nil, err
	}
	out, err := decode(body, &decoder{to: to, names: in.names})
	if err != nil {
		return nil, err
	}
	out.Dropped = in.dropped
	return out, nil
}

// Stream implements outbound.Provider.
func (p *provider) Stream(ctx context.Context, to outbound.Target, r *chat.Request) (chat.Stream, error) {
	resp, in, err := p.generate(ctx, to, r, ":streamGenerateContent?alt=sse")
	if err != nil {
		return nil, err
	}
	unlist(resp)
	answer := events.Answer{Response: resp, To: to, Decoder: &decoder{to: to, names: in.names}, Explain: explain, Dropped: in.dropped}
	return answer.Stream(ctx)
}

func (p *provider) generate(ctx context.Context, to outbound.Target, r *chat.Request, method string) (*http.Response, *encoded, error) {
	out, err := encode(nameOf(to), r)
	if err != nil {
		return nil, nil, err
	}
	c, err := post(to, method, out.request)
	if err != nil {
		return nil, nil, err
	}
	resp, err := c.Do(ctx, p.client)
	return resp, out, err
}

// nameOf is a model's name without the folder that the vendor puts in front of it.
func nameOf(to outbound.Target) string { return strings.TrimPrefix(to.Model, "models/") }

// post is a call of a method of a model.
func post(to outbound.Target, method string, in any) (llm.Call, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(in); err != nil {
		return llm.Call{}, chat.Fail(chat.ClassUnsupport, fmt.Errorf("encode the request: %w", err))
	}
	c := callOf(to, "/v1beta/models/"+url.PathEscape(nameOf(to))+method)
	c.Body = body.Bytes()
	return c, nil
}

// callOf is a call without a body. The vendor takes the key in the URL too, where every log between here and there would keep it.
func callOf(to outbound.Target, path string) llm.Call {
	return llm.Call{To: to, URL: llm.JoinURL(to.BaseURL, path), Header: http.Header{"X-Goog-Api-Key": {to.Secret.Reveal()}}, Explain: explain}
}
