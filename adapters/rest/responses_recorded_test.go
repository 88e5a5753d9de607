package rest_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/fixtures"
)

// recorded reads the recordings of a pattern in place, by their names.
func recorded(t *testing.T, pattern string) map[string]string {
	t.Helper()
	dir, there := fixtures.Dir(t, fixtures.Wire)
	if !there {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(dir, pattern, "response.body"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no recording of %s: %v", pattern, err)
	}
	out := map[string]string{}
	for _, file := range files {
		if strings.Contains(file, "-error-4") || strings.Contains(file, "-truncated-") {
			continue // no whole answers
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(filepath.Dir(file))] = string(b)
	}
	return out
}

// TestRecordedResponsesPass has recorded answers relayed: but for what Forge says of keeping, not a byte is another, and what came to its end is kept.
func TestRecordedResponsesPass(t *testing.T) {
	w := start(t)
	asked := strings.NewReplacer(`"store":false`, `"store":true`, `"store": false`, `"store": true`)
	for name, body := range recorded(t, "open*-responses-*") {
		t.Run(name, func(t *testing.T) {
			before := len(w.shelf.of("t1"))
			ended := strings.Contains(body, `"type":"response.completed"`) || strings.Contains(body, `"type":"response.incomplete"`)
			var got answer
			if strings.Contains(name, "-stream-") {
				w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
					return streamOf(true, frames(strings.SplitAfter(body, "\n\n")...)...), nil
				}
				got = w.post(responsesPath, respBody(`,"stream":true,"store":true`), aiKey)
			} else {
				ended = strings.Contains(body, `completed"`)
				w.upstream(body)
				got = w.post(responsesPath, respBody(`,"store":true`), aiKey)
			}
			if want := asked.Replace(body); strings.TrimSpace(string(got.body)) != strings.TrimSpace(want) {
				t.Errorf("got  %.2000s\nwant %.2000s", got.body, want)
			}
			if kept := len(w.shelf.of("t1")) > before; kept != ended {
				t.Errorf("kept: %t, want %t", kept, ended)
			}
		})
	}
}
