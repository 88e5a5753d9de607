package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/forge1/forge1/test/harness"
)

// event is one server-sent event.
type event struct{ name, data string }

// events reads a stream to its end.
func events(t *testing.T, r io.Reader) []event {
	t.Helper()
	var out []event
	var e event
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		name, data, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case lines.Text() == "":
			if e != (event{}) {
				out = append(out, e)
			}
			e = event{}
		case name == "event":
			e.name = data
		case name == "data":
			e.data += data
		}
	}
	if err := lines.Err(); err != nil {
		t.Errorf("read the stream: %v", err)
	}
	return out
}

func TestABreakingVendorIsATypedFailureAndNeverHalfAnAnswer(t *testing.T) {
	tests := map[string]struct {
		behaviour string
		status    int
		code      string
		outcome   string
	}{
		"an error status":          {`{"fail_rate":1,"fail_status":500}`, http.StatusBadGateway, "provider_error", "server_error"},
		"overload":                 {`{"fail_rate":1,"fail_status":503}`, http.StatusBadGateway, "provider_error", "overloaded"},
		"a rate limit":             {`{"fail_rate":1,"fail_status":429,"retry_after":200}`, http.StatusTooManyRequests, "providers_rate_limited", "rate_limited"},
		"a refused credential":     {`{"fail_rate":1,"fail_status":401}`, http.StatusBadGateway, "provider_error", "auth_error"},
		"a reset connection":       {`{"fail_rate":1,"fail_status":0}`, http.StatusBadGateway, "provider_error", "connect_error"},
		"a body cut in the middle": {`{"cut_after_events":1}`, http.StatusBadGateway, "provider_error", ""},
		"silence":                  {`{"stall":true}`, http.StatusGatewayTimeout, "provider_timeout", "timeout"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := harness.New(t, harness.Options{Env: map[string]string{"FIRST_BYTE_TIMEOUT": "300ms", "STREAM_IDLE_TIMEOUT": "300ms"}})
			for _, v := range []string{"openai", "anthropic", "gemini", "openrouter"} {
				f.Behave(t, v, tc.behaviour)
			}
			a := f.Do(t, http.MethodPost, "/api/v1/ai/execute", map[string]string{"task": "Say hello."})
			if a.Status != tc.status || a.Field("code") != tc.code {
				t.Errorf("execute: got %d %s, want %d %s", a.Status, a.Body, tc.status, tc.code)
			}
			if a.Header.Get("X-Forge-Decision-Id") == "" {
				t.Error("execute: a refusal without X-Forge-Decision-Id")
			}
			if tc.outcome != "" && !strings.Contains(f.Log(), tc.outcome) {
				t.Errorf("the log does not say %q", tc.outcome)
			}
			o := f.Do(t, http.MethodPost, "/v1/chat/completions", map[string]any{"model": "auto", "messages": []map[string]string{{"role": "user", "content": "hello"}}})
			if o.Status/100 != 5 && o.Status != http.StatusTooManyRequests || !strings.Contains(string(o.Body), `"error"`) {
				t.Errorf("chat completions: got %d %s, want a typed error", o.Status, o.Body)
			}
		})
	}
}

func TestAStreamThatBreaksAfterContentEndsInATypedErrorAndNothingIsSaidTwice(t *testing.T) {
	f := harness.New(t, harness.Options{})
	for vendor, events := range map[string]int{"openai": 4, "anthropic": 6, "gemini": 3, "openrouter": 4} { // past the first piece, short of the last
		f.Behave(t, vendor, fmt.Sprintf(`{"mode":"echo","cut_after_events":%d}`, events))
	}
	for _, model := range []string{"openai/gpt-4o-mini", "claude/claude-haiku-4-5", "gemini/gemini-2.5-flash", "openrouter/openai/gpt-4o-mini"} {
		t.Run(model, func(t *testing.T) {
			res := f.Open(t, http.MethodPost, "/api/v1/ai/execute", map[string]any{"task": "Stream, then break.", "model_name": model, "stream": true})
			got := events(t, res.Body)
			_ = res.Body.Close()
			if len(got) < 2 || got[0].name != "delta" || got[len(got)-1].name != "error" {
				t.Fatalf("got %v, want deltas and a final error event", got)
			}
			var p struct {
				Code   string
				Status int
			}
			if err := json.Unmarshal([]byte(got[len(got)-1].data), &p); err != nil || p.Code != "provider_error" || p.Status != http.StatusBadGateway {
				t.Errorf("got the error event %s, want a problem provider_error 502", got[len(got)-1].data)
			}
			for _, e := range got {
				if e.name == "done" {
					t.Error("a broken stream said done")
				}
			}

			res = f.Open(t, http.MethodPost, "/v1/chat/completions", map[string]any{
				"model": model, "stream": true, "messages": []map[string]string{{"role": "user", "content": "Stream, then break."}},
			})
			raw, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if text := string(raw); !strings.Contains(text, `"error"`) || strings.Contains(text, "[DONE]") {
				t.Errorf("chat completions: got %q, want an error event and no [DONE]", text)
			}
		})
	}
}

func TestWhenTheClientLeavesTheUpstreamCallEnds(t *testing.T) {
	f := harness.New(t, harness.Options{})
	f.Behave(t, "openai", `{"mode":"echo","chunk_delay_ms":20}`)
	f.Behave(t, "anthropic", `{"stall":true}`)
	for name, tc := range map[string]struct{ vendor, model string }{
		"in the middle of a stream":  {"openai", "openai/gpt-4o-mini"},
		"while nothing has come yet": {"anthropic", "claude/claude-haiku-4-5"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, leave := context.WithCancel(t.Context())
			body := `{"task":"` + strings.Repeat("count to a thousand ", 50) + `","stream":true,"model_name":"` + tc.model + `"}`
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.URL+"/api/v1/ai/execute", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+f.Key)
			left := make(chan struct{})
			go func() {
				defer close(left)
				res, err := http.DefaultClient.Do(req)
				if err == nil {
					_, _ = bufio.NewReader(res.Body).ReadString('\n')
					<-ctx.Done()
					_ = res.Body.Close()
				}
			}()
			harness.Eventually(t, "the call to reach the vendor", func() bool { return f.VendorStats(t, tc.vendor).InFlight == 1 })
			leave()
			<-left
			harness.Eventually(t, "the vendor to see the client leave", func() bool {
				s := f.VendorStats(t, tc.vendor)
				return s.InFlight == 0 && s.Canceled == 1
			})
		})
	}
}

func TestALyingVendorIsABadResponse(t *testing.T) {
	bodies := map[string]struct{ contentType, body string }{
		"HTML":                 {"text/html", "<html><body>503 Service Temporarily Unavailable</body></html>"},
		"an empty body":        {"application/json", ""},
		"an error with 200":    {"application/json", `{"error":{"message":"Provider returned error","code":502}}`},
		"no choices":           {"application/json", `{"id":"x","object":"chat.completion","model":"gpt-4o-mini"}`},
		"JSON that breaks off": {"application/json", `{"id":"x","choices":[{"message":{"content":"half an ans`},
		"a megabyte of spaces": {"application/json", strings.Repeat(" ", 1<<20)},
	}
	for name, tc := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tc.contentType)
				_, _ = io.WriteString(w, tc.body)
			}))
			t.Cleanup(liar.Close)
			f := harness.New(t, harness.Options{NoKeys: true, Env: map[string]string{"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": liar.URL}})
			for _, path := range []string{"/api/v1/ai/execute", "/v1/chat/completions"} {
				for _, stream := range []bool{false, true} {
					body := map[string]any{"task": "hello", "stream": stream}
					if path != "/api/v1/ai/execute" {
						body = map[string]any{"model": "auto", "stream": stream, "messages": []map[string]string{{"role": "user", "content": "hello"}}}
					}
					a := f.Do(t, http.MethodPost, path, body)
					if a.Status != http.StatusBadGateway && a.Status != http.StatusServiceUnavailable {
						t.Errorf("%s, stream %v: got %d %s, want 502, or 503 once the breaker is open", path, stream, a.Status, a.Body)
					}
					if strings.Contains(string(a.Body), "Temporarily") || strings.Contains(string(a.Body), "half an ans") {
						t.Errorf("%s: the vendor's body reached the client: %s", path, a.Body)
					}
				}
			}
		})
	}
}

func TestWithoutAnyKeyTheRefusalSaysWhyForEachProvider(t *testing.T) {
	f := harness.New(t, harness.Options{NoKeys: true})
	a := f.Do(t, http.MethodPost, "/api/v1/ai/execute", map[string]string{"task": "hello"})
	if a.Status != http.StatusServiceUnavailable || a.Field("code") != "no_provider_available" {
		t.Fatalf("got %d %s, want 503 no_provider_available", a.Status, a.Body)
	}
	for _, name := range []string{"openai", "claude", "gemini", "openrouter", "not_configured"} {
		if !strings.Contains(string(a.Body), name) {
			t.Errorf("the refusal %s does not name %s", a.Body, name)
		}
	}
	a = f.Do(t, http.MethodPost, "/api/v1/ai/execute", map[string]string{"task": "hello", "model_name": "gpt-4o-mini"})
	if a.Status != http.StatusServiceUnavailable || !strings.Contains(string(a.Body), "openai") {
		t.Errorf("a known model without key: got %d %s, want 503 naming openai", a.Status, a.Body)
	}
}

func TestARunningStreamIsDrainedAtShutdown(t *testing.T) {
	f := harness.New(t, harness.Options{})
	f.Behave(t, "openai", `{"mode":"echo","chunk_delay_ms":20}`)
	res := f.Open(t, http.MethodPost, "/api/v1/ai/execute", map[string]any{"task": "Stream while the server stops.", "model_name": "openai/gpt-4o-mini", "stream": true})
	defer func() { _ = res.Body.Close() }()
	first := make([]byte, 16)
	if _, err := io.ReadFull(res.Body, first); err != nil {
		t.Fatalf("the first piece: %v", err)
	}
	stopped := make(chan struct{})
	go func() { f.Stop(); close(stopped) }()
	rest, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(rest), "event: done") {
		t.Errorf("the stream ended with %v and %q, want its done event", err, rest)
	}
	<-stopped
}
