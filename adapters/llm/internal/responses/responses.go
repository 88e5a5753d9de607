// Package responses is OpenAI's Responses API as a vendor speaks it: requests, whole answers, streams, and the relay that passes bodies through.
//
// The API can keep conversations. Forge does not let it: every request carries the whole conversation and says store:false, because a conversation that
// one vendor keeps cannot go on at another, and because what tenants say is Forge's to keep, encrypted, and the vendor's to forget. In exchange the
// vendor gives what the model thought as encrypted content (include reasoning.encrypted_content), which goes back with the next turn. Both hold for
// bodies that are passed through, too.
package responses

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

const path = "/responses"

// Flavour is where a vendor's dialect differs from what all share. Its zero value takes every model for one that thinks.
type Flavour struct {
	// Explain reads an error body. Nil: the one of OpenAI, whose APIs share it.
	Explain llm.Explain
	// Thoughtless reports whether a model does not think, and refuses whoever asks for its encrypted thoughts or brings some. Nil: none.
	Thoughtless func(model string) bool
	// Reads reports whether a model takes back signatures of a format. Nil: those of chat.FormatOpenAI.
	Reads func(model, format string) bool
	// Refuses names the fields, by their names in chat completions, that a model does not take at this reasoning effort, "" where none was asked for.
	// They are dropped, and the caller is told. Nil: none.
	Refuses func(model, effort string) []string
	// Effort gives the nearest effort that a model has to the one that was asked for, "" when none is to be sent, and whether that honours it. Nil: of
	// the three that all have.
	Effort func(model, effort string) (send string, honoured bool)
	// Retains reports whether a model can be asked to keep a prompt for longer than some minutes. Nil: none.
	Retains func(model string) bool
	// Headers are those of a client that are passed on with its body, by canonical name.
	Headers []string
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
	out, err := p.flavour.decode(body, to, resp.Header)
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
	d := &decoder{to: to, flavour: p.flavour}
	return events.Answer{Response: resp, To: to, Decoder: d, Explain: p.flavour.explain, Dropped: dropped}.Stream(ctx)
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

// post sends a body with the key, unless there is none, as with a server on one's own machine.
func (p *Provider) post(ctx context.Context, to outbound.Target, body []byte, client map[string]string) (*http.Response, error) {
	header := make(http.Header, 3)
	if !to.Secret.Empty() {
		header["Authorization"] = []string{"Bearer " + to.Secret.Reveal()}
	}
	for _, name := range p.flavour.Headers {
		if v := client[name]; v != "" {
			header[name] = []string{v}
		}
	}
	return llm.Call{To: to, URL: llm.JoinURL(to.BaseURL, path), Header: header, Body: body, Explain: p.flavour.explain}.Do(ctx, p.client)
}

func (f Flavour) thinks(model string) bool { return f.Thoughtless == nil || !f.Thoughtless(model) }

// reads reports whether a signature can go back to a model.
func (f Flavour) reads(model string, s *chat.Signature) bool {
	switch {
	case s == nil || s.Data == "" || !f.thinks(model):
		return false
	case f.Reads != nil:
		return f.Reads(model, s.Format)
	default:
		return s.Format == chat.FormatOpenAI
	}
}
