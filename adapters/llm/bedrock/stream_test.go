package bedrock_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
)

// rich is a stream of everything that an answer of Claude's may hold, and richWhole the same as a whole answer.
var rich = []string{
	"messageStart", `{"role":"assistant"}`,
	"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Hm, "}}}`,
	"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"so."}}}`,
	"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln"}}}`,
	"contentBlockStop", `{"contentBlockIndex":0}`,
	"contentBlockDelta", `{"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"cmVk"}}}`,
	"contentBlockStop", `{"contentBlockIndex":1}`,
	"contentBlockDelta", "{\n \"contentBlockIndex\": 2,\r\n \"delta\": {\"text\": \"Grü\"}\n}",
	"contentBlockDelta", `{"contentBlockIndex":2,"delta":{"text":"ße\n👋🏽"}}`,
	"contentBlockDelta", `{"contentBlockIndex":2,"delta":{"citation":{"title":"T","sourceContent":[{"text":"S"}],"location":{"web":{"url":"https://example.com/a"}}}}}`,
	"contentBlockStop", `{"contentBlockIndex":2}`,
	"contentBlockDelta", `{"contentBlockIndex":3,"delta":{"text":"Another."}}`,
	"contentBlockStop", `{"contentBlockIndex":3}`,
	"contentBlockStart", `{"contentBlockIndex":4,"start":{"toolUse":{"toolUseId":"t1","name":"f"}}}`,
	"contentBlockDelta", `{"contentBlockIndex":4,"delta":{"toolUse":{"input":"{\"a\":"}}}`,
	"contentBlockDelta", `{"contentBlockIndex":4,"delta":{"toolUse":{"input":"1}"}}}`,
	"contentBlockStop", `{"contentBlockIndex":4}`,
	"contentBlockStart", `{"contentBlockIndex":5,"start":{"toolUse":{"toolUseId":"t2","name":"g"}}}`,
	"contentBlockStop", `{"contentBlockIndex":5}`,
	"messageStop", `{"stopReason":"tool_use","additionalModelResponseFields":{"stop_sequence":""}}`,
	"metadata", `{"usage":{"inputTokens":5,"outputTokens":7,"totalTokens":12,"cacheReadInputTokens":3,"cacheWriteInputTokens":4,"cacheDetails":[{"ttl":"1h","inputTokens":4}]},"metrics":{"latencyMs":1},"serviceTier":{"type":"flex"}}`,
}

const richWhole = `{"output":{"message":{"role":"assistant","content":[
	{"reasoningContent":{"reasoningText":{"text":"Hm, so.","signature":"c2ln"}}},
	{"reasoningContent":{"redactedContent":"cmVk"}},
	{"citationsContent":{"content":[{"text":"Grüße\n👋🏽"}],"citations":[{"title":"T","sourceContent":[{"text":"S"}],"location":{"web":{"url":"https://example.com/a"}}}]}},
	{"text":"Another."},
	{"toolUse":{"toolUseId":"t1","name":"f","input":{"a":1}}},
	{"toolUse":{"toolUseId":"t2","name":"g","input":{}}}]}},
	"stopReason":"tool_use","serviceTier":{"type":"flex"},"metrics":{"latencyMs":1},
	"usage":{"inputTokens":5,"outputTokens":7,"totalTokens":12,"cacheReadInputTokens":3,"cacheWriteInputTokens":4,"cacheDetails":[{"ttl":"1h","inputTokens":4}]}}`

func wholeOf(t *testing.T, body string) *chat.Response {
	t.Helper()
	whole, err := provider(answers("application/json", body)).Complete(t.Context(), target, talk(user("Hi")))
	if err != nil {
		t.Fatal(err)
	}
	return whole
}

func TestAStreamAndAWholeAnswerAgree(t *testing.T) {
	whole := wholeOf(t, richWhole)
	if u := whole.Usage; u.Input != 12 || u.CacheRead != 3 || u.CacheWrite != 4 || u.CacheWrite1h != 4 || u.Output != 7 || whole.ServiceTier != "flex" {
		t.Errorf("got the usage %+v of tier %q", u, whole.ServiceTier)
	}
	if c := whole.First(); c.Thinking() != "Hm, so." || c.Text() != "Grüße\n👋🏽Another." || len(c.Calls()) != 2 || len(c.Parts) != 6 {
		t.Errorf("got %+v", c)
	}
	body := frames(t, rich...)
	for name, cut := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "by halves": iotest.HalfReader, "with its end": iotest.DataErrReader,
	} {
		streamed, err := gathered(t, provider(wire(func(*http.Request) *http.Response { return answer(200, framedType, cut(bytes.NewReader(body))) })), target)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(whole, streamed); diff != "" {
			t.Errorf("%s: the stream differs (-whole +streamed):\n%s", name, diff)
		}
	}
}

// TestAStreamIsWholeOnlyAtItsEnd cuts a stream behind every byte: cleanly, and by a broken connection.
func TestAStreamIsWholeOnlyAtItsEnd(t *testing.T) {
	body := frames(t, rich...)
	stopped := len(frames(t, rich[:len(rich)-2]...))
	for at := range body {
		for _, end := range []error{io.EOF, errors.New("connection reset")} {
			_, err := gathered(t, provider(wire(func(*http.Request) *http.Response {
				return answer(200, framedType, io.MultiReader(bytes.NewReader(body[:at]), iotest.ErrReader(end)))
			})), target)
			class := chat.ClassOf(err)
			switch {
			case at >= stopped && err == nil: // it has stopped, and is only not counted
			case class == chat.ClassCutOff, at == 0 && class == chat.ClassBadResponse:
			default:
				t.Fatalf("cut behind byte %d of %d by %v: got %v, want cut_off", at, len(body), end, err)
			}
		}
	}
}

// TestDamageIsNoticed turns every bit of a frame in the midst of a stream.
func TestDamageIsNoticed(t *testing.T) {
	before, frame, after := frames(t, rich[:16]...), frames(t, rich[16:18]...), frames(t, rich[18:]...)
	for at := range frame {
		for bit := range 8 {
			broken := bytes.Clone(frame)
			broken[at] ^= 1 << bit
			body := bytes.Join([][]byte{before, broken, after}, nil)
			got, err := gathered(t, provider(answers(framedType, string(body))), target)
			if c := chat.ClassOf(err); c != chat.ClassBadResponse && c != chat.ClassCutOff {
				t.Fatalf("bit %d of byte %d: got %v, want bad_response or cut_off", bit, at, err)
			}
			if text := got.First().Text(); text != "Grü" {
				t.Fatalf("bit %d of byte %d: got the text %q, want what came before", bit, at, text)
			}
		}
	}
}

func TestUsageComesWithTheFinish(t *testing.T) {
	stream, err := provider(answers(framedType, string(frames(t, rich...)))).Stream(t.Context(), target, talk(user("Hi")))
	if err != nil {
		t.Fatal(err)
	}
	var last chat.Chunk
	for c, err := range stream {
		if err != nil || last.Finish != "" {
			t.Fatalf("got %v, %+v after %+v", err, c, last)
		}
		last = c
	}
	if last.Finish != chat.FinishToolCalls || last.Usage == nil || last.Usage.Input != 12 {
		t.Errorf("got %+v last", last)
	}
}

func TestOddStreams(t *testing.T) {
	delta := func(text string) []string {
		return []string{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"` + text + `"}}`}
	}
	end := []string{"messageStop", `{"stopReason":"end_turn"}`, "metadata", `{"usage":{"inputTokens":1,"outputTokens":1}}`}
	join := func(parts ...[]string) (out []string) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	for name, tt := range map[string]struct {
		events []string
		text   string
		class  chat.Class
	}{
		"an exception without a body":       {join(delta("A"), []string{"!throttlingException", ""}), "A", chat.ClassRateLimited},
		"an exception of no known name":     {join(delta("A"), []string{"!oddException", `{"message":"x"}`}), "A", chat.ClassServer},
		"an exception whose name is prose":  {join(delta("A"), []string{"!not a name", `{"message":"x"}`}), "A", chat.ClassServer},
		"an exception that is no JSON":      {join(delta("A"), []string{"!throttlingException", `oops`}), "A", chat.ClassBadResponse},
		"an error outside the model":        {join(delta("A"), []string{"?InternalFailure", `not JSON`}), "A", chat.ClassServer},
		"an exception behind the stop":      {join(delta("A"), end[:2], []string{"!internalServerException", `{}`}), "A", chat.ClassServer},
		"an event whose name is an attack":  {join(delta("A"), []string{`x":{},"exception":"y`, `{}`}, end), "A", ""},
		"an event that is no JSON":          {join(delta("A"), []string{"contentBlockDelta", `oops`}, end), "A", chat.ClassBadResponse},
		"an event that escapes its object":  {join(delta("A"), []string{"metadata", "{}}\n\ndata: {\"x\":{}"}, end), "A", chat.ClassBadResponse},
		"an event of two values":            {join(delta("A"), []string{"contentBlockDelta", `{} {}`}, end), "A", chat.ClassBadResponse},
		"a stop within a call":              {[]string{"contentBlockStart", `{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"a","name":"f"}}}`, end[0], end[1]}, "", chat.ClassBadResponse},
		"a stop without a reason":           {join(delta("A"), []string{"messageStop", `{}`}), "A", chat.ClassBadResponse},
		"counts before the stop":            {join(delta("A"), end[2:]), "A", chat.ClassBadResponse},
		"blocks that begin in each other":   {join(delta("A"), []string{"contentBlockDelta", `{"contentBlockIndex":1,"delta":{"text":"B"}}`}, delta("C"), end), "ABC", ""},
		"a stop of what has not begun":      {join([]string{"contentBlockStop", `{"contentBlockIndex":9}`}, delta("A"), end), "A", ""},
		"what follows the end is not read":  {join(delta("A"), end, delta("B")), "A", ""},
		"nothing but the end":               {end, "", ""},
		"an event with no payload":          {join(delta("A"), []string{"messageStart", ""}, end), "A", ""},
		"input for a call that is not open": {join(delta("A"), []string{"contentBlockDelta", `{"contentBlockIndex":7,"delta":{"toolUse":{"input":"{}"}}}`}, end), "A", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := gathered(t, provider(answers(framedType, string(frames(t, tt.events...)))), target)
			if chat.ClassOf(err) != tt.class {
				t.Fatalf("got %v, want %q", err, tt.class)
			}
			text := ""
			if got != nil {
				text = got.First().Text()
			}
			if text != tt.text {
				t.Errorf("got the text %q, want %q", text, tt.text)
			}
		})
	}
}

func TestASignatureIsOfTheModelThatSigned(t *testing.T) {
	const body = `{"output":{"message":{"content":[{"reasoningContent":{"reasoningText":{"text":"t","signature":"s"}}},{"text":"x"}]}},"stopReason":"end_turn"}`
	for model, format := range map[string]string{sonnet45: chat.FormatAnthropic, nova2: "amazon-bedrock-v1"} {
		to := target
		to.Model = model
		got, err := provider(answers("application/json", body)).Complete(t.Context(), to, talk(user("Hi")))
		if err != nil || got.First().Parts[0].Signature.Format != format {
			t.Fatalf("%s: got %+v, %v", model, got, err)
		}
		back, resp, err := sent(t, model, talk(user("Hi"), said(got.First().Parts...), user("And?")))
		if err != nil || len(resp.Dropped) > 0 || !strings.Contains(fmt.Sprint(back), "signature:s") {
			t.Errorf("%s: the thought does not go back: %v, %v", model, back, err)
		}
	}
}

func TestAnIDIsThatOfTheRequest(t *testing.T) {
	p := provider(wire(func(r *http.Request) *http.Response {
		resp := answer(200, "application/json", strings.NewReader(okBody))
		if strings.HasSuffix(r.URL.Path, "-stream") {
			resp = answer(200, framedType, bytes.NewReader(frames(t, rich...)))
		}
		resp.Header.Set("X-Amzn-Requestid", "req-1")
		return resp
	}))
	whole, err := p.Complete(t.Context(), target, talk(user("Hi")))
	if err != nil || whole.ID != "req-1" {
		t.Errorf("got %+v, %v", whole, err)
	}
	if streamed, err := gathered(t, p, target); err != nil || streamed.ID != "req-1" {
		t.Errorf("got %+v, %v", streamed, err)
	}
}
