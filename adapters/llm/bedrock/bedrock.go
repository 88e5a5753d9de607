// Package bedrock speaks the Converse and ConverseStream APIs of Amazon Bedrock, whatever model answers behind them. Streams come in Amazon's binary
// framing, and requests carry an API key or a signature. Both are the work of Amazon's own code: its signer and its event stream decoder, without the
// client around them.
package bedrock

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
var sources embed.FS

// Vendor is the registration of Amazon Bedrock.
var Vendor = llm.Vendor{
	Name: "bedrock",
	New: func(client *http.Client) outbound.Abilities {
		return outbound.Abilities{Provider: &provider{client: client, clock: llm.ClockOf(client)}}
	},
	Example: "anthropic.claude-sonnet-4-5-20250929-v1:0",
	Signs:   chat.FormatAnthropic,
	Lacks: map[llm.Ability]string{
		llm.ImageURLs:          "Converse takes pictures as bytes or from S3, and fetches no other address",
		llm.Audio:              "Claude hears nothing; other models of Bedrock do, and are sent audio",
		llm.OneToolAtATime:     "Converse has no switch against parallel calls",
		llm.WebSearch:          "Claude on Bedrock runs no search; Nova's grounding is declared to Nova alone",
		llm.JSONMode:           "Converse answers in JSON by a schema alone",
		llm.Penalties:          "Converse has no penalties",
		llm.Seeds:              "Converse has no seed",
		llm.Choices:            "Converse answers once",
		llm.Logprobs:           "Converse tells no probabilities",
		llm.AnswersChoices:     "Converse answers once",
		llm.AnswersLogprobs:    "Converse tells no probabilities",
		llm.AnswersEmbeddings:  "Converse makes no vectors; InvokeModel does, in a dialect for each model",
		llm.AnswersCount:       "CountTokens takes bodies of InvokeModel for some models alone",
		llm.AnswersModels:      "models are listed by Bedrock's control plane, which is another host",
		llm.AnswersPassThrough: "no client of ours speaks this dialect",
	},
	Cases: caseFiles{sources},
}

var _ outbound.Provider = (*provider)(nil)

// provider implements outbound.Provider.
type provider struct {
	client *http.Client
	clock  outbound.Clock // nil: nothing can be signed
}

// Complete implements outbound.Provider.
func (p *provider) Complete(ctx context.Context, to outbound.Target, r *chat.Request) (*chat.Response, error) {
	resp, dropped, err := p.converse(ctx, to, r, "/converse")
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
	out.ID, out.Dropped = resp.Header.Get(headerRequest), dropped
	return out, nil
}

// Stream implements outbound.Provider.
func (p *provider) Stream(ctx context.Context, to outbound.Target, r *chat.Request) (chat.Stream, error) {
	resp, dropped, err := p.converse(ctx, to, r, "/converse-stream")
	if err != nil {
		return nil, err
	}
	if llm.MediaType(resp.Header) == mediaType {
		resp.Body = unframe(resp.Body)
	}
	d := &decoder{to: to, id: resp.Header.Get(headerRequest)}
	return events.Answer{Response: resp, To: to, Decoder: d, Explain: explain(to, nil), Dropped: dropped}.Stream(ctx)
}

// The vendor's headers, in canonical form.
const (
	headerRequest = "X-Amzn-Requestid"
	headerError   = "X-Amzn-Errortype"
)

func (p *provider) converse(ctx context.Context, to outbound.Target, r *chat.Request, method string) (*http.Response, []string, error) {
	in, dropped, err := encode(to.Model, r)
	if err != nil {
		return nil, nil, err
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(in); err != nil {
		return nil, nil, chat.Fail(chat.ClassUnsupport, fmt.Errorf("encode the request: %w", err))
	}
	address := llm.JoinURL(to.BaseURL, "/model/"+segment(to.Model)+method)
	header, err := p.authorize(ctx, to, address, body.Bytes())
	if err != nil {
		return nil, nil, err
	}
	// The name of an error stands in a header of the answer, which who explains its body is not given.
	heard := &listener{next: p.client.Transport}
	client := *p.client
	client.Transport = heard
	c := llm.Call{To: to, URL: address, Header: header, Body: body.Bytes(), Explain: explain(to, heard)}
	resp, err := c.Do(ctx, &client)
	return resp, dropped, err
}

// segment writes a model's name, which may be an ARN with colons and slashes, as one segment of a path, the way the vendor's own clients do.
func segment(model string) string { return strings.ReplaceAll(url.PathEscape(model), ":", "%3A") }

// listener keeps the name of the error that a call was answered with. It is for one call.
type listener struct {
	next http.RoundTripper
	name string
}

// RoundTrip implements http.RoundTripper.
func (l *listener) RoundTrip(r *http.Request) (*http.Response, error) {
	next := l.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(r)
	if err == nil {
		l.name = resp.Header.Get(headerError)
	}
	return resp, err
}
