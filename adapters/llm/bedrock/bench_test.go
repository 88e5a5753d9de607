package bedrock_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/secret"
)

// BenchmarkStream reads streams of a thousand pieces; an event is a thousandth of it.
func BenchmarkStream(b *testing.B) {
	const pieces = 1000
	var events []string
	for i := range pieces {
		events = append(events, "contentBlockDelta", fmt.Sprintf(`{"contentBlockIndex":0,"delta":{"text":"word %d "},"p":"abcdefghijklmnopqrst"}`, i))
	}
	body := frames(b, append(events, "messageStop", `{"stopReason":"end_turn"}`, "metadata", `{"usage":{"inputTokens":1,"outputTokens":1}}`)...)
	p := provider(wire(func(*http.Request) *http.Response { return answer(200, framedType, bytes.NewReader(body)) }))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		stream, err := p.Stream(b.Context(), target, talk(user("Hi")))
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range stream {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*pieces), "ns/event")
}

// BenchmarkComplete encodes 4 KB, signs it or not, and reads the answer.
func BenchmarkComplete(b *testing.B) {
	r := talk(user(strings.Repeat("All of it. ", 370)))
	for name, credential := range map[string]string{"key": "ABSK-test-key", "signed": accessKey + ":" + secretKey} {
		b.Run(name, func(b *testing.B) {
			to := target
			to.Secret = secret.New(credential)
			p := provider(clocked{answers("application/json", okBody)})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Complete(b.Context(), to, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
