package simulator_test

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/test/fixtures"
)

// recorded is a request that a vendor was really sent.
type recorded struct {
	ID     string `json:"id"`
	Vendor string `json:"vendor"`
	API    string `json:"api"`
	Status int    `json:"status"`

	path, body, answer string
}

// recordings reads what the vendors were sent; a public clone has none.
func recordings(t *testing.T) []recorded {
	t.Helper()
	dir, there := fixtures.Dir(t, fixtures.Wire)
	if !there {
		return nil
	}
	index, err := os.ReadFile(filepath.Join(dir, "index.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var out []recorded
	for line := range strings.Lines(string(index)) {
		r := decode[recorded](t, line)
		raw, err := os.ReadFile(filepath.Join(dir, r.ID, "request.json"))
		if err != nil {
			continue // the answer alone is known
		}
		request := decode[struct {
			Method, Path string
			Query        any
			Body         json.RawMessage
		}](t, string(raw))
		answer, err := os.ReadFile(filepath.Join(dir, r.ID, "response.body"))
		if err != nil {
			t.Fatal(err)
		}
		if request.Method != http.MethodPost || len(request.Body) == 0 || request.Body[0] != '{' {
			continue
		}
		r.path, r.body, r.answer = request.Path, string(request.Body), string(answer)
		out = append(out, r)
	}
	return out
}

func TestWhatTheVendorsTookIsTaken(t *testing.T) {
	t.Parallel()
	files := map[string]fstest.MapFS{}
	all := recordings(t)
	for _, r := range all { // so that the signatures in them are known
		if files[r.Vendor] == nil {
			files[r.Vendor] = fstest.MapFS{}
		}
		text := "# tags: error\nPOST " + r.path + " HTTP/1.1\n\n" + r.body + "\n###\nHTTP/1.1 200 OK\nContent-Type: application/json\n\n" + r.answer
		files[r.Vendor][r.ID+".http"] = &fstest.MapFile{Data: []byte(text)}
	}
	config := simulator.Config{Models: map[string][]string{}, Cases: map[string]fs.FS{}}
	for vendor, tree := range files {
		config.Cases[vendor] = tree
	}
	w := start(t, config)
	for _, r := range all {
		path := r.path
		if r.Vendor == simulator.OpenAI || r.Vendor == simulator.OpenRouter {
			path = strings.TrimPrefix(strings.TrimPrefix(path, "/api"), "/v1")
		}
		if r.Status != http.StatusOK || r.Vendor == simulator.OpenRouter && r.API == "responses" || !strings.HasPrefix(path, "/") {
			continue
		}
		if strings.Contains(r.body, `"previous_response_id":"`) || strings.Contains(path, "/publishers/") {
			continue // what went before is not known; Vertex is another door
		}
		res, body := w.must(w.post(r.Vendor, path, r.body))
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s (%s) = %d %s", r.ID, path, res.StatusCode, body)
		}
	}
}
