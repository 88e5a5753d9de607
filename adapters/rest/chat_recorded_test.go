package rest_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/ports/inbound"
)

// TestRecordedChatsPass sends what clients have sent to OpenAI and OpenRouter, and has the recorded answers relayed: not a byte is another. All of the
// requests can be translated too.
func TestRecordedChatsPass(t *testing.T) {
	w := start(t)
	for name, body := range recorded(t, "open*-chat-*") {
		if strings.Contains(name, "-error-") {
			continue // the gateway makes a failure of it
		}
		t.Run(name, func(t *testing.T) {
			request := recordedRequest(t, name)
			if request == nil {
				request = []byte(openAIBody(map[bool]string{true: `,"stream":true`}[strings.Contains(name, "-stream-")]))
			}
			var read *chat.Request
			parse := func(c inbound.Call) {
				r, err := c.Parse()
				if err != nil {
					t.Errorf("%.500s: %v", request, err)
				}
				read = r
			}
			w.models.stream = func(_ context.Context, c inbound.Call) (inbound.StreamAnswer, error) {
				parse(c)
				return streamOf(true, frames(strings.SplitAfter(body, "\n\n")...)...), nil
			}
			w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
				parse(c)
				return inbound.Answer{Receipt: receipt(), Body: []byte(body)}, nil
			}
			got := w.post(chatPath, string(request), aiKey)
			if got.status != 200 {
				t.Fatal(got)
			}
			if string(got.body) != body {
				t.Errorf("got  %.2000s\nwant %.2000s", got.body, body)
			}
			if read != nil && len(read.Untranslated) > 0 {
				t.Logf("left out: %s", strings.Join(read.Untranslated, ", "))
			}
		})
	}
}

// TestRecordedEmbeddingsPass does the same with requests for embeddings.
func TestRecordedEmbeddingsPass(t *testing.T) {
	w := start(t)
	for name, body := range recorded(t, "open*-embeddings-*") {
		t.Run(name, func(t *testing.T) {
			request := recordedRequest(t, name)
			tokens := bytes.Contains(bytes.Join(bytes.Fields(request), nil), []byte(`"input":[4`)) // which no other vendor can take
			var read *embedding.Request
			w.models.embed = func(c inbound.Call) (inbound.Vectors, error) {
				r, err := c.ParseEmbedding()
				if err != nil && !tokens {
					t.Error(err)
				}
				read = r
				return inbound.Vectors{Receipt: receipt(), Body: []byte(body)}, nil
			}
			if got := w.post(embeddingsPath, string(request), aiKey); string(got.body) != body || !tokens && (read == nil || len(read.Inputs) == 0) {
				t.Errorf("%.300s: got %.500s, read as %+v", request, got.body, read)
			}
		})
	}
}
