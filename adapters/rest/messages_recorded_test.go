package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/rest"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/fixtures"
)

// TestRecordedMessagesPass has recorded answers relayed: not a byte is another.
func TestRecordedMessagesPass(t *testing.T) {
	w := start(t)
	for name, body := range recorded(t, "anthropic-messages-*") {
		if strings.Contains(name, "-error-") {
			continue // the gateway makes a failure of it
		}
		t.Run(name, func(t *testing.T) {
			more := ""
			if strings.Contains(name, "-stream-") {
				more = `,"stream":true`
				w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
					return streamOf(true, frames(strings.SplitAfter(body, "\n\n")...)...), nil
				}
			} else {
				w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
					return inbound.Answer{Receipt: receipt(), Body: []byte(body)}, nil
				}
			}
			if got := w.post(messagesPath, messagesBody(more), aiKey); string(got.body) != body {
				t.Errorf("got  %.2000s\nwant %.2000s", got.body, body)
			}
		})
	}
}

// TestRecordedMessageRequestsAreRead has what clients have sent to Anthropic scanned and translated: all of it but what Anthropic refused too.
func TestRecordedMessageRequestsAreRead(t *testing.T) {
	for name := range recorded(t, "anthropic-messages-*") {
		t.Run(name, func(t *testing.T) {
			body := recordedRequest(t, name)
			if body == nil {
				return // only the answer was recorded
			}
			if _, _, _, _, _, err := rest.ScanMessages(body); err != nil {
				t.Errorf("%.500s: %v", body, err)
			}
			r, _, err := rest.ParseMessages(body, false)
			if err != nil {
				t.Fatalf("%.500s: %v", body, err)
			}
			if len(r.Untranslated) > 0 {
				t.Logf("left out: %s", strings.Join(r.Untranslated, ", "))
			}
		})
	}
}

// recordedRequest reads the request of a recording; nil when there is none.
func recordedRequest(t *testing.T, name string) []byte {
	t.Helper()
	dir, there := fixtures.Dir(t, fixtures.Wire)
	if !there {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(dir, name, "request.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var request struct{ Body json.RawMessage }
	if err := json.Unmarshal(b, &request); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(request.Body), "{") {
		return nil
	}
	return request.Body
}
