package simulator_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/simulator"
)

// FuzzRequests sends any body to every way to ask for an answer: each is answered well or refused, in JSON, and nothing breaks.
func FuzzRequests(f *testing.F) {
	paths := map[string]string{
		"/openai/v1/embeddings": simulator.OpenAI, "/anthropic/v1/messages/count_tokens": simulator.Anthropic,
		"/gemini/v1beta/models/gemini-3-pro:generateContent": simulator.Gemini, "/gemini/v1beta/models/gemini-3-pro:countTokens": simulator.Gemini,
		"/gemini/v1beta/models/gemini-embedding-001:batchEmbedContents": simulator.Gemini, "/gemini/v1beta/models/gemini-embedding-001:embedContent": simulator.Gemini,
		"/openrouter/api/v1/embeddings": simulator.OpenRouter,
	}
	for _, s := range surfaces {
		paths[simulator.BasePath(s.vendor)+s.path] = s.vendor
		f.Add(strings.Replace(s.body, "%s", `"[sim:thinking,tools=2] go"`, 1))
		f.Add(strings.Replace(s.body, "%s", `"[sim:cite=3,say=x]"`, 1))
	}
	for _, body := range []string{
		chatMessages("gpt-5-mini", `{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"a"},{"id":"b"}]},{"role":"tool","tool_call_id":"b","content":"{}"},{"role":"tool","tool_call_id":"a","content":"y"}`),
		anthropicMessages(`{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"y"},{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"}]}`),
		responsesInput(`{"type":"reasoning","id":"rs_00","encrypted_content":"gAAAAAB"},{"type":"function_call","call_id":"a"},{"type":"function_call_output","call_id":"a","output":[{"type":"input_text"}]}`),
		`{"contents":[{"parts":[{"text":"x"}]},{"role":"model","parts":[{"functionCall":{"name":"f"},"thoughtSignature":"x"}]},{"parts":[{"functionResponse":{"name":"f"}}]}]}`,
		`{"model":"text-embedding-3-small","input":["x",[1,2]],"dimensions":3,"encoding_format":"base64"}`,
		`{"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"x"}]}}]}`,
		`{"":{"":""}}`, `[]`, `null`, `{"model":"gpt-4.1-mini","messages":[null],"tools":[null],"n":128}`, `{"contents":[{"parts":[null]}]}`,
	} {
		f.Add(body)
	}
	sim, err := simulator.New(simulator.Config{})
	if err != nil {
		f.Fatal(err)
	}
	handler := sim.Handler()
	f.Fuzz(func(t *testing.T, body string) {
		if strings.Contains(body, "[sim:bytes") || strings.Contains(body, `"dimensions"`) && len(body) > 4096 {
			return // only large
		}
		for _, path := range slices.Sorted(maps.Keys(paths)) {
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			authorize(r, paths[path], "sk-test")
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			answer := w.Body.Bytes()
			switch {
			case w.Code != 200 && w.Code != 400 && w.Code != 404 && w.Code != 500:
				t.Errorf("%s = %d %s", path, w.Code, answer)
			case w.Code == 500 && !strings.Contains(body, "error"):
				t.Errorf("%s fails without being asked: %s", path, answer)
			case !strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") && !json.Valid(answer):
				t.Errorf("%s = %q, want JSON", path, answer)
			}
		}
	})
}
