package rest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/rest"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

const chatPath = "/v1/chat/completions"

// openAIBody is a chat body with more fields.
func openAIBody(more string) string {
	return `{"model":"auto","messages":[{"role":"user","content":"hi"}]` + more + `}`
}

func TestAStreamedTask(t *testing.T) {
	w := start(t)
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		return streamOf(false,
			inbound.Piece{Chunk: chat.Chunk{Text: "line\n"}}, inbound.Piece{Chunk: chat.Chunk{}},
			inbound.Piece{Chunk: chat.Chunk{Tool: &chat.ToolDelta{Index: 0, ID: "c1", Name: "f"}}},
			inbound.Piece{Chunk: chat.Chunk{Tool: &chat.ToolDelta{Index: 0, Arguments: `{"a"`}}},
			inbound.Piece{Chunk: chat.Chunk{Tool: &chat.ToolDelta{Index: 1, ID: "c2", Name: "g"}}},
			inbound.Piece{Chunk: chat.Chunk{Tool: &chat.ToolDelta{Index: 0, Arguments: `:1}`}, Finish: chat.FinishToolCalls, Usage: &chat.Usage{}}},
		), nil
	}
	got := w.post(execute, `{"task":"x","stream":true}`, aiKey)
	want := `event: delta
data: {"text":"line\n"}

event: delta
data: {"tool_call":{"index":0,"id":"c1","name":"f","arguments_delta":""}}

event: delta
data: {"tool_call":{"index":0,"arguments_delta":"{\"a\""}}

event: delta
data: {"tool_call":{"index":1,"id":"c2","name":"g","arguments_delta":""}}

event: delta
data: {"tool_call":{"index":0,"arguments_delta":":1}"}}

event: done
data: {"success":true,"output":"line\n","finish_reason":"stop","tool_calls":[{"id":"c1","name":"f","arguments":{"a":1}},{"id":"c2","name":"g","arguments":{}}],` +
		`"model_used":"openai/gpt-x","execution_time":1.5,"metadata":{"task_type":"general","provider":"openai","model":"gpt-x","decision_id":"d1","input_tokens":10,` +
		`"output_tokens":5,"cached_tokens":4,"cache_write_tokens":0,"reasoning_tokens":2,"tokens_used":15,"usage_source":"provider","cost_usd":"0.123456","cost_cents":12.3456,` +
		`"cache":"miss","attempts":[{"provider":"openai","model":"gpt-x","outcome":"ok","latency_ms":1.5}],"trace_id":"` + got.header.Get("X-Trace-Id") + `"},"error":null}

`
	if string(got.body) != want {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream; charset=utf-8", "X-Forge-Decision-Id": "d1", "X-Forge-Provider": "openai", "X-Accel-Buffering": "no", "Cache-Control": "no-store",
	} {
		if v := got.header.Get(name); v != want {
			t.Errorf("%s: got %q, want %q", name, v, want)
		}
	}
}

func TestARenderedStream(t *testing.T) {
	const head = `data: {"id":"chatcmpl-0190call","object":"chat.completion.chunk","created":1896091200,"model":"gpt-x-2026","system_fingerprint":null,"choices":[`
	delta := func(d, more string) string {
		return head + `{"index":0,"delta":{` + d + `},"logprobs":null,"finish_reason":null}]` + more + "}\n\n"
	}
	finish := func(more string) string {
		return head + `{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]` + more + "}\n\n"
	}
	const usage = head + `],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},` +
		`"completion_tokens_details":{"reasoning_tokens":2,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}` + "\n\n"
	const none = `,"usage":null`
	tests := map[string]struct {
		pieces []inbound.Piece
		more   string
		want   string
	}{
		"text": {chunks("hel", "lo \"you\"\n\u2028\x01"), "", delta(`"role":"assistant","content":"","refusal":null`, "") + delta(`"content":"hel"`, "") +
			delta("\"content\":\"lo \\\"you\\\"\\n\u2028\\u0001\"", "") + finish("") + "data: [DONE]\n\n"},
		"text with usage": {chunks("a"), `,"stream_options":{"include_usage":true}`, delta(`"role":"assistant","content":"","refusal":null`, none) + delta(`"content":"a"`, none) +
			finish(none) + usage + "data: [DONE]\n\n"},
		"nothing":   {nil, "", delta(`"role":"assistant","content":"","refusal":null`, "") + finish("") + "data: [DONE]\n\n"},
		"a refusal": {[]inbound.Piece{{Chunk: chat.Chunk{Refusal: "no"}}}, "", delta(`"role":"assistant","content":"","refusal":null`, "") + delta(`"refusal":"no"`, "") + finish("") + "data: [DONE]\n\n"},
		"tools": {
			[]inbound.Piece{
				{Chunk: chat.Chunk{Tool: &chat.ToolDelta{Index: 0, ID: "c1", Name: "f"}}},
				{Chunk: chat.Chunk{Tool: &chat.ToolDelta{Index: 0, Arguments: `{}`}}},
				{Chunk: chat.Chunk{Tool: &chat.ToolDelta{Index: 1, ID: "c2", Name: "g", Arguments: `{}`}, Finish: chat.FinishStop}},
			},
			"",
			delta(`"role":"assistant","content":null,"refusal":null`, "") +
				delta(`"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]`, "") +
				delta(`"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]`, "") +
				delta(`"tool_calls":[{"index":1,"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]`, "") + finish("") + "data: [DONE]\n\n",
		},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
				return streamOf(false, tc.pieces...), nil
			}
			if got := w.post(chatPath, openAIBody(`,"stream":true`+tc.more), aiKey); string(got.body) != tc.want {
				t.Errorf("got  %s\nwant %s", got.body, tc.want)
			}
		})
	}
}

func TestARelayedStreamIsNotTouched(t *testing.T) {
	raw := []string{": OPENROUTER PROCESSING\n\n", "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"obfuscation\":\"x\"}\r\n\r\n", "data: {\"choices\":[],\"usage\":{}}\n\n", "data: [DONE]\n\n"}
	w := start(t)
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		pieces := frames(raw...)
		pieces[0].Comment, pieces[2].UsageOnly = true, true
		return streamOf(true, pieces...), nil
	}
	if got, want := string(w.post(chatPath, openAIBody(`,"stream":true`), aiKey).body), raw[0]+raw[1]+raw[3]; got != want {
		t.Errorf("without usage: got %q, want %q", got, want)
	}
	for _, asked := range []string{`,"stream_options":{"include_usage":true}`, `,"usage":{"include":true}`, `,"usage":{"include":true},"stream_options":{"include_usage":false}`} {
		if got, want := string(w.post(chatPath, openAIBody(`,"stream":true`+asked), aiKey).body), strings.Join(raw, ""); got != want {
			t.Errorf("with usage: got %q, want %q", got, want)
		}
	}
}

func TestAStreamThatBreaksSaysSo(t *testing.T) {
	broken := fault.New(fault.Upstream, "provider_error", "the provider failed").With(errors.New("kept inside"))
	w := start(t)
	for _, relayed := range []bool{true, false} {
		w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
			return streamFrom(relayed, func(yield func(inbound.Piece, error) bool) {
				_ = yield(inbound.Piece{Raw: []byte("data: {\"choices\":[]}\n\n"), Chunk: chat.Chunk{Text: "a"}}, nil) && yield(inbound.Piece{}, broken)
			}), nil
		}
		got := string(w.post(chatPath, openAIBody(`,"stream":true`), aiKey).body)
		const want = `data: {"error":{"message":"the provider failed","type":"server_error","code":"provider_error","param":null}}` + "\n\n"
		if !strings.HasSuffix(got, want) || strings.Contains(got, "[DONE]") {
			t.Errorf("relayed %t: got %s", relayed, got)
		}
	}
	got := w.post(execute, `{"task":"x","stream":true}`, aiKey)
	want := "event: delta\ndata: {\"text\":\"a\"}\n\nevent: error\ndata: {\"type\":\"http://localhost:8000/problems/provider_error\",\"title\":\"Provider failed\",\"status\":502," +
		"\"detail\":\"the provider failed\",\"code\":\"provider_error\",\"request_id\":\"" + got.header.Get("X-Request-Id") + "\"}\n\n"
	if string(got.body) != want {
		t.Errorf("execute: got %s, want %s", got.body, want)
	}
	last := w.lines()[len(w.lines())-1]
	if last["status"] != 200.0 || last["code"] != "provider_error" {
		t.Errorf("got the log line %v", last)
	}
}

func TestAStreamThatFailsBeforeItsFirstPieceIsAnOrdinaryFailure(t *testing.T) {
	w := start(t)
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		return inbound.StreamAnswer{Head: receipt()}, fault.New(fault.Exhausted, "providers_rate_limited", "wait").After(7 * time.Second)
	}
	for _, tc := range [][2]string{{execute, `{"task":"x","stream":true}`}, {chatPath, openAIBody(`,"stream":true`)}} {
		got := w.post(tc[0], tc[1], aiKey)
		if got.status != 429 || got.code() != "providers_rate_limited" || got.header.Get("Retry-After") != "7" || got.header.Get("X-Forge-Decision-Id") != "d1" {
			t.Errorf("%s: got %s", tc[0], got)
		}
	}
}

func TestASilentStreamSendsItsHeaders(t *testing.T) {
	for name, failure := range map[string]error{"and then answers": nil, "and then fails": fault.New(fault.Timeout, "provider_timeout", "too slow")} {
		t.Run(name, func(t *testing.T) {
			w := start(t, func(c *rest.Config) { c.SilenceTimeout, c.Heartbeat = 50*time.Millisecond, 50*time.Millisecond })
			seen := make(chan struct{})
			w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
				<-seen
				return streamOf(false, chunks("late")...), failure
			}
			resp := w.open(chatPath, openAIBody(`,"stream":true`))
			defer resp.Body.Close()
			r := bufio.NewReader(resp.Body)
			for range 2 {
				if frame := frameOf(t, r); frame != ": heartbeat\n\n" {
					t.Fatalf("got %q, want a heartbeat", frame)
				}
			}
			close(seen)
			rest, _ := io.ReadAll(r)
			want := `"content":"late"`
			if failure != nil {
				want = `data: {"error":{"message":"too slow","type":"server_error","code":"provider_timeout","param":null}}`
			}
			if resp.StatusCode != 200 || !strings.Contains(string(rest), want) {
				t.Errorf("got %d %s, want %s", resp.StatusCode, rest, want)
			}
		})
	}
}

func TestHeartbeatsFillAPause(t *testing.T) {
	w := start(t, func(c *rest.Config) { c.Heartbeat = 30 * time.Millisecond })
	seen := make(chan struct{})
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		return streamFrom(true, func(yield func(inbound.Piece, error) bool) {
			if yield(inbound.Piece{Raw: []byte("data: 1\n\n")}, nil) {
				<-seen
				yield(inbound.Piece{Raw: []byte("data: 2\n\n")}, nil)
			}
		}), nil
	}
	resp := w.open(chatPath, openAIBody(`,"stream":true`))
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	if got := frameOf(t, r) + frameOf(t, r) + frameOf(t, r); got != "data: 1\n\n: heartbeat\n\n: heartbeat\n\n" {
		t.Errorf("got %q", got)
	}
	close(seen)
	if rest, _ := io.ReadAll(r); !strings.HasSuffix(string(rest), "data: 2\n\n") {
		t.Errorf("got %q", rest)
	}
}

func TestFramesAreFlushedAsTheyCome(t *testing.T) {
	w := start(t)
	next := make(chan struct{})
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		return streamFrom(true, func(yield func(inbound.Piece, error) bool) {
			for i := range 5 {
				if !yield(inbound.Piece{Raw: fmt.Appendf(nil, "data: %d\n\n", i)}, nil) {
					return
				}
				<-next // the client has this frame before there is another
			}
		}), nil
	}
	resp := w.open(chatPath, openAIBody(`,"stream":true`))
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	for i := range 5 {
		if got, want := frameOf(t, r), fmt.Sprintf("data: %d\n\n", i); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
		next <- struct{}{}
	}
}

// open posts and gives the answer with its body unread.
func (w *world) open(path, body string) *http.Response {
	w.t.Helper()
	req, err := http.NewRequest("POST", "http://"+w.addr+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+aiKey)
	resp, err := w.client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp
}

// frameOf reads one frame.
func frameOf(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	var b strings.Builder
	for !strings.HasSuffix(b.String(), "\n\n") {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("got %q, then %v", b.String(), err)
		}
		b.WriteString(line)
	}
	return b.String()
}
