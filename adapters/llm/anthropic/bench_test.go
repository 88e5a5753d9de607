package anthropic_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// canned answers every request with the same bytes, without a network: what is left is our own cost.
func canned(kind string, body []byte) wire {
	return func(r *http.Request) *http.Response {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
		resp := answer(kind, bytes.NewReader(body))
		resp.ContentLength = int64(len(body))
		return resp
	}
}

func benchBody(size int) []byte {
	return fmt.Appendf(nil, `{"model":"auto","max_tokens":1024,"messages":[{"role":"user","content":"%s"}],"stream":true}`, strings.Repeat("word ", size/5))
}

const benchChunks = 100

func benchStream() []byte {
	var b bytes.Buffer
	b.WriteString(opening + event(`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`))
	for i := range benchChunks {
		b.WriteString("event: content_block_delta\n" + fmt.Sprintf(`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word%d"}           }`, i) + "\n\n")
	}
	b.WriteString(event(`{"type":"content_block_stop","index":0}`) + event(`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":100}}`) + closing)
	return b.Bytes()
}

// BenchmarkRelayWhole passes a request of 4 KB and its answer.
func BenchmarkRelayWhole(b *testing.B) {
	r := relayOf(chat.DialectAnthropic, canned("application/json", []byte(okBody)))
	p := outbound.Passage{Body: benchBody(4 << 10)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.RelayWhole(b.Context(), target, p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRelayTools passes a conversation of 40 calls of tools, whose ids are looked at.
func BenchmarkRelayTools(b *testing.B) {
	var body bytes.Buffer
	body.WriteString(`{"model":"auto","max_tokens":1024,"messages":[{"role":"user","content":"go"}`)
	for i := range 40 {
		fmt.Fprintf(&body, `,{"role":"assistant","content":[{"type":"tool_use","id":"toolu_%d","name":"f","input":{"x":"%s"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_%d","content":"%s"}]}`, i, strings.Repeat("y", 100), i, strings.Repeat("z", 1000))
	}
	body.WriteString(`]}`)
	r := relayOf(chat.DialectAnthropic, canned("application/json", []byte(okBody)))
	p := outbound.Passage{Body: body.Bytes()}
	b.ReportAllocs()
	b.SetBytes(int64(body.Len()))
	for b.Loop() {
		if _, err := r.RelayWhole(b.Context(), target, p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRelayStream passes a stream of 100 pieces; ns/chunk is what one costs.
func BenchmarkRelayStream(b *testing.B) {
	r := relayOf(chat.DialectAnthropic, canned("text/event-stream", benchStream()))
	p := outbound.Passage{Body: benchBody(4 << 10)}
	b.ReportAllocs()
	for b.Loop() {
		frames, err := r.RelayStream(b.Context(), target, p)
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range frames {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchChunks), "ns/chunk")
}

// BenchmarkStream translates a stream of 100 pieces; ns/chunk is what one costs.
func BenchmarkStream(b *testing.B) {
	p := provider(canned("text/event-stream", benchStream()))
	request := talk(user(strings.Repeat("word ", 800)))
	b.ReportAllocs()
	for b.Loop() {
		stream, err := p.Stream(b.Context(), target, request)
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range stream {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchChunks), "ns/chunk")
}
