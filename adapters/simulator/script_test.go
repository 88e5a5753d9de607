package simulator_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/simulator"
)

const (
	capital = "POST /v1/chat/completions HTTP/1.1\nContent-Type: application/json\n\n" +
		`{"model":"gpt-case","messages":[{"role":"user","content":"Capital of Peru?"}]}` +
		"\n###\nHTTP/1.1 200 OK\nContent-Type: application/json\nX-Request-Id: req_1\nContent-Length: 9\n\n"
	weather = "POST /v1/chat/completions HTTP/1.1\nContent-Type: application/json\n\n" +
		`{"model":"gpt-case","messages":[{"role":"user","content":"Rain?"}],"tools":[{"type":"function","function":{"name":"weather"}}]}` +
		"\n###\nHTTP/1.1 200 OK\nContent-Type: application/json\n\n"
	weatherTool = `,"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]`
)

func scripted(t *testing.T) *world {
	t.Helper()
	return start(t, simulator.Config{Cases: cases(simulator.OpenAI, map[string]string{
		"capital":   capital + `{"a":1}` + "\n\n",
		"capital-2": capital + `{"a":2}`,
		"wrong":     "# want-class: bad_response\n" + capital + `{"a":3}`,
		"broken":    "# tags: truncated\n" + capital + `{"a":4}`,
		"weather":   weather + `{"tool":1}`,
		"quota": "POST /v1/chat/completions HTTP/1.1\n\n" + `{"model":"gpt-lost","messages":[]}` +
			"\n###\nHTTP/1.1 429 Too Many Requests\nContent-Type: application/json\nRetry-After: 3\n\n" + `{"error":{"code":"insufficient_quota"}}`,
		"teapot": "POST /v1/chat/completions HTTP/1.1\n\n{}\n###\nHTTP/1.1 418 Teapot\nContent-Type: text/plain\n\nshort",
		"stream": "POST /v1/chat/completions HTTP/1.1\n\n" + `{"model":"gpt-case","stream":true,"messages":[{"role":"user","content":"Go"}]}` +
			"\n###\nHTTP/1.1 200 OK\nContent-Type: text/event-stream\n\n: wait\n\ndata: 1\r\n\r\ndata: 2\n\ndata: [DONE]\n\n",
	})})
}

func TestARequestPlaysTheCaseThatItNames(t *testing.T) {
	t.Parallel()
	w := scripted(t)
	const path = "/chat/completions"
	for name, c := range map[string]struct {
		header, body string
		status       int
		want         string
	}{
		"by header":                        {"capital", chatWith("gpt-4.1-mini", ""), 200, "{\"a\":1}\n\n"},
		"by header, of a wrong request":    {"wrong", `{"messages":7}`, 200, `{"a":3}`},
		"by model":                         {"", chatWith("broken", ""), 200, `{"a":4}`},
		"by the last user message":         {"", chatMessages("gpt-4.1-mini", `{"role":"user","content":"now [[case:teapot]], please"}`), 418, "short"},
		"an error with its header":         {"quota", chatWith("gpt-4.1-mini", ""), 429, `insufficient_quota`},
		"a stream, also of a whole call":   {"stream", chatWith("gpt-4.1-mini", ""), 200, ": wait\n\ndata: 1\r\n\r\ndata: 2\n\ndata: [DONE]\n\n"},
		"a case that there is not":         {"nowhere", chatWith("gpt-4.1-mini", ""), 400, `no wire case named \"nowhere\"`},
		"only the last user message names": {"", chatMessages("gpt-case", `{"role":"user","content":"[[case:teapot]]"},{"role":"user","content":"no"}`), 200, `chat.completion`},
	} {
		t.Run(name, func(t *testing.T) {
			r := w.post(simulator.OpenAI, path, c.body)
			if c.header != "" {
				r.Header.Set("X-Sim-Case", c.header)
			}
			res, body := w.must(r)
			if res.StatusCode != c.status || !strings.Contains(body, c.want) {
				t.Errorf("answer = %d %s, want %d %s", res.StatusCode, body, c.status, c.want)
			}
			if c.status == 429 && res.Header.Get("Retry-After") != "3" {
				t.Errorf("header = %v, want the case's", res.Header)
			}
		})
	}
	s := w.stats(simulator.OpenAI)
	got := []int64{s.Requests, s.OK, s.Failed, s.Refused, s.Canceled, s.Cut, s.InFlight}
	if diff := cmp.Diff([]int64{8, 5, 1, 2, 0, 0, 0}, got); diff != "" {
		t.Errorf("stats %+v (-want +got):\n%s", s, diff)
	}
}

func TestARequestPlaysTheCasesThatFit(t *testing.T) {
	t.Parallel()
	w := scripted(t)
	ask := func(body string) string {
		t.Helper()
		res, got := w.must(w.post(simulator.OpenAI, "/chat/completions", body))
		if res.StatusCode != 200 {
			t.Fatalf("%s = %d %s", body, res.StatusCode, got)
		}
		return strings.TrimSpace(got)
	}
	peru := chatMessages("gpt-4.1-mini", `{"role":"user","content":"Capital of Peru?"}`)
	turns := []string{ask(peru), ask(peru), ask(peru), ask(peru)}
	if diff := cmp.Diff([]string{`{"a":2}`, `{"a":1}`, `{"a":2}`, `{"a":1}`}, turns); diff != "" {
		t.Errorf("two fitting cases take turns, those with a fault left out (-want +got):\n%s", diff)
	}
	w.configure(simulator.OpenAI, simulator.Behaviour{Seed: 4}) // whose phase is odd
	first := ask(peru)
	w.configure(simulator.OpenAI, simulator.Behaviour{Seed: 7})
	if second := ask(peru); first == second {
		t.Errorf("two seeds begin alike with %s", first)
	}
	if got := ask(chatWith("gpt-4.1-mini", weatherTool)); got != `{"tool":1}` {
		t.Errorf("a request with the same tools = %s, want the tool case", got)
	}
	if got := ask(chatWith("gpt-case", "")); !strings.Contains(got, `"object": "chat.completion"`) {
		t.Errorf("a request that no case fits = %s, want a made-up answer by a model that a case knows", got)
	}
	if got := ask(chatMessages("gpt-4.1-mini", `{"role":"user","content":"Go"}`)); strings.Contains(got, "data:") {
		t.Errorf("a whole call plays a stream: %s", got)
	}
	stream := `{"model":"gpt-4.1-mini","stream":true,"messages":[{"role":"user","content":"Go"}]}`
	if got := ask(stream); !strings.HasPrefix(got, ": wait") {
		t.Errorf("a stream = %s, want the stream case", got)
	}
}

func TestCaseModelsAreKnownAndListedButNotThoseOfFailures(t *testing.T) {
	t.Parallel()
	w := scripted(t)
	if res, _ := w.must(w.post(simulator.OpenAI, "/chat/completions", chatWith("gpt-lost", ""))); res.StatusCode != 404 {
		t.Errorf("the model of a failing case = %d, want 404", res.StatusCode)
	}
	r := w.post(simulator.OpenAI, "/models", "")
	r.Method = http.MethodGet
	_, body := w.must(r)
	list := decode[struct{ Data []struct{ ID string } }](t, body)
	var got []string
	for _, m := range list.Data {
		got = append(got, m.ID)
	}
	if diff := cmp.Diff([]string{"gpt-4.1-mini", "gpt-5-mini", "gpt-case"}, got); diff != "" {
		t.Errorf("models (-want +got):\n%s", diff)
	}
}

func TestEveryVendorListsItsModels(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for vendor, path := range map[string]string{
		simulator.OpenAI: "/models", simulator.OpenRouter: "/models", simulator.Anthropic: "/v1/models", simulator.Gemini: "/v1beta/models",
	} {
		r := w.post(vendor, path, "")
		r.Method = http.MethodGet
		if vendor == simulator.OpenRouter {
			r.Header.Del("Authorization") // its list is open
		}
		res, body := w.must(r)
		for _, name := range models[vendor] {
			if res.StatusCode != 200 || !strings.Contains(body, name) {
				t.Errorf("%s lists %d %s, want %s", vendor, res.StatusCode, body, name)
			}
		}
	}
	r := w.post(simulator.OpenAI, "/models/gpt-5-mini", "")
	r.Method = http.MethodGet
	if res, body := w.must(r); res.StatusCode != 200 || !strings.Contains(body, `"id":"gpt-5-mini"`) {
		t.Errorf("one model = %d %s", res.StatusCode, body)
	}
}

func TestTheVendorsOwnCasesPlayByteForByte(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob("../llm/*/testdata")
	if err != nil || len(folders) == 0 {
		t.Fatalf("vendors' wire cases: %v, %v", folders, err)
	}
	for _, folder := range folders {
		vendor := filepath.Base(filepath.Dir(folder))
		if vendor == "bedrock" {
			continue // whose frames are binary, and who is not played
		}
		all, err := simulator.ParseCases(os.DirFS(folder))
		if err != nil {
			t.Fatal(err)
		}
		config := simulator.Config{Cases: cases(vendor, nil)}
		config.Cases[vendor] = os.DirFS(folder)
		w := start(t, config)
		for _, c := range all {
			path := strings.TrimPrefix(strings.TrimPrefix(c.Path, "/api"), "/v1/chat")
			if strings.HasPrefix(path, "/completions") {
				path = "/chat" + path
			}
			r := w.post(vendor, path, string(c.RequestBody))
			r.Method = c.Method
			r.Header.Set("X-Sim-Case", c.Name)
			if res, body := w.must(r); res.StatusCode != c.Status || body != string(c.Body) {
				t.Errorf("%s plays %d %q\nwant %d %q", c.Name, res.StatusCode, body, c.Status, c.Body)
			}
		}
	}
}
