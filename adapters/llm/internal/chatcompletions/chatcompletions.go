// Package chatcompletions is OpenAI's chat dialect, which many vendors share: requests, whole answers, streams, and the relay that passes bodies
// through as bytes.
package chatcompletions

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/events"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

const path = "/chat/completions"

// Flavour is where a vendor's dialect differs from what all share. The zero value is what most servers take.
type Flavour struct {
	// CompletionTokens reports whether a model refuses max_tokens and takes max_completion_tokens in its place. Nil: none.
	CompletionTokens func(model string) bool
	// Refuses names the fields that a model does not take at this reasoning effort, "" where none was asked for: temperature, top_p, stop,
	// reasoning_effort. They are dropped, and the caller is told. Nil: none.
	Refuses func(model, effort string) []string
	// MaxToolID is the longest tool call id that the vendor takes; longer ones, of other vendors, are shortened alike wherever they stand.
	// 0: any.
	MaxToolID int
	// Refine corrects what an error says, where the vendor means something else by it. Nil: nothing.
	Refine func(r *llm.Refusal, e ErrorFacts)
}

// Provider implements outbound.Provider and outbound.Relay for any server of the dialect.
type Provider struct {
	client  *http.Client
	flavour Flavour
}

var (
	_ outbound.Provider = (*Provider)(nil)
	_ outbound.Relay    = (*Provider)(nil)
)

// New makes a provider, which binds nothing but the client.
func New(client *http.Client, f Flavour) *Provider { return &Provider{client, f} }

// Complete implements outbound.Provider.
func (p *Provider) Complete(ctx context.Context, to outbound.Target, r *chat.Request) (*chat.Response, error) {
	resp, dropped, err := p.ask(ctx, to, r, false)
	if err != nil {
		return nil, err
	}
	body, err := llm.ReadAnswer(ctx, resp)
	if err != nil {
		return nil, err
	}
	out, err := p.decode(body, to, resp.Header)
	if err != nil {
		return nil, err
	}
	out.Dropped = dropped
	return out, nil
}

// Stream implements outbound.Provider.
func (p *Provider) Stream(ctx context.Context, to outbound.Target, r *chat.Request) (chat.Stream, error) {
	resp, dropped, err := p.ask(ctx, to, r, true)
	if err != nil {
		return nil, err
	}
	return events.Answer{Response: resp, To: to, Decoder: p.newDecoder(to), Explain: p.explain, Dropped: dropped}.Stream(ctx)
}

func (p *Provider) ask(ctx context.Context, to outbound.Target, r *chat.Request, stream bool) (*http.Response, []string, error) {
	out, dropped, err := p.flavour.encode(to.Model, r, stream)
	if err != nil {
		return nil, nil, err
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return nil, nil, chat.Fail(chat.ClassUnsupport, fmt.Errorf("encode the request: %w", err))
	}
	resp, err := p.post(ctx, to, body.Bytes())
	return resp, dropped, err
}

func (p *Provider) post(ctx context.Context, to outbound.Target, body []byte) (*http.Response, error) {
	header := make(http.Header, 2)
	if !to.Secret.Empty() { // a server on one's own machine may want none
		header["Authorization"] = []string{"Bearer " + to.Secret.Reveal()}
	}
	return llm.Call{To: to, URL: llm.JoinURL(to.BaseURL, path), Header: header, Body: body, Explain: p.explain}.Do(ctx, p.client)
}
