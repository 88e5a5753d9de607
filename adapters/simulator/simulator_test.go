package simulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"github.com/forge1/forge1/adapters/simulator"
)

// TestMain leaves out a goroutine that a package under Gemini's client starts as it is loaded.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"))
}

// models are what the tests' vendors know.
var models = map[string][]string{
	simulator.OpenAI:     {"gpt-4.1-mini", "gpt-5-mini"},
	simulator.Anthropic:  {"claude-sonnet-4-5"},
	simulator.Gemini:     {"gemini-2.5-flash"},
	simulator.OpenRouter: {"anthropic/claude-haiku-4.5", "moonshotai/kimi-k2", "google/gemini-2.5-flash", "meta-llama/llama-3.3-70b"},
}

// world is a running simulator and a client of it.
type world struct {
	t      *testing.T
	sim    *simulator.Server
	run    *simulator.Running
	client *http.Client
}

func start(t *testing.T, config simulator.Config) *world {
	t.Helper()
	if config.Models == nil {
		config.Models = models
	}
	sim, err := simulator.New(config)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	run, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := run.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return &world{t: t, sim: sim, run: run, client: &http.Client{Transport: transport}}
}

func (w *world) configure(vendor string, b simulator.Behaviour) {
	w.t.Helper()
	if _, err := w.sim.Configure(vendor, b); err != nil {
		w.t.Fatalf("Configure(%s): %v", vendor, err)
	}
}

// request is a good request of the vendor's, with the text as its only message.
func (w *world) request(vendor, text string, stream bool) *http.Request {
	w.t.Helper()
	said, path := quote(text), ""
	var body string
	switch vendor {
	case simulator.OpenAI:
		path = "/chat/completions"
		body = `{"model":"gpt-4.1-mini","messages":[{"role":"user","content":` + said + `}]}`
	case simulator.OpenRouter:
		path = "/chat/completions"
		body = `{"model":"anthropic/claude-haiku-4.5","messages":[{"role":"user","content":` + said + `}]}`
	case simulator.Anthropic:
		path = "/v1/messages"
		body = `{"model":"claude-sonnet-4-5","max_tokens":1000,"messages":[{"role":"user","content":` + said + `}]}`
	case simulator.Gemini:
		path = "/v1beta/models/gemini-2.5-flash:generateContent"
		if stream {
			path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
		}
		body = `{"contents":[{"role":"user","parts":[{"text":` + said + `}]}]}`
	}
	if stream && vendor != simulator.Gemini {
		body = strings.TrimSuffix(body, "}") + `,"stream":true}`
	}
	return w.post(vendor, path, body)
}

// post makes a request with a good key.
func (w *world) post(vendor, path, body string) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.run.BaseURL(vendor)+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	authorize(r, vendor, "sk-test")
	return r
}

func authorize(r *http.Request, vendor, key string) {
	switch vendor {
	case simulator.Anthropic:
		r.Header.Set("X-Api-Key", key)
		r.Header.Set("Anthropic-Version", "2023-06-01")
	case simulator.Gemini:
		r.Header.Set("X-Goog-Api-Key", key)
	default:
		r.Header.Set("Authorization", "Bearer "+key)
	}
}

// do sends a request and reads all of the answer. The error is that of sending or reading.
func (w *world) do(r *http.Request) (*http.Response, string, error) {
	res, err := w.client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// must is do for a request that must succeed on the wire.
func (w *world) must(r *http.Request) (*http.Response, string) {
	w.t.Helper()
	res, body, err := w.do(r)
	if err != nil {
		w.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	return res, body
}

// control sends a control request.
func (w *world) control(method, path, body string) (int, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, "http://"+w.run.Addr()+"/_sim/"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	res, got := w.must(r)
	return res.StatusCode, got
}

func (w *world) stats(vendor string) simulator.Stats { return w.sim.Stats()[vendor] }

func quote(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// data gives the data of each event of a stream.
func data(stream string) []string {
	var out []string
	for line := range strings.Lines(stream) {
		if d, ok := strings.CutPrefix(line, "data: "); ok {
			out = append(out, strings.TrimRight(d, "\r\n"))
		}
	}
	return out
}

// decode reads JSON into a value of type T.
func decode[T any](t *testing.T, raw string) T {
	t.Helper()
	var v T
	if err := json.NewDecoder(bytes.NewReader([]byte(raw))).Decode(&v); err != nil {
		t.Fatalf("decode %q: %v", raw, err)
	}
	return v
}

// cases makes wire cases of files.
func cases(vendor string, files map[string]string) map[string]fs.FS {
	m := fstest.MapFS{}
	for name, text := range files {
		m["testdata/"+name+".http"] = &fstest.MapFile{Data: []byte(text)}
	}
	return map[string]fs.FS{vendor: m}
}

func withCancel(r *http.Request) (*http.Request, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.Context())
	return r.WithContext(ctx), cancel
}
