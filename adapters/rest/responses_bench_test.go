package rest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

func benchBody(b *testing.B) *respEnvelope {
	b.Helper()
	env, err := scanResponses([]byte(`{"model":"m","store":false,"input":[{"role":"user","content":"` + strings.Repeat("all work and no play ", 200) + `"}]}`))
	if err != nil {
		b.Fatal(err)
	}
	return env
}

// BenchmarkResponsesScan reads what routing must know off a body of 4 KB, and puts the body for a vendor together.
func BenchmarkResponsesScan(b *testing.B) {
	body := benchBody(b).body
	b.ReportAllocs()
	for b.Loop() {
		env, err := scanResponses(body)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := new(exchange).compose(env); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkResponsesEvent writes a piece of text of another vendor as an event.
func BenchmarkResponsesEvent(b *testing.B) {
	w := respWriter{shape: shapeOf(benchBody(b), inbound.Receipt{CallID: "c"}, 1)}
	c := chat.Chunk{Text: "a few words "}
	b.ReportAllocs()
	for b.Loop() {
		w.chunk(&c)
		w.take()
		w.current.text.Reset()
	}
}

// BenchmarkResponsesFrame passes a frame with a piece of text, and one of 100 KB that holds the whole response.
func BenchmarkResponsesFrame(b *testing.B) {
	c := &respCall{conv: &conversation{env: &respEnvelope{}}}
	for name, frame := range map[string]string{
		"piece": "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"a few words\",\"item_id\":\"msg_1\",\"output_index\":0,\"sequence_number\":4}\n\n",
		"whole": "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"store\":true,\"output\":[{\"text\":\"" + strings.Repeat("x", 100<<10) + "\"}]}}\n\n",
	} {
		b.Run(name, func(b *testing.B) {
			raw := []byte(frame)
			b.ReportAllocs()
			for b.Loop() {
				if !bytes.HasPrefix(c.frame(raw), []byte("event: ")) {
					b.Fatal("no frame")
				}
			}
		})
	}
}
