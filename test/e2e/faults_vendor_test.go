package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/test/harness"
)

// wholeAnswer is a whole answer of OpenAI's.
const wholeAnswer = `{"id":"c","object":"chat.completion","created":1,"model":"gpt-4o-mini","choices":[{"index":0,"finish_reason":"stop",` +
	`"message":{"role":"assistant","content":"fine"}}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}`

// behind runs Forge with one provider, openai, which a handler plays.
func behind(t *testing.T, env map[string]string, vendor http.HandlerFunc) *harness.Forge {
	t.Helper()
	server := httptest.NewServer(vendor)
	t.Cleanup(server.Close)
	all := map[string]string{"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": server.URL}
	for name, value := range env {
		all[name] = value
	}
	return harness.New(t, harness.Options{NoKeys: true, Env: all})
}

var hello = map[string]any{"task": "hello", "context": map[string]any{"cache": false}}

func TestAVendorThatLiesAboutWhenToComeBackIsBounded(t *testing.T) {
	for name, tc := range map[string]struct {
		header, value string
		least, most   int // of our own Retry-After
	}{
		"a year":                    {"Retry-After", "31536000", 290, 300},
		"a year in milliseconds":    {"Retry-After-Ms", "31536000000", 290, 300},
		"a date without end":        {"Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT", 290, 300},
		"less than nothing":         {"Retry-After", "-86400", 1, 2},
		"not a number":              {"Retry-After", "NaN", 1, 2},
		"nothing that can be read":  {"Retry-After", "when it rains", 1, 2},
		"a minute that is honoured": {"Retry-After", "250", 245, 250},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := behind(t, nil, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set(tc.header, tc.value)
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = io.WriteString(w, `{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}`)
			})
			a := f.Do(t, http.MethodPost, "/api/v1/ai/execute", hello)
			after, err := strconv.Atoi(a.Header.Get("Retry-After"))
			if a.Status != http.StatusTooManyRequests || err != nil || after < tc.least || after > tc.most {
				t.Errorf("got %d %s with Retry-After %q, want 429 and %d to %d", a.Status, a.Body, a.Header.Get("Retry-After"), tc.least, tc.most)
			}
		})
	}
}

func TestAnAnswerWithRetryAfterIsNoThrottle(t *testing.T) {
	f := behind(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "61")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, wholeAnswer)
	})
	for range 3 {
		var got executed
		f.JSON(t, http.MethodPost, "/api/v1/ai/execute", hello, &got)
		if got.Output != "fine" || len(got.Metadata.Attempts) != 1 {
			t.Errorf("got %+v, want an answer at once", got)
		}
	}
}

func TestAVendorsRefusalOfAValueStaysWhatItIs(t *testing.T) {
	var calls atomic.Int32
	f := behind(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"error":{"message":"top_k must be positive","type":"invalid_request_error","param":"top_k","code":null}}`)
	})
	a := f.Do(t, http.MethodPost, "/api/v1/ai/execute", hello)
	if a.Status != http.StatusUnprocessableEntity || !strings.Contains(string(a.Body), "top_k must be positive") {
		t.Errorf("execute: got %d %s, want the vendor's 422", a.Status, a.Body)
	}
	o := f.Do(t, http.MethodPost, "/v1/chat/completions", map[string]any{"model": "auto", "messages": []map[string]string{{"role": "user", "content": "hi"}}})
	if o.Status != http.StatusUnprocessableEntity || !strings.Contains(string(o.Body), `"param":"top_k"`) {
		t.Errorf("chat completions: got %d %s, want the vendor's 422", o.Status, o.Body)
	}
	if n := calls.Load(); n != 2 {
		t.Errorf("the vendor was asked %d times, want once for each call", n)
	}
}

func TestOneGoodKeyOfThreeIsEnough(t *testing.T) {
	var asked [3]atomic.Int32
	f := behind(t, map[string]string{"OPENAI_API_KEY": "key-0,key-1,key-2"}, func(w http.ResponseWriter, r *http.Request) {
		key, _ := strconv.Atoi(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer key-"))
		asked[key].Add(1)
		w.Header().Set("Content-Type", "application/json")
		switch key {
		case 0:
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}`)
		case 1:
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"error":{"message":"slow down","code":"rate_limit_exceeded"}}`)
		default:
			_, _ = io.WriteString(w, wholeAnswer)
		}
	})
	for i := range 30 {
		body := map[string]any{"task": fmt.Sprint("hello ", i), "context": map[string]any{"cache": false}, "model_name": []string{"gpt-4o-mini", "auto"}[i%2]}
		if a := f.Do(t, http.MethodPost, "/api/v1/ai/execute", body); a.Status != http.StatusOK {
			t.Fatalf("call %d: got %d %s, want the good key to serve", i, a.Status, a.Body)
		}
	}
	if asked[0].Load() != 1 || asked[1].Load() != 1 || asked[2].Load() != 30 {
		t.Errorf("the keys were asked %d, %d and %d times, want 1, 1 and 30", asked[0].Load(), asked[1].Load(), asked[2].Load())
	}
}

func TestAStreamOfKeepAlivesAloneFailsInTime(t *testing.T) {
	f := behind(t, map[string]string{"FIRST_BYTE_TIMEOUT": "300ms", "STREAM_IDLE_TIMEOUT": "10s"}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, ": PROCESSING\n\n"); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(50 * time.Millisecond): // well within the idle time
			}
		}
	})
	a := f.Do(t, http.MethodPost, "/v1/chat/completions", map[string]any{
		"model": "gpt-4o-mini", "stream": true, "messages": []map[string]string{{"role": "user", "content": "hi"}},
	})
	if a.Status != http.StatusGatewayTimeout || a.Header.Get("X-Should-Retry") != "false" {
		t.Errorf("got %d %s, x-should-retry %q; want 504 after the attempts are used up", a.Status, a.Body, a.Header.Get("X-Should-Retry"))
	}
}
