package chatcompletions

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// watchedBody notes that it was closed.
type watchedBody struct {
	io.Reader
	closed int
}

func (w *watchedBody) Close() error { w.closed++; return nil }

// wire answers every request with one body.
type wire struct {
	kind string
	body *watchedBody
}

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	_ = r.Body.Close()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {w.kind}}, Body: w.body, Request: r}, nil
}

func answering(kind, answer string) (*Provider, *watchedBody) {
	body := &watchedBody{Reader: strings.NewReader(answer)}
	return New(&http.Client{Transport: wire{kind, body}}, Flavour{}), body
}

const (
	pieceA   = `data: {"choices":[{"index":0,"delta":{"content":"a"}}]}` + "\n\n"
	pieceEnd = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
)

func TestUsageOfABrokenStreamIsKept(t *testing.T) {
	for name, end := range map[string]string{
		"an error with usage":           `data: {"error":{"code":400,"message":"Token limit reached"},"choices":[{"delta":{}}],"usage":{"prompt_tokens":9,"completion_tokens":2}}` + "\n\n",
		"a failed finish with usage":    `data: {"choices":[{"delta":{},"finish_reason":"error"}],"usage":{"prompt_tokens":9,"completion_tokens":2}}` + "\n\n",
		"a cut after usage":             `data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}` + "\n\n",
		"an object where an event goes": `data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}` + "\n\n" + `{"error":{"code":500}}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			want := &chat.Usage{Input: 9, Output: 2}
			p, body := answering(eventStream, pieceA+end)
			frames, err := p.RelayStream(t.Context(), benchTarget, outbound.Passage{Body: benchBody(10, true)})
			if err != nil {
				t.Fatal(err)
			}
			var usage *chat.Usage
			var passed []byte
			var failed error
			for f, err := range frames {
				if passed, failed = append(passed, f.Raw...), err; f.Usage != nil {
					usage = f.Usage
				}
			}
			if diff := cmp.Diff(want, usage); diff != "" || failed == nil || body.closed == 0 {
				t.Errorf("relayed: %v, closed %d times; usage (-want +got):\n%s", failed, body.closed, diff)
			}
			if bytes.Contains(passed, []byte("error")) {
				t.Errorf("relayed: the vendor's own error was passed on: %s", passed)
			}
			p, body = answering(eventStream, pieceA+end)
			chunks, err := p.Stream(t.Context(), benchTarget, &chat.Request{})
			if err != nil {
				t.Fatal(err)
			}
			usage, failed = nil, nil
			for c, err := range chunks {
				if failed = err; c.Usage != nil {
					usage = c.Usage
				}
			}
			if diff := cmp.Diff(want, usage); diff != "" || failed == nil || body.closed == 0 {
				t.Errorf("translated: %v, closed %d times; usage (-want +got):\n%s", failed, body.closed, diff)
			}
		})
	}
}

func TestWhoeverStopsClosesTheBody(t *testing.T) {
	for name, open := range map[string]func(p *Provider) error{
		"relayed, left at once": func(p *Provider) error {
			frames, err := p.RelayStream(t.Context(), benchTarget, outbound.Passage{Body: benchBody(10, true)})
			if err == nil {
				for range frames {
					break
				}
			}
			return err
		},
		"relayed, left later": func(p *Provider) error {
			frames, err := p.RelayStream(t.Context(), benchTarget, outbound.Passage{Body: benchBody(10, true)})
			if err == nil {
				for f := range frames {
					if f.Finish != "" {
						break
					}
				}
			}
			return err
		},
		"translated": func(p *Provider) error {
			chunks, err := p.Stream(t.Context(), benchTarget, &chat.Request{})
			if err == nil {
				for range chunks {
					break
				}
			}
			return err
		},
	} {
		p, body := answering(eventStream, pieceA+pieceEnd+"data: [DONE]\n\n")
		if err := open(p); err != nil || body.closed == 0 {
			t.Errorf("%s: %v, closed %d times", name, err, body.closed)
		}
		p, body = answering(eventStream, `data: {"error":{"code":529}}`+"\n\n"+pieceA)
		if err := open(p); chat.ClassOf(err) != chat.ClassOverloaded || body.closed == 0 {
			t.Errorf("%s, an error first: returned %v, closed %d times; want overloaded, returned", name, err, body.closed)
		}
	}
}

func TestStreamsUnderAnotherName(t *testing.T) {
	stream := " \r\n: wait\n\n" + pieceA + pieceEnd + "data: [DONE]\n\n"
	tests := map[string]struct {
		kind, answer string
		class        chat.Class
	}{
		"a stream that says it is JSON":   {"application/json", stream, ""},
		"a stream that says nothing":      {"", stream, ""},
		"JSON that says it is a stream":   {eventStream, "\n  \n{\n  \"error\": {\"code\": 429,\n\n \"message\": \"slow down\"}\n}\n", chat.ClassRateLimited},
		"an answer that is no stream":     {eventStream, `{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}`, chat.ClassBadResponse},
		"JSON that is padded":             {"application/json", strings.Repeat(" ", 5000) + `{"error":{"code":429}}`, chat.ClassRateLimited},
		"a stream that says it is a page": {"text/html; charset=utf-8", stream, ""},
		"a page":                          {"text/html; charset=utf-8", "<html>data: x</html>\n\n", chat.ClassBadResponse},
		"JSON that breaks off":            {"application/json", `{"err`, chat.ClassBadResponse},
		"nothing":                         {"application/json", "", chat.ClassBadResponse},
		"an object that begins and stops": {eventStream, `{"error":{"code":429}`, chat.ClassBadResponse},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, body := answering(tt.kind, tt.answer)
			frames, err := p.RelayStream(t.Context(), benchTarget, outbound.Passage{Body: benchBody(10, true)})
			if chat.ClassOf(err) != tt.class {
				t.Fatalf("relayed: got %v, want %q", err, tt.class)
			}
			var passed []byte
			for f, err := range orNone(frames) {
				if passed = append(passed, f.Raw...); err != nil {
					t.Error(err)
				}
			}
			if tt.class == "" && string(passed) != tt.answer || body.closed == 0 {
				t.Errorf("relayed %q, closed %d times; want %q", passed, body.closed, tt.answer)
			}
			p, body = answering(tt.kind, tt.answer)
			chunks, err := p.Stream(t.Context(), benchTarget, &chat.Request{})
			if chat.ClassOf(err) != tt.class {
				t.Fatalf("translated: got %v, want %q", err, tt.class)
			}
			text := ""
			for c, err := range orNone(chunks) {
				if text += c.Text; err != nil {
					t.Error(err)
				}
			}
			if tt.class == "" && text != "a" || body.closed == 0 {
				t.Errorf("translated %q, closed %d times", text, body.closed)
			}
		})
	}
}

// orNone is an empty sequence in place of nil.
func orNone[T any](seq func(func(T, error) bool)) func(func(T, error) bool) {
	if seq == nil {
		return func(func(T, error) bool) {}
	}
	return seq
}

func TestARoleIsNewsBesideUsage(t *testing.T) {
	first := `data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"usage":{"prompt_tokens":1}}` + "\n\n"
	second := `data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"usage":{"prompt_tokens":1}}` + "\n\n"
	got, _, err := relayed(t, eventStream, first+second+"data:\n\n"+pieceEnd)
	if err != nil || len(got) != 4 || got[0].UsageOnly || !got[1].UsageOnly || !got[2].Comment {
		t.Errorf("got %+v, %v; want the role, then nothing but usage, then a keep-alive", got, err)
	}
}

func TestEverythingTheClientSeesIsContent(t *testing.T) {
	for delta, want := range map[string]bool{
		`null`: false, `{}`: false, `{"role":"assistant"}`: false, `{"content":null,"refusal":null}`: false, `{"content":"","tool_calls":[]}`: false, `[1]`: false,
		`{"content":" "}`: true, `{"refusal":"n"}`: true, `{"reasoning":"r"}`: true, `{"reasoning_content":"r"}`: true, `{"reasoning_details":[{"type":"reasoning.encrypted"}]}`: true,
		`{"audio":{"data":"x"}}`: true, `{"tool_calls":[{"index":0}]}`: true, `{"function_call":{"name":"f"}}`: true, `{"c\u006fntent":"x"}`: true,
	} {
		got, ok := tap([]byte(`{"choices":[{"index":0,"delta":` + delta + `}]}`))
		if !ok || got.content != want {
			t.Errorf("%s: content %t (read: %t), want %t", delta, got.content, ok, want)
		}
	}
}
