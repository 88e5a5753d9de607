package replay_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/forge1/forge1/test/conformance"
	"github.com/forge1/forge1/test/harness"
)

// TestRecordedEmbeddings plays every recorded answer to a request for embeddings: the vectors are the vendor's, in both encodings, and where the vendor
// speaks the surface's dialect the bytes are.
func TestRecordedEmbeddings(t *testing.T) {
	all := conformance.Recordings(t, "")
	f, v := newForge(t)
	for i := range all {
		rec := &all[i]
		if rec.API != "embeddings" && rec.API != "embed" {
			continue
		}
		vectors := vectorsOf(t, rec.Body())
		for _, encoding := range []string{"float", "base64"} {
			t.Run(rec.ID+" as "+encoding, func(t *testing.T) {
				v.play(rec)
				input := []string{}
				for j := range max(len(vectors), 1) {
					input = append(input, fmt.Sprintf("text %d", j))
				}
				a := f.Do(t, http.MethodPost, "/v1/embeddings", map[string]any{
					"model": providers[rec.Vendor] + "/" + rec.ID, "input": input, "encoding_format": encoding,
				})
				if rec.Status != http.StatusOK {
					failed(t, rec, a)
					return
				}
				if a.Status != http.StatusOK {
					t.Fatalf("got %d: %s", a.Status, a.Body)
				}
				if rec.API == "embeddings" {
					if !bytes.Equal(a.Body, rec.Body()) {
						t.Error("the vendor's bytes were changed")
					}
					return
				}
				if got := vectorsOf(t, a.Body); !slices.EqualFunc(got, vectors, closeTo) {
					t.Errorf("got %d vectors that are not the vendor's %d", len(got), len(vectors))
				}
				if isText := bytes.Contains(a.Body, []byte(`"embedding":"`)); isText != (encoding == "base64") {
					t.Errorf("the vectors are text: %t", isText)
				}
			})
		}
	}
}

func closeTo(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) <= 1e-7*math.Max(1, math.Abs(y)) })
}

// vectorsOf reads the vectors of an answer of OpenAI's or Gemini's dialect.
func vectorsOf(t *testing.T, body []byte) [][]float64 {
	t.Helper()
	var a struct {
		Data []struct {
			Embedding json.RawMessage `json:"embedding"`
		} `json:"data"`
		Embeddings []struct {
			Values []float64 `json:"values"`
		} `json:"embeddings"`
	}
	if json.Unmarshal(body, &a) != nil {
		return nil
	}
	var out [][]float64
	for _, e := range a.Embeddings {
		out = append(out, e.Values)
	}
	for _, d := range a.Data {
		var vector []float64
		var packed string
		if json.Unmarshal(d.Embedding, &packed) == nil {
			raw, err := base64.StdEncoding.DecodeString(packed)
			if err != nil {
				t.Fatal(err)
			}
			for ; len(raw) >= 4; raw = raw[4:] {
				vector = append(vector, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))))
			}
		} else if err := json.Unmarshal(d.Embedding, &vector); err != nil {
			t.Fatal(err)
		}
		out = append(out, vector)
	}
	return out
}

// TestRecordedModels has a server of the recording's list asked for its models, which then can be asked for by name.
func TestRecordedModels(t *testing.T) {
	recordings := conformance.Recordings(t, "openrouter/models")
	for i := range recordings {
		rec := &recordings[i]
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/models") {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			_, _ = w.Write(rec.Body())
		}))
		t.Cleanup(server.Close)
		file := filepath.Join(t.TempDir(), "forge1.yaml")
		config := "providers:\n  - {name: market, kind: openrouter, base_url: " + server.URL + ", model: one, credentials: [MARKET_KEY], discover: true}\n"
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		f := harness.New(t, harness.Options{Env: map[string]string{"CONFIG_FILE": file, "MARKET_KEY": "market"}})
		var want struct {
			Data []struct {
				ID string `json:"id"`
			} `json:"data"`
		}
		if err := json.Unmarshal(rec.Body(), &want); err != nil || len(want.Data) == 0 {
			t.Fatalf("%s: %v", rec.ID, err)
		}
		harness.Eventually(t, "the models of the server", func() bool {
			listed := f.Do(t, http.MethodGet, "/v1/models", nil).Body
			return !slices.ContainsFunc(want.Data, func(m struct {
				ID string `json:"id"`
			},
			) bool {
				return !bytes.Contains(listed, []byte(`"market/`+m.ID+`"`))
			})
		})
	}
}
