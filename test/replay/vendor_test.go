package replay_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/forge1/forge1/test/conformance"
	"github.com/forge1/forge1/test/harness"
)

// vendor answers every call with the recording that is on, in pieces that are cut anywhere.
type vendor struct {
	mu    sync.Mutex
	on    *conformance.Recording
	asked []string // paths
}

func (v *vendor) play(r *conformance.Recording) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.on, v.asked = r, nil
}

// paths gives what was asked for since the recording is on.
func (v *vendor) paths() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.asked
}

// ServeHTTP implements http.Handler.
func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	v.mu.Lock()
	on := v.on
	v.asked = append(v.asked, r.URL.Path)
	v.mu.Unlock()
	for name, values := range on.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(on.Status)
	body, flush := on.Body(), http.NewResponseController(w).Flush
	dice := rand.New(rand.NewPCG(uint64(len(body)), 5)) //nolint:gosec // the cuts are to be the same in every run
	for pieces := 0; len(body) > 0; pieces++ {
		n := min(1+dice.IntN(700), len(body))
		if !on.Stream || pieces > 60 {
			n = len(body)
		}
		if _, err := w.Write(body[:n]); err != nil {
			return
		}
		body = body[n:]
		_ = flush()
	}
}

// providers are Forge's names of the vendors.
var providers = map[string]string{"openai": "openai", "anthropic": "claude", "gemini": "gemini", "openrouter": "openrouter"}

// newForge runs a Forge whose vendors are the one that plays. Every recording is asked with a key that no other has used and tried once, so that what one
// vendor refuses does not rest another's.
func newForge(t *testing.T) (*harness.Forge, *vendor) {
	t.Helper()
	v := &vendor{}
	server := httptest.NewServer(v)
	t.Cleanup(server.Close)
	var keys []string
	for i := range 400 {
		keys = append(keys, fmt.Sprintf("key-%03d", i))
	}
	all := strings.Join(keys, ",")
	file := filepath.Join(t.TempDir(), "forge1.yaml")
	if err := os.WriteFile(file, []byte("routing:\n  max_attempts: 1\nproviders:\n"+
		"  - {name: compatible, kind: openai_compatible, base_url: "+server.URL+"/compatible, model: any, credentials: [OPENAI_API_KEY], discover: false}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := harness.New(t, harness.Options{Env: map[string]string{
		"OPENAI_BASE_URL": server.URL + "/openai", "ANTHROPIC_BASE_URL": server.URL + "/anthropic", "GOOGLE_AI_BASE_URL": server.URL + "/gemini",
		"OPENROUTER_BASE_URL": server.URL + "/openrouter", "OPENAI_API_KEY": all, "ANTHROPIC_API_KEY": all, "GOOGLE_AI_API_KEY": all, "OPENROUTER_API_KEY": all,
		"CIRCUIT_BREAKER_THRESHOLD": "1000", "CONFIG_FILE": file,
	}})
	return f, v
}
