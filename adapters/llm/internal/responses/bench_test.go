package responses

import (
	"fmt"
	"strings"
	"testing"

	"github.com/forge1/forge1/ports/outbound"
)

var benchDelta = []byte(`{"type":"response.output_text.delta","sequence_number":6,"item_id":"msg_067d9e9761f303d7016a72684624808192a8620d7939381d57","output_index":1,"content_index":0,"delta":" thinking","logprobs":[],"obfuscation":"qYb3Yx8a"}`)

func benchLast() []byte {
	return fmt.Appendf(nil, `{"type":"response.completed","response":{"id":"resp_1","model":"gpt-5.1","status":"completed","instructions":"%s","output":[{"type":"message","content":[{"type":"output_text","text":"%s"}]}],"usage":{"input_tokens":9,"output_tokens":12}}}`,
		strings.Repeat("be brief ", 5000), strings.Repeat("words, ", 8000))
}

func BenchmarkRelayedEvent(b *testing.B) {
	r := &passing{}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := r.Event(nil, benchDelta); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTranslatedEvent(b *testing.B) {
	d := &decoder{}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := d.Event(benchDelta); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLastEventOf100KB(b *testing.B) {
	last := benchLast()
	b.SetBytes(int64(len(last)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := (&passing{}).Event(nil, last); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSplice4KB(b *testing.B) {
	in := &outbound.Passage{Body: fmt.Appendf(nil, `{"model":"auto","input":[{"role":"user","content":[{"type":"input_text","text":"%s"}]}],"include":["reasoning.encrypted_content"],"store":false,"stream":true}`, strings.Repeat("words, ", 580))}
	b.SetBytes(int64(len(in.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := (Flavour{}).splice(in, "gpt-5.1"); err != nil {
			b.Fatal(err)
		}
	}
}
