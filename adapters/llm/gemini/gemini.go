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
	Name:  "gemini",
	New:   func(client *http.Client) (outbound.Provider, outbound.Relay) { return &provider{client}, nil },
	Cases: cases,
}

var _ outbound.Provider = (*provider)(nil)

// provider implements outbound.Provider.
type provider struct{ client *http.Client }

// Complete implements outbound.Provider.
func (p *provider) Complete(ctx context.Context, to outbound.Target, r *chat.Request) (*chat.Response, error) {
	resp, dropped, err := p.post(ctx, to, r, ":generateContent")
	if err != nil {
		return nil, err
	}
	body, err := llm.ReadAnswer(ctx, resp)
	if err != nil {
		return nil, err
	}
	out, err := decode(body, to)
	if err != nil {
		return nil, err
	}
	out.Dropped = dropped
	return out, nil
}

// Stream implements outbound.Provider.
func (p *provider) Stream(ctx context.Context, to outbound.Target, r *chat.Request) (chat.Stream, error) {
	resp, dropped, err := p.post(ctx, to, r, ":streamGenerateContent?alt=sse")
	if err != nil {
		return nil, err
	}
	answer := events.Answer{Response: resp, To: to, Decoder: &decoder{to: to}, Explain: explain, Dropped: dropped}
	return answer.Stream(ctx)
}

func (p *provider) post(ctx context.Context, to outbound.Target, r *chat.Request, method string) (*http.Response, []string, error) {
	name := strings.TrimPrefix(to.Model, "models/")
	out, dropped, err := encode(name, r)
	if err != nil {
		return nil, nil, err
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return nil, nil, chat.Fail(chat.ClassUnsupport, fmt.Errorf("encode the request: %w", err))
	}
	resp, err := llm.Call{
		To:  to,
		URL: llm.JoinURL(to.BaseURL, "/v1beta/models/"+url.PathEscape(name)+method),
		// The vendor takes the key in the URL too, where every log between here and there would keep it.
		Header:  http.Header{"X-Goog-Api-Key": {to.Secret.Reveal()}},
		Body:    body.Bytes(),
		Explain: explain,
	}.Do(ctx, p.client)
	return resp, dropped, err
}
