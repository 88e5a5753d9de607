package matrix_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/forge1/forge1/test/harness"
)

// said are the shortest answers of the vendors, by the end of the path that is asked.
var said = []struct{ path, body string }{
	{"/chat/completions", `{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Yes."},` +
		`"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`},
	{"/responses", `{"id":"resp_1","object":"response","created_at":1,"model":"m","status":"completed","output":[{"id":"msg_1","type":"message","role":"assistant",` +
		`"status":"completed","content":[{"type":"output_text","text":"Yes.","annotations":[]}]}],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}`},
	{"/messages", `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Yes."}],"stop_reason":"end_turn",` +
		`"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}`},
	{"/count_tokens", `{"input_tokens":1}`},
	{":countTokens", `{"totalTokens":1}`},
	{":generateContent", `{"candidates":[{"content":{"role":"model","parts":[{"text":"Yes."}]},"finishReason":"STOP"}],` +
		`"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}`},
	{":batchEmbedContents", `{"embeddings":[{"values":[0.5,0.25]}]}`},
	{"/embeddings", `{"object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":[0.5,0.25]}],"usage":{"prompt_tokens":1,"total_tokens":1}}`},
}

// listener is every vendor at once: it takes whatever it is sent, says yes, and remembers.
type listener struct {
	url  string
	mu   sync.Mutex
	last string // what was asked last: path, headers of options, and body
}

// listen runs a listener until the test ends.
func listen(t *testing.T) *listener {
	t.Helper()
	l := &listener{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read what Forge asks: %v", err)
		}
		l.mu.Lock()
		l.last = r.URL.Path + " " + r.Header.Get("anthropic-beta") + " " + string(body)
		l.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		for _, a := range said {
			if strings.HasSuffix(r.URL.Path, a.path) {
				_, _ = io.WriteString(w, a.body)
				return
			}
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(s.Close)
	l.url = s.URL
	return l
}

// heard gives what was asked since it was called last, "" for nothing.
func (l *listener) heard() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.last
	l.last = ""
	return last
}

// forge runs a Forge whose vendors are all the listener.
func (l *listener) forge(t *testing.T) *harness.Forge {
	t.Helper()
	return harness.New(t, harness.Options{Env: map[string]string{
		"OPENAI_BASE_URL": l.url + "/openai/v1", "ANTHROPIC_BASE_URL": l.url + "/anthropic", "GOOGLE_AI_BASE_URL": l.url + "/gemini",
		"OPENROUTER_BASE_URL": l.url + "/openrouter/api/v1", "CIRCUIT_BREAKER_THRESHOLD": "1000",
	}})
}
