package bedrock_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
)

// FuzzStream reads bytes as a stream in Amazon's frames: it ends, it fails with a type alone, and it is the same however the bytes come.
func FuzzStream(f *testing.F) {
	f.Add(frames(f, rich...))
	f.Add(frames(f, "messageStop", `{"stopReason":"end_turn"}`))
	f.Add(frames(f, "!throttlingException", `{"message":"m"}`))
	f.Add(frames(f, rich...)[:100])
	f.Add([]byte{0, 0, 0, 16, 0, 0, 0, 0, 5, 194, 72, 235, 125, 152, 200, 255})
	f.Add([]byte("\xff\xff\xff\xff\x00\x00\x00\x00junk"))
	f.Fuzz(func(t *testing.T, body []byte) {
		sameInEveryWay(t, body)
	})
}

// FuzzEvents reads texts as the payloads of a stream's events, whose frames are good.
func FuzzEvents(f *testing.F) {
	for i := 0; i < len(rich); i += 2 {
		f.Add(rich[i], rich[i+1])
	}
	f.Add("contentBlockStart", `{"contentBlockIndex":-1,"start":{"toolUse":{}}}`)
	f.Add("!validationException", `{"message":1}`)
	f.Fuzz(func(t *testing.T, name, payload string) {
		if len(strings.TrimPrefix(name, "!")) > 1<<10 || strings.TrimPrefix(name, "!") == "" {
			return
		}
		sameInEveryWay(t, frames(t, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"a"}}`, name, payload, "messageStop", `{"stopReason":"end_turn"}`, "metadata", `{}`))
	})
}

func sameInEveryWay(t *testing.T, body []byte) {
	t.Helper()
	read := func(cut func(io.Reader) io.Reader) (*chat.Response, chat.Class) {
		got, err := gathered(t, provider(wire(func(*http.Request) *http.Response { return answer(200, framedType, cut(bytes.NewReader(body))) })), target)
		if err != nil {
			failureOf(t, err)
		}
		return got, chat.ClassOf(err)
	}
	whole, class := read(func(r io.Reader) io.Reader { return r })
	again, classAgain := read(iotest.OneByteReader)
	if class != classAgain {
		t.Fatalf("whole it is %q, byte by byte %q", class, classAgain)
	}
	if diff := cmp.Diff(whole, again); diff != "" {
		t.Fatalf("byte by byte it differs (-whole +bytes):\n%s", diff)
	}
	if class == "" && whole.First().Finish == "" {
		t.Fatal("an answer without a finish was taken for whole")
	}
}

// FuzzAnswer reads a body as a whole answer: it is one, or it fails with a type.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{richWhole, okBody, `{}`, `{"output":{"message":{"content":[{"reasoningContent":{}},{"toolUse":null}]}},"stopReason":"x"}`, `{"output":{"message":{"content":null}}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, err := provider(answers("application/json", body)).Complete(t.Context(), target, talk(user("Hi")))
		if err != nil {
			failureOf(t, err)
			return
		}
		if got.First().Finish == "" || !json.Valid([]byte(body)) {
			t.Fatalf("%q was taken for an answer: %+v", body, got)
		}
		for _, c := range got.First().Calls() {
			if !json.Valid([]byte(c.Arguments)) {
				t.Fatalf("the arguments %q are no JSON", c.Arguments)
			}
		}
	})
}
