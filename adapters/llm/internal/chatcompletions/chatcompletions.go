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

// Kind is whose server it is, where the dialect falls apart.
type Kind uint8

// The kinds.
const (
	OpenAI     Kind = iota // refuses what it does not know
	OpenRouter             // knows reasoning_details, cache_control and plugins, and speaks for the makers of many models
	Compatible             // a server of one's own: knows sampling of its own, leaves out what others always send, and ignores what it does not know
)

// Flavour is where a vendor's dialect differs from what all share.
type Flavour struct {
	Kind Kind
	// CompletionTokens reports whether a model refuses max_tokens and takes max_completion_tokens in its place. Nil: none.
	CompletionTokens func(model string) bool
	// Refuses names the fields that a model does not take at this reasoning effort, "" where none was asked for. They are dropped, and the caller is
	// told. Nil: none.
	Refuses func(model, effort string) []string
	// Effort gives the nearest effort that a model has to the one that was asked for, "" when none is to be sent, and whether that honours it. Nil: what
	// servers of one's own know.
	Effort func(model, effort string) (send string, honoured bool)
	// Retains reports whether a model can be asked to keep a prompt for longer than some minutes. Nil: none.
	Retains func(model string) bool
	// RefusesID reports whether the vendor would refuse a tool call's id; chat.PortableID is sent for it, wherever it stands. Nil: none.
	RefusesID func(model, id string) bool
	// Headers are those of a client that are passed on with its body, by canonical name.
	Headers []string
	// Refine corrects what an error says, where the vendor means something else by it. Nil: nothing.
	Refine func(r *llm.Refusal, e ErrorFacts)
}

// Provider implements outbound.Provider, outbound.Relay and outbound.Lister for any server of the dialect.
type Provider struct {
	client  *http.Client
	flavour Flavour
}

var (
	_ outbound.Provider = (*Provider)(nil)
	_ outbound.Relay    = (*Provider)(nil)
	_ outbound.Lister   = (*Provider)(nil)
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
	return events.Answer{Response: resp, To: to, Decoder: p.newDecoder(to), Explain: p.flavour.Explain, Dropped: dropped}.Stream(ctx)
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
	resp, err := p.post(ctx, to, body.Bytes(), nil)
	return resp, dropped, err
}

func (p *Provider) post(ctx context.Context, to outbound.Target, body []byte, client map[string]string) (*http.Response, error) {
	header := Authorize(to)
	for _, name := range p.flavour.Headers {
		if v := client[name]; v != "" {
			header[name] = []string{v}
		}
	}
	return llm.Call{To: to, URL: llm.JoinURL(to.BaseURL, path), Header: header, Body: body, Explain: p.flavour.Explain}.Do(ctx, p.client)
}

// Authorize makes the header that all of the vendor's APIs want: the key, unless there is none, as with a server on one's own machine.
func Authorize(to outbound.Target) http.Header {
	header := make(http.Header, 3)
	if !to.Secret.Empty() {
		header["Authorization"] = []string{"Bearer " + to.Secret.Reveal()}
	}
	return header
}

// List implements outbound.Lister.
func (p *Provider) List(ctx context.Context, to outbound.Target) ([]string, error) {
	var out struct {
		Object string `json:"object"`
		Data   []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	call := llm.Call{Method: http.MethodGet, To: to, URL: llm.JoinURL(to.BaseURL, "/models"), Header: Authorize(to), Explain: p.flavour.Explain}
	if err := call.Into(ctx, p.client, &out); err != nil {
		return nil, err
	}
	if out.Data == nil && out.Object != "list" { // null is what Ollama says when it has none
		return nil, llm.BadResponse(to, "answered what is no list of models")
	}
	names := make([]string, 0, len(out.Data))
	for _, m := range out.Data {
		if m.ID != "" {
			names = append(names, m.ID)
		}
	}
	return names, nil
}
