package chatcompletions

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// canned answers every request with the same bytes, without a network: what is left is our own cost.
type canned struct {
	kind string
	body []byte
}

// RoundTrip implements http.RoundTripper.
func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {c.kind}}, ContentLength: int64(len(c.body)),
		Body: io.NopCloser(bytes.NewReader(c.body)), Request: r,
	}, nil
}

var benchTarget = outbound.Target{Provider: "openai", Model: "gpt-4o-mini", Secret: secret.New("sk-bench"), BaseURL: "http://127.0.0.1/v1"}

func benchBody(size int, stream bool) []byte {
	return fmt.Appendf(nil, `{"model":"auto","temperature":0.7,"messages":[{"role":"user","content":"%s"}],"stream":%t}`, strings.Repeat("word ", size/5), stream)
}

func BenchmarkRelayWhole(b *testing.B) {
	answer := fmt.Appendf(nil, `{"id":"chatcmpl-x","object":"chat.completion","created":1790000000,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"%s","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}`, strings.Repeat("word ", 200))
	p := New(&http.Client{Transport: canned{"application/json", answer}}, Flavour{})
	body := benchBody(4<<10, false)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.RelayWhole(b.Context(), benchTarget, outbound.Passage{Body: body}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRelayStream passes a stream of 100 chunks; ns/chunk is what one costs.
func BenchmarkRelayStream(b *testing.B) {
	const chunks = 100
	var answer bytes.Buffer
	for i := range chunks {
		fmt.Fprintf(&answer, "data: {\"id\":\"chatcmpl-x\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word%d\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"obfuscation\":\"a1B2c3\"}\n\n", i)
	}
	answer.WriteString("data: {\"id\":\"chatcmpl-x\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	p := New(&http.Client{Transport: canned{"text/event-stream", answer.Bytes()}}, Flavour{})
	body := benchBody(4<<10, true)
	b.ReportAllocs()
	for b.Loop() {
		frames, err := p.RelayStream(b.Context(), benchTarget, outbound.Passage{Body: body})
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range frames {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*chunks), "ns/chunk")
}

// BenchmarkTranslateStream reads a stream of 100 chunks into chunks of the neutral form; ns/chunk is what one costs.
func BenchmarkTranslateStream(b *testing.B) {
	const chunks = 100
	var answer bytes.Buffer
	for i := range chunks {
		fmt.Fprintf(&answer, "data: {\"id\":\"chatcmpl-x\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word%d\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"obfuscation\":\"a1B2c3\"}\n\n", i)
	}
	answer.WriteString("data: {\"id\":\"chatcmpl-x\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	p := New(&http.Client{Transport: canned{"text/event-stream", answer.Bytes()}}, Flavour{})
	r := &chat.Request{Messages: []chat.Message{chat.Text(chat.RoleUser, "hi")}}
	b.ReportAllocs()
	for b.Loop() {
		stream, err := p.Stream(b.Context(), benchTarget, r)
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range stream {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*chunks), "ns/chunk")
}

// BenchmarkLongLine passes one event of 100 KB.
func BenchmarkLongLine(b *testing.B) {
	answer := []byte(`data: {"choices":[{"index":0,"delta":{"content":"` + strings.Repeat("word ", 20<<10) + `"},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n")
	p := New(&http.Client{Transport: canned{"text/event-stream", answer}}, Flavour{})
	body := benchBody(10, true)
	b.ReportAllocs()
	b.SetBytes(int64(len(answer)))
	for b.Loop() {
		frames, err := p.RelayStream(b.Context(), benchTarget, outbound.Passage{Body: body})
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range frames {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkImageBody sends pictures of 20 MB, relayed and translated.
func BenchmarkImageBody(b *testing.B) {
	data := strings.Repeat("iVBORw0K", 20<<20/8)
	answer := []byte(`{"model":"m","choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}`)
	p := New(&http.Client{Transport: canned{"application/json", answer}}, Flavour{})
	b.Run("relayed", func(b *testing.B) {
		body := []byte(`{"model":"auto","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + data + `"}}]}]}`)
		b.ReportAllocs()
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if _, err := p.RelayWhole(b.Context(), benchTarget, outbound.Passage{Body: body}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("translated", func(b *testing.B) {
		r := &chat.Request{Messages: []chat.Message{{Role: chat.RoleUser, Parts: []chat.Part{{Kind: chat.PartImage, Media: &chat.Media{Type: "image/png", Data: data}}}}}}
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, err := p.Complete(b.Context(), benchTarget, r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
