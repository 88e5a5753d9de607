package gemini_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
)

// BenchmarkEvent is a streamed event translated: read as a frame, decoded, and handed on.
func BenchmarkEvent(b *testing.B) {
	const data = `{"candidates": [{"content": {"parts": [{"text": "A piece of an answer,\nas \"long\" as they are."}],"role": "model"},"index": 0}],` +
		`"usageMetadata": {"promptTokenCount": 15,"candidatesTokenCount": 29,"totalTokenCount": 1556,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 15}],` +
		`"toolUsePromptTokenCount": 770,"toolUsePromptTokensDetails": [{"modality": "TEXT","tokenCount": 770}],"thoughtsTokenCount": 742},` +
		`"modelVersion": "gemini-2.5-pro","responseId": "FoRge00ExampleIdQ-tPz7IPw"}`
	repeated := &repeat{piece: event(data), left: b.N, end: tell("", stop)}
	w := answering("text/event-stream", repeated)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	s, err := provider(w).Stream(b.Context(), target, talk(user("Hi")))
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for c, err := range s {
		if err != nil {
			b.Fatal(err)
		}
		if c.Text != "" {
			n++
		}
	}
	if n != b.N {
		b.Errorf("got %d pieces, want %d", n, b.N)
	}
}

// repeat reads a piece again and again, and then an end.
type repeat struct {
	piece, end, rest string
	left             int
}

// Read implements io.Reader.
func (r *repeat) Read(p []byte) (int, error) {
	if r.rest == "" {
		switch {
		case r.left > 0:
			r.left--
			r.rest = r.piece
		case r.end != "":
			r.rest, r.end = r.end, ""
		default:
			return 0, io.EOF
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// BenchmarkRequest is a request of 4 KB translated, and its answer.
func BenchmarkRequest(b *testing.B) {
	r := talk(system("Be brief."))
	for i := range 20 {
		r.Messages = append(r.Messages, user(strings.Repeat("What is said here? ", 5)), assistant(fmt.Sprintf("This is answer %d, of some length.", i)))
	}
	r.Messages = append(r.Messages, user("And now?"))
	ask(b, r)
}

// BenchmarkLargeImage is a request with a picture of 20 MB.
func BenchmarkLargeImage(b *testing.B) {
	ask(b, talk(asked(image(chat.Media{Type: "image/png", Data: strings.Repeat("A", 20<<20)}))))
}

func ask(b *testing.B, r *chat.Request) {
	b.Helper()
	p := provider(answers("application/json", okBody))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Complete(b.Context(), target, r); err != nil {
			b.Fatal(err)
		}
	}
}
