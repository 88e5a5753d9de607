// Package anthropic speaks the Messages API of Anthropic's Claude models: in translation, with bodies passed through as they are, and to count tokens
// and list models.
package anthropic

import (
	"context"
	"embed"
	"net/http"
	"net/url"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/events"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// version is the dialect's version, sent with every call unless the client names its own.
const version = "2023-06-01"

// Where the vendor's calls go.
const (
	pathMessages = "/v1/messages"
	pathCount    = "/v1/messages/count_tokens"
	pathModels   = "/v1/models"
)

// The vendor's headers, in canonical form.
const (
	headerKey     = "X-Api-Key"
	headerVersion = "Anthropic-Version"
	headerBeta    = "Anthropic-Beta"
)

//go:embed testdata/*.http
var cases embed.FS

// Vendor is the registration of Anthropic.
var Vendor = llm.Vendor{
	Name:    "anthropic",
	New:     newAbilities,
	Example: "claude-sonnet-4-5",
	Signs:   chat.FormatAnthropic,
	Lacks: map[llm.Ability]string{
		llm.Audio:             "Claude hears nothing",
		llm.JSONMode:          "JSON is answered by a schema alone",
		llm.Penalties:         "the Messages API has no penalties",
		llm.Seeds:             "the Messages API has no seed",
		llm.Choices:           "the Messages API answers once",
		llm.Logprobs:          "the Messages API tells no probabilities",
		llm.AnswersChoices:    "the Messages API answers once",
		llm.AnswersLogprobs:   "the Messages API tells no probabilities",
		llm.AnswersEmbeddings: "Anthropic makes no vectors",
	},
	Cases: cases,
}

func newAbilities(client *http.Client) outbound.Abilities {
	p := &provider{client}
	return outbound.Abilities{
		Provider: p, Counter: p, Lister: p,
		Relays: []outbound.Relay{&relay{client: client}, &countRelay{client: client}},
	}
}

var (
	_ outbound.Provider = (*provider)(nil)
	_ outbound.Counter  = (*provider)(nil)
	_ outbound.Lister   = (*provider)(nil)
)

// provider implements outbound.Provider, outbound.Counter and outbound.Lister.
type provider struct{ client *http.Client }

// Complete implements outbound.Provider.
func (p *provider) Complete(ctx context.Context, to outbound.Target, r *chat.Request) (*chat.Response, error) {
	resp, dropped, err := p.post(ctx, to, r, false)
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
	resp, dropped, err := p.post(ctx, to, r, true)
	if err != nil {
		return nil, err
	}
	answer := events.Answer{Response: resp, To: to, Decoder: &decoder{to: to}, Explain: explain, Dropped: dropped}
	return answer.Stream(ctx)
}

func (p *provider) post(ctx context.Context, to outbound.Target, r *chat.Request, stream bool) (*http.Response, []string, error) {
	out, err := encode(to.Model, r, stream)
	if err != nil {
		return nil, nil, err
	}
	body, err := out.body()
	if err != nil {
		return nil, nil, err
	}
	resp, err := call(to, pathMessages, body, strings.Join(out.betas, ",")).Do(ctx, p.client)
	return resp, out.dropped, err
}

// call makes a call to the vendor. betas names what it needs that is not released to all.
func call(to outbound.Target, path string, body []byte, betas string) llm.Call {
	h := http.Header{headerKey: {to.Secret.Reveal()}, headerVersion: {version}}
	if betas != "" {
		h[headerBeta] = []string{betas}
	}
	return llm.Call{To: to, URL: llm.JoinURL(to.BaseURL, path), Header: h, Body: body, Explain: explain}
}

// Count implements outbound.Counter. What makes no tokens, such as limits and sampling, is not sent.
func (p *provider) Count(ctx context.Context, to outbound.Target, r *chat.Request) (int, error) {
	out, err := encode(to.Model, r, false)
	if err != nil {
		return 0, err
	}
	counted := &encoded{request: &request{
		Model: out.Model, System: out.System, Messages: out.Messages, Tools: out.Tools, ToolChoice: out.ToolChoice,
		Thinking: out.Thinking, OutputConfig: out.OutputConfig,
	}}
	body, err := counted.body()
	if err != nil {
		return 0, err
	}
	var a struct {
		Input *int `json:"input_tokens"`
	}
	if err := call(to, pathCount, body, strings.Join(out.betas, ",")).Into(ctx, p.client, &a); err != nil {
		return 0, err
	}
	if a.Input == nil || *a.Input < 0 {
		return 0, llm.BadResponse(to, "answered no count")
	}
	return *a.Input, nil
}

// Bounds of a list of models: how many there are on a page, and how many pages are read.
const (
	pageSize = "1000"
	maxPages = 20
)

// List implements outbound.Lister.
func (p *provider) List(ctx context.Context, to outbound.Target) ([]string, error) {
	names := []string{}
	after := ""
	for range maxPages {
		q := url.Values{"limit": {pageSize}}
		if after != "" {
			q.Set("after_id", after)
		}
		c := call(to, pathModels+"?"+q.Encode(), nil, "")
		c.Method = http.MethodGet
		var page struct {
			Data []struct {
				ID string `json:"id"`
			} `json:"data"`
			HasMore bool   `json:"has_more"`
			LastID  string `json:"last_id"`
		}
		if err := c.Into(ctx, p.client, &page); err != nil {
			return nil, err
		}
		if page.Data == nil {
			return nil, llm.BadResponse(to, "answered no list of models")
		}
		for _, m := range page.Data {
			if m.ID != "" {
				names = append(names, m.ID)
			}
		}
		if !page.HasMore || page.LastID == "" || page.LastID == after {
			break
		}
		after = page.LastID
	}
	return names, nil
}
